//! What goes wrong in a handshake, message by message: each slip has its typed error and its alert.

use std::sync::Arc;

use super::{
    handshake::ends,
    wire::{Flying, Outcome, feed, run_with},
    world::World,
};
use crate::tlcp::{
    AlertDescription, AlertLevel, CipherSuite, ClientConfig, MessageKind, ServerConfig, TlcpError,
    keys::Side,
    limits::{CERTIFICATE_MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX},
    messages::Message,
};

/// A mutual handshake with one suite.
fn configs(suite: CipherSuite) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let world = World::new();
    let client = world.member_client().with_suites(&[suite]).unwrap();
    let server = world.strict_server().with_suites(&[suite]).unwrap();
    (client.into(), server.into())
}

/// Runs a mutual handshake in which every record of this message of this side passes through `edit`.
fn with_message(
    configs: &(Arc<ClientConfig>, Arc<ServerConfig>),
    side: Side,
    kind: MessageKind,
    edit: impl Fn(&[u8]) -> Vec<Vec<u8>>,
) -> Outcome {
    let (mut client, mut server) = ends(&configs.0, &configs.1);
    let mut protected = [false, false];
    run_with(&mut client, &mut server, |record| {
        let seen = &mut protected[usize::from(record.from == Side::Server)];
        *seen |= record.content_type() == 20;
        if *seen || record.from != side || record.kind() != Some(kind.code()) {
            return vec![record.clone()];
        }
        edit(record.payload())
            .into_iter()
            .map(|message| Flying::handshake(record.from, &message))
            .collect()
    })
}

/// A message with another body.
fn message(kind: MessageKind, body: &[u8]) -> Vec<u8> {
    Message::write(kind, |out| out.extend_from_slice(body)).bytes().to_vec()
}

/// Whoever receives `side`'s messages fails with `error`, and tells `alert`.
fn assert_refused(outcome: &Outcome, side: Side, error: &TlcpError, alert: AlertDescription) {
    assert_eq!(error.alert(), Some((AlertLevel::Fatal, alert)));
    let (receiver, sender) = match side {
        Side::Client => (&outcome.server, &outcome.client),
        Side::Server => (&outcome.client, &outcome.server),
    };
    assert_eq!(receiver.as_ref(), Err(error), "{outcome:?}");
    assert_eq!(sender, &Err(TlcpError::AlertReceived { description: alert }), "{outcome:?}");
}

/// Every message that crosses in clear in a mutual handshake.
const CLEAR: [(Side, MessageKind); 9] = [
    (Side::Client, MessageKind::ClientHello),
    (Side::Server, MessageKind::ServerHello),
    (Side::Server, MessageKind::Certificate),
    (Side::Server, MessageKind::ServerKeyExchange),
    (Side::Server, MessageKind::CertificateRequest),
    (Side::Server, MessageKind::ServerHelloDone),
    (Side::Client, MessageKind::Certificate),
    (Side::Client, MessageKind::ClientKeyExchange),
    (Side::Client, MessageKind::CertificateVerify),
];

#[test]
fn truncated_and_extended_messages() {
    for suite in [CipherSuite::EccSm4GcmSm3, CipherSuite::EcdheSm4CbcSm3] {
        let configs = configs(suite);
        for (side, kind) in CLEAR {
            let error = TlcpError::Malformed { message: kind };
            if kind != MessageKind::ServerHelloDone {
                let cut = |bytes: &[u8]| vec![message(kind, &bytes[4..bytes.len() - 1])];
                let outcome = with_message(&configs, side, kind, cut);
                assert_refused(&outcome, side, &error, AlertDescription::DECODE_ERROR);
                let empty = with_message(&configs, side, kind, |_| vec![message(kind, &[])]);
                assert_refused(&empty, side, &error, AlertDescription::DECODE_ERROR);
            }
            let extend = |bytes: &[u8]| vec![message(kind, &[&bytes[4..], &[0]].concat())];
            let outcome = with_message(&configs, side, kind, extend);
            assert_refused(&outcome, side, &error, AlertDescription::DECODE_ERROR);
        }
    }
}

