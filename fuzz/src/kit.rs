//! What the targets of smkit share: fixed keys, and one computation with every set of kernels.

use std::fmt::Debug;

use smkit::sm2::{PrivateKey, PublicKey, SignerId, VerifyingKey};
use smkit::sm4::Key;
use smkit::{Random, RandomError};

/// The key everything is addressed to.
///
/// # Panics
/// Never: the number is in range.
pub fn private_key() -> PrivateKey {
    PrivateKey::from_bytes(&[7; 32]).expect("in range")
}

/// The SM4 key of the targets.
pub fn sm4_key() -> Key {
    Key::from_bytes([0x2a; 16])
}

/// A peer's key under the default ID.
///
/// # Panics
/// Never: the default ID has a length.
pub fn verifying(key: &PublicKey) -> VerifyingKey {
    VerifyingKey::new(key.clone(), SignerId::DEFAULT).expect("the default ID")
}

/// Does the same without kernels, with those for AVX2 and with the newest; what comes out must be equal.
///
/// # Panics
/// If it is not.
pub fn on_every_path<T: PartialEq + Debug>(work: impl Fn() -> T) -> T {
    smkit::cpu::force_portable(true);
    let portable = work();
    smkit::cpu::force_avx2(true);
    assert_eq!(work(), portable, "the kernels for AVX2 differ from the portable code");
    smkit::cpu::force_portable(false);
    assert_eq!(work(), portable, "the newest kernels differ from the portable code");
    portable
}

/// A random source that gives these bytes first, then digests of them.
#[derive(Debug)]
pub struct Given(pub [u8; 32]);

impl Random for Given {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(32) {
            chunk.copy_from_slice(&self.0[..chunk.len()]);
            self.0 = *smkit::sm3(&self.0).as_bytes();
        }
        Ok(())
    }
}
