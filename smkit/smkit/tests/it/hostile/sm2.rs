//! Keys, signatures, ciphertexts, envelopes, key exchange.

use proptest::prelude::*;
use smkit::sm2::{
    Ciphertext, Initiator, PrivateKey, PublicKey, Responder, Signature, SignerId, Unverified,
    VerifyingKey, sign_many, verify_many,
};

use super::{bytes, changed};
use crate::cases::Fixed;

fn private() -> PrivateKey {
    PrivateKey::from_bytes(&[7; 32]).unwrap()
}

fn random() -> Fixed {
    Fixed::new([9; 32])
}

/// Every reader of bytes; what one accepts, its writer gives back.
fn read(data: &[u8]) {
    if let Ok(key) = PublicKey::from_sec1(data) {
        assert_eq!(key.to_sec1(), data);
    }
    if let Ok(key) = PublicKey::from_compressed(data) {
        assert_eq!(key.to_compressed(), data);
    }
    if let Ok(signature) = Signature::from_der(data) {
        assert_eq!(signature.to_der(), data);
    }
    if let Ok(ciphertext) = Ciphertext::from_c1c3c2(data) {
        assert_eq!(ciphertext.to_c1c3c2(), data);
        let _ = private().decrypt(&ciphertext);
    }
    if let Ok(ciphertext) = Ciphertext::from_der(data) {
        assert_eq!(ciphertext.to_der(), data);
        let _ = private().decrypt(&ciphertext);
    }
    if let Ok(ciphertext) = Ciphertext::from_legacy_c1c2c3(data) {
        assert_eq!(ciphertext.to_c1c3c2().len(), data.len());
        let _ = private().decrypt(&ciphertext);
    }
    let _ = private().open_enveloped_der(data);
    let _ = SignerId::new(data);
    let keys = [PrivateKey::from_sec1_der(data).ok(), PrivateKey::from_pkcs8_der(data).ok()];
    for key in keys.into_iter().flatten() {
        assert!(PrivateKey::from_bytes(&key.to_bytes()).is_ok(), "in range");
    }
}

/// Every reader of text.
fn read_text(text: &str) {
    let _ = PrivateKey::from_sec1_pem(text);
    let _ = PrivateKey::from_pkcs8_pem(text);
    let _ = PrivateKey::from_encrypted_pkcs8_pem(text, text.as_bytes());
}

fn encodings() -> Vec<Vec<u8>> {
    let (key, mut random) = (private(), random());
    let ciphertext = key.public_key().encrypt(b"sixteen bytes 16", &mut random).unwrap();
    let signature = sign_many(&signing(), &[b"m"])[0];
    vec![
        key.public_key().to_sec1().to_vec(),
        key.public_key().to_compressed().to_vec(),
        signature.to_der(),
        ciphertext.to_c1c3c2(),
        ciphertext.to_der(),
        key.to_sec1_der().to_vec(),
        key.to_pkcs8_der().unwrap().to_vec(),
        key.to_enveloped_der(key.public_key(), &mut random).unwrap(),
    ]
}

fn signing() -> smkit::sm2::SigningKey {
    smkit::sm2::SigningKey::new(private(), SignerId::DEFAULT).unwrap()
}

fn changed_encoding() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(encodings()).prop_flat_map(changed)
}

fn changed_pem() -> impl Strategy<Value = String> {
    let key = private();
    let texts = vec![key.to_sec1_pem().to_string(), key.to_pkcs8_pem().unwrap().to_string()];
    prop::sample::select(texts)
        .prop_flat_map(|text| changed(text.into_bytes()))
        .prop_map(|text| String::from_utf8_lossy(&text).into_owned())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn readers_take_any_bytes(data in bytes()) {
        read(&data);
        read_text(&String::from_utf8_lossy(&data));
        let _ = PrivateKey::from_encrypted_pkcs8_der(&data, &data);
    }

    #[test]
    fn readers_take_almost_right_bytes(data in changed_encoding(), text in changed_pem()) {
        read(&data);
        read_text(&text);
    }

    /// Where any numbers may stand: the verdict is one, alone and in a batch.
    #[test]
    fn verification_takes_any_numbers(
        raw in prop::array::uniform2(any::<[u8; 32]>()),
        small in 0_u8..3,
        message in bytes(),
        id in bytes(),
    ) {
        let mut raw = raw.concat();
        if small < 2 {
            raw[usize::from(small) * 32..][..31].fill(0);
        }
        let id = SignerId::new(id).unwrap();
        let key = VerifyingKey::new(private().public_key().clone(), id).unwrap();
        if let Ok(signature) = Signature::from_bytes(raw.try_into().unwrap()) {
            let alone = key.verify(&message, &signature);
            let claim = Unverified { key: &key, message: &message, signature: &signature };
            prop_assert_eq!(verify_many(&[claim; 5]), [alone; 5]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The rounds of PBKDF2 stay: a larger number is allowed and only slow.
    #[test]
    fn encrypted_keys_take_almost_right_bytes(mut data in {
        let right = private().to_encrypted_pkcs8_der(b"secret", &mut random()).unwrap();
        changed(right)
    }) {
        const ROUNDS: [u8; 5] = [2, 3, 1, 0, 0];
        let rounds = data.windows(5).position(|window| window[..2] == ROUNDS[..2]);
        if let Some(at) = rounds {
            data[at + 2..at + 5].copy_from_slice(&[0, 0x80, 0]);
        }
        let _ = PrivateKey::from_encrypted_pkcs8_der(&data, b"secret");
    }

    /// Any public key and any length where a peer's may stand.
    #[test]
    fn key_exchange_takes_any_message(
        secrets in prop::array::uniform2(1_u8..), length in 0_usize..1_100, confirmation: [u8; 32],
    ) {
        let [peer, ephemeral] = secrets.map(|secret| PrivateKey::from_bytes(&[secret & 0x7f | 1; 32]).unwrap());
        let peer = VerifyingKey::new(peer.public_key().clone(), SignerId::TLS13).unwrap();
        let ephemeral = ephemeral.public_key();
        let initiator =
            Initiator::new(&private(), SignerId::DEFAULT, peer.clone(), &mut random()).unwrap();
        prop_assert!(initiator.confirm(ephemeral, &confirmation, length).is_err());
        let responder =
            Responder::new(&private(), SignerId::DEFAULT, &peer, ephemeral, length, &mut random());
        prop_assert_eq!(responder.is_ok(), (1..=1_024).contains(&length));
        if let Ok(responder) = responder {
            prop_assert!(responder.confirm(&confirmation).is_err());
        }
    }
}
