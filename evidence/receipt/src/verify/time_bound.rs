//! Element `time_bound`: how far the record's time may be off, as the submitting node states it.

use changbai_core::Record;

use crate::{limits::TIME_BOUND_US_MAX, reasons, report::Finding};

/// The bound is part of the record, which the submitter and the endorsers signed.
pub(super) fn check(record: Option<&Record>) -> Finding {
    let Some(record) = record else { return Finding::new(reasons::TIME_BOUND_UNCHECKED) };
    match record.parts().time.bound_us.map(u64::from) {
        None => Finding::new(reasons::TIME_BOUND_LOCAL),
        Some(bound_us) if bound_us <= TIME_BOUND_US_MAX => {
            Finding::new(reasons::TIME_BOUND_PROVEN).with(bound_us).with(TIME_BOUND_US_MAX)
        }
        Some(bound_us) => {
            Finding::new(reasons::TIME_BOUND_EXCEEDED).with(bound_us).with(TIME_BOUND_US_MAX)
        }
    }
}
