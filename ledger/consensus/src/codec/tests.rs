#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use changbai_wire::ValidatorAddress;
use core_consensus::{Input, ProposedValue};
use core_types::{
    NilOrVal, PolkaCertificate, PolkaSignature, Round, RoundCertificate, RoundCertificateType,
    RoundSignature, SignedProposal, SignedVote, Timeout, Validity, ValueOrigin, VoteType,
};
use proptest::{collection::vec, option, prelude::*};
use smkit::{Sm3Digest, sm2::Signature};

use super::{CodecError, Message, decode_record, encode_record};
use crate::{
    CommitCertificate, WalRecord,
    context::{Address, BlockId, Ctx, Height, Proposal, Sig, Vote},
    limits::{MESSAGE_BYTES_MAX, ROUND_MAX, VALIDATORS_MAX},
};

fn digest() -> impl Strategy<Value = Sm3Digest> {
    any::<[u8; 32]>().prop_map(Sm3Digest::new)
}

fn address() -> impl Strategy<Value = Address> {
    digest().prop_map(|digest| Address(ValidatorAddress::new(digest)))
}

fn block() -> impl Strategy<Value = BlockId> {
    digest().prop_map(BlockId)
}

fn optional_block() -> impl Strategy<Value = NilOrVal<BlockId>> {
    option::of(block()).prop_map(|block| block.map_or(NilOrVal::Nil, NilOrVal::Val))
}

/// Any two scalars below 2²⁵⁵ and above 0: not signatures of anything, but of the right form.
fn signature() -> impl Strategy<Value = Sig> {
    (any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(|(r, s)| {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&r);
        bytes[32..].copy_from_slice(&s);
        for start in [0, 32] {
            bytes[start] &= 0x7f;
            bytes[start + 31] |= 1;
        }
        Sig(Signature::from_bytes(bytes).unwrap())
    })
}

fn round() -> impl Strategy<Value = Round> {
    (0..=ROUND_MAX).prop_map(Round::new)
}

fn kind() -> impl Strategy<Value = VoteType> {
    prop_oneof![Just(VoteType::Prevote), Just(VoteType::Precommit)]
}

fn vote() -> impl Strategy<Value = SignedVote<Ctx>> {
    (kind(), any::<u64>(), round(), optional_block(), address(), signature()).prop_map(
        |(kind, height, round, value, address, signature)| {
            SignedVote::new(Vote { kind, height: Height(height), round, value, address }, signature)
        },
    )
}

fn proposal() -> impl Strategy<Value = SignedProposal<Ctx>> {
    let pol = option::of(0..=ROUND_MAX).prop_map(Round::from);
    (any::<u64>(), round(), block(), pol, address(), signature()).prop_map(
        |(height, round, value, pol_round, address, signature)| {
            let height = Height(height);
            SignedProposal::new(Proposal { height, round, value, pol_round, address }, signature)
        },
    )
}

fn polka() -> impl Strategy<Value = PolkaCertificate<Ctx>> {
    (any::<u64>(), round(), block(), vec((address(), signature()), 1..6)).prop_map(
        |(height, round, value_id, entries)| PolkaCertificate {
            height: Height(height),
            round,
            value_id,
            polka_signatures: entries.into_iter().map(|(a, s)| PolkaSignature::new(a, s)).collect(),
        },
    )
}

fn round_certificate() -> impl Strategy<Value = RoundCertificate<Ctx>> {
    let cert_type =
        prop_oneof![Just(RoundCertificateType::Skip), Just(RoundCertificateType::Precommit)];
    let entry = (kind(), optional_block(), address(), signature());
    (any::<u64>(), round(), cert_type, vec(entry, 1..6)).prop_map(
        |(height, round, cert_type, entries)| RoundCertificate {
            height: Height(height),
            round,
            cert_type,
            round_signatures: entries
                .into_iter()
                .map(|(kind, block, address, signature)| {
                    RoundSignature::new(kind, block, address, signature)
                })
                .collect(),
        },
    )
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        vote().prop_map(Message::Vote),
        proposal().prop_map(Message::Proposal),
        polka().prop_map(Message::Polka),
        round_certificate().prop_map(Message::Round),
    ]
}

fn logged() -> impl Strategy<Value = (Height, Input<Ctx>)> {
    let timeout = prop_oneof![
        round().prop_map(Timeout::propose),
        round().prop_map(Timeout::prevote),
        round().prop_map(Timeout::precommit),
    ];
    let value = (any::<u64>(), round(), address(), block(), any::<bool>(), any::<bool>());
    prop_oneof![
        vote().prop_map(|vote| (vote.message.height, Input::Vote(vote))),
        proposal().prop_map(|proposal| (proposal.message.height, Input::Proposal(proposal))),
        polka().prop_map(|polka| (polka.height, Input::PolkaCertificate(polka))),
        (any::<u64>(), timeout)
            .prop_map(|(height, timeout)| (Height(height), Input::TimeoutElapsed(timeout))),
        value.prop_map(|(height, round, proposer, value, valid, synced)| {
            let value = ProposedValue {
                height: Height(height),
                round,
                valid_round: Round::Nil,
                proposer,
                value,
                validity: Validity::from_bool(valid),
            };
            let origin = if synced { ValueOrigin::Sync } else { ValueOrigin::Consensus };
            (Height(height), Input::ProposedValue(value, origin))
        }),
    ]
}

