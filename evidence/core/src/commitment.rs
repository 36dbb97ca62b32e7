//! Salted commitments (承诺) to personal values.

use std::{fmt, str::FromStr};

use smkit::{Sm3Digest, sm3_parts};

use crate::domain;

/// A salted commitment (承诺) to one personal field: it binds the value without revealing it.
///
/// Drop the salt and nothing can be learned from it any more, while every proof of the record stays valid.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commitment(Sm3Digest);

/// What opens a [`Commitment`]: the field's name, its value and the salt. Personal data: never logged, never on the ledger.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening {
    /// The field's name in the business type's schema.
    pub name: String,
    /// The personal value, UTF-8.
    pub value: String,
    /// 32 bytes from the operating system's generator, used once.
    pub salt: [u8; 32],
}

/// The text is not 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a commitment is 64 lower-case hexadecimal digits")]
pub struct NotACommitment;

impl Commitment {
    /// The commitment with this digest.
    pub fn from_digest(digest: Sm3Digest) -> Self {
        Self(digest)
    }

    /// The digest.
    pub fn digest(&self) -> &Sm3Digest {
        &self.0
    }
}

impl Opening {
    /// SM3(`changbai/core/commitment/v1` ‖ salt ‖ u32 length of name ‖ name ‖ u32 length of value ‖ value), lengths
    /// in bytes, big-endian.
    pub fn commitment(&self) -> Commitment {
        let length = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
        Commitment(sm3_parts(&[
            domain::COMMITMENT,
            &self.salt,
            &length(&self.name),
            self.name.as_bytes(),
            &length(&self.value),
            self.value.as_bytes(),
        ]))
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Display for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Commitment {
    type Err = NotACommitment;

    fn from_str(text: &str) -> Result<Self, NotACommitment> {
        crate::canonical::digest(text).map(Self).ok_or(NotACommitment)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn opening(name: &str, value: &str, salt: u8) -> Opening {
        Opening { name: name.to_owned(), value: value.to_owned(), salt: [salt; 32] }
    }

    #[test]
    fn the_committed_bytes_are_these() {
        let mut bytes = b"changbai/core/commitment/v1".to_vec();
        bytes.extend([7; 32]);
        bytes.extend([0, 0, 0, 5]);
        bytes.extend(b"party");
        bytes.extend([0, 0, 0, 6]);
        bytes.extend("张三".as_bytes());
        assert_eq!(opening("party", "张三", 7).commitment().digest(), &smkit::sm3(&bytes));
    }

    #[test]
    fn vectors() {
        // Own vectors, recomputed with OpenSSL 3 (`openssl dgst -sm3`): testdata/SOURCE.md.
        for line in include_str!("../testdata/commitments.txt").lines() {
            let mut columns = line.split('|');
            let (name, value) = (columns.next().unwrap(), columns.next().unwrap());
            let salt = columns.next().unwrap().parse().unwrap();
            let expected = columns.next().unwrap();
            assert_eq!(opening(name, value, salt).commitment().to_string(), expected);
        }
    }

    #[test]
    fn debug_shows_no_value_and_no_salt() {
        let shown = format!("{:?}", opening("party", "张三", 7));
        assert!(!shown.contains("张三") && !shown.contains('7'), "{shown}");
    }

    proptest! {
        #[test]
        fn name_value_and_salt_all_bind(
            name in "[a-z_]{1,20}", value in "\\PC{0,20}", salt: u8, cut in 0_usize..20,
        ) {
            let base = opening(&name, &value, salt).commitment();
            prop_assert_ne!(base, opening(&name, &value, salt.wrapping_add(1)).commitment());
            prop_assert_ne!(base, opening(&name, &format!("{value}x"), salt).commitment());
            // Moving the border between name and value changes the commitment.
            let joined = format!("{name}{value}");
            if let Some((left, right)) = joined.split_at_checked(cut) && left != name {
                prop_assert_ne!(base, opening(left, right, salt).commitment());
            }
            prop_assert_eq!(base.to_string().parse::<Commitment>(), Ok(base));
        }
    }
}
