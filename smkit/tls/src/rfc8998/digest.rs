//! SM3 and HMAC-SM3 behind rustls's traits.

use rustls::crypto::{hash, hmac};
use smkit::{HmacSm3, Sm3, sm3};

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

/// HMAC-SM3: the key schedule of both suites runs on it.
pub(super) struct Sm3Hmac;

impl hmac::Hmac for Sm3Hmac {
    fn with_key(&self, key: &[u8]) -> Box<dyn hmac::Key> {
        Box::new(MacKey(HmacSm3::new(key)))
    }

    fn hash_output_len(&self) -> usize {
        DIGEST_BYTES
    }
}

/// A key whose two padded blocks are hashed already.
struct MacKey(HmacSm3);

impl hmac::Key for MacKey {
    fn sign_concat(&self, first: &[u8], middle: &[&[u8]], last: &[u8]) -> hmac::Tag {
        let mut mac = self.0.clone();
        mac.update(first);
        middle.iter().for_each(|part| mac.update(part));
        mac.update(last);
        hmac::Tag::new(mac.finalize().as_bytes())
    }

    fn tag_len(&self) -> usize {
        DIGEST_BYTES
    }
}

const DIGEST_BYTES: usize = 32;
