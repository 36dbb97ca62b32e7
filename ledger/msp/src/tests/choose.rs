//! Plans: a smallest set of endorsers, in an order in which the policy accepts it.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::*;
use crate::{
    ChannelConfig, EffectivePolicy, GroupPolicy, Identity, OrgPolicies, Policy, Role,
    ValidatorConfig,
};

/// Two peers of A, one of B and C, an administrator of A who is a peer too, a client of B.
static SIGNERS: LazyLock<Vec<Arc<Identity>>> = LazyLock::new(|| {
    let mut orgs = [Org::new("A", 1), Org::new("B", 2), Org::new("C", 3)];
    let all = [
        (0, &["peer"][..]),
        (0, &["peer"]),
        (1, &["peer"]),
        (2, &["peer"]),
        (0, &["peer", "admin"]),
        (1, &["client"]),
    ];
    let identity = |(org, units): (usize, &[&str])| {
        Arc::new(Identity::parse(&orgs[org].serialized("x", units)).unwrap())
    };
    all.into_iter().map(identity).collect()
});

fn pick(places: &[usize]) -> Vec<Arc<Identity>> {
    places.iter().map(|at| Arc::clone(&SIGNERS[*at])).collect()
}

fn holds(policy: &EffectivePolicy, endorsers: &[Arc<Identity>], places: &[usize]) -> bool {
    let signers: Vec<&Identity> = places.iter().map(|at| endorsers[*at].as_ref()).collect();
    policy.evaluate(&signers)
}

/// The size of the smallest list that the policy accepts, over all lists of different signers.
fn smallest(policy: &EffectivePolicy, endorsers: &[Arc<Identity>]) -> Option<usize> {
    fn extend(
        policy: &EffectivePolicy,
        endorsers: &[Arc<Identity>],
        list: &mut Vec<usize>,
        left: usize,
    ) -> bool {
        if left == 0 {
            return holds(policy, endorsers, list);
        }
        (0..endorsers.len()).any(|at| {
            if list.contains(&at) {
                return false;
            }
            list.push(at);
            let found = extend(policy, endorsers, list, left - 1);
            list.pop();
            found
        })
    }
    (0..=endorsers.len()).find(|size| extend(policy, endorsers, &mut Vec::new(), *size))
}

