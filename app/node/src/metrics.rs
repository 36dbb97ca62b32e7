//! Metrics of a node as Prometheus text.
//!
//! Two kinds of numbers meet on the page: what is counted while it happens ([`ChannelMetrics`], [`ApiMetrics`]), and
//! what is looked up when somebody asks ([`NodeFacts`]). Names, labels and help stand in one table (`metrics/table.rs`).
//! Labels come from bounded sets: names of channels, routes, codes, contracts; never an id, a path or a person.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use changbai_api::access::{Answered, RequestObserver};

pub(crate) use self::channel::ChannelMetrics;
use self::channel::TRANSACTION;
use self::series::{Counter, Labelled, Timing};
use self::text::Page;
use crate::alarm::Raised;
use crate::clock_watch::Uptime;
use crate::facts::{ChannelFacts, CustodyFacts, NodeFacts, StreamFacts};
use crate::readiness::obstacles;

mod channel;
pub(crate) mod process;
mod series;
pub(crate) mod table;
mod text;

/// Everything that a node counts.
#[derive(Debug)]
pub(crate) struct NodeMetrics {
    uptime: Uptime,
    channels: RwLock<BTreeMap<String, Arc<ChannelMetrics>>>,
    api: Arc<ApiMetrics>,
    pub(crate) alarms_raised: Labelled<1, Counter>,
}

/// What is counted of REST.
#[derive(Debug, Default)]
pub(crate) struct ApiMetrics {
    requests: Labelled<3, Counter>,
    durations: Labelled<2, Timing>,
}

impl RequestObserver for ApiMetrics {
    fn answered(&self, answered: &Answered<'_>) {
        let Answered { method, route, status, elapsed } = *answered;
        self.requests.of([method, route, &status.to_string()]).add(1);
        self.durations.of([method, route]).observe(elapsed);
    }
}

impl NodeMetrics {
    pub(crate) fn new(uptime: Uptime) -> Self {
        Self {
            uptime,
            channels: RwLock::default(),
            api: Arc::default(),
            alarms_raised: Labelled::default(),
        }
    }

    /// The counters of a channel, new ones at the first call.
    pub(crate) fn channel(&self, name: &str) -> Arc<ChannelMetrics> {
        let mut channels = self.channels.write().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(ChannelMetrics::new(self.uptime));
        Arc::clone(channels.entry(name.to_owned()).or_insert_with(fresh))
    }

    /// Counts requests of REST: for [`changbai_api::observed`].
    pub(crate) fn api(&self) -> Arc<ApiMetrics> {
        Arc::clone(&self.api)
    }

    /// The page, with what is known now.
    pub(crate) fn render(&self, facts: &NodeFacts, alarms: &[Raised]) -> String {
        let mut page = Page::default();
        let channels = self.channels.read().unwrap_or_else(PoisonError::into_inner);
        let counted: Vec<(&str, &ChannelMetrics)> =
            channels.iter().map(|(name, metrics)| (name.as_str(), metrics.as_ref())).collect();
        states(&mut page, &facts.channels, facts);
        counts(&mut page, &counted);
        links(&mut page, &facts.channels);
        self.api.write(&mut page);
        self.node(&mut page, facts, alarms);
        page.into_text()
    }

    fn custody(page: &mut Page, custody: &CustodyFacts) {
        page.family(&table::CUSTODY_ORIGINALS)
            .count(&["intact"], custody.last.intact)
            .count(&["damaged"], custody.last.damaged)
            .count(&["missing"], custody.last.missing)
            .count(&["erased"], custody.last.erased)
            .count(&["unrecorded"], custody.last.unrecorded);
        page.family(&table::CUSTODY_UNHELD).count(&[], custody.unheld.len() as u64);
        page.family(&table::CUSTODY_FOUND)
            .count(&["intact"], custody.found_intact)
            .count(&["damaged"], custody.found_damaged)
            .count(&["missing"], custody.found_missing);
        page.family(&table::CUSTODY_READ).count(&[], custody.audited_bytes);
        page.family(&table::CUSTODY_AUDIT_ENDED).number(&[], custody.audit_ended_ms as f64 / 1e3);
        page.family(&table::CUSTODY_STORE_UP).flag(&[], custody.failure.is_none());
    }

