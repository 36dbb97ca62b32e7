//! Electronic seals (电子印章) and signatures with them (电子签章): GB/T 38540-2020 (version 4), GM/T 0031-2014 (version 1)
//! and GM/T 0031-2025 (version 5).
//!
//! Reads all three, makes version 4, and version 5 where asked for by name. What a signature covers is the caller's: the
//! bytes that it is to be verified against, in OFD those of `Signature.xml`.

mod asn1;
mod check;
mod error;
mod make;
mod read;
mod ses;
mod signature;
#[cfg(test)]
mod tests;

pub use check::{SealPolicy, VerifiedSeal, VerifiedSealSignature};
pub use error::SealError;
pub use make::{SealSigning, SealTerms};
pub use ses::{Seal, SealPicture, SealSigners, SealVersion, SealedAs};
pub use signature::SealSignature;
