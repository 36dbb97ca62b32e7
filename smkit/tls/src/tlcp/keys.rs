//! From the pre-master secret to the keys of both directions (GB/T 38636-2020 §6.5).

use std::fmt;

use smkit::{Sm3Digest, sm3::kdf::tls_prf};
use zeroize::Zeroizing;

use super::suite::{CipherSuite, Protection};

/// The randoms of both hellos.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Randoms {
    pub(crate) client: [u8; 32],
    pub(crate) server: [u8; 32],
}

/// Which side speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// 48 bytes from which everything of a session follows; wiped when dropped.
#[derive(Clone)]
pub(crate) struct MasterSecret(Zeroizing<[u8; 48]>);

impl MasterSecret {
    pub(crate) fn new(pre_master: &[u8], randoms: &Randoms) -> Self {
        let mut secret = Zeroizing::new([0; 48]);
        let seed: [&[u8]; 2] = [&randoms.client, &randoms.server];
        tls_prf(pre_master, b"master secret", &seed, secret.as_mut());
        Self(secret)
    }

    #[cfg(test)]
    pub(crate) fn expose(&self) -> &[u8; 48] {
        &self.0
    }

    /// `verify_data` of Finished over the transcript's digest (§6.4.5.11).
    pub(crate) fn verify_data(&self, side: Side, transcript: &Sm3Digest) -> [u8; VERIFY_BYTES] {
        let label: &[u8] = match side {
            Side::Client => b"client finished",
            Side::Server => b"server finished",
        };
        let mut out = [0; VERIFY_BYTES];
        tls_prf(self.0.as_ref(), label, &[transcript.as_bytes()], &mut out);
        out
    }

    pub(crate) fn key_block(&self, suite: CipherSuite, randoms: &Randoms) -> KeyBlock {
        let mut blocks = Zeroizing::new([[0; 16]; KEY_BLOCKS]);
        // Here the server's random comes first.
        let seed: [&[u8]; 2] = [&randoms.server, &randoms.client];
        tls_prf(self.0.as_ref(), b"key expansion", &seed, blocks.as_flattened_mut());
        KeyBlock { blocks, protection: suite.protection() }
    }
}

impl fmt::Debug for MasterSecret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("MasterSecret(..)")
    }
}

/// Client MAC, server MAC, client key, server key, client IV, server IV: each as long as the suite wants it.
pub(crate) struct KeyBlock {
    blocks: Zeroizing<[[u8; 16]; KEY_BLOCKS]>,
    protection: Protection,
}

/// What protects one direction.
#[derive(Clone, Copy)]
pub(crate) enum DirectionKeys<'a> {
    Cbc { mac: &'a [[u8; 16]; 2], key: &'a [u8; 16] },
    Gcm { key: &'a [u8; 16], iv: [u8; 4] },
}

impl KeyBlock {
    /// The keys under which `side` writes.
    pub(crate) fn of(&self, side: Side) -> DirectionKeys<'_> {
        match (self.protection, side) {
            (Protection::Cbc, Side::Client) => {
                let [mac @ .., _, _, key, _] = &*self.blocks;
                DirectionKeys::Cbc { mac, key }
            }
            (Protection::Cbc, Side::Server) => {
                let [_, _, mac @ .., _, key] = &*self.blocks;
                DirectionKeys::Cbc { mac, key }
            }
            (Protection::Gcm, Side::Client) => {
                let [key, _, [a, b, c, d, ..], ..] = &*self.blocks;
                DirectionKeys::Gcm { key, iv: [*a, *b, *c, *d] }
            }
            (Protection::Gcm, Side::Server) => {
                let [_, key, [_, _, _, _, a, b, c, d, ..], ..] = &*self.blocks;
                DirectionKeys::Gcm { key, iv: [*a, *b, *c, *d] }
            }
        }
    }
}

/// Bytes of `verify_data`.
pub(crate) const VERIFY_BYTES: usize = 12;
/// Two MAC keys and two keys; the IVs in which CBC's key block ends are those of TLS 1.0, and no record uses them.
const KEY_BLOCKS: usize = 2 * (2 + 1);
