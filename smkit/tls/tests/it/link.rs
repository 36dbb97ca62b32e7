//! Acceptor and connector over streams in memory.

use std::{sync::Arc, time::Duration};

use smkit_tls::{
    link::{
        Acceptor, ClientAuth, Connector, Credentials, KeyPair, Limits, Link, LinkError, Protocol,
        alert_received,
    },
    peer::PeerVerifier,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use crate::authority::{Holder, NOW, TestCa, TestTime, Wanted};

pub(crate) fn credentials(own: Option<&Holder>, verifier: Arc<dyn PeerVerifier>) -> Credentials {
    let signing = |own: &Holder| KeyPair { chain: own.chain.clone(), key: own.key.clone() };
    let encryption = |own: &Holder| {
        let (certificate, key) = own.encryption.clone();
        KeyPair { chain: vec![certificate], key }
    };
    Credentials {
        signing: own.map(signing),
        encryption: own.map(encryption),
        verifier,
        clients: ClientAuth::Required,
        alpn: vec![b"h2".to_vec()],
        tlcp_quirks: Vec::new(),
    }
}

pub(crate) fn acceptor(credentials: &Credentials, limits: Limits) -> Acceptor {
    Acceptor::new(credentials, limits, TestTime::new()).unwrap()
}

pub(crate) fn connector(credentials: &Credentials) -> Connector {
    Connector::new(credentials, Limits::default(), TestTime::new()).unwrap()
}

type Ends<S> = (Result<Link<S>, LinkError>, Result<Link<S>, LinkError>);

/// Client's end, server's end.
async fn shake(connector: &Connector, acceptor: &Acceptor) -> Ends<DuplexStream> {
    shake_in(Protocol::Tls13, connector, acceptor).await
}

async fn shake_in(
    protocol: Protocol,
    connector: &Connector,
    acceptor: &Acceptor,
) -> Ends<DuplexStream> {
    let (near, far) = duplex(64 * 1024);
    tokio::join!(connector.connect(near, "localhost", protocol), acceptor.accept(far))
}

/// One byte each way: in TLS 1.3 it also brings the client its tickets.
async fn talk(client: &mut Link<DuplexStream>, server: &mut Link<DuplexStream>) {
    client.write_all(b"?").await.unwrap();
    client.flush().await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), b'?');
    server.write_all(b"!").await.unwrap();
    server.flush().await.unwrap();
    assert_eq!(client.read_u8().await.unwrap(), b'!');
}

#[tokio::test]
async fn both_ends_know_each_other() {
    let ca = TestCa::new();
    let (server, client) = (ca.issue_below(&Wanted::server()), ca.client());
    let acceptor = acceptor(&credentials(Some(&server), ca.verifier()), Limits::default());
    let connector = connector(&credentials(Some(&client), ca.verifier()));
    for round in 0..3 {
        let (near, far) = shake(&connector, &acceptor).await;
        let (mut near, mut far) = (near.unwrap(), far.unwrap());
        assert_eq!(far.peer().unwrap().leaf(), client.certificate());
        assert_eq!(near.peer().unwrap().chain(), server.chain);
        for info in [near.info(), far.info()] {
            assert_eq!(info.protocol, Protocol::Tls13);
            assert_eq!(info.suite, 0x00c6);
            assert_eq!(info.alpn.as_deref(), Some(b"h2".as_slice()));
            assert_eq!(info.server_name.as_deref(), Some("localhost"));
            assert_eq!(info.resumed, round > 0);
        }
        talk(&mut near, &mut far).await;
        near.shutdown().await.unwrap();
        assert_eq!(far.read(&mut [0; 1]).await.unwrap(), 0, "an orderly end");
    }
    assert_eq!(acceptor.half_open(), 0);
}

