//! Endorsement by several organisations: who is asked, who is replaced, and what comes of lies.

use std::sync::{Arc, Mutex};

use changbai_channel::{
    AskError, Endorsed, FaultReason, Invocation, InvokeError, limits::ENDORSEMENT_RETRIES,
};
use changbai_contract::ContractError;
use changbai_wire::{ProposalResponse, ValidationCode, decode_transaction};
use futures::executor::block_on;

use crate::city::{City, Hub, Lie, another, signed};
use crate::net::Net;
use crate::world::call;

use Lie::{
    AsSomebodyElse, BadSignature, Garbage, Honest, OtherResult, Refuses, Silent, Unavailable,
};

const AND: &str = "AND('A.peer','B.peer')";
const TWO: &str = "OutOf(2,'A.peer','B.peer','C.peer')";

fn collect(
    city: &City,
    net: &mut Net<'_>,
    hub: &Hub<'_>,
    at: usize,
    call: &Invocation,
) -> Result<Endorsed, InvokeError> {
    let channel = net.node(at).channel.clone();
    block_on(channel.collect(&city.world.client, call, hub))
}

/// Organisations in the order of the transaction's endorsements.
fn endorsers(endorsed: &Endorsed) -> Vec<String> {
    let transaction = decode_transaction(&endorsed.envelope).unwrap();
    let identity = |bytes: &[u8]| changbai_msp::Identity::parse(bytes).unwrap().msp_id;
    transaction.endorsements.iter().map(|(endorser, _)| identity(endorser)).collect()
}

fn order(net: &mut Net<'_>, endorsed: &Endorsed) -> ValidationCode {
    let mut outcome = net.node(0).send(&endorsed.envelope);
    net.run(1_000);
    outcome.try_recv().unwrap().code
}

/// Organisations and what is said to be wrong with each.
fn faults(error: &InvokeError) -> Vec<(&str, &FaultReason)> {
    let (InvokeError::NotEndorsed { faults, .. } | InvokeError::Diverged { faults }) = error else {
        panic!("{error:?}");
    };
    faults.iter().map(|fault| (fault.msp_id.as_str(), &fault.reason)).collect()
}

#[test]
fn as_many_are_asked_as_the_policy_wants() {
    let table: [(&str, &[usize], &[&str]); 6] = [
        ("OR('A.peer','B.peer')", &[], &["A"]),
        ("'B.peer'", &[1], &["B"]),
        (AND, &[1], &["A", "B"]),
        (TWO, &[1], &["A", "B"]),
        ("MAJORITY Endorsement", &[1], &["A", "B"]),
        ("ALL Endorsement", &[1, 2], &["A", "B", "C"]),
    ];
    for (policy, asked, expected) in table {
        let city = City::new(policy);
        let mut net = city.start();
        let hub = city.hub(&mut net, 0, [Honest; 3]);
        let endorsed = collect(&city, &mut net, &hub, 0, &call(&["Add", "n", "5"])).unwrap();
        assert_eq!(endorsed.answer, b"5", "{policy}");
        assert_eq!(*hub.asked.lock().unwrap(), asked, "{policy}");
        assert_eq!(endorsers(&endorsed), expected, "{policy}");
        assert_eq!(order(&mut net, &endorsed), ValidationCode::Valid, "{policy}");
        assert_eq!(net.node(2).get(&city.world, "n"), "5", "{policy}: everywhere");
    }
}

