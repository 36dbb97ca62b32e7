use proptest::prelude::*;

use super::*;
use crate::{
    Identity, Policy, PolicyError, Role,
    limits::{POLICY_BYTES_MAX, POLICY_DEPTH_MAX, POLICY_LEAVES_MAX},
};

/// Signers of three organisations: peers A, B, C; an admin and a client of A; and one of A that is
/// both peer and admin.
fn signers() -> Vec<(&'static str, Identity)> {
    let mut orgs = [Org::new("A", 1), Org::new("B", 2), Org::new("C.x", 3)];
    let all = [
        ("a", 0, &["peer"][..]),
        ("b", 1, &["peer"]),
        ("c", 2, &["peer"]),
        ("admin", 0, &["admin"]),
        ("client", 0, &["client"]),
        ("both", 0, &["peer", "admin"]),
    ];
    all.into_iter()
        .map(|(name, org, units)| {
            (name, Identity::parse(&orgs[org].serialized(name, units)).unwrap())
        })
        .collect()
}

#[test]
fn truth_tables() {
    let all = signers();
    let holds = |policy: &str, names: &str| {
        let signers: Vec<&Identity> = names
            .split_whitespace()
            .map(|name| &all.iter().find(|(known, _)| *known == name).unwrap().1)
            .collect();
        Policy::parse(policy).unwrap().evaluate(&signers)
    };
    let table = [
        ("'A.peer'", "a", true),
        ("'A.peer'", "", false),
        ("'A.peer'", "b", false),
        ("'A.peer'", "client", false),
        ("'A.member'", "client", true),
        ("'C.x.peer'", "c", true),
        ("AND('A.peer','B.peer')", "a b", true),
        ("AND('A.peer','B.peer')", "b a", true),
        ("AND('A.peer','B.peer')", "a", false),
        ("AND('A.peer','B.peer')", "a a a", false),
        ("OR('A.peer','B.peer')", "b", true),
        ("OR('A.peer','B.peer')", "c client admin", false),
        ("OutOf(2,'A.peer','B.peer','C.x.peer')", "a c", true),
        ("OutOf(2,'A.peer','B.peer','C.x.peer')", "b", false),
        ("OutOf(2,'A.peer','B.peer','C.x.peer')", "b b client", false),
        ("OutOf(3,'A.peer','B.peer','C.x.peer')", "c b a", true),
        // One signer, one leaf.
        ("AND('A.member','A.member')", "a", false),
        ("AND('A.member','A.member')", "a a", false),
        ("AND('A.member','A.member')", "a client", true),
        ("AND('A.peer','A.admin')", "both", false),
        ("AND('A.peer','A.admin')", "both admin", true),
        ("AND('A.peer','A.admin')", "a both", true),
        // In order, like Fabric: the first leaf takes the first signer it fits.
        ("AND('A.peer','A.admin')", "both a", false),
        // Nested; a failing branch uses up nobody.
        ("OR(AND('A.peer','C.x.peer'),AND('A.peer','B.peer'))", "a b", true),
        ("OR(AND('A.peer','C.x.peer'),AND('A.peer','B.peer'))", "a", false),
        // A gate that is satisfied leaves the rest alone.
        ("AND(OR('A.peer','B.peer'),'B.peer')", "a b", true),
        ("AND(OutOf(1,'A.member','A.member'),'A.client')", "a client", true),
    ];
    for (policy, names, expected) in table {
        assert_eq!(holds(policy, names), expected, "{policy} by {names:?}");
    }
}

#[test]
fn one_certificate_in_two_texts_is_one_signer() {
    let mut org = Org::new("A", 1);
    let certificate = org.certificate("x", &["peer"]);
    let plain = Identity::parse(&serialize_identity("A", &certificate)).unwrap();
    let mut message = changbai_wire::proto::msp::SerializedIdentity {
        mspid: "A".into(),
        id_bytes: certificate.to_pem().into_bytes(),
    };
    message.id_bytes.push(b'\n');
    let padded = Identity::parse(&prost::Message::encode_to_vec(&message)).unwrap();
    assert_ne!(plain.as_bytes(), padded.as_bytes());
    let policy = Policy::parse("AND('A.peer','A.peer')").unwrap();
    assert!(!policy.evaluate(&[&plain, &padded]));
}

#[test]
fn texts() {
    let parse = |text: &str| Policy::parse(text);
    let peer = |msp_id: &str| Policy::signed_by(msp_id, Role::Peer).unwrap();
    let both = Policy::out_of(2, vec![peer("A"), peer("B")]).unwrap();
    for text in [
        "AND('A.peer','B.peer')",
        " and ( \"A.peer\" ,\n'B.peer' ) ",
        "OutOf(2,'A.peer','B.peer')",
        "outof(02, 'A.peer', 'B.peer')",
    ] {
        assert_eq!(parse(text).unwrap(), both, "{text}");
    }
    assert_eq!(both.to_string(), "AND('A.peer', 'B.peer')");
    assert_eq!(parse("OR('A.peer')").unwrap().to_string(), "OR('A.peer')");
    assert_eq!(
        Policy::majority(&["A", "B", "C"], Role::Peer).unwrap().to_string(),
        "OutOf(2, 'A.peer', 'B.peer', 'C.peer')"
    );
    assert_eq!(
        Policy::any(&["A", "B"], Role::Member).unwrap().to_string(),
        "OR('A.member', 'B.member')"
    );
    assert_eq!(Vec::from_iter(both.organisations()), ["A", "B"]);
}

