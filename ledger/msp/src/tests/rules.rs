//! Identity rules, shared authorities, revocation, listed administrators, endpoints.

use smkit::sm2::PrivateKey;
use smkit_pki::{
    PathError, RevocationList, RevocationListContent, RevocationReason, RevokedCertificate,
    SerialNumber,
};

use super::*;
use crate::{
    ChannelConfig, Check, ConfigError, Endpoint, IdentityError, IdentityRule, Role, RuleMismatch,
    ValidatorConfig,
};

/// An authority with an organisation below it that has a rule.
fn city(organisation: &str, units: &[&str], further_units: bool) -> (Org, Organisation) {
    let org = Org::new("CityMSP", 1);
    let mut member = org.organisation();
    member.rule = Some(rule(&org, organisation, units, further_units));
    (org, member)
}

fn rule(org: &Org, organisation: &str, units: &[&str], further_units: bool) -> IdentityRule {
    IdentityRule {
        issuers: vec![org.authority.certificate().sm3()],
        organisation: organisation.to_owned(),
        units: units.iter().map(ToString::to_string).collect(),
        further_units,
    }
}

fn issue(org: &mut Org, organisation: &str, units: &[&str]) -> Certificate {
    let subject = Subject { organisation: organisation.to_owned(), ..subject("x", units) };
    let key = PrivateKey::generate(&mut org.random).unwrap();
    let validity = Validity { not_before: START, not_after: END };
    org.authority
        .issue(&subject, key.public_key(), Profile::Signing, validity, None, &mut org.random)
        .unwrap()
}

#[test]
fn attributes_match_to_the_character() {
    use RuleMismatch::{FurtherUnit, MissingUnit, Organisation as Other, RepeatedUnit};
    let (mut org, member) = city("CCG", &["长春市大数据局", "NDRC"], false);
    let mut judge = |organisation: &str, units: &[&str]| match member.admit(
        &issue(&mut org, organisation, units),
        &[],
        NOW,
    ) {
        Ok(admitted) => Ok(admitted.roles.iter().collect::<Vec<_>>()),
        Err(IdentityError::Unit(mismatch)) => Err(mismatch),
        Err(error) => panic!("{error}"),
    };
    let whole = ["长春市大数据局", "NDRC", "peer"];
    assert_eq!(judge("CCG", &whole).unwrap(), [Role::Member, Role::Peer]);
    assert!(judge("CCG", &["client", "NDRC", "admin", "长春市大数据局"]).is_ok(), "in any order");
    for organisation in ["", "ccg", "CCG ", " CCG", "CCG2", "ＣＣＧ"] {
        assert!(matches!(judge(organisation, &whole), Err(Other { .. })), "{organisation:?}");
    }
    for unit in ["ndrc", "NDRC ", "NDR", "NDRCC", "ΝDRC"] {
        let units = ["长春市大数据局", unit, "peer"];
        let expected = MissingUnit { unit: "NDRC".to_owned() };
        assert_eq!(judge("CCG", &units).unwrap_err(), expected, "{unit:?}");
    }
    assert!(matches!(judge("CCG", &["NDRC", "peer"]), Err(MissingUnit { .. })));
    for further in ["HRSS", "member", "Peer", "长春市大数据局 "] {
        let units = [&whole[..], &[further]].concat();
        let expected = FurtherUnit { unit: further.to_owned() };
        assert_eq!(judge("CCG", &units).unwrap_err(), expected);
    }
    for repeated in ["NDRC", "peer"] {
        let units = [&whole[..], &[repeated]].concat();
        let expected = RepeatedUnit { unit: repeated.to_owned() };
        assert_eq!(judge("CCG", &units).unwrap_err(), expected);
    }
}

