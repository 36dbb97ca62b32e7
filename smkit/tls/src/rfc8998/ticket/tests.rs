use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use rustls::{pki_types::UnixTime, server::ProducesTickets, time_provider::TimeProvider};

use super::Ticketer;

#[derive(Debug)]
struct Time(AtomicU64);

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = self.0.load(Ordering::Relaxed);
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))
    }
}

fn at(seconds: u64) -> (Arc<Time>, Arc<Ticketer>) {
    let time = Arc::new(Time(seconds.into()));
    (Arc::clone(&time), Ticketer::new(100, time).unwrap())
}

#[test]
fn a_ticket_opens_to_what_was_sealed() {
    let (_, ticketer) = at(0);
    for state in [b"".as_slice(), b"state", &[7; 3000]] {
        let ticket = ticketer.encrypt(state).unwrap();
        assert_eq!(ticketer.decrypt(&ticket).unwrap(), state);
        assert_ne!(ticketer.encrypt(state).unwrap(), ticket, "no nonce twice");
    }
}

#[test]
fn any_flipped_bit_and_any_cut_is_refused() {
    let (_, ticketer) = at(0);
    let ticket = ticketer.encrypt(b"state").unwrap();
    for bit in 0..ticket.len() * 8 {
        let mut changed = ticket.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(ticketer.decrypt(&changed), None, "bit {bit}");
    }
    for cut in 0..ticket.len() {
        assert_eq!(ticketer.decrypt(&ticket[..cut]), None, "{cut} bytes");
    }
}

#[test]
fn a_key_seals_for_one_lifetime_and_opens_for_two() {
    let (time, ticketer) = at(1000);
    let ticket = ticketer.encrypt(b"state").unwrap();
    time.0.store(1199, Ordering::Relaxed);
    assert!(ticketer.decrypt(&ticket).is_some());
    // The rotation came late, at 1199: its key is current until 1299.
    let later = ticketer.encrypt(b"state").unwrap();
    assert_ne!(later[..16], ticket[..16], "another key");
    time.0.store(1299, Ordering::Relaxed);
    assert!(ticketer.decrypt(&ticket).is_none());
    assert!(ticketer.decrypt(&later).is_some());
}

#[test]
fn a_long_silence_drops_both_keys() {
    let (time, ticketer) = at(1000);
    let ticket = ticketer.encrypt(b"state").unwrap();
    time.0.store(1200, Ordering::Relaxed);
    assert!(ticketer.decrypt(&ticket).is_none());
}

#[test]
fn another_ticketer_and_absurd_lifetimes() {
    let (_, one) = at(0);
    let (time, other) = at(0);
    assert_eq!(other.decrypt(&one.encrypt(b"state").unwrap()), None);
    let long = Ticketer::new(u32::MAX, Arc::clone(&time) as _).unwrap();
    assert_eq!(long.lifetime(), Ticketer::LIFETIME_SECONDS_MAX);
    assert_eq!(Ticketer::new(0, time).unwrap().lifetime(), 1);
    assert!(!format!("{one:?}").contains("key"));
}
