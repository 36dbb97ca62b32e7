//! `[time]`

use std::path::PathBuf;

use changbai_api::time_stamp_client::{TsaUrl, TsaUrlError};
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
    /// Whom this node asks for time-stamp tokens, in this order: `own`, or addresses of authorities, see [`TsaUrl`].
    /// Empty for its own authority, if it is one.
    pub tsa: Vec<String>,
    /// File with the roots (PEM) that tokens of external authorities must lead to; relative to the configuration file.
    pub tsa_trust: PathBuf,
    /// File with the roots of the connections to them (`gmtls`, `tlcp`); empty for the roots above.
    pub tsa_tls_trust: PathBuf,
    /// Policy to ask external authorities for, in dotted form; empty for whichever they stamp under.
    pub tsa_asked_policy: String,
}

/// One whom tokens are asked of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tsa {
    /// The node's own authority.
    Own,
    /// Another's.
    External(TsaUrl),
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
            tsa: Vec::new(),
            tsa_trust: PathBuf::new(),
            tsa_tls_trust: PathBuf::new(),
            tsa_asked_policy: String::new(),
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

    /// Whom to ask for tokens.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Value`].
    pub fn authorities(&self) -> Result<Vec<Tsa>, ConfigError> {
        if self.tsa.len() > AUTHORITIES_MAX {
            return Err(wrong(TSA, &self.tsa.join(", "), "at most 8 authorities"));
        }
        let read = |text: &String| match text.as_str() {
            "own" => Ok(Tsa::Own),
            other => other.parse().map(Tsa::External).map_err(|error| {
                let reason = if error == TsaUrlError::Https { HTTPS } else { TSA_FORM };
                wrong(TSA, text, reason)
            }),
        };
        let authorities = self.tsa.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let external = authorities.iter().any(|one| matches!(one, Tsa::External(_)));
        if external && self.tsa_trust.as_os_str().is_empty() {
            return Err(wrong("time.tsa_trust", "", TSA_TRUST));
        }
        Ok(authorities)
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
        self.authorities()?;
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
const AUTHORITIES_MAX: usize = 8;
const TSA: &str = "time.tsa";
const TSA_FORM: &str = "own, or an address such as http://HOST:PORT/tsa, gmtls://… or tlcp://…";
const HTTPS: &str = "https would need other algorithms than the national ones, which a node does not have; \
                     a token is protected by its own signature: use http, gmtls or tlcp";
const TSA_TRUST: &str = "external time-stamp authorities need a file with their roots";
const SOURCE: &str = "time.source";
const CHRONY: &str = "time.chrony";
const BOUND: &str = "time.bound_ms_max";
const BOUND_FORM: &str = "1 to 10 milliseconds";
const CHRONY_FORM: &str =
    "a loopback address and port such as 127.0.0.1:323, or the path of chronyd's Unix socket";
const PRODUCTION: &str = "with time.production the clock must be bounded: source = \"chrony\"";
