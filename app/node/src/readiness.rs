//! Whether a channel should be sent work now, and why not.

use crate::facts::{ChannelFacts, NodeFacts};

/// What stands against sending work to this channel of this node; nothing when it is ready. A node that is not ready
/// still answers reads, and says itself what it refuses.
pub(crate) fn obstacles(channel: &ChannelFacts, node: &NodeFacts) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(reason) = &channel.halted {
        found.push(format!("ordering has halted: {reason}"));
    }
    if let Some(reason) = &channel.suspended {
        found.push(format!("suspended: {reason}"));
    }
    if channel.no_quorum {
        found.push("too few validators are heard to decide anything".to_owned());
    }
    let alone = channel.validator && channel.validators <= 1;
    if !alone && channel.peers == 0 {
        found.push("no other node of the channel is connected".to_owned());
    }
    if channel.behind() > READY_BEHIND_MAX {
        let (behind, height) = (channel.behind(), channel.peers_height);
        found.push(format!("{behind} blocks behind the most advanced peer, which has {height}"));
    }
    if node.clock.last_jump_ago_ms.is_some_and(|ago_ms| ago_ms < CLOCK_REST_MS) {
        let by_s = node.clock.last_jump_ms as f64 / 1e3;
        found.push(format!("the wall clock has just jumped by {by_s:+.3} s"));
    }
    if let Some(refusal) = &node.clock_refused {
        found.push(format!("submissions are refused, the clock's error has no bound: {refusal}"));
    }
    if node.tls.not_after_s.saturating_mul(1_000) < i64::try_from(node.now_ms).unwrap_or(i64::MAX) {
        found.push("the TLS certificate has run out".to_owned());
    }
    found
}

/// A node that is this many blocks behind is ready all the same: blocks are on their way all the time.
pub(crate) const READY_BEHIND_MAX: u64 = 3;
/// So long after a jump of the clock it shows whether it stays where it is.
const CLOCK_REST_MS: u64 = 30_000;

#[cfg(test)]
mod tests {
    use super::{ChannelFacts, NodeFacts, READY_BEHIND_MAX, obstacles};
    use crate::facts::{ClockFacts, TlsFacts};

    fn node() -> NodeFacts {
        let tls = TlsFacts { not_after_s: 2_000, ..TlsFacts::default() };
        NodeFacts { now_ms: 1_000_000, tls, ..NodeFacts::default() }
    }

    fn channel() -> ChannelFacts {
        ChannelFacts {
            height: 10,
            peers_height: 10,
            peers: 3,
            validators: 4,
            validator: true,
            ..ChannelFacts::default()
        }
    }

    #[test]
    fn each_obstacle_stands_alone() {
        assert_eq!(obstacles(&channel(), &node()), Vec::<String>::new());
        let reason = || Some("x".to_owned());
        for (obstacle, expected) in [
            (ChannelFacts { halted: reason(), ..channel() }, "halted: x"),
            (ChannelFacts { suspended: reason(), ..channel() }, "suspended: x"),
            (ChannelFacts { no_quorum: true, ..channel() }, "too few"),
            (ChannelFacts { peers: 0, ..channel() }, "no other node"),
            (ChannelFacts { validator: false, validators: 1, peers: 0, ..channel() }, "no other"),
            (ChannelFacts { peers_height: 11 + READY_BEHIND_MAX, ..channel() }, "4 blocks behind"),
        ] {
            let found = obstacles(&obstacle, &node());
            assert!(found.len() == 1 && found[0].contains(expected), "{found:?}");
        }
        let unbounded = NodeFacts { clock_refused: Some("TM-2007: x".to_owned()), ..node() };
        assert!(obstacles(&channel(), &unbounded)[0].ends_with("TM-2007: x"));
        let jumped =
            ClockFacts { last_jump_ago_ms: Some(5), last_jump_ms: -7_250, ..ClockFacts::default() };
        let found = obstacles(&channel(), &NodeFacts { clock: jumped, ..node() });
        assert_eq!(found, ["the wall clock has just jumped by -7.250 s"]);
        let found = obstacles(&channel(), &NodeFacts { now_ms: 2_000_001, ..node() });
        assert_eq!(found, ["the TLS certificate has run out"]);
    }

    #[test]
    fn a_single_validator_needs_nobody_and_a_little_behind_is_near_enough() {
        let single = ChannelFacts { validators: 1, peers: 0, peers_height: 0, ..channel() };
        assert!(obstacles(&single, &node()).is_empty());
        let near = ChannelFacts { peers_height: 10 + READY_BEHIND_MAX, ..channel() };
        assert!(obstacles(&near, &node()).is_empty());
    }
}
