//! The traits of RustCrypto: [`Sm4`] for `cipher`'s block modes, [`Gcm`] and [`Ccm`] as AEADs.

use aead::{
    AeadCore, AeadInOut, Nonce, Tag, TagPosition,
    consts::{U12, U16},
    inout::{InOut, InOutBuf},
};
use cipher::{
    AlgorithmName, BlockCipherDecBackend, BlockCipherDecClosure, BlockCipherDecrypt,
    BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, KeyInit,
    KeySizeUser, ParBlocks, ParBlocksSizeUser, consts::U64,
};

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Ccm, Gcm, Key, cipher::Cipher};

type Block = cipher::Block<Sm4>;

/// The bare block cipher for RustCrypto's generic modes.
///
/// Every block by itself is ECB; use it through a mode. [`Ctr`](super::Ctr) and the others here are faster.
#[derive(Clone)]
pub struct Sm4(Cipher);

impl core::fmt::Debug for Sm4 {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str("sm4::Sm4(..)")
    }
}

impl AlgorithmName for Sm4 {
    fn write_alg_name(out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str("SM4")
    }
}

impl ZeroizeOnDrop for Sm4 {}

impl KeySizeUser for Sm4 {
    type KeySize = U16;
}

impl KeyInit for Sm4 {
    fn new(key: &cipher::Key<Self>) -> Self {
        Self(Cipher::new(&Key::from_bytes((*key).into())))
    }
}

impl BlockSizeUser for Sm4 {
    type BlockSize = U16;
}

impl ParBlocksSizeUser for Sm4 {
    type ParBlocksSize = U64;
}

impl BlockCipherEncrypt for Sm4 {
    fn encrypt_with_backend(&self, f: impl BlockCipherEncClosure<BlockSize = U16>) {
        f.call(self);
    }
}

impl BlockCipherEncBackend for Sm4 {
    fn encrypt_block(&self, mut block: InOut<'_, '_, Block>) {
        let mut copy = [(*block.get_in()).into()];
        self.0.encrypt_blocks(&mut copy);
        let [copy] = copy;
        *block.get_out() = copy.into();
    }

    fn encrypt_par_blocks(&self, blocks: InOut<'_, '_, ParBlocks<Self>>) {
        many(blocks.into_buf(), |copy| self.0.encrypt_blocks(copy));
    }

    fn encrypt_tail_blocks(&self, blocks: InOutBuf<'_, '_, Block>) {
        many(blocks, |copy| self.0.encrypt_blocks(copy));
    }
}

impl BlockCipherDecrypt for Sm4 {
    fn decrypt_with_backend(&self, f: impl BlockCipherDecClosure<BlockSize = U16>) {
        f.call(self);
    }
}

impl BlockCipherDecBackend for Sm4 {
    fn decrypt_block(&self, mut block: InOut<'_, '_, Block>) {
        let mut copy = [(*block.get_in()).into()];
        self.0.decrypt_blocks(&mut copy);
        let [copy] = copy;
        *block.get_out() = copy.into();
    }

    fn decrypt_par_blocks(&self, blocks: InOut<'_, '_, ParBlocks<Self>>) {
        many(blocks.into_buf(), |copy| self.0.decrypt_blocks(copy));
    }

    fn decrypt_tail_blocks(&self, blocks: InOutBuf<'_, '_, Block>) {
        many(blocks, |copy| self.0.decrypt_blocks(copy));
    }
}

/// Up to 64 blocks at once, through a copy because input and output may differ.
fn many(mut blocks: InOutBuf<'_, '_, Block>, crypt: impl FnOnce(&mut [[u8; 16]])) {
    let mut copy = [[0; 16]; 64];
    let used = copy.get_mut(..blocks.len()).unwrap_or_default();
    for (to, from) in used.iter_mut().zip(blocks.get_in()) {
        *to = (*from).into();
    }
    crypt(used);
    for (to, from) in blocks.get_out().iter_mut().zip(used) {
        *to = (*from).into();
    }
    copy.as_flattened_mut().zeroize();
}

macro_rules! aead {
    ($mode:ident) => {
        impl KeySizeUser for $mode {
            type KeySize = U16;
        }

        impl KeyInit for $mode {
            fn new(key: &cipher::Key<Self>) -> Self {
                Self::new(&Key::from_bytes((*key).into()))
            }
        }

        impl AeadCore for $mode {
            type NonceSize = U12;
            type TagSize = U16;
            const TAG_POSITION: TagPosition = TagPosition::Postfix;
        }

        impl AeadInOut for $mode {
            fn encrypt_inout_detached(
                &self,
                nonce: &Nonce<Self>,
                associated_data: &[u8],
                buffer: InOutBuf<'_, '_, u8>,
            ) -> aead::Result<Tag<Self>> {
                let data = buffer.into_out_with_copied_in();
                self.seal_detached(&(*nonce).into(), associated_data, data)
                    .map(Into::into)
                    .map_err(|_| aead::Error)
            }

            fn decrypt_inout_detached(
                &self,
                nonce: &Nonce<Self>,
                associated_data: &[u8],
                buffer: InOutBuf<'_, '_, u8>,
                tag: &Tag<Self>,
            ) -> aead::Result<()> {
                let data = buffer.into_out_with_copied_in();
                self.open_detached(&(*nonce).into(), associated_data, data, &(*tag).into())
                    .map_err(|_| aead::Error)
            }
        }
    };
}

aead!(Gcm);
aead!(Ccm);

#[cfg(test)]
mod tests;
