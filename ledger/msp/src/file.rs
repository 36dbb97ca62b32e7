//! A configuration as a file that people read and write: TOML, certificates by path or inline.

mod read;
mod schema;
mod write;

use std::{collections::BTreeMap, io};

use smkit_pki::{CertificateError, FormError};
use thiserror::Error;

use crate::{ConfigError, InvalidEndpoint, InvalidPath, PolicyError, limits::FILE_BYTES_MAX};
use schema::ChannelFile;

use crate::ChannelConfig;

/// Reads a file that a configuration names, by a relative path with `/` and without `..`.
pub type Files<'a> = &'a dyn Fn(&str) -> io::Result<Vec<u8>>;

impl ChannelConfig {
    /// Reads a channel's configuration from TOML. Certificates are PEM, inline or by a path relative to
    /// the file, which `files` reads; policies are texts as [`GroupPolicy::parse`](crate::GroupPolicy::parse)
    /// reads them. What is left out is as in [`ChannelConfig::new`]; an unknown key is an error.
    ///
    /// # Errors
    /// [`FileError`], which names the key, or [`FileError::Config`] as [`ChannelConfig::check`].
    pub fn from_toml(text: &str, files: Files<'_>) -> Result<Self, FileError> {
        if text.len() > FILE_BYTES_MAX {
            return Err(FileError::TooLarge { bytes: text.len() });
        }
        let file: ChannelFile = toml::from_str(text)
            .map_err(|e| FileError::Syntax(e.to_string().trim_end().to_owned()))?;
        let config = read::channel(file, files)?;
        config.check()?;
        Ok(config)
    }

    /// The configuration as TOML, with every certificate inline: [`ChannelConfig::from_toml`] reads
    /// the same configuration from it, but for the versions of elements, which are the ledger's.
    #[must_use]
    pub fn to_toml(&self) -> String {
        // Texts, numbers and lists of them only: writing them cannot fail.
        toml::to_string_pretty(&write::channel(self)).unwrap_or_default()
    }

    /// The configuration as TOML that people can read: certificates and revocation lists by path in
    /// `folder` (one name, without `/`), and beside it those files, as path and PEM text.
    #[must_use]
    pub fn to_toml_with_files(&self, folder: &str) -> (String, BTreeMap<String, String>) {
        let mut file = write::channel(self);
        let files = write::take_out(&mut file, folder);
        (toml::to_string_pretty(&file).unwrap_or_default(), files)
    }
}

/// Why a file is not a channel's configuration.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// More than [`FILE_BYTES_MAX`] bytes.
    #[error("{bytes} bytes are too many for a configuration")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
    /// Not TOML, or a key is missing, unknown or of the wrong type; the text says where.
    #[error("{0}")]
    Syntax(String),
    /// The value of a key cannot be used.
    #[error("{key}: {cause}")]
    Key {
        /// The key, such as `organisation.ChangchunNDRC.roots`.
        key: String,
        /// What is wrong with it.
        cause: KeyError,
    },
    /// The parts do not make a configuration.
    #[error("{0}")]
    Config(#[from] ConfigError),
}

/// What is wrong with the value of a key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It is missing, or contradicts another key.
    #[error("{0}")]
    Text(&'static str),
    /// The path leads elsewhere.
    #[error("{path:?} is not a relative path without \"..\"")]
    Path {
        /// The path.
        path: String,
    },
    /// The file cannot be read.
    #[error("{path}: {cause}")]
    File {
        /// The path.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// The file, or the inline text, holds no certificate that can be used.
    #[error("{origin}: {cause}")]
    Certificate {
        /// The path, or `inline`.
        origin: String,
        /// Why.
        cause: CertificateError,
    },
    /// Not a revocation list.
    #[error("{origin}: {cause}")]
    RevocationList {
        /// The path, or `inline`.
        origin: String,
        /// Why.
        cause: FormError,
    },
    /// Not a policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Not an endpoint.
    #[error(transparent)]
    Endpoint(#[from] InvalidEndpoint),
    /// Not the path of an element.
    #[error(transparent)]
    Item(#[from] InvalidPath),
}
