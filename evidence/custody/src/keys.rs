//! Keys of the store, and of single envelopes.
//!
//! `kek` wraps the keys of envelopes of version 1 and of openings, and authenticates entries; `owner` is the agency's
//! SM2 key for encryption (加密密钥): the key of each original is wrapped for its public half.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use smkit::sm2::PrivateKey;
use smkit::sm4::Key;
use smkit::{Random, RandomError, Sm3Digest, hmac_sm3, sm3_parts};
use zeroize::Zeroizing;

use crate::error::CustodyError;
use crate::key_file;

const KEK_DOMAIN: &[u8] = b"changbai/custody/kek-check/v1";
const OWNER_DOMAIN: &[u8] = b"changbai/custody/owner-check/v1";
const FRESH_DOMAIN: &[u8] = b"changbai/custody/fresh/v1";
const ENTRY_DOMAIN: &[u8] = b"changbai/custody/entry/v1";
const LOG_DOMAIN: &[u8] = b"changbai/custody/log/v1";

/// Keys of the store: those that wrap, and a generator for those that are wrapped.
pub(crate) struct Keys {
    pub(crate) kek: Key,
    owner: PrivateKey,
    seed: Zeroizing<[u8; 32]>,
    drawn: AtomicU64,
}

/// What a new envelope needs: its key, a nonce, and the prefix of its chunk nonces.
pub(crate) struct Fresh {
    pub(crate) key: Key,
    pub(crate) wrap_nonce: [u8; 12],
    pub(crate) prefix: [u8; 4],
}

impl Keys {
    /// Reads the keys below `dir`, or makes them there at the first start. `fresh_store` says that nothing was ever
    /// sealed, `fresh_owner` that nothing was sealed for the owner's key.
    pub(crate) fn open(
        dir: &Path,
        fresh_store: bool,
        fresh_owner: bool,
        random: &mut dyn Random,
    ) -> Result<Self, CustodyError> {
        let seed = key_file::draw::<32>(random)?;
        let kek = key_file::load::<16>(&dir.join("kek"), KEK_DOMAIN, fresh_store, &mut || {
            key_file::draw(random)
        })?;
        let path = dir.join("owner");
        let owner = key_file::load::<32>(&path, OWNER_DOMAIN, fresh_owner, &mut || {
            let key = PrivateKey::generate(random);
            Ok(key.map_err(|_| CustodyError::Seal("no randomness"))?.to_bytes())
        })?;
        let owner = PrivateKey::from_bytes(&owner)
            .map_err(|_| CustodyError::damaged(&path, 0, "no SM2 key"))?;
        let kek = Key::from_bytes(*kek);
        Ok(Self { kek, owner, seed, drawn: AtomicU64::new(0) })
    }

    pub(crate) const fn owner(&self) -> &PrivateKey {
        &self.owner
    }

    /// Authenticates an entry's text.
    pub(crate) fn entry_tag(&self, text: &[u8]) -> Sm3Digest {
        hmac_sm3(self.kek.expose(), &[ENTRY_DOMAIN, text])
    }

    /// Authenticates a line of the custody log.
    pub(crate) fn log_tag(&self, previous: &Sm3Digest, text: &[u8]) -> Sm3Digest {
        hmac_sm3(self.kek.expose(), &[LOG_DOMAIN, previous.as_bytes(), text])
    }

    /// Never the same twice: HMAC-SM3 of a counter under a seed drawn at the start.
    pub(crate) fn fresh(&self) -> Fresh {
        let drawn = self.drawn();
        let (mut key, mut wrap_nonce, mut prefix) = ([0; 16], [0; 12], [0; 4]);
        for (to, from) in key.iter_mut().chain(&mut wrap_nonce).chain(&mut prefix).zip(drawn.iter())
        {
            *to = *from;
        }
        Fresh { key: Key::from_bytes(key), wrap_nonce, prefix }
    }

    /// A name for a temporary file.
    pub(crate) fn name(&self) -> String {
        let count = self.drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        sm3_parts(&[FRESH_DOMAIN, &std::process::id().to_be_bytes(), &count]).to_string()
    }

    fn drawn(&self) -> Zeroizing<[u8; 32]> {
        let count = self.drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        Zeroizing::new(*hmac_sm3(self.seed.as_ref(), &[FRESH_DOMAIN, &count]).as_bytes())
    }
}

/// The store's generator as randomness for SM2.
pub(crate) struct Drawn<'a>(pub(crate) &'a Keys);

impl Random for Drawn<'_> {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for part in out.chunks_mut(32) {
            for (to, from) in part.iter_mut().zip(self.0.drawn().iter()) {
                *to = *from;
            }
        }
        Ok(())
    }
}
