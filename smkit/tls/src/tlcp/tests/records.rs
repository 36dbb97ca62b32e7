//! Records and alerts: cut, joined, empty, too long, changed, out of place.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    sync::Arc,
};

use super::{
    handshake::{ends, talk},
    wire::{Flying, feed, records, run, run_with, sent},
    world::World,
};
use crate::tlcp::{
    AlertDescription, AlertLevel, CipherSuite, ClientAuthentication, Connection, MessageKind,
    PeerQuirk, TlcpError,
    keys::Side,
    limits::{EMPTY_RECORDS_MAX, RECEIVED_BYTES_MAX, SEND_BYTES_MAX, WARNINGS_MAX},
    messages::Message,
    record::ContentType,
};

/// Two ends after their handshake, with one suite.
fn connected(suite: CipherSuite) -> (Connection, Connection) {
    let world = World::new();
    let client = world.member_client().with_suites(&[suite]).unwrap();
    let (mut client, mut server) = ends(&client.into(), &world.strict_server().into());
    assert!(run(&mut client, &mut server).both_ok());
    assert_eq!(server.negotiated_suite(), Some(suite));
    (client, server)
}

/// Every handshake record in clear comes apart into records of one byte each.
#[test]
fn messages_in_records_of_one_byte() {
    let world = World::new();
    for suite in CipherSuite::ALL {
        let client = world.member_client().with_suites(&[suite]).unwrap();
        let (mut client, mut server) = ends(&client.into(), &world.strict_server().into());
        let mut protected = [false, false];
        let outcome = run_with(&mut client, &mut server, |record| {
            let seen = &mut protected[usize::from(record.from == Side::Server)];
            *seen |= record.content_type() == 20;
            if *seen {
                return vec![record.clone()];
            }
            record.payload().iter().map(|byte| Flying::handshake(record.from, &[*byte])).collect()
        });
        assert!(outcome.both_ok(), "{outcome:?}");
        talk(&mut client, &mut server);
    }
}

/// Every flight arrives as one record, and its bytes one by one.
#[test]
fn messages_joined_in_one_record() {
    let world = World::new();
    let (mut client, mut server) =
        ends(&world.member_client().into(), &world.strict_server().into());
    feed(&mut server, &sent(&mut client)).unwrap();
    let flight = records(Side::Server, &sent(&mut server));
    assert_eq!(flight.len(), 5);
    let joined: Vec<u8> = flight.iter().flat_map(|record| record.payload().to_vec()).collect();
    for byte in Flying::handshake(Side::Server, &joined).bytes {
        feed(&mut client, &[byte]).unwrap();
    }
    let flight = records(Side::Client, &sent(&mut client));
    let (clear, rest) = flight.split_at(3);
    let joined: Vec<u8> = clear.iter().flat_map(|record| record.payload().to_vec()).collect();
    feed(&mut server, &Flying::handshake(Side::Client, &joined).bytes).unwrap();
    rest.iter().for_each(|record| feed(&mut server, &record.bytes).unwrap());
    feed(&mut client, &sent(&mut server)).unwrap();
    talk(&mut client, &mut server);
}

/// No message may begin before keys change and end after, nor follow in the same record.
#[test]
fn no_message_straddles_a_change_of_keys() {
    let world = World::new();
    let straddling = |extra: &[u8]| {
        let (mut client, mut server) =
            ends(&world.client().into(), &world.server(ClientAuthentication::None).into());
        let outcome = run_with(&mut client, &mut server, |record| {
            let kind = MessageKind::ClientKeyExchange.code();
            if record.from == Side::Client && record.kind() == Some(kind) {
                let joined = [record.payload(), extra].concat();
                return vec![Flying::handshake(Side::Client, &joined)];
            }
            vec![record.clone()]
        });
        outcome.server
    };
    let (received, expected) = ("ChangeCipherSpec", "the rest of a message");
    assert_eq!(straddling(&[20, 0, 0]), Err(TlcpError::UnexpectedMessage { received, expected }));
    let (received, expected) = ("Finished", "ChangeCipherSpec");
    let whole = [&[20, 0, 0, 12], [0; 12].as_slice()].concat();
    assert_eq!(straddling(&whole), Err(TlcpError::UnexpectedMessage { received, expected }));
}

