//! Every bound is a refusal with its own code.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use changbai_api::limits::Limits;
use futures::stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::ledger::Fault;
use crate::world::{EVIDENCE, MULTIPART, PEOPLE, World, by_digest, multipart};

fn small() -> Limits {
    Limits { json_bytes_max: 1_000, upload_bytes_max: 2_000, ..Limits::default() }
}

#[tokio::test]
async fn oversized_bodies_are_refused_announced_or_not() {
    let world = World::with(small());
    let large = format!("{}{}", by_digest(b"original"), " ".repeat(2_000));
    for announced in [true, false] {
        let body = Some(("application/json", large.clone().into_bytes()));
        let mut request = world.signed(&PEOPLE.client.signer(), "POST", EVIDENCE, body, None);
        if !announced {
            request.headers_mut().remove("content-length");
        }
        let answer = world.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (413, "RQ-4130"));
        let body = multipart(Some("{}"), "original", &[("text/plain", &[0; 3_000])]);
        let body = Some((MULTIPART, body));
        let mut request = world.signed(&PEOPLE.client.signer(), "POST", EVIDENCE, body, None);
        if !announced {
            request.headers_mut().remove("content-length");
        }
        let answer = world.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (413, "RQ-4130"));
    }
    let request =
        Request::post("/api/v1/verify").header("content-type", "application/octet-stream");
    let answer = world.send(request.body(Body::from(vec![0; 3_000])).unwrap()).await;
    assert_eq!(answer.code(), "RQ-4130");
    assert_eq!(world.ledger.submissions(), 0);
    assert_eq!(world.files(".env"), 0);
}

fn stalled() -> Body {
    let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{"))]);
    Body::from_stream(futures::StreamExt::chain(first, stream::pending()))
}

fn trickle() -> Body {
    Body::from_stream(stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        Some((Ok::<_, Infallible>(Bytes::from_static(b" ")), ()))
    }))
}

#[tokio::test(start_paused = true)]
async fn silent_and_slow_bodies_time_out() {
    let world = World::new();
    for (body, seconds) in [(stalled(), 30), (trickle(), 30)] {
        let started = tokio::time::Instant::now();
        let signed = Some(("application/json", by_digest(b"original").into_bytes()));
        let mut request = world.signed(&PEOPLE.client.signer(), "POST", EVIDENCE, signed, None);
        *request.body_mut() = body;
        let answer = world.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (408, "RQ-4080"));
        assert!(started.elapsed() <= Duration::from_secs(seconds + 3));
    }
    assert_eq!(world.ledger.submissions(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_does_not_answer_leaves_the_outcome_open() {
    let world = World::new();
    world.ledger.fail(Some(Fault::Hang));
    let answer = world.submit(by_digest(b"original")).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (504, "EV-4501"));
    let answer = world.get(EVIDENCE).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (504, "SV-5040"));
}

/// Over a real connection: a client that writes its whole body before it reads still gets its refusal.
#[tokio::test]
async fn a_refusal_reaches_a_client_that_is_still_writing() {
    let world = World::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = axum::serve(listener, world.router.clone());
    let client = async {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let body = vec![b'x'; 900_000];
        let head = format!(
            "POST {EVIDENCE} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let answer = tokio::select! {
        answer = client => answer,
        ended = async { server.await } => panic!("the server ended: {ended:?}"),
    };
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("AU-4010"), "{answer}");
}

#[tokio::test]
async fn too_many_requests_are_turned_away() {
    let world = Arc::new(World::with(Limits { requests_max: 1, ..Limits::default() }));
    world.ledger.slow_down(Duration::from_millis(300));
    let (first, second) = tokio::join!(world.submit(by_digest(b"original")), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        world.get("/api/v1/health").await
    });
    assert_eq!(first.status, 201);
    assert_eq!((second.status.as_u16(), second.code().as_str()), (503, "RQ-5030"));
    assert_eq!(world.get("/api/v1/health").await.status, 200);
}

