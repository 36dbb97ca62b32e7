//! Answering requests for time stamps (RFC 3161 §2.4) with the bounded clock's time.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use changbai_wire::time::Clock;
use smkit::{OsRandom, Random as _};
use smkit_pki::{
    Accuracy, Grant, SerialNumber, TimeStampAuthority, TimeStampFailure, TimeStampRequest,
    TimeStampResponse,
};

/// Keeps how many serial numbers have been handed out.
pub trait SerialStore: Send {
    /// Makes durable that every number below `end` may have been used.
    ///
    /// # Errors
    /// It is not durable; nothing is stamped then.
    fn keep(&mut self, end: u64) -> io::Result<()>;
}

/// A time-stamp authority at work: the time of its clock, the accuracy of the clock's bound, a serial number of its own
/// for each token.
pub struct TimeStamper {
    authority: TimeStampAuthority,
    clock: Arc<dyn Clock>,
    bound_required: bool,
    serials: Mutex<Serials>,
}

struct Serials {
    next: u64,
    /// Numbers below are durably marked as used.
    kept: u64,
    store: Box<dyn SerialStore>,
}

impl TimeStamper {
    /// Stamps as `authority`. `next` is the number that `store` kept last; with `bound_required` nothing is stamped
    /// while the clock has no bound, without it such tokens claim no accuracy.
    #[must_use]
    pub fn new(
        authority: TimeStampAuthority,
        clock: Arc<dyn Clock>,
        bound_required: bool,
        next: u64,
        store: Box<dyn SerialStore>,
    ) -> Self {
        let serials = Mutex::new(Serials { next, kept: next, store });
        Self { authority, clock, bound_required, serials }
    }

    /// The `TimeStampResp` for a `TimeStampReq`, both DER. What is not granted gets an unsigned failure.
    #[must_use]
    pub fn answer(&self, request: &[u8]) -> Vec<u8> {
        let request =
            TimeStampRequest::from_der(request).map_err(|_| TimeStampFailure::BadDataFormat);
        let response = request.and_then(|request| self.stamp(&request));
        response.map_or_else(TimeStampFailure::to_der, |response| response.der().to_vec())
    }

    /// Grants a token.
    ///
    /// # Errors
    /// The failure to answer with.
    pub fn stamp(&self, request: &TimeStampRequest) -> Result<TimeStampResponse, TimeStampFailure> {
        self.authority.check(request)?;
        let serial = self.serial().map_err(|error| {
            tracing::error!(%error, "time::serial_not_kept");
            TimeStampFailure::SystemFailure
        })?;
        let reading = self.clock.now();
        if self.bound_required && reading.bound_us.is_none() {
            return Err(TimeStampFailure::TimeNotAvailable);
        }
        let bound = reading.bound_us.map(|us| Duration::from_micros(us.into()));
        let gen_time = Duration::from_millis(reading.at.0);
        let grant = Grant { serial, gen_time, accuracy: bound.and_then(Accuracy::new) };
        self.authority.grant(request, grant).map_err(|error| {
            tracing::error!(%error, "time::stamp_failed");
            TimeStampFailure::SystemFailure
        })
    }

    /// 8 bytes count, so that no number comes twice; 8 are random, so that none comes twice either when an old backup
    /// has set the count back.
    fn serial(&self) -> io::Result<SerialNumber> {
        let mut random = [0; 8];
        OsRandom.fill(&mut random).map_err(io::Error::other)?;
        let count = self.serials.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let bytes = [count.to_be_bytes(), random].concat();
        SerialNumber::from_bytes(&bytes).ok_or_else(|| io::Error::other("a serial number of zero"))
    }
}

impl Serials {
    fn take(&mut self) -> io::Result<u64> {
        // The first bit stays 0 and the number above 0: a positive INTEGER whatever the random half is.
        let number = self.next.checked_add(1).filter(|number| *number < 1 << 62);
        let number = number.ok_or_else(|| io::Error::other("no serial numbers left"))?;
        if self.next >= self.kept {
            let kept = self.next.saturating_add(SERIALS_KEPT_AHEAD);
            self.store.keep(kept)?;
            self.kept = kept;
        }
        self.next = number;
        Ok(number)
    }
}

impl fmt::Debug for TimeStamper {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TimeStamper").field("authority", &self.authority).finish_non_exhaustive()
    }
}

/// Numbers marked as used with one write; so many are passed over at a start.
const SERIALS_KEPT_AHEAD: u64 = 1_024;
