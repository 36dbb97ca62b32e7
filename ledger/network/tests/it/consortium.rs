//! Four nodes order together; one goes and comes back.

use std::io::ErrorKind;

use changbai_network::StreamKind;
use changbai_storage::faulty::{Fault, FaultyFiles};
use changbai_wire::ValidationCode;
use tokio::time::timeout;

use crate::world::{Node, PATIENCE, World, until};

pub(crate) async fn linked(nodes: &[Node]) {
    let others = nodes.len() - 1;
    until("everybody is linked", || nodes.iter().all(|node| node.connected() == others)).await;
}

/// Hands in at every node and waits for the outcomes.
pub(crate) async fn submit(world: &World, nodes: &[Node], prefix: &str) {
    let pending: Vec<_> = nodes
        .iter()
        .enumerate()
        .map(|(at, node)| node.submit(world, &format!("{prefix}{at}")))
        .collect();
    for outcome in pending {
        let outcome = timeout(PATIENCE, outcome).await.unwrap().unwrap();
        assert_eq!(outcome.code, ValidationCode::Valid);
    }
}

async fn even(nodes: &[&Node]) {
    until("all have the same blocks", || {
        let first = nodes[0].channel.status();
        nodes.iter().all(|node| {
            let status = node.channel.status();
            (status.height, status.tip) == (first.height, first.tip)
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_nodes_commit_and_one_comes_back() {
    let world = World::new(4).await;
    let mut nodes = world.start_all().await;
    linked(&nodes).await;
    submit(&world, &nodes, "a").await;
    even(&nodes.iter().collect::<Vec<_>>()).await;

    let gone = nodes.pop().unwrap();
    gone.stop().await;
    until("the others notice", || nodes.iter().all(|node| node.connected() == 2)).await;
    submit(&world, &nodes, "b").await;

    nodes.push(world.start(3).await);
    linked(&nodes).await;
    even(&nodes.iter().collect::<Vec<_>>()).await;
    submit(&world, &nodes, "c").await;
    even(&nodes.iter().collect::<Vec<_>>()).await;
    for node in nodes {
        let traffic = node.driver.traffic();
        assert!(traffic.stream(StreamKind::Consensus).messages_in > 0);
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_disk_fails_halts_and_leaves() {
    let world = World::new(4).await;
    let disk = FaultyFiles::new();
    let failing = world.start_on(3, &disk).await;
    let mut nodes = Vec::new();
    for at in 0..3 {
        nodes.push(world.start(at).await);
    }
    until("all are linked", || failing.connected() == 3).await;
    submit(&world, &nodes, "before").await;
    disk.fail_at(disk.operations(), Fault::Error(ErrorKind::Other));
    submit(&world, &nodes, "after").await;
    until("it says so", || !failing.seen.halted.lock().unwrap().is_empty()).await;
    // Its owner has done nothing yet: the others are not to believe that it still orders.
    until("its links end", || nodes.iter().all(|node| node.connected() == 2)).await;
    let halted = failing.seen.halted.lock().unwrap()[0].to_string();
    assert_eq!(failing.halt().await.to_string(), halted);
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_dial_and_one_link_of_each_kind_is_left() {
    let world = World::new(4).await;
    let nodes = world.start_all().await;
    linked(&nodes).await;
    until("all kinds are up", || {
        nodes.iter().all(|node| {
            let peers = node.driver.peers();
            peers.len() == 3 && peers.iter().all(|peer| peer.streams == StreamKind::ALL)
        })
    })
    .await;
    for node in nodes {
        node.stop().await;
    }
}
