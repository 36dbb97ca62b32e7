//! `[time]`

use changbai_time::{ChronyAddress, Policy};
use serde::{Deserialize, Serialize};

use super::{ConfigError, wrong};

/// `[time]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeSettings {
    /// Where the bound of the clock's error comes from.
    pub source: TimeSource,
    /// Where chronyd answers: a loopback address and port, or the path of its Unix socket.
    pub chrony: String,
    /// Largest bound in milliseconds, at most 10: above it submissions are refused.
    pub bound_ms_max: u32,
    /// Refuses to start with a source that bounds nothing.
    pub production: bool,
    /// Policy of the node's time-stamp authority, an object identifier in dotted form that the agency has registered.
    /// Without one, development stamps under an example (RFC 5612), and production does not stamp.
    pub tsa_policy: String,
}

/// Where the bound of the clock's error comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum TimeSource {
    /// From nowhere: for development. Every record says so.
    #[default]
    Local,
    /// From chronyd; without a bound nothing is recorded.
    Chrony,
}

/// Whom to ask, and what to accept.
#[derive(Debug, Clone)]
pub struct Chronyd {
    /// Where it answers.
    pub address: ChronyAddress,
    /// What is accepted of the clock.
    pub policy: Policy,
}

impl Default for TimeSettings {
    fn default() -> Self {
        Self {
            source: TimeSource::default(),
            chrony: ChronyAddress::default().to_string(),
            bound_ms_max: BOUND_MS_MAX,
            production: false,
            tsa_policy: String::new(),
        }
    }
}

impl TimeSettings {
    /// Where chronyd answers and what is accepted of it, whatever the source is.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Value`].
    pub fn chronyd(&self) -> Result<Chronyd, ConfigError> {
        let address = self.chrony.parse().map_err(|_| wrong(CHRONY, &self.chrony, CHRONY_FORM))?;
        if !(1..=BOUND_MS_MAX).contains(&self.bound_ms_max) {
            return Err(wrong(BOUND, &self.bound_ms_max.to_string(), BOUND_FORM));
        }
        let bound_us_max = self.bound_ms_max.saturating_mul(1_000);
        let policy = Policy { bound_us_max, ..Policy::default() };
        Ok(Chronyd { address, policy })
    }

    /// What a start says of a policy that is none.
    pub(crate) fn wrong_policy(&self) -> ConfigError {
        wrong("time.tsa_policy", &self.tsa_policy, "an object identifier such as 1.2.156.1")
    }

    /// The policy to stamp under, if any.
    pub(crate) fn policy(&self) -> Option<&str> {
        match self.tsa_policy.as_str() {
            "" if self.production => None,
            "" => Some(EXAMPLE_POLICY),
            policy => Some(policy),
        }
    }

    pub(super) fn check(&self) -> Result<Option<Chronyd>, ConfigError> {
        let chronyd = self.chronyd()?;
        match self.source {
            TimeSource::Local if self.production => Err(wrong(SOURCE, "local", PRODUCTION)),
            TimeSource::Local => Ok(None),
            TimeSource::Chrony => Ok(Some(chronyd)),
        }
    }
}

pub(super) fn source(value: &str) -> Result<TimeSource, ConfigError> {
    match value {
        "local" => Ok(TimeSource::Local),
        "chrony" => Ok(TimeSource::Chrony),
        _ => Err(wrong(SOURCE, value, "local or chrony")),
    }
}

pub(super) fn milliseconds(value: &str) -> Result<u32, ConfigError> {
    value.parse().map_err(|_| wrong(BOUND, value, BOUND_FORM))
}

/// What a time stamp in evidence may be off by.
const BOUND_MS_MAX: u32 = 10;
/// Below the enterprise number for documentation (RFC 5612).
const EXAMPLE_POLICY: &str = "1.3.6.1.4.1.32473.3161";
const SOURCE: &str = "time.source";
const CHRONY: &str = "time.chrony";
const BOUND: &str = "time.bound_ms_max";
const BOUND_FORM: &str = "1 to 10 milliseconds";
const CHRONY_FORM: &str =
    "a loopback address and port such as 127.0.0.1:323, or the path of chronyd's Unix socket";
const PRODUCTION: &str = "with time.production the clock must be bounded: source = \"chrony\"";
