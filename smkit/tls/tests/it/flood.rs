//! Ten thousand connections that never finish their handshake, and one that does.

use std::sync::Arc;

use smkit_tls::link::{Limits, LinkError, Protocol};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};

use crate::{
    authority::TestCa,
    link::{acceptor, connector, credentials},
};

const FLOOD: usize = 10_000;
/// Handshakes at a time: the bound that the flood must not move.
const HALF_OPEN_MAX: usize = 64;
/// File descriptors that the test leaves to everybody else.
const SPARE: usize = 200;

/// How many connections of the flood this process can hold open at once.
fn held_at_once() -> usize {
    let limits = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limits.maximum, maximum: limits.maximum };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, raised);
    let now = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let descriptors = now.map_or(FLOOD + 1000, |now| usize::try_from(now).unwrap_or(usize::MAX));
    descriptors.saturating_sub(SPARE + HALF_OPEN_MAX).min(FLOOD)
}

#[tokio::test]
async fn half_open_connections_do_not_stop_service() {
    let ca = TestCa::new();
    let limits = Limits { half_open_max: HALF_OPEN_MAX, ..Limits::default() };
    let acceptor = Arc::new(acceptor(&credentials(Some(&ca.server()), ca.verifier()), limits));
    let connector = connector(&credentials(Some(&ca.client()), ca.verifier()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();

    let serving = {
        let acceptor = Arc::clone(&acceptor);
        async move {
            let (mut tasks, mut served, mut evicted, mut most) = (JoinSet::new(), 0, 0, 0);
            while served < 3 {
                tokio::select! {
                    connection = listener.accept() => {
                        let (stream, _) = connection.unwrap();
                        let acceptor = Arc::clone(&acceptor);
                        tasks.spawn(async move { acceptor.accept(stream).await });
                    }
                    Some(finished) = tasks.join_next() => match finished.unwrap() {
                        Ok(_) => served += 1,
                        Err(LinkError::Evicted) => evicted += 1,
                        Err(_) => {}
                    }
                }
                most = most.max(acceptor.half_open());
            }
            (evicted, most)
        }
    };
    let flooding = async {
        let held = held_at_once();
        let (mut open, opened) = (std::collections::VecDeque::new(), Semaphore::new(0));
        for number in 0..FLOOD {
            let mut stream = TcpStream::connect(address).await.unwrap();
            // Half of them begin a ClientHello and stop.
            if number % 2 == 0 {
                let _ = stream.write_all(&[22, 3, 1, 0, 200, 1, 0, 0]).await;
            }
            if open.len() >= held {
                open.pop_front();
            }
            open.push_back(stream);
            opened.add_permits(1);
            // In the midst of it and at the end, somebody honest.
            if [FLOOD / 3, 2 * FLOOD / 3, FLOOD - 1].contains(&number) {
                let stream = TcpStream::connect(address).await.unwrap();
                let link = connector.connect(stream, "localhost", Protocol::Tls13).await;
                assert!(link.is_ok(), "after {number}: {link:?}");
            }
        }
        (opened.available_permits(), open)
    };
    let ((evicted, most), (opened, _open)) = tokio::join!(serving, flooding);
    assert_eq!(opened, FLOOD);
    assert!(most <= HALF_OPEN_MAX, "{most} at once");
    assert!(evicted > 0);
}