    fn node(&self, page: &mut Page, facts: &NodeFacts, alarms: &[Raised]) {
        let mut family = page.family(&table::ALARM);
        for alarm in alarms {
            let row = alarm.alarm.row();
            let channel = alarm.channel.as_deref().unwrap_or_default();
            family.flag(&[row.code, row.severity.word(), channel], true);
        }
        let mut family = page.family(&table::ALARMS_RAISED);
        self.alarms_raised.each(|[code], count| {
            family.count(&[code], count.value());
        });
        page.family(&table::TLS_NOT_AFTER).number(&[], facts.tls.not_after_s as f64);
        page.family(&table::TLS_RENEWALS)
            .count(&["success"], facts.tls.renewed)
            .count(&["failure"], facts.tls.failed);
        page.family(&table::IDENTITY_NOT_AFTER).number(&[], facts.identity_not_after_s as f64);
        let mut family = page.family(&table::DISK_FREE);
        if let Some(free) = facts.disk_free_bytes {
            family.count(&[], free);
        }
        page.family(&table::DISK_RESERVE).count(&[], facts.disk_reserve_bytes);
        page.family(&table::CLOCK_JUMPS).count(&[], facts.clock.jumps);
        page.family(&table::CLOCK_OFFSET).number(&[], facts.clock.offset_ms as f64 / 1e3);
        let mut family = page.family(&table::CLOCK_BOUND);
        if let Some(bound_us) = facts.clock_bound_us {
            family.number(&[], f64::from(bound_us) / 1e6);
        }
        page.family(&table::TOKENS)
            .count(&["success"], facts.tokens.first)
            .count(&["fallback"], facts.tokens.fallback)
            .count(&["failure"], facts.tokens.failed);
        Self::custody(page, &facts.custody);
        page.family(&table::BUILD).flag(&[env!("CARGO_PKG_VERSION")], true);
        page.family(&table::RESIDENT).count(&[], facts.process.resident_bytes);
        page.family(&table::CPU).number(&[], facts.process.cpu_ms as f64 / 1e3);
        page.family(&table::OPEN_FILES).count(&[], facts.process.open_files);
        page.family(&table::OPEN_FILES_MAX).count(&[], facts.process.open_files_max);
        page.family(&table::STARTED).number(&[], facts.process.started_ms as f64 / 1e3);
    }
}

impl ApiMetrics {
    fn write(&self, page: &mut Page) {
        let mut family = page.family(&table::REQUESTS);
        self.requests.each(|labels, count| {
            family.count(&labels, count.value());
        });
        let mut family = page.family(&table::REQUEST_DURATION);
        self.durations.each(|labels, timing| {
            family.timing(&labels, timing);
        });
    }
}