#[test]
fn oversized_messages_are_refused_by_their_header() {
    let configs = configs(CipherSuite::EccSm4GcmSm3);
    for (side, kind) in CLEAR {
        let bytes_max = match kind {
            MessageKind::Certificate => CERTIFICATE_MESSAGE_BYTES_MAX,
            _ => MESSAGE_BYTES_MAX,
        };
        let header = [&[kind.code()], &(bytes_max as u32 + 1).to_be_bytes()[1..]].concat();
        let outcome = with_message(&configs, side, kind, |_| vec![header.clone()]);
        let error = TlcpError::Oversized { message: kind, bytes: bytes_max + 1, bytes_max };
        assert_refused(&outcome, side, &error, AlertDescription::DECODE_ERROR);
    }
}

#[test]
fn duplicated_messages() {
    let configs = configs(CipherSuite::EcdheSm4GcmSm3);
    for (side, kind) in CLEAR {
        let twice = |bytes: &[u8]| vec![bytes.to_vec(), bytes.to_vec()];
        let outcome = with_message(&configs, side, kind, twice);
        let receiver = if side == Side::Client { &outcome.server } else { &outcome.client };
        let Err(error @ TlcpError::UnexpectedMessage { received, .. }) = receiver else {
            panic!("{kind}: {outcome:?}");
        };
        assert_eq!(*received, kind.name());
        assert_refused(&outcome, side, error, AlertDescription::UNEXPECTED_MESSAGE);
    }
}

#[test]
fn messages_in_the_place_of_others() {
    let configs = configs(CipherSuite::EccSm4CbcSm3);
    for (side, kind) in CLEAR {
        for (_, other) in CLEAR.into_iter().chain([(side, MessageKind::Finished)]) {
            // A request may be missing; without it the client shows nothing, and the server sees that.
            let may_be_missing =
                kind == MessageKind::CertificateRequest && other == MessageKind::ServerHelloDone;
            if other == kind || may_be_missing {
                continue;
            }
            let replace = |_: &[u8]| vec![message(other, &[0; 12])];
            let outcome = with_message(&configs, side, kind, replace);
            let receiver = if side == Side::Client { &outcome.server } else { &outcome.client };
            let Err(error @ TlcpError::UnexpectedMessage { received, .. }) = receiver else {
                panic!("{other} for {kind}: {outcome:?}");
            };
            assert_eq!(*received, other.name());
            assert_refused(&outcome, side, error, AlertDescription::UNEXPECTED_MESSAGE);
        }
        let unknown = with_message(&configs, side, kind, |_| vec![vec![99, 0, 0, 0]]);
        let error = TlcpError::UnknownMessage { kind: 99 };
        assert_refused(&unknown, side, &error, AlertDescription::UNEXPECTED_MESSAGE);
    }
}

/// Any two neighbours of one flight change places.
#[test]
fn reordered_messages() {
    let configs = configs(CipherSuite::EcdheSm4GcmSm3);
    for (first, second) in CLEAR.iter().zip(&CLEAR[1..]).filter(|(a, b)| a.0 == b.0) {
        let (mut client, mut server) = ends(&configs.0, &configs.1);
        let mut held = None;
        let outcome = run_with(&mut client, &mut server, |record| match record.kind() {
            Some(kind) if record.from == first.0 && kind == first.1.code() => {
                held = Some(record.clone());
                Vec::new()
            }
            Some(kind) if record.from == second.0 && kind == second.1.code() => {
                [Some(record.clone()), held.take()].into_iter().flatten().collect()
            }
            _ => vec![record.clone()],
        });
        let receiver = if first.0 == Side::Client { &outcome.server } else { &outcome.client };
        assert!(
            matches!(receiver, Err(TlcpError::UnexpectedMessage { received, .. }) if *received == second.1.name()),
            "{second:?}: {outcome:?}"
        );
    }
}

/// A message left out: its successor is out of place, or, when it was the last of its flight, both wait for ever.
#[test]
fn missing_messages() {
    let configs = configs(CipherSuite::EcdheSm4GcmSm3);
    for (side, kind) in CLEAR {
        let last = matches!(kind, MessageKind::ClientHello | MessageKind::ServerHelloDone);
        let outcome = with_message(&configs, side, kind, |_| Vec::new());
        assert_eq!(outcome.both_ok(), last, "{kind}: {outcome:?}");
        assert_eq!(configs.1.session_count(), 0);
    }
}