#[tokio::test]
async fn much_data_crosses_a_narrow_stream() {
    let ca = TestCa::new();
    let acceptor = acceptor(&credentials(Some(&ca.server()), ca.verifier()), Limits::default());
    let connector = connector(&credentials(Some(&ca.client()), ca.verifier()));
    let (near, far) = duplex(700);
    let data: Vec<u8> = (0..300_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    let (sent, received) = tokio::join!(
        async {
            let mut link = connector.connect(near, "localhost", Protocol::Tls13).await.unwrap();
            link.write_all(&data).await.unwrap();
            link.shutdown().await
        },
        async {
            let mut link = acceptor.accept(far).await.unwrap();
            let mut all = Vec::new();
            link.read_to_end(&mut all).await.unwrap();
            all
        }
    );
    sent.unwrap();
    assert!(received == data);
}

#[tokio::test]
async fn a_client_may_be_anonymous_where_that_is_allowed() {
    let ca = TestCa::new();
    let optional = Credentials {
        clients: ClientAuth::Optional,
        ..credentials(Some(&ca.server()), ca.verifier())
    };
    let acceptor = acceptor(&optional, Limits::default());
    let (near, far) = shake(&connector(&credentials(None, ca.verifier())), &acceptor).await;
    assert!(near.is_ok() && far.unwrap().peer().is_none());
    let known = connector(&credentials(Some(&ca.client()), ca.verifier()));
    let (_, far) = shake(&known, &acceptor).await;
    assert!(far.unwrap().peer().is_some());
}

#[tokio::test]
async fn a_refused_client_is_known_to_the_server_and_hears_the_alert() {
    let ca = TestCa::new();
    let acceptor = acceptor(&credentials(Some(&ca.server()), ca.verifier()), Limits::default());
    let wrong = ca.issue(&Wanted { unit: "HRSS", ..Wanted::client() });
    for (client, code, alert) in [(Some(&wrong), "PK-1802", 49), (None, "PK-1106", 116)] {
        let connector = connector(&credentials(client, ca.verifier()));
        let (near, far) = shake(&connector, &acceptor).await;
        let Err(LinkError::Refused(refusal)) = far else { panic!("accepted: {far:?}") };
        assert_eq!(refusal.code, code);
        let heard = near.unwrap().read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(alert_received(&heard), Some(alert));
    }
}

#[tokio::test]
async fn a_refused_server_is_known_to_the_client_and_hears_the_alert() {
    let ca = TestCa::new();
    let other = ca.issue(&Wanted { hosts: vec!["elsewhere.example"], ..Wanted::server() });
    let acceptor = acceptor(&credentials(Some(&other), ca.verifier()), Limits::default());
    let connector = connector(&credentials(Some(&ca.client()), ca.verifier()));
    let (near, far) = shake(&connector, &acceptor).await;
    let Err(LinkError::Refused(refusal)) = near else { panic!("accepted: {near:?}") };
    assert_eq!(refusal.code, "PK-1701");
    assert!(matches!(far, Err(LinkError::Alert { number: 46 })), "{far:?}");
}

#[tokio::test]
async fn a_resumed_peer_is_judged_as_of_now() {
    let ca = TestCa::new();
    let (servers, clients) = (ca.verifier(), ca.verifier());
    let acceptor = acceptor(&credentials(Some(&ca.server()), clients.clone()), Limits::default());
    let connector = connector(&credentials(Some(&ca.client()), servers));
    let (near, far) = shake(&connector, &acceptor).await;
    talk(&mut near.unwrap(), &mut far.unwrap()).await;
    clients.revoke();
    let (_, far) = shake(&connector, &acceptor).await;
    let Err(LinkError::Refused(refusal)) = far else { panic!("accepted: {far:?}") };
    assert_eq!(refusal.code, "PK-1601");
}

#[tokio::test]
async fn reloading_changes_new_handshakes_and_leaves_links_alone() {
    let ca = TestCa::new();
    let (first, second) = (ca.server(), ca.server());
    let acceptor = acceptor(&credentials(Some(&first), ca.verifier()), Limits::default());
    let connector = connector(&credentials(Some(&ca.client()), ca.verifier()));
    let (near, far) = shake(&connector, &acceptor).await;
    let (mut near, mut far) = (near.unwrap(), far.unwrap());
    talk(&mut near, &mut far).await;

    let mismatched = Holder { key: first.key.clone(), ..second.clone() };
    assert!(acceptor.reload(&credentials(Some(&mismatched), ca.verifier())).is_err());
    assert!(acceptor.reload(&credentials(None, ca.verifier())).is_err());
    acceptor.reload(&credentials(Some(&second), ca.verifier())).unwrap();
    let (again, _far) = shake(&connector, &acceptor).await;
    let again = again.unwrap();
    assert_eq!(again.peer().unwrap().leaf(), second.certificate());
    assert!(!again.info().resumed, "tickets of the old credentials are void");
    talk(&mut near, &mut far).await;
    assert_eq!(near.peer().unwrap().leaf(), first.certificate());

    let renewed = ca.client();
    connector.reload(&credentials(Some(&renewed), ca.verifier())).unwrap();
    let (_near, far) = shake(&connector, &acceptor).await;
    assert_eq!(far.unwrap().peer().unwrap().leaf(), renewed.certificate());
}

#[tokio::test]
async fn a_silent_client_meets_the_deadline() {
    let ca = TestCa::new();
    let limits = Limits { handshake_deadline: Duration::from_millis(30), ..Limits::default() };
    let acceptor = acceptor(&credentials(Some(&ca.server()), ca.verifier()), limits);
    let (_near, far) = duplex(100);
    let error = acceptor.accept(far).await.unwrap_err();
    assert!(matches!(error, LinkError::Deadline { deadline_ms: 30 }), "{error}");
    // A server that never answers.
    let connector =
        Connector::new(&credentials(Some(&ca.client()), ca.verifier()), limits, TestTime::new());
    let (near, _far) = duplex(64 * 1024);
    let error = connector.unwrap().connect(near, "localhost", Protocol::Tls13).await.unwrap_err();
    assert!(matches!(error, LinkError::Deadline { .. }), "{error}");
}

#[tokio::test]
async fn a_handshake_without_end_meets_its_bytes() {
    let ca = TestCa::new();
    let limits = Limits { handshake_bytes_max: 10_000, ..Limits::default() };
    let acceptor = acceptor(&credentials(Some(&ca.server()), ca.verifier()), limits);
    let (mut near, far) = duplex(1024);
    let feed = async {
        // A ClientHello that claims 60,000 bytes, in records of 1,000.
        near.write_all(&[22, 3, 1, 3, 0xe8, 1, 0, 0xea, 0x60]).await?;
        near.write_all(&[0; 996]).await?;
        loop {
            near.write_all(&[22, 3, 1, 3, 0xe8]).await?;
            near.write_all(&[0; 1000]).await?;
        }
        #[expect(unreachable_code, reason = "gives the block its type")]
        Ok::<(), std::io::Error>(())
    };
    let (fed, refused) = tokio::join!(feed, acceptor.accept(far));
    assert!(fed.is_err(), "the connection is closed");
    assert!(matches!(refused, Err(LinkError::TooLarge { bytes_max: 10_000 })), "{refused:?}");
}

#[tokio::test]
async fn other_protocols_are_told_apart() {
    let ca = TestCa::new();
    let acceptor = acceptor(&credentials(Some(&ca.server()), ca.verifier()), Limits::default());
    let (mut near, far) = duplex(100);
    near.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let error = acceptor.accept(far).await.unwrap_err();
    assert!(matches!(&error, LinkError::Foreign { first } if first == b"GET"), "{error}");
}

/// A `ClientHello` as TLS 1.2 clients send it: no `supported_versions`, ECDHE-ECDSA with AES-GCM.
#[tokio::test]
async fn a_tls12_client_is_refused_with_protocol_version() {
    let ca = TestCa::new();
    let acceptor = acceptor(&credentials(Some(&ca.server()), ca.verifier()), Limits::default());
    let extensions =
        [[0, 10, 0, 4, 0, 2, 0, 23].as_slice(), &[0, 13, 0, 4, 0, 2, 4, 3], &[0, 11, 0, 2, 1, 0]]
            .concat();
    let mut hello = vec![3, 3];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x2b, 1, 0, 0, u8::try_from(extensions.len()).unwrap()]);
    hello.extend(extensions);
    let length = u8::try_from(hello.len()).unwrap();
    let record = [[22, 3, 1, 0, length + 4, 1, 0, 0, length].as_slice(), &hello].concat();
    let (mut near, far) = duplex(1000);
    near.write_all(&record).await.unwrap();
    let error = acceptor.accept(far).await.unwrap_err();
    assert!(matches!(error, LinkError::Tls(rustls::Error::PeerIncompatible(_))), "{error:?}");
    let mut alert = Vec::new();
    near.read_to_end(&mut alert).await.unwrap();
    assert_eq!(alert, [21, 3, 3, 0, 2, 2, 70]);
}