#[test]
fn own_first_then_in_order() {
    let table: [(&str, &[usize], &[usize]); 10] = [
        ("'A.peer'", &[1, 0], &[0]),
        ("OR('A.peer','B.peer')", &[2, 0], &[0]),
        ("OR('A.peer','B.peer')", &[3, 5, 2], &[2]),
        ("AND('A.peer','B.peer')", &[2, 0], &[1, 0]),
        ("OutOf(2,'A.peer','B.peer','C.peer')", &[3, 0, 2], &[1, 0]),
        ("OutOf(2,'A.peer','B.peer','C.peer')", &[2, 3], &[0, 1]),
        ("AND('A.peer','A.admin')", &[4, 0], &[1, 0]),
        ("AND('A.member','A.member')", &[0, 0, 1], &[0, 2]),
        // The smaller side of an OR, though it is the later one.
        ("OR(AND('A.peer','B.peer'),'C.peer')", &[0, 2, 3], &[2]),
        // Taken by the first rule it would fit, the one of B would be missing for the second.
        ("AND(OR('A.peer','B.peer'),'B.peer')", &[2, 1], &[1, 0]),
    ];
    for (text, available, expected) in table {
        let policy = EffectivePolicy::from(Policy::parse(text).unwrap());
        let available = pick(available);
        let chosen = policy.choose(&available).unwrap();
        assert_eq!(chosen, expected, "{text}");
        assert!(holds(&policy, &available, &chosen), "{text}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let table: [(&str, &[usize], &[&str]); 5] = [
        ("AND('A.peer','B.peer')", &[0], &["B"]),
        ("AND('A.peer','B.peer')", &[5], &["A", "B"]),
        ("OutOf(2,'A.peer','B.peer','C.peer')", &[0], &["B", "C"]),
        ("AND('A.peer','A.peer')", &[0, 0], &["A"]),
        ("'D.peer'", &[], &["D"]),
    ];
    for (text, available, expected) in table {
        let policy = EffectivePolicy::from(Policy::parse(text).unwrap());
        let missing = policy.choose(&pick(available)).unwrap_err();
        assert_eq!(missing.organisations, expected, "{text}");
    }
    let nobody = EffectivePolicy::from(Policy::OutOf { n: 0, rules: Vec::new() });
    assert!(nobody.choose(&SIGNERS).unwrap_err().organisations.is_empty());
}

#[test]
fn implicit_policies_over_organisations() {
    let mut orgs: Vec<Org> =
        (0..21).map(|n| Org::new(&format!("Org{n}"), u64::from(n as u32) + 50)).collect();
    let validator = orgs[0].certificate("v", &["orderer"]);
    let members: Vec<_> = orgs
        .iter()
        .map(|org| Organisation { policies: OrgPolicies::of(&org.msp_id), ..org.organisation() })
        .collect();
    let validators = vec![ValidatorConfig::new("Org0", validator, 0)];
    let mut config = ChannelConfig::new("city", members, validators).unwrap();
    let peers: Vec<_> = orgs
        .iter_mut()
        .map(|org| Arc::new(Identity::parse(&org.serialized("p", &["peer"])).unwrap()))
        .collect();
    for (rule, needed) in [("ANY", 1), ("MAJORITY", 11), ("ALL", 21)] {
        config.policies.endorsement = GroupPolicy::parse(&format!("{rule} Endorsement")).unwrap();
        let policy = config.endorsement();
        let chosen = policy.choose(&peers).unwrap();
        assert_eq!(chosen.len(), needed, "{rule}");
        assert!(holds(&policy, &peers, &chosen), "{rule}");
        assert!(chosen.contains(&0), "{rule}: the first is preferred");
        let few = &peers[..needed - 1];
        assert_eq!(policy.choose(few).unwrap_err().organisations.len(), 22 - needed, "{rule}");
        // From the back: whoever is first in the list comes first.
        let back: Vec<_> = peers.iter().rev().cloned().collect();
        let chosen = policy.choose(&back).unwrap();
        assert!(chosen.iter().all(|at| *at < needed), "{rule}");
    }
}

#[test]
fn an_entangled_policy_is_still_answered() {
    // Each principal fits many, and no three groups agree: far more sets than the search may try.
    let mut org = Org::new("A", 9);
    let units: [&[&str]; 4] =
        [&["peer", "admin"], &["peer", "orderer"], &["admin", "client"], &["client", "orderer"]];
    let all: Vec<_> = (0..60)
        .map(|n| Arc::new(Identity::parse(&org.serialized("x", units[n % 4])).unwrap()))
        .collect();
    let leaves: Vec<_> = [Role::Peer, Role::Admin, Role::Client, Role::Orderer]
        .into_iter()
        .cycle()
        .take(40)
        .map(|role| Policy::signed_by("A", role).unwrap())
        .collect();
    let policy = EffectivePolicy::from(Policy::out_of(30, leaves).unwrap());
    let chosen = policy.choose(&all).unwrap();
    assert!(holds(&policy, &all, &chosen));
    assert_eq!(chosen.len(), 30);
}

fn policies() -> impl Strategy<Value = Policy> {
    let role = prop_oneof![
        3 => Just(Role::Peer),
        1 => Just(Role::Member),
        1 => Just(Role::Admin),
        1 => Just(Role::Client)
    ];
    let leaf = ("[ABC]", role).prop_map(|(org, role)| Policy::signed_by(&org, role).unwrap());
    leaf.prop_recursive(3, 8, 4, |inner| {
        (prop::collection::vec(inner, 1..4), any::<prop::sample::Index>())
            .prop_map(|(rules, n)| Policy::out_of(n.index(rules.len()) as u32 + 1, rules).unwrap())
    })
}

proptest! {
    #[test]
    fn a_smallest_set_that_holds(
        policy in policies(),
        order in Just((0..6).collect::<Vec<usize>>()).prop_shuffle(),
        count in 0..=6usize,
    ) {
        let policy = EffectivePolicy::from(policy);
        let available = pick(&order[..count]);
        let expected = smallest(&policy, &available);
        match policy.choose(&available) {
            Ok(chosen) => {
                prop_assert!(holds(&policy, &available, &chosen));
                prop_assert_eq!(Some(chosen.len()), expected);
                for without in 0..chosen.len() {
                    let mut fewer = chosen.clone();
                    fewer.remove(without);
                    prop_assert!(!holds(&policy, &available, &fewer));
                }
                // Listing somebody twice changes nothing.
                let doubled: Vec<_> = available.iter().chain(&available).cloned().collect();
                prop_assert_eq!(policy.choose(&doubled), Ok(chosen));
            }
            Err(_) => prop_assert_eq!(None, expected),
        }
    }
}