#[test]
fn other_versions_in_hellos_and_records() {
    let configs = configs(CipherSuite::EccSm4GcmSm3);
    for version in [[1, 0], [1, 2], [3, 1], [3, 3], [3, 4], [0, 0]] {
        let [major, minor] = version;
        let error = TlcpError::ProtocolVersion { major, minor };
        for (side, kind) in &CLEAR[..2] {
            let other = |bytes: &[u8]| {
                let mut bytes = bytes.to_vec();
                bytes[4..6].copy_from_slice(&version);
                vec![bytes]
            };
            let outcome = with_message(&configs, *side, *kind, other);
            assert_refused(&outcome, *side, &error, AlertDescription::PROTOCOL_VERSION);
        }
        for (side, kind) in CLEAR {
            let (mut client, mut server) = ends(&configs.0, &configs.1);
            let outcome = run_with(&mut client, &mut server, |record| {
                let mut record = record.clone();
                if record.from == side && record.kind() == Some(kind.code()) {
                    record.bytes[1..3].copy_from_slice(&version);
                }
                vec![record]
            });
            let error = TlcpError::ForeignRecord { major, minor };
            let first = matches!(kind, MessageKind::ClientHello | MessageKind::ServerHello);
            if first && major == 3 {
                // Told in the version in which it was said.
                let minor = minor.min(3);
                let (receiver, sender) = match side {
                    Side::Client => (outcome.server, outcome.client),
                    Side::Server => (outcome.client, outcome.server),
                };
                assert_eq!(receiver, Err(error));
                assert_eq!(sender, Err(TlcpError::ForeignRecord { major, minor }));
            } else {
                assert_refused(&outcome, side, &error, AlertDescription::PROTOCOL_VERSION);
            }
        }
    }
}

/// What a TLS 1.3 client sends first (RFC 8446 §5.1): refused by its record header, in its own
/// version.
#[test]
fn a_tls_client_at_the_door() {
    let (_, server) = configs(CipherSuite::EccSm4GcmSm3);
    let mut server = crate::tlcp::ServerConnection::new(server);
    let error = TlcpError::ForeignRecord { major: 3, minor: 1 };
    assert_eq!(feed(&mut server, &[22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), Err(error.clone()));
    assert_eq!(super::wire::sent(&mut server), [21, 3, 1, 0, 2, 2, 70]);
    assert_eq!(server.failure(), Some(&error));
    // And what is no TLS at all.
    let mut server = crate::tlcp::ServerConnection::new(configs(CipherSuite::EccSm4GcmSm3).1);
    assert_eq!(
        feed(&mut server, b"GET / HTTP/1.1\r\n"),
        Err(TlcpError::UnknownContentType { code: b'G' })
    );
}

#[test]
fn suites_nobody_offered() {
    let configs = configs(CipherSuite::EccSm4GcmSm3);
    for id in [0xe013_u16, 0xe051, 0xe01c, 0x00c6, 0x1301, 0x00ff] {
        // The suite follows version, random and an id of 32 bytes.
        let other = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            bytes[4 + 2 + 32 + 33..4 + 2 + 32 + 35].copy_from_slice(&id.to_be_bytes());
            vec![bytes]
        };
        let outcome = with_message(&configs, Side::Server, MessageKind::ServerHello, other);
        let error = TlcpError::WrongSuite { id };
        assert_refused(&outcome, Side::Server, &error, AlertDescription::ILLEGAL_PARAMETER);
    }
    let world = World::new();
    let client = world.member_client().with_suites(&[CipherSuite::EccSm4CbcSm3]).unwrap();
    let (mut client, mut server) = ends(&client.into(), &configs.1);
    let outcome = super::wire::run(&mut client, &mut server);
    let alert = AlertDescription::HANDSHAKE_FAILURE;
    assert_refused(&outcome, Side::Client, &TlcpError::NoSharedSuite, alert);
}