#[test]
fn further_units_only_where_the_rule_says_so() {
    let (mut org, member) = city("", &["NDRC"], true);
    let mut admits = |organisation: &str, units: &[&str]| {
        member.admit(&issue(&mut org, organisation, units), &[], NOW).is_ok()
    };
    assert!(admits("anything", &["NDRC", "投资处", "client"]));
    assert!(!admits("anything", &["NDRC", "投资处", "投资处", "client"]));
    assert!(!admits("anything", &["投资处", "client"]));
    assert!(!admits("anything", &["NDRC", "投资处"]), "no role");
}

#[test]
fn rules_overlap_when_one_subject_fits_both() {
    let org = Org::new("CityMSP", 1);
    let rule = |o: &str, units: &[&str], open| rule(&org, o, units, open);
    let table = [
        (rule("CCG", &["A"], false), rule("CCG", &["B"], false), false),
        (rule("CCG", &["A"], false), rule("CCG", &["A"], false), true),
        (rule("CCG", &["A", "B"], false), rule("CCG", &["B", "A"], false), true),
        (rule("CCG", &["A"], false), rule("CCG", &["A", "B"], false), false),
        (rule("CCG", &["A"], false), rule("XYZ", &["A"], false), false),
        (rule("CCG", &["A"], false), rule("", &["A"], false), true),
        (rule("CCG", &["A"], true), rule("CCG", &["B"], true), true),
        (rule("CCG", &["A"], true), rule("XYZ", &["B"], true), false),
        (rule("CCG", &["A"], true), rule("CCG", &["A", "B"], false), true),
        (rule("CCG", &["A"], true), rule("CCG", &["B"], false), false),
        (rule("CCG", &[], true), rule("CCG", &["B"], false), true),
        (rule("CCG", &[], false), rule("CCG", &["B"], false), false),
    ];
    for (a, b, expected) in table {
        assert_eq!(a.overlaps(&b), expected, "{a:?} {b:?}");
        assert_eq!(b.overlaps(&a), expected, "{b:?} {a:?}");
    }
}

/// A channel of two organisations of these rules below one authority; the first has a validator.
fn shared(first: Option<IdentityRule>, second: Option<IdentityRule>) -> Result<(), ConfigError> {
    let mut org = Org::new("CityMSP", 1);
    let certificate = issue(&mut org, "CCG", &["A", "orderer"]);
    let member = |msp_id: &str, rule| {
        let roots = TrustAnchors::from_certificates(vec![org.authority.certificate().clone()]);
        let mut member = Organisation::new(msp_id, msp_id, roots);
        member.rule = rule;
        member
    };
    let orgs = vec![member("AMSP", first), member("BMSP", second)];
    ChannelConfig::new("city", orgs, vec![ValidatorConfig::new("AMSP", certificate, 0)]).map(|_| ())
}

#[test]
fn a_shared_root_alone_admits_nobody() {
    let org = Org::new("CityMSP", 1);
    let a = || Some(rule(&org, "CCG", &["A"], false));
    let b = || Some(rule(&org, "CCG", &["B"], false));
    shared(a(), b()).unwrap();
    assert!(matches!(
        shared(a(), None),
        Err(ConfigError::RuleMissing { msp_id, shares_with }) if msp_id == "BMSP" && shares_with == "AMSP"
    ));
    assert!(matches!(shared(None, None), Err(ConfigError::RuleMissing { .. })));
    assert!(matches!(
        shared(a(), a()),
        Err(ConfigError::RulesOverlap { first, second }) if first == "AMSP" && second == "BMSP"
    ));
    let open = Some(rule(&org, "CCG", &[], true));
    assert!(matches!(shared(a(), open), Err(ConfigError::RulesOverlap { .. })));
}

