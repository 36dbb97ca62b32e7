//! `checkpoint.json`: a checkpoint of the transaction log that covers a receipt's header, with everything that makes it
//! stand alone.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use changbai_core::canonical::{self, CanonicalError};
use changbai_merkle::{Note, PATH_LEN_MAX, TextError};
use serde::{Deserialize, Serialize};
use smkit::Sm3Digest;
use smkit_pki::{Certificate, CertificateError, FormError, TimeStampToken};

use crate::limits::CHECKPOINT_BYTES_MAX;

/// Most certificates in the document.
const CERTIFICATES_MAX: usize = 8;
const FORMAT: u64 = 1;

/// The document, well-formed but unverified.
#[derive(Clone, Debug)]
pub struct CheckpointFile {
    /// The certificate of the key that signed the checkpoint, then those above it that are not in the receipt; empty
    /// where the reader's trust file has the key.
    pub certificates: Vec<Certificate>,
    /// The consistency proof from the log of the receipt's header to the checkpoint's.
    pub consistency: Vec<Sm3Digest>,
    /// The checkpoint, signed by its log and cosigned by witnesses.
    pub note: Note,
    /// A time-stamp token over SM3 of the note's text.
    pub token: Option<TimeStampToken>,
}

/// Why bytes are not `checkpoint.json`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointFileError {
    /// Not the canonical JSON document of `FORMAT.md`.
    #[error("not a canonical document")]
    Document(#[from] CanonicalError),
    /// A field does not hold what it should.
    #[error("{field} does not hold what it should")]
    Field {
        /// Which.
        field: &'static str,
    },
    /// The note is none.
    #[error("the note: {0}")]
    Note(#[from] TextError),
    /// A certificate is malformed or not SM2.
    #[error("a certificate")]
    Certificate(#[from] CertificateError),
    /// The token is malformed or not SM2 and SM3.
    #[error("the time-stamp token: {0}")]
    Token(FormError),
}

impl CheckpointFile {
    /// Parses strictly: canonical form only.
    ///
    /// # Errors
    /// [`CheckpointFileError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointFileError> {
        let max_bytes = usize::try_from(CHECKPOINT_BYTES_MAX).unwrap_or(usize::MAX);
        let document: Document = canonical::from_bytes(bytes, max_bytes)?;
        let field = |field| CheckpointFileError::Field { field };
        if document.format != FORMAT {
            return Err(field("format"));
        }
        if document.consistency.len() > PATH_LEN_MAX {
            return Err(field("consistency"));
        }
        if document.certificates.len() > CERTIFICATES_MAX {
            return Err(field("certificates"));
        }
        let hashes = document.consistency.iter().map(|hash| canonical::digest(hash));
        let consistency = hashes.collect::<Option<_>>().ok_or_else(|| field("consistency"))?;
        let mut certificates = Vec::new();
        for text in &document.certificates {
            let der = STANDARD.decode(text).map_err(|_| field("certificates"))?;
            certificates.push(Certificate::from_der(&der)?);
        }
        let token = document.token.map(|text| STANDARD.decode(text)).transpose();
        let token = token.map_err(|_| field("token"))?;
        let token = token.map(|der| TimeStampToken::from_der(&der)).transpose();
        Ok(Self {
            certificates,
            consistency,
            note: Note::from_bytes(document.note.as_bytes())?,
            token: token.map_err(CheckpointFileError::Token)?,
        })
    }

    /// The bytes; [`from_bytes`](Self::from_bytes) gives the same document back.
    ///
    /// # Errors
    /// None in practice: it is made of texts.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CheckpointFileError> {
        let der = |certificate: &Certificate| STANDARD.encode(certificate.der());
        Ok(canonical::to_bytes(&Document {
            certificates: self.certificates.iter().map(der).collect(),
            consistency: self.consistency.iter().map(ToString::to_string).collect(),
            format: FORMAT,
            note: self.note.to_string(),
            token: self.token.as_ref().map(|token| STANDARD.encode(token.der())),
        })?)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    certificates: Vec<String>,
    consistency: Vec<String>,
    format: u64,
    note: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}
