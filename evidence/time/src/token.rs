//! Where time-stamp tokens come from: this node's own authority, or others over the network.

mod client;
mod fallback;
mod own;

use std::fmt;
use std::time::Duration;

use smkit::Sm3Digest;
use smkit_pki::{TimeStampError, TimeStampFailure, TimeStampToken};

pub use client::{QueryTransport, Retry, TransportError, TsaClient};
pub use fallback::{TokenSources, TokenStatus};

use crate::reasons::{self, Reason};

/// Gives time-stamp tokens (时间戳令牌) over digests: what a batch of records is stamped with.
pub trait TokenSource: Send + Sync + fmt::Debug {
    /// A token over `imprint`, checked as far as its source can check it: one of another authority is verified down to
    /// a configured root, and its time compared with this machine's clock.
    ///
    /// Blocks, for a signature or for the network; every wait has an end. Not to be called on a thread that runs
    /// async tasks.
    ///
    /// # Errors
    /// See [`TokenError`]; nothing has been stamped then, as far as this machine knows.
    fn token(&self, imprint: &Sm3Digest) -> Result<TimeToken, TokenError>;
}

/// A token, and who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeToken {
    token: TimeStampToken,
    source: String,
}

impl TimeToken {
    pub(crate) const fn new(token: TimeStampToken, source: String) -> Self {
        Self { token, source }
    }

    /// The token.
    #[must_use]
    pub const fn token(&self) -> &TimeStampToken {
        &self.token
    }

    /// The token, DER: `ContentInfo` of RFC 3161 §2.4.2.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        self.token.der()
    }

    /// The time stated, since 1970 in UTC.
    #[must_use]
    pub const fn gen_time(&self) -> Duration {
        self.token.gen_time()
    }

    /// Who gave it: `own`, or the address that was asked.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }
}

/// Why there is no token. Displays its English sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// The authority grants none.
    Refused {
        /// Who was asked.
        source: String,
        /// Why, where it said so in a way known here.
        failure: Option<TimeStampFailure>,
    },
    /// The authority could not be asked, or gave no answer.
    Unreachable {
        /// Who was asked.
        source: String,
        /// What failed.
        reason: String,
    },
    /// What came back is no token that may be relied on.
    Untrusted {
        /// Who was asked.
        source: String,
        /// Why.
        error: TimeStampError,
    },
    /// The token's time is not this machine's.
    Time {
        /// Who was asked.
        source: String,
        /// How far the token's time lies from the moments between question and answer, in milliseconds; positive where
        /// later.
        off_ms: i64,
        /// How far it may.
        off_ms_max: u64,
    },
    /// No source gave one.
    NoSource {
        /// Why each did not, in the order of asking.
        failures: Vec<Self>,
    },
    /// The system gives no randomness, which a nonce needs.
    Random,
}

impl TokenError {
    /// Code and sentences.
    #[must_use]
    pub const fn reason(&self) -> &'static Reason {
        match self {
            Self::Refused { .. } => reasons::TOKEN_REFUSED,
            Self::Unreachable { .. } => reasons::TSA_UNREACHABLE,
            Self::Untrusted { .. } => reasons::TOKEN_UNTRUSTED,
            Self::Time { .. } => reasons::TOKEN_TIME,
            Self::NoSource { .. } => reasons::TOKEN_NO_SOURCE,
            Self::Random => reasons::TOKEN_RANDOM,
        }
    }

    /// The sentence in Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        self.fill(self.reason().zh, Self::zh, TimeStampError::text_zh)
    }

    /// The sentence in English.
    #[must_use]
    pub fn en(&self) -> String {
        self.fill(self.reason().en, Self::en, TimeStampError::to_string)
    }

    fn fill(
        &self,
        sentence: &str,
        own: impl Fn(&Self) -> String,
        pki: impl Fn(&TimeStampError) -> String,
    ) -> String {
        let facts: Vec<String> = match self {
            Self::Refused { source, failure } => {
                vec![source.clone(), failure.map_or("-", TimeStampFailure::name).to_owned()]
            }
            Self::Unreachable { source, reason } => vec![source.clone(), reason.clone()],
            Self::Untrusted { source, error } => {
                vec![source.clone(), error.code().to_owned(), pki(error)]
            }
            Self::Time { source, off_ms, off_ms_max } => {
                vec![source.clone(), format!("{off_ms:+}"), off_ms_max.to_string()]
            }
            Self::NoSource { failures } => {
                let each = |error: &Self| format!("{} {}", error.reason().code, own(error));
                vec![failures.iter().map(each).collect::<Vec<_>>().join(" ")]
            }
            Self::Random => Vec::new(),
        };
        let mut out = sentence.to_owned();
        for (index, fact) in facts.iter().enumerate() {
            out = out.replace(&format!("{{{index}}}"), fact);
        }
        out
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.en())
    }
}

impl std::error::Error for TokenError {}
