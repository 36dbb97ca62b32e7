//! SM3 and HKDF-SM3 behind rustls's traits.

use std::sync::LazyLock;

use rustls::crypto::{
    hash, hmac,
    tls13::{Hkdf, HkdfExpander, OkmBlock, OutputLengthError},
};
use smkit::{HmacSm3, Sm3, hmac_sm3, sm3};
use zeroize::Zeroize as _;

/// SM3: the transcript hash of both suites.
#[derive(Debug)]
pub(super) struct Sm3Hash;

impl hash::Hash for Sm3Hash {
    fn start(&self) -> Box<dyn hash::Context> {
        Box::new(Transcript(Sm3::new()))
    }

    fn hash(&self, data: &[u8]) -> hash::Output {
        hash::Output::new(sm3(data).as_bytes())
    }

    fn output_len(&self) -> usize {
        DIGEST_BYTES
    }

    fn algorithm(&self) -> hash::HashAlgorithm {
        // The registry of TLS 1.2 gives SM3 the number 7 (RFC 8998 §3.2.1 derives 0x0708 from it).
        hash::HashAlgorithm::from(7)
    }
}

struct Transcript(Sm3);

impl hash::Context for Transcript {
    fn fork(&self) -> Box<dyn hash::Context> {
        Box::new(Self(self.0.clone()))
    }

    fn fork_finish(&self) -> hash::Output {
        hash::Output::new(self.0.clone().finalize().as_bytes())
    }

    fn finish(self: Box<Self>) -> hash::Output {
        hash::Output::new(self.0.finalize().as_bytes())
    }

    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }
}

/// HKDF-SM3 (RFC 5869): the key schedule of both suites.
pub(super) struct Sm3Hkdf;

impl Hkdf for Sm3Hkdf {
    fn extract_from_zero_ikm(&self, salt: Option<&[u8]>) -> Box<dyn HkdfExpander> {
        Box::new(Prk::extract(salt, &[0; DIGEST_BYTES]))
    }

    fn extract_from_secret(&self, salt: Option<&[u8]>, secret: &[u8]) -> Box<dyn HkdfExpander> {
        Box::new(Prk::extract(salt, secret))
    }

    fn expander_for_okm(&self, okm: &OkmBlock) -> Box<dyn HkdfExpander> {
        Box::new(Prk(HmacSm3::new(okm.as_ref())))
    }

    fn hmac_sign(&self, key: &OkmBlock, message: &[u8]) -> hmac::Tag {
        hmac::Tag::new(hmac_sm3(key.as_ref(), &[message]).as_bytes())
    }
}

/// A pseudo-random key whose two padded blocks are hashed already.
struct Prk(HmacSm3);

impl Prk {
    /// HKDF-Extract; without a salt it is zeros, whose blocks are the same every time.
    fn extract(salt: Option<&[u8]>, secret: &[u8]) -> Self {
        static ZEROS: LazyLock<HmacSm3> = LazyLock::new(|| HmacSm3::new(&[0; DIGEST_BYTES]));
        let mut mac = salt.map_or_else(|| ZEROS.clone(), HmacSm3::new);
        mac.update(secret);
        let mut prk = *mac.finalize().as_bytes();
        let key = Self(HmacSm3::new(&prk));
        prk.zeroize();
        key
    }

    /// HKDF-Expand; the callers bound the length, so that the counter never wraps.
    fn expand(&self, info: &[&[u8]], output: &mut [u8]) {
        let mut last = [0; DIGEST_BYTES];
        for (chunk, count) in output.chunks_mut(DIGEST_BYTES).zip(1..=u8::MAX) {
            let mut mac = self.0.clone();
            if count > 1 {
                mac.update(&last);
            }
            info.iter().for_each(|part| mac.update(part));
            mac.update(&[count]);
            last = *mac.finalize().as_bytes();
            chunk.iter_mut().zip(last).for_each(|(to, from)| *to = from);
        }
        last.zeroize();
    }
}

impl HkdfExpander for Prk {
    fn expand_slice(&self, info: &[&[u8]], output: &mut [u8]) -> Result<(), OutputLengthError> {
        if output.len() > usize::from(u8::MAX) * DIGEST_BYTES {
            return Err(OutputLengthError);
        }
        self.expand(info, output);
        Ok(())
    }

    fn expand_block(&self, info: &[&[u8]]) -> OkmBlock {
        let mut block = [0; DIGEST_BYTES];
        self.expand(info, &mut block);
        let okm = OkmBlock::new(&block);
        block.zeroize();
        okm
    }

    fn hash_len(&self) -> usize {
        DIGEST_BYTES
    }
}

const DIGEST_BYTES: usize = 32;
