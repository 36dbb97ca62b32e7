//! What is refused before a link is up, with its code on both sides.

use std::time::Duration;

use changbai_channel::Block;
use changbai_network::hello::{Greeting, Message, VERSION};
use changbai_network::{Reason, StreamKind};
use smkit_pki::Validity;
use tokio::time::sleep;

use crate::stranger::Stranger;
use crate::world::{Agency, NOW, Node, World, connection, member, until, validity};

/// The first of four nodes, alone: the others are played.
async fn first() -> (World, Node) {
    let mut world = World::new(4).await;
    world.limits.hello_deadline = Duration::from_secs(2);
    let node = world.start(0).await;
    (world, node)
}

/// What the node itself noted of openings that came in.
async fn noted(node: &Node, reason: Reason) {
    until("the reason is noted", || node.seen.refusals().contains(&(reason, false))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_without_a_certificate_of_a_member_end_in_the_handshake() {
    let (world, node) = first().await;
    let foreign = Agency::new("ForeignMSP");
    let mut stranger = Stranger::dial(world.address(0), Some(foreign.tls)).await.unwrap();
    assert_eq!(stranger.alert().await, Some(48), "unknown_ca");
    let mut stranger = Stranger::dial(world.address(0), None).await.unwrap();
    assert_eq!(stranger.alert().await, Some(116), "certificate_required");
    let yesterday = Validity { not_before: 0, not_after: NOW.seconds() - 1 };
    let expired = connection(&world.agencies[1].tls_authority, yesterday);
    let mut stranger = Stranger::dial(world.address(0), Some(expired)).await.unwrap();
    assert_eq!(stranger.alert().await, Some(45), "certificate_expired");
    // A ledger identity is no certificate of connections, though its root is a member's.
    let identity = &world.agencies[1].node;
    let tls = smkit_tls::link::KeyPair {
        chain: vec![identity.certificate.clone()],
        key: identity.private.clone(),
    };
    let mut stranger = Stranger::dial(world.address(0), Some(tls)).await.unwrap();
    assert_eq!(stranger.alert().await, Some(48), "unknown_ca");
    until("all four are noted", || {
        let noted = node.seen.refusals();
        noted.iter().filter(|(reason, _)| *reason == Reason::TlsHandshake).count() == 4
    })
    .await;
    assert_eq!(node.hub.refused(), 4);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identities_that_may_not_link_are_told_why_if_they_are_of_the_channel() {
    let (world, node) = first().await;
    let genesis = world.genesis.header.hash();
    let [_, b, c, _] = &world.agencies[..] else { unreachable!() };
    let past = Validity { not_before: 0, not_after: NOW.seconds() - 1 };
    let client = member(&b.msp_id, &b.authority, &["client"], validity());
    let expired = member(&b.msp_id, &b.authority, &["peer"], past);
    let foreign = Agency::new("ForeignMSP");
    let usurper = member(&b.msp_id, &foreign.authority, &["peer"], validity());
    for (identity, told, noted_as) in [
        (&c.node, Reason::TlsForeign, Reason::TlsForeign),
        (&client, Reason::Role, Reason::Role),
        (&expired, Reason::IdentityExpired, Reason::IdentityExpired),
        // These two are not of the channel, whatever they say: they learn nothing.
        (&foreign.node, Reason::Elsewhere, Reason::NotMember),
        (&usurper, Reason::Elsewhere, Reason::NotMember),
    ] {
        let mut stranger = Stranger::dial(world.address(0), Some(b.tls.clone())).await.unwrap();
        let opened = stranger.open(identity, "city", genesis, StreamKind::Sync).await;
        assert_eq!(opened, Err(told));
        noted(&node, noted_as).await;
    }
    // With the node's own identity on its own certificate.
    let a = &world.agencies[0];
    let mut stranger = Stranger::dial(world.address(0), Some(a.tls.clone())).await.unwrap();
    let opened = stranger.open(&a.node, "city", genesis, StreamKind::Sync).await;
    assert_eq!(opened, Err(Reason::Own));
    assert!(node.driver.peers().is_empty());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_are_named_to_members_only() {
    let (world, node) = first().await;
    let genesis = world.genesis.header.hash();
    let other = Block::genesis(&world.config, world.config.to_genesis_envelope(), NOW.0 + 1);
    let b = &world.agencies[1];
    let foreign = Agency::new("ForeignMSP");
    for (identity, channel, genesis, told) in [
        (&b.node, "city", other.header.hash(), Reason::ForeignGenesis),
        (&b.node, "town", genesis, Reason::Elsewhere),
        // A stranger sees the same answer for a channel that exists and for one that does not.
        (&foreign.node, "city", other.header.hash(), Reason::Elsewhere),
        (&foreign.node, "city", genesis, Reason::Elsewhere),
        (&foreign.node, "town", genesis, Reason::Elsewhere),
    ] {
        let mut stranger = Stranger::dial(world.address(0), Some(b.tls.clone())).await.unwrap();
        let opened = stranger.open(identity, channel, genesis, StreamKind::Sync).await;
        assert_eq!(opened, Err(told));
    }
    noted(&node, Reason::ForeignGenesis).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hello_holds_on_its_own_connection_only() {
    let (world, node) = first().await;
    let genesis = world.genesis.header.hash();
    let b = &world.agencies[1];
    let dial = || Stranger::dial(world.address(0), Some(b.tls.clone()));
    let mut first = dial().await.unwrap();
    first.greet().await;
    let hello = first.hello(&b.node, "city", genesis, StreamKind::Consensus).encode();

    let mut replayed = dial().await.unwrap();
    replayed.greet().await;
    replayed.send(&hello).await;
    assert_eq!(replayed.verdict().await, Reason::Signature);
    // The same for another stream.
    let mut other = dial().await.unwrap();
    other.greet().await;
    let Message::Hello(mut hello) = other.hello(&b.node, "city", genesis, StreamKind::Consensus)
    else {
        unreachable!()
    };
    hello.kind = StreamKind::Calls;
    other.send(&Message::Hello(hello).encode()).await;
    assert_eq!(other.verdict().await, Reason::Signature);
    // Over another certificate of the same organisation: somebody is in between.
    let between = connection(&b.tls_authority, validity());
    let mut between = Stranger::dial(world.address(0), Some(between)).await.unwrap();
    between.greet().await;
    between.pretend(&b.tls);
    let hello = between.hello(&b.node, "city", genesis, StreamKind::Consensus);
    between.send(&hello.encode()).await;
    assert_eq!(between.verdict().await, Reason::Signature);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_bytes_than_an_opening() {
    let (world, node) = first().await;
    let b = &world.agencies[1];
    let dial = || Stranger::dial(world.address(0), Some(b.tls.clone()));

    let mut garbage = dial().await.unwrap();
    garbage.send(b"GET / HTTP/1.1").await;
    garbage.receive().await.unwrap();
    assert_eq!(garbage.verdict().await, Reason::Malformed);

    let mut version = dial().await.unwrap();
    version.send(&Greeting { version: VERSION + 1, nonce: [1; 32] }.encode()).await;
    version.receive().await.unwrap();
    assert_eq!(version.verdict().await, Reason::Version);

    let mut long = dial().await.unwrap();
    long.raw(&(1_u32 << 30).to_be_bytes()).await;
    long.receive().await.unwrap();
    assert_eq!(long.verdict().await, Reason::HelloTooLong);

    let mut early = dial().await.unwrap();
    early.greet().await;
    early.send(&Message::Verdict(0).encode()).await;
    assert_eq!(early.verdict().await, Reason::Malformed);

    // One byte at a time, and never the last.
    let mut slow = dial().await.unwrap();
    for byte in [0, 0, 0, 41, b'c', b'h'] {
        slow.raw(&[byte]).await;
        sleep(Duration::from_millis(20)).await;
    }
    noted(&node, Reason::Deadline).await;
    node.stop().await;
}
