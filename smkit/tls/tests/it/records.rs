//! Records at their limits, and records somebody touched.

use rustls::{AlertDescription, Error};

use crate::pair::{Pair, Setting};

/// Longest plaintext of a record (RFC 8446 §5.1).
const FRAGMENT_MAX: usize = 1 << 14;

fn shaken() -> Pair {
    let mut pair = Setting::mutual().pair();
    pair.shake();
    pair
}

#[test]
fn data_around_the_record_limit_arrives_unchanged() {
    let mut pair = shaken();
    for length in [0, 1, 15, 16, 17, FRAGMENT_MAX - 1, FRAGMENT_MAX, FRAGMENT_MAX + 1, 40_000] {
        let data: Vec<u8> = (0..length).map(|at| at.to_le_bytes()[0] ^ 0x5a).collect();
        assert!(pair.client_says(&data) == data, "{length} bytes");
        assert!(pair.server_says(&data) == data, "{length} bytes");
    }
}

#[test]
fn a_full_record_has_2_to_the_14_plus_17_bytes_and_one_more_makes_two() {
    for (length, records) in [(FRAGMENT_MAX, 1), (FRAGMENT_MAX + 1, 2)] {
        let mut pair = shaken();
        std::io::Write::write_all(&mut pair.client.writer(), &vec![7; length]).unwrap();
        let mut lengths = Vec::new();
        pair.run_with(|from_client, bytes| {
            if from_client {
                lengths.extend(record_lengths(&bytes));
            }
            bytes
        });
        assert_eq!(lengths.len(), records);
        assert_eq!(lengths[0], FRAGMENT_MAX + 17);
    }
}

/// Bytes of each record's body.
fn record_lengths(mut bytes: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    while let [_, _, _, high, low, rest @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        lengths.push(length);
        bytes = &rest[length..];
    }
    lengths
}

#[test]
fn a_record_above_the_limit_is_refused_before_it_is_complete() {
    let mut pair = shaken();
    // RFC 8446 §5.2 allows 2^14 + 256 and rustls waits for up to 2^14 + 2048, TLS 1.2's limit: what is between fails when
    // it is opened, which `record/tests.rs` shows.
    let head = [23, 3, 3, 0x48, 0x01];
    pair.server.read_tls(&mut head.as_slice()).unwrap();
    let error = pair.server.process_new_packets().unwrap_err();
    assert!(matches!(error, Error::InvalidMessage(_)), "{error}");
}

#[test]
fn any_touched_record_ends_the_connection_with_bad_record_mac() {
    for at in [0, 3, 20, 116] {
        let mut pair = shaken();
        std::io::Write::write_all(&mut pair.client.writer(), &[9; 100]).unwrap();
        let ended = pair.run_with(|from_client, mut bytes| {
            if from_client && bytes.len() == 5 + 117 {
                bytes[5 + at] ^= 1;
            }
            bytes
        });
        assert_eq!(ended.server, Err(Error::DecryptError), "byte {at}");
        assert_eq!(ended.client, Err(Error::AlertReceived(AlertDescription::BadRecordMac)));
    }
}

#[test]
fn records_cannot_be_replayed_or_swapped() {
    for order in [[0, 0], [1, 0]] {
        let mut pair = shaken();
        let mut records = Vec::new();
        for part in [b"first", b"later"] {
            std::io::Write::write_all(&mut pair.client.writer(), part).unwrap();
            let mut record = Vec::new();
            pair.client.write_tls(&mut record).unwrap();
            records.push(record);
        }
        let sent = order.map(|at: usize| records[at].clone()).concat();
        pair.server.read_tls(&mut sent.as_slice()).unwrap();
        assert_eq!(pair.server.process_new_packets().unwrap_err(), Error::DecryptError);
    }
}

#[test]
fn a_record_too_short_for_its_tag_is_refused() {
    let mut pair = shaken();
    for length in 0..16_u8 {
        let mut record = vec![23, 3, 3, 0, length];
        record.extend(vec![0; usize::from(length)]);
        let _ = pair.server.read_tls(&mut record.as_slice()).unwrap();
        assert!(pair.server.process_new_packets().is_err(), "{length} bytes");
        pair = shaken();
    }
}