#[test]
fn hostile_texts() {
    let parse = |text: &str| Policy::parse(text).unwrap_err();
    for text in [
        "",
        " ",
        "A.peer",
        "AND",
        "AND(",
        "AND()",
        "AND('A.peer'",
        "AND('A.peer',)",
        "AND('A.peer'))",
        "'A.peer' x",
        "'A.peer",
        "XOR('A.peer')",
        "OutOf('A.peer')",
        "OutOf(1)",
        "OutOf(1,)",
        "OutOf(-1,'A.peer')",
        "OutOf(99999999999,'A.peer')",
        "国('A.peer')",
        "AND('A.peer';'B.peer')",
        "AND AND('A.peer')",
    ] {
        assert!(matches!(parse(text), PolicyError::Syntax { .. }), "{text:?}: {:?}", parse(text));
    }
    for text in
        ["''", "'A'", "'.peer'", "'A.Peer'", "'A.boss'", "'A B.peer'", "'国.peer'", "\"A'peer\""]
    {
        assert_eq!(parse(text), PolicyError::Principal, "{text:?}");
    }
    assert_eq!(parse("OutOf(0,'A.peer')"), PolicyError::OutOf { n: 0, rules: 1 });
    assert_eq!(parse("OutOf(3,'A.peer','B.peer')"), PolicyError::OutOf { n: 3, rules: 2 });
    let nested = |depth: usize| format!("{}'A.peer'{}", "OR(".repeat(depth), ")".repeat(depth));
    assert!(Policy::parse(&nested(POLICY_DEPTH_MAX - 1)).is_ok());
    assert_eq!(parse(&nested(POLICY_DEPTH_MAX)), PolicyError::TooDeep);
    assert_eq!(parse(&"OR(".repeat(2_000)), PolicyError::TooDeep);
    let wide = |leaves: usize| format!("OR({})", vec!["'A.peer'"; leaves].join(","));
    assert!(Policy::parse(&wide(POLICY_LEAVES_MAX)).is_ok());
    assert_eq!(parse(&wide(POLICY_LEAVES_MAX + 1)), PolicyError::TooManyPrincipals);
    let long = " ".repeat(POLICY_BYTES_MAX + 1);
    assert_eq!(parse(&long), PolicyError::TooLong { bytes: long.len() });
}

#[test]
fn unchecked_policies_accept_nobody() {
    let all = signers();
    let everyone: Vec<&Identity> = all.iter().map(|(_, signer)| signer).collect();
    let empty = Policy::OutOf { n: 0, rules: Vec::new() };
    assert!(!empty.evaluate(&everyone));
    let mut deep = Policy::signed_by("A", Role::Peer).unwrap();
    for _ in 0..20 {
        deep = Policy::OutOf { n: 1, rules: vec![deep] };
    }
    assert!(!deep.evaluate(&everyone));
}

#[test]
fn hostile_messages() {
    use changbai_wire::proto::common::{SignaturePolicy, signature_policy::Type};
    let good = Policy::parse("AND('A.peer','B.peer','A.peer')").unwrap().to_proto();
    assert_eq!(good.identities.len(), 2, "each principal once");
    let refuse = |change: fn(&mut changbai_wire::proto::common::SignaturePolicyEnvelope)| {
        let mut bad = good.clone();
        change(&mut bad);
        Policy::from_proto(&bad).unwrap_err()
    };
    let message = |error| matches!(error, PolicyError::Message(_));
    assert!(message(refuse(|p| p.version = 1)));
    assert!(message(refuse(|p| p.rule = None)));
    assert!(message(refuse(|p| p.rule = Some(SignaturePolicy { r#type: None }))));
    assert!(message(refuse(|p| p.identities.truncate(1))));
    assert!(message(refuse(|p| p.identities[0].principal_classification = 1)));
    assert!(message(refuse(|p| p.identities[0].principal = vec![0xff])));
    assert!(message(refuse(|p| p.identities[0].principal = vec![0x10, 9])));
    assert_eq!(refuse(|p| p.identities[0].principal.clear()), PolicyError::Principal);
    let by = |index| Some(SignaturePolicy { r#type: Some(Type::SignedBy(index)) });
    for index in [-1, 2] {
        let mut bad = good.clone();
        bad.rule = by(index);
        assert!(message(Policy::from_proto(&bad).unwrap_err()));
    }
}

fn policies() -> impl Strategy<Value = Policy> {
    let leaf = ("[A-C]", 0usize..5)
        .prop_map(|(msp_id, role)| Policy::signed_by(&msp_id, Role::ALL[role]).unwrap());
    leaf.prop_recursive(4, 40, 4, |inner| {
        (proptest::collection::vec(inner, 1..5), any::<prop::sample::Index>())
            .prop_map(|(rules, n)| Policy::OutOf { n: n.index(rules.len()) as u32 + 1, rules })
    })
}

proptest! {
    #[test]
    fn policies_round_trip(policy in policies()) {
        prop_assert_eq!(&Policy::parse(&policy.to_string()).unwrap(), &policy);
        prop_assert_eq!(&Policy::from_proto(&policy.to_proto()).unwrap(), &policy);
    }

    #[test]
    fn texts_never_panic(text in "(AND|OR|OutOf|\\(|\\)|,|'A.peer'|\"|'|[0-9]| |国){0,30}") {
        if let Ok(policy) = Policy::parse(&text) {
            prop_assert_eq!(Policy::parse(&policy.to_string()).unwrap(), policy);
        }
    }

    #[test]
    fn arbitrary_texts_never_panic(text in any::<String>()) {
        let _ = Policy::parse(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn nobody_counts_twice_and_nothing_holds_without_signers(policy in policies()) {
        let all = signers();
        let everyone: Vec<&Identity> = all.iter().map(|(_, signer)| signer).collect();
        let twice: Vec<&Identity> = everyone.iter().chain(&everyone).copied().collect();
        prop_assert_eq!(policy.evaluate(&everyone), policy.evaluate(&twice));
        prop_assert!(!policy.evaluate(&[]));
    }
}