#[test]
fn one_node_alone_is_not_enough_for_two_organisations() {
    let city = City::new(AND);
    let mut net = city.start();
    let refused = net.node(0).channel.endorse(&city.world.client, &call(&["Put", "a", "1"]));
    let Err(InvokeError::NotEndorsed { missing, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(missing.organisations, ["B"]);
}

#[test]
fn whoever_fails_is_replaced() {
    for lie in [Silent, OtherResult, BadSignature, AsSomebodyElse, Garbage, Refuses, Unavailable] {
        let city = City::new(TWO);
        let mut net = city.start();
        let hub = city.hub(&mut net, 0, [Honest, lie, Honest]);
        let endorsed = collect(&city, &mut net, &hub, 0, &call(&["Add", "n", "5"])).unwrap();
        assert_eq!(endorsers(&endorsed), ["A", "C"]);
        assert_eq!(order(&mut net, &endorsed), ValidationCode::Valid);
    }
}

#[test]
fn who_cannot_be_replaced_is_named() {
    let refused = |status, message: &str| FaultReason::Refused { status, message: message.into() };
    let table = [
        (Silent, FaultReason::Unanswered(AskError::TimedOut), 0),
        (BadSignature, FaultReason::Signature, 0),
        (AsSomebodyElse, FaultReason::Identity, 0),
        (Unavailable, refused(503, "the ledger cannot be read"), 0),
        // It has read the same and says something else: no second chance.
        (OtherResult, FaultReason::OtherResult, 0),
        // It may be ahead, and know why the call is to be refused.
        (Refuses, refused(500, "T-2: no"), ENDORSEMENT_RETRIES as usize),
    ];
    for (lie, reason, pauses) in table {
        let city = City::new(AND);
        let mut net = city.start();
        let hub = city.hub(&mut net, 0, [Honest, lie, Honest]);
        let error = collect(&city, &mut net, &hub, 0, &call(&["Add", "n", "5"])).unwrap_err();
        assert_eq!(faults(&error), [("B", &reason)]);
        let diverged = matches!(error, InvokeError::Diverged { .. });
        assert_eq!(diverged, matches!(lie, OtherResult | Refuses), "{error}");
        assert_eq!(*hub.pauses.lock().unwrap(), pauses, "{error}");
        assert!(error.to_string().contains("B: "), "{error}");
    }
}

#[test]
fn all_reasons_are_reported() {
    let city = City::new(TWO);
    let mut net = city.start();
    let hub = city.hub(&mut net, 0, [Honest, Silent, BadSignature]);
    let error = collect(&city, &mut net, &hub, 0, &call(&["Add", "n", "5"])).unwrap_err();
    let expected =
        [("B", &FaultReason::Unanswered(AskError::TimedOut)), ("C", &FaultReason::Signature)];
    assert_eq!(faults(&error), expected);
    let InvokeError::NotEndorsed { missing, .. } = &error else { panic!("{error:?}") };
    assert_eq!(missing.organisations, ["B", "C"]);
}

#[test]
fn what_the_contract_refuses_here_is_asked_nowhere() {
    let city = City::new(AND);
    let mut net = city.start();
    let hub = city.hub(&mut net, 0, [Honest; 3]);
    let refused = collect(&city, &mut net, &hub, 0, &call(&["Nothing"]));
    assert!(matches!(refused, Err(InvokeError::Contract(ContractError::Refused { .. }))));
    assert!(hub.asked.lock().unwrap().is_empty());
}

#[test]
fn this_node_is_not_outvoted() {
    // Two organisations agree on a lie that would satisfy the policy without this node.
    let city = City::new(TWO);
    let mut net = city.start();
    let hub = city.hub(&mut net, 0, [Honest, OtherResult, OtherResult]);
    let error = collect(&city, &mut net, &hub, 0, &call(&["Add", "n", "5"])).unwrap_err();
    let other = &FaultReason::OtherResult;
    assert_eq!(faults(&error), [("B", other), ("C", other)]);
    assert!(matches!(error, InvokeError::Diverged { .. }));
}

/// Commits a write while the node of B hears nothing; afterwards it is a block behind.
fn leave_b_behind(city: &City, net: &mut Net<'_>) {
    net.cut.insert((0, 1));
    net.cut.insert((2, 1));
    let hub = city.hub(net, 0, [Honest; 3]);
    let endorsed = collect(city, net, &hub, 0, &call(&["Add", "n", "1"])).unwrap();
    assert_eq!(order(net, &endorsed), ValidationCode::Valid);
    assert_eq!(
        (net.node(0).get(&city.world, "n"), net.node(1).get(&city.world, "n")),
        ("1".into(), String::new())
    );
}

#[test]
fn nodes_at_different_heights_agree_when_asked_again() {
    // The gateway is once the node that is ahead, once the one that is behind.
    for own in [0, 1] {
        let city = City::new(AND);
        let mut net = city.start();
        leave_b_behind(&city, &mut net);
        let mut hub = city.hub(&mut net, own, [Honest; 3]);
        let channel = net.node(own).channel.clone();
        let net = Arc::new(Mutex::new(net));
        let shared = Arc::clone(&net);
        hub.on_pause = Box::new(move || {
            let mut net = shared.lock().unwrap();
            net.cut.clear();
            net.run(5_000);
        });
        let call = call(&["Add", "n", "5"]);
        let endorsed = block_on(channel.collect(&city.world.client, &call, &hub)).unwrap();
        assert_eq!(endorsed.answer, b"6", "node {own}");
        assert_eq!(*hub.pauses.lock().unwrap(), 1, "node {own}");
        let mut net = net.lock().unwrap();
        assert_eq!(order(&mut net, &endorsed), ValidationCode::Valid, "node {own}");
    }
}

#[test]
fn a_node_that_stays_behind_is_reported_or_replaced() {
    let city = City::new(AND);
    let mut net = city.start();
    leave_b_behind(&city, &mut net);
    let hub = city.hub(&mut net, 0, [Honest; 3]);
    let error = collect(&city, &mut net, &hub, 0, &call(&["Add", "n", "5"])).unwrap_err();
    assert_eq!(faults(&error), [("B", &FaultReason::OtherResult)]);
    assert!(matches!(error, InvokeError::Diverged { .. }));
    assert_eq!(*hub.pauses.lock().unwrap(), ENDORSEMENT_RETRIES as usize);

    let city = City::new(TWO);
    let mut net = city.start();
    leave_b_behind(&city, &mut net);
    let hub = city.hub(&mut net, 0, [Honest; 3]);
    let endorsed = collect(&city, &mut net, &hub, 0, &call(&["Add", "n", "5"])).unwrap();
    assert_eq!(
        (endorsers(&endorsed), *hub.pauses.lock().unwrap()),
        (vec!["A".into(), "C".into()], 0)
    );
}

#[test]
fn reads_of_absent_keys_agree_at_all_heights() {
    let city = City::new(AND);
    let mut net = city.start();
    leave_b_behind(&city, &mut net);
    let hub = city.hub(&mut net, 0, [Honest; 3]);
    let endorsed = collect(&city, &mut net, &hub, 0, &call(&["Add", "m", "5"])).unwrap();
    assert_eq!(*hub.pauses.lock().unwrap(), 0);
    assert_eq!(order(&mut net, &endorsed), ValidationCode::Valid);
}

#[test]
fn responses_are_joined_by_hand() {
    let city = City::new(TWO);
    let mut net = city.start();
    let client = &city.world.client;
    let channel = net.node(0).channel.clone();
    let proposal = channel.propose(&client.serialized, &call(&["Add", "n", "5"])).unwrap();
    let signed_proposal = proposal.sign(client);
    let all: Vec<Vec<u8>> =
        (0..3).map(|at| net.node(at).channel.process_proposal(&signed_proposal)).collect();

    // Two of three are enough; of one, doubled, there is still only one.
    let endorsed = channel.assemble(&proposal, &all, client).unwrap();
    assert_eq!(endorsers(&endorsed).len(), 2);
    let doubled = [all[1].clone(), all[1].clone()];
    let error = channel.assemble(&proposal, &doubled, client).unwrap_err();
    assert!(matches!(error, InvokeError::NotEndorsed { .. }), "{error}");
    assert!(channel.assemble(&proposal, &[], client).is_err());

    let open = |bytes: &[u8]| match ProposalResponse::from_bytes(bytes).unwrap() {
        ProposalResponse::Endorsed(response) => response,
        ProposalResponse::Refused(refused) => panic!("{refused:?}"),
    };
    let liar = signed(another(open(&all[1])), &city.peers[1]);
    let lies = [all[0].clone(), ProposalResponse::Endorsed(liar).to_bytes()];
    let error = channel.assemble(&proposal, &lies, client).unwrap_err();
    assert_eq!(faults(&error), [("B", &FaultReason::OtherResult)]);
    assert!(matches!(error, InvokeError::Diverged { .. }));

    let mut forged = open(&all[1]);
    forged.signature = open(&all[2]).signature;
    let forged = [all[0].clone(), ProposalResponse::Endorsed(forged).to_bytes()];
    let error = channel.assemble(&proposal, &forged, client).unwrap_err();
    assert_eq!(faults(&error), [("B", &FaultReason::Signature)]);

    // What endorsers said to another proposal makes no transaction of this one.
    let other = channel.propose(&client.serialized, &call(&["Add", "n", "5"])).unwrap();
    let error = channel.assemble(&other, &all, client).unwrap_err();
    assert!(matches!(error, InvokeError::Proposal(_)), "{error}");
    assert_eq!(order(&mut net, &endorsed), ValidationCode::Valid);
}
