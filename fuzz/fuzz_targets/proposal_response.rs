//! An endorser's answer: an endorsement or a refusal, in one form, within its bounds.
#![no_main]

use changbai_wire::ProposalResponse;
use changbai_wire::limits::{
    ENVELOPE_BYTES_MAX, IDENTITY_BYTES_MAX, REFUSAL_MESSAGE_BYTES_MAX, REFUSAL_PAYLOAD_BYTES_MAX,
};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("proposal_response"), |data: &[u8]| {
    let Ok(response) = ProposalResponse::from_bytes(data) else { return };
    assert!(data.len() <= ENVELOPE_BYTES_MAX);
    assert_eq!(response.to_bytes(), data, "two forms");
    match response {
        ProposalResponse::Endorsed(endorsed) => {
            assert!((1..=IDENTITY_BYTES_MAX).contains(&endorsed.endorser.len()));
            assert!((200..400).contains(&endorsed.response.status));
            let _ = endorsed.read_write_set();
        }
        ProposalResponse::Refused(refused) => {
            assert!(refused.status >= 400);
            assert!(refused.message.len() <= REFUSAL_MESSAGE_BYTES_MAX);
            assert!(refused.payload.len() <= REFUSAL_PAYLOAD_BYTES_MAX);
        }
    }
});
