//! The store's key, and the keys, nonces and names that follow from one seed.

use std::{
    io::Read,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use smkit::{
    Random, Sm3Digest, hmac_sm3, sm3_parts,
    sm4::{Gcm, Key, NONCE_BYTES},
};
use zeroize::Zeroizing;

use crate::{directory::Directory, error::CustodyError, limits::KEY_FILE_BYTES_MAX};

/// The key that wraps every object's key (KEK), with a generator for the objects' keys.
pub(crate) struct StoreKey {
    gcm: Gcm,
    id: [u8; 8],
    /// Fresh at each open; `HMAC-SM3(seed, purpose ‖ serial)` never repeats.
    seed: Zeroizing<[u8; 32]>,
    serial: AtomicU64,
}

/// Everything random about one object.
pub(crate) struct ObjectSecrets {
    pub(crate) serial: u64,
    pub(crate) key: Key,
    pub(crate) wrap_nonce: [u8; NONCE_BYTES],
    pub(crate) nonce_prefix: [u8; 4],
}

impl StoreKey {
    pub(crate) fn open(
        directory: &Directory,
        random: &mut dyn Random,
    ) -> Result<Self, CustodyError> {
        let file = directory.key_file();
        let key = match directory.open_file(&file)? {
            Some(mut opened) => {
                let mut text = Zeroizing::new(Vec::with_capacity(256));
                Read::take(&mut opened, KEY_FILE_BYTES_MAX)
                    .read_to_end(&mut text)
                    .map_err(|e| directory.io("read", &file, e))?;
                parse(directory, &file, &text)?
            }
            None if directory.has_envelopes()? => {
                return Err(CustodyError::KeyMissing { file: directory.shown(&file) });
            }
            None => {
                let key = Key::generate(random).map_err(|_| CustodyError::Random)?;
                directory.write(&directory.root().join("tmp/kek"), &file, text(&key).as_bytes())?;
                key
            }
        };
        let mut seed = Zeroizing::new([0; 32]);
        random.fill(seed.as_mut_slice()).map_err(|_| CustodyError::Random)?;
        let id = sm3_parts(&[KEY_ID, key.expose()]);
        let id = id.as_bytes().first_chunk().copied().unwrap_or_default();
        Ok(Self { gcm: Gcm::new(&key), id, seed, serial: AtomicU64::new(0) })
    }

    /// The first bytes of a digest of the key: tells which key wrapped an object.
    pub(crate) fn id(&self) -> &[u8; 8] {
        &self.id
    }

    pub(crate) fn gcm(&self) -> &Gcm {
        &self.gcm
    }

    /// Secrets for one more object.
    pub(crate) fn object(&self) -> ObjectSecrets {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let derive = |purpose: u8| {
            hmac_sm3(self.seed.as_slice(), &[OBJECT, &[purpose], &serial.to_be_bytes()])
        };
        let (key, nonces) = (derive(1), derive(2));
        let (wrap_nonce, rest) = split(nonces.as_bytes());
        let (nonce_prefix, _) = split(rest);
        ObjectSecrets {
            serial,
            key: Key::from_bytes(split(key.as_bytes()).0),
            wrap_nonce,
            nonce_prefix,
        }
    }
}

fn split<const N: usize>(bytes: &[u8]) -> ([u8; N], &[u8]) {
    bytes.split_first_chunk().map_or(([0; N], bytes), |(head, rest)| (*head, rest))
}

/// Title, key and check line.
fn text(key: &Key) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(256));
    text.push_str(TITLE);
    for byte in key.expose() {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
        }
    }
    text.push('\n');
    text.push_str(&check(key).to_string());
    text.push('\n');
    text
}

fn parse(directory: &Directory, file: &Path, bytes: &[u8]) -> Result<Key, CustodyError> {
    let corrupt = |offset: usize, reason| {
        directory.corrupt(file, u64::try_from(offset).unwrap_or(u64::MAX), reason)
    };
    let title = TITLE.len();
    let digits = bytes
        .strip_prefix(TITLE.as_bytes())
        .ok_or_else(|| corrupt(0, "not a custody key of this version"))?;
    let mut key = Zeroizing::new([0_u8; 16]);
    for (index, byte) in key.iter_mut().enumerate() {
        for digit in [2 * index, 2 * index + 1] {
            let value = digits.get(digit).and_then(|d| match d {
                b'0'..=b'9' => Some(d - b'0'),
                b'a'..=b'f' => Some(d - b'a' + 10),
                _ => None,
            });
            let value = value.ok_or_else(|| corrupt(title + digit, "not a hexadecimal digit"))?;
            *byte = (*byte << 4) | value;
        }
    }
    let key = Key::from_bytes(*key);
    // Comparing the whole text also refuses anything before, between or behind the lines.
    let expected = text(&key);
    if bytes == expected.as_bytes() {
        return Ok(key);
    }
    let same = expected.as_bytes().iter().zip(bytes).take_while(|(a, b)| a == b).count();
    Err(corrupt(same, "the key and its check line do not belong together"))
}

fn check(key: &Key) -> Sm3Digest {
    sm3_parts(&[KEY_CHECK, key.expose()])
}

const TITLE: &str = "changbai custody key v1\n";
const KEY_CHECK: &[u8] = b"changbai/custody/key-check/v1";
const KEY_ID: &[u8] = b"changbai/custody/key-id/v1";
const OBJECT: &[u8] = b"changbai/custody/object/v1";
