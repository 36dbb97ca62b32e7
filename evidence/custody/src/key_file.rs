//! A secret in a file of its own: hexadecimal digits, a line end, the check value's 64 digits, a line end.

use std::io::Write as _;
use std::path::Path;

use smkit::{Random, Sm3Digest, sm3_parts};
use zeroize::Zeroizing;

use crate::error::CustodyError;
use crate::files;

/// Reads a secret of `N` bytes from `path`, or makes one there at the first start. `fresh` says that nothing was ever
/// sealed with it, so that a missing one is no loss. `make` draws a secret.
pub(crate) fn load<const N: usize>(
    path: &Path,
    domain: &[u8],
    fresh: bool,
    make: &mut dyn FnMut() -> Result<Zeroizing<[u8; N]>, CustodyError>,
) -> Result<Zeroizing<[u8; N]>, CustodyError> {
    match std::fs::read(path) {
        Ok(bytes) => parse(path, domain, &Zeroizing::new(bytes)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && fresh => {
            let secret = make()?;
            create(path, domain, &secret)?;
            Ok(secret)
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Err(CustodyError::damaged(path, 0, "the key of the stored originals is missing"))
        }
        Err(e) => Err(CustodyError::io(path, "read")(e)),
    }
}

/// `N` bytes of randomness.
pub(crate) fn draw<const N: usize>(
    random: &mut dyn Random,
) -> Result<Zeroizing<[u8; N]>, CustodyError> {
    let mut secret = Zeroizing::new([0; N]);
    random.fill(secret.as_mut()).map_err(|_| CustodyError::Seal("no randomness"))?;
    Ok(secret)
}

fn create<const N: usize>(
    path: &Path,
    domain: &[u8],
    secret: &[u8; N],
) -> Result<(), CustodyError> {
    let text = Zeroizing::new(format!("{}\n{}\n", *hex(secret), check(domain, secret)));
    let draft = path.with_extension("new");
    drop(std::fs::remove_file(&draft));
    let mut file = files::create_new(&draft)?;
    file.write_all(text.as_bytes()).map_err(CustodyError::io(&draft, "write"))?;
    files::publish(&file, &draft, path)
}

/// The file has one form: any other byte is damage, at its offset where that can be told.
fn parse<const N: usize>(
    path: &Path,
    domain: &[u8],
    bytes: &[u8],
) -> Result<Zeroizing<[u8; N]>, CustodyError> {
    let damaged = |offset: usize, reason| CustodyError::damaged(path, offset as u64, reason);
    let (digits, whole) = (2 * N, 2 * N + 66);
    if bytes.len() != whole {
        return Err(damaged(bytes.len().min(whole), "the file has the wrong length"));
    }
    let line_end = |at: usize| at == digits || at == whole - 1;
    let fits = |(at, byte): (usize, &u8)| {
        if line_end(at) { *byte == b'\n' } else { matches!(byte, b'0'..=b'9' | b'a'..=b'f') }
    };
    if let Some(at) = bytes.iter().enumerate().position(|entry| !fits(entry)) {
        return Err(damaged(at, "not a lower-case hexadecimal digit or line end"));
    }
    let mut secret = Zeroizing::new([0_u8; N]);
    for (to, pair) in secret.iter_mut().zip(bytes.chunks_exact(2)) {
        *to = pair.iter().fold(0, |value, digit| value << 4 | nibble(*digit));
    }
    let stated = bytes.get(digits + 1..whole - 1).and_then(|b| std::str::from_utf8(b).ok());
    if stated != Some(check(domain, secret.as_ref()).to_string().as_str()) {
        return Err(damaged(0, "the key does not match its check value"));
    }
    Ok(secret)
}

fn check(domain: &[u8], secret: &[u8]) -> Sm3Digest {
    sm3_parts(&[domain, secret])
}

fn hex(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len()));
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
