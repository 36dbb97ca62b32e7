use changbai_wire::proto::common;
use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::{BatchConfig, ChannelConfig, ConfigError, Policy, ValidatorConfig};

fn config() -> ChannelConfig {
    let mut orgs = [Org::new("CourtMSP", 1), Org::new("CityMSP", 2), Org::new("NotaryMSP", 3)];
    let validators = orgs[..2]
        .iter_mut()
        .zip(0..)
        .map(|(org, index)| {
            let certificate = org.certificate("validator", &["orderer", "peer"]);
            ValidatorConfig::new(&org.msp_id, certificate, index)
        })
        .collect();
    let orgs = orgs.iter().map(Org::organisation).collect();
    ChannelConfig::new("evidence", orgs, validators).unwrap()
}

#[test]
fn defaults() {
    let config = config();
    assert_eq!(config.policies.endorsement.to_string(), "MAJORITY Endorsement");
    assert_eq!(config.policies.writers.to_string(), "ANY Writers");
    assert_eq!(
        Vec::from_iter(config.endorsement().organisations()),
        ["CityMSP", "CourtMSP", "NotaryMSP"]
    );
    config.verify_validators(NOW).unwrap();
    let expired = config.verify_validators(END + 1);
    assert!(matches!(expired, Err(ConfigError::ValidatorIdentity { index: 0, .. })));
    let members = config.membership();
    assert_eq!(members.organisations().count(), 3);
    let validator = &config.validators[1];
    let bytes = serialize_identity(&validator.msp_id, &validator.certificate);
    assert!(members.identify(&bytes, NOW).is_ok());
    assert_eq!(members.organisation("CityMSP").unwrap().name, "CityMSP 机构");
}

#[test]
fn genesis_round_trips_and_is_deterministic() {
    let mut config = config();
    let envelope = config.to_genesis_envelope();
    assert_eq!(envelope, self::config().to_genesis_envelope(), "from equal input");
    let back = ChannelConfig::from_envelope(&envelope).unwrap();
    assert_eq!(back.to_genesis_envelope(), envelope);
    assert_eq!(back.channel_id, "evidence");
    assert_eq!(back.sequence, 0);
    assert_eq!(back.validators, config.validators);
    assert_eq!(back.validators_hash(), config.validators_hash());
    assert_eq!(back.policies, config.policies);
    assert_eq!(back.batch, config.batch);
    let names: Vec<_> = back.orgs.iter().map(|org| org.msp_id.as_str()).collect();
    assert_eq!(names, ["CityMSP", "CourtMSP", "NotaryMSP"]);
    config.orgs.reverse();
    assert_eq!(config.to_genesis_envelope(), envelope, "their order does not matter");
    config.sequence = 4;
    config.batch = BatchConfig { max_message_count: 7, ..config.batch };
    config.policies.writers = Policy::parse("'CityMSP.client'").unwrap().into();
    let other = ChannelConfig::from_envelope(&config.to_genesis_envelope()).unwrap();
    assert_eq!((other.sequence, other.batch), (4, config.batch));
    assert_eq!(other.policies, config.policies);
}