#[test]
fn change_cipher_spec_out_of_its_place_or_form() {
    let world = World::new();
    let before = |kind: MessageKind, side: Side, payload: &'static [u8]| {
        let (mut client, mut server) =
            ends(&world.member_client().into(), &world.strict_server().into());
        let outcome = run_with(&mut client, &mut server, |record| {
            let early = Flying::record(side, 20, payload);
            let here = record.from == side && record.kind() == Some(kind.code());
            let early = here.then_some(early);
            early.into_iter().chain([record.clone()]).collect()
        });
        if side == Side::Client { outcome.server } else { outcome.client }
    };
    for (side, kind) in [
        (Side::Client, MessageKind::ClientHello),
        (Side::Server, MessageKind::ServerHello),
        (Side::Server, MessageKind::ServerKeyExchange),
        (Side::Client, MessageKind::ClientKeyExchange),
        (Side::Client, MessageKind::CertificateVerify),
    ] {
        let error = before(kind, side, &[1]);
        assert!(
            matches!(error, Err(TlcpError::UnexpectedMessage { received: "ChangeCipherSpec", .. })),
            "{error:?}"
        );
        for payload in [&[0][..], &[2], &[1, 1]] {
            let reason = "ChangeCipherSpec";
            assert_eq!(before(kind, side, payload), Err(TlcpError::MalformedRecord { reason }));
        }
    }
    let (mut client, mut server) = connected(CipherSuite::EccSm4GcmSm3);
    seal(&mut client, ContentType::ChangeCipherSpec, &[1]);
    let (received, expected) = ("ChangeCipherSpec", "application data");
    let error = feed(&mut server, &sent(&mut client));
    assert_eq!(error, Err(TlcpError::UnexpectedMessage { received, expected }));
}

/// Sends under the connection's own keys what its interface would never send.
fn seal(connection: &mut Connection, kind: ContentType, plain: &[u8]) {
    connection.core.send_bytes(kind, plain).unwrap();
}

#[test]
fn renegotiation_is_refused_by_both_sides() {
    for suite in CipherSuite::ALL {
        let (mut client, mut server) = connected(suite);
        let hello = Message::write(MessageKind::ClientHello, |out| out.extend_from_slice(&[0; 40]));
        seal(&mut client, ContentType::Handshake, hello.bytes());
        let error = TlcpError::Renegotiation;
        let warning = Some((AlertLevel::Warning, AlertDescription::NO_RENEGOTIATION));
        assert_eq!(error.alert(), warning);
        assert_eq!(feed(&mut server, &sent(&mut client)), Err(error.clone()));
        assert!(server.writer().write(b"more").is_err(), "the connection is over");
        // The client may read the warning for what it is.
        assert_eq!(feed(&mut client, &sent(&mut server)), Ok(()));

        let (mut client, mut server) = connected(suite);
        let request = Message::write(MessageKind::HelloRequest, |_| ());
        seal(&mut server, ContentType::Handshake, request.bytes());
        assert_eq!(feed(&mut client, &sent(&mut server)), Err(error));
    }
}

#[test]
fn data_before_the_end_of_the_handshake() {
    let world = World::new();
    let (mut client, mut server) = ends(&world.client().into(), &world.strict_server().into());
    assert_eq!(client.writer().write(b"early").unwrap_err().kind(), ErrorKind::WouldBlock);
    let early = Flying::record(Side::Client, 23, b"early");
    let (received, expected) = ("application data", "a handshake message");
    let error = TlcpError::UnexpectedMessage { received, expected };
    assert_eq!(feed(&mut server, &early.bytes), Err(error.clone()));
    assert_eq!(feed(&mut client, &early.bytes), Err(error));
    // Protected, but before Finished: the server has no keys for it in that place.
    let (mut client, mut server) =
        ends(&world.client().into(), &world.server(ClientAuthentication::None).into());
    let mut changed = false;
    let outcome = run_with(&mut client, &mut server, |record| {
        if record.from == Side::Client && changed {
            return vec![Flying::record(Side::Client, 23, record.payload())];
        }
        changed |= record.from == Side::Client && record.content_type() == 20;
        vec![record.clone()]
    });
    assert_eq!(outcome.server, Err(TlcpError::BadRecordMac));
}

