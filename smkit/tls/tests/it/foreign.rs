//! A handshake captured between two other programs: what of it our side understands.

use rustls::ServerConnection;

use crate::pair::{Setting, heard};

/// The records of one flight.
fn flight(at: usize) -> (String, Vec<u8>) {
    let text = include_str!("../../testdata/rfc8998_handshake_wire.json");
    let vector: serde_json::Value = serde_json::from_str(text).unwrap();
    let flight = &vector["flight_order"][at];
    let from = flight["from"].as_str().unwrap().to_owned();
    (from, hex::decode(flight["hex"].as_str().unwrap()).unwrap())
}

#[test]
fn the_captured_client_hello_is_answered() {
    let (from, hello) = flight(0);
    assert_eq!(from, "C");
    // The capture offers what the standard names.
    assert!(hello.windows(2).any(|bytes| bytes == [0x00, 0xc6]), "suite");
    assert!(hello.windows(6).any(|bytes| bytes == [0, 0x33, 0, 0x47, 0, 0x45]), "key share");
    assert!(hello.windows(4).any(|bytes| bytes == [0x00, 0x29, 0x00, 0x41]), "group 41");
    assert!(hello.windows(2).any(|bytes| bytes == [0x07, 0x08]), "sm2sig_sm3");

    let setting = Setting::mutual();
    let mut server = ServerConnection::new(setting.server.into()).unwrap();
    let mut rest = hello.as_slice();
    while !rest.is_empty() {
        server.read_tls(&mut rest).unwrap();
        server.process_new_packets().unwrap();
    }
    let suite = server.negotiated_cipher_suite().map(|suite| suite.suite());
    assert_eq!(suite, Some(rustls::CipherSuite::Unknown(0x00c6)));
    let mut answer = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut answer).unwrap();
    }
    // A handshake record with a ServerHello for that suite and a share of 65 bytes on group 41, in the shape of the
    // captured one.
    let (_, captured) = flight(1);
    let shape = |bytes: &[u8]| {
        let session = usize::from(bytes[43]);
        (bytes[0], bytes[5], bytes[44 + session..47 + session].to_vec())
    };
    assert_eq!(shape(&answer), (22, 2, vec![0x00, 0xc6, 0x00]));
    assert_eq!(shape(&answer), shape(&captured));
    assert!(answer.windows(8).any(|bytes| bytes == [0, 0x33, 0, 0x45, 0, 0x29, 0, 0x41]));
    assert!(heard(&mut server.reader()).is_empty());
}

#[test]
fn every_cut_of_the_captured_client_hello_waits_and_every_flip_is_survived() {
    let (_, hello) = flight(0);
    let setting = Setting::mutual();
    let config = std::sync::Arc::new(setting.server);
    for cut in 0..hello.len() {
        let mut server = ServerConnection::new(config.clone()).unwrap();
        server.read_tls(&mut &hello[..cut]).unwrap();
        server.process_new_packets().unwrap();
        assert!(server.is_handshaking() && !server.wants_write(), "{cut} bytes");
    }
    for at in 0..hello.len() {
        let mut changed = hello.clone();
        changed[at] ^= 0x80;
        let mut server = ServerConnection::new(config.clone()).unwrap();
        server.read_tls(&mut changed.as_slice()).unwrap();
        // Never a finished handshake; an error or an answer, but no panic.
        let _ = server.process_new_packets();
        assert!(server.is_handshaking());
    }
}
