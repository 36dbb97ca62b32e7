//! The traits of RustCrypto's `digest` 0.11, down to the block level, so that [`Sm3`] drops into `Hmac` and the like.

use core::fmt;

use digest::{
    FixedOutput, FixedOutputReset, HashMarker, Output, OutputSizeUser, Reset, Update,
    block_api::{
        AlgorithmName, Block, BlockSizeUser, Buffer, BufferKindUser, CoreProxy, Eager,
        FixedOutputCore, UpdateCore,
    },
    consts::{U32, U64},
};
use zeroize::ZeroizeOnDrop;

use super::{
    Sm3,
    compress::{BLOCK, compress},
};

impl AlgorithmName for Sm3 {
    fn write_alg_name(out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SM3")
    }
}

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

impl CoreProxy for Sm3 {
    type Core = Sm3Core;

    fn compose(core: Sm3Core, buffer: Buffer<Sm3Core>) -> Self {
        let mut hasher = core.0.clone();
        hasher.update(buffer.get_data());
        hasher
    }

    fn decompose(self) -> (Sm3Core, Buffer<Sm3Core>) {
        let waiting = self.buffer.get(..self.buffered()).unwrap_or_default();
        let buffer = Buffer::<Sm3Core>::new(waiting);
        let length = self.length - waiting.len() as u64;
        (Sm3Core(Self { length, ..self }), buffer)
    }
}

/// [`Sm3`] between two blocks, its buffer empty: what generic code over `digest`'s block level works with. Wiped when
/// dropped, since it may be keyed.
#[derive(Clone, Default)]
pub struct Sm3Core(Sm3);

impl fmt::Debug for Sm3Core {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Sm3Core").finish_non_exhaustive()
    }
}

impl Drop for Sm3Core {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl ZeroizeOnDrop for Sm3Core {}

impl HashMarker for Sm3Core {}

impl OutputSizeUser for Sm3Core {
    type OutputSize = U32;
}

impl BlockSizeUser for Sm3Core {
    type BlockSize = U64;
}

impl BufferKindUser for Sm3Core {
    type BufferKind = Eager;
}

impl UpdateCore for Sm3Core {
    fn update_blocks(&mut self, blocks: &[Block<Self>]) {
        let blocks: &[[u8; BLOCK]] = Block::<Self>::cast_slice_to_core(blocks);
        self.0.length = self.0.length.wrapping_add(blocks.as_flattened().len() as u64);
        compress(&mut self.0.state, blocks);
    }
}

impl FixedOutputCore for Sm3Core {
    fn finalize_fixed_core(&mut self, buffer: &mut Buffer<Self>, out: &mut Output<Self>) {
        self.0.update(buffer.get_data());
        out.copy_from_slice(self.0.finish().as_bytes());
    }
}

#[cfg(test)]
mod tests;
