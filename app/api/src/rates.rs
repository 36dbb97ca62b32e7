//! How often one address may ask for what costs the node something and is open to everybody.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use crate::limits::{RATE_ADDRESSES_MAX, RATE_BURST};
use crate::problem::{Code, Problem};

/// A bounded table of addresses (GCRA): for each the time at which it would be even again. An IPv6 client owns its whole
/// /64, so that counts as one.
#[derive(Debug)]
pub(crate) struct Rates {
    interval_ms: u64,
    even_at_ms: Mutex<HashMap<IpAddr, u64>>,
}

impl Rates {
    pub(crate) fn per_minute(requests: u32) -> Self {
        let interval_ms = 60_000 / u64::from(requests.max(1));
        Self { interval_ms: interval_ms.max(1), even_at_ms: Mutex::default() }
    }

    /// Counts one request, or refuses it with the time to wait.
    pub(crate) fn admit(&self, address: IpAddr, now_ms: u64) -> Result<(), Problem> {
        let tolerance_ms = self.interval_ms.saturating_mul(RATE_BURST);
        let mut table = self.even_at_ms.lock().unwrap_or_else(PoisonError::into_inner);
        let key = one_client(address);
        if table.len() >= RATE_ADDRESSES_MAX && !table.contains_key(&key) {
            table.retain(|_, even_at_ms| *even_at_ms > now_ms);
            if table.len() >= RATE_ADDRESSES_MAX {
                return Err(Problem::new(Code::Busy));
            }
        }
        let even_at_ms = table.entry(key).or_insert(now_ms);
        // A clock that went back far must not lock anybody out.
        let ahead_ms = even_at_ms.saturating_sub(now_ms).min(tolerance_ms + self.interval_ms);
        if ahead_ms > tolerance_ms {
            return Err(Problem::new(Code::Busy).retry_after_ms(ahead_ms - tolerance_ms));
        }
        *even_at_ms = now_ms.saturating_add(ahead_ms).saturating_add(self.interval_ms);
        Ok(())
    }
}

fn one_client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let network = u128::from(v6) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let rates = Rates::per_minute(60);
        let admitted = (0..500).filter(|_| rates.admit(address("192.0.2.1"), 7).is_ok()).count();
        assert_eq!(admitted as u64, RATE_BURST + 1);
        assert!(rates.admit(address("192.0.2.2"), 7).is_ok(), "each address for itself");
        assert!(rates.admit(address("192.0.2.1"), 1_007).is_ok());
        assert!(rates.admit(address("192.0.2.1"), 1_007).is_err());
        // A clock that went back by a day does not lock anybody out for a day.
        let rates = Rates::per_minute(60);
        assert!(rates.admit(address("192.0.2.1"), 86_400_000).is_ok());
        assert!((0..600).any(|second| rates.admit(address("192.0.2.1"), second * 1_000).is_ok()));
    }

    #[test]
    fn one_ipv6_network_is_one_client() {
        let rates = Rates::per_minute(1);
        let ask = |n: u64| rates.admit(address(&format!("2001:db8::{n:x}")), 0).is_ok();
        assert_eq!((1..200).filter(|n| ask(*n)).count() as u64, RATE_BURST + 1);
        assert!(rates.admit(address("2001:db8:1::1"), 0).is_ok());
    }

    #[test]
    fn the_table_is_bounded() {
        let rates = Rates::per_minute(60);
        for n in 0..RATE_ADDRESSES_MAX as u32 {
            assert!(rates.admit(IpAddr::V4(n.into()), 0).is_ok());
        }
        assert!(rates.admit(address("203.0.113.9"), 0).is_err());
        assert!(rates.admit(address("203.0.113.9"), 2_000).is_ok(), "those at rest are forgotten");
    }
}
