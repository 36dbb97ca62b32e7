//! Hands out serials: one above the ledger's last for the day, then counting.

use std::collections::BTreeMap;

use tokio::sync::Mutex;

use super::{EvidenceService, QueryError, SubmitError};
use crate::{
    contract,
    date::CivilDate,
    evidence_id::EvidenceId,
    limits::{SERIAL_DAYS_MAX, SERIAL_MAX},
};

/// The next serial of each recent day.
#[derive(Default)]
pub(super) struct Serials(Mutex<BTreeMap<CivilDate, u64>>);

impl EvidenceService {
    /// The next id of `date`, never handed out by this process before. With `reread`, the ledger is asked for its
    /// last serial again: another process of the same agency took ours.
    pub(super) async fn next_id(
        &self,
        date: CivilDate,
        reread: bool,
    ) -> Result<EvidenceId, SubmitError> {
        let mut days = self.serials.0.lock().await;
        let known = days.get(&date).copied();
        let next = match known {
            Some(next) if !reread => next,
            _ => self.last_serial(date).await?.map_or(1, |last| last + 1).max(known.unwrap_or(1)),
        };
        days.insert(date, next + 1);
        while days.len() > SERIAL_DAYS_MAX {
            days.pop_first();
        }
        drop(days);
        EvidenceId::compose(&self.agency.region, &self.agency.code, date, next)
            .map_err(|_| SubmitError::Clock)
    }

    async fn last_serial(&self, date: CivilDate) -> Result<Option<u64>, QueryError> {
        let args = [self.agency.region.clone(), self.agency.code.to_string(), date.to_string()];
        let args = args.map(String::into_bytes).to_vec();
        let answer = self.evaluate(contract::LAST_SERIAL, args).await?;
        if answer.is_empty() {
            return Ok(None);
        }
        let serial = std::str::from_utf8(&answer).ok().and_then(|text| text.parse().ok());
        match serial {
            Some(serial) if serial <= SERIAL_MAX => Ok(Some(serial)),
            _ => Err(QueryError::Malformed { what: "serial" }),
        }
    }
}
