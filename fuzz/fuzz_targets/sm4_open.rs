//! Ciphertexts of every mode: what opens is what sealing gives again, what does not is left as the mode promises.
#![no_main]

use changbai_fuzz::kit::sm4_key;
use changbai_fuzz::pieces;
use smkit::sm4::{Cbc, Ccm, Gcm, Xts, XtsStandard, legacy::open_iv_cbc};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("sm4_open"), |data: &[u8]| {
    let pieces = pieces(data);
    let [nonce, aad, sealed, ..] = pieces.as_slice() else { return };
    let mut iv = [0; 16];
    iv.iter_mut().zip(*nonce).for_each(|(to, from)| *to = *from);
    let nonce = iv.first_chunk().expect("12 of 16");
    let key = sm4_key();

    let gcm = Gcm::new(&key);
    check(sealed, |data| gcm.open_in_place(nonce, aad, data).is_ok(), |data| {
        gcm.seal_in_place(nonce, aad, data).expect("a short message");
    });
    let ccm = Ccm::new(&key);
    check(sealed, |data| ccm.open_in_place(nonce, aad, data).is_ok(), |data| {
        ccm.seal_in_place(nonce, aad, data).expect("a short message");
    });

    let cbc = Cbc::new(&key);
    let mut padded = sealed.to_vec();
    if cbc.decrypt(&iv, &mut padded).is_ok() {
        cbc.encrypt(&iv, &mut padded);
        assert_eq!(padded, *sealed, "one plaintext has two ciphertexts");
    } else {
        assert!(padded.is_empty(), "refused and not wiped");
    }
    let unpadded = cbc.decrypt_unpadded(&iv, &mut sealed.to_vec());
    assert_eq!(unpadded.is_ok(), sealed.len() % 16 == 0);
    let envelope = open_iv_cbc(&key, &[&iv, *sealed].concat());
    assert_eq!(envelope.is_ok(), cbc.decrypt(&iv, &mut sealed.to_vec()).is_ok());

    let second = smkit::sm4::Key::from_bytes([1; 16]);
    for standard in [XtsStandard::GbT17964, XtsStandard::Ieee1619] {
        let xts = Xts::new(&key, &second, standard).expect("two keys");
        let mut unit = sealed.to_vec();
        if xts.decrypt(&iv, &mut unit).is_ok() {
            xts.encrypt(&iv, &mut unit).expect("the same length");
        }
        assert_eq!(unit, *sealed);
    }
});

/// An AEAD gives the same bytes again, or has changed nothing.
fn check(sealed: &[u8], open: impl Fn(&mut Vec<u8>) -> bool, seal: impl Fn(&mut Vec<u8>)) {
    let mut data = sealed.to_vec();
    if open(&mut data) {
        seal(&mut data);
    }
    assert_eq!(data, sealed);
}
