//! Foreign bytes: truncated, changed, and built to mislead.

use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::{
    RwsetError, ValidationCode, decode_transaction, envelope_digest,
    limits::{ENDORSEMENTS_MAX, ENVELOPE_BYTES_MAX},
    proto::{common, google::protobuf::Timestamp, kvrwset, rwset as outer},
};

/// Every layer of a transaction, opened for changing.
struct Layers {
    channel: common::ChannelHeader,
    signature: common::SignatureHeader,
    action_header: Option<Vec<u8>>,
    proposal_payload: protos::ChaincodeProposalPayload,
    answer: protos::ProposalResponsePayload,
    action: protos::ChaincodeAction,
    actions: usize,
    endorsements: Vec<protos::Endorsement>,
    envelope_signature: Vec<u8>,
}

impl Layers {
    fn new() -> Self {
        let sample = Sample::new();
        let answer = protos::ProposalResponsePayload::decode(&*sample.answer()).unwrap();
        Self {
            channel: common::ChannelHeader::decode(&*sample.decoded.channel_header).unwrap(),
            signature: common::SignatureHeader::decode(&*sample.decoded.signature_header).unwrap(),
            action_header: None,
            proposal_payload: protos::ChaincodeProposalPayload::decode(&*sample.decoded.payload)
                .unwrap(),
            action: protos::ChaincodeAction::decode(&*answer.extension).unwrap(),
            answer,
            actions: 1,
            endorsements: vec![protos::Endorsement::default()],
            envelope_signature: vec![1],
        }
    }

    /// Joins the layers; `rehash` makes the proposal hash fit again.
    fn envelope(mut self, rehash: bool) -> Vec<u8> {
        let channel_header = self.channel.encode_to_vec();
        let signature_header = self.signature.encode_to_vec();
        let proposal_payload = self.proposal_payload.encode_to_vec();
        if rehash {
            let hash = crate::proposal_hash(&channel_header, &signature_header, &proposal_payload);
            self.answer.proposal_hash = hash.as_bytes().to_vec();
        }
        self.answer.extension = self.action.encode_to_vec();
        let action = protos::TransactionAction {
            header: self.action_header.unwrap_or_else(|| signature_header.clone()),
            payload: protos::ChaincodeActionPayload {
                chaincode_proposal_payload: proposal_payload,
                action: Some(protos::ChaincodeEndorsedAction {
                    proposal_response_payload: self.answer.encode_to_vec(),
                    endorsements: self.endorsements,
                }),
            }
            .encode_to_vec(),
        };
        let data = protos::Transaction { actions: vec![action; self.actions] }.encode_to_vec();
        let header = Some(common::Header { channel_header, signature_header });
        seal(common::Payload { header, data }.encode_to_vec(), self.envelope_signature)
    }
}

fn refusal(change: impl FnOnce(&mut Layers)) -> ValidationCode {
    let mut layers = Layers::new();
    change(&mut layers);
    decode_transaction(&layers.envelope(true)).expect_err("must be refused").0
}

fn with_spec(layers: &mut Layers, change: impl FnOnce(&mut protos::ChaincodeSpec)) {
    let payload = &mut layers.proposal_payload;
    let mut invocation = protos::ChaincodeInvocationSpec::decode(&*payload.input).unwrap();
    change(invocation.chaincode_spec.as_mut().unwrap());
    payload.input = invocation.encode_to_vec();
}

#[test]
fn unchanged_layers_pass() {
    decode_transaction(&Layers::new().envelope(false)).unwrap();
    decode_transaction(&Layers::new().envelope(true)).unwrap();
}

#[test]
fn envelopes() {
    let code = |bytes: &[u8]| decode_transaction(bytes).unwrap_err().0;
    assert_eq!(code(b""), ValidationCode::NilEnvelope);
    assert_eq!(code(b"\xff\xff"), ValidationCode::NilEnvelope);
    assert_eq!(code(&vec![0; ENVELOPE_BYTES_MAX + 1]), ValidationCode::NilEnvelope);
    assert_eq!(code(&seal(b"\xff".to_vec(), vec![1])), ValidationCode::BadPayload);
    assert_eq!(code(&seal(Vec::new(), vec![1])), ValidationCode::BadCommonHeader);
    assert_eq!(refusal(|l| l.envelope_signature.clear()), ValidationCode::BadCreatorSignature);
    assert_eq!(
        refusal(|l| l.envelope_signature = vec![1; 200]),
        ValidationCode::BadCreatorSignature
    );
}

