//! Handshakes that succeed: every suite, with and without client certificates, whole and resumed.

use std::{
    io::{Read as _, Write as _},
    sync::Arc,
};

use super::{
    wire::{feed, run, sent},
    world::World,
};
use crate::tlcp::{
    CipherSuite, ClientAuthentication, ClientConfig, ClientConnection, Connection, ServerConfig,
    ServerConnection,
};

/// Both ends, not yet connected.
pub(super) fn ends(
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
) -> (Connection, Connection) {
    let client = ClientConnection::new(client.clone(), "server.example").unwrap();
    (client.into(), ServerConnection::new(server.clone()).into())
}

/// Sends data both ways, then closes both.
pub(super) fn talk(client: &mut Connection, server: &mut Connection) {
    let long = vec![7; 40_000];
    for round in 0..3 {
        let (from, to) = if round % 2 == 0 {
            (&mut *client, &mut *server)
        } else {
            (&mut *server, &mut *client)
        };
        let mut received = Vec::new();
        let mut left = long.as_slice();
        while received.len() < long.len() {
            if !left.is_empty() {
                let count = from.writer().write(left).unwrap();
                left = &left[count..];
            }
            for record in super::wire::records(crate::tlcp::keys::Side::Client, &sent(from)) {
                feed(to, &record.bytes).unwrap();
                let mut some = [0; 20_000];
                let count = to.reader().read(&mut some).unwrap();
                received.extend_from_slice(&some[..count]);
            }
        }
        assert_eq!(received, long);
    }
    client.send_close_notify();
    server.send_close_notify();
    assert!(run(client, server).both_ok());
    for end in [client, server] {
        assert_eq!(end.reader().read(&mut [0; 1]).unwrap(), 0);
        assert!(end.writer().write(b"late").is_err());
    }
}

#[test]
fn every_suite_with_and_without_client_certificates_whole_and_resumed() {
    let world = World::new();
    for suite in CipherSuite::ALL {
        for authenticated in [false, true] {
            let clients = if authenticated {
                ClientAuthentication::Required(Arc::new(world.rules()))
            } else {
                ClientAuthentication::None
            };
            let client = if authenticated { world.member_client() } else { world.client() };
            let client = Arc::new(client.with_suites(&[suite]).unwrap());
            let server = world.server(clients).with_suites(&[suite]);
            if suite.name().starts_with("ECDHE") && !authenticated {
                assert!(server.is_err(), "ECDHE needs the client's certificates");
                assert!(ClientConnection::new(client, "server.example").is_err());
                continue;
            }
            let server = Arc::new(server.unwrap());
            for resumed in [false, true, true] {
                let (mut client, mut server) = ends(&client, &server);
                let outcome = run(&mut client, &mut server);
                assert!(outcome.both_ok(), "{suite} {authenticated} {resumed}: {outcome:?}");
                for end in [&client, &server] {
                    assert!(!end.is_handshaking());
                    assert_eq!(end.is_resumed(), resumed);
                    assert_eq!(end.negotiated_suite(), Some(suite));
                    assert_eq!(end.server_name(), Some("server.example"));
                }
                let name = |end: &Connection| {
                    end.peer_certificates().first().map(|first| first.common_name().unwrap())
                };
                assert_eq!(name(&client).as_deref(), Some("server.example"));
                assert_eq!(name(&server), authenticated.then(|| "client".to_owned()));
                talk(&mut client, &mut server);
            }
            assert_eq!((client.session_count(), server.session_count()), (1, 1));
        }
    }
}
