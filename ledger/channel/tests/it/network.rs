//! Channels of several validators: work handed in anywhere is committed everywhere.

use changbai_channel::{OrderEvent, Proof};
use changbai_wire::ValidationCode;

use crate::net::Net;
use crate::world::World;

#[test]
fn transactions_handed_in_at_different_nodes_are_committed_by_all() {
    let world = World::of(4);
    let mut net = Net::new(&world, 1);
    let mut pending = Vec::new();
    for n in 0..12_usize {
        let key = format!("k{n}");
        pending.push(net.submit(n % 5, &["Put", &key, "x"]));
        if n % 3 == 2 {
            net.run(20);
        }
    }
    net.run(2_000);
    for (endorsed, mut outcome) in pending {
        let outcome = outcome.try_recv().expect("answered by the node that took it");
        assert_eq!(outcome.code, ValidationCode::Valid);
        for at in 0..5 {
            let found = net.node(at).channel.transaction(&endorsed.tx_id).unwrap();
            assert_eq!(found.unwrap().1, outcome, "the same at every node");
            let proof = net.node(at).channel.prove(&endorsed.tx_id).unwrap();
            let Proof::Proven(proof) = proof else { panic!("{proof:?}") };
            assert!(proof.signatures.len() >= 3);
        }
    }
    net.assert_equal();
    let refusals = net.nodes.iter().flat_map(|node| &node.events);
    let refusals: Vec<_> =
        refusals.filter(|event| matches!(event, OrderEvent::Refused { .. })).collect();
    assert_eq!(refusals, [] as [&OrderEvent; 0]);
}

#[test]
fn an_idle_network_makes_no_blocks() {
    let world = World::of(4);
    let mut net = Net::new(&world, 0);
    net.run(3_000);
    assert_eq!(net.heights(), [2; 4], "genesis and the block that proves it");
    net.submit(2, &["Put", "a", "1"]);
    net.run(3_000);
    assert_eq!(net.heights(), [4; 4], "the transaction and the block that proves it");
    net.run(60_000);
    assert_eq!(net.heights(), [4; 4]);
}
