use changbai_wire::time::{TimeReading, UnixMillis};
use smkit::sm3;

use super::*;

const NOW_MS: u64 = 1_800_000_000_000;
const SKEW: Skew = Skew { ahead_ms: 5_000, behind_ms: 30_000 };

fn header(time_ms: u64, time_bound_us: u32) -> Header {
    Header {
        number: 1,
        previous_hash: sm3(b""),
        data_hash: sm3(b""),
        channel_id: "changchun".to_owned(),
        time_ms,
        time_bound_us,
        log_size: 0,
        log_root: sm3(b""),
        validators_hash: sm3(b""),
        config_number: 0,
    }
}

fn accepts(off_ms: i64, theirs_us: u32, own_us: Option<u32>, again: bool) -> bool {
    let proposed = header(NOW_MS.saturating_add_signed(off_ms), theirs_us);
    let now = TimeReading { at: UnixMillis(NOW_MS), bound_us: own_us };
    SKEW.accepts(&proposed, &header(NOW_MS - 60_000, 0), now, again)
}

#[test]
fn without_two_bounds_the_durations_hold() {
    for (theirs_us, own_us) in [(0, None), (2_000, None), (0, Some(2_000))] {
        for (off_ms, accepted) in [(5_000, true), (5_001, false), (-30_000, true), (-30_001, false)]
        {
            assert_eq!(accepts(off_ms, theirs_us, own_us, false), accepted, "{off_ms}");
        }
        assert!(accepts(-40_000, theirs_us, own_us, true));
    }
}

#[test]
fn two_bounds_hold_a_proposer_to_their_sum() {
    for (theirs_us, own_us, ahead_ms) in [(2_000, 2_500, 5), (1_001, 1_000, 3), (1, 1, 1)] {
        assert!(accepts(ahead_ms, theirs_us, Some(own_us), false), "{theirs_us} {own_us}");
        assert!(!accepts(ahead_ms + 1, theirs_us, Some(own_us), false), "{theirs_us} {own_us}");
        assert!(!accepts(ahead_ms + 1, theirs_us, Some(own_us), true));
        // It may have been on its way for long.
        assert!(accepts(-30_000, theirs_us, Some(own_us), false));
    }
    // Claiming to be off by an hour gains nothing.
    assert!(!accepts(5_001, u32::MAX, Some(u32::MAX), false));
}

#[test]
fn the_block_before_is_never_too_late() {
    let now = TimeReading { at: UnixMillis(NOW_MS), bound_us: Some(1_000) };
    let (tip, same) = (header(NOW_MS + 9_000, 1_000), header(NOW_MS + 9_000, 1_000));
    assert!(SKEW.accepts(&same, &tip, now, false));
    assert!(!SKEW.accepts(&header(NOW_MS + 9_001, 1_000), &tip, now, false));
}
