//! Certificates that were accepted before, parsed. A parse depends on nothing but the bytes, so nothing here expires.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use smkit::sm2::{SignerId, VerifyingKey};
use smkit_pki::Certificate;

use crate::peer::PeerRefusal;

/// A parsed certificate and its key under the ID of TLS 1.3 handshakes.
pub(super) struct Entry {
    pub(super) certificate: Certificate,
    pub(super) handshake_key: VerifyingKey,
}

impl Entry {
    pub(super) fn parse(der: &[u8]) -> Result<Self, PeerRefusal> {
        let certificate =
            Certificate::from_der(der).map_err(|error| PeerRefusal::unreadable(&error))?;
        let public = certificate.public_key().clone();
        let handshake_key = VerifyingKey::new(public, SignerId::TLS13).map_err(|error| {
            PeerRefusal { reason: error.to_string(), ..PeerRefusal::no_certificate() }
        })?;
        Ok(Self { certificate, handshake_key })
    }
}

/// Two generations: when the young one is full it becomes the old one, and the old one goes.
///
/// Only what a [`PeerVerifier`](crate::peer::PeerVerifier) accepted comes in, so strangers cannot push anybody out.
#[derive(Default)]
pub(super) struct Known(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<Box<[u8]>, Arc<Entry>>,
    old: HashMap<Box<[u8]>, Arc<Entry>>,
}

impl Known {
    pub(super) fn find(&self, der: &[u8]) -> Option<Arc<Entry>> {
        let generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generations.young.get(der).or_else(|| generations.old.get(der)).cloned()
    }

    pub(super) fn remember(&self, entries: Vec<Arc<Entry>>) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in entries {
            if generations.young.contains_key(entry.certificate.der()) {
                continue;
            }
            if generations.young.len() >= GENERATION_MAX {
                generations.old = std::mem::take(&mut generations.young);
            }
            generations.young.insert(entry.certificate.der().into(), entry);
        }
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Known").finish_non_exhaustive()
    }
}

/// Certificates in one generation. Twice as many are about 1 MiB, and half of the places for tables that smkit has.
const GENERATION_MAX: usize = 128;

#[cfg(test)]
mod tests;
