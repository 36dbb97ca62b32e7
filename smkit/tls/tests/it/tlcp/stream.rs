//! The stream over pipes and loopback: data, closing, cut lines, many at once.

use std::{io::ErrorKind, sync::Arc, time::Duration};

use smkit_tls::tlcp::{
    CipherSuite, ClientAuthentication, ServerConfig, TlcpError,
    stream::{TlcpStream, accept, connect},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, duplex},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::world::World;

type Ends<T> = (TlcpStream<T>, TlcpStream<T>);

async fn ends(pipe_bytes: usize, suite: CipherSuite) -> Ends<DuplexStream> {
    let world = World::new();
    let client = world.member_client().with_suites(&[suite]).unwrap();
    let (near, far) = duplex(pipe_bytes);
    let server = accept(world.strict_server().into(), far);
    let (client, server) = tokio::join!(connect(client.into(), "server.example", near), server);
    (client.unwrap(), server.unwrap())
}

/// Sends so many bytes each way at once, closes, and expects exactly that and a clean end.
async fn exchange<T: AsyncRead + AsyncWrite + Unpin>((client, server): Ends<T>, bytes: u32) {
    let data: Vec<u8> = (0..bytes).map(|at| (at % 251) as u8).collect();
    let one = async |stream: TlcpStream<T>| {
        let (mut reading, mut writing) = tokio::io::split(stream);
        let send = async {
            writing.write_all(&data).await.unwrap();
            writing.shutdown().await.unwrap();
        };
        let receive = async {
            let mut received = Vec::new();
            reading.read_to_end(&mut received).await.unwrap();
            received
        };
        let ((), received) = tokio::join!(send, receive);
        assert!(received == data);
    };
    let both = async { tokio::join!(one(client), one(server)) };
    timeout(PATIENCE, both).await.expect("both finish");
}

#[tokio::test]
async fn data_each_way_through_pipes_of_all_sizes() {
    for suite in CipherSuite::ALL {
        // Smaller than a record header, than a record, and larger than everything that waits.
        for (pipe_bytes, bytes) in [(3, 100_000), (1000, 1_000_000), (1 << 20, 1_000_000)] {
            exchange(ends(pipe_bytes, suite).await, bytes).await;
        }
    }
}

#[tokio::test]
async fn over_loopback() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = (Arc::new(world.member_client()), Arc::new(world.strict_server()));
    for resumed in [false, true] {
        let accepting = async {
            let (transport, _) = listener.accept().await.unwrap();
            accept(server.clone(), transport).await.unwrap()
        };
        let dialling = async {
            let transport = TcpStream::connect(address).await.unwrap();
            connect(client.clone(), "server.example", transport).await.unwrap()
        };
        let (dialled, accepted) = tokio::join!(dialling, accepting);
        assert_eq!(accepted.connection().is_resumed(), resumed);
        let name = accepted.connection().peer_certificates()[0].common_name();
        assert_eq!(name.as_deref(), Some("client"));
        exchange((dialled, accepted), 1_000_000).await;
    }
}

#[tokio::test]
async fn a_cut_line_is_an_error() {
    let (mut client, server) = ends(1 << 16, CipherSuite::EccSm4GcmSm3).await;
    drop(server);
    let error = client.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);

    let (mut client, mut server) = ends(1 << 16, CipherSuite::EccSm4GcmSm3).await;
    server.shutdown().await.unwrap();
    drop(server);
    assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
    assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_line_cut_during_the_handshake() {
    let world = World::new();
    let (near, far) = duplex(1 << 16);
    drop(far);
    let error = connect(world.client().into(), "server.example", near).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe));
    let (mut near, far) = duplex(1 << 16);
    near.write_all(&[22, 1, 1]).await.unwrap();
    drop(near);
    let error = accept(world.strict_server().into(), far).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn refusals_reach_both_sides_and_stay() {
    let world = World::new();
    let (near, far) = duplex(1 << 16);
    let client = connect(world.client().into(), "server.example", near);
    let (client, server) = tokio::join!(client, accept(world.strict_server().into(), far));
    let cause = |error: std::io::Error| {
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        error.into_inner().unwrap().downcast::<TlcpError>().map(|error| *error).unwrap()
    };
    assert_eq!(cause(server.unwrap_err()), TlcpError::NoCertificate);
    assert!(matches!(cause(client.unwrap_err()), TlcpError::AlertReceived { .. }));

    let error = connect(world.client().into(), "no name", duplex(64).0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

/// What arrives on the wire after the handshake is garbage: every later call says so and none waits.
#[tokio::test]
async fn a_failed_stream_stays_failed() {
    let world = World::new();
    let (near, mut middle_near) = duplex(1 << 16);
    let (far, mut middle_far) = duplex(1 << 16);
    let between = async move {
        // Carries everything until the handshake is over, then garbage.
        let (mut up, mut down) = (vec![0; 1 << 14], vec![0; 1 << 14]);
        loop {
            tokio::select! {
                count = middle_near.read(&mut up) => {
                    let count = count.unwrap();
                    if up[..count].starts_with(&[23]) {
                        middle_far.write_all(&[23, 1, 1, 0, 1, 0]).await.unwrap();
                        return (middle_near, middle_far);
                    }
                    middle_far.write_all(&up[..count]).await.unwrap();
                }
                count = middle_far.read(&mut down) => {
                    let count = count.unwrap();
                    middle_near.write_all(&down[..count]).await.unwrap();
                }
            }
        }
    };
    let server: Arc<ServerConfig> = world.server(ClientAuthentication::None).into();
    let both = async {
        let client = connect(world.client().into(), "server.example", near);
        let (client, server) = tokio::join!(client, accept(server, far));
        let (mut client, mut server) = (client.unwrap(), server.unwrap());
        client.write_all(b"lost").await.unwrap();
        client.flush().await.unwrap();
        for _ in 0..3 {
            let error = server.read(&mut [0; 1]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            let error = server.write(b"more").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        }
    };
    let all = Box::pin(async { tokio::join!(between, both) });
    timeout(PATIENCE, all).await.expect("nothing waits");
}

const PATIENCE: Duration = Duration::from_secs(60);
