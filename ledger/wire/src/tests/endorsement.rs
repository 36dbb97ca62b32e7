//! Signed proposals and the answers to them: one form each, and nothing beside what it says.

use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::{
    EndorsedResponse, EndorsementError, ProposalResponse, Refused, SignedProposal,
    limits::{
        ENVELOPE_BYTES_MAX, IDENTITY_BYTES_MAX, REFUSAL_MESSAGE_BYTES_MAX,
        REFUSAL_PAYLOAD_BYTES_MAX, SIGNATURE_BYTES_MAX, SIGNED_PROPOSAL_BYTES_MAX,
    },
};

fn signed() -> Vec<u8> {
    SignedProposal::encode(Sample::new().proposal, vec![0x30, 1])
}

fn endorsed() -> EndorsedResponse {
    let sample = Sample::new();
    let (endorser, signature) = sample.endorsements[0].clone();
    EndorsedResponse { payload: sample.answer(), endorser, signature, response: sample.response }
}

fn refused(message: &str, payload: Vec<u8>) -> ProposalResponse {
    ProposalResponse::Refused(Refused { status: 500, message: message.to_owned(), payload })
}

#[test]
fn round_trip() {
    let opened = SignedProposal::from_bytes(&signed()).unwrap();
    assert_eq!(opened.proposal, Sample::new().proposal);
    assert_eq!(opened.decoded, Sample::new().decoded);
    assert_eq!(SignedProposal::encode(opened.proposal, opened.signature), signed());

    let response = ProposalResponse::Endorsed(endorsed());
    assert_eq!(ProposalResponse::from_bytes(&response.to_bytes()), Ok(response));
    assert_eq!(endorsed().read_write_set(), Ok(rwset()));
    let refusal = refused("EV-4090: already recorded", b"id".to_vec());
    assert_eq!(ProposalResponse::from_bytes(&refusal.to_bytes()), Ok(refusal));
}

#[test]
fn what_is_too_long_is_cut_when_written_and_refused_when_read() {
    // Three bytes a character: the bound falls within one.
    let long =
        refused(&"长".repeat(REFUSAL_MESSAGE_BYTES_MAX), vec![0; REFUSAL_PAYLOAD_BYTES_MAX + 1]);
    let ProposalResponse::Refused(cut) = ProposalResponse::from_bytes(&long.to_bytes()).unwrap()
    else {
        panic!("a refusal");
    };
    assert_eq!(cut.message.len(), REFUSAL_MESSAGE_BYTES_MAX / 3 * 3);
    assert!(cut.payload.is_empty());

    let refusal = protos::ProposalResponse {
        version: 1,
        response: Some(protos::Response {
            status: 400,
            message: "x".repeat(REFUSAL_MESSAGE_BYTES_MAX + 1),
            payload: Vec::new(),
        }),
        ..protos::ProposalResponse::default()
    };
    assert!(ProposalResponse::from_bytes(&refusal.encode_to_vec()).is_err());
    assert!(ProposalResponse::from_bytes(&vec![0; ENVELOPE_BYTES_MAX + 1]).is_err());
    assert!(SignedProposal::from_bytes(&vec![0; SIGNED_PROPOSAL_BYTES_MAX + 1]).is_err());
    for signature in [Vec::new(), vec![0; SIGNATURE_BYTES_MAX + 1]] {
        let proposal = SignedProposal::encode(Sample::new().proposal, signature.clone());
        assert!(SignedProposal::from_bytes(&proposal).is_err());
        let response = ProposalResponse::Endorsed(EndorsedResponse { signature, ..endorsed() });
        assert!(ProposalResponse::from_bytes(&response.to_bytes()).is_err());
    }
    for endorser in [Vec::new(), vec![0; IDENTITY_BYTES_MAX + 1]] {
        let response = ProposalResponse::Endorsed(EndorsedResponse { endorser, ..endorsed() });
        assert!(ProposalResponse::from_bytes(&response.to_bytes()).is_err());
    }
}

#[test]
fn a_response_is_an_endorsement_or_a_refusal() {
    let good = protos::ProposalResponse::decode(
        ProposalResponse::Endorsed(endorsed()).to_bytes().as_slice(),
    )
    .unwrap();
    let changes: [fn(&mut protos::ProposalResponse); 8] = [
        |r| r.version = 2,
        |r| r.timestamp = Some(Default::default()),
        |r| r.interest = Some(Default::default()),
        |r| r.response = None,
        |r| r.endorsement = None,
        |r| r.response.as_mut().unwrap().status = 500,
        |r| r.response.as_mut().unwrap().payload = b"another answer".to_vec(),
        |r| r.payload = vec![0xff],
    ];
    for (n, change) in changes.into_iter().enumerate() {
        let mut changed = good.clone();
        change(&mut changed);
        let opened = ProposalResponse::from_bytes(&changed.encode_to_vec());
        assert!(matches!(opened, Err(EndorsementError::Form(_))), "change {n}");
    }
    // An unknown field, at the end.
    let trailing = [good.encode_to_vec(), vec![0x7a, 0]].concat();
    assert!(ProposalResponse::from_bytes(&trailing).is_err());
    let trailing = [signed(), vec![0x7a, 0]].concat();
    assert!(SignedProposal::from_bytes(&trailing).is_err());
}

#[test]
fn answers_stay_out_of_logs() {
    let shown = format!("{:?}", ProposalResponse::Endorsed(endorsed()));
    assert!(!shown.contains("ok") && !shown.contains("rec/1"), "{shown}");
}

proptest! {
    /// A flipped bit is a changed proposal, a changed signature, or a refusal.
    #[test]
    fn no_bit_is_without_meaning(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let good = signed();
        let mut changed = good.clone();
        changed[at.index(good.len())] ^= 1 << bit;
        if let Ok(opened) = SignedProposal::from_bytes(&changed) {
            let before = SignedProposal::from_bytes(&good).unwrap();
            prop_assert!((&opened.proposal, &opened.signature) != (&before.proposal, &before.signature));
            prop_assert_eq!(SignedProposal::encode(opened.proposal, opened.signature), changed);
        }
        let good = ProposalResponse::Endorsed(endorsed()).to_bytes();
        let mut changed = good.clone();
        changed[at.index(good.len())] ^= 1 << bit;
        if let Ok(opened) = ProposalResponse::from_bytes(&changed) {
            prop_assert_eq!(opened.to_bytes(), changed);
            let ProposalResponse::Endorsed(opened) = opened else { panic!("a refusal") };
            let before = endorsed();
            prop_assert!(
                opened.payload != before.payload
                    || opened.endorser != before.endorser
                    || opened.signature != before.signature
            );
        }
    }

    #[test]
    fn arbitrary_bytes_have_one_form(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(opened) = SignedProposal::from_bytes(&bytes) {
            prop_assert_eq!(SignedProposal::encode(opened.proposal, opened.signature), bytes.clone());
        }
        if let Ok(opened) = ProposalResponse::from_bytes(&bytes) {
            prop_assert_eq!(opened.to_bytes(), bytes);
        }
    }
}
