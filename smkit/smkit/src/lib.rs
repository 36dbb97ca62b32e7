//! SM2, SM3 and SM4 with strict encodings and one obvious way to use each.
//!
//! It does not parse certificates (that is `smkit-pki`), speak TLS, or do any I/O beyond asking
//! the operating system for random bytes when [`OsRandom`] is used.
//!
//! # Model
//! Bytes become types at the border and stay types: [`Sm3Digest`], [`sm2::PublicKey`], [`sm2::Signature`],
//! [`sm4::Key`]. A signer's identity ([`sm2::SignerId`]) is part of every SM2 key that signs or verifies, so the
//! hash ZA of GB/T 32918.2 §5.5 is computed once per key and no call can forget it. Signing is deterministic
//! (RFC 6979 over SM3): the same key, identity and message give the same signature.
//!
//! # Invariants
//! * A [`sm2::PublicKey`] is on the curve and not the point at infinity; a [`sm2::PrivateKey`] is in \[1, n−2\].
//! * A [`sm2::Signature`] has r and s in \[1, n−1\]; exactly one DER form of it is accepted.
//! * Private keys and SM4 keys are wiped when dropped and never appear in `Debug` or errors.
//! * Nothing here panics on foreign bytes.
//!
//! # Standards
//! GB/T 32918.2-2016 and .5-2017 (SM2 signature, curve), GB/T 32905-2016 (SM3), GB/T 32907-2016 (SM4),
//! GM/T 0042-2015 (HMAC-SM3), GB/T 35276-2017 (key and signature formats), RFC 8998 (SM4-GCM), RFC 5958 (PKCS#8).
//!
//! # Example
//! ```
//! use smkit::{OsRandom, sm2::{PrivateKey, SignerId, SigningKey}, sm3};
//!
//! let private = PrivateKey::generate(&mut OsRandom)?;
//! let key = SigningKey::new(private, SignerId::DEFAULT)?;
//! let signature = key.sign(b"original");
//! key.verifying_key().verify(b"original", &signature)?;
//! assert!(key.verifying_key().verify(b"forged", &signature).is_err());
//! assert_eq!(
//!     sm3(b"abc").to_string(),
//!     "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(not(test), no_std)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(not(feature = "portable-only"))]
mod cpu;
#[cfg(feature = "portable-only")]
pub mod cpu;
mod hex;
pub mod oid;
mod once;
pub mod random;
pub mod selftest;
pub mod sm2;
pub mod sm3;
pub mod sm4;

#[cfg(feature = "os-random")]
pub use random::OsRandom;
pub use random::{Random, RandomError};
pub use sm3::{
    HmacSm3, ParseDigestError, Sm3, Sm3Digest, hmac_sm3, sm3, sm3_many, sm3_many_joined, sm3_pairs,
    sm3_parts, verify_hmac_sm3,
};
