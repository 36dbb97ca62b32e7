//! SM2 by the processor's kernels and without them: the same keys, signatures, verdicts, ciphertexts and points.
#![no_main]

use changbai_fuzz::kit::{Given, on_every_path, verifying};
use smkit::sm2::{
    Ciphertext, PrivateKey, PublicKey, Signature, SignerId, SigningKey, Unverified, sign_many,
    verify_many,
};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("kernels_sm2"), |data: &[u8]| {
    let Some((secret, rest)) = data.split_first_chunk::<32>() else { return };
    let Some((raw, message)) = rest.split_first_chunk::<64>() else { return };
    on_every_path(|| {
        let Ok(private) = PrivateKey::from_bytes(secret) else { return None };
        Some((signatures(&private, raw, message), encryption(&private, raw, message)))
    });
    let _ = on_every_path(|| {
        let compressed = [&[2 | message.len().to_le_bytes()[0] & 1], &raw[..32]].concat();
        PublicKey::from_compressed(&compressed).map(|key| key.to_sec1())
    });
});

/// Own signatures, one by one and together; the verdicts on them and on the given r and s, by a key that becomes known.
fn signatures(private: &PrivateKey, raw: &[u8; 64], message: &[u8]) -> (Vec<[u8; 64]>, Vec<bool>) {
    let key = SigningKey::new(private.clone(), SignerId::DEFAULT).expect("the default ID");
    let messages: Vec<&[u8]> = (0..11).map(|cut| &message[..message.len() * cut / 10]).collect();
    let mut signed = sign_many(&key, &messages[..10]);
    assert_eq!(signed[9], key.sign(messages[9]), "together and one by one");
    signed.extend(Signature::from_bytes(*raw));

    // The first batch meets a key without a table, the second one a key with it.
    let verifying = verifying(private.public_key());
    let mut verdicts = Vec::new();
    for from in [0, 7] {
        let batch: Vec<Unverified<'_>> = signed
            .iter()
            .zip(&messages)
            .skip(from)
            .map(|(signature, message)| Unverified { key: &verifying, message, signature })
            .collect();
        let together: Vec<bool> = verify_many(&batch).iter().map(Result::is_ok).collect();
        assert!(together[..10 - from].iter().all(|valid| *valid), "our own");
        verdicts.extend(together);
    }
    if let Some(given) = signed.get(10) {
        assert_eq!(verifying.verify(message, given).is_ok(), verdicts[10]);
    }
    (signed.iter().map(Signature::to_bytes).collect(), verdicts)
}

/// A ciphertext with the given nonce, and what comes out of it.
fn encryption(private: &PrivateKey, raw: &[u8; 64], message: &[u8]) -> Option<Vec<u8>> {
    let nonce = *raw.last_chunk::<32>()?;
    let ciphertext = private.public_key().encrypt(message, &mut Given(nonce)).ok()?;
    assert_eq!(*private.decrypt(&ciphertext).expect("our own"), message);
    let mut altered = ciphertext.to_c1c3c2();
    *altered.last_mut()? ^= 1;
    assert!(
        Ciphertext::from_c1c3c2(&altered).is_ok_and(|altered| private.decrypt(&altered).is_err())
    );
    Some(ciphertext.to_der())
}
