//! `[court]`: which courts may ask.

use serde::{Deserialize, Serialize};

use super::{ConfigError, list, wrong};

/// `[court]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CourtSettings {
    /// Organisations of the evidence channel whose certificates with the unit `court` may ask by case number; empty: no
    /// court may.
    pub organisations: Vec<String>,
    /// Queries a minute for one certificate.
    pub queries_per_minute: u32,
}

impl Default for CourtSettings {
    fn default() -> Self {
        Self { organisations: Vec::new(), queries_per_minute: 60 }
    }
}

impl CourtSettings {
    /// Sets one key from the environment; `None` if there is no such key.
    pub(super) fn set(&mut self, key: &str, value: &str) -> Option<Result<(), ConfigError>> {
        match key {
            "organisations" => self.organisations = list(value),
            "queries_per_minute" => match value.parse() {
                Ok(queries) => self.queries_per_minute = queries,
                Err(_) => return Some(Err(wrong("court.queries_per_minute", value, QUERIES_FORM))),
            },
            _ => return None,
        }
        Some(Ok(()))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let named = |name: &String| (1..=64).contains(&name.len());
        if self.organisations.len() > ORGANISATIONS_MAX || !self.organisations.iter().all(named) {
            let value = self.organisations.join(", ");
            return Err(wrong("court.organisations", &value, "at most 64 MSP ids"));
        }
        if !(1..=QUERIES_MAX).contains(&self.queries_per_minute) {
            let value = self.queries_per_minute.to_string();
            return Err(wrong("court.queries_per_minute", &value, QUERIES_FORM));
        }
        Ok(())
    }
}

const ORGANISATIONS_MAX: usize = 64;
const QUERIES_MAX: u32 = 6_000;
const QUERIES_FORM: &str = "1 to 6000 queries";
