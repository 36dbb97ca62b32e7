//! What goes in comes out.

use prost::Message;

use super::*;
use crate::{
    AssembleError, BlockNumber, TxId, ValidationCode, decode_transaction, endorsement_message,
    proposal_hash,
    proto::common,
    time::{Clock, ManualClock},
};

#[test]
fn proposal() {
    let sample = Sample::new();
    let decoded = &sample.decoded;
    assert_eq!(decoded.channel_id, "city");
    assert_eq!(decoded.chaincode_name, "evidence");
    assert_eq!(decoded.args, [b"Create".to_vec(), br#"{"a":1}"#.to_vec()]);
    assert_eq!(decoded.creator, CREATOR);
    assert_eq!(decoded.nonce, [9; 24]);
    assert_eq!(decoded.time_ms, 1_753_000_000_123);
    assert_eq!(decoded.tx_id, TxId::derive(&[9; 24], CREATOR));
    assert_eq!(
        decoded.hash,
        proposal_hash(&decoded.channel_header, &decoded.signature_header, &decoded.payload)
    );
    assert!(!format!("{decoded:?}").contains("args"));
}

#[test]
fn transient_data_is_neither_hashed_nor_assembled() {
    let sample = Sample::new();
    let mut proposal = protos::Proposal::decode(sample.proposal.as_slice()).unwrap();
    let mut payload = protos::ChaincodeProposalPayload::decode(&*proposal.payload).unwrap();
    payload.transient_map.insert("name".to_owned(), b"a secret".to_vec());
    proposal.payload = payload.encode_to_vec();
    let proposal = proposal.encode_to_vec();
    let decoded = decode_proposal(&proposal).unwrap();
    assert_eq!(decoded.transient["name"], b"a secret");
    assert_eq!(decoded.hash, sample.decoded.hash);
    let assembled = assemble(&proposal, &sample.answer(), &sample.endorsements).unwrap();
    assert_eq!(assembled, sample.payload());
    assert!(!format!("{decoded:?}").contains("secret"));
}

#[test]
fn transaction() {
    let sample = Sample::new();
    let envelope = sample.envelope();
    let decoded = decode_transaction(&envelope).unwrap();
    assert_eq!(decoded.channel_id, "city");
    assert_eq!(decoded.tx_id, sample.decoded.tx_id);
    assert_eq!(decoded.creator, CREATOR);
    assert_eq!(decoded.nonce, [9; 24]);
    assert_eq!(decoded.time_ms, 1_753_000_000_123);
    assert_eq!(decoded.chaincode_name, "evidence");
    assert_eq!(decoded.chaincode_version, "1.0");
    assert_eq!(decoded.args, sample.decoded.args);
    assert_eq!(decoded.rwset, sample.rwset);
    assert_eq!(decoded.response, sample.response);
    assert_eq!(decoded.events, Some(sample.event.clone()));
    assert_eq!(decoded.endorsed_payload, sample.answer());
    assert_eq!(decoded.endorsements, sample.endorsements);
    assert_eq!(decoded.signed_payload, sample.payload());
    assert_eq!(decoded.signature, [0x30, 0x44, 7]);
    let message = endorsement_message(&decoded.endorsed_payload, b"peer one");
    assert_eq!(message, [sample.answer().as_slice(), b"peer one"].concat());
    assert!(!format!("{decoded:?}").contains("args"));
}

#[test]
fn assembling_what_does_not_belong_together() {
    let sample = Sample::new();
    let answer = sample.answer();
    assert!(matches!(
        assemble(b"\xff", &answer, &sample.endorsements),
        Err(AssembleError::Proposal { .. })
    ));
    assert_eq!(
        assemble(&sample.proposal, b"\xff", &sample.endorsements),
        Err(AssembleError::ResponsePayload)
    );
    assert_eq!(assemble(&sample.proposal, &answer, &[]), Err(AssembleError::NoEndorsements));
    let (_, other) =
        build_proposal("city", "evidence", &[vec![1]], CREATOR, &[8; 24], UnixMillis(1));
    assert_eq!(assemble(&other, &answer, &sample.endorsements), Err(AssembleError::OtherProposal));
}

#[test]
fn blocks_keep_our_header_fields() {
    let header = hashing::header();
    let block = common::Block {
        header: Some(header.to_proto()),
        data: Some(common::BlockData { data: vec![b"one".to_vec()] }),
        metadata: Some(common::BlockMetadata { metadata: vec![Vec::new(); 5] }),
    };
    let bytes = block.encode_to_vec();
    let back = common::Block::decode(bytes.as_slice()).unwrap();
    assert_eq!(back, block);
    assert_eq!(crate::Header::try_from(back.header.as_ref().unwrap()), Ok(header));
    // A client of Fabric's reads its three fields and skips the rest.
    #[derive(Message)]
    struct FabricHeader {
        #[prost(uint64, tag = "1")]
        number: u64,
        #[prost(bytes = "vec", tag = "2")]
        previous_hash: Vec<u8>,
        #[prost(bytes = "vec", tag = "3")]
        data_hash: Vec<u8>,
    }
    let ours = block.header.unwrap();
    let theirs = FabricHeader::decode(ours.encode_to_vec().as_slice()).unwrap();
    assert_eq!(
        (theirs.number, theirs.previous_hash, theirs.data_hash),
        (ours.number, ours.previous_hash, ours.data_hash)
    );
}

#[test]
fn codes() {
    for code in ValidationCode::ALL {
        assert_eq!(ValidationCode::try_from(code.value()), Ok(*code));
        let proto = protos::TxValidationCode::try_from(i32::from(code.value())).unwrap();
        assert_eq!(proto.as_str_name(), code.name());
    }
    let known = (0..=255u8).filter(|value| ValidationCode::try_from(*value).is_ok()).count();
    assert_eq!(known, ValidationCode::ALL.len());
    assert!(ValidationCode::Valid.is_valid() && !ValidationCode::BadRwset.is_valid());
    assert_eq!(ValidationCode::MvccReadConflict.to_string(), "MVCC_READ_CONFLICT");
}

#[test]
fn ids_and_time() {
    let id = TxId::derive(b"n", b"c");
    assert_eq!(id.to_string().parse(), Ok(id));
    assert!(id.to_string().to_uppercase().parse::<TxId>().is_err());
    assert!("".parse::<TxId>().is_err());
    assert_eq!(BlockNumber(u64::MAX).next(), None);
    assert_eq!(BlockNumber(1).next(), Some(BlockNumber(2)));
    let clock = ManualClock::new(UnixMillis(1_999));
    assert_eq!(clock.now().at.seconds(), 1);
    clock.advance(1);
    assert_eq!(clock.now().at, UnixMillis(2_000));
    clock.set(UnixMillis(5));
    assert_eq!((clock.now().at, clock.now().bound_us), (UnixMillis(5), None));
}
