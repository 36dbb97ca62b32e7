use std::collections::BTreeSet;

use super::{Alarm, Alarms, Change, Condition, conditions};
use crate::facts::{ChannelFacts, ClockFacts, LinkFacts, NodeFacts, TlsFacts};

const NOW_MS: u64 = 1_800_000_000_000;
const NOW_S: i64 = 1_800_000_000;

/// A node without anything to report.
fn well() -> NodeFacts {
    NodeFacts {
        now_ms: NOW_MS,
        identity_not_after_s: NOW_S + 365 * 86_400,
        tls: TlsFacts { not_after_s: NOW_S + 86_400, ..TlsFacts::default() },
        disk_free_bytes: Some(100 << 30),
        disk_reserve_bytes: 256 << 20,
        channels: vec![channel()],
        ..NodeFacts::default()
    }
}

/// A validator that is connected, and a follower that is not.
fn link(validator: bool) -> LinkFacts {
    LinkFacts { host: "a/1".to_owned(), connected: validator, validator, ..LinkFacts::default() }
}

fn channel() -> ChannelFacts {
    ChannelFacts {
        channel: "changchun".to_owned(),
        height: 100,
        peers_height: 100,
        peers: 3,
        validators: 4,
        waiting_max: 20_000,
        links: vec![link(true), link(false)],
        ..ChannelFacts::default()
    }
}

/// What raises each alarm, and nothing else.
fn cause(alarm: Alarm) -> NodeFacts {
    let mut node = well();
    let mut channel = channel();
    let reason = Some("reason".to_owned());
    match alarm {
        Alarm::OrderingHalted => channel.halted = reason,
        Alarm::Suspended => channel.suspended = reason,
        Alarm::QuorumLost => channel.no_quorum = true,
        Alarm::Misbehaviour => channel.accused = vec!["ab12".to_owned()],
        Alarm::Behind => channel.peers_height = 111,
        Alarm::Backlog => channel.waiting = 18_000,
        Alarm::Repairing => (channel.salvaged_to, channel.peers_height) = (Some(7), 101),
        Alarm::Repaired => channel.salvaged_to = Some(7),
        Alarm::CheckpointRefused => channel.checkpoint_refused = reason,
        Alarm::CheckpointIncomplete => channel.checkpoint_lacks = vec!["court".to_owned()],
        Alarm::ForeignGenesis => channel.foreign_genesis_ago_ms = Some(599_999),
        Alarm::LinksDown => channel.links[0].connected = false,
        Alarm::TlsRenewal => node.tls.alarming = true,
        Alarm::IdentityExpiring => node.identity_not_after_s = NOW_S + 30 * 86_400 - 1,
        Alarm::IdentityExpired => node.identity_not_after_s = NOW_S,
        Alarm::ClockJumped => {
            node.clock = ClockFacts { last_jump_ago_ms: Some(0), ..ClockFacts::default() };
        }
        Alarm::ClockUnbounded => node.clock_refused = Some("TM-1002: no reply".to_owned()),
        Alarm::TokensMissing => node.tokens.failing = Some("TM-4005: nobody".to_owned()),
        Alarm::DiskLow => node.disk_free_bytes = Some((1 << 30) - 1),
        Alarm::OriginalsLost => node.custody.lost = vec!["ab12".to_owned()],
        Alarm::OriginalsUnrecorded => node.custody.last.unrecorded = 1,
        Alarm::CustodyStore => node.custody.failure = reason,
        Alarm::AuditOverdue => {
            node.custody.audit_every_ms = Some(1_000);
            node.custody.audit_ended_ms = NOW_MS - 2_001;
        }
    }
    node.channels = vec![channel];
    node
}

#[test]
fn every_alarm_has_a_cause_and_every_cause_one_alarm() {
    assert_eq!(conditions(&well()), []);
    for alarm in Alarm::ALL {
        let found: Vec<Alarm> = conditions(&cause(*alarm)).iter().map(|c| c.alarm).collect();
        assert_eq!(found, [*alarm]);
    }
}

#[test]
fn conditions_end_where_they_should() {
    let mut node = well();
    node.identity_not_after_s = NOW_S + 30 * 86_400;
    node.disk_free_bytes = Some(1 << 30);
    node.clock.last_jump_ago_ms = Some(600_000);
    node.channels[0].peers_height = 110;
    node.channels[0].waiting = 17_999;
    node.channels[0].foreign_genesis_ago_ms = Some(600_000);
    assert_eq!(conditions(&node), []);
    node.disk_free_bytes = None;
    assert_eq!(conditions(&node), [], "a system that does not say how much is free");
}

