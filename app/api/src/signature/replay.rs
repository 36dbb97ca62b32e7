//! Each nonce once: a bounded memory of signed requests until they expire by themselves.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use smkit::sm3::{Sm3Digest, sm3_parts};

/// What the cache says about a signed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayVerdict {
    /// First time seen; remembered from now on.
    Fresh,
    /// Seen before: a replay.
    Replayed,
    /// No room to remember it: it must be refused, to be tried again later.
    Full,
}

/// Remembers `(keyid, nonce)` until the signature's `expires`. It is empty after a restart, which is
/// why signatures created before the start are refused by the verifier.
#[derive(Debug)]
pub struct ReplayCache {
    entries_max: usize,
    seen: Mutex<Seen>,
}

// 16 of the 32 digest bytes: a chance collision only makes the colliding client sign again.
type Tag = [u8; 16];

#[derive(Debug, Default)]
struct Seen {
    tags: HashSet<Tag>,
    by_expiry: BTreeMap<u64, Vec<Tag>>,
}

impl ReplayCache {
    /// A cache of at most `entries_max` nonces (about 50 bytes each).
    #[must_use]
    pub fn new(entries_max: usize) -> Self {
        Self { entries_max, seen: Mutex::default() }
    }

    /// Looks a nonce up and remembers it until `expires` (Unix seconds) has passed.
    pub fn insert(
        &self,
        keyid: &Sm3Digest,
        nonce: &str,
        expires: u64,
        now_s: u64,
    ) -> ReplayVerdict {
        let tag = tag(keyid, nonce);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.forget_before(now_s);
        if seen.tags.contains(&tag) {
            return ReplayVerdict::Replayed;
        }
        if seen.tags.len() >= self.entries_max {
            return ReplayVerdict::Full;
        }
        seen.tags.insert(tag);
        seen.by_expiry.entry(expires).or_default().push(tag);
        ReplayVerdict::Fresh
    }

    /// Nonces remembered now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).tags.len()
    }

    /// True when nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Seen {
    // The verifier accepts a signature while now ≤ expires, so an entry goes once now > expires.
    fn forget_before(&mut self, now_s: u64) {
        while let Some(entry) = self.by_expiry.first_entry() {
            if *entry.key() >= now_s {
                return;
            }
            for tag in entry.remove() {
                self.tags.remove(&tag);
            }
        }
    }
}

fn tag(keyid: &Sm3Digest, nonce: &str) -> Tag {
    let digest = sm3_parts(&[b"changbai/api/nonce/v1", keyid.as_bytes(), nonce.as_bytes()]);
    let mut tag = Tag::default();
    for (to, from) in tag.iter_mut().zip(digest.as_bytes()) {
        *to = *from;
    }
    tag
}
