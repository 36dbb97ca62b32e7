//! What the tests of this module share.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use serde_json::Value;

use super::*;
use crate::random::{Random, RandomError};

pub(super) fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

pub(super) fn private_key(value: &Value) -> PrivateKey {
    PrivateKey::from_bytes(&bytes(value).try_into().unwrap()).unwrap()
}

/// SM3 of a counter: a random source that repeats.
pub(super) struct Counting(pub(super) u64);

impl Random for Counting {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(32) {
            self.0 = self.0.wrapping_add(1);
            let digest = crate::sm3(&self.0.to_be_bytes());
            chunk.copy_from_slice(&digest.as_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}