#[tokio::test]
async fn too_many_uploads_are_turned_away() {
    let world = Arc::new(World::with(Limits { uploads_max: 1, ..Limits::default() }));
    let idle = Limits::default().body_idle_max;
    assert!(idle > Duration::from_secs(1));
    let slow = Body::from_stream(stream::unfold(0_u8, |n| async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        (n < 4).then(|| (Ok::<_, Infallible>(Bytes::from_static(b"x")), n + 1))
    }));
    let post = |body: Body| {
        let request =
            Request::post("/api/v1/verify").header("content-type", "application/octet-stream");
        world.send(request.body(body).unwrap())
    };
    let (first, second) = tokio::join!(post(slow), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        post(Body::from("x")).await
    });
    assert_eq!(first.status, 200);
    assert_eq!((second.status.as_u16(), second.code().as_str()), (429, "RQ-4290"));
    assert_eq!(post(Body::from("x")).await.status, 200);
}

#[tokio::test]
async fn a_full_memory_of_nonces_refuses_instead_of_forgetting() {
    let world = World::with(Limits { nonces_max: 2, ..Limits::default() });
    for n in 0..2_u8 {
        assert_eq!(world.submit(by_digest(&[n])).await.status, 201);
    }
    let answer = world.submit(by_digest(&[9])).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "RQ-5030"));
    assert_eq!(world.ledger.submissions(), 2);
    world.clock.advance(62_000);
    assert_eq!(world.submit(by_digest(&[9])).await.status, 201);
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_leaves_nothing() {
    let world = World::new();
    let body = multipart(Some("{}"), "original", &[("text/plain", &[7; 100_000])]);
    let cut = body[..50_000].to_vec();
    let signed = Some((MULTIPART, body));
    let mut request = world.signed(&PEOPLE.client.signer(), "POST", EVIDENCE, signed, None);
    request.headers_mut().remove("content-length");
    let broken = [Ok(Bytes::from(cut)), Err(std::io::Error::other("gone"))];
    *request.body_mut() = Body::from_stream(stream::iter(broken));
    let answer = world.send(request).await;
    assert_eq!(answer.code(), "RQ-4000");
    assert_eq!(world.ledger.submissions(), 0);
    assert!(!world.custody.has(&smkit::sm3::sm3(&[7; 100_000])));
}

/// Most memory this process ever had, in KiB.
fn memory_peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_large_original_takes_little_memory_in_and_out() {
    const CHUNKS: usize = 1_536;
    static CHUNK: [u8; 64 << 10] = [0x5a; 64 << 10];
    let world = World::new();
    let frame = multipart(Some("{}"), "original", &[("application/pdf", b"SPLIT")]);
    let at = frame.windows(5).position(|window| window == b"SPLIT").unwrap();
    let (before, after) = (frame[..at].to_vec(), frame[at + 5..].to_vec());
    let mut hash = smkit::sm3::Sm3::new();
    hash.update(&before);
    (0..CHUNKS).for_each(|_| hash.update(&CHUNK));
    hash.update(&after);
    let peak = memory_peak_kib();
    let signer = PEOPLE.client.signer();
    let mut request = world.signed_digest(&signer, "POST", EVIDENCE, MULTIPART, hash.finalize());
    let chunks = (0..CHUNKS).map(|_| Bytes::from_static(&CHUNK));
    let all = std::iter::once(Bytes::from(before)).chain(chunks).chain([Bytes::from(after)]);
    *request.body_mut() = Body::from_stream(stream::iter(all.map(Ok::<_, Infallible>)));
    let answer = world.send(request).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    let id = answer.json()["evidence_id"].as_str().unwrap().to_owned();

    let target = format!("{EVIDENCE}/{id}/bundle?originals=true");
    let request = world.signed(&signer, "GET", &target, None, None);
    let (length, received) = world.count(request).await;
    assert_eq!(length, received);
    assert!(received > (CHUNKS * CHUNK.len()) as u64);
    let grown = memory_peak_kib() - peak;
    assert!(grown < 32 << 10, "96 MiB took {grown} KiB");
}