#[test]
fn empty_records() {
    for suite in CipherSuite::ALL {
        let (mut client, mut server) = connected(suite);
        for round in 0..=EMPTY_RECORDS_MAX {
            client.core.send_record(ContentType::ApplicationData, &[]).unwrap();
            let expected = if round < EMPTY_RECORDS_MAX {
                Ok(())
            } else {
                Err(TlcpError::TooManyEmptyRecords)
            };
            assert_eq!(feed(&mut server, &sent(&mut client)), expected);
        }
        for kind in [ContentType::Handshake, ContentType::Alert, ContentType::ChangeCipherSpec] {
            let (mut client, mut server) = connected(suite);
            client.core.send_record(kind, &[]).unwrap();
            let error = TlcpError::MalformedRecord { reason: "empty record" };
            assert_eq!(feed(&mut server, &sent(&mut client)), Err(error));
        }
    }
}

#[test]
fn records_too_long() {
    let (mut client, mut server) = connected(CipherSuite::EccSm4GcmSm3);
    let header = |length: u16| [&[23, 1, 1], length.to_be_bytes().as_slice()].concat();
    let bytes_max = (1 << 14) + 2048;
    let error = TlcpError::RecordOverflow { bytes: bytes_max + 1, bytes_max };
    assert_eq!(error.alert(), Some((AlertLevel::Fatal, AlertDescription::RECORD_OVERFLOW)));
    assert_eq!(feed(&mut server, &header(bytes_max as u16 + 1)), Err(error), "by the header alone");
    // Well protected, but more than a fragment.
    let (mut peer, mut other) = connected(CipherSuite::EccSm4CbcSm3);
    peer.core.send_record(ContentType::ApplicationData, &vec![0; (1 << 14) + 1]).unwrap();
    let error = TlcpError::RecordOverflow { bytes: (1 << 14) + 1, bytes_max: 1 << 14 };
    assert_eq!(feed(&mut other, &sent(&mut peer)), Err(error));
    // In clear a record is a fragment at most.
    let world = World::new();
    let mut server = crate::tlcp::ServerConnection::new(world.strict_server().into());
    let error = TlcpError::RecordOverflow { bytes: (1 << 14) + 1, bytes_max: 1 << 14 };
    assert_eq!(feed(&mut server, &[22, 1, 1, 0x40, 1]), Err(error));
    client.send_close_notify();
}

#[test]
fn alerts_of_every_kind() {
    for suite in [CipherSuite::EccSm4GcmSm3, CipherSuite::EccSm4CbcSm3] {
        let (mut client, mut server) = connected(suite);
        for round in 0..=WARNINGS_MAX {
            seal(&mut client, ContentType::Alert, &[1, 90]);
            let expected =
                if round < WARNINGS_MAX { Ok(()) } else { Err(TlcpError::TooManyWarnings) };
            assert_eq!(feed(&mut server, &sent(&mut client)), expected);
        }
        for code in [0, 10, 40, 51, 80, 200, 205, 255] {
            let (mut client, mut server) = connected(suite);
            seal(&mut client, ContentType::Alert, &[2, code]);
            let description = AlertDescription(code);
            let expected =
                if code == 0 { Ok(()) } else { Err(TlcpError::AlertReceived { description }) };
            assert_eq!(feed(&mut server, &sent(&mut client)), expected);
            assert!(sent(&mut server).is_empty(), "no alert answers an alert");
        }
        for malformed in [&[1][..], &[3, 0], &[0, 0], &[1, 0, 0]] {
            let (mut client, mut server) = connected(suite);
            seal(&mut client, ContentType::Alert, malformed);
            let error = feed(&mut server, &sent(&mut client));
            assert!(matches!(error, Err(TlcpError::MalformedRecord { .. })), "{error:?}");
        }
    }
    // Before the handshake is complete even close_notify is a failure.
    let world = World::new();
    let mut server = crate::tlcp::ServerConnection::new(world.strict_server().into());
    let description = AlertDescription::CLOSE_NOTIFY;
    let error = Err(TlcpError::AlertReceived { description });
    assert_eq!(feed(&mut server, &[21, 1, 1, 0, 2, 1, 0]), error);
}

