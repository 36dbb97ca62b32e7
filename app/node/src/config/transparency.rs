//! `[transparency]`

use std::time::Duration;

use changbai_merkle::{Signed, VerifierKey};
use serde::{Deserialize, Serialize};

use super::{ConfigError, wrong};

/// `[transparency]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TransparencySettings {
    /// How often a checkpoint is issued where nobody asked for one, in milliseconds: 1,000 to a day.
    pub interval_ms: u64,
    /// Who is asked for cosignatures, at most 16.
    pub witnesses: Vec<WitnessSettings>,
}

/// One entry of `transparency.witnesses`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessSettings {
    /// Its name, as in its key.
    pub name: String,
    /// `http://HOST:PORT[/PREFIX]` or `gmtls://HOST:PORT[/PREFIX]`.
    pub url: String,
    /// What `changbai witness key` prints.
    pub key: String,
}

/// A witness to ask.
#[derive(Debug, Clone)]
pub struct WitnessPeer {
    /// Where it answers.
    pub url: String,
    /// Its key.
    pub key: VerifierKey,
}

impl Default for TransparencySettings {
    fn default() -> Self {
        Self { interval_ms: 60_000, witnesses: Vec::new() }
    }
}

impl TransparencySettings {
    /// How often a checkpoint is issued by itself.
    pub(crate) const fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms)
    }

    pub(super) fn check(&self) -> Result<Vec<WitnessPeer>, ConfigError> {
        if !(1_000..=DAY_MS).contains(&self.interval_ms) {
            return Err(wrong(INTERVAL, &self.interval_ms.to_string(), INTERVAL_FORM));
        }
        if self.witnesses.len() > WITNESSES_MAX {
            return Err(wrong(WITNESSES, &self.witnesses.len().to_string(), "at most 16"));
        }
        let mut peers: Vec<WitnessPeer> = Vec::new();
        for witness in &self.witnesses {
            let key = VerifierKey::from_text(&witness.key).ok();
            let key = key.filter(|key| key.signed() == Signed::Cosigned);
            let key = key.ok_or_else(|| wrong(WITNESSES, &witness.key, KEY_FORM))?;
            if key.name() != witness.name {
                return Err(wrong(WITNESSES, &witness.name, "the name in its key"));
            }
            if peers.iter().any(|peer| peer.key.name() == key.name()) {
                return Err(wrong(WITNESSES, &witness.name, "each witness once"));
            }
            peers.push(WitnessPeer { url: witness.url.clone(), key });
        }
        Ok(peers)
    }
}

pub(super) fn interval(value: &str) -> Result<u64, ConfigError> {
    value.parse().map_err(|_| wrong(INTERVAL, value, INTERVAL_FORM))
}

const DAY_MS: u64 = 86_400_000;
const WITNESSES_MAX: usize = 16;
const INTERVAL: &str = "transparency.interval_ms";
const INTERVAL_FORM: &str = "1000 to 86400000 milliseconds";
const WITNESSES: &str = "transparency.witnesses";
const KEY_FORM: &str = "the key of a witness, as changbai witness key prints it";
