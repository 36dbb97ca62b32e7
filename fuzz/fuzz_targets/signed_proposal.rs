//! A signed proposal of another node: one form, and what is signed is what was opened.
#![no_main]

use changbai_wire::limits::{SIGNATURE_BYTES_MAX, SIGNED_PROPOSAL_BYTES_MAX};
use changbai_wire::{SignedProposal, TxId, decode_proposal};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("signed_proposal"), |data: &[u8]| {
    let Ok(signed) = SignedProposal::from_bytes(data) else { return };
    assert!(data.len() <= SIGNED_PROPOSAL_BYTES_MAX);
    assert!((1..=SIGNATURE_BYTES_MAX).contains(&signed.signature.len()));
    assert_eq!(signed.decoded.tx_id, TxId::derive(&signed.decoded.nonce, &signed.decoded.creator));
    assert_eq!(decode_proposal(&signed.proposal).as_ref(), Ok(&signed.decoded));
    assert_eq!(SignedProposal::encode(signed.proposal, signed.signature), data, "two forms");
});
