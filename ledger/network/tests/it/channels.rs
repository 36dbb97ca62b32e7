//! Several channels on one node, and one without any other node.

use std::sync::Arc;

use changbai_network::{ChannelDriver, DriverError, DriverParts, JoinParts, Reason, StreamKind};
use changbai_wire::ValidationCode;
use tokio::time::timeout;

use crate::consortium::{linked, submit};
use crate::stranger::Stranger;
use crate::world::{PATIENCE, World, configuration, genesis, put, until};

fn join() -> JoinParts {
    JoinParts { observer: Arc::new(()), handler: None, now_ms: 0 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_of_one_channel_sees_nothing_of_another() {
    let world = World::new(3).await;
    let nodes = world.start_all().await;
    linked(&nodes).await;
    // The first two have another channel, on the same ports.
    let court = configuration("court", &world.agencies[..2], &world.addresses[..2]);
    let block = genesis(&court);
    let mut members = Vec::new();
    for (at, node) in nodes[..2].iter().enumerate() {
        let member = &world.agencies[at].node;
        let (channel, orderer) = world.open(member, block.clone(), &world.dir(at).join("court"));
        let driver = node.hub.join(channel.clone(), orderer, join()).unwrap();
        members.push((channel, driver));
    }
    until("both are linked", || members.iter().all(|(_, driver)| driver.peers().len() == 1)).await;
    let endorsed = members[1].0.endorse(&world.client.signing, &put("case", "1")).unwrap();
    let outcome = members[1].0.broadcast(endorsed.envelope).unwrap();
    let outcome = timeout(PATIENCE, outcome).await.unwrap().unwrap();
    assert_eq!(outcome.code, ValidationCode::Valid);
    submit(&world, &nodes, "both").await;

    // The third is let in by TLS, as a member of the first channel, and that is all it learns.
    let third = &world.agencies[2];
    for channel in ["court", "nowhere"] {
        let mut asking = Stranger::dial(world.address(0), Some(third.tls.clone())).await.unwrap();
        let hash = block.header.hash();
        let opened = asking.open(&third.node, channel, hash, StreamKind::Sync).await;
        assert_eq!(opened, Err(Reason::Elsewhere));
    }
    // A second time the same channel is refused; a channel that was left can be joined again.
    let (channel, driver) = members.pop().unwrap();
    channel.stop();
    let orderer = driver.join().await.unwrap();
    let first = &world.agencies[0].node;
    let (again, again_orderer) = world.open(first, block.clone(), &world.dir(2).join("again"));
    let refused = nodes[0].hub.join(again, again_orderer, join());
    assert!(matches!(refused, Err(DriverError::Joined { .. })));
    let driver = nodes[1].hub.join(channel.clone(), orderer, join()).unwrap();
    drop(driver.join().await.unwrap());
    for (channel, driver) in members {
        channel.stop();
        channel.close(driver.join().await.unwrap()).unwrap();
    }
    assert_eq!(nodes[0].connected(), 2, "the other channel goes on");
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test]
async fn a_channel_of_one_needs_no_links() {
    let world = World::new(1).await;
    let member = &world.agencies[0].node;
    let (channel, orderer) = world.open(member, world.genesis.clone(), &world.dir(0));
    let parts = DriverParts { observer: Arc::new(()), now_ms: 0 };
    let driver = ChannelDriver::alone(channel.clone(), orderer, parts).unwrap();
    let endorsed = channel.endorse(&world.client.signing, &put("k", "v")).unwrap();
    let outcome = channel.broadcast(endorsed.envelope).unwrap();
    let outcome = timeout(PATIENCE, outcome).await.unwrap().unwrap();
    assert_eq!(outcome.code, ValidationCode::Valid);
    assert!(driver.peers().is_empty());
    channel.stop();
    channel.close(driver.join().await.unwrap()).unwrap();
}
