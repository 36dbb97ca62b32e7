//! Asking another's time-stamp authority, and believing its answer only after every check.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use changbai_wire::time::{Clock, TimeReading};
use smkit::Sm3Digest;
use smkit_pki::{
    Certificate, TimeStampError, TimeStampFailure, TimeStampRequest, TimeStampResponse,
    TimeStampToken, Validator,
};

use super::own::query;
use super::{TimeToken, TokenError, TokenSource};
use crate::limits::{
    CLOCK_UNBOUNDED_ALLOWANCE, GEN_TIME_GRAIN, TSA_ACCURACY_MAX, TSA_ATTEMPTS_MAX, TSA_PAUSE,
};

/// Carries one query to one authority (RFC 3161 §3.4: HTTP).
pub trait QueryTransport: Send + Sync + fmt::Debug {
    /// Sends a DER `TimeStampReq` (`application/timestamp-query`), gives the body of the answer
    /// (`application/timestamp-reply`). Blocks; what it waits for and holds is bounded.
    ///
    /// # Errors
    /// No answer of that type.
    fn post(&self, query: &[u8]) -> Result<Vec<u8>, TransportError>;
}

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct TransportError {
    /// What failed, in English.
    pub reason: String,
    /// Whether the same question may have an answer later: no connection, a time-out, an overload.
    pub again: bool,
}

/// How often, and how patiently, one authority is asked for one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Questions at most, at least one.
    pub attempts: u32,
    /// Pause after the first; it doubles.
    pub pause: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: TSA_ATTEMPTS_MAX, pause: TSA_PAUSE }
    }
}

/// The client of one external authority.
///
/// An answer counts when it was granted, is over the digest sent, under the nonce and the policy sent, signed by a
/// certificate that it names by SM3 and that is for time stamps alone, which leads to one of the validator's roots, and
/// states a time that can be this machine's at a moment between question and answer.
pub struct TsaClient {
    name: String,
    transport: Box<dyn QueryTransport>,
    validator: Validator,
    known: Vec<Certificate>,
    policy: Option<String>,
    clock: Arc<dyn Clock>,
    retry: Retry,
}

impl TsaClient {
    /// Asks the authority called `name` (its address) through `transport`; `validator` holds the roots of
    /// authorities, `clock` is what their time is compared with.
    #[must_use]
    pub fn new(
        name: String,
        transport: Box<dyn QueryTransport>,
        validator: Validator,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (known, policy, retry) = (Vec::new(), None, Retry::default());
        Self { name, transport, validator, known, policy, clock, retry }
    }

    /// Asks for tokens under this policy, in dotted form, and takes no other.
    #[must_use]
    pub fn with_policy(self, policy: Option<String>) -> Self {
        Self { policy, ..self }
    }

    /// Certificates between the authority's and the roots, for tokens that do not bring them along.
    #[must_use]
    pub fn with_known(self, known: Vec<Certificate>) -> Self {
        Self { known, ..self }
    }

    /// How often to ask.
    #[must_use]
    pub fn with_retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn ask(&self, imprint: &Sm3Digest) -> Result<TimeToken, Failed> {
        // A nonce of its own for each attempt: a late answer to an earlier one must not pass for this one's.
        let query = query(imprint, self.policy.as_deref()).map_err(Failed::finally)?;
        let before = self.clock.now();
        let answer = self.transport.post(query.der()).map_err(|error| Failed {
            again: error.again,
            error: TokenError::Unreachable { source: self.name.clone(), reason: error.reason },
        })?;
        let after = self.clock.now();
        let token = self.check(&query, &answer)?;
        self.check_time(&token, before, after).map_err(Failed::finally)?;
        Ok(TimeToken::new(token, self.name.clone()))
    }

    fn check(&self, query: &TimeStampRequest, answer: &[u8]) -> Result<TimeStampToken, Failed> {
        let untrusted =
            |error| Failed::finally(TokenError::Untrusted { source: self.name.clone(), error });
        let response = TimeStampResponse::from_der(answer).map_err(|error| match error {
            TimeStampError::Refused { failure } => Failed {
                again: matches!(
                    failure,
                    Some(TimeStampFailure::TimeNotAvailable | TimeStampFailure::SystemFailure)
                ),
                error: TokenError::Refused { source: self.name.clone(), failure },
            },
            other => untrusted(other),
        })?;
        let token = response.token();
        token.verify_for(query, &self.validator, &self.known).map_err(untrusted)?;
        Ok(token.clone())
    }

    /// The stated time must lie between question and answer, give or take what either clock may be off by.
    fn check_time(
        &self,
        token: &TimeStampToken,
        before: TimeReading,
        after: TimeReading,
    ) -> Result<(), TokenError> {
        let bound = |reading: TimeReading| {
            let bound = reading.bound_us.map(|us| Duration::from_micros(us.into()));
            bound.unwrap_or(CLOCK_UNBOUNDED_ALLOWANCE)
        };
        let stated = token.accuracy().map_or(Duration::ZERO, |accuracy| accuracy.bound());
        // An authority that claims to be off by a day proves no time, and must not widen what is accepted of it.
        let allowed = bound(before).max(bound(after)) + stated.min(TSA_ACCURACY_MAX);
        let allowed = allowed + GEN_TIME_GRAIN;
        let (time, allowed_ms) = (millis(token.gen_time()), millis(allowed));
        let (from, to) = (signed(before.at.0), signed(after.at.0.max(before.at.0)));
        let off_ms = if time < from { time - from } else { (time - to).max(0) };
        if off_ms.unsigned_abs() > allowed_ms.unsigned_abs() {
            let off_ms_max = allowed_ms.unsigned_abs();
            return Err(TokenError::Time { source: self.name.clone(), off_ms, off_ms_max });
        }
        Ok(())
    }
}

impl TokenSource for TsaClient {
    fn token(&self, imprint: &Sm3Digest) -> Result<TimeToken, TokenError> {
        let mut pause = self.retry.pause;
        let mut left = self.retry.attempts.max(1);
        loop {
            left -= 1;
            match self.ask(imprint) {
                Ok(token) => return Ok(token),
                Err(Failed { again: true, .. }) if left > 0 => {
                    std::thread::sleep(pause);
                    pause = pause.saturating_mul(2);
                }
                Err(Failed { error, .. }) => return Err(error),
            }
        }
    }
}

impl fmt::Debug for TsaClient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TsaClient").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A failure, and whether asking again may help.
struct Failed {
    error: TokenError,
    again: bool,
}

impl Failed {
    const fn finally(error: TokenError) -> Self {
        Self { error, again: false }
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}
