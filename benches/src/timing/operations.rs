//! The operations that hold a secret, and the two classes of it.

use std::cell::RefCell;
use std::hint::black_box;

use smkit::cpu::{force_avx2, force_portable};
use smkit::sm2::{
    Ciphertext, EphemeralKey, Initiator, PrivateKey, PublicKey, SignerId, SigningKey, VerifyingKey,
    sign_many,
};
use smkit::sm4::{Cbc, Ctr, Gcm, Key};
use smkit::{OsRandom, Random, RandomError, Sm3Digest, hmac_sm3, verify_hmac_sm3};

use super::{Effort, Times, measure};

pub(super) struct Operation {
    pub(super) name: &'static str,
    /// Whether a difference must show.
    pub(super) leaks: bool,
    pub(super) paths: &'static [Path],
    pub(super) measure: fn(&Effort) -> Times,
}

/// Which kernels run.
#[derive(Clone, Copy)]
pub(super) enum Path {
    Newest,
    Avx2,
    Portable,
}

impl Path {
    pub(super) fn take(self) {
        match self {
            Self::Newest => force_portable(false),
            Self::Avx2 => force_avx2(true),
            Self::Portable => force_portable(true),
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Avx2 => "AVX2",
            Self::Portable => "portable",
        }
    }
}

pub(super) const OPERATIONS: &[Operation] = &[
    operation("control: comparison that stops early", true, NEWEST, control),
    operation("SM2 sign, key", false, SCALAR, sign_keys),
    operation("SM2 sign, nonce", false, SCALAR, sign_nonces),
    operation("SM2 sign eight together, key", false, NEWEST, sign_many_keys),
    operation("SM2 sign eight together, nonces", false, NEWEST, sign_many_nonces),
    operation("SM2 key generation", false, SCALAR, generation),
    operation("SM2 decrypt, key", false, SCALAR, decrypt_keys),
    operation("SM2 decrypt, C3 wrong in its last byte or all", false, NEWEST, decrypt_tags),
    operation("SM2 key exchange, key", false, SCALAR, exchange_keys),
    operation("SM2 key exchange, ephemeral", false, SCALAR, exchange_ephemerals),
    operation("SM2 agreement, ephemeral", false, SCALAR, agreement),
    operation("SM2 key read from SEC1", false, NEWEST, key_files),
    operation("SM4 key expansion and GCM seal, key", false, EVERY, gcm_keys),
    operation("SM4 key expansion and CTR, key", false, EVERY, ctr_keys),
    operation("SM4 key expansion and CBC, key", false, EVERY, cbc_keys),
    operation("SM4-GCM seal, plaintext", false, EVERY, gcm_texts),
    operation("SM4-GCM open, tag wrong in its last byte or all", false, NEWEST, gcm_tags),
    operation("HMAC-SM3, key", false, SCALAR, hmac_keys),
    operation("HMAC-SM3 verify, code wrong in its last byte or all", false, NEWEST, hmac_codes),
];

const NEWEST: &[Path] = &[Path::Newest];
const SCALAR: &[Path] = &[Path::Newest, Path::Portable];
const EVERY: &[Path] = &[Path::Newest, Path::Avx2, Path::Portable];

const fn operation(
    name: &'static str,
    leaks: bool,
    paths: &'static [Path],
    measure: fn(&Effort) -> Times,
) -> Operation {
    Operation { name, leaks, paths, measure }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRandom.fill(&mut bytes).expect("randomness");
    bytes
}

/// The fixed secret of class 0: few bits, where a leak is largest.
fn secret(class: usize) -> [u8; 32] {
    let mut secret = if class == 0 { [0; 32] } else { random() };
    // Below n, and not zero.
    secret[0] &= 0x7f;
    secret[31] |= 1;
    secret
}

fn private_key(class: usize) -> PrivateKey {
    PrivateKey::from_bytes(&secret(class)).expect("a secret in range")
}

