//! The operating system's generator behind rustls's trait.

use rustls::crypto::{GetRandomFailed, SecureRandom};
use smkit::{OsRandom, Random};

#[derive(Debug)]
pub(super) struct OsSecureRandom;

impl SecureRandom for OsSecureRandom {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), GetRandomFailed> {
        OsRandom.fill(buffer).map_err(|_| GetRandomFailed)
    }
}
