//! Every bound of this crate, by name.

use std::time::Duration;

/// How often one question is sent before it counts as unanswered.
pub(crate) const ATTEMPTS_MAX: u16 = 2;
/// How long each sending waits for an answer.
pub(crate) const ANSWER_WAIT: Duration = Duration::from_millis(500);
/// Most datagrams looked at for one question: a flood of wrong ones ends the question, not the patience.
pub(crate) const DATAGRAMS_MAX: usize = 16;
/// Sequence numbers kept, to tell an old answer from a foreign one.
pub(crate) const SEQUENCES_KEPT: usize = 16;
/// Room for a datagram; longer ones are cut and refused by their length.
pub(crate) const DATAGRAM_BYTES_MAX: usize = 1_024;
/// Time between two questions.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Readings are whole milliseconds, rounded down.
pub(crate) const RESOLUTION_US: u32 = 1_000;
/// A step of the wall clock from here on voids the bound; a smaller one is added to it. Both clocks are slewed alike,
/// so that only steps and the time between two reads make a difference.
pub(crate) const STEP_NS_MIN: u64 = 2_000_000;
/// A reading whose two halves lie further apart is taken again.
pub(crate) const SPREAD_NS_MAX: u64 = 100_000;
/// How often at most.
pub(crate) const READ_ATTEMPTS_MAX: usize = 4;
/// Questions to an external authority for one token.
pub(crate) const TSA_ATTEMPTS_MAX: u32 = 3;
/// Pause after the first of them; it doubles.
pub(crate) const TSA_PAUSE: Duration = Duration::from_millis(250);
/// Authorities may state whole seconds, rounded down.
pub(crate) const GEN_TIME_GRAIN: Duration = Duration::from_secs(1);
/// What an authority's own accuracy may add to the difference of clocks that is accepted.
pub(crate) const TSA_ACCURACY_MAX: Duration = Duration::from_secs(1);
/// The difference accepted by a clock that nobody bounds.
pub(crate) const CLOCK_UNBOUNDED_ALLOWANCE: Duration = Duration::from_secs(60);
