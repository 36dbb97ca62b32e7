//! What a node in production demands of the time in records that it endorses for other agencies.
//!
//! A refusal to endorse is this node's own decision, like not answering at all: no rule of validation depends on it, so
//! that nodes with different settings agree on every block.

use std::sync::Arc;

use changbai_core::{Record, codes, contract};
use changbai_wire::time::{Clock, TimeReading};
use changbai_wire::{ProposalResponse, Refused, SignedProposal};

/// Endorses only records whose time has a bound, and is this node's time within both bounds.
pub(crate) struct TimeRule {
    clock: Arc<dyn Clock>,
}

impl TimeRule {
    /// The rule of a node in production, whose own clock is `clock`.
    pub(crate) const fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }

    /// The serialized `protos.ProposalResponse` that refuses a serialized `protos.SignedProposal`, if the rule does.
    ///
    /// Whatever does not make a record passes: the channel judges everything else, form and signatures included.
    pub(crate) fn refusal(&self, signed_proposal: &[u8]) -> Option<Vec<u8>> {
        let record = record(signed_proposal)?;
        let time = record.parts().time;
        let why = broken(time.at_ms, time.bound_us, self.clock.now())?;
        let message = format!("{}: {why}", codes::TIME_NOT_ENDORSED.code);
        let refused = Refused { status: STATUS, message, payload: Vec::new() };
        Some(ProposalResponse::Refused(refused).to_bytes())
    }
}

/// What a refusal of this rule says, if a fault is one: the code is [`codes::TIME_NOT_ENDORSED`].
pub(crate) fn message(status: i32, message: &str) -> Option<&str> {
    let said = message.strip_prefix(codes::TIME_NOT_ENDORSED.code)?.strip_prefix(": ")?;
    (status == STATUS).then_some(said)
}

fn record(signed_proposal: &[u8]) -> Option<Record> {
    let proposal = SignedProposal::from_bytes(signed_proposal).ok()?.decoded;
    if proposal.chaincode_name != contract::NAME {
        return None;
    }
    match proposal.args.as_slice() {
        [function, record] if function.as_slice() == contract::CREATE.as_bytes() => {
            Record::from_bytes(record).ok()
        }
        _ => None,
    }
}

/// Why this node does not stand for a record's time.
fn broken(at_ms: u64, bound_us: Option<u32>, now: TimeReading) -> Option<String> {
    let Some(theirs_us) = bound_us else {
        return Some("the record's time has no bound (source local)".to_owned());
    };
    let Some(own_us) = now.bound_us else {
        return Some("this endorser's own clock has no bound at the moment".to_owned());
    };
    let both_ms = u64::from(theirs_us).saturating_add(own_us.into()).div_ceil(1_000);
    let ahead_ms = at_ms.saturating_sub(now.at.0);
    if ahead_ms > both_ms {
        return Some(format!(
            "the record's time is {ahead_ms} ms ahead, both bounds allow {both_ms}"
        ));
    }
    let behind_ms = now.at.0.saturating_sub(at_ms);
    if behind_ms > UNDER_WAY_MS_MAX.saturating_add(both_ms) {
        return Some(format!("the record's time is {behind_ms} ms old"));
    }
    None
}

/// The status of such a refusal: the request does not meet a condition of this endorser.
const STATUS: i32 = 412;
/// From a record's time to the endorsement, retries included: twice what a submission waits for the ledger.
const UNDER_WAY_MS_MAX: u64 = 60_000;

#[cfg(test)]
mod tests {
    use changbai_wire::time::UnixMillis;

    use super::*;

    const NOW_MS: u64 = 1_800_000_000_000;

    fn stands(off_ms: i64, theirs_us: Option<u32>, own_us: Option<u32>) -> bool {
        let now = TimeReading { at: UnixMillis(NOW_MS), bound_us: own_us };
        broken(NOW_MS.saturating_add_signed(off_ms), theirs_us, now).is_none()
    }

    #[test]
    fn a_time_needs_a_bound_and_must_be_ours() {
        let bound = Some(2_000);
        for (off_ms, stood_for) in
            [(0, true), (4, true), (5, false), (-60_004, true), (-60_005, false)]
        {
            assert_eq!(stands(off_ms, bound, bound), stood_for, "{off_ms}");
        }
        assert!(!stands(0, None, bound));
        assert!(!stands(0, bound, None));
    }

    #[test]
    fn what_is_no_record_is_not_its_concern() {
        let rule = TimeRule::new(Arc::new(changbai_wire::time::ManualClock::default()));
        assert_eq!(rule.refusal(b""), None);
        assert_eq!(rule.refusal(&[0x0a; 100]), None);
    }

    #[test]
    fn only_its_own_refusals_are_recognised() {
        assert_eq!(message(412, "EV-4508: too old"), Some("too old"));
        assert_eq!(message(500, "EV-4508: too old"), None);
        assert_eq!(message(412, "EV-4090: taken"), None);
    }
}
