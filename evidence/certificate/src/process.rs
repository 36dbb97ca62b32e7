//! The process log (全程留痕) as a certificate prints it.

use changbai_core::canonical;
use serde::{Deserialize, Serialize};
use smkit::Sm3Digest;

use crate::{
    issuer::{IssuerError, printable},
    limits::PROCESS_STEPS_MAX,
};

/// The digest of a record's process log and its steps, as whoever keeps the log gives them. The certificate prints them
/// as the platform's statement: the log itself (`process.json` of a bundle) is what proves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessLog {
    digest: String,
    steps: Vec<ProcessStep>,
}

/// One step: 受理, 校验, 签名, 时间戳, 上链, 出证 …
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessStep {
    /// Who did it, in words; no personal data.
    pub actor: String,
    /// When, Unix milliseconds.
    pub at_ms: u64,
    /// What, in Chinese.
    pub name: String,
}

impl ProcessLog {
    /// A log whose last entry has this digest.
    ///
    /// # Errors
    /// [`IssuerError`] for no steps, more than [`PROCESS_STEPS_MAX`], or one that cannot be printed.
    pub fn new(digest: &Sm3Digest, steps: Vec<ProcessStep>) -> Result<Self, IssuerError> {
        let log = Self { digest: digest.to_string(), steps };
        log.check()?;
        Ok(log)
    }

    pub(crate) fn check(&self) -> Result<(), IssuerError> {
        let wrong = |expected| Err(IssuerError { setting: "process_log", expected });
        if canonical::digest(&self.digest).is_none() {
            return wrong("64 lower-case hexadecimal digits");
        }
        if self.steps.is_empty() || self.steps.len() > PROCESS_STEPS_MAX {
            return wrong("1 to 64 steps");
        }
        for step in &self.steps {
            printable("process_log", &step.name)?;
            printable("process_log", &step.actor)?;
        }
        Ok(())
    }

    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    pub(crate) fn steps(&self) -> &[ProcessStep] {
        &self.steps
    }
}