#[test]
fn genesis_is_a_fabric_configuration() {
    let envelope = common::Envelope::decode(&*config().to_genesis_envelope()).unwrap();
    let payload = common::Payload::decode(&*envelope.payload).unwrap();
    let header = common::ChannelHeader::decode(&*payload.header.unwrap().channel_header).unwrap();
    assert_eq!(header.r#type, 1);
    let config = common::ConfigEnvelope::decode(&*payload.data).unwrap().config.unwrap();
    let root = config.channel_group.unwrap();
    assert_eq!(Vec::from_iter(root.groups.keys()), ["Application", "Orderer"]);
    assert_eq!(root.groups["Application"].groups.len(), 3);
    assert_eq!(root.groups["Orderer"].groups.len(), 2, "only those with validators");
    for (group, policies) in [
        (&root, &["Admins", "Readers", "Writers"][..]),
        (&root.groups["Orderer"], &["Admins", "BlockValidation", "Readers", "Writers"]),
        (
            &root.groups["Application"],
            &["Admins", "Endorsement", "LifecycleEndorsement", "Readers", "Writers"],
        ),
        (
            &root.groups["Application"].groups["CityMSP"],
            &["Admins", "Endorsement", "LifecycleEndorsement", "Readers", "Writers"],
        ),
    ] {
        assert_eq!(Vec::from_iter(group.policies.keys()), policies);
        assert_eq!(group.mod_policy, "Admins");
    }
    assert_eq!(
        Vec::from_iter(root.values.keys()),
        ["BlockDataHashingStructure", "Capabilities", "HashingAlgorithm", "Orderers"]
    );
}

#[test]
fn validators_hash_follows_order_and_channel() {
    let good = config();
    let mut swapped = good.clone();
    swapped.validators.swap(0, 1);
    assert_ne!(swapped.validators_hash(), good.validators_hash());
    let renamed = ChannelConfig { channel_id: "other".into(), ..good.clone() };
    assert_ne!(renamed.validators_hash(), good.validators_hash());
}

#[test]
fn impossible_configurations_are_refused() {
    let refuse = |change: fn(&mut ChannelConfig)| {
        let mut bad = config();
        change(&mut bad);
        let error = bad.check().unwrap_err();
        let envelope = bad.to_genesis_envelope();
        assert!(ChannelConfig::from_envelope(&envelope).is_err(), "{error}");
        error
    };
    assert!(matches!(refuse(|c| c.channel_id = "Upper".into()), ConfigError::ChannelId));
    assert!(matches!(refuse(|c| c.orgs.clear()), ConfigError::Count { .. }));
    assert!(matches!(refuse(|c| c.validators.clear()), ConfigError::Count { .. }));
    assert!(matches!(
        refuse(|c| c.orgs[0].roots = TrustAnchors::default()),
        ConfigError::Count { .. }
    ));
    assert!(matches!(
        refuse(|c| c.orgs[0].msp_id = c.orgs[1].msp_id.clone()),
        ConfigError::MspId { .. }
    ));
    assert!(matches!(refuse(|c| c.orgs[0].msp_id = "a b".into()), ConfigError::MspId { .. }));
    assert!(matches!(
        refuse(|c| c.orgs[0].name = "\n".into()),
        ConfigError::OrganisationName { .. }
    ));
    assert!(matches!(
        refuse(|c| c.orgs[0].intermediates.push(c.validators[0].certificate.clone())),
        ConfigError::NotACa { .. }
    ));
    assert!(matches!(
        refuse(|c| c.validators[1].certificate = c.validators[0].certificate.clone()),
        ConfigError::Validator { index: 1 }
    ));
    assert!(matches!(
        refuse(|c| c.validators[0].certificate = Org::new("X", 9).certificate("p", &["peer"])),
        ConfigError::Validator { index: 0 }
    ));
    assert!(matches!(
        refuse(|c| c.validators[0].msp_id = "Other".into()),
        ConfigError::UnknownMsp { .. }
    ));
    assert!(matches!(
        refuse(|c| c.policies.writers = Policy::parse("'Other.member'").unwrap().into()),
        ConfigError::UnknownMsp { .. }
    ));
    assert!(matches!(
        refuse(|c| c.policies.readers = Policy::OutOf { n: 0, rules: vec![] }.into()),
        ConfigError::Policy(_)
    ));
    for change in [
        (|c| c.batch.max_message_count = 0) as fn(&mut ChannelConfig),
        |c| c.batch.preferred_max_bytes = 0,
        |c| c.batch.absolute_max_bytes = 1,
        |c| c.batch.timeout_ms = 60_001,
    ] {
        assert!(matches!(refuse(change), ConfigError::Batch));
    }
    let mut bad = config();
    bad.validators[1].index = 5;
    assert!(matches!(bad.check(), Err(ConfigError::Validator { index: 1 })));
    bad = config();
    bad.orgs[0].name = bad.orgs[1].name.clone();
    assert!(matches!(bad.check(), Err(ConfigError::OrganisationName { .. })));
}

#[test]
fn every_truncation_is_refused() {
    let envelope = config().to_genesis_envelope();
    for len in 0..envelope.len() {
        assert!(ChannelConfig::from_envelope(&envelope[..len]).is_err(), "truncated to {len}");
    }
    let longer = [envelope.as_slice(), &[0x12, 1, 7]].concat();
    assert!(matches!(ChannelConfig::from_envelope(&longer), Err(ConfigError::NotCanonical)));
    let large = vec![0; changbai_wire::limits::ENVELOPE_BYTES_MAX + 1];
    assert!(matches!(ChannelConfig::from_envelope(&large), Err(ConfigError::Malformed(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn changed_bits_are_refused_or_another_configuration(bit in any::<prop::sample::Index>()) {
        static GENESIS: std::sync::LazyLock<Vec<u8>> =
            std::sync::LazyLock::new(|| config().to_genesis_envelope());
        let mut changed = GENESIS.clone();
        let bit = bit.index(changed.len() * 8);
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = ChannelConfig::from_envelope(&changed) {
            prop_assert_eq!(other.to_genesis_envelope(), changed);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(ChannelConfig::from_envelope(&bytes).is_err());
    }
}
