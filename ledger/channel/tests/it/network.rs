//! Channels of several validators: work handed in anywhere is committed everywhere.

use std::path::Path;

use changbai_channel::{BroadcastError, OpenError, OrderEvent, Proof, Tally};
use changbai_storage::StorageError;
use changbai_storage::faulty::FaultyFiles;
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

#[test]
fn a_dead_leader_is_gone_round_and_comes_back() {
    let world = World::of(4);
    let mut net = Net::new(&world, 0);
    net.run(500);
    let (_, mut before) = net.submit(0, &["Put", "before", "x"]);
    net.run(500);
    let before = before.try_recv().unwrap();
    // Whoever proposes next.
    let next = usize::try_from(net.heights()[0] % 4).unwrap();
    net.kill(next);
    let other = (next + 1) % 4;
    let (_, mut outcome) = net.submit(other, &["Put", "k", "x"]);
    net.run(2_000);
    assert_eq!(outcome.try_recv().expect("within two seconds").code, ValidationCode::Valid);
    for n in 0..8 {
        let at = (next + 1 + n % 3) % 4;
        net.submit(at, &["Put", &format!("more{n}"), "x"]);
        net.run(1_500);
    }
    net.start(next);
    net.run(3_000);
    net.assert_equal();
    let channel = &net.node(next).channel;
    assert!(
        channel
            .blocks(u64::MAX, 100)
            .unwrap()
            .iter()
            .any(|b| { b.header.number == before.block_number })
    );
    let synced = net.nodes[next].events.iter();
    let synced = synced.filter(|e| matches!(e, OrderEvent::Committed { synced: true, .. }));
    assert!(synced.count() > 8, "it caught up by blocks under their certificates");
    for event in &net.nodes[next].events {
        let OrderEvent::Committed { transactions, valid, tally, .. } = event else { continue };
        let count = |parts: &mut dyn Iterator<Item = &Tally>| parts.map(|t| t.count).sum::<usize>();
        assert_eq!(count(&mut tally.iter()), *transactions);
        assert_eq!(count(&mut tally.iter().filter(|t| t.code == ValidationCode::Valid)), *valid);
        assert!(tally.iter().all(|t| t.contract.is_some()), "{tally:?}");
    }
}

#[test]
fn a_proposer_that_leaves_in_its_own_turn_is_not_waited_for() {
    let world = World::of(4);
    let mut net = Net::new(&world, 0);
    net.run(500);
    let next = usize::try_from(net.heights()[0] % 4).unwrap();
    // It takes nothing more, and so begins nothing either, while the others wait for its proposal.
    net.node(next).channel.stop();
    let (_, mut outcome) = net.submit((next + 1) % 4, &["Put", "k", "x"]);
    net.run(50);
    assert!(outcome.try_recv().is_err(), "nobody else may propose yet");
    net.kill(next);
    // 60 ms for the proposal of one that is absent, 300 ms for precommits that might still come; the
    // patience with a proposer that is there would have been 600 ms.
    net.run(400);
    let outcome = outcome.try_recv().expect("as soon as after an absent proposer's turn");
    assert_eq!(outcome.code, ValidationCode::Valid);
}

#[test]
fn without_a_quorum_nothing_is_decided_and_the_status_says_so() {
    let world = World::of(4);
    let mut net = Net::new(&world, 0);
    net.run(500);
    net.kill(2);
    net.kill(3);
    let (_, mut outcome) = net.submit(0, &["Put", "k", "x"]);
    net.run(30_000);
    assert!(outcome.try_recv().is_err());
    let status = net.node(0).channel.status();
    assert!(status.condition.no_quorum_since_ms.is_some());
    net.start(2);
    net.run(40_000);
    assert_eq!(outcome.try_recv().unwrap().code, ValidationCode::Valid);
    assert_eq!(net.node(0).channel.status().condition.no_quorum_since_ms, None);
}

