//! How often strangers may ask: a rate for each address, and one for all together.
//!
//! Buckets by arrival time (GCRA): one number each, no locks. The table of addresses has a fixed size; an address has
//! its place by a hash under a key of this process, so that nobody can choose to share another's place. Two that do
//! share one by chance share its rate.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::problem::{Code, Problem};

/// A rate with room for a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second, on average; at least one.
    pub per_second: u32,
    /// Requests at once after a silence; at least one.
    pub burst: u32,
}

/// Admits requests of an open service by its rates.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    started: Instant,
    key: RandomState,
    client: Rate,
    all: Rate,
    everybody: Bucket,
    clients: Box<[Bucket]>,
}

impl RateLimiter {
    /// `client` for each address, `all` for everybody together.
    pub(crate) fn new(client: Rate, all: Rate) -> Self {
        let clients = (0..PLACES).map(|_| Bucket::default()).collect();
        let (key, everybody) = (RandomState::new(), Bucket::default());
        Self { started: Instant::now(), key, client, all, everybody, clients }
    }

    /// Admits one request of this address.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn admit(&self, client: IpAddr) -> Result<(), Duration> {
        let now_ns = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        // Who asks too often must not use up what is there for all.
        self.place(client).admit(self.client, now_ns)?;
        self.everybody.admit(self.all, now_ns)
    }

    /// A household or a server has at least 64 bits of IPv6 to itself (RFC 6177 §2).
    fn place(&self, client: IpAddr) -> &Bucket {
        let network = match client.to_canonical() {
            IpAddr::V4(address) => u64::from(u32::from(address)),
            IpAddr::V6(address) => u64::try_from(u128::from(address) >> 64).unwrap_or(u64::MAX),
        };
        let places = u64::try_from(self.clients.len()).unwrap_or(1).max(1);
        let index = usize::try_from(self.key.hash_one(network) % places).unwrap_or(0);
        self.clients.get(index).unwrap_or(&self.everybody)
    }
}

/// The answer to a request that comes too early.
pub(crate) fn busy_for(wait: Duration) -> Problem {
    let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    Problem::new(Code::Busy).retry_after_ms(milliseconds)
}

/// When the bucket is empty again, in nanoseconds.
#[derive(Debug, Default)]
struct Bucket(AtomicU64);

impl Bucket {
    fn admit(&self, rate: Rate, now_ns: u64) -> Result<(), Duration> {
        let each_ns = NANOS.div_ceil(u64::from(rate.per_second.max(1)));
        let room_ns = each_ns.saturating_mul(u64::from(rate.burst.max(1)));
        let mut filled = self.0.load(Ordering::Relaxed);
        loop {
            let next = filled.max(now_ns).saturating_add(each_ns);
            let ahead_ns = next.saturating_sub(now_ns);
            if ahead_ns > room_ns {
                return Err(Duration::from_nanos(ahead_ns - room_ns));
            }
            match self.0.compare_exchange_weak(filled, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(other) => filled = other,
            }
        }
    }
}

const NANOS: u64 = 1_000_000_000;
/// 64 KiB of numbers.
const PLACES: usize = 1 << 13;

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn each_address_has_a_rate_and_a_burst() {
        let client = Rate { per_second: 10, burst: 3 };
        let limiter = RateLimiter::new(client, Rate { per_second: 1_000, burst: 1_000 });
        for _ in 0..3 {
            assert_eq!(limiter.admit(ip("10.0.0.1")), Ok(()));
        }
        let wait = limiter.admit(ip("10.0.0.1")).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100));
        // The same address, written otherwise; another one is not concerned.
        assert!(limiter.admit(ip("::ffff:10.0.0.1")).is_err());
        assert_eq!(limiter.admit(ip("10.0.0.2")), Ok(()));
        tokio::time::advance(wait).await;
        assert_eq!(limiter.admit(ip("10.0.0.1")), Ok(()));
        assert!(limiter.admit(ip("10.0.0.1")).is_err());
        // A whole network of IPv6 is one client.
        for last in ["1", "2", "3"] {
            assert_eq!(limiter.admit(ip(&format!("fd00::{last}"))), Ok(()));
        }
        assert!(limiter.admit(ip("fd00::4")).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn all_together_have_one_as_well() {
        let all = Rate { per_second: 5, burst: 2 };
        let limiter = RateLimiter::new(Rate { per_second: 5, burst: 5 }, all);
        assert_eq!(limiter.admit(ip("10.0.0.1")), Ok(()));
        assert_eq!(limiter.admit(ip("10.0.0.2")), Ok(()));
        assert_eq!(limiter.admit(ip("10.0.0.3")), Err(Duration::from_millis(200)));
        // A long silence gives no more than the burst.
        tokio::time::advance(Duration::from_secs(3_600)).await;
        assert_eq!(limiter.admit(ip("10.0.0.3")), Ok(()));
        assert_eq!(limiter.admit(ip("10.0.0.4")), Ok(()));
        assert!(limiter.admit(ip("10.0.0.5")).is_err());
    }
}
