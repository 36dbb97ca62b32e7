//! The key-encryption key of the store, and the keys of single envelopes.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use smkit::sm4::Key;
use smkit::{Random, Sm3Digest, hmac_sm3, sm3_parts};
use zeroize::Zeroizing;

use crate::error::CustodyError;
use crate::files;

const CHECK_DOMAIN: &[u8] = b"changbai/custody/kek-check/v1";
const FRESH_DOMAIN: &[u8] = b"changbai/custody/fresh/v1";
/// 32 hex digits, a line end, 64 hex digits, a line end.
const FILE_BYTES: usize = 98;

/// Keys of the store: the one that wraps, and a generator for those that are wrapped.
pub(crate) struct Keys {
    pub(crate) kek: Key,
    seed: Zeroizing<[u8; 32]>,
    drawn: AtomicU64,
}

/// What a new envelope needs: its key, the nonce that wraps it, and the prefix of its chunk nonces.
pub(crate) struct Fresh {
    pub(crate) key: Key,
    pub(crate) wrap_nonce: [u8; 12],
    pub(crate) prefix: [u8; 4],
}

impl Keys {
    /// Reads the key from `path`, or makes one there at the first start. `fresh_store` says that
    /// nothing was ever sealed, so that a missing key is no loss.
    pub(crate) fn open(
        path: &Path,
        fresh_store: bool,
        random: &mut dyn Random,
    ) -> Result<Self, CustodyError> {
        let mut seed = Zeroizing::new([0; 32]);
        random.fill(seed.as_mut()).map_err(|_| CustodyError::Seal("no randomness"))?;
        let kek = match std::fs::read(path) {
            Ok(bytes) => parse(path, &Zeroizing::new(bytes))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && fresh_store => {
                create(path, random)?
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(CustodyError::damaged(
                    path,
                    0,
                    "the key of the stored originals is missing",
                ));
            }
            Err(e) => return Err(CustodyError::io(path, "read")(e)),
        };
        Ok(Self { kek, seed, drawn: AtomicU64::new(0) })
    }

    /// Never the same twice: HMAC-SM3 of a counter under a seed drawn at the start.
    pub(crate) fn fresh(&self) -> Fresh {
        let count = self.drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let drawn =
            Zeroizing::new(*hmac_sm3(self.seed.as_ref(), &[FRESH_DOMAIN, &count]).as_bytes());
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
}

fn create(path: &Path, random: &mut dyn Random) -> Result<Key, CustodyError> {
    let key = Key::generate(random).map_err(|_| CustodyError::Seal("no randomness"))?;
    let text = Zeroizing::new(format!("{}\n{}\n", *hex(key.expose()), check(&key)));
    let draft = path.with_extension("new");
    drop(std::fs::remove_file(&draft));
    let mut file = files::create_new(&draft)?;
    file.write_all(text.as_bytes()).map_err(CustodyError::io(&draft, "write"))?;
    files::publish(&file, &draft, path)?;
    Ok(key)
}

/// The file has one form: any other byte is damage, at its offset where that can be told.
fn parse(path: &Path, bytes: &[u8]) -> Result<Key, CustodyError> {
    let damaged = |offset: usize, reason| CustodyError::damaged(path, offset as u64, reason);
    if bytes.len() != FILE_BYTES {
        return Err(damaged(bytes.len().min(FILE_BYTES), "the file has the wrong length"));
    }
    let line_end = |at: usize| at == 32 || at == FILE_BYTES - 1;
    let fits = |(at, byte): (usize, &u8)| {
        if line_end(at) { *byte == b'\n' } else { matches!(byte, b'0'..=b'9' | b'a'..=b'f') }
    };
    if let Some(at) = bytes.iter().enumerate().position(|entry| !fits(entry)) {
        return Err(damaged(at, "not a lower-case hexadecimal digit or line end"));
    }
    let mut key = Zeroizing::new([0_u8; 16]);
    for (to, pair) in key.iter_mut().zip(bytes.chunks_exact(2)) {
        *to = pair.iter().fold(0, |value, digit| value << 4 | nibble(*digit));
    }
    let key = Key::from_bytes(*key);
    let stated = bytes.get(33..FILE_BYTES - 1).and_then(|b| std::str::from_utf8(b).ok());
    if stated != Some(check(&key).to_string().as_str()) {
        return Err(damaged(0, "the key does not match its check value"));
    }
    Ok(key)
}

fn check(key: &Key) -> Sm3Digest {
    sm3_parts(&[CHECK_DOMAIN, key.expose()])
}

fn hex(bytes: &[u8; 16]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(32));
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    text
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit.wrapping_sub(b'a').wrapping_add(10) & 15,
    }
}