#[test]
fn an_authority_below_another_one_is_shared_too() {
    let mut root = Org::new("ProvinceMSP", 1);
    let key = PrivateKey::generate(&mut root.random).unwrap();
    let validity = Validity { not_before: START, not_after: END };
    let profile = Profile::RootCa { path_length: None };
    let below = root
        .authority
        .issue(&subject("City", &[]), key.public_key(), profile, validity, None, &mut root.random)
        .unwrap();
    let province = root.organisation();
    let mut city =
        Organisation::new("CityMSP", "City", TrustAnchors::from_certificates(vec![below.clone()]));
    let certificate = root.certificate("v", &["orderer"]);
    let validators = || vec![ValidatorConfig::new("ProvinceMSP", certificate.clone(), 0)];
    let refused = ChannelConfig::new("city", vec![province.clone(), city.clone()], validators());
    assert!(matches!(refused, Err(ConfigError::RuleMissing { .. })));
    // As an authority of connections it is none of identities.
    city.roots = Org::new("Own", 7).organisation().roots;
    city.tls_roots = TrustAnchors::from_certificates(vec![below]);
    let config =
        ChannelConfig::new("city", vec![province.clone(), city.clone()], validators()).unwrap();
    assert_eq!(config.tls_anchors().len(), 1);
    city.tls_roots = province.roots.clone();
    let refused = ChannelConfig::new("city", vec![province, city], validators());
    assert!(matches!(refused, Err(ConfigError::TlsAuthority { msp_id }) if msp_id == "CityMSP"));
}

#[test]
fn certificates_for_connections_are_no_identities() {
    let mut org = Org::new("CityMSP", 1);
    let mut tls = Org::new("CityMSP", 2);
    let mut member = org.organisation();
    member.tls_roots = tls.organisation().roots;
    let (identity, connection) = (org.certificate("x", &["peer"]), tls.certificate("x", &["peer"]));
    assert!(member.admit(&identity, &[], NOW).is_ok());
    assert!(matches!(
        member.admit(&connection, &[], NOW),
        Err(IdentityError::Chain(PathError::UnknownIssuer { .. } | PathError::BadSignature { .. }))
    ));
    let verify = |certificate: &Certificate| {
        let usage = smkit_pki::Purpose::Signing;
        smkit_pki::verify_chain(certificate, &[], &member.tls_roots, NOW, usage)
    };
    assert!(verify(&connection).is_ok());
    assert!(verify(&identity).is_err());
}

#[test]
fn intermediates_sent_along_never_stand_in_for_a_pinned_issuer() {
    let (mut org, mut member) = city("", &["A"], false);
    let key = PrivateKey::generate(&mut org.random).unwrap();
    let validity = Validity { not_before: START, not_after: END };
    let profile = Profile::RootCa { path_length: None };
    let ca = org
        .authority
        .issue(&subject("Sub", &[]), key.public_key(), profile, validity, None, &mut org.random)
        .unwrap();
    let below = Authority::new(ca.clone(), key).unwrap();
    let key = PrivateKey::generate(&mut org.random).unwrap();
    let leaf = below
        .issue(
            &subject("x", &["A", "client"]),
            key.public_key(),
            Profile::Signing,
            validity,
            None,
            &mut org.random,
        )
        .unwrap();
    let along = [ca.clone()];
    assert!(matches!(member.admit(&leaf, &along, NOW), Err(IdentityError::Issuer)));
    member.rule = None;
    assert!(member.admit(&leaf, &along, NOW).is_ok());
    assert!(member.admit(&leaf, &[], NOW).is_err());
    // Listed and pinned: in order.
    member.intermediates = vec![ca.clone()];
    member.rule = Some(IdentityRule { issuers: vec![ca.sm3()], ..rule(&org, "", &["A"], false) });
    assert!(member.admit(&leaf, &[], NOW).is_ok());
    let by_root = issue(&mut org, "", &["A", "client"]);
    assert!(matches!(member.admit(&by_root, &[], NOW), Err(IdentityError::Issuer)));
}

/// A list of the organisation's authority: these certificates are revoked from that moment on.
fn list(org: &Org, number: u8, revoked: &[(&Certificate, i64)]) -> RevocationList {
    let entry = |(certificate, revoked_at): &(&Certificate, i64)| RevokedCertificate {
        serial: certificate.serial(),
        revoked_at: *revoked_at,
        reason: RevocationReason::KeyCompromise,
        invalid_since: None,
    };
    let revoked: Vec<_> = revoked.iter().map(entry).collect();
    org.authority
        .revocation_list(&RevocationListContent {
            number: SerialNumber::from_bytes(&[number]).unwrap(),
            this_update: NOW - 1_000,
            next_update: NOW + 1_000,
            keeps_expired_since: None,
            revoked: &revoked,
        })
        .unwrap()
}

