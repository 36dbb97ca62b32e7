//! Links that are up, and how they end.

use std::time::Duration;

use bytes::BytesMut;
use changbai_msp::{ChannelConfig, ConfigUpdate};
use changbai_network::frame::{self, Control};
use changbai_network::{Reason, StreamKind};
use changbai_wire::{PeerMessage, PeerStatus, ValidationCode};
use smkit::Sm3Digest;
use smkit_pki::Validity;
use tokio::time::{sleep, timeout};

use crate::consortium::{linked, submit};
use crate::stranger::Stranger;
use crate::world::{NOW, Node, PATIENCE, World, connection, until};

/// The second node, played by hand, with these streams up.
async fn played(world: &World, kinds: &[StreamKind]) -> Vec<Stranger> {
    let b = &world.agencies[1];
    let mut links = Vec::new();
    for kind in kinds {
        let mut link = Stranger::dial(world.address(0), Some(b.tls.clone())).await.unwrap();
        let genesis = world.genesis.header.hash();
        link.open(&b.node, &world.config.channel_id, genesis, *kind).await.unwrap();
        links.push(link);
    }
    links
}

const ORDER: [StreamKind; 3] = [StreamKind::Consensus, StreamKind::Bodies, StreamKind::Sync];

fn message(bytes: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::new();
    frame::write_header(&mut out, bytes);
    out.extend_from_slice(bytes);
    out.to_vec()
}

