//! Who may ask as a court, and how often.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use changbai_core::CaseSecret;
use smkit::sm3::Sm3Digest;

use crate::limits::COURT_REQUESTERS_MAX;

/// What the node's configuration says about courts.
#[derive(Debug)]
pub struct CourtAccess {
    /// Organisations of the channel whose certificates with the unit `court` may ask; none means that no court may.
    pub organisations: Vec<String>,
    /// Queries a minute for one certificate.
    pub queries_per_minute: u32,
    /// What salts of case numbers are derived from.
    pub secret: CaseSecret,
    asked: Mutex<Asked>,
}

/// Queries within one minute, by certificate.
#[derive(Debug, Default)]
struct Asked {
    minute: u64,
    by: HashMap<Sm3Digest, u32>,
}

impl CourtAccess {
    /// Access for courts of these organisations.
    #[must_use]
    pub fn new(organisations: Vec<String>, queries_per_minute: u32, secret: CaseSecret) -> Self {
        Self { organisations, queries_per_minute, secret, asked: Mutex::default() }
    }

    /// Whether an organisation is a court's.
    pub(crate) fn admits(&self, msp_id: &str) -> bool {
        self.organisations.iter().any(|admitted| admitted == msp_id)
    }

    /// Counts a query; the milliseconds to wait if there were too many.
    pub(crate) fn count(&self, requester: Sm3Digest, now_ms: u64) -> Result<(), u64> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now_ms / 60_000;
        if asked.minute != minute {
            *asked = Asked { minute, by: HashMap::new() };
        }
        let wait = 60_000_u64.saturating_sub(now_ms % 60_000);
        if asked.by.len() >= COURT_REQUESTERS_MAX && !asked.by.contains_key(&requester) {
            return Err(wait);
        }
        let count = asked.by.entry(requester).or_insert(0);
        if *count >= self.queries_per_minute {
            return Err(wait);
        }
        *count = count.saturating_add(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use smkit::sm3::sm3;

    use super::*;

    #[test]
    fn queries_are_counted_for_each_certificate_and_minute() {
        let access = CourtAccess::new(vec!["CourtMSP".to_owned()], 2, CaseSecret::new([0; 32]));
        let (one, two) = (sm3(b"one"), sm3(b"two"));
        assert_eq!(access.count(one, 600_000), Ok(()));
        assert_eq!(access.count(one, 601_000), Ok(()));
        assert_eq!(access.count(one, 602_000), Err(58_000));
        assert_eq!(access.count(two, 602_000), Ok(()));
        assert_eq!(access.count(one, 660_000), Ok(()));
        assert!(access.admits("CourtMSP") && !access.admits("OtherMSP"));
    }
}
