//! The traits of RustCrypto's `digest` 0.11, so that [`Sm3`] drops into `Hmac`, `rfc6979` and the like.

use digest::{
    FixedOutput, FixedOutputReset, HashMarker, Output, OutputSizeUser, Reset, Update,
    common::BlockSizeUser,
    consts::{U32, U64},
};

use super::Sm3;

impl HashMarker for Sm3 {}

impl OutputSizeUser for Sm3 {
    type OutputSize = U32;
}

impl BlockSizeUser for Sm3 {
    type BlockSize = U64;
}

impl Update for Sm3 {
    fn update(&mut self, bytes: &[u8]) {
        Self::update(self, bytes);
    }
}

impl FixedOutput for Sm3 {
    fn finalize_into(mut self, out: &mut Output<Self>) {
        out.copy_from_slice(self.finish().as_bytes());
    }
}

impl Reset for Sm3 {
    fn reset(&mut self) {
        *self = Self::new();
    }
}

impl FixedOutputReset for Sm3 {
    fn finalize_into_reset(&mut self, out: &mut Output<Self>) {
        out.copy_from_slice(self.finish().as_bytes());
        Reset::reset(self);
    }
}
