//! Implicit policies, and policies of a whole configuration.

use changbai_wire::proto::common;
use proptest::prelude::*;

use super::*;
use crate::{
    ChannelConfig, ConfigError, GroupPolicy, Identity, ItemPath, MetaPolicy, MetaRule, Policy,
    PolicyError, PolicyName, ValidatorConfig,
};

struct Channel {
    orgs: Vec<Org>,
    config: ChannelConfig,
}

/// Organisations A, B, C and D; A and B have a validator.
fn channel() -> Channel {
    let mut orgs: Vec<_> =
        ["A", "B", "C", "D"].into_iter().zip(1..).map(|(id, seed)| Org::new(id, seed)).collect();
    let validators = (0..2)
        .map(|at| {
            let certificate = orgs[at].certificate("v", &["orderer"]);
            ValidatorConfig::new(&orgs[at].msp_id, certificate, at as u32)
        })
        .collect();
    let members = orgs.iter().map(Org::organisation).collect();
    let config = ChannelConfig::new("city", members, validators).unwrap();
    Channel { orgs, config }
}

impl Channel {
    fn one_each(&mut self, unit: &str) -> Vec<Identity> {
        self.orgs
            .iter_mut()
            .map(|org| Identity::parse(&org.serialized(unit, &[unit])).unwrap())
            .collect()
    }
}

#[test]
fn any_all_and_majority_of_four() {
    let mut channel = channel();
    let peers = channel.one_each("peer");
    for (rule, needed) in [("ANY", 1), ("ALL", 4), ("MAJORITY", 3)] {
        let policy = GroupPolicy::parse(&format!("{rule} Endorsement")).unwrap();
        channel.config.policies.endorsement = policy;
        let endorsement = channel.config.endorsement();
        for signing in 0u32..16 {
            let signers: Vec<&Identity> =
                (0..4).filter(|at| signing >> at & 1 == 1).map(|at| &peers[at]).collect();
            let expected = signing.count_ones() >= needed;
            assert_eq!(endorsement.evaluate(&signers), expected, "{rule} of {signing:04b}");
            let doubled: Vec<&Identity> = signers.iter().chain(&signers).copied().collect();
            assert_eq!(endorsement.evaluate(&doubled), expected, "{rule}, each twice");
        }
    }
}

#[test]
fn each_organisation_is_asked_its_own_policy() {
    let mut channel = channel();
    let (peers, admins) = (channel.one_each("peer"), channel.one_each("admin"));
    channel.config.orgs[0].policies.endorsement = Policy::parse("AND('A.peer','A.admin')").unwrap();
    channel.config.check().unwrap();
    let endorsement = channel.config.endorsement();
    assert!(!endorsement.evaluate(&[&peers[0], &peers[1], &peers[2]]));
    assert!(endorsement.evaluate(&[&peers[0], &peers[1], &peers[2], &admins[0]]));
    assert!(endorsement.evaluate(&[&peers[1], &peers[2], &peers[3]]));
}

#[test]
fn a_signature_counts_in_both_groups() {
    // /Channel/Admins: a majority of Application and Orderer is both; A and B are in both.
    let mut channel = channel();
    let admins = channel.one_each("admin");
    let policy = channel.config.policy("/Channel/Admins").unwrap();
    assert!(policy.evaluate(&[&admins[0], &admins[1], &admins[2]]));
    assert!(!policy.evaluate(&[&admins[0], &admins[2], &admins[3]]), "one of two orderers");
    assert!(!policy.evaluate(&[&admins[0], &admins[1]]), "two of four");
}

#[test]
fn policies_are_found_by_path() {
    let config = channel().config;
    for path in
        ["/Channel/Readers", "/Channel/Orderer/BlockValidation", "/Channel/Application/A/Admins"]
    {
        assert!(config.policy(path).is_some(), "{path}");
    }
    for path in [
        "",
        "/",
        "Readers",
        "/Channel",
        "/Channel/",
        "/Channel/X/Readers",
        "/Other/Readers",
        "/Channel//Readers",
        "/Channel/Application/A/",
        "/ChannelX/Readers",
    ] {
        assert!(config.policy(path).is_none(), "{path}");
    }
}

#[test]
fn nobody_is_no_majority() {
    for rule in [MetaRule::Any, MetaRule::All, MetaRule::Majority] {
        assert!(rule.needed(0) > 0);
        let meta = MetaPolicy { rule, sub_policy: PolicyName::Admins };
        let policies = std::collections::BTreeMap::from([(
            "Admins".to_owned(),
            common::ConfigPolicy {
                policy: Some(GroupPolicy::Meta(meta).to_proto()),
                ..Default::default()
            },
        )]);
        let group = common::ConfigGroup { policies, ..Default::default() };
        let policy = crate::policy::effective(&group, "Admins").unwrap().unwrap();
        assert!(!policy.is_satisfiable() && !policy.evaluate(&[]));
    }
}