#[test]
fn any_flipped_bit_in_a_record_is_refused() {
    for suite in [CipherSuite::EccSm4GcmSm3, CipherSuite::EccSm4CbcSm3] {
        let world = World::new();
        let client = Arc::new(world.client().with_suites(&[suite]).unwrap());
        let server = Arc::new(world.server(ClientAuthentication::None));
        let (mut dialling, mut waiting) = ends(&client, &server);
        run(&mut dialling, &mut waiting);
        dialling.writer().write_all(b"original").unwrap();
        let record = sent(&mut dialling);
        for bit in 0..8 * record.len() {
            let (mut dialling, mut waiting) = ends(&client, &server);
            run(&mut dialling, &mut waiting);
            dialling.writer().write_all(b"original").unwrap();
            let mut altered = sent(&mut dialling);
            assert_eq!(altered.len(), record.len());
            altered[bit / 8] ^= 1 << (bit % 8);
            let result = feed(&mut waiting, &altered);
            assert!(waiting.reader().read(&mut [0; 64]).is_err(), "bit {bit} came through");
            // Only a longer record is still awaited.
            let length = |record: &[u8]| u16::from_be_bytes([record[3], record[4]]);
            assert!(result.is_err() || length(&altered) > length(&record), "bit {bit}");
        }
    }
}

/// Replayed, dropped and exchanged records: the sequence number is under the MAC.
#[test]
fn records_out_of_sequence() {
    for suite in CipherSuite::ALL {
        for order in [[0, 0].as_slice(), &[1], &[1, 0]] {
            let (mut client, mut server) = connected(suite);
            client.writer().write_all(b"one").unwrap();
            let mut bytes = sent(&mut client);
            client.writer().write_all(b"two").unwrap();
            bytes.extend(sent(&mut client));
            let sent = records(Side::Client, &bytes);
            let result = order.iter().try_for_each(|at| feed(&mut server, &sent[*at].bytes));
            assert_eq!(result, Err(TlcpError::BadRecordMac));
            // And for ever after.
            assert_eq!(server.process_new_packets(), Err(TlcpError::BadRecordMac));
            let readable = if order[0] == 0 { Some(3) } else { None };
            assert_eq!(server.reader().read(&mut [0; 9]).ok(), readable);
        }
    }
}

#[test]
fn buffers_are_bounded() {
    let (mut client, mut server) = connected(CipherSuite::EccSm4GcmSm3);
    let data = vec![1; 1 << 20];
    let taken = client.writer().write(&data).unwrap();
    assert!((1..=SEND_BYTES_MAX).contains(&taken));
    assert_eq!(client.writer().write(&data).unwrap_err().kind(), ErrorKind::WouldBlock);
    let mut wire = sent(&mut client);
    while wire.len() < 1 << 20 {
        assert!(client.writer().write(&data).unwrap() > 0);
        wire.extend(sent(&mut client));
    }
    // Nobody reads at the server: it stops taking records.
    let mut source = wire.as_slice();
    while server.wants_read() {
        server.read_tls(&mut source).unwrap();
        server.process_new_packets().unwrap();
    }
    let waiting = server.process_new_packets().unwrap().plaintext_bytes_to_read;
    assert!((RECEIVED_BYTES_MAX..RECEIVED_BYTES_MAX + 40_000).contains(&waiting));
    assert_eq!(server.read_tls(&mut source).unwrap_err().kind(), ErrorKind::WouldBlock);
    let mut out = vec![0; 1 << 20];
    assert_eq!(server.reader().read(&mut out).unwrap(), waiting);
    assert!(server.wants_read());
}

#[test]
fn a_cut_line_is_not_a_close() {
    let (mut client, mut server) = connected(CipherSuite::EccSm4GcmSm3);
    client.writer().write_all(b"part").unwrap();
    feed(&mut server, &sent(&mut client)).unwrap();
    assert_eq!(server.read_tls(&mut std::io::empty()).unwrap(), 0);
    let mut out = [0; 4];
    assert_eq!(server.reader().read(&mut out).unwrap(), 4);
    let error = server.reader().read(&mut out).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert!(!server.wants_read());
}

