//! Where random bytes come from: a trait, so that a whole network can run from one seed.

use alloc::string::String;
#[cfg(feature = "os-random")]
use alloc::string::ToString;

/// A source of random bytes for keys, serial numbers and nonces.
///
/// Object safe; an implementation that is not cryptographically strong belongs in tests and simulations only.
pub trait Random {
    /// Fills `out` completely.
    ///
    /// # Errors
    /// The source is unavailable; `out` must then not be used.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError>;
}

/// The random source gave no bytes; whatever needed them must be refused, never continued with weaker ones.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("random source unavailable: {reason}")]
pub struct RandomError {
    /// What the source said, without key material.
    pub reason: String,
}

/// The operating system's cryptographic generator.
#[cfg(feature = "os-random")]
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

#[cfg(feature = "os-random")]
impl Random for OsRandom {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(out).map_err(|error| RandomError { reason: error.to_string() })
    }
}
