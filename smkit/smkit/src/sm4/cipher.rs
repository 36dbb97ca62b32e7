//! The keyed block cipher under every mode. Crate-internal: by itself it is ECB, which hides nothing about repetition.

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{
    Key,
    kernel::{Block, Kernel, RoundKeys, xor_in_place},
};

/// Expanded round keys of both directions; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Cipher {
    encrypting: RoundKeys,
    decrypting: RoundKeys,
    #[zeroize(skip)]
    kernel: Kernel,
}

impl Cipher {
    #[allow(dead_code, reason = "ECB of SM2EnvelopedKey and of the `rustcrypto` feature")]
    pub(crate) fn new(key: &Key) -> Self {
        Self::with_kernel(key, Kernel::detect())
    }

    pub(super) fn with_kernel(key: &Key, kernel: Kernel) -> Self {
        let encrypting = kernel.expand(key.expose());
        let mut decrypting = encrypting;
        decrypting.reverse();
        Self { encrypting, decrypting, kernel }
    }

    /// ECB.
    pub(crate) fn encrypt_blocks(&self, blocks: &mut [Block]) {
        self.kernel.crypt(&self.encrypting, blocks);
    }

    /// ECB.
    pub(crate) fn decrypt_blocks(&self, blocks: &mut [Block]) {
        self.kernel.crypt(&self.decrypting, blocks);
    }

    pub(super) fn encrypt_block(&self, mut block: Block) -> Block {
        self.encrypt_blocks(core::slice::from_mut(&mut block));
        block
    }

    pub(super) fn cbc_encrypt(&self, chain: &mut Block, blocks: &mut [Block]) {
        self.kernel.cbc_encrypt(&self.encrypting, chain, blocks);
    }

    pub(super) fn cbc_decrypt(&self, chain: &mut Block, blocks: &mut [Block]) {
        let mut before = [[0; 16]; CHUNK_BLOCKS];
        for chunk in blocks.chunks_mut(CHUNK_BLOCKS) {
            let mut next = *chain;
            for (slot, block) in before.iter_mut().zip(chunk.iter()) {
                *slot = core::mem::replace(&mut next, *block);
            }
            *chain = next;
            self.decrypt_blocks(chunk);
            for (block, slot) in chunk.iter_mut().zip(&before) {
                xor_in_place(block, slot);
            }
        }
    }

    /// CBC-MAC of `data`, its last block padded with zeros.
    pub(super) fn cbc_mac(&self, mac: &mut Block, data: &[u8]) {
        let mut copy = [[0; 16]; CHUNK_BLOCKS];
        for chunk in data.chunks(16 * CHUNK_BLOCKS) {
            let blocks = chunk.len().div_ceil(16);
            if let Some(last) = copy.get_mut(blocks.saturating_sub(1)) {
                *last = [0; 16];
            }
            for (to, from) in copy.as_flattened_mut().iter_mut().zip(chunk) {
                *to = *from;
            }
            self.cbc_encrypt(mac, copy.get_mut(..blocks).unwrap_or_default());
        }
        copy.as_flattened_mut().zeroize();
    }

    /// Key stream of a counter whose last 32 bits count and wrap (GCM's inc32).
    pub(super) fn ctr32(&self, counter: &Block, data: &mut [u8]) {
        self.kernel.ctr32(&self.encrypting, counter, data);
    }

    /// Key stream of a 128-bit big-endian counter that wraps.
    pub(super) fn ctr128(&self, counter: u128, data: &mut [u8]) {
        let mut counter = counter;
        let mut rest = data;
        while !rest.is_empty() {
            // The kernels count in 32 bits: stop where those overflow and carry by hand.
            let until_carry = (1 << 32) - (counter & 0xffff_ffff);
            let bytes = usize::try_from(until_carry * 16).unwrap_or(usize::MAX);
            let (now, later) = rest.split_at_mut(bytes.min(rest.len()));
            self.ctr32(&counter.to_be_bytes(), now);
            counter = counter.wrapping_add(until_carry);
            rest = later;
        }
    }
}

/// Compares without saying where the difference is.
pub(super) fn equal(left: &Block, right: &Block) -> bool {
    let difference = left.iter().zip(right).fold(0, |sum, (a, b)| sum | (a ^ b));
    core::hint::black_box(difference) == 0
}

/// Blocks copied at a time where a mode needs its input again.
const CHUNK_BLOCKS: usize = 64;
