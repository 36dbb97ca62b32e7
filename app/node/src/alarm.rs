//! Alarms: which conditions hold now, and which of them an operator has been told of.
//!
//! `conditions` is a function of the node's facts. `Alarms` remembers: it raises an alarm once its condition has
//! held long enough, clears it when it holds no more, and gives each change exactly once, so that each is one line in
//! the log.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

pub use self::table::{Alarm, Row, Severity};
use crate::facts::{ChannelFacts, CustodyFacts, NodeFacts};

mod table;

/// A condition that holds now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) alarm: Alarm,
    /// The channel it is about; none where it is about the node.
    pub(crate) channel: Option<String>,
    pub(crate) detail: String,
}

/// A raised alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Raised {
    pub(crate) alarm: Alarm,
    pub(crate) channel: Option<String>,
    pub(crate) detail: String,
    /// When it was raised, Unix milliseconds.
    pub(crate) since_ms: u64,
}

/// An alarm that was raised or cleared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Raised(Raised),
    Cleared(Raised),
}

/// What has been raised and not cleared.
#[derive(Debug, Default)]
pub(crate) struct Alarms(Mutex<BTreeMap<(Alarm, Option<String>), Entry>>);

#[derive(Debug)]
struct Entry {
    held_since_up_ms: u64,
    raised_ms: Option<u64>,
    detail: String,
}

impl Alarms {
    /// Takes the conditions that hold at this moment of the monotonic and the wall clock.
    pub(crate) fn update(
        &self,
        conditions: Vec<Condition>,
        up_ms: u64,
        now_ms: u64,
    ) -> Vec<Change> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *entries);
        let mut changes = Vec::new();
        for Condition { alarm, channel, detail } in conditions {
            let key = (alarm, channel);
            let fresh = Entry { held_since_up_ms: up_ms, raised_ms: None, detail: String::new() };
            let mut entry = before.remove(&key).unwrap_or(fresh);
            entry.detail = detail;
            let held_ms = up_ms.saturating_sub(entry.held_since_up_ms);
            if entry.raised_ms.is_none() && held_ms >= alarm.row().after_ms {
                entry.raised_ms = Some(now_ms);
                changes.extend(raised(&key, &entry).map(Change::Raised));
            }
            entries.insert(key, entry);
        }
        changes
            .extend(before.iter().filter_map(|(k, entry)| raised(k, entry)).map(Change::Cleared));
        changes
    }

    /// What is raised now.
    pub(crate) fn raised(&self) -> Vec<Raised> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().filter_map(|(key, entry)| raised(key, entry)).collect()
    }
}

fn raised(key: &(Alarm, Option<String>), entry: &Entry) -> Option<Raised> {
    let (alarm, channel) = key.clone();
    Some(Raised { alarm, channel, detail: entry.detail.clone(), since_ms: entry.raised_ms? })
}

/// Every condition that holds.
pub(crate) fn conditions(node: &NodeFacts) -> Vec<Condition> {
    let own = |(alarm, detail)| Condition { alarm, channel: None, detail };
    let mut found: Vec<Condition> = of_node(node).into_iter().map(own).collect();
    for channel in &node.channels {
        let name = || Some(channel.channel.clone());
        let of = |(alarm, detail)| Condition { alarm, channel: name(), detail };
        found.extend(of_channel(channel).into_iter().map(of));
    }
    found
}

fn of_node(node: &NodeFacts) -> Vec<(Alarm, String)> {
    let mut found = Vec::new();
    let now_s = i64::try_from(node.now_ms / 1_000).unwrap_or(i64::MAX);
    if node.tls.alarming {
        let left_s = node.tls.not_after_s.saturating_sub(now_s);
        let failed = node.tls.failed;
        found.push((Alarm::TlsRenewal, format!("{left_s} s left, {failed} renewals failed")));
    }
    let left_s = node.identity_not_after_s.saturating_sub(now_s);
    if left_s <= 0 {
        found.push((Alarm::IdentityExpired, format!("since {} s", left_s.saturating_neg())));
    } else if left_s < IDENTITY_WARNING_S {
        found.push((Alarm::IdentityExpiring, format!("{} days left", left_s / DAY_S)));
    }
    if node.clock.last_jump_ago_ms.is_some_and(|ago_ms| ago_ms < EVENT_SHOWN_MS) {
        let by_s = node.clock.last_jump_ms as f64 / 1e3;
        found.push((Alarm::ClockJumped, format!("by {by_s:+.3} s")));
    }
    if let Some(refusal) = &node.clock_refused {
        found.push((Alarm::ClockUnbounded, refusal.clone()));
    }
    if let Some(reason) = &node.tokens.failing {
        found.push((Alarm::TokensMissing, reason.clone()));
    }
    let low = node.disk_reserve_bytes.saturating_mul(DISK_LOW_RESERVES);
    if let Some(free) = node.disk_free_bytes.filter(|free| *free < low) {
        let reserve = node.disk_reserve_bytes;
        let detail = format!("{free} bytes free; below {reserve} the node does not vote");
        found.push((Alarm::DiskLow, detail));
    }
    of_custody(&node.custody, node.now_ms, &mut found);
    found
}

