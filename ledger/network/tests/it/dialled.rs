//! What a node refuses of whom it dials, and which of two links is left.

use changbai_network::{Reason, StreamKind};

use crate::stranger::Stranger;
use crate::world::{Agency, Member, Node, World, genesis, member, until, validity};

/// The reason with which the first node, which dials, refuses the second, which is played.
async fn refused(member: impl FnOnce(&World) -> (Member, usize)) -> (Reason, World, Node) {
    let world = World::new(4).await;
    let (member, tls) = member(&world);
    let listener = world.listener(1);
    let node = world.start(0).await;
    let tls = world.agencies[tls].tls.clone();
    let mut dialled = Stranger::accept(&listener, tls).await.unwrap();
    let (kind, reason) = dialled.welcome(&member).await;
    assert_eq!(kind, StreamKind::Consensus, "the first that is dialled");
    (reason, world, node)
}

async fn noted(node: &Node, reason: Reason) {
    until("the reason is noted", || node.seen.refusals().contains(&(reason, false))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_dialled_must_be_who_it_should_be() {
    let (reason, _world, node) = refused(|world| (world.agencies[1].node.clone(), 2)).await;
    assert_eq!(reason, Reason::TlsForeign);
    noted(&node, reason).await;
    node.stop().await;
    let (reason, _world, node) = refused(|world| {
        let b = &world.agencies[1];
        (member(&b.msp_id, &b.authority, &["peer"], validity()), 1)
    })
    .await;
    assert_eq!(reason, Reason::Another);
    noted(&node, reason).await;
    node.stop().await;
    let (reason, _world, node) = refused(|world| {
        // Somebody else's identity, whose key it does not have.
        let mut other = world.agencies[1].node.clone();
        other.key = world.agencies[2].node.key.clone();
        (other, 1)
    })
    .await;
    assert_eq!(reason, Reason::Signature);
    noted(&node, reason).await;
    node.stop().await;
    let (reason, _world, node) = refused(|_| (Agency::new("ForeignMSP").node, 1)).await;
    assert_eq!(reason, Reason::Elsewhere, "a stranger is told no more when it is dialled");
    noted(&node, Reason::NotMember).await;
    node.stop().await;
    let (reason, _world, node) = refused(|world| (world.agencies[1].node.clone(), 1)).await;
    assert_eq!(reason, Reason::Other, "0: it is taken");
    // The other side has gone since: what counts is that it was taken.
    until("it was linked", || {
        let traffic = node.driver.traffic();
        StreamKind::ALL.into_iter().any(|kind| traffic.stream(kind).links > 0)
    })
    .await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_certificate_ends_the_handshake_of_the_dialler() {
    let world = World::new(4).await;
    let listener = world.listener(1);
    let node = world.start(0).await;
    assert!(Stranger::accept(&listener, Agency::new("ForeignMSP").tls).await.is_err());
    noted(&node, Reason::TlsHandshake).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_another_genesis_block_is_told_so() {
    let world = World::new(4).await;
    let (b, mut config) = (&world.agencies[1], world.config.clone());
    config.batch.timeout_ms += 1;
    let node = world.start(0).await;
    let other = world.start_as(1, &b.node, b.tls.clone(), genesis(&config)).await;
    for node in [&node, &other] {
        until("both know", || {
            node.seen.refusals().iter().any(|(reason, _)| *reason == Reason::ForeignGenesis)
        })
        .await;
    }
    assert_eq!((node.connected(), other.connected()), (0, 0));
    node.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_links_the_one_is_left_that_the_smaller_id_dialled() {
    for smaller in [true, false] {
        let mut agencies: Vec<_> = (0..4).map(|at| Agency::new(&format!("A{at}MSP"))).collect();
        agencies.sort_by_key(|agency| agency.node.id());
        if !smaller {
            agencies.reverse();
        }
        let world = World::of("city", agencies).await;
        let b = &world.agencies[1];
        let listener = world.listener(1);
        let node = world.start(0).await;
        let mut dialled = Stranger::accept(&listener, b.tls.clone()).await.unwrap();
        let (kind, _) = dialled.welcome(&b.node).await;
        until("it is up", || node.driver.peers().len() == 1).await;
        // The other side has dialled at the same time.
        let mut dialling = Stranger::dial(world.address(0), Some(b.tls.clone())).await.unwrap();
        let opened = dialling.open(&b.node, "city", world.genesis.header.hash(), kind).await;
        if smaller {
            assert_eq!(opened, Err(Reason::Duplicate), "this node dialled the link that stays");
        } else {
            assert_eq!(opened, Ok(()));
            assert_eq!(dialled.bye().await, Some(Reason::Replaced));
        }
        node.stop().await;
    }
}