/// What follows `close_notify` is nobody's.
#[test]
fn nothing_comes_after_close_notify() {
    let (mut client, mut server) = connected(CipherSuite::EccSm4CbcSm3);
    client.writer().write_all(b"last").unwrap();
    client.send_close_notify();
    client.send_close_notify();
    let mut wire = sent(&mut client);
    wire.extend(Flying::record(Side::Client, 23, &[0; 64]).bytes);
    assert_eq!(records(Side::Client, &wire).len(), 3);
    feed(&mut server, &wire).unwrap();
    let mut out = [0; 9];
    assert_eq!(server.reader().read(&mut out).unwrap(), 4);
    assert_eq!(server.reader().read(&mut out).unwrap(), 0);
    // The other direction is still open.
    server.writer().write_all(b"answer").unwrap();
    feed(&mut client, &sent(&mut server)).unwrap();
    assert_eq!(client.reader().read(&mut out).unwrap(), 6);
}

#[test]
fn a_key_is_not_used_for_ever() {
    let (mut client, mut server) = connected(CipherSuite::EccSm4GcmSm3);
    client.core.exhaust(3);
    client.writer().write_all(b"still").unwrap_err();
    assert_eq!(client.failure(), Some(&TlcpError::KeysExhausted));
    // The peer hears a close: nothing was lost. (Its own count does not follow the jump of the test.)
    assert_eq!(records(Side::Client, &sent(&mut client))[0].content_type(), 21);
    server.send_close_notify();
}

/// The form that GmSSL signs, between two sides that both know of it, and between those that do not.
#[test]
fn the_raw_transcript_is_signed_only_where_that_is_named() {
    let world = World::new();
    let quirk = PeerQuirk::RawTranscriptSignature;
    for suite in CipherSuite::ALL {
        for (client_quirk, server_quirk) in [(true, true), (false, true), (true, false)] {
            let mut client = world.member_client().with_suites(&[suite]).unwrap();
            let mut server = world.strict_server();
            if client_quirk {
                client = client.with_quirk(quirk);
            }
            if server_quirk {
                server = server.with_quirk(quirk);
            }
            let (mut client, mut server) = ends(&client.into(), &server.into());
            let outcome = run(&mut client, &mut server);
            let message = MessageKind::CertificateVerify;
            let expected =
                if server_quirk { Ok(()) } else { Err(TlcpError::BadSignature { message }) };
            assert_eq!(outcome.server, expected);
        }
    }
}

/// A client for GmSSL's servers: one certificate under ECC, both under ECDHE.
#[test]
fn the_encryption_certificate_is_left_out_only_where_that_is_named() {
    let world = World::new();
    for suite in CipherSuite::ALL {
        let client = world.member_client().with_suites(&[suite]).unwrap();
        let client = client.with_quirk(PeerQuirk::SingleClientCertificate);
        let (mut client, mut server) = ends(&client.into(), &world.strict_server().into());
        assert!(run(&mut client, &mut server).both_ok());
        let both = suite.name().starts_with("ECDHE");
        assert_eq!(server.peer_certificates().len(), if both { 2 } else { 1 });
        talk(&mut client, &mut server);
    }
}

/// A hello without any extension, as old peers send it.
#[test]
fn a_hello_without_extensions_is_enough() {
    let world = World::new();
    let client = world.client().with_alpn(&[b"h2"]).unwrap().with_quirk(PeerQuirk::NoExtensions);
    let server = world.server(ClientAuthentication::None).with_alpn(&[b"h2"]).unwrap();
    let (mut client, mut server) = ends(&client.into(), &server.into());
    let outcome = run(&mut client, &mut server);
    assert!(outcome.both_ok());
    // Version, random, session id, two suites, compression.
    assert_eq!(outcome.records[0].payload().len(), 4 + 2 + 32 + 1 + 2 + 4 + 2);
    assert_eq!((server.server_name(), server.alpn_protocol()), (None, None));
    talk(&mut client, &mut server);
}
