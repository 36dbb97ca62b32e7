//! Several sources, tried in order.

use std::sync::{Arc, Mutex, PoisonError};

use smkit::Sm3Digest;

use super::{TimeToken, TokenError, TokenSource};

/// Sources in the order of preference: the first that gives a token has given it.
#[derive(Debug)]
pub struct TokenSources {
    sources: Vec<Arc<dyn TokenSource>>,
    status: Mutex<TokenStatus>,
}

/// How asking for tokens goes, for metrics and alarms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenStatus {
    /// Tokens given since the start.
    pub given: u64,
    /// Tokens of these that a source further back in the list gave.
    pub given_by_fallback: u64,
    /// Times that no source gave any, since the start.
    pub failed: u64,
    /// Why the last attempt failed, if it did.
    pub failing: Option<TokenError>,
    /// Who gave the last token.
    pub last_source: Option<String>,
}

impl TokenSources {
    /// Asks `sources` in their order.
    #[must_use]
    pub fn new(sources: Vec<Arc<dyn TokenSource>>) -> Self {
        Self { sources, status: Mutex::default() }
    }

    /// How it goes.
    #[must_use]
    pub fn status(&self) -> TokenStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, outcome: &Result<TimeToken, TokenError>, fallback: bool) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(token) => {
                status.given = status.given.saturating_add(1);
                let further = u64::from(fallback);
                status.given_by_fallback = status.given_by_fallback.saturating_add(further);
                status.failing = None;
                status.last_source = Some(token.source().to_owned());
            }
            Err(error) => {
                status.failed = status.failed.saturating_add(1);
                status.failing = Some(error.clone());
            }
        }
    }
}

impl TokenSource for TokenSources {
    fn token(&self, imprint: &Sm3Digest) -> Result<TimeToken, TokenError> {
        let mut failures = Vec::new();
        for source in &self.sources {
            match source.token(imprint) {
                Ok(token) => {
                    let outcome = Ok(token);
                    self.note(&outcome, !failures.is_empty());
                    return outcome;
                }
                Err(error) => {
                    tracing::warn!(code = error.reason().code, %error, "time::no_token");
                    failures.push(error);
                }
            }
        }
        let outcome = Err(TokenError::NoSource { failures });
        self.note(&outcome, false);
        outcome
    }
}