#[test]
fn certificates_revoked_by_the_configuration_or_by_their_issuer() {
    let mut org = Org::new("CityMSP", 1);
    let mut member = org.organisation();
    let (good, bad) = (org.certificate("x", &["peer"]), org.certificate("y", &["peer"]));
    member.revoked.push(bad.sm3());
    assert!(member.admit(&good, &[], NOW).is_ok());
    assert!(matches!(member.admit(&bad, &[], NOW), Err(IdentityError::Revoked)));
    // By its issuer, from a moment on; what was signed before stands.
    member.revoked.clear();
    member.revocation_lists.push(list(&org, 1, &[(&bad, NOW - 10)]));
    assert!(member.admit(&good, &[], NOW).is_ok());
    assert!(member.admit(&bad, &[], NOW - 11).is_ok());
    let refused = member.admit(&bad, &[], NOW - 10).unwrap_err();
    assert!(matches!(refused, IdentityError::RevokedByIssuer { since } if since == NOW - 10));
    assert_eq!((refused.check(), refused.code()), (Check::Revocation, "MS-1302"));
    // A list that is out of date still revokes, and stops nobody else.
    assert!(member.admit(&good, &[], NOW + 5_000).is_ok());
    assert!(member.admit(&bad, &[], NOW + 5_000).is_err());
    // Units and roles are looked at only afterwards.
    let nobody = org.certificate("z", &[]);
    member.revocation_lists = vec![list(&org, 2, &[(&nobody, NOW)])];
    assert_eq!(member.admit(&nobody, &[], NOW).unwrap_err().check(), Check::Revocation);
    assert_eq!(member.admit(&nobody, &[], NOW - 1).unwrap_err().check(), Check::Role);
}

#[test]
fn the_memory_of_identities_does_not_outlive_a_revocation() {
    let mut org = Org::new("CityMSP", 1);
    let mut member = org.organisation();
    let certificate = org.certificate("x", &["peer"]);
    member.revocation_lists.push(list(&org, 1, &[(&certificate, NOW)]));
    let members = crate::Membership::new(vec![member]);
    let bytes = serialize_identity("CityMSP", &certificate);
    assert!(members.identify(&bytes, NOW - 1).is_ok());
    assert_eq!(members.identify(&bytes, NOW).unwrap_err().code(), "MS-1302");
    assert!(members.identify(&bytes, NOW - 1).is_ok());
}

#[test]
fn a_revoked_authority_vouches_for_nobody() {
    let mut org = Org::new("CityMSP", 1);
    let key = PrivateKey::generate(&mut org.random).unwrap();
    let validity = Validity { not_before: START, not_after: END };
    let profile = Profile::RootCa { path_length: None };
    let ca = org
        .authority
        .issue(&subject("Sub", &[]), key.public_key(), profile, validity, None, &mut org.random)
        .unwrap();
    let below = Authority::new(ca.clone(), key).unwrap();
    let key = PrivateKey::generate(&mut org.random).unwrap();
    let units = subject("x", &["client"]);
    let leaf = below
        .issue(&units, key.public_key(), Profile::Signing, validity, None, &mut org.random)
        .unwrap();
    let mut member = org.organisation();
    member.intermediates = vec![ca.clone()];
    assert!(member.admit(&leaf, &[], NOW).is_ok());
    member.revocation_lists.push(list(&org, 1, &[(&ca, NOW)]));
    let members = crate::Membership::new(vec![member]);
    let bytes = serialize_identity("CityMSP", &leaf);
    assert!(members.identify(&bytes, NOW - 1).is_ok());
    assert!(matches!(
        members.identify(&bytes, NOW),
        Err(IdentityError::RevokedByIssuer { since: NOW })
    ));
}

