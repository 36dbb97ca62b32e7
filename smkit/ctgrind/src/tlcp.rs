//! The CBC records of TLCP as `smkit-tls` protects them, and the little that they need of their surroundings.

#[path = "../../tls/src/tlcp/record/cbc.rs"]
mod cbc;
#[allow(dead_code, reason = "the handshake uses the rest")]
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

use crate::marks::show;

#[derive(Clone, Copy)]
struct ContentType;

fn pseudo_header(sequence: u64, _: ContentType, plain_bytes: usize) -> [u8; 13] {
    let length = (plain_bytes as u16).to_be_bytes();
    let fields = sequence.to_be_bytes().into_iter().chain([23, 1, 1]).chain(length);
    let mut out = [0; 13];
    out.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
    out
}

/// Opens records of several lengths under secret keys: what the padding says, where the MAC stands and what it is are then
/// as secret. Some are genuine, some decrypt to whatever they may.
pub(crate) fn open(secret: &[u8; 32], random: &mut dyn smkit::Random) {
    let mut key = [0; 16];
    key.copy_from_slice(&secret[..16]);
    let cbc = cbc::Cbc::new(secret, &key);
    for bytes in [0, 5, 300, 1_000] {
        let mut record = Vec::new();
        cbc.seal(0, ContentType, &[0; 5], &vec![7; bytes], &mut record, random).expect("sealed");
        let mut genuine = record.split_off(5);
        show(&genuine);
        let mut forged = vec![0x5a; genuine.len()];
        assert!(cbc.open(0, ContentType, &mut genuine).is_ok(), "a genuine record");
        assert!(cbc.open(0, ContentType, &mut forged).is_err(), "a forged record");
    }
}
