use super::*;
use crate::chrony::ChronyFloat;

const NOW: UnixNanos = UnixNanos(1_795_000_000_000_000_000);

/// A clock that is 1 ms off at most, measured 10 s ago.
fn good() -> Tracking {
    Tracking {
        reference_id: 0xcb00_710f,
        stratum: 2,
        reference_time: UnixNanos(NOW.0 - 10_000_000_000),
        system_offset: ChronyFloat::from_nanos(-250_000),
        root_dispersion: ChronyFloat::from_nanos(250_000),
        root_delay: ChronyFloat::from_nanos(1_000_000),
        ..Tracking::default()
    }
}

fn judged(tracking: Tracking) -> Standing {
    evaluate(&tracking, &Policy::default(), NOW)
}

fn refused(tracking: Tracking) -> Refusal {
    judged(tracking).refusal().cloned().unwrap()
}

#[test]
fn the_bound_is_the_sum_and_the_resolution() {
    let bound_us = judged(good()).bound_us().unwrap();
    assert!((2_000..=2_003).contains(&bound_us), "{bound_us}");
}

#[test]
fn each_defect_has_its_reason() {
    let local = Tracking { reference_id: 0x7f7f_0101, ..good() };
    assert_eq!(refused(local), Refusal::LocalReference);
    assert_eq!(refused(Tracking { stratum: 0, ..good() }), Refusal::Unsynchronised);
    assert_eq!(refused(Tracking { reference_id: 0, ..good() }), Refusal::Unsynchronised);
    let never = Tracking { reference_time: UnixNanos(0), ..good() };
    assert_eq!(refused(never), Refusal::Unsynchronised);
    assert_eq!(refused(Tracking { leap_status: 3, ..good() }), Refusal::LeapAlarm);
    assert_eq!(refused(Tracking { stratum: 16, ..good() }), Refusal::Stratum { stratum: 16 });
    let old = UnixNanos(NOW.0 - 4_097_000_000_000);
    let stale = Tracking { reference_time: old, ..good() };
    assert_eq!(refused(stale), Refusal::Stale { age_s: 4_097, age_s_max: 4_096 });
    let ahead = Tracking { reference_time: UnixNanos(NOW.0 + 2_000_000_000), ..good() };
    assert_eq!(refused(ahead), Refusal::ReferenceAhead { ahead_s: 2 });
    for leap_status in [1, 2] {
        assert!(judged(Tracking { leap_status, ..good() }).bound_us().is_some());
    }
}

#[test]
fn eleven_milliseconds_are_too_many_wherever_they_come_from() {
    let of = ChronyFloat::from_nanos;
    for tracking in [
        Tracking { system_offset: of(11_000_000), ..good() },
        Tracking { system_offset: of(-11_000_000), ..good() },
        Tracking { root_dispersion: of(11_000_000), ..good() },
        Tracking { root_delay: of(22_000_000), ..good() },
        Tracking { system_offset: ChronyFloat(0x7eff_ffff), ..good() },
    ] {
        let Refusal::Bound { bound_us, bound_us_max } = refused(tracking) else {
            panic!("{tracking:?}")
        };
        assert!(bound_us > 11_000 && bound_us_max == 10_000);
    }
    // The last offset alone is no bound, and does not count.
    assert!(judged(Tracking { last_offset: of(11_000_000), ..good() }).bound_us().is_some());
}

#[test]
fn refusals_speak_both_languages() {
    let refusal = Refusal::Bound { bound_us: 11_001, bound_us_max: 10_000 };
    assert!(refusal.zh().contains("11001") && refusal.zh().contains("10000"));
    assert_eq!(
        refusal.to_string(),
        "the clock may be off by 11001 us; at most 10000 us are accepted."
    );
    assert!(!refusal.is_unchecked() && Refusal::NoReply.is_unchecked());
}
