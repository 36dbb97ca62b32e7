//! Questions and answers between nodes.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use changbai_network::limits::{CALL_BYTES_MAX, CALLS_SERVED_MAX};
use changbai_network::{CallError, StreamKind};
use tokio::task::JoinSet;

use crate::consortium::linked;
use crate::world::{Node, PATIENCE, World, until};

async fn ask(node: &Node, world: &World, method: u8, request: Bytes) -> Result<Bytes, CallError> {
    node.driver.call(world.id(1), method, request, PATIENCE).await
}

/// The streams of calls are up, both ways.
async fn callable(nodes: &[Node]) {
    until("the stream of calls is up", || {
        nodes.iter().all(|node| {
            node.driver.peers().iter().all(|peer| peer.streams.contains(&StreamKind::Calls))
        })
    })
    .await;
}

/// Like a node that is older than the call, or does not offer it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_answers_no_calls_says_so() {
    let world = World::new(2).await;
    let serving = world.start(0).await;
    world.unserved.store(true, Ordering::SeqCst);
    let mut nodes = vec![serving, world.start(1).await];
    linked(&nodes).await;
    callable(&nodes).await;
    let [a, b] = &nodes[..] else { unreachable!() };
    for method in [0, 1, u8::MAX] {
        let refused = ask(a, &world, method, Bytes::from_static(b"hello")).await;
        let Err(CallError::Refused(refusal)) = refused else { panic!("{refused:?}") };
        assert_eq!(refusal.code, "NW-3001", "{method}");
    }
    // It may ask all the same, and a refusal leaves the link as it was.
    let answer = b.driver.call(world.id(0), 1, Bytes::from_static(b"hello"), PATIENCE).await;
    assert_eq!(answer.unwrap(), "hello");
    while let Some(node) = nodes.pop() {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_answered_refused_late_or_lost() {
    let world = World::new(2).await;
    let mut nodes = world.start_all().await;
    linked(&nodes).await;
    callable(&nodes).await;
    let [a, b] = &nodes[..] else { unreachable!() };
    assert_eq!(ask(a, &world, 1, Bytes::from_static(b"hello")).await.unwrap(), "hello");
    let large = Bytes::from(vec![7; CALL_BYTES_MAX]);
    assert_eq!(ask(a, &world, 1, large.clone()).await.unwrap(), large);
    assert_eq!(b.handler.callers.lock().unwrap()[..], ["Agency0MSP", "Agency0MSP"]);

    let Err(CallError::Refused(refusal)) = ask(a, &world, 2, Bytes::new()).await else { panic!() };
    assert_eq!((refusal.code.as_str(), refusal.text.as_str()), ("T-1", "不可以"));
    let Err(CallError::Refused(refusal)) = ask(a, &world, 4, Bytes::new()).await else { panic!() };
    assert_eq!(refusal.code, "NW-3002");
    let long = Bytes::from(vec![0; CALL_BYTES_MAX + 1]);
    assert!(matches!(ask(a, &world, 1, long).await, Err(CallError::TooLarge { .. })));
    let nobody = a.driver.call(world.id(0), 1, Bytes::new(), PATIENCE).await;
    assert_eq!(nobody, Err(CallError::Disconnected));
    let short = Duration::from_millis(50);
    let late = a.driver.call(world.id(1), 3, Bytes::new(), short).await;
    // Whose clock is first decides who says so.
    match late {
        Err(CallError::Timeout) => {}
        Err(CallError::Refused(refusal)) => assert_eq!(refusal.code, "NW-3003"),
        other => panic!("{other:?}"),
    }

    // More questions than the other side works on, none of which it answers.
    let mut open = JoinSet::new();
    for _ in 0..=CALLS_SERVED_MAX {
        let (caller, peer) = (a.driver.caller(), world.id(1));
        open.spawn(async move { caller.call(peer, 3, Bytes::new(), PATIENCE).await });
    }
    let first = open.join_next().await.unwrap().unwrap();
    assert_eq!(first, Err(CallError::Busy));
    // The other direction is another matter.
    let back = b.driver.call(world.id(0), 1, Bytes::from_static(b"back"), PATIENCE).await;
    assert_eq!(back.unwrap(), "back");

    nodes.pop().unwrap().stop().await;
    // The call that came too late may have held its place a moment longer.
    let mut busy = 0;
    while let Some(result) = open.join_next().await {
        match result.unwrap() {
            Err(CallError::Busy) => busy += 1,
            other => assert_eq!(other, Err(CallError::Disconnected)),
        }
    }
    assert!(busy <= 1, "{busy} refused besides the first");
    nodes.pop().unwrap().stop().await;
}
