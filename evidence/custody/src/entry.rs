//! What the agency knows of an original: one small file each, `entries/ab/cd/<sm3>`.
//!
//! A line of JSON and a line with its HMAC-SM3 under the store's key. It says where the sealed bytes lie, who can open
//! them, which record they belong to and until when they must stay. It never leaves the agency: the store of objects
//! holds sealed bytes alone, so dropping the wrapped keys here erases an original wherever copies of its object may be.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use smkit::Sm3Digest;
use smkit::sm2::{Ciphertext, PrivateKey, PublicKey};
use smkit::sm4::Key;
use zeroize::Zeroizing;

use crate::cid::Cid;
use crate::error::CustodyError;
use crate::keys::{Drawn, Keys};
use crate::limits::{ENTRY_BYTES_MAX, RECIPIENTS_MAX};

/// Somebody who can open an original besides its owner: a name, and an SM2 key for encryption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// 1 to 100 characters.
    pub name: String,
    /// Of its certificate for encryption.
    pub key: PublicKey,
}

/// A key of an envelope wrapped for somebody (`SM2Cipher` of GB/T 35276-2017 §7.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrap {
    /// Whose it is.
    pub recipient: String,
    /// The recipient's public key, compressed, hexadecimal.
    pub key: String,
    /// `SM2Cipher` in DER, Base64.
    pub wrapped: String,
}

/// When and why the keys of an original were destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    /// Unix milliseconds.
    pub at_ms: u64,
    /// As it was given.
    pub reason: String,
}

/// An original in custody, as the agency knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    version: u8,
    /// SM3 of the original.
    pub sm3: String,
    /// Length of the original.
    pub size_bytes: u64,
    /// CRC-32 of the original.
    pub crc32: u32,
    /// Name of the object with the sealed bytes; none for an envelope of version 1, which lies below `objects/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// When it came into custody, Unix milliseconds; 0 where that is not known.
    pub kept_at_ms: u64,
    /// Who can open it, the owner first; empty once erased, and for envelopes of version 1.
    pub keys: Vec<Wrap>,
    /// Evidence id of the first record that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// It must not be removed before, Unix milliseconds; only ever later.
    pub retain_until_ms: u64,
    /// Set once its keys are destroyed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erased: Option<Erasure>,
}

impl Entry {
    pub(crate) fn new(sm3: &Sm3Digest, size_bytes: u64, crc32: u32, kept_at_ms: u64) -> Self {
        Self {
            version: 1,
            sm3: sm3.to_string(),
            size_bytes,
            crc32,
            object: None,
            kept_at_ms,
            keys: Vec::new(),
            record: None,
            retain_until_ms: 0,
            erased: None,
        }
    }

    pub(crate) fn cid(&self) -> Option<Cid> {
        self.object.as_deref()?.parse().ok()
    }

    /// Wraps `key` for one more recipient; one of that key is replaced.
    pub(crate) fn admit(
        &mut self,
        recipient: &Recipient,
        key: &Key,
        keys: &Keys,
    ) -> Result<(), CustodyError> {
        let wrapped = recipient.key.encrypt(key.expose(), &mut Drawn(keys));
        let wrapped = wrapped.map_err(|_| CustodyError::Seal("the key for a recipient"))?;
        let wrap = Wrap {
            recipient: recipient.name.clone(),
            key: key_text(&recipient.key),
            wrapped: BASE64.encode(wrapped.to_der()),
        };
        if let Some(known) = self.keys.iter_mut().find(|known| known.key == wrap.key) {
            *known = wrap;
            return Ok(());
        }
        if self.keys.len() >= RECIPIENTS_MAX {
            return Err(CustodyError::Seal("too many recipients"));
        }
        self.keys.push(wrap);
        Ok(())
    }

    /// The envelope's key, unwrapped with a recipient's; `None` if there is none for it.
    pub(crate) fn unwrap_key(&self, private: &PrivateKey) -> Option<Key> {
        let own = key_text(private.public_key());
        self.keys.iter().find(|wrap| wrap.key == own)?.open(private)
    }

    /// Everybody that it is wrapped for, as far as their keys can be read.
    pub(crate) fn recipients(&self) -> Vec<Recipient> {
        self.keys.iter().filter_map(Wrap::to_recipient).collect()
    }

    pub(crate) fn to_bytes(&self, keys: &Keys) -> Result<Zeroizing<Vec<u8>>, CustodyError> {
        let mut text = serde_json::to_vec(self).map_err(|_| CustodyError::Seal("an entry"))?;
        let tag = keys.entry_tag(&text);
        text.push(b'\n');
        text.extend(tag.to_string().as_bytes());
        text.push(b'\n');
        Ok(Zeroizing::new(text))
    }

    /// Reads the one form; anything else is damage of `path`.
    pub(crate) fn parse(
        path: &Path,
        sm3: Option<&Sm3Digest>,
        bytes: &[u8],
        keys: &Keys,
    ) -> Result<Self, CustodyError> {
        let damaged = |offset: usize, reason| CustodyError::damaged(path, offset as u64, reason);
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(damaged(ENTRY_BYTES_MAX, "the entry is too long"));
        }
        let split = bytes.len().checked_sub(TAG_LINE).and_then(|at| bytes.split_at_checked(at));
        let (line, tag) = split.ok_or_else(|| damaged(bytes.len(), "the entry is too short"))?;
        let text = line.strip_suffix(b"\n").ok_or_else(|| damaged(line.len(), "no line end"))?;
        let expected = keys.entry_tag(text).to_string();
        // Nothing secret is compared, and whoever can write here can read the key beside it.
        if tag.strip_suffix(b"\n") != Some(expected.as_bytes()) {
            return Err(damaged(0, "the entry does not authenticate"));
        }
        let entry: Self = serde_json::from_slice(text).map_err(|_| damaged(0, "no entry"))?;
        if sm3.is_some_and(|sm3| entry.sm3 != sm3.to_string()) {
            return Err(damaged(0, "the entry of another original"));
        }
        Ok(entry)
    }
}

impl Wrap {
    fn to_recipient(&self) -> Option<Recipient> {
        let key = PublicKey::from_compressed(&hex_bytes(&self.key)?).ok()?;
        Some(Recipient { name: self.recipient.clone(), key })
    }

    /// The envelope's key, unwrapped with the recipient's private key.
    #[must_use]
    pub fn open(&self, private: &PrivateKey) -> Option<Key> {
        let der = BASE64.decode(&self.wrapped).ok()?;
        let key = private.decrypt(&Ciphertext::from_der(&der).ok()?).ok()?;
        Key::from_slice(&key).ok()
    }
}

fn key_text(key: &PublicKey) -> String {
    key.to_compressed().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// 64 hexadecimal digits and a line end.
const TAG_LINE: usize = 65;
