//! Why an invocation fails.

use thiserror::Error;

use crate::KeyError;

/// Why an invocation fails; whichever it is, nothing of it reaches the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ContractError {
    /// The contract refuses, for a reason of its own.
    #[error("{code}: {message}")]
    Refused {
        /// Stable code, such as `EV-4090`.
        code: String,
        /// English text for logs and developers; without personal data.
        message: String,
        /// What the client needs to go on, such as the id of the first record; may be empty.
        payload: Vec<u8>,
    },
    /// The state cannot be read; the client may retry elsewhere or later.
    #[error("state unavailable: {0}")]
    State(String),
    /// A bound of [`limits`](crate::limits) is exceeded.
    #[error("{what}: {found} exceeds the limit of {limit}")]
    Limit {
        /// What is bounded.
        what: &'static str,
        /// The bound.
        limit: u64,
        /// What was asked for.
        found: u64,
    },
    /// A key is malformed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No contract of that name is installed.
    #[error("contract {0:?} is not installed")]
    Unknown(String),
    /// The contract panicked: a bug in it.
    #[error("contract {0} failed unexpectedly")]
    Panicked(&'static str),
}

impl ContractError {
    /// A refusal without payload.
    #[must_use]
    pub fn refused(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Refused { code: code.into(), message: message.into(), payload: Vec::new() }
    }
}