#[tokio::test]
async fn both_protocols_come_in_at_one_door_with_one_identity() {
    let ca = TestCa::new();
    let (server, client) = (ca.issue_below(&Wanted::server()), ca.issue_below(&Wanted::client()));
    let acceptor = acceptor(&credentials(Some(&server), ca.verifier()), Limits::default());
    let connector = connector(&credentials(Some(&client), ca.verifier()));
    for round in 0..3 {
        for (protocol, suites) in
            [(Protocol::Tls13, [0x00c6].as_slice()), (Protocol::Tlcp, &[0xe053, 0xe051])]
        {
            let (near, far) = shake_in(protocol, &connector, &acceptor).await;
            let (mut near, mut far) = (near.unwrap(), far.unwrap());
            assert_eq!(far.peer().unwrap().leaf(), client.certificate());
            assert_eq!(near.peer().unwrap().leaf(), server.certificate());
            for info in [near.info(), far.info()] {
                assert_eq!(info.protocol, protocol);
                assert!(suites.contains(&info.suite), "{:#06x}", info.suite);
                assert_eq!(info.alpn.as_deref(), Some(b"h2".as_slice()));
                assert_eq!(info.server_name.as_deref(), Some("localhost"));
                assert_eq!(info.resumed, round > 0, "{protocol}");
            }
            talk(&mut near, &mut far).await;
            near.shutdown().await.unwrap();
            assert_eq!(far.read(&mut [0; 1]).await.unwrap(), 0, "an orderly end");
        }
    }
    assert_eq!(acceptor.half_open(), 0);
}