#[test]
fn a_validator_with_an_empty_disk_votes_beyond_what_it_may_have_signed() {
    let world = World::of(4);
    let mut net = Net::new(&world, 0);
    for n in 0..3 {
        net.submit(n, &["Put", &format!("k{n}"), "x"]);
        net.run(1_000);
    }
    let before = net.heights()[0];
    net.kill(1);
    let mark = Path::new("/node/consensus.newcomer");
    let files = FaultyFiles::new();
    files.set_content(mark, Some(Vec::new()));
    net.nodes[1].files = files;
    net.start(1);
    net.run(3_000);
    assert_eq!(net.heights(), [before; 4], "it has caught up");
    assert!(net.node(1).orderer.is_newcomer() && !net.node(1).channel.status().condition.validator);

    // After a restart it still knows that it does not know.
    net.kill(1);
    net.start(1);
    net.run(1_000);
    assert!(net.node(1).orderer.is_newcomer());

    let (_, mut outcome) = net.submit(1, &["Put", "more", "x"]);
    net.run(2_000);
    assert_eq!(outcome.try_recv().unwrap().code, ValidationCode::Valid);
    assert_eq!(net.heights(), [before + 2; 4], "the transaction, and the block that proves it");
    assert!(!net.node(1).orderer.is_newcomer() && net.node(1).channel.status().condition.validator);
    assert_eq!(net.nodes[1].files.content(mark), None);

    // Without its vote these three would be two.
    net.kill(2);
    let (_, mut outcome) = net.submit(0, &["Put", "with it", "x"]);
    net.run(5_000);
    assert_eq!(outcome.try_recv().unwrap().code, ValidationCode::Valid);
    let accused = |event: &OrderEvent| matches!(event, OrderEvent::Misbehaviour(_));
    assert!(!net.nodes.iter().any(|node| node.events.iter().any(accused)));
}

#[test]
fn a_full_disk_suspends_and_resumes() {
    let world = World::of(4);
    let mut net = Net::new(&world, 0);
    net.run(500);
    let files = net.nodes[1].files.clone();
    files.fail_at(files.operations(), changbai_storage::faulty::Fault::Full);
    for n in 0..6 {
        let at = [0, 2, 3][n % 3];
        let (_, mut outcome) = net.submit(at, &["Put", &format!("k{n}"), "x"]);
        net.run(3_000);
        assert_eq!(outcome.try_recv().unwrap().code, ValidationCode::Valid, "{n}");
    }
    let status = net.node(1).channel.status();
    assert!(status.condition.suspended.is_some() && status.halted.is_none());
    assert!(status.height < net.heights()[0], "it decides nothing");
    assert!(net.node(1).channel.block(1).unwrap().is_some(), "and reads on");
    files.heal();
    net.run(5_000);
    net.assert_equal();
    assert_eq!(net.node(1).channel.status().condition.suspended, None);
    let events = &net.nodes[1].events;
    assert!(events.contains(&OrderEvent::Resumed));
}

#[test]
fn little_space_is_enough_reason_to_stop_before_anything_is_signed() {
    let world = World::of(1);
    let mut net = Net::new(&world, 0);
    net.run(500);
    let files = net.nodes[0].files.clone();
    // One that was taken while there was space waits for it; another one is not taken.
    let (_, mut outcome) = net.submit(0, &["Put", "k", "x"]);
    files.set_free_bytes(Some(1 << 20));
    net.run(2_000);
    assert!(outcome.try_recv().is_err());
    let endorsed = net.node(0).endorse(&world, &["Put", "l", "x"]);
    let refused = net.node(0).channel.broadcast(endorsed.envelope);
    assert!(matches!(refused, Err(BroadcastError::Suspended { .. })), "{refused:?}");
    files.set_free_bytes(None);
    net.run(2_000);
    assert_eq!(outcome.try_recv().unwrap().code, ValidationCode::Valid);
}

#[test]
fn a_damaged_block_log_is_named_and_repaired_from_peers() {
    let world = World::of(4);
    let mut net = Net::new(&world, 0);
    for n in 0..5 {
        net.submit(n % 4, &["Put", &format!("k{n}"), "x"]);
        net.run(1_000);
    }
    net.kill(2);
    let files = net.nodes[2].files.clone();
    let path = files.paths().into_iter().find(|path| path.to_string_lossy().contains("blocks"));
    let path = path.unwrap();
    let mut content = files.content(&path).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    files.set_content(&path, Some(content));

    let refused = net.try_start(2, false);
    let Err(OpenError::Storage(StorageError::Corrupt { file, offset, .. })) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(file.file_name(), path.file_name());
    assert!(offset > 0 && offset <= middle as u64);

    net.try_start(2, true).unwrap();
    let kept = net.node(2).recovery.salvaged_to.unwrap();
    assert!(kept > 0 && kept + 1 < net.heights()[0], "a part of it");
    let (_, mut outcome) = net.submit(2, &["Put", "after", "x"]);
    net.run(5_000);
    assert_eq!(outcome.try_recv().unwrap().code, ValidationCode::Valid);
    net.assert_equal();
    assert!(net.node(2).channel.status().condition.validator, "it votes again");
    let aside = format!("{}.damaged", path.display());
    let paths = net.nodes[2].files.paths();
    assert!(paths.iter().any(|p| p.to_string_lossy() == aside), "nothing was destroyed");
}