fn signing_key(private: PrivateKey) -> SigningKey {
    SigningKey::new(private, SignerId::DEFAULT).expect("default ID")
}

fn some_key() -> PrivateKey {
    PrivateKey::from_bytes(&[0x5a; 32]).expect("a secret in range")
}

fn control(effort: &Effort) -> Times {
    let reference = [0_u8; 256];
    let make = |class: usize| if class == 0 { [0; 256] } else { random::<256>() };
    measure(effort, make, |input| {
        let equal = input.iter().zip(&reference).all(|(a, b)| black_box(a) == black_box(b));
        black_box(equal);
    })
}

fn sign_keys(effort: &Effort) -> Times {
    let make = |class| (signing_key(private_key(class)), random::<32>());
    measure(effort, make, |(key, message)| {
        black_box(key.sign(message));
    })
}

/// The nonce follows from key and message (RFC 6979), so a fixed message is a fixed nonce.
fn sign_nonces(effort: &Effort) -> Times {
    let make = |class| (signing_key(some_key()), message(class));
    measure(effort, make, |(key, message)| {
        black_box(key.sign(message));
    })
}

fn message(class: usize) -> [u8; 32] {
    if class == 0 { [0x5a; 32] } else { random() }
}

fn sign_many_keys(effort: &Effort) -> Times {
    let make = |class| (signing_key(private_key(class)), [(); 8].map(|()| random::<32>()));
    measure(effort, make, sign_eight)
}

fn sign_many_nonces(effort: &Effort) -> Times {
    let make = |class| (signing_key(some_key()), [(); 8].map(|()| message(class)));
    measure(effort, make, sign_eight)
}

fn sign_eight((key, messages): &(SigningKey, [[u8; 32]; 8])) {
    black_box(sign_many(key, &messages.each_ref().map(<[u8; 32]>::as_slice)));
}

fn generation(effort: &Effort) -> Times {
    measure(effort, secret, |secret| {
        black_box(PrivateKey::generate(&mut Given(*secret)).is_ok());
    })
}

fn decrypt_keys(effort: &Effort) -> Times {
    let make = |class| {
        let key = private_key(class);
        let ciphertext = key.public_key().encrypt(&[1; 32], &mut OsRandom).expect("a message");
        (key, ciphertext)
    };
    measure(effort, make, |(key, ciphertext)| {
        black_box(key.decrypt(ciphertext).is_ok());
    })
}

fn decrypt_tags(effort: &Effort) -> Times {
    let key = some_key();
    let ciphertext = key.public_key().encrypt(&[1; 32], &mut OsRandom).expect("a message");
    let right = ciphertext.to_c1c3c2();
    let make = |class| {
        let mut altered = right.clone();
        if class == 0 {
            altered[96] ^= 1;
        } else {
            altered[65..97].copy_from_slice(&random::<32>());
        }
        Ciphertext::from_c1c3c2(&altered).expect("C1 is the same")
    };
    measure(effort, make, |ciphertext| {
        black_box(key.decrypt(ciphertext).is_ok());
    })
}

fn exchange_keys(effort: &Effort) -> Times {
    exchange(effort, |class| (private_key(class), random::<32>()))
}

fn exchange_ephemerals(effort: &Effort) -> Times {
    exchange(effort, |class| (some_key(), secret(class)))
}

fn exchange(effort: &Effort, own: impl Fn(usize) -> (PrivateKey, [u8; 32])) -> Times {
    let peer: PublicKey = some_key().public_key().clone();
    let verifying = VerifyingKey::new(peer.clone(), SignerId::DEFAULT).expect("default ID");
    measure(effort, own, |(key, ephemeral)| {
        let initiator =
            Initiator::new(key, SignerId::DEFAULT, verifying.clone(), &mut Given(*ephemeral));
        let agreed = initiator.expect("a given source").unconfirmed(&peer, 48);
        black_box(agreed.is_ok());
    })
}

