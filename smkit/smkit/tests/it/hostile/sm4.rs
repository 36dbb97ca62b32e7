//! Ciphertexts, counters, data units and streams.

use proptest::{collection::vec, prelude::*};
use smkit::sm4::{
    Cbc, Ccm, Ctr, Gcm, Key, Xts, XtsStandard,
    legacy::open_iv_cbc,
    stream::{HEADER_BYTES, Opener, Sealer},
};

use super::{bytes, changed};
use crate::cases::Fixed;

fn opened(key: &Key, stream: &[u8], piece: usize) -> Option<Vec<u8>> {
    let (header, body) = stream.split_first_chunk::<HEADER_BYTES>()?;
    let mut opener = Opener::new(key, b"", header).ok()?;
    let mut out = Vec::new();
    for piece in body.chunks(piece) {
        opener.update(piece, &mut out).ok()?;
    }
    opener.finish(&mut out).ok()?;
    Some(out)
}

fn right_stream() -> Vec<u8> {
    let key = Key::from_bytes([1; 16]);
    let mut sealer = Sealer::with_chunk_log2(&key, b"", 10, &mut Fixed::new([3; 32])).unwrap();
    let mut out = sealer.header().to_vec();
    sealer.update(&[5; 2_500], &mut out).unwrap();
    sealer.finish(&mut out).unwrap();
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_bytes(
        key: [u8; 16], second: [u8; 16], nonce: [u8; 12], iv: [u8; 16], offset: u64,
        aad in bytes(), data in bytes(), key_bytes in vec(any::<u8>(), 0..40),
    ) {
        prop_assert_eq!(Key::from_slice(&key_bytes).is_ok(), key_bytes.len() == 16);
        let (key, second) = (Key::from_bytes(key), Key::from_bytes(second));
        prop_assert!(Gcm::new(&key).open_in_place(&nonce, &aad, &mut data.clone()).is_err());
        prop_assert!(Ccm::new(&key).open_in_place(&nonce, &aad, &mut data.clone()).is_err());
        let _ = open_iv_cbc(&key, &data);
        let cbc = Cbc::new(&key);
        let whole = data.len() % 16 == 0;
        prop_assert_eq!(cbc.decrypt_unpadded(&iv, &mut data.clone()).is_ok(), whole);
        prop_assert_eq!(cbc.encrypt_unpadded(&iv, &mut data.clone()).is_ok(), whole);
        let mut padded = data.clone();
        if cbc.decrypt(&iv, &mut padded).is_ok() {
            cbc.encrypt(&iv, &mut padded);
            prop_assert_eq!(&padded, &data, "one padding only");
        }
        let mut twice = data.clone();
        Ctr::new(&key).apply_at(&iv, offset, &mut twice);
        Ctr::new(&key).apply_at(&iv, offset, &mut twice);
        prop_assert_eq!(&twice, &data);
        for standard in [XtsStandard::GbT17964, XtsStandard::Ieee1619] {
            let xts = Xts::new(&key, &second, standard).unwrap();
            let mut unit = data.clone();
            prop_assert_eq!(xts.decrypt(&iv, &mut unit).is_ok(), data.len() >= 16);
            let _ = xts.encrypt(&iv, &mut unit);
            prop_assert_eq!(&unit, &data);
        }
        let _ = opened(&key, &data, 13);
    }

    /// Sizes of chunks in the header reach 16 MiB: only those that are asked for by a header are reserved.
    #[test]
    fn streams_take_almost_right_bytes(stream in changed(right_stream()), piece in 1_usize..3_000) {
        prop_assume!(stream.get(5).is_none_or(|log2| *log2 <= 16 || *log2 > 24));
        let right = right_stream();
        if let Some(plain) = opened(&Key::from_bytes([1; 16]), &stream, piece) {
            prop_assert_eq!(stream, right);
            prop_assert_eq!(plain, vec![5; 2_500]);
        }
    }
}