#[tokio::test]
async fn one_reason_in_both_protocols() {
    let ca = TestCa::new();
    let acceptor = acceptor(&credentials(Some(&ca.server()), ca.verifier()), Limits::default());
    let expired = Wanted { not_after: NOW - 1, ..Wanted::client() };
    let elsewhere = Wanted { unit: "HRSS", ..Wanted::client() };
    for (client, code, alert) in
        [(Some(expired), "PK-1201", 45), (Some(elsewhere), "PK-1802", 49), (None, "PK-1106", 0)]
    {
        let client = client.map(|client| ca.issue(&client));
        let connector = connector(&credentials(client.as_ref(), ca.verifier()));
        for protocol in [Protocol::Tls13, Protocol::Tlcp] {
            let (near, far) = shake_in(protocol, &connector, &acceptor).await;
            let Err(LinkError::Refused(refusal)) = far else { panic!("accepted: {far:?}") };
            assert_eq!(refusal.code, code, "{protocol}");
            let heard = match near {
                // TLCP's client waits for the server's Finished, TLS 1.3's does not.
                Err(LinkError::Alert { number }) => Some(number),
                Err(other) => panic!("{other:?}"),
                Ok(mut link) => alert_received(&link.read(&mut [0; 1]).await.unwrap_err()),
            };
            // Without a certificate the two protocols have different alerts: 116 and 40.
            let expected = match (alert, protocol) {
                (0, Protocol::Tls13) => 116,
                (0, Protocol::Tlcp) => 40,
                (alert, _) => alert,
            };
            assert_eq!(heard, Some(expected), "{protocol}");
        }
    }
}

#[tokio::test]
async fn tlcp_is_off_without_the_encryption_pair() {
    let ca = TestCa::new();
    let single = Credentials { encryption: None, ..credentials(Some(&ca.server()), ca.verifier()) };
    let acceptor = acceptor(&single, Limits::default());
    let connector = connector(&credentials(Some(&ca.client()), ca.verifier()));
    let (near, far) = shake_in(Protocol::Tlcp, &connector, &acceptor).await;
    assert!(matches!(far, Err(LinkError::Disabled { protocol: Protocol::Tlcp })), "{far:?}");
    assert!(matches!(near, Err(LinkError::Io(_))), "{near:?}");
}

#[tokio::test]
async fn bounds_hold_for_tlcp_too() {
    let ca = TestCa::new();
    let limits = Limits {
        handshake_bytes_max: 4_000,
        handshake_deadline: Duration::from_millis(50),
        ..Limits::default()
    };
    let acceptor = acceptor(&credentials(Some(&ca.server()), ca.verifier()), limits);
    let (mut near, far) = duplex(100);
    near.write_all(&[22, 1, 1]).await.unwrap();
    let error = acceptor.accept(far).await.unwrap_err();
    assert!(matches!(error, LinkError::Deadline { .. }), "{error}");

    // A ClientHello that claims 8,000 bytes, in records of 1,000.
    let (mut near, far) = duplex(64 * 1024);
    near.write_all(&[22, 1, 1, 3, 0xe8, 1, 0, 0x1f, 0x40]).await.unwrap();
    near.write_all(&[0; 996]).await.unwrap();
    for _ in 0..7 {
        near.write_all(&[22, 1, 1, 3, 0xe8]).await.unwrap();
        near.write_all(&[0; 1000]).await.unwrap();
    }
    let error = acceptor.accept(far).await.unwrap_err();
    let refused = matches!(error, LinkError::TooLarge { .. } | LinkError::Tlcp(_));
    assert!(refused, "{error:?}");
}