/// What the channels are, one sample a channel and metric.
fn states(page: &mut Page, channels: &[ChannelFacts], facts: &NodeFacts) {
    type Look = fn(&ChannelFacts) -> u64;
    let looks: [(&'static table::Metric, Look); 15] = [
        (&table::BLOCKCHAIN_HEIGHT, |c| c.height),
        (&table::COMMITTED_BLOCK, |c| c.height.saturating_sub(1)),
        (&table::CLUSTER_SIZE, |c| c.validators as u64),
        (&table::PEERS_KNOWN, |c| c.peers as u64),
        (&table::ROUND, |c| c.round.into()),
        (&table::VALIDATOR, |c| c.validator.into()),
        (&table::CONFIGURATION, |c| c.configuration),
        (&table::PEERS_HEIGHT, |c| c.peers_height),
        (&table::BEHIND, ChannelFacts::behind),
        (&table::WAITING, |c| c.waiting as u64),
        (&table::WAITING_MAX, |c| c.waiting_max as u64),
        (&table::HALTED, |c| c.halted.is_some().into()),
        (&table::SUSPENDED, |c| c.suspended.is_some().into()),
        (&table::NO_QUORUM, |c| c.no_quorum.into()),
        (&table::ACCUSED, |c| c.accused.len() as u64),
    ];
    for (metric, look) in looks {
        let mut family = page.family(metric);
        for channel in channels {
            family.count(&[&channel.channel], look(channel));
        }
    }
    let mut family = page.family(&table::READY);
    for channel in channels {
        family.flag(&[&channel.channel], obstacles(channel, facts).is_empty());
    }
}

/// What was counted of the channels.
fn counts(page: &mut Page, channels: &[(&str, &ChannelMetrics)]) {
    let mut family = page.family(&table::TRANSACTION_COUNT);
    for (channel, metrics) in channels {
        metrics.transactions.each(|[kind, contract, code], count| {
            let labels = [channel, kind, contract, code];
            family.count(&labels, count.value());
        });
    }
    let mut family = page.family(&table::BROADCAST_PROCESSED);
    for (channel, metrics) in channels {
        metrics.broadcasts.each(|[status], timing| {
            let count = timing.cumulative().0.last().copied().unwrap_or_default();
            family.count(&[channel, TRANSACTION, status], count);
        });
    }
    let mut family = page.family(&table::BROADCAST_ENQUEUE);
    for (channel, metrics) in channels {
        metrics.broadcasts.each(|[status], timing| {
            family.timing(&[channel, TRANSACTION, status], timing);
        });
    }
    let sum = |of: fn(&ChannelMetrics) -> &Counter| {
        channels.iter().map(|(_, metrics)| of(metrics).value()).sum()
    };
    page.family(&table::PROPOSALS_RECEIVED).count(&[], sum(|m| &m.proposals));
    page.family(&table::PROPOSALS_SUCCESSFUL).count(&[], sum(|m| &m.endorsed));
    let mut family = page.family(&table::PROPOSAL_DURATION);
    for (channel, metrics) in channels {
        metrics.endorsements.each(|[contract, success], timing| {
            family.timing(&[channel, contract, success], timing);
        });
    }
    let mut family = page.family(&table::BLOCKS);
    for (channel, metrics) in channels {
        family.count(&[channel, "decided"], metrics.decided.value());
        family.count(&[channel, "synced"], metrics.synced.value());
    }
    let mut family = page.family(&table::SUBMIT_DURATION);
    for (channel, metrics) in channels {
        metrics.submissions.each(|[outcome], timing| {
            family.timing(&[channel, outcome], timing);
        });
    }
    let mut family = page.family(&table::TURN_DURATION);
    for (channel, metrics) in channels {
        family.timing(&[channel], &metrics.turns);
    }
    let mut family = page.family(&table::ROUNDS);
    for (channel, metrics) in channels {
        family.count(&[channel], metrics.rounds.value());
    }
    let mut family = page.family(&table::REFUSED);
    for (channel, metrics) in channels {
        metrics.faults.each(|[fault], count| {
            family.count(&[channel, fault], count.value());
        });
    }
}

fn links(page: &mut Page, channels: &[ChannelFacts]) {
    let mut family = page.family(&table::STREAMS);
    for channel in channels {
        family.count(&[&channel.channel], channel.links.iter().map(|link| link.streams).sum());
    }
    let mut family = page.family(&table::LINK_UP);
    for channel in channels {
        for link in &channel.links {
            family.flag(&[&channel.channel, &link.host], link.connected);
        }
    }
    let mut family = page.family(&table::LINK_ROUND_TRIP);
    for channel in channels {
        for link in &channel.links {
            if let Some(us) = link.round_trip_us {
                family.number(&[&channel.channel, &link.host], us as f64 / 1e6);
            }
        }
    }
    let mut family = page.family(&table::LINK_CONNECTS);
    for channel in channels {
        family.count(&[&channel.channel], channel.connects);
    }
    let mut family = page.family(&table::LINK_REFUSED);
    for channel in channels {
        family.count(&[&channel.channel], channel.openings_refused);
    }
    type Look = fn(&StreamFacts) -> (u64, u64);
    let looks: [(&'static table::Metric, Look); 3] = [
        (&table::LINK_MESSAGES, |s| (s.sent, s.received)),
        (&table::LINK_BYTES, |s| (s.sent_bytes, s.received_bytes)),
        (&table::LINK_DROPPED, |s| (s.sent_dropped, s.received_dropped)),
    ];
    for (metric, look) in looks {
        let mut family = page.family(metric);
        for channel in channels {
            for stream in &channel.streams {
                let (sent, received) = look(stream);
                family.count(&[&channel.channel, stream.kind, "sent"], sent);
                family.count(&[&channel.channel, stream.kind, "received"], received);
            }
        }
    }
}

#[cfg(test)]
mod tests;
