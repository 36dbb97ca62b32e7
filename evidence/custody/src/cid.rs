//! Names of stored objects: `CIDv1` (内容标识符), codec `raw` (0x55), multihash `sm3-256` (0x534d), base32.
//!
//! The digest is that of the *sealed* bytes. Whoever runs a store can check an object against its name without a key,
//! and learns nothing about the original from it: under a digest of the original itself, a form with few possible
//! contents could be found by trying them all. Which original lies under which name is known to the agency alone
//! ([`crate::entry`]).

use std::fmt;
use std::str::FromStr;

use smkit::Sm3Digest;

/// Name of an object, `bafk43jqb…`: 62 characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cid(Sm3Digest);

/// The text is not the one form of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a CIDv1 of raw bytes under sm3-256 in base32")]
pub struct NotACid;

impl Cid {
    /// The name of bytes with this digest.
    #[must_use]
    pub const fn new(digest: Sm3Digest) -> Self {
        Self(digest)
    }

    /// SM3 of the bytes.
    #[must_use]
    pub const fn digest(&self) -> &Sm3Digest {
        &self.0
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::from("b");
        let (mut bits, mut held) = (0_u32, 0_u32);
        let mut push = |value: u32| {
            let digit = ALPHABET.get((value & 31) as usize).copied().unwrap_or(b'a');
            text.push(char::from(digit));
        };
        for byte in PREFIX.iter().chain(self.0.as_bytes()) {
            bits = bits << 8 | u32::from(*byte);
            held += 8;
            while held >= 5 {
                held -= 5;
                push(bits >> held);
            }
            bits &= (1 << held) - 1;
        }
        if held > 0 {
            push(bits << (5 - held));
        }
        f.write_str(&text)
    }
}

impl fmt::Debug for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cid({self})")
    }
}

impl FromStr for Cid {
    type Err = NotACid;

    fn from_str(text: &str) -> Result<Self, NotACid> {
        let digits = text.strip_prefix('b').ok_or(NotACid)?;
        let mut bytes = Vec::with_capacity(PREFIX.len() + 32);
        let (mut bits, mut held) = (0_u32, 0_u32);
        for digit in digits.bytes().take(TEXT_CHARS_MAX) {
            let value = match digit {
                b'a'..=b'z' => digit - b'a',
                b'2'..=b'7' => digit - b'2' + 26,
                _ => return Err(NotACid),
            };
            bits = bits << 5 | u32::from(value);
            held += 5;
            if held >= 8 {
                held -= 8;
                bytes.push(u8::try_from(bits >> held & 0xff).map_err(|_| NotACid)?);
                bits &= (1 << held) - 1;
            }
        }
        let digest = bytes.strip_prefix(PREFIX.as_slice()).ok_or(NotACid)?;
        let cid = Self(Sm3Digest::from_slice(digest).map_err(|_| NotACid)?);
        // One text for each name: no stray bits at the end, nothing behind it.
        if cid.to_string() == text { Ok(cid) } else { Err(NotACid) }
    }
}

/// Version 1, `raw`, `sm3-256` as a varint, 32 bytes.
const PREFIX: [u8; 6] = [0x01, 0x55, 0xcd, 0xa6, 0x01, 0x20];
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const TEXT_CHARS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use smkit::{Sm3Digest, sm3};

    use super::Cid;

    #[test]
    fn the_form_is_that_of_the_multiformats_tables() {
        // SM3("abc") is GB/T 32905-2016 A.1; the text is base32 (RFC 4648, lower case, no padding) of
        // 01 55 cda601 20 ‖ digest.
        let cid = Cid::new(sm3(b"abc"));
        assert_eq!(
            cid.to_string(),
            "bafk43jqbebtmp4humlxo3wor6lkgxxaq4trecz6eq5opf55cff62ak4pjouoa"
        );
        assert_eq!(cid.to_string().parse(), Ok(cid));
    }

    proptest! {
        #[test]
        fn names_round_trip_and_have_one_text(digest in any::<[u8; 32]>(), at in 0_usize..62, c in "[a-z2-7A-Z=]") {
            let cid = Cid::new(Sm3Digest::new(digest));
            let text = cid.to_string();
            prop_assert_eq!(text.parse::<Cid>(), Ok(cid));
            let at = at.min(text.len() - 1);
            let changed = format!("{}{}{}", &text[..at], c, &text[at + 1..]);
            if changed != text {
                prop_assert_ne!(changed.parse::<Cid>().ok(), Some(cid));
            }
            prop_assert!(text[..text.len() - 1].parse::<Cid>().is_err());
            let longer = format!("{text}a");
            prop_assert!(longer.parse::<Cid>().is_err());
        }
    }
}
