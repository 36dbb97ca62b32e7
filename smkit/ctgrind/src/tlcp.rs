//! A CBC record of TLCP, opened under secret keys: its padding, its length and its MAC are then as secret.

/// The record's protection, as `smkit-tls` has it, and the little that it needs of its surroundings.
#[path = "../../tls/src/tlcp/constant.rs"]
mod constant;
mod error {
    #[derive(Debug, PartialEq, Eq)]
    pub(crate) enum TlcpError {
        BadRecordMac,
        KeysExhausted,
        Random,
    }

    impl From<smkit::RandomError> for TlcpError {
        fn from(_: smkit::RandomError) -> Self {
            Self::Random
        }
    }
}
#[path = "../../tls/src/tlcp/record/cbc.rs"]
mod cbc;

use cbc::Cbc;

#[derive(Clone, Copy)]
struct ContentType;

fn pseudo_header(sequence: u64, _: ContentType, plain_bytes: usize) -> [u8; 13] {
    let length = (plain_bytes as u16).to_be_bytes();
    let fields = sequence.to_be_bytes().into_iter().chain([23, 1, 1]).chain(length);
    let mut out = [0; 13];
    out.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
    out
}

pub(crate) fn open() {
    let (mut mac, mut key) = ([1; 32], [2; 16]);
    super::hide(&mut mac);
    super::hide(&mut key);
    let cbc = Cbc::new(&mac, &key);
    for bytes in [0, 5, 300, 1_000] {
        let mut record = Vec::new();
        let random = &mut smkit::OsRandom;
        cbc.seal(0, ContentType, &[0; 5], &vec![7; bytes], &mut record, random).expect("sealed");
        let mut payload = record.split_off(5);
        super::show(&payload);
        let mut forged = payload.clone();
        assert!(cbc.open(0, ContentType, &mut payload).is_ok(), "own record");
        if let Some(last) = forged.last_mut() {
            *last ^= 1;
        }
        assert!(cbc.open(0, ContentType, &mut forged).is_err(), "a forged record");
    }
}
