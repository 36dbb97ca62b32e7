//! What `GET /api/v1/health` says: results of the self-tests, never constants.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use changbai_api::health::{
    ChainHealth, CryptoHealth, Health, HealthSource, HealthStatus, StoreHealth, TimeHealth,
    TlsHealth,
};
use changbai_core::{CivilDate, LedgerClient};
use changbai_wire::time::{Clock, UnixMillis};
use smkit::selftest::SelfTest;

use crate::renewal::RenewalStatus;
use crate::time::NodeTime;

/// The node's health, asked afresh each time.
pub(crate) struct NodeHealth {
    ledger: Arc<dyn LedgerClient>,
    clock: Arc<dyn Clock>,
    time: NodeTime,
    filing_number: Option<String>,
    started: UnixMillis,
    tested: Mutex<SelfTest>,
    tested_at: AtomicU64,
    tls: Arc<RenewalStatus>,
}

impl NodeHealth {
    pub(crate) fn new(
        ledger: Arc<dyn LedgerClient>,
        time: NodeTime,
        filing_number: Option<String>,
        tested: SelfTest,
        tls: Arc<RenewalStatus>,
    ) -> Self {
        let clock = time.clock();
        let started = clock.now().at;
        Self {
            ledger,
            clock,
            time,
            filing_number,
            started,
            tested: Mutex::new(tested),
            tested_at: AtomicU64::new(started.0),
            tls,
        }
    }

    fn crypto(&self, selftest: bool) -> (bool, CryptoHealth) {
        let mut tested = self.tested.lock().unwrap_or_else(PoisonError::into_inner);
        if selftest {
            *tested = smkit::selftest::run();
            self.tested_at.store(self.clock.now().at.0, Ordering::Relaxed);
        }
        let at = self.tested_at.load(Ordering::Relaxed);
        let health = CryptoHealth {
            sm2_enabled: tested.sm2,
            sm3_enabled: tested.sm3,
            sm4_enabled: tested.sm4,
            selftest_at_ms: at,
            selftest_at: utc_text(UnixMillis(at)),
        };
        (tested.all(), health)
    }
}

impl HealthSource for NodeHealth {
    fn health(&self, selftest: bool) -> Health {
        let (crypto_works, crypto) = self.crypto(selftest);
        let ledger = self.ledger.status();
        let reading = self.clock.now();
        let (bound_us, now_s) = (reading.bound_us, reading.at.seconds());
        let refused = self.time.refused();
        let status = if !crypto_works || ledger.halted.is_some() {
            HealthStatus::Failed
        } else if self.tls.is_alarming(now_s) || refused.is_some() {
            HealthStatus::Degraded
        } else {
            HealthStatus::Ok
        };
        let state = if ledger.halted.is_some() { "halted" } else { "ok" };
        Health {
            status,
            filing_number: self.filing_number.clone(),
            crypto,
            time: TimeHealth {
                synchronised: bound_us.is_some(),
                bound_ms: bound_us.map(|us| us.div_ceil(1_000)),
                source: self.time.source().to_owned(),
                reference: self.time.reference(),
                refusal: refused.as_ref().map(|refusal| refusal.reason().code.to_owned()),
                reason: refused.as_ref().map(ToString::to_string),
            },
            store: StoreHealth { state: state.to_owned(), detail: ledger.halted.clone() },
            chain: ChainHealth {
                channel: ledger.channel,
                height: ledger.height,
                halted: ledger.halted,
            },
            tls: TlsHealth {
                certificate_not_after: self.tls.not_after(),
                certificate_seconds_left: self.tls.not_after().saturating_sub(now_s),
                renewals: self.tls.renewed(),
                renewal_failures: self.tls.failed(),
            },
            started_at_ms: self.started.0,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// RFC 3339 in UTC, whole seconds.
pub(crate) fn utc_text(at: UnixMillis) -> String {
    const CHINA_MS: u64 = 8 * 3_600_000;
    let Ok(date) = CivilDate::in_china(UnixMillis(at.0.saturating_sub(CHINA_MS))) else {
        return String::new();
    };
    let second = at.0 / 1_000 % 86_400;
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        date.year(),
        date.month(),
        date.day(),
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::{UnixMillis, utc_text};

    #[test]
    fn a_moment_is_written_in_utc() {
        assert_eq!(utc_text(UnixMillis(1_795_406_400_999)), "2026-11-23T04:00:00Z");
        assert_eq!(utc_text(UnixMillis(28_800_000)), "1970-01-01T08:00:00Z");
    }
}