fn of_custody(custody: &CustodyFacts, now_ms: u64, found: &mut Vec<(Alarm, String)>) {
    let lost: Vec<&str> =
        custody.lost.iter().chain(&custody.unheld).take(NAMED_MAX).map(String::as_str).collect();
    if !lost.is_empty() {
        let (damaged, unheld) = (custody.lost.len(), custody.unheld.len());
        let first = lost.join(", ");
        let detail = format!("{damaged} damaged or missing, {unheld} of records not held: {first}");
        found.push((Alarm::OriginalsLost, detail));
    }
    if custody.last.unrecorded > 0 {
        let detail = format!("{} at the last audit", custody.last.unrecorded);
        found.push((Alarm::OriginalsUnrecorded, detail));
    }
    if let Some(failure) = &custody.failure {
        found.push((Alarm::CustodyStore, failure.clone()));
    }
    let since_ms = now_ms.saturating_sub(custody.audit_ended_ms);
    if let Some(every_ms) = custody.audit_every_ms
        && custody.audit_ended_ms > 0
        && since_ms > every_ms.saturating_mul(2)
    {
        let hours = since_ms / 3_600_000;
        found.push((Alarm::AuditOverdue, format!("the last one ended {hours} hours ago")));
    }
}

fn of_channel(channel: &ChannelFacts) -> Vec<(Alarm, String)> {
    let mut found = Vec::new();
    if let Some(reason) = &channel.halted {
        found.push((Alarm::OrderingHalted, reason.clone()));
    }
    if let Some(reason) = &channel.suspended {
        found.push((Alarm::Suspended, reason.clone()));
    }
    if channel.no_quorum {
        let (peers, validators) = (channel.peers, channel.validators);
        found
            .push((Alarm::QuorumLost, format!("{peers} nodes connected, {validators} validators")));
    }
    if !channel.accused.is_empty() {
        found.push((Alarm::Misbehaviour, channel.accused.join(" ")));
    }
    if channel.behind() > BEHIND_MAX {
        found.push((Alarm::Behind, format!("{} blocks", channel.behind())));
    }
    if channel.waiting_max > 0 && channel.waiting >= channel.waiting_max / 10 * 9 {
        let (waiting, max) = (channel.waiting, channel.waiting_max);
        found.push((Alarm::Backlog, format!("{waiting} of {max} places taken")));
    }
    if let Some(block) = channel.salvaged_to {
        let alarm = if channel.is_repairing() { Alarm::Repairing } else { Alarm::Repaired };
        found.push((alarm, format!("damaged behind block {block}")));
    }
    if channel.foreign_genesis_ago_ms.is_some_and(|ago_ms| ago_ms < EVENT_SHOWN_MS) {
        found.push((Alarm::ForeignGenesis, "see the log for the peer".to_owned()));
    }
    if let Some(reason) = &channel.checkpoint_refused {
        found.push((Alarm::CheckpointRefused, reason.clone()));
    }
    if !channel.checkpoint_lacks.is_empty() {
        found.push((Alarm::CheckpointIncomplete, channel.checkpoint_lacks.join("; ")));
    }
    let missing = channel.links.iter().filter(|link| link.validator && !link.connected);
    let down: Vec<&str> = missing.map(|link| link.host.as_str()).collect();
    if !down.is_empty() {
        found.push((Alarm::LinksDown, down.join(" ")));
    }
    found
}

/// How many originals an alarm names.
const NAMED_MAX: usize = 3;
const DAY_S: i64 = 86_400;
const IDENTITY_WARNING_S: i64 = 30 * DAY_S;
/// What happened at one moment keeps its alarm raised for so long.
const EVENT_SHOWN_MS: u64 = 600_000;
/// The disk is low below so many times the reserve.
const DISK_LOW_RESERVES: u64 = 4;
/// More blocks behind than this is behind.
const BEHIND_MAX: u64 = 10;

#[cfg(test)]
mod tests;