fn agreement(effort: &Effort) -> Times {
    let peer: PublicKey = some_key().public_key().clone();
    measure(effort, secret, |ephemeral| {
        let agreed = EphemeralKey::answer(&peer, &mut Given(*ephemeral));
        black_box(agreed.is_ok());
    })
}

fn key_files(effort: &Effort) -> Times {
    let make = |class| private_key(class).to_sec1_der();
    measure(effort, make, |der| {
        black_box(PrivateKey::from_sec1_der(der).is_ok());
    })
}

fn sm4_key(class: usize) -> Key {
    Key::from_bytes(if class == 0 { [0; 16] } else { random() })
}

/// Memory of its own for each input.
fn room() -> RefCell<Vec<u8>> {
    RefCell::new(Vec::with_capacity(TEXT + 16))
}

fn gcm_keys(effort: &Effort) -> Times {
    let make = |class| (sm4_key(class), room());
    measure(effort, make, |(key, data)| seal(&Gcm::new(key), data, &[7; TEXT]))
}

fn gcm_texts(effort: &Effort) -> Times {
    let gcm = Gcm::new(&sm4_key(1));
    let make = |class| (if class == 0 { [0; TEXT] } else { random() }, room());
    measure(effort, make, |(text, data)| seal(&gcm, data, text))
}

fn seal(gcm: &Gcm, data: &RefCell<Vec<u8>>, text: &[u8]) {
    let mut data = data.borrow_mut();
    data.clear();
    data.extend_from_slice(text);
    gcm.seal_in_place(&[3; 12], b"", &mut data).expect("a short message");
}

fn ctr_keys(effort: &Effort) -> Times {
    let make = |class| (sm4_key(class), RefCell::new([7; TEXT]));
    measure(effort, make, |(key, data)| {
        Ctr::new(key).apply(&[3; 16], &mut *data.borrow_mut());
    })
}

fn cbc_keys(effort: &Effort) -> Times {
    let make = |class| (sm4_key(class), RefCell::new([7; TEXT]));
    measure(effort, make, |(key, data)| {
        let (cbc, mut data) = (Cbc::new(key), data.borrow_mut());
        cbc.encrypt_unpadded(&[3; 16], &mut *data).expect("whole blocks");
        cbc.decrypt_unpadded(&[3; 16], &mut *data).expect("whole blocks");
    })
}

fn gcm_tags(effort: &Effort) -> Times {
    let gcm = Gcm::new(&sm4_key(1));
    let mut sealed = vec![7; TEXT];
    gcm.seal_in_place(&[3; 12], b"", &mut sealed).expect("a short message");
    let make = |class| {
        let mut altered = sealed.clone();
        if class == 0 {
            altered[TEXT + 15] ^= 1;
        } else {
            altered[TEXT..].copy_from_slice(&random::<16>());
        }
        RefCell::new(altered)
    };
    measure(effort, make, |data| {
        black_box(gcm.open_in_place(&[3; 12], b"", &mut data.borrow_mut()).is_ok());
    })
}

fn hmac_keys(effort: &Effort) -> Times {
    measure(effort, secret, |key| {
        black_box(hmac_sm3(key, &[&[7; TEXT]]));
    })
}

fn hmac_codes(effort: &Effort) -> Times {
    let key = random::<32>();
    let mut nearly = *hmac_sm3(&key, &[b"message"]).as_bytes();
    nearly[31] ^= 1;
    let make = |class| Sm3Digest::new(if class == 0 { nearly } else { random() });
    measure(effort, make, |code| {
        black_box(verify_hmac_sm3(&key, &[b"message"], code));
    })
}

/// A random source that gives these bytes.
struct Given([u8; 32]);

impl Random for Given {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.copy_from_slice(self.0.get(..out.len()).unwrap_or(&self.0));
        Ok(())
    }
}

/// Bytes of a message: whole blocks.
const TEXT: usize = 240;
