//! SM2, SM3 and SM4 with strict encodings, one obvious way to use each, and the fastest code the processor runs.
//!
//! It does not parse certificates (that is `smkit-pki`), speak TLS (`smkit-tls`), sign bare digests, offer SM4-ECB, or do
//! any I/O beyond asking the operating system for random bytes when [`OsRandom`] is used.
//!
//! # Model
//! Bytes become types at the border and stay types: [`Sm3Digest`], [`sm2::PublicKey`], [`sm2::Signature`],
//! [`sm4::Key`]. A signer's identity ([`sm2::SignerId`]) is part of every SM2 key that signs or verifies, so the
//! hash ZA of GB/T 32918.2 §5.5 is computed once per key and no call can forget it. Signing is deterministic
//! (RFC 6979 over SM3): the same key, identity and message give the same signature; `sign_hedged` adds randomness.
//!
//! Each algorithm has portable code and kernels for some processors; [`cpu::report`] says which runs. They give the same
//! results, one by one or many at a time ([`sm2::verify_many`], [`sm2::sign_many`], [`sm3_many`]). Random bytes come
//! through the trait [`Random`]. [`selftest::run`] computes the standards' examples on every path.
//!
//! # Invariants
//! * A [`sm2::PublicKey`] is on the curve and not the point at infinity; a [`sm2::PrivateKey`] is in \[1, n−2\].
//! * A [`sm2::Signature`] has r and s in \[1, n−1\]; exactly one DER form of it is accepted.
//! * No branch and no memory address depends on a private key, a nonce or an SM4 key, but for the standard's own range
//!   checks and retries.
//! * Secrets are wiped when dropped and never appear in `Debug` or errors.
//! * Nothing here panics on foreign bytes.
//! * `unsafe` stands in kernel modules alone.
//!
//! # Features
//! `std` (default) asks the processor for its kernels; without it the crate is `no_std` with `alloc` and portable
//! throughout. `os-random` (default): [`OsRandom`]. `serde` (default): digests as text. `rustcrypto` and `signature`: the
//! traits of `digest`, `cipher`, `aead` and `signature`. `portable-only`: a switch against the kernels, for benches.
//!
//! # Processors
//! x86-64 with BMI2 and ADX, AVX2 with AES-NI, or AVX-512 with IFMA, GFNI and VPCLMULQDQ: everything runs in the tests.
//! aarch64: SM3, SM4 and GHASH by the instructions of Armv8.2 where detection finds them. These were compiled and run
//! under emulation only, never on hardware, so their speed and timing are unknown; `core` has no stable intrinsics for
//! them, hence assembler. Everything else is portable code.
//!
//! # Standards
//! GB/T 32918.2, .3, .4-2016 and .5-2017 (SM2 signature, key exchange, encryption, curve), GB/T 32905-2016 (SM3),
//! GB/T 32907-2016 (SM4), GB/T 17964-2021 (its modes), GM/T 0042-2015 (HMAC-SM3), GB/T 35276-2017 (formats of SM2),
//! GM/T 0091-2020 (keys under passwords), RFC 8998 (SM4-GCM and CCM), RFC 5958 and 5915 (private keys).
//!
//! # Example
//! ```
//! # #[cfg(feature = "os-random")] {
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
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(not(test), no_std)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

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

/// The examples of the README hold.
#[cfg(all(doctest, feature = "os-random"))]
#[doc = include_str!("../README.md")]
struct Readme;
