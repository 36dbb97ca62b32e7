//! Disclosures (披露): openings of the record's commitments to personal values, as a document.

use changbai_core::{Opening, canonical, canonical::CanonicalError};
use serde::{Deserialize, Serialize};

use crate::limits::{DISCLOSURES_BYTES_MAX, OPENINGS_MAX};

/// Why bytes or openings do not make disclosures. Never repeats a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DisclosuresError {
    /// Not the canonical JSON document of `FORMAT.md` §4.
    #[error("the disclosures are not a canonical document")]
    Document(#[from] CanonicalError),
    /// Another format number, no openings or too many, names not rising, or a salt that is not 32 bytes of hex.
    #[error("the disclosures are malformed: {reason}")]
    Malformed {
        /// The rule that is broken.
        reason: &'static str,
    },
}

/// The bytes of `disclosures.json` with these openings, in any order. The result is personal data.
///
/// # Errors
/// [`DisclosuresError::Malformed`] for no or too many openings or a name given twice.
pub fn disclosures_to_bytes(openings: &[Opening]) -> Result<Vec<u8>, DisclosuresError> {
    let mut fields: Vec<_> = openings.iter().map(OpeningFields::from).collect();
    fields.sort_by(|a, b| a.name.cmp(&b.name));
    let document = Document { format: FORMAT, openings: fields };
    document.check()?;
    Ok(canonical::to_bytes(&document)?)
}

/// The openings in `disclosures.json`, strictly parsed, by rising name.
///
/// # Errors
/// See [`DisclosuresError`].
pub fn disclosures_from_bytes(bytes: &[u8]) -> Result<Vec<Opening>, DisclosuresError> {
    let max_bytes = usize::try_from(DISCLOSURES_BYTES_MAX).unwrap_or(usize::MAX);
    let document: Document = canonical::from_bytes(bytes, max_bytes)?;
    document.check()?;
    document
        .openings
        .into_iter()
        .map(|fields| {
            let salt = canonical::digest(&fields.salt)
                .ok_or(malformed("a salt is not 64 lower-case hexadecimal digits"))?;
            Ok(Opening { name: fields.name, value: fields.value, salt: salt.into() })
        })
        .collect()
}

const FORMAT: u64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u64,
    openings: Vec<OpeningFields>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpeningFields {
    name: String,
    salt: String,
    value: String,
}

impl Document {
    fn check(&self) -> Result<(), DisclosuresError> {
        if self.format != FORMAT {
            return Err(malformed("this verifier reads format 1"));
        }
        if self.openings.is_empty() || self.openings.len() > OPENINGS_MAX {
            return Err(malformed("there are no openings, or too many"));
        }
        if !self.openings.is_sorted_by(|a, b| a.name < b.name) {
            return Err(malformed("names are not rising"));
        }
        Ok(())
    }
}

impl From<&Opening> for OpeningFields {
    fn from(opening: &Opening) -> Self {
        Self {
            name: opening.name.clone(),
            salt: smkit::Sm3Digest::new(opening.salt).to_string(),
            value: opening.value.clone(),
        }
    }
}

const fn malformed(reason: &'static str) -> DisclosuresError {
    DisclosuresError::Malformed { reason }
}