#[test]
fn outer_layer_has_one_encoding() {
    let good = Sample::new().envelope();
    let envelope = common::Envelope::decode(&*good).unwrap();
    let payload = common::Envelope { payload: envelope.payload.clone(), signature: vec![] };
    let signature = common::Envelope { payload: vec![], signature: envelope.signature };
    let mut reversed = signature.encode_to_vec();
    reversed.extend(payload.encode_to_vec());
    let unknown_field = [good.as_slice(), &[0x1a, 1, 7]].concat();
    let repeated = [payload.encode_to_vec().as_slice(), &good].concat();
    // A longer varint for the signature's length, at the end of the envelope.
    let at = good.len() - 4;
    let padded = [&good[..at], &[0x83, 0x00], &good[at + 1..]].concat();
    for bytes in [reversed, unknown_field, repeated, padded] {
        assert!(common::Envelope::decode(&*bytes).is_ok(), "protobuf accepts it");
        assert_eq!(decode_transaction(&bytes).unwrap_err().0, ValidationCode::NilEnvelope);
    }
}

#[test]
fn headers() {
    use ValidationCode as Code;
    assert_eq!(refusal(|l| l.channel.epoch = 1), Code::BadCommonHeader);
    assert_eq!(refusal(|l| l.signature.nonce.clear()), Code::BadCommonHeader);
    assert_eq!(refusal(|l| l.signature.nonce = vec![1; 65]), Code::BadCommonHeader);
    assert_eq!(refusal(|l| l.signature.creator.clear()), Code::BadCommonHeader);
    assert_eq!(refusal(|l| l.signature.creator = vec![1; 30 << 10]), Code::BadCommonHeader);
    assert_eq!(refusal(|l| l.channel.r#type = 0), Code::UnknownTxType);
    assert_eq!(refusal(|l| l.channel.r#type = 77), Code::UnknownTxType);
    assert_eq!(refusal(|l| l.channel.r#type = 1), Code::UnsupportedTxPayload);
    assert_eq!(refusal(|l| l.channel.tx_id.make_ascii_uppercase()), Code::BadProposalTxid);
    assert_eq!(refusal(|l| l.signature.nonce = vec![8; 24]), Code::BadProposalTxid);
    assert_eq!(refusal(|l| l.channel.channel_id = "City".into()), Code::BadChannelHeader);
    assert_eq!(refusal(|l| l.channel.timestamp = None), Code::BadChannelHeader);
    for (seconds, nanos) in [(-1, 0), (0, -1), (0, 1_000_000_000), (i64::MAX, 0)] {
        let timestamp = Some(Timestamp { seconds, nanos });
        assert_eq!(refusal(|l| l.channel.timestamp = timestamp), Code::BadChannelHeader);
    }
    assert_eq!(refusal(|l| l.channel.extension.clear()), Code::BadHeaderExtension);
    assert_eq!(refusal(|l| l.channel.extension = vec![0xff]), Code::BadHeaderExtension);
}

#[test]
fn actions() {
    const BAD: ValidationCode = ValidationCode::InvalidEndorserTransaction;
    assert_eq!(refusal(|l| l.actions = 0), BAD);
    assert_eq!(refusal(|l| l.actions = 2), BAD);
    assert_eq!(refusal(|l| l.action_header = Some(Vec::new())), BAD);
    assert_eq!(refusal(|l| l.endorsements = vec![Default::default(); ENDORSEMENTS_MAX + 1]), BAD);
    assert_eq!(refusal(|l| l.endorsements[0].endorser = vec![0; 1 << 20]), BAD);
    assert_eq!(refusal(|l| l.endorsements[0].signature = vec![0; 129]), BAD);
    let transient = |l: &mut Layers| {
        l.proposal_payload.transient_map.insert("k".into(), vec![1]);
    };
    assert_eq!(refusal(transient), BAD);
    assert_eq!(refusal(|l| with_spec(l, |spec| spec.input = None)), BAD);
    assert_eq!(refusal(|l| with_spec(l, |s| s.input.as_mut().unwrap().args.clear())), BAD);
    assert_eq!(
        refusal(|l| with_spec(l, |s| s.input.as_mut().unwrap().args = vec![vec![]; 257])),
        BAD
    );
    let mut layers = Layers::new();
    with_spec(&mut layers, |spec| spec.input.as_mut().unwrap().args[1] = b"other".to_vec());
    let (code, reason) = decode_transaction(&layers.envelope(false)).unwrap_err();
    assert_eq!((code, reason), (BAD, "endorsed answer belongs to another proposal"));
}

#[test]
fn answers() {
    use ValidationCode as Code;
    assert_eq!(refusal(|l| l.action.response = None), Code::BadResponsePayload);
    for status in [0, 199, 400, 500, -1] {
        let change = |l: &mut Layers| l.action.response.as_mut().unwrap().status = status;
        assert_eq!(refusal(change), Code::BadResponsePayload);
    }
    assert_eq!(refusal(|l| l.action.chaincode_id = None), Code::InvalidChaincode);
    let id = |l: &mut Layers| l.action.chaincode_id.take().unwrap();
    let renamed = |l: &mut Layers| {
        l.action.chaincode_id = Some(protos::ChaincodeId { name: "other".into(), ..id(l) });
    };
    assert_eq!(refusal(renamed), Code::InvalidChaincode);
    let unversioned = |l: &mut Layers| {
        l.action.chaincode_id = Some(protos::ChaincodeId { version: String::new(), ..id(l) });
    };
    assert_eq!(refusal(unversioned), Code::InvalidChaincode);
    let other_spec = |l: &mut Layers| {
        with_spec(l, |spec| spec.chaincode_id.as_mut().unwrap().name = "other".into());
    };
    assert_eq!(refusal(other_spec), Code::InvalidChaincode);
    let event = |change: fn(&mut protos::ChaincodeEvent)| {
        refusal(|l| {
            let mut event = protos::ChaincodeEvent::decode(&*l.action.events).unwrap();
            change(&mut event);
            l.action.events = event.encode_to_vec();
        })
    };
    assert_eq!(event(|e| e.chaincode_id = "other".into()), Code::InvalidOtherReason);
    assert_eq!(event(|e| e.tx_id.clear()), Code::InvalidOtherReason);
    assert_eq!(refusal(|l| l.action.events = vec![0xff]), Code::InvalidOtherReason);
    assert_eq!(refusal(|l| l.action.results = vec![0xff]), Code::BadRwset);
}

#[test]
fn read_write_sets() {
    let refuse = |change: fn(&mut outer::TxReadWriteSet)| {
        let mut set = outer::TxReadWriteSet::decode(&*rwset().to_bytes()).unwrap();
        change(&mut set);
        TxReadWriteSet::from_bytes(&set.encode_to_vec()).unwrap_err()
    };
    assert_eq!(refuse(|s| s.data_model = 1), RwsetError::Unsupported("data model"));
    assert_eq!(refuse(|s| s.ns_rwset.push(s.ns_rwset[0].clone())), RwsetError::DuplicateNamespace);
    let unordered = refuse(|s| {
        s.ns_rwset.push(outer::NsReadWriteSet { namespace: "a".into(), ..Default::default() });
    });
    assert_eq!(unordered, RwsetError::Order("namespaces"));
    assert_eq!(refuse(|s| s.ns_rwset[0].namespace.clear()), RwsetError::Malformed);
    assert_eq!(refuse(|s| s.ns_rwset[0].rwset = vec![0xff]), RwsetError::Malformed);
    let private = refuse(|s| s.ns_rwset[0].collection_hashed_rwset.push(Default::default()));
    assert_eq!(private.code(), ValidationCode::IllegalWriteset);
    let many = refuse(|s| s.ns_rwset = vec![Default::default(); 65]);
    assert_eq!(many, RwsetError::TooLarge);
}

#[test]
fn key_value_sets() {
    let refuse = |change: fn(&mut KvrwSet)| {
        let mut set = rwset();
        change(&mut set.namespaces[0].set);
        TxReadWriteSet::from_bytes(&set.to_bytes()).unwrap_err()
    };
    assert_eq!(refuse(|s| s.reads.reverse()), RwsetError::Order("reads"));
    assert_eq!(refuse(|s| s.writes.reverse()), RwsetError::Order("writes"));
    assert_eq!(refuse(|s| s.writes.push(s.writes[1].clone())), RwsetError::Order("writes"));
    assert_eq!(refuse(|s| s.writes[0].key.clear()), RwsetError::EmptyKey);
    assert_eq!(refuse(|s| s.reads[0].key.clear()), RwsetError::EmptyKey);
    assert_eq!(refuse(|s| s.writes[0].is_delete = true), RwsetError::DeleteWithValue);
    let metadata = refuse(|s| s.metadata_writes.push(Default::default()));
    assert_eq!(metadata, RwsetError::Unsupported("key metadata"));
    assert_eq!(refuse(|s| s.range_queries_info[0].end_key = "b".into()), RwsetError::Range);
    assert_eq!(refuse(|s| s.range_queries_info[0].start_key = "bb".into()), RwsetError::Range);
    let summary = refuse(|s| {
        let summary = kvrwset::QueryReadsMerkleSummary::default();
        s.range_queries_info[0].reads_info = Some(ReadsInfo::ReadsMerkleHashes(summary));
    });
    assert_eq!(summary, RwsetError::Unsupported("summaries of range reads"));
}

#[test]
fn every_truncation_and_every_flipped_bit() {
    let good = Sample::new().envelope();
    let original = decode_transaction(&good).unwrap();
    let digest = envelope_digest(&good);
    for len in 0..good.len() {
        assert!(decode_transaction(&good[..len]).is_err(), "truncated to {len}");
    }
    for bit in 0..good.len() * 8 {
        let mut changed = good.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(envelope_digest(&changed), digest);
        if let Ok(other) = decode_transaction(&changed) {
            assert!(
                other.signed_payload != original.signed_payload
                    || other.signature != original.signature,
                "bit {bit} is neither signed nor signature"
            );
            assert_eq!(seal(other.signed_payload, other.signature), changed, "bytes as received");
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = decode_transaction(&bytes);
        let _ = decode_transaction(&seal(bytes.clone(), vec![1]));
        let _ = decode_proposal(&bytes);
        let _ = TxReadWriteSet::from_bytes(&bytes);
    }

    #[test]
    fn spliced_envelopes_never_panic(
        cut in any::<prop::sample::Index>(),
        until in any::<prop::sample::Index>(),
        insert in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let good = Sample::new().envelope();
        let (from, to) = (cut.index(good.len()), until.index(good.len()));
        let (from, to) = (from.min(to), from.max(to));
        let spliced = [&good[..from], &insert, &good[to..]].concat();
        if let Ok(decoded) = decode_transaction(&spliced) {
            prop_assert_eq!(seal(decoded.signed_payload, decoded.signature), spliced);
        }
        let proposal = Sample::new().proposal;
        let from = from % proposal.len();
        let _ = decode_proposal(&[&proposal[..from], &insert].concat());
    }

    #[test]
    fn proposals_round_trip(
        args in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 1..8),
        creator in proptest::collection::vec(any::<u8>(), 1..100),
        nonce in any::<[u8; 24]>(),
        time in 0u64..10_000_000_000_000,
    ) {
        let (id, bytes) = build_proposal("c", "cc", &args, &creator, &nonce, UnixMillis(time));
        let decoded = decode_proposal(&bytes).unwrap();
        prop_assert_eq!(
            (decoded.tx_id, decoded.args, decoded.creator, decoded.time_ms),
            (id, args, creator, time)
        );
    }
}