fn status(height: u64) -> Vec<u8> {
    let (genesis, tip) = (Sm3Digest::new([1; 32]), Sm3Digest::new([2; 32]));
    let status = PeerStatus { genesis, height, tip, config_number: 0 };
    PeerMessage::Status(status).encode().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_no_link_carries_end_it() {
    let world = World::new(4).await;
    let node = world.start(0).await;
    let most = StreamKind::Consensus.message_bytes_max();
    let long = u32::try_from(most + 1).unwrap().to_be_bytes().to_vec();
    let control = [0x80, 0, 0, 9, 77, 0, 0, 0, 0, 0, 0, 0, 0].to_vec();
    for (bytes, reason) in [(long, Reason::FrameTooLong), (control, Reason::FrameMalformed)] {
        let mut links = played(&world, &[StreamKind::Consensus]).await;
        links[0].raw(&bytes).await;
        assert_eq!(links[0].bye().await, Some(reason));
        until("noted", || node.seen.ends().contains(&(reason, false))).await;
    }
    let mut links = played(&world, &[StreamKind::Calls]).await;
    links[0].raw(&message(b"?")).await;
    assert_eq!(links[0].bye().await, Some(Reason::CallMalformed));
    // What a peer says on the right stream is the orderer's to judge, and the link stays.
    let mut links = played(&world, &ORDER).await;
    until("connected", || node.connected() == 1).await;
    links[2].raw(&message(b"no message")).await;
    links[2].raw(&message(&status(3))).await;
    until("the orderer refuses", || !node.seen.orders.lock().unwrap().is_empty()).await;
    assert_eq!(node.connected(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_peer_a_lonely_stream_and_a_goodbye() {
    let mut world = World::new(4).await;
    world.limits.ping = Duration::from_millis(50);
    world.limits.silence = Duration::from_millis(400);
    world.limits.incomplete = Duration::from_millis(200);
    let node = world.start(0).await;
    let mut silent = played(&world, &[StreamKind::Bodies]).await;
    assert_eq!(silent[0].bye().await, Some(Reason::Silence));
    // It speaks, but the other streams that the orderer needs do not come.
    let mut lonely = played(&world, &[StreamKind::Sync]).await;
    lonely[0].raw(&message(&status(3))).await;
    assert_eq!(lonely[0].bye().await, Some(Reason::Incomplete));
    let mut leaving = played(&world, &[StreamKind::Sync]).await;
    let mut bye = BytesMut::new();
    frame::write_control(&mut bye, Control::Bye(Reason::Stopping.number()));
    leaving[0].raw(&bye).await;
    until("noted", || node.seen.ends().contains(&(Reason::Stopping, true))).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_dials_again_has_lost_its_link() {
    let world = World::new(4).await;
    let node = world.start(0).await;
    let mut first = played(&world, &ORDER).await;
    until("connected", || node.connected() == 1).await;
    let mut second = played(&world, &[StreamKind::Bodies]).await;
    assert_eq!(first[1].bye().await, Some(Reason::Replaced));
    until("connected anew", || node.connected() == 1 && node.driver.traffic().connects == 2).await;
    // The orderer tells a peer that is connected where it stands.
    assert!(first[2].frame().await.is_some());
    // A new process: all links of the earlier one are dead.
    second[0].incarnation = 10;
    let b = &world.agencies[1];
    let mut again = Stranger::dial(world.address(0), Some(b.tls.clone())).await.unwrap();
    again.incarnation = 10;
    let genesis = world.genesis.header.hash();
    again.open(&b.node, "city", genesis, StreamKind::Sync).await.unwrap();
    assert_eq!(first[0].bye().await, Some(Reason::Replaced));
    assert_eq!(second[0].bye().await, Some(Reason::Replaced));
    until("one stream is left", || {
        node.driver.peers().iter().all(|peer| peer.streams == [StreamKind::Sync])
    })
    .await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_reads_nothing_costs_the_others_nothing() {
    let mut world = World::new(4).await;
    // It is to stay linked all the time.
    (world.limits.silence, world.limits.write_stall) = (PATIENCE, PATIENCE);
    let mut nodes = Vec::new();
    for at in [0, 2, 3] {
        nodes.push(world.start(at).await);
    }
    // The fourth validator answers nothing and reads nothing.
    let links = played(&world, &ORDER).await;
    until("connected", || nodes[0].connected() == 3).await;
    // More than sockets buffer and queues hold.
    let value = "x".repeat(450 << 10);
    for round in 0..3 {
        let send = |n: usize| nodes[0].submit_value(&world, &format!("{round}-{n}"), &value);
        let pending: Vec<_> = (0..10).map(send).collect();
        for outcome in pending {
            let outcome = timeout(PATIENCE, outcome).await.unwrap().unwrap();
            assert_eq!(outcome.code, ValidationCode::Valid);
        }
    }
    let traffic = nodes[0].driver.traffic();
    assert!(ORDER.iter().any(|kind| traffic.stream(*kind).dropped_out > 0), "{traffic:?}");
    assert_eq!(nodes[0].connected(), 3);
    drop(links);
    for node in nodes {
        node.stop().await;
    }
}

/// Five nodes, one more than the fewest that bear a fault, whose configuration then changes.
async fn change(make: impl FnOnce(&World, &mut ChannelConfig)) -> (World, Vec<Node>) {
    let world = World::new(5).await;
    let mut changed = world.config.clone();
    make(&world, &mut changed);
    let update = ConfigUpdate::compute(&world.config, &changed).unwrap();
    let nodes = world.start_all().await;
    linked(&nodes).await;
    let outcome = nodes[0].channel.broadcast(world.agreed(&update)).unwrap();
    let outcome = timeout(PATIENCE, outcome).await.unwrap().unwrap();
    assert_eq!(outcome.code, ValidationCode::Valid);
    (world, nodes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organisation_that_is_removed_loses_its_links() {
    let (world, nodes) = change(|_, config| {
        config.orgs.pop();
        config.validators.pop();
    })
    .await;
    until("the others have closed", || nodes[..4].iter().all(|node| node.connected() == 3)).await;
    let ends = nodes[0].seen.ends();
    assert!(ends.contains(&(Reason::NotMember, false)), "{ends:?}");
    until("it was told, and no more than a stranger is", || {
        let told = nodes[4].seen.ends();
        told.contains(&(Reason::Elsewhere, true)) || told.contains(&(Reason::NotMember, false))
    })
    .await;
    submit(&world, &nodes[..4], "after").await;
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_is_revoked_ends_its_links() {
    for connection in [true, false] {
        let (world, nodes) = change(|world, config| {
            let last = &world.agencies[4];
            let certificate = if connection { &last.tls.chain[0] } else { &last.node.certificate };
            if !connection {
                // A validator must be vouched for.
                config.validators.pop();
            }
            config.orgs[4].revoked.push(certificate.sm3());
        })
        .await;
        until("the others have closed", || nodes[..4].iter().all(|node| node.connected() == 3))
            .await;
        let reason = if connection { Reason::TlsRevoked } else { Reason::IdentityRevoked };
        let ends = nodes[0].seen.ends();
        assert!(ends.contains(&(reason, false)), "{ends:?}");
        submit(&world, &nodes[..4], "after").await;
        for node in nodes {
            node.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_expire_and_are_renewed_while_nodes_run() {
    let mut world = World::new(4).await;
    let soon = Validity { not_before: NOW.seconds() - 10, not_after: NOW.seconds() + 10 };
    world.agencies[3].tls = connection(&world.agencies[3].tls_authority, soon);
    let nodes = world.start_all().await;
    linked(&nodes).await;
    world.clock.advance(11_000);
    until("its links end", || nodes[..3].iter().all(|node| node.connected() == 2)).await;
    assert!(nodes[0].seen.ends().contains(&(Reason::TlsExpired, false)));
    submit(&world, &nodes[..3], "without").await;
    nodes[3]
        .hub
        .reload(connection(&world.agencies[3].tls_authority, crate::world::validity()))
        .unwrap();
    linked(&nodes).await;
    submit(&world, &nodes, "renewed").await;
    // Renewal in time: links stay as they are.
    let before: Vec<_> = nodes.iter().map(|node| node.driver.traffic().connects).collect();
    nodes[2]
        .hub
        .reload(connection(&world.agencies[2].tls_authority, crate::world::validity()))
        .unwrap();
    sleep(Duration::from_millis(300)).await;
    let after: Vec<_> = nodes.iter().map(|node| node.driver.traffic().connects).collect();
    assert_eq!(before, after);
    for node in nodes {
        node.stop().await;
    }
}
