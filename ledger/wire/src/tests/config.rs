//! Configurations in their one wrapping: around an update whose header they have.

use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::{Content, TxId, ValidationCode, decode_envelope, decode_transaction, proto::common};

const NONCE: &[u8] = b"nonce";

/// Every layer of a configuration, opened for changing.
struct Layers {
    channel: common::ChannelHeader,
    signature: common::SignatureHeader,
    update_channel: common::ChannelHeader,
    update_signature: common::SignatureHeader,
    update_sealed: Vec<u8>,
    content: common::ConfigEnvelope,
    sealed: Vec<u8>,
}

impl Layers {
    fn new() -> Self {
        let channel = common::ChannelHeader {
            r#type: common::HeaderType::Config.into(),
            channel_id: "city".to_owned(),
            tx_id: TxId::derive(NONCE, CREATOR).to_string(),
            ..common::ChannelHeader::default()
        };
        let signature =
            common::SignatureHeader { creator: CREATOR.to_vec(), nonce: NONCE.to_vec() };
        let update_channel = common::ChannelHeader {
            r#type: common::HeaderType::ConfigUpdate.into(),
            ..channel.clone()
        };
        let config = common::Config { sequence: 7, ..common::Config::default() };
        Self {
            channel,
            update_signature: signature.clone(),
            signature,
            update_channel,
            update_sealed: vec![0x30, 1],
            content: common::ConfigEnvelope { config: Some(config), last_update: None },
            sealed: Vec::new(),
        }
    }

    fn update(&self) -> common::Envelope {
        let header = common::Header {
            channel_header: self.update_channel.encode_to_vec(),
            signature_header: self.update_signature.encode_to_vec(),
        };
        let payload = common::Payload { header: Some(header), data: b"an update".to_vec() };
        common::Envelope { payload: payload.encode_to_vec(), signature: self.update_sealed.clone() }
    }

    fn envelope(mut self) -> Vec<u8> {
        self.content.last_update = Some(self.update());
        self.bare()
    }

    fn bare(self) -> Vec<u8> {
        let header = common::Header {
            channel_header: self.channel.encode_to_vec(),
            signature_header: self.signature.encode_to_vec(),
        };
        let payload = common::Payload { header: Some(header), data: self.content.encode_to_vec() };
        seal(payload.encode_to_vec(), self.sealed)
    }
}

fn refusal(change: impl FnOnce(&mut Layers)) -> ValidationCode {
    let mut layers = Layers::new();
    change(&mut layers);
    decode_envelope(&layers.envelope()).expect_err("must be refused").0
}

#[test]
fn a_configuration_is_its_updates() {
    let layers = Layers::new();
    let update = layers.update();
    let envelope = layers.envelope();
    let content = decode_envelope(&envelope).unwrap();
    assert!(content.is_config() && content.transaction().is_none());
    assert_eq!((content.channel_id(), content.creator()), ("city", CREATOR));
    assert_eq!(content.tx_id(), TxId::derive(NONCE, CREATOR));
    assert_eq!(content.signed_payload(), update.payload);
    assert_eq!(content.signature(), update.signature);
    let Content::Config(config) = content else { panic!("it is one") };
    assert_eq!((config.sequence, config.nonce.as_slice()), (7, NONCE));
    assert_eq!(config.update_digest(), crate::envelope_digest(&update.encode_to_vec()));
    // It is no endorser transaction; and one is none of these.
    assert!(decode_transaction(&envelope).is_err());
    let transaction = Sample::new().envelope();
    let content = decode_envelope(&transaction).unwrap();
    assert_eq!(content.transaction(), Some(&decode_transaction(&transaction).unwrap()));
    // An update is not ordered as it stands.
    let code = ValidationCode::UnsupportedTxPayload;
    assert_eq!(decode_envelope(&update.encode_to_vec()).unwrap_err().0, code);
}

#[test]
fn what_is_wrong_with_a_configuration() {
    use ValidationCode as Code;
    const BAD: Code = Code::InvalidConfigTransaction;
    assert_eq!(refusal(|l| l.sealed = vec![1]), BAD);
    assert_eq!(refusal(|l| l.channel.epoch = 1), Code::BadCommonHeader);
    assert_eq!(refusal(|l| l.channel.channel_id = "City".into()), Code::BadChannelHeader);
    assert_eq!(refusal(|l| l.channel.tx_id.clear()), Code::BadProposalTxid);
    assert_eq!(refusal(|l| l.signature.nonce.clear()), Code::BadCommonHeader);
    assert_eq!(refusal(|l| l.signature.creator.clear()), Code::BadCommonHeader);
    assert_eq!(refusal(|l| l.content.config = None), BAD);
    assert_eq!(decode_envelope(&Layers::new().bare()).unwrap_err().0, BAD, "block 0 has no update");
    // Somebody's signature under something else does not stand for an update.
    assert_eq!(refusal(|l| l.update_channel.r#type = 3), BAD);
    assert_eq!(refusal(|l| l.update_channel.channel_id = "other".into()), BAD);
    assert_eq!(refusal(|l| l.update_signature.nonce.push(1)), BAD);
    assert_eq!(refusal(|l| l.update_signature.creator.push(1)), BAD);
    assert_eq!(refusal(|l| l.update_sealed.clear()), BAD);
    assert_eq!(refusal(|l| l.update_sealed = vec![1; 200]), BAD);
}

#[test]
fn every_truncation_of_a_configuration() {
    let good = Layers::new().envelope();
    for len in 0..good.len() {
        assert!(decode_envelope(&good[..len]).is_err(), "truncated to {len}");
    }
}

proptest! {
    #[test]
    fn a_flipped_bit_is_refused_or_seen(bit in any::<prop::sample::Index>()) {
        let good = Layers::new().envelope();
        let original = decode_envelope(&good).unwrap();
        let bit = bit.index(good.len() * 8);
        let mut changed = good.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        prop_assert_ne!(crate::envelope_digest(&changed), crate::envelope_digest(&good));
        // What the sender signed has a changed signature or payload; the rest is what
        // `validate_config` compares byte for byte.
        if let Ok(other) = decode_envelope(&changed) {
            prop_assert!(other.is_config());
            prop_assert_eq!(other.tx_id(), original.tx_id());
        }
    }

    #[test]
    fn arbitrary_envelopes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = decode_envelope(&bytes);
        let _ = decode_envelope(&seal(bytes, Vec::new()));
    }
}
