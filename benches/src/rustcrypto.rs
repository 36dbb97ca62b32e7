//! RustCrypto's crates, as cases to be sampled in turns with ours.

use std::hint::black_box;

use aes_gcm::aead::{AeadInOut, consts::U12};
use aes_gcm::{AesGcm, KeyInit};
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use sm2::dsa::signature::{Signer as _, Verifier as _};
use sm2::dsa::{Signature, SigningKey};
use sm3::Digest as _;

use crate::kit::{BATCH, MESSAGE, STREAM, message};
use crate::sampling::Case;

/// Cases named by the first figure of ours that they stand beside; [`beside`] finds the one for every figure.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = signatures();
    cases.extend(hashes_and_ciphers());
    cases
}

/// Which case stands beside this figure of ours: one at a time is all RustCrypto has.
pub(crate) fn beside(figure: &str) -> &str {
    match figure {
        "sm2/verify/known" | "sm2/verify/batch64" | "sm2/verify/batch64-known" => {
            "sm2/verify/single"
        }
        "sm2/sign/batch64" => "sm2/sign/single",
        "sm3/lanes-16k" => "sm3/stream-16k",
        other => other,
    }
}

fn signatures() -> Vec<Case> {
    let mut number = 1_u64;
    let mut next = move || {
        number += 1;
        let secret = smkit::sm3(&number.to_be_bytes());
        SigningKey::from_slice("1234567812345678", secret.as_bytes()).expect("a key below n")
    };
    let key = next();
    let sign = Case::of("sm2/sign/single", BATCH, move || {
        (0..BATCH).for_each(|at| {
            black_box::<Signature>(key.sign(&message(at)));
        });
    });
    let verify = Case::new(
        "sm2/verify/single",
        BATCH,
        move || {
            let sign = |at| {
                let key = next();
                let signature: Signature = key.sign(&message(at));
                (key, signature)
            };
            (0..BATCH).map(sign).collect::<Vec<_>>()
        },
        |signed| {
            for (at, (key, signature)) in signed.iter().enumerate() {
                key.verifying_key().verify(&message(at), signature).expect("own signature");
            }
        },
    );
    vec![verify, sign]
}

fn hashes_and_ciphers() -> Vec<Case> {
    let data = vec![7; STREAM];
    let stream = Case::of("sm3/stream-16k", 16 * STREAM, move || {
        (0..16).for_each(|_| {
            black_box(sm3::Sm3::digest(&data));
        });
    });
    let short = Case::of("sm3/lanes-64b", 1_024 * MESSAGE, || {
        (0..1_024).for_each(|at| {
            black_box(sm3::Sm3::digest(message(at)));
        });
    });
    let mut cipher = ctr::Ctr128BE::<sm4::Sm4>::new(&[1; 16].into(), &[2; 16].into());
    let mut data = vec![7; STREAM];
    let ctr = Case::of("sm4/ctr", 8 * STREAM, move || {
        (0..8).for_each(|_| cipher.apply_keystream(&mut data));
    });
    let cipher = AesGcm::<sm4::Sm4, U12>::new(&[1; 16].into());
    let mut data = vec![7; STREAM];
    let gcm = Case::of("sm4/gcm", 8 * STREAM, move || {
        (0..8).for_each(|_| {
            let nonce = [3; 12].into();
            let tag = cipher.encrypt_inout_detached(&nonce, b"", data.as_mut_slice().into());
            black_box(tag.expect("a short message"));
        });
    });
    vec![stream, short, ctr, gcm]
}
