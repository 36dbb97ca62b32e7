//! Policies against signatures, right and wrong, beside a naive oracle.

use std::{collections::BTreeSet, sync::LazyLock};

use proptest::prelude::*;

use super::*;
use crate::{Claim, Identity, Policy, Role};

/// Of each of eight organisations a peer; of the first also an admin, and one that is both.
static PEOPLE: LazyLock<Vec<Identity>> = LazyLock::new(|| {
    let mut people = Vec::new();
    for (at, msp_id) in ORGS.into_iter().enumerate() {
        let mut org = Org::new(msp_id, at as u64 + 1);
        let units: &[&[&str]] =
            if at == 0 { &[&["peer"], &["admin"], &["peer", "admin"]] } else { &[&["peer"]] };
        for units in units {
            people.push(Identity::parse(&org.serialized("x", units)).unwrap());
        }
    }
    people
});

const ORGS: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];

fn person(name: &str) -> &'static Identity {
    let place = match name {
        "a" => 0,
        "admin" => 1,
        "both" => 2,
        "b" => 3,
        "c" => 4,
        _ => panic!("{name}"),
    };
    &PEOPLE[place]
}

/// `!x`: the signature of x is wrong.
fn judged(policy: &str, names: &str) -> bool {
    let claims: Vec<_> = names
        .split_whitespace()
        .map(|name| match name.strip_prefix('!') {
            Some(name) => Claim { identity: person(name), holds: false },
            None => Claim { identity: person(name), holds: true },
        })
        .collect();
    Policy::parse(policy).unwrap().judge(&claims)
}

#[test]
fn and_fails_on_any_wrong_signature_and_or_stops_at_the_first_that_suffices() {
    let table = [
        ("AND('A.peer','B.peer')", "a b", true),
        ("AND('A.peer','B.peer')", "a !b", false),
        ("AND('A.peer','B.peer')", "!a b", false),
        // A wrong signature beside a right one of the same role: not what AND asks for.
        ("AND('A.peer','B.peer')", "a !both b", false),
        ("AND('A.peer','B.peer')", "!both a b", false),
        // Somebody whom the gate could not count does no harm.
        ("AND('A.peer','B.peer')", "a b !c", true),
        ("AND('A.peer','B.peer')", "a b !admin", true),
        ("OR('A.peer','B.peer')", "a !b", true),
        ("OR('A.peer','B.peer')", "!a b", true),
        ("OR('A.peer','B.peer')", "!a !b", false),
        ("OR('A.peer')", "!a both", true),
        ("'A.peer'", "!a both", true),
        ("OutOf(2,'A.peer','B.peer','C.peer')", "a !b c", true),
        ("OutOf(2,'A.peer','B.peer','C.peer')", "a !b", false),
        // Nested: each leaf follows its own gate.
        ("OR(AND('A.peer','B.peer'),'C.peer')", "a !b c", true),
        ("OR(AND('A.peer','B.peer'),'C.peer')", "a !b", false),
        ("AND(OR('A.peer','B.peer'),'C.peer')", "!a b c", true),
        ("AND(OR('A.peer','B.peer'),'C.peer')", "a b !c", false),
        // One signer counts once, and a wrong signature in its name stays wrong.
        ("AND('A.member','A.member')", "a a", false),
        ("OutOf(2,'A.peer','B.peer','C.peer')", "a a a", false),
        ("AND('A.peer','B.peer')", "a !a b", false),
        ("OR('A.peer','B.peer')", "a !a", true),
    ];
    for (policy, names, expected) in table {
        assert_eq!(judged(policy, names), expected, "{policy} by {names:?}");
    }
}

/// Every set of signers that some assignment of distinct signers to leaves can use, as bit masks.
fn assignments(policy: &Policy, signers: &[&Identity]) -> BTreeSet<u32> {
    match policy {
        Policy::SignedBy { msp_id, role } => (0..signers.len())
            .filter(|at| signers[*at].msp_id == *msp_id && signers[*at].has_role(*role))
            .map(|at| 1 << at)
            .collect(),
        Policy::OutOf { n, rules } => {
            let mut states = BTreeSet::from([(0, 0)]);
            for rule in rules {
                let masks = assignments(rule, signers);
                let more: Vec<_> = states
                    .iter()
                    .flat_map(|(count, used)| masks.iter().map(move |mask| (count, used, mask)))
                    .filter(|(_, used, mask)| *used & *mask == 0)
                    .map(|(count, used, mask)| (count + 1, used | mask))
                    .collect();
                states.extend(more);
            }
            states.into_iter().filter(|(count, _)| count == n).map(|(_, used)| used).collect()
        }
    }
}

/// How many leaves a signer could fill.
fn leaves_for(policy: &Policy, signer: &Identity) -> usize {
    match policy {
        Policy::SignedBy { msp_id, role } => {
            usize::from(signer.msp_id == *msp_id && signer.has_role(*role))
        }
        Policy::OutOf { rules, .. } => rules.iter().map(|rule| leaves_for(rule, signer)).sum(),
    }
}

fn has_and(policy: &Policy) -> bool {
    match policy {
        Policy::SignedBy { .. } => false,
        Policy::OutOf { n, rules } => {
            (*n as usize == rules.len() && *n > 1) || rules.iter().any(has_and)
        }
    }
}

fn policies() -> impl Strategy<Value = Policy> {
    let leaf = (0usize..8, 0usize..3).prop_map(|(org, role)| {
        let role = [Role::Peer, Role::Member, Role::Admin][role];
        Policy::signed_by(ORGS[org], role).unwrap()
    });
    leaf.prop_recursive(3, 12, 4, |inner| {
        (proptest::collection::vec(inner, 1..4), any::<prop::sample::Index>())
            .prop_map(|(rules, n)| Policy::OutOf { n: n.index(rules.len()) as u32 + 1, rules })
    })
}

fn people() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0usize..10, 0..10)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whoever satisfies a policy could be assigned to its leaves, one each; where nobody fits two
    /// leaves, everybody who could is found.
    #[test]
    fn evaluation_agrees_with_every_assignment(policy in policies(), people in people()) {
        let signers: Vec<&Identity> = people.iter().map(|at| &PEOPLE[*at]).collect();
        let distinct: Vec<&Identity> =
            people.iter().collect::<BTreeSet<_>>().into_iter().map(|at| &PEOPLE[*at]).collect();
        let possible = !assignments(&policy, &distinct).is_empty();
        let found = policy.evaluate(&signers);
        prop_assert!(possible || !found, "{policy}: nobody could be assigned so");
        if distinct.iter().all(|signer| leaves_for(&policy, signer) <= 1) {
            prop_assert_eq!(found, possible, "{}", policy);
        }
    }

    /// Wrong signatures never help; without an AND they never harm.
    #[test]
    fn wrong_signatures_count_for_nothing(policy in policies(), right in people(), wrong in people()) {
        let signers: Vec<&Identity> = right.iter().map(|at| &PEOPLE[*at]).collect();
        let claims: Vec<_> = right
            .iter()
            .map(|at| Claim { identity: &PEOPLE[*at], holds: true })
            .chain(wrong.iter().map(|at| Claim { identity: &PEOPLE[*at], holds: false }))
            .collect();
        let (with, without) = (policy.judge(&claims), policy.evaluate(&signers));
        prop_assert!(without || !with, "{}", policy);
        if !has_and(&policy) {
            prop_assert_eq!(with, without, "{}", policy);
        }
    }
}
