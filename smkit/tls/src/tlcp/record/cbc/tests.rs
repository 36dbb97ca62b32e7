//! Every padding, right and wrong, and the place of the MAC.

#![allow(clippy::cast_possible_truncation, reason = "tests")]

use super::*;
use crate::tlcp::tests::world::Counter;

fn cbc() -> Cbc {
    Cbc::new(&[1; 32], &[2; 16])
}

/// A record with this content and these bytes as padding, the last of them its length.
fn sealed(content: &[u8], padding: &[u8]) -> Vec<u8> {
    let cbc = cbc();
    let mut mac = cbc.mac.clone();
    mac.update(&pseudo_header(5, ContentType::ApplicationData, content.len()));
    mac.update(content);
    let mut data = [content, mac.finalize().as_bytes(), padding].concat();
    let iv = [9; 16];
    cbc.cipher.encrypt_unpadded(&iv, &mut data).unwrap();
    [iv.as_slice(), &data].concat()
}

fn open(mut payload: Vec<u8>) -> Result<Vec<u8>, TlcpError> {
    let plain = cbc().open(5, ContentType::ApplicationData, &mut payload)?;
    Ok(plain.to_vec())
}

#[test]
fn what_is_sealed_opens() {
    for bytes in [0, 1, 15, 16, 31, 32, 33, 255, 256, 257, 1000, 1 << 14] {
        let content: Vec<u8> = (0..bytes).map(|at| (at % 253) as u8).collect();
        let mut out = b"before".to_vec();
        let random = &mut Counter(bytes as u64);
        cbc().seal(5, ContentType::ApplicationData, &[0; 5], &content, &mut out, random).unwrap();
        assert_eq!(out.len(), 6 + 5 + sealed_bytes(bytes));
        assert_eq!(open(out[11..].to_vec()).unwrap(), content);
    }
}

/// TLS lets padding be longer than it need be.
#[test]
fn every_length_of_padding_is_accepted() {
    for length in
        (0..=255_u8).filter(|length| (usize::from(*length) + 1 + 7 + 32).is_multiple_of(16))
    {
        let padding = vec![length; usize::from(length) + 1];
        assert_eq!(open(sealed(b"content", &padding)).unwrap(), b"content");
    }
}

#[test]
fn any_wrong_byte_of_padding_is_refused() {
    for length in [8_u8, 24, 248] {
        for at in 0..=usize::from(length) {
            let mut padding = vec![length; usize::from(length) + 1];
            padding[at] ^= 0x10;
            let refused = open(sealed(b"content", &padding));
            assert_eq!(refused, Err(TlcpError::BadRecordMac), "byte {at} of {length}");
        }
    }
}

/// A length that leaves no room for the MAC.
#[test]
fn padding_longer_than_the_record_is_refused() {
    for length in [16_u8, 17, 48, 255] {
        let refused = open(sealed(b"", &[[length; 15].as_slice(), &[length]].concat()));
        assert_eq!(refused, Err(TlcpError::BadRecordMac));
    }
}

#[test]
fn any_flipped_bit_and_any_other_place_is_refused() {
    let record = sealed(b"content", &[8; 9]);
    for bit in 0..8 * record.len() {
        let mut altered = record.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(open(altered), Err(TlcpError::BadRecordMac), "bit {bit}");
    }
    for bytes in 0..record.len() {
        assert_eq!(open(record[..bytes].to_vec()), Err(TlcpError::BadRecordMac));
    }
    let other = |sequence, kind| cbc().open(sequence, kind, &mut record.clone()).is_err();
    assert!(other(6, ContentType::ApplicationData) && other(5, ContentType::Handshake));
}

#[test]
fn the_mac_is_found_at_every_place() {
    for bytes in [48, 64, 288, 304, 1024_usize] {
        let data: Vec<u8> = (0..bytes).map(|at| (at % 251) as u8).collect();
        for at in bytes.saturating_sub(288)..bytes - 32 {
            assert_eq!(mac_at(&data, at), data[at..at + 32], "{at} of {bytes}");
        }
    }
}
