//! RustCrypto's crates, measured like ours.

use std::collections::BTreeMap;
use std::hint::black_box;

use aes_gcm::aead::{AeadInOut, consts::U12};
use aes_gcm::{AesGcm, KeyInit};
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use sm2::dsa::signature::{Signer as _, Verifier as _};
use sm2::dsa::{Signature, SigningKey};
use sm3::Digest as _;

use crate::sampling::median_rate;
use crate::smkit_suite::{BATCH, MESSAGE, STREAM, message};

/// Our figure's name → operations or megabytes a second.
pub(crate) fn measure(seconds: f64) -> BTreeMap<&'static str, f64> {
    let mut number = 1_u64;
    let mut next = || {
        number += 1;
        let secret = smkit::sm3(&number.to_be_bytes());
        SigningKey::from_slice("1234567812345678", secret.as_bytes()).expect("a key below n")
    };
    let key = next();
    let sign = median_rate(
        seconds,
        BATCH,
        || (),
        |()| {
            (0..BATCH).for_each(|at| {
                black_box::<Signature>(key.sign(&message(at)));
            });
        },
    );
    let verify = median_rate(
        seconds,
        BATCH,
        || {
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
    let megabytes = |bytes: usize, work: &mut dyn FnMut()| {
        median_rate(seconds, bytes, || (), |()| work()) / 1e6
    };
    let mut data = vec![7; STREAM];
    let stream = megabytes(32 * STREAM, &mut || {
        (0..32).for_each(|_| {
            black_box(sm3::Sm3::digest(&data));
        });
    });
    let short = megabytes(1_024 * MESSAGE, &mut || {
        (0..1_024).for_each(|at| {
            black_box(sm3::Sm3::digest(message(at)));
        });
    });
    let mut cipher = ctr::Ctr128BE::<sm4::Sm4>::new(&[1; 16].into(), &[2; 16].into());
    let ctr = megabytes(16 * STREAM, &mut || {
        (0..16).for_each(|_| cipher.apply_keystream(&mut data));
    });
    let cipher = AesGcm::<sm4::Sm4, U12>::new(&[1; 16].into());
    let gcm = megabytes(16 * STREAM, &mut || {
        (0..16).for_each(|_| {
            let nonce = [3; 12].into();
            let tag = cipher.encrypt_inout_detached(&nonce, b"", data.as_mut_slice().into());
            black_box(tag.expect("a short message"));
        });
    });
    BTreeMap::from([
        ("sm2/verify/single", verify),
        ("sm2/verify/known", verify),
        ("sm2/verify/batch64", verify),
        ("sm2/verify/batch64-known", verify),
        ("sm2/sign/single", sign),
        ("sm2/sign/batch64", sign),
        ("sm3/stream-16k", stream),
        ("sm3/lanes-16k", stream),
        ("sm3/lanes-64b", short),
        ("sm4/ctr", ctr),
        ("sm4/gcm", gcm),
    ])
}