/// Somebody takes suites out of the offer to force a weaker one: both Finished differ.
#[test]
fn a_downgraded_offer_fails_at_finished() {
    let world = World::new();
    let (client, server) = (world.member_client().into(), world.strict_server().into());
    let configs = (client, server);
    let weaken = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        // Version, random, no session id; the first suite in the list gives way to the last.
        let suites = 4 + 2 + 32 + 1 + 2;
        bytes[suites..suites + 6].copy_from_slice(&[0xe0, 0x13, 0xe0, 0x13, 0xe0, 0x13]);
        vec![bytes]
    };
    let outcome = with_message(&configs, Side::Client, MessageKind::ClientHello, weaken);
    assert!(outcome.client.is_err() && outcome.server.is_err());
    // The certificate-verify signature covers the hello as well, and comes first.
    let error = TlcpError::BadSignature { message: MessageKind::CertificateVerify };
    assert_refused(&outcome, Side::Client, &error, AlertDescription::DECRYPT_ERROR);
}

/// The same without client certificates: only Finished can tell.
#[test]
fn a_wrong_finished() {
    let world = World::new();
    for suite in [CipherSuite::EccSm4GcmSm3, CipherSuite::EccSm4CbcSm3] {
        let client = world.client().with_suites(&[suite]).unwrap();
        let server = world.server(crate::tlcp::ClientAuthentication::None);
        let configs = (Arc::new(client), Arc::new(server));
        let alter = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            // An unknown suite becomes another unknown one: the signalling value at the end of the list.
            let signal = bytes.windows(2).position(|pair| pair == [0x00, 0xff]).unwrap();
            bytes[signal] = 0x77;
            vec![bytes]
        };
        let outcome = with_message(&configs, Side::Client, MessageKind::ClientHello, alter);
        let alert = AlertDescription::DECRYPT_ERROR;
        assert_refused(&outcome, Side::Client, &TlcpError::BadFinished, alert);
        assert_eq!(configs.1.session_count() + configs.0.session_count(), 0);
    }
}

#[test]
fn signatures_that_are_not_the_peers() {
    for suite in [CipherSuite::EccSm4GcmSm3, CipherSuite::EcdheSm4GcmSm3] {
        let configs = configs(suite);
        for (side, kind) in [CLEAR[3], CLEAR[8]] {
            let alter = |bytes: &[u8]| {
                let mut bytes = bytes.to_vec();
                *bytes.last_mut().unwrap() ^= 1;
                vec![bytes]
            };
            let outcome = with_message(&configs, side, kind, alter);
            let error = TlcpError::BadSignature { message: kind };
            assert_refused(&outcome, side, &error, AlertDescription::DECRYPT_ERROR);
        }
    }
}

/// A broken ciphertext and a foreign one look alike to the sender: a wrong Finished (here, of other keys: a wrong MAC).
#[test]
fn an_undecryptable_pre_master_secret_is_not_told() {
    let configs = configs(CipherSuite::EccSm4GcmSm3);
    let no_proof = World::new();
    let client = Arc::new(no_proof.client().with_suites(&[CipherSuite::EccSm4GcmSm3]).unwrap());
    let server = Arc::new(no_proof.server(crate::tlcp::ClientAuthentication::None));
    // Its text or MAC, its point, its tag; and nothing of it left.
    for altered in [100, 12, 6, usize::MAX] {
        let alter = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            match altered.min(bytes.len()) {
                at if at < bytes.len() => bytes[at] ^= 1,
                _ => bytes[6..].fill(0),
            }
            vec![bytes]
        };
        let kind = MessageKind::ClientKeyExchange;
        let outcome = with_message(&(client.clone(), server.clone()), Side::Client, kind, alter);
        let alert = AlertDescription::BAD_RECORD_MAC;
        assert_refused(&outcome, Side::Client, &TlcpError::BadRecordMac, alert);
        // With a client that proves itself the proof fails first, for it covers the message.
        let outcome = with_message(&configs, Side::Client, kind, alter);
        let error = TlcpError::BadSignature { message: MessageKind::CertificateVerify };
        assert_refused(&outcome, Side::Client, &error, AlertDescription::DECRYPT_ERROR);
    }
}