#[test]
fn a_channel_that_nobody_has_spoken_for_yet_is_still_being_repaired() {
    let mut node = cause(Alarm::Repaired);
    node.channels[0].peers_height = 0;
    assert_eq!(conditions(&node)[0].alarm, Alarm::Repairing);
}

fn condition(alarm: Alarm, detail: &str) -> Condition {
    Condition { alarm, channel: Some("a".to_owned()), detail: detail.to_owned() }
}

fn codes(changes: &[Change]) -> Vec<(bool, &'static str)> {
    let code = |change: &Change| match change {
        Change::Raised(raised) => (true, raised.alarm.row().code),
        Change::Cleared(raised) => (false, raised.alarm.row().code),
    };
    changes.iter().map(code).collect()
}

#[test]
fn each_change_is_told_once() {
    let alarms = Alarms::default();
    let halted = |detail| vec![condition(Alarm::OrderingHalted, detail)];
    assert_eq!(codes(&alarms.update(halted("x"), 0, 50)), [(true, "OP-1001")]);
    assert_eq!(codes(&alarms.update(halted("y"), 1_000, 60)), []);
    let raised = alarms.raised();
    assert_eq!((raised.len(), raised[0].since_ms, raised[0].detail.as_str()), (1, 50, "y"));
    assert_eq!(codes(&alarms.update(Vec::new(), 2_000, 70)), [(false, "OP-1001")]);
    assert_eq!(alarms.raised(), []);
    assert_eq!(codes(&alarms.update(Vec::new(), 3_000, 80)), []);
}

#[test]
fn what_passes_quickly_is_never_told() {
    let alarms = Alarms::default();
    let behind = || vec![condition(Alarm::Behind, "11 blocks")];
    assert_eq!(codes(&alarms.update(behind(), 0, 0)), []);
    assert_eq!(codes(&alarms.update(behind(), 59_999, 0)), []);
    assert_eq!(codes(&alarms.update(Vec::new(), 60_000, 0)), []);
    // It starts anew.
    assert_eq!(codes(&alarms.update(behind(), 61_000, 0)), []);
    assert_eq!(codes(&alarms.update(behind(), 121_000, 0)), [(true, "OP-1005")]);
    // Two channels are two alarms.
    let mut both = behind();
    both.push(Condition { channel: Some("b".to_owned()), ..condition(Alarm::Suspended, "full") });
    assert_eq!(codes(&alarms.update(both, 122_000, 0)), [(true, "OP-1002")]);
    assert_eq!(alarms.raised().len(), 2);
}

#[test]
fn codes_are_unique_and_texts_are_there() {
    let mut codes = BTreeSet::new();
    for alarm in Alarm::ALL {
        let row = alarm.row();
        assert!(codes.insert(row.code), "{} is used twice", row.code);
        assert!(row.code.len() == 7 && row.code.starts_with("OP-"), "{}", row.code);
        for text in [row.zh, row.action_zh] {
            assert!(!text.is_ascii(), "{text}");
        }
        for text in [row.en, row.action_en] {
            assert!(!text.is_empty() && text.is_ascii(), "{text}");
        }
    }
}

/// Sections of the operator's guide: heading and body.
fn sections() -> Vec<(&'static str, &'static str)> {
    let guide = include_str!("../../../../docs/operations.md");
    let mut sections = Vec::new();
    for part in guide.split("\n### ").skip(1) {
        let (heading, body) = part.split_once('\n').unwrap();
        if heading.starts_with("OP-") {
            sections.push((heading, body.split("\n## ").next().unwrap()));
        }
    }
    sections
}

#[test]
fn the_guide_has_a_section_for_each_alarm_and_for_nothing_else() {
    let expected: Vec<String> = Alarm::ALL
        .iter()
        .map(|alarm| alarm.row())
        .map(|r| format!("{} — {}", r.code, r.en))
        .collect();
    let headings: Vec<&str> = sections().into_iter().map(|(heading, _)| heading).collect();
    assert_eq!(headings, expected);
    for (alarm, (heading, body)) in Alarm::ALL.iter().zip(sections()) {
        let row = alarm.row();
        let first = body.trim_start().lines().next().unwrap();
        let severity = format!("**{}**", row.severity.word());
        assert!(first.starts_with(row.zh) && first.contains(&severity), "{heading}: {first}");
        for part in ["\n**Means.** ", "\n**See.** ", "\n1. "] {
            assert!(body.contains(part), "{heading} lacks {part:?}");
        }
        let waits = row.after_ms > 0;
        assert_eq!(
            first.contains(&format!("after {} s", row.after_ms / 1_000)),
            waits,
            "{heading}"
        );
    }
}
