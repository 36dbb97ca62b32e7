//! The figures of the kit, as cases: 64-byte messages for signatures, 16 KiB for streams.

use std::hint::black_box;
use std::rc::Rc;

use smkit::OsRandom;
use smkit::sm2::{
    PrivateKey, PublicKey, Signature, SignerId, SigningKey, Unverified, VerifyingKey, sign_many,
    verify_many,
};
use smkit::sm4::{Ctr, Gcm, Key};

use crate::sampling::Case;

/// Members of a batch.
pub(crate) const BATCH: usize = 64;
/// Bytes of a short message: a Merkle node's two children.
pub(crate) const MESSAGE: usize = 64;
/// Bytes of a long one.
pub(crate) const STREAM: usize = 16 * 1_024;
/// Signers of a consortium.
pub(crate) const SIGNERS: usize = 8;

/// The message with this number.
pub(crate) const fn message(number: usize) -> [u8; MESSAGE] {
    let mut message = [0x5a; MESSAGE];
    message[0] = number as u8;
    message[1] = (number >> 8) as u8;
    message
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = verify_new();
    cases.extend(verify_known());
    cases.extend(sign());
    cases.extend(sm3());
    cases.extend(sm4());
    cases
}

/// A signature, with the key that verifies it decoded and bound to its ID.
struct Signed {
    key: VerifyingKey,
    message: [u8; MESSAGE],
    signature: Signature,
}

impl Signed {
    /// The verifying key is made from its bytes anew, so that no table can hide in it.
    fn by(key: &SigningKey, number: usize) -> Self {
        let message = message(number);
        let public = key.verifying_key().public_key().to_sec1();
        let public = PublicKey::from_sec1(&public).expect("own public key");
        let verifying = VerifyingKey::new(public, SignerId::DEFAULT).expect("default ID");
        Self { key: verifying, message, signature: key.sign(&message) }
    }

    const fn claim(&self) -> Unverified<'_> {
        Unverified { key: &self.key, message: &self.message, signature: &self.signature }
    }

    fn verify(&self) {
        self.key.verify(&self.message, &self.signature).expect("own signature");
    }
}

fn verify_batch(signed: &[Signed]) {
    let claims: Vec<_> = signed.iter().map(Signed::claim).collect();
    assert!(verify_many(&claims).iter().all(Result::is_ok), "own signatures");
}

/// Keys that were never used before, a different one for each signature.
fn verify_new() -> Vec<Case> {
    let different = || (0..BATCH).map(|at| Signed::by(&fresh(), at)).collect::<Vec<_>>();
    vec![
        Case::new("sm2/verify/single", BATCH, different, |signed| {
            signed.iter().for_each(Signed::verify);
        }),
        Case::new("sm2/verify/batch64", BATCH, different, |signed| verify_batch(&signed)),
    ]
}

fn verify_known() -> Vec<Case> {
    let signers: Vec<_> = (0..SIGNERS).map(|_| fresh()).collect();
    let signers: Vec<_> = signers
        .iter()
        .map(|key| {
            let first = Signed::by(key, 0);
            (0..VERIFIED_BEFORE).for_each(|_| first.verify());
            (key, first.key)
        })
        .collect();
    let known: Vec<_> = (0..BATCH)
        .filter_map(|at| {
            let (signing, key) = signers.get(at % SIGNERS)?;
            Some(Signed { key: key.clone(), ..Signed::by(signing, at) })
        })
        .collect();
    let known = Rc::new(known);
    let batch = Rc::clone(&known);
    vec![
        // Several times over: what ran in between has driven the tables, 86 KiB a signer, from the nearer caches.
        Case::of("sm2/verify/known", AGAIN * BATCH, move || {
            (0..AGAIN).for_each(|_| known.iter().for_each(Signed::verify));
        }),
        Case::of("sm2/verify/batch64-known", AGAIN * BATCH, move || {
            (0..AGAIN).for_each(|_| verify_batch(&batch));
        }),
    ]
}

fn sign() -> Vec<Case> {
    let key = fresh();
    let one = key.clone();
    vec![
        Case::of("sm2/sign/single", BATCH, move || {
            (0..BATCH).for_each(|at| {
                black_box(one.sign(&message(at)));
            });
        }),
        Case::of("sm2/sign/batch64", AGAIN * BATCH, move || {
            let messages: Vec<_> = (0..BATCH).map(message).collect();
            let messages: Vec<&[u8]> = messages.iter().map(<[u8; MESSAGE]>::as_slice).collect();
            (0..AGAIN).for_each(|_| {
                black_box(sign_many(&key, &messages));
            });
        }),
    ]
}

fn sm3() -> Vec<Case> {
    let long = vec![7; STREAM];
    let lanes: Vec<Vec<u8>> = (0..16).map(|lane| vec![lane; STREAM]).collect();
    let short: Vec<_> = (0..1_024).map(message).collect();
    vec![
        Case::of("sm3/stream-16k", 16 * STREAM, move || {
            (0..16).for_each(|_| {
                black_box(smkit::sm3(&long));
            });
        }),
        Case::of("sm3/lanes-16k", 2 * 16 * STREAM, move || {
            let lanes: Vec<&[u8]> = lanes.iter().map(Vec::as_slice).collect();
            (0..2).for_each(|_| {
                black_box(smkit::sm3_many(&lanes));
            });
        }),
        Case::of("sm3/lanes-64b", 8 * 1_024 * MESSAGE, move || {
            let short: Vec<&[u8]> = short.iter().map(<[u8; MESSAGE]>::as_slice).collect();
            (0..8).for_each(|_| {
                black_box(smkit::sm3_many(&short));
            });
        }),
    ]
}

fn sm4() -> Vec<Case> {
    let ctr = Ctr::new(&Key::from_bytes([1; 16]));
    let mut stream = vec![7; STREAM];
    let gcm = Gcm::new(&Key::from_bytes([1; 16]));
    let mut sealed = Vec::with_capacity(STREAM + 16);
    sealed.resize(STREAM, 7);
    vec![
        Case::of("sm4/ctr", 16 * STREAM, move || {
            (0..16).for_each(|_| ctr.apply(&[2; 16], &mut stream));
        }),
        Case::of("sm4/gcm", 16 * STREAM, move || {
            (0..16).for_each(|_| {
                gcm.seal_in_place(&[3; 12], b"", &mut sealed).expect("a short message");
                sealed.truncate(STREAM);
            });
        }),
    ]
}

fn fresh() -> SigningKey {
    let key = PrivateKey::generate(&mut OsRandom).expect("randomness");
    SigningKey::new(key, SignerId::DEFAULT).expect("default ID")
}

/// Repetitions in one sample of what is over soon.
const AGAIN: usize = 8;
/// Verifications after which a key counts as known.
const VERIFIED_BEFORE: usize = 64;
