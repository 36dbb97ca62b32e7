//! Why an authority's directory cannot be used, or refuses.

use std::path::{Path, PathBuf};

use smkit_pki::{AuthorityError, CertificationResponseError, RegisterError};

use crate::EnrolmentRefusal;

/// Why the directory cannot be used, or nothing was issued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityStoreError {
    /// A file cannot be read or written.
    #[error("{file}: {source}", file = .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is missing, damaged or does not fit the others.
    #[error("{file}: {reason}", file = .file.display())]
    Damaged {
        /// Which.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A line of the register is damaged.
    #[error("{file}, line {line}: {reason}", file = .file.display())]
    Register {
        /// The register.
        file: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The directory holds an authority already.
    #[error("{dir} already holds an authority", dir = .dir.display())]
    Exists {
        /// Which.
        dir: PathBuf,
    },
    /// Another process works on the directory.
    #[error("{dir} is in use by another process", dir = .dir.display())]
    InUse {
        /// Which.
        dir: PathBuf,
    },
    /// The private key is encrypted, and no passphrase or a wrong one was given.
    #[error("{file}: the passphrase is missing or wrong", file = .file.display())]
    Passphrase {
        /// The key's file.
        file: PathBuf,
    },
    /// The authority would not issue this.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The register would not record this.
    #[error(transparent)]
    Recorded(#[from] RegisterError),
    /// The answer could not be made.
    #[error(transparent)]
    Response(#[from] CertificationResponseError),
    /// Whoever asks may not have this.
    #[error(transparent)]
    Refused(#[from] EnrolmentRefusal),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] smkit::RandomError),
}

impl AuthorityStoreError {
    pub(crate) fn file(file: &Path, source: std::io::Error) -> Self {
        Self::File { file: file.to_owned(), source }
    }

    pub(crate) fn damaged(file: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged { file: file.to_owned(), reason: reason.into() }
    }
}
