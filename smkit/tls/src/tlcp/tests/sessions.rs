//! When a session is resumed, and when it is not.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use smkit_pki::Certificate;

use super::{
    handshake::ends,
    wire::{Flying, run, run_with, sent},
    world::{NOW, Rules, World},
};
use crate::{
    peer::{PeerAlert, PeerRefusal, PeerRole, PeerVerifier},
    tlcp::{
        AlertDescription, CipherSuite, ClientAuthentication, ClientConfig, ClientConnection, Clock,
        ConfigError, Connection, MessageKind, ServerConfig, ServerConnection, SessionLimits,
        TlcpError, keys::Side,
    },
};

#[derive(Debug)]
struct Moving(AtomicI64);

impl Clock for Moving {
    fn unix_seconds(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn connect(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> (Connection, Connection) {
    let (mut client, mut server) = ends(client, server);
    let outcome = run(&mut client, &mut server);
    assert!(outcome.both_ok(), "{outcome:?}");
    assert!(!client.is_handshaking() && !server.is_handshaking());
    assert_eq!(client.is_resumed(), server.is_resumed());
    (client, server)
}

fn is_resumed(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> bool {
    connect(client, server).0.is_resumed()
}

#[test]
fn a_session_lives_as_long_as_it_may() {
    let world = World::new();
    let clock = Arc::new(Moving(AtomicI64::new(NOW)));
    let limits = SessionLimits { entries: 10, lifetime_seconds: 60 };
    for (client_limited, end) in [(true, 60), (false, 60)] {
        clock.0.store(NOW, Ordering::Relaxed);
        let (mut client, mut server) = (
            world.member_client().with_clock(clock.clone()),
            world.strict_server().with_clock(clock.clone()),
        );
        if client_limited {
            client = client.with_sessions(limits).unwrap();
        } else {
            server = server.with_sessions(limits).unwrap();
        }
        let (client, server) = (Arc::new(client), Arc::new(server));
        assert!(!is_resumed(&client, &server));
        clock.0.store(NOW + end - 1, Ordering::Relaxed);
        assert!(is_resumed(&client, &server));
        clock.0.store(NOW + end, Ordering::Relaxed);
        assert!(!is_resumed(&client, &server), "resuming does not renew a session");
        assert!(is_resumed(&client, &server), "the whole handshake made another");
    }
}

/// The certificates of the small world end 1000 seconds from now, long before an hour.
#[test]
fn a_session_ends_with_its_peers_certificates() {
    let world = World::new();
    let clock = Arc::new(Moving(AtomicI64::new(NOW)));
    let client = Arc::new(world.member_client().with_clock(clock.clone()));
    let server = Arc::new(world.strict_server().with_clock(clock.clone()));
    assert!(!is_resumed(&client, &server));
    clock.0.store(NOW + 999, Ordering::Relaxed);
    assert!(is_resumed(&client, &server));
    clock.0.store(NOW + 1001, Ordering::Relaxed);
    let (mut client, mut server) = ends(&client, &server);
    let outcome = run(&mut client, &mut server);
    assert!(matches!(outcome.client, Err(TlcpError::Refused(_))), "{outcome:?}");
}

#[test]
fn without_memory_there_is_no_session() {
    let world = World::new();
    let none = SessionLimits { entries: 0, lifetime_seconds: 60 };
    let client = Arc::new(world.client());
    let server = Arc::new(world.server(ClientAuthentication::None).with_sessions(none).unwrap());
    for _ in 0..2 {
        assert!(!is_resumed(&client, &server));
    }
    assert_eq!((client.session_count(), server.session_count()), (0, 0));
    let client = Arc::new(world.client().with_sessions(none).unwrap());
    let server = Arc::new(world.server(ClientAuthentication::None));
    for _ in 0..2 {
        assert!(!is_resumed(&client, &server));
    }
    for lifetime_seconds in [0, 86_401] {
        let limits = SessionLimits { entries: 1, lifetime_seconds };
        assert_eq!(
            world.client().with_sessions(limits).map(drop),
            Err(ConfigError::SessionLifetime)
        );
    }
}

#[test]
fn memory_is_bounded() {
    let world = World::new();
    let limits = SessionLimits { entries: 3, lifetime_seconds: 60 };
    let server = Arc::new(world.server(ClientAuthentication::None).with_sessions(limits).unwrap());
    let clients: Vec<_> = (0..5).map(|_| Arc::new(world.client())).collect();
    for client in &clients {
        assert!(!is_resumed(client, &server));
    }
    assert_eq!(server.session_count(), 3);
    assert!(is_resumed(&clients[4], &server));
    assert!(!is_resumed(&clients[0], &server), "the oldest went");
}

#[test]
fn another_server_name_is_another_session() {
    let world = World::new();
    let client = Arc::new(world.client());
    let server = Arc::new(world.server(ClientAuthentication::None));
    assert!(!is_resumed(&client, &server));
    // The client would not do this; somebody changes the name in its hello.
    let (mut dialling, mut waiting) = ends(&client, &server);
    let outcome = run_with(&mut dialling, &mut waiting, |record| {
        let mut record = record.clone();
        let name = b"server.example";
        if let Some(at) = record.bytes.windows(name.len()).position(|window| window == name)
            && record.from == Side::Client
        {
            record.bytes[at] = b'S';
            record.bytes[at + 1] = b'a';
        }
        vec![record]
    });
    let resumed = outcome.records.iter().filter(|record| record.from == Side::Server);
    let kinds: Vec<_> = resumed.filter_map(Flying::kind).collect();
    assert_eq!(kinds[1], MessageKind::Certificate.code(), "a whole handshake");
}

#[test]
fn a_suite_no_longer_offered_ends_the_session() {
    let world = World::new();
    let client = Arc::new(world.client());
    let server = Arc::new(world.server(ClientAuthentication::None));
    assert!(!is_resumed(&client, &server));
    let (mut dialling, mut waiting) = ends(&client, &server);
    let mut hello = sent(&mut dialling);
    // The session's suite gives way to another one in the offer.
    let at = hello.windows(2).position(|pair| pair == [0xe0, 0x53]).unwrap();
    hello[at + 1] = 0x13;
    super::wire::feed(&mut waiting, &hello).unwrap();
    let kinds = super::wire::records(Side::Server, &sent(&mut waiting));
    assert_eq!(kinds[1].kind(), Some(MessageKind::Certificate.code()));
}

/// A server that resumes a session with another suite than it has.
#[test]
fn a_resumed_session_keeps_its_suite() {
    let world = World::new();
    let (client, server) =
        (Arc::new(world.client()), Arc::new(world.server(ClientAuthentication::None)));
    assert!(!is_resumed(&client, &server));
    let (mut dialling, mut waiting) = ends(&client, &server);
    let outcome = run_with(&mut dialling, &mut waiting, |record| {
        let mut record = record.clone();
        if record.kind() == Some(MessageKind::ServerHello.code()) && record.from == Side::Server {
            let at = 5 + 4 + 2 + 32 + 33;
            record.bytes[at..at + 2].copy_from_slice(&CipherSuite::EccSm4CbcSm3.id().to_be_bytes());
        }
        vec![record]
    });
    assert_eq!(outcome.client, Err(TlcpError::WrongSuite { id: 0xe013 }));
}

/// A verifier that changes its mind between handshakes.
#[derive(Debug)]
struct Moody {
    rules: Rules,
    refuses: AtomicBool,
}

impl PeerVerifier for Moody {
    fn verify(
        &self,
        chain: &[Certificate],
        role: PeerRole<'_>,
        at: i64,
    ) -> Result<(), PeerRefusal> {
        if self.refuses.load(Ordering::Relaxed) {
            let (code, reason) = ("PK-0000", "no longer".to_owned());
            return Err(PeerRefusal { code, reason, alert: PeerAlert::AccessDenied });
        }
        self.rules.verify(chain, role, at)
    }

    fn verify_encryption(
        &self,
        chain: &[Certificate],
        role: PeerRole<'_>,
        at: i64,
    ) -> Result<(), PeerRefusal> {
        self.rules.verify_encryption(chain, role, at)
    }
}

#[test]
fn whoever_is_no_longer_admitted_does_not_resume() {
    let world = World::new();
    for side in [Side::Client, Side::Server] {
        let moody = Arc::new(Moody { rules: world.rules(), refuses: AtomicBool::new(false) });
        let (client, server) = match side {
            Side::Client => {
                (world.member_client(), world.server(ClientAuthentication::Required(moody.clone())))
            }
            Side::Server => {
                let member = world.member("client", "HRSS").credentials();
                let client = ClientConfig::new(moody.clone()).with_credentials(member);
                let clock = Arc::new(super::world::StandingClock(NOW));
                (client.with_clock(clock), world.strict_server())
            }
        };
        let (client, server) = (Arc::new(client), Arc::new(server));
        assert!(!is_resumed(&client, &server));
        assert!(is_resumed(&client, &server));
        moody.refuses.store(true, Ordering::Relaxed);
        let (mut client, mut server) = ends(&client, &server);
        let outcome = run(&mut client, &mut server);
        let (who, whom) = match side {
            Side::Client => (&outcome.server, &outcome.client),
            Side::Server => (&outcome.client, &outcome.server),
        };
        assert!(matches!(who, Err(TlcpError::Refused(_))), "{outcome:?}");
        let description = AlertDescription::ACCESS_DENIED;
        assert_eq!(whom, &Err(TlcpError::AlertReceived { description }));
    }
}

/// RFC 5246 §7.2.2: a connection that failed leaves no session.
#[test]
fn a_failed_connection_takes_its_session_along() {
    let world = World::new();
    let (client, server) =
        (Arc::new(world.client()), Arc::new(world.server(ClientAuthentication::None)));
    let (mut dialling, mut waiting) = connect(&client, &server);
    for (end, config) in [(&mut waiting, "server"), (&mut dialling, "client")] {
        let garbage = Flying::record(Side::Client, 23, &[0; 64]);
        let error = super::wire::feed(end, &garbage.bytes);
        assert_eq!(error, Err(TlcpError::BadRecordMac), "{config}");
    }
    assert_eq!((client.session_count(), server.session_count()), (0, 0));
}

/// Whoever knows only the id of a session cannot resume it, nor end it.
#[test]
fn an_id_alone_is_worth_nothing() {
    let world = World::new();
    let (client, server) =
        (Arc::new(world.client()), Arc::new(world.server(ClientAuthentication::None)));
    assert!(!is_resumed(&client, &server));
    let mut dialling = ClientConnection::new(client.clone(), "server.example").unwrap();
    let hello = sent(&mut dialling);
    let mut waiting = ServerConnection::new(server.clone());
    super::wire::feed(&mut waiting, &hello).unwrap();
    sent(&mut waiting);
    super::wire::feed(&mut waiting, &[20, 1, 1, 0, 1, 1]).unwrap();
    let forged = Flying::record(Side::Client, 22, &[0; 40]);
    assert_eq!(super::wire::feed(&mut waiting, &forged.bytes), Err(TlcpError::BadRecordMac));
    assert_eq!(server.session_count(), 1);
    assert!(is_resumed(&client, &server));
}

#[test]
fn application_protocols_are_agreed_each_time() {
    let world = World::new();
    let client = Arc::new(world.client().with_alpn(&[b"h2", b"http/1.1"]).unwrap());
    let server = world.server(ClientAuthentication::None);
    let server = Arc::new(server.with_alpn(&[b"http/1.1", b"h2"]).unwrap());
    for resumed in [false, true] {
        let (dialling, waiting) = connect(&client, &server);
        assert_eq!(dialling.is_resumed(), resumed);
        assert_eq!(dialling.alpn_protocol(), Some(b"http/1.1".as_slice()));
        assert_eq!(waiting.alpn_protocol(), Some(b"http/1.1".as_slice()));
    }
    let silent = Arc::new(world.client());
    assert_eq!(connect(&silent, &server).1.alpn_protocol(), None);
    let other = Arc::new(world.client().with_alpn(&[b"gopher"]).unwrap());
    let (mut dialling, mut waiting) = ends(&other, &server);
    let outcome = run(&mut dialling, &mut waiting);
    assert_eq!(outcome.server, Err(TlcpError::NoApplicationProtocol));
    let description = AlertDescription::NO_APPLICATION_PROTOCOL;
    assert_eq!(outcome.client, Err(TlcpError::AlertReceived { description }));
    let (long, many) = ([0; 256], [[1; 255].as_slice(); 17]);
    for names in [[b"".as_slice()].as_slice(), &[&long], &many] {
        assert_eq!(world.client().with_alpn(names).map(drop), Err(ConfigError::Alpn));
    }
}