#[test]
fn points_off_the_curve() {
    let configs = configs(CipherSuite::EcdheSm4GcmSm3);
    let alter = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        vec![bytes]
    };
    let kind = MessageKind::ClientKeyExchange;
    let outcome = with_message(&configs, Side::Client, kind, alter);
    let error = TlcpError::illegal(kind, "point");
    assert_refused(&outcome, Side::Client, &error, AlertDescription::ILLEGAL_PARAMETER);
}

/// The forms of gotlcp and GmSSL: the same point, bare and in a vector.
#[test]
fn a_bare_exchange_is_read_too() {
    let configs = configs(CipherSuite::EcdheSm4GcmSm3);
    let bare = |bytes: &[u8]| vec![message(MessageKind::ClientKeyExchange, &bytes[6..])];
    let outcome = with_message(&configs, Side::Client, MessageKind::ClientKeyExchange, bare);
    // It is read; what fails is only that this client had signed the other form.
    let error = TlcpError::BadSignature { message: MessageKind::CertificateVerify };
    assert_refused(&outcome, Side::Client, &error, AlertDescription::DECRYPT_ERROR);
}

#[test]
fn hellos_that_contradict_themselves() {
    let configs = configs(CipherSuite::EccSm4GcmSm3);
    let hello = |bytes: &[u8], tail: &[u8]| {
        // Version, random, no session id, one suite; then compression and extensions.
        let head = &bytes[4..4 + 2 + 32 + 1];
        message(MessageKind::ClientHello, &[head, &[0, 2, 0xe0, 0x53], tail].concat())
    };
    let illegal = |field| TlcpError::illegal(MessageKind::ClientHello, field);
    let malformed = TlcpError::Malformed { message: MessageKind::ClientHello };
    let twice = TlcpError::DuplicateExtension { message: MessageKind::ClientHello, extension: 77 };
    let cases: [(&[u8], TlcpError); 9] = [
        (&[1, 1], illegal("compression methods")),
        (&[0], malformed.clone()),
        (&[1, 0, 0, 8, 0, 77, 0, 0, 0, 77, 0, 0], twice),
        (&[1, 0, 0, 5, 0xff, 1, 0, 1, 1], illegal("renegotiation_info")),
        (&[1, 0, 0, 5, 0, 0, 0, 1, 0], malformed.clone()),
        (&[1, 0, 0, 6, 0, 10, 0, 2, 0, 0], malformed.clone()),
        (&[1, 0, 0, 7, 0, 16, 0, 3, 0, 1, 0], malformed.clone()),
        (&[1, 0, 0, 9], malformed.clone()),
        (&[1, 0, 0, 0, 0], malformed),
    ];
    for (tail, error) in cases {
        let alter = |bytes: &[u8]| vec![hello(bytes, tail)];
        let outcome = with_message(&configs, Side::Client, MessageKind::ClientHello, alter);
        let (_, alert) = error.alert().unwrap();
        assert_refused(&outcome, Side::Client, &error, alert);
    }
}

#[test]
fn answers_to_extensions_nobody_sent() {
    let configs = configs(CipherSuite::EccSm4GcmSm3);
    for (tail, extension) in
        [(&[0, 6, 0, 16, 0, 2, 0, 0][..], None), (&[0, 4, 0, 23, 0, 0], Some(23))]
    {
        let alter = |bytes: &[u8]| {
            let body = &bytes[4..4 + 2 + 32 + 33 + 2 + 1];
            vec![message(MessageKind::ServerHello, &[body, tail].concat())]
        };
        let outcome = with_message(&configs, Side::Server, MessageKind::ServerHello, alter);
        match extension {
            Some(extension) => {
                let error = TlcpError::UnsolicitedExtension { extension };
                let alert = AlertDescription::UNSUPPORTED_EXTENSION;
                assert_refused(&outcome, Side::Server, &error, alert);
            }
            None => {
                let error = TlcpError::Malformed { message: MessageKind::ServerHello };
                assert_refused(&outcome, Side::Server, &error, AlertDescription::DECODE_ERROR);
            }
        }
    }
}