#[test]
fn administrators_by_unit_or_by_list() {
    let mut org = Org::new("CityMSP", 1);
    let mut member = org.organisation();
    let by_unit = org.certificate("a", &["admin"]);
    let (client, nothing) = (org.certificate("b", &["client"]), org.certificate("c", &[]));
    let roles = |member: &Organisation, certificate: &Certificate| {
        member.admit(certificate, &[], NOW).map(|a| a.roles.iter().collect::<Vec<_>>())
    };
    assert_eq!(roles(&member, &by_unit).unwrap(), [Role::Member, Role::Admin]);
    assert_eq!(roles(&member, &client).unwrap(), [Role::Member, Role::Client]);
    assert!(matches!(roles(&member, &nothing), Err(IdentityError::NoRole)));
    member.admins = vec![client.clone(), nothing.clone()];
    assert_eq!(roles(&member, &client).unwrap(), [Role::Member, Role::Admin, Role::Client]);
    assert!(matches!(roles(&member, &nothing), Err(IdentityError::NoRole)), "a list is no unit");
}

#[test]
fn impossible_organisations_are_refused() {
    let mut org = Org::new("CityMSP", 1);
    let validator = org.certificate("v", &["orderer"]);
    let admin = org.certificate("a", &["admin"]);
    let check = |change: &dyn Fn(&mut Organisation)| {
        let mut member = org.organisation();
        change(&mut member);
        let validator = ValidatorConfig::new("CityMSP", validator.clone(), 0);
        ChannelConfig::new("city", vec![member], vec![validator]).map(|_| ())
    };
    check(&|_| ()).unwrap();
    let ruled = |rule: IdentityRule| check(&|member| member.rule = Some(rule.clone()));
    for (bad, why) in [
        (rule(&org, "", &[], false), "nothing asked"),
        (rule(&org, "CCG", &["peer"], false), "a role"),
        (rule(&org, "CCG", &[""], false), "empty"),
        (rule(&org, "C\nG", &["A"], false), "control"),
        (rule(&org, "CCG", &["A", "A"], false), "repeated"),
        (rule(&org, &"x".repeat(65), &["A"], false), "long"),
        (IdentityRule { issuers: vec![sm3(b"")], ..rule(&org, "C", &[], false) }, "issuer"),
    ] {
        assert!(matches!(ruled(bad), Err(ConfigError::Rule { .. })), "{why}");
    }
    let none = IdentityRule { issuers: Vec::new(), ..rule(&org, "C", &[], false) };
    assert!(matches!(ruled(none), Err(ConfigError::Count { .. })));
    // The validator is not what the rule asks for.
    let other = rule(&org, "CCG", &["A"], false);
    assert!(matches!(ruled(other), Err(ConfigError::Validator { index: 0 })));
    let twice = vec![admin.clone(), admin.clone()];
    assert!(matches!(
        check(&|member| member.admins = twice.clone()),
        Err(ConfigError::Admin { .. })
    ));
    let root = org.authority.certificate().clone();
    assert!(matches!(
        check(&|member| member.admins = vec![root.clone()]),
        Err(ConfigError::Admin { .. })
    ));
    let peer: Endpoint = "peer:7051".parse().unwrap();
    for repeat in [
        &|member: &mut Organisation| member.revoked = vec![admin.sm3(); 2],
        &|member: &mut Organisation| member.anchor_peers = vec![peer.clone(); 2],
        &|member: &mut Organisation| member.revocation_lists = vec![list(&org, 1, &[]); 2],
    ] as [&dyn Fn(&mut Organisation); 3]
    {
        assert!(matches!(check(repeat), Err(ConfigError::Repeated { .. })));
    }
    let foreign = list(&Org::new("CityMSP", 2), 1, &[]);
    assert!(matches!(
        check(&|member| member.revocation_lists = vec![foreign.clone()]),
        Err(ConfigError::RevocationList { .. })
    ));
    check(&|member| member.revocation_lists = vec![list(&org, 1, &[]), list(&org, 2, &[])])
        .unwrap();
}