#[test]
fn what_nobody_could_satisfy_is_refused() {
    let refuse = |change: fn(&mut ChannelConfig)| {
        let mut config = channel().config;
        change(&mut config);
        assert!(ChannelConfig::from_envelope(&config.to_genesis_envelope()).is_err());
        config.check().unwrap_err()
    };
    // Groups of the orderers have no policy of this name.
    assert!(matches!(
        refuse(|c| c.policies.orderer_admins = GroupPolicy::parse("ANY Endorsement").unwrap()),
        ConfigError::Unsatisfiable { path } if path == "/Channel/Orderer/Admins"
    ));
    assert!(matches!(
        refuse(|c| c.orgs[0].policies.admins = Policy::parse("'B.admin'").unwrap()),
        ConfigError::ForeignPolicy { msp_id, names } if msp_id == "A" && names == "B"
    ));
    let guard = |item: &str, policy: &str| {
        let mut config = channel().config;
        config.mod_policies.insert(item.parse().unwrap(), policy.to_owned());
        config.check()
    };
    guard("[Value] /Channel/Orderers", "/Channel/Orderer/Admins").unwrap();
    guard("[Group] /Channel/Application/A", "Writers").unwrap();
    guard("[Policy] /Channel/Application/A/Admins", "/Channel/Application/Admins").unwrap();
    for (item, policy) in [
        ("[Value] /Channel/Orderers", "Endorsement"),
        ("[Value] /Channel/Orderers", "/Channel/X/Admins"),
        ("[Value] /Channel/Orderers", ""),
        ("[Value] /Channel/Orderers", "Admins"),
        ("[Value] /Channel/Nothing", "/Channel/Admins"),
        ("[Group] /Channel/Application/X", "Writers"),
    ] {
        let refused = guard(item, policy);
        assert!(matches!(refused, Err(ConfigError::ModPolicy { .. })), "{item} by {policy:?}");
    }
}

#[test]
fn texts_and_messages() {
    let parse = |text: &str| GroupPolicy::parse(text);
    assert_eq!(parse(" majority  Admins ").unwrap().to_string(), "MAJORITY Admins");
    assert_eq!(parse("'A.peer'").unwrap(), Policy::parse("'A.peer'").unwrap().into());
    for text in ["", "ANY", "ANY admins", "SOME Admins", "ANY Admins x", "Admins", "ANY Other"] {
        assert!(matches!(parse(text), Err(PolicyError::Syntax { .. })), "{text:?}");
    }
    let message = |kind: i32, value: &[u8]| common::Policy { r#type: kind, value: value.to_vec() };
    for bad in [
        message(0, b""),
        message(2, b""),
        message(7, b""),
        message(1, b"\xff"),
        message(3, b"\xff"),
        message(3, b""),
        message(1, b""),
    ] {
        assert!(GroupPolicy::from_proto(&bad).is_err(), "{bad:?}");
    }
    let unknown = common::ImplicitMetaPolicy { sub_policy: "Admins".into(), rule: 3 };
    assert!(MetaPolicy::from_proto(&unknown).is_err());
    assert_eq!(
        "[Value] /Channel/Orderers".parse::<ItemPath>().unwrap().to_string(),
        "[Value] /Channel/Orderers"
    );
    for bad in [
        "",
        "/Channel",
        "[Value] /Channel",
        "[Group] /Channel/",
        "[Group] /Channelx",
        "[Thing] /Channel/A",
        "[Group]/Channel",
        "[Group] /Channel//A",
        "[Group] /Channel/a b",
    ] {
        assert!(bad.parse::<ItemPath>().is_err(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn group_policies_round_trip(rule in 0usize..3, name in 0usize..5) {
        let rule = [MetaRule::Any, MetaRule::All, MetaRule::Majority][rule];
        let policy = GroupPolicy::Meta(MetaPolicy { rule, sub_policy: PolicyName::ALL[name] });
        prop_assert_eq!(&GroupPolicy::parse(&policy.to_string()).unwrap(), &policy);
        prop_assert_eq!(&GroupPolicy::from_proto(&policy.to_proto()).unwrap(), &policy);
    }

    #[test]
    fn arbitrary_texts_never_panic(text in any::<String>()) {
        let _ = GroupPolicy::parse(&text);
        let _ = text.parse::<ItemPath>();
        let _ = text.parse::<crate::Endpoint>();
    }
}