fn certificate() -> impl Strategy<Value = CommitCertificate> {
    (any::<u64>(), 0..=ROUND_MAX, digest(), vec((address(), signature()), 1..6)).prop_map(
        |(height, round, block, entries)| CommitCertificate {
            height,
            round,
            block,
            signatures: entries.into_iter().map(|(a, s)| (a.0, s.0)).collect(),
        },
    )
}

fn flipped(bytes: &[u8], at: prop::sample::Index) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let bit = at.index(bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_message_survives_the_round_trip(message in message()) {
        let bytes = message.encode().unwrap();
        prop_assert!(bytes.len() <= MESSAGE_BYTES_MAX);
        prop_assert_eq!(Message::decode(&bytes).unwrap(), message);
    }

    #[test]
    fn a_flipped_bit_is_refused_or_changes_the_message(
        message in message(),
        at in any::<prop::sample::Index>(),
    ) {
        let bytes = flipped(&message.encode().unwrap(), at);
        if let Ok(other) = Message::decode(&bytes) {
            prop_assert_ne!(&other, &message);
            prop_assert_eq!(other.encode().unwrap(), bytes);
        }
    }

    #[test]
    fn a_cut_or_extended_message_is_refused(
        message in message(),
        at in any::<prop::sample::Index>(),
        more in vec(any::<u8>(), 1..9),
    ) {
        let bytes = message.encode().unwrap();
        prop_assert!(Message::decode(&bytes[..at.index(bytes.len())]).is_err());
        prop_assert!(Message::decode(&[bytes, more].concat()).is_err());
    }

    #[test]
    fn any_bytes_are_refused_or_canonical(
        mut bytes in vec(any::<u8>(), 0..400),
        tag in 0..9_u8,
        shaped in any::<bool>(),
    ) {
        if let (true, [version, kind, ..]) = (shaped, bytes.as_mut_slice()) {
            (*version, *kind) = (1, tag);
        }
        if let Ok(message) = Message::decode(&bytes) {
            prop_assert_eq!(message.encode().unwrap(), bytes.clone());
        }
        if let Ok(certificate) = CommitCertificate::from_bytes(&bytes) {
            prop_assert_eq!(certificate.to_bytes().unwrap(), bytes.clone());
        }
        let record = WalRecord { height: 7, kind: tag, bytes };
        if let Ok(input) = decode_record(&record) {
            prop_assert_eq!(encode_record(Height(7), input).unwrap(), record);
        }
    }

    #[test]
    fn a_record_survives_the_round_trip((height, input) in logged()) {
        let record = encode_record(height, input.clone()).unwrap();
        prop_assert_eq!(decode_record(&record).unwrap(), input);
    }

    #[test]
    fn a_flipped_bit_in_a_record_is_refused_or_changes_it(
        (height, input) in logged(),
        at in any::<prop::sample::Index>(),
    ) {
        let mut record = encode_record(height, input.clone()).unwrap();
        record.bytes = flipped(&record.bytes, at);
        if let Ok(other) = decode_record(&record) {
            prop_assert_ne!(other, input);
        }
    }

    #[test]
    fn a_signed_record_belongs_to_its_height(vote in vote(), other in any::<u64>()) {
        let height = vote.message.height;
        let record = encode_record(height, Input::Vote(vote)).unwrap();
        prop_assume!(other != height.0);
        let moved = WalRecord { height: other, ..record };
        prop_assert!(decode_record(&moved).is_err());
    }

    #[test]
    fn a_certificate_survives_the_round_trip(
        certificate in certificate(),
        at in any::<prop::sample::Index>(),
    ) {
        let bytes = certificate.to_bytes().unwrap();
        prop_assert_eq!(&CommitCertificate::from_bytes(&bytes).unwrap(), &certificate);
        if let Ok(other) = CommitCertificate::from_bytes(&flipped(&bytes, at)) {
            prop_assert_ne!(other, certificate);
        }
    }
}

#[test]
fn counts_are_bounded_before_anything_is_read() {
    let mut bytes = vec![1, 3];
    bytes.extend_from_slice(&[0; 8 + 4 + 32]);
    let too_many = u16::try_from(VALIDATORS_MAX + 1).unwrap();
    for count in [0, too_many, u16::MAX] {
        let bytes = [bytes.as_slice(), &count.to_be_bytes()].concat();
        let expected = CodecError::Value { field: "signature count", found: count.into() };
        assert_eq!(Message::decode(&bytes), Err(expected));
    }
    let count = MESSAGE_BYTES_MAX + 1;
    assert_eq!(Message::decode(&vec![1; count]), Err(CodecError::TooLong { count }));
}

#[test]
fn the_largest_message_has_exactly_the_bound() {
    let signature = {
        let mut bytes = [0; 64];
        (bytes[31], bytes[63]) = (1, 1);
        Sig(Signature::from_bytes(bytes).unwrap())
    };
    let address = Address(ValidatorAddress::new(Sm3Digest::new([7; 32])));
    let entry = RoundSignature::new(VoteType::Precommit, NilOrVal::Nil, address, signature);
    let message = Message::Round(RoundCertificate {
        height: Height(1),
        round: Round::new(0),
        cert_type: RoundCertificateType::Skip,
        round_signatures: vec![entry; VALIDATORS_MAX],
    });
    let bytes = message.encode().unwrap();
    assert_eq!(bytes.len(), MESSAGE_BYTES_MAX);
    assert_eq!(Message::decode(&bytes).unwrap(), message);
}