#[test]
fn everything_an_organisation_has_is_written_and_read() {
    let (mut org, mut member) = city("CCG", &["A"], true);
    let validator = issue(&mut org, "CCG", &["A", "orderer"]);
    member.admins = vec![issue(&mut org, "CCG", &["A", "client"])];
    member.revoked = vec![sm3(b"1"), sm3(b"2")];
    member.revocation_lists = vec![list(&org, 7, &[(&validator, END)])];
    member.tls_roots = Org::new("Tls", 2).organisation().roots;
    member.tls_intermediates = Org::new("Tls", 3).organisation().roots.iter().cloned().collect();
    member.anchor_peers = vec!["peer0:7051".parse().unwrap(), "[fd00::1]:7051".parse().unwrap()];
    member.policies.readers = crate::Policy::parse("OR('CityMSP.peer', 'CityMSP.admin')").unwrap();
    let mut validator = ValidatorConfig::new("CityMSP", validator, 0);
    validator.consensus = Some("10.0.0.1:7060".parse().unwrap());
    validator.peer = Some("node:7061".parse().unwrap());
    let mut config = ChannelConfig::new("city", vec![member], vec![validator]).unwrap();
    config.options.fabric_tx_id = true;
    config
        .mod_policies
        .insert("[Value] /Channel/Orderers".parse().unwrap(), "/Channel/Orderer/Admins".into());
    let envelope = config.to_genesis_envelope();
    let back = ChannelConfig::from_envelope(&envelope).unwrap();
    assert_eq!(back.to_genesis_envelope(), envelope);
    assert_eq!(back.validators, config.validators);
    assert_eq!((back.options, &back.mod_policies), (config.options, &config.mod_policies));
    let (a, b) = (&back.orgs[0], &config.orgs[0]);
    assert_eq!((&a.rule, &a.admins, &a.revoked), (&b.rule, &b.admins, &b.revoked));
    let ders = |org: &Organisation| {
        org.revocation_lists.iter().map(|list| list.der().to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(ders(a), ders(b));
    assert_eq!((&a.anchor_peers, &a.policies), (&b.anchor_peers, &b.policies));
    assert_eq!(a.tls_roots.len() + a.tls_intermediates.len(), 2);
    let nothing = |_: &str| -> std::io::Result<Vec<u8>> { unreachable!() };
    assert_eq!(ChannelConfig::from_toml(&config.to_toml(), &nothing).unwrap(), config);
}

#[test]
fn endpoints() {
    for good in ["a:1", "node-1.gov.cc.jl:65535", "10.0.0.1:7050", "[::1]:7050", "a_b:80", "1a:80"]
    {
        assert_eq!(good.parse::<Endpoint>().unwrap().to_string(), good);
    }
    for bad in [
        "",
        ":",
        "a",
        "a:",
        ":1",
        "a:0",
        "a:65536",
        "a:07",
        "a:+7",
        "a: 7",
        "A:7",
        "a b:7",
        "-a:7",
        "a-:7",
        "a..b:7",
        ".a:7",
        "a.:7",
        "1.2.3:7",
        "010.0.0.1:7",
        "256.0.0.1:7",
        "::1:7",
        "[a]:7",
        "[10.0.0.1]:7",
        "[::01]:7",
        "[::1:7",
        "a/b:7",
        "国:7",
    ] {
        assert!(bad.parse::<Endpoint>().is_err(), "{bad:?}");
    }
}

#[test]
fn codes_are_unique_and_in_order() {
    assert!(crate::codes::ALL.is_sorted_by(|a, b| a.0 < b.0));
    let known = |code: &str| crate::codes::ALL.iter().any(|(known, _)| *known == code);
    for error in [IdentityError::Issuer, IdentityError::Revoked, IdentityError::NoRole] {
        assert!(known(error.code()));
    }
    assert!(known(crate::AccessError::Policy.code()));
}
