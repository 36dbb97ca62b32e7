//! An answer of chronyd: never more lenient than the protocol, and a bound only for what follows a source.
#![no_main]

use changbai_time::{Policy, REPLY_BYTES, Standing, Tracking, UnixNanos, evaluate};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("chrony_reply"), |data: &[u8]| {
    // The sequence number is whatever the answer claims, so that the parser gets past it.
    let sequence = data.get(16..20).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes);
    let Ok(tracking) = Tracking::from_reply(data, sequence) else { return };
    assert_eq!(data.len(), REPLY_BYTES);
    assert!(Tracking::from_reply(data, sequence.wrapping_add(1)).is_err());
    assert!(!tracking.reference().is_empty());
    let policy = Policy::default();
    let now = UnixNanos(tracking.reference_time.0.saturating_add(1_000_000_000));
    if let Standing::Synchronised { bound_us } = evaluate(&tracking, &policy, now) {
        assert!(bound_us <= policy.bound_us_max && !tracking.is_local());
        assert!((1..=15).contains(&tracking.stratum) && tracking.leap_status < 3);
    }
});
