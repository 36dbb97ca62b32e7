//! Dials the nodes that a channel's configuration names, as long as a link to them is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use changbai_channel::PeerId;
use changbai_msp::{ChannelConfig, Endpoint};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::codes::{Reason, Refusal};
use crate::event::LinkEvent;
use crate::hub::Inner;
use crate::kind::StreamKind;
use crate::limits::Limits;
use crate::opening;
use crate::room::Room;
use crate::run;

/// A node to be linked to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    /// Who it should be, if the configuration says so.
    peer: Option<PeerId>,
    /// Where it may be reached, the best first.
    endpoints: Vec<Endpoint>,
}

/// Keeps links to everybody in the configuration, and judges them. Ends with the room.
pub(crate) async fn tend(hub: Arc<Inner>, room: Arc<Room>) {
    tokio::select! {
        () = room.closed() => {}
        () = judge(&room) => {}
        () = dial_all(&hub, &room) => {}
    }
}

/// Judges links when the configuration changes, when a certificate has expired, and every now and then.
async fn judge(room: &Room) {
    let mut changes = room.subscribe();
    let mut ticks = interval(Duration::from_secs(1).min(room.limits.judge));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut judged = Instant::now();
    let mut known = room.rules();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            changed = changes.changed() => if changed.is_err() { return },
        }
        let rules = room.rules();
        let is_due = !Arc::ptr_eq(&rules, &known)
            || room.now_s() > room.valid_until()
            || judged.elapsed() >= room.limits.judge;
        if is_due {
            room.judge();
            judged = Instant::now();
            known = rules;
        }
    }
}

async fn dial_all(hub: &Arc<Inner>, room: &Arc<Room>) {
    let mut changes = room.subscribe();
    let mut tasks = JoinSet::new();
    let mut running: BTreeMap<Target, AbortHandle> = BTreeMap::new();
    let mut known = None;
    loop {
        changes.borrow_and_update();
        let rules = room.rules();
        if known.as_ref().is_none_or(|known| !Arc::ptr_eq(known, &rules)) {
            let targets = targets(&rules.config, room.own);
            running.retain(|target, task| {
                let stays = targets.contains(target);
                if !stays {
                    task.abort();
                }
                stays
            });
            for target in targets {
                running.entry(target.clone()).or_insert_with(|| {
                    tasks.spawn(Box::pin(keep(Arc::clone(hub), Arc::clone(room), target)))
                });
            }
            known = Some(rules);
        }
        while tasks.try_join_next().is_some() {}
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Whom to dial: the other validators, and the anchor peers of all organisations.
fn targets(config: &ChannelConfig, own: PeerId) -> BTreeSet<Target> {
    let mut targets = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for validator in &config.validators {
        let endpoints: Vec<Endpoint> =
            validator.consensus.iter().chain(&validator.peer).cloned().collect();
        taken.extend(endpoints.iter().cloned());
        let peer = PeerId::from(validator.address());
        let mut distinct = endpoints.clone();
        distinct.dedup();
        if peer != own && !distinct.is_empty() {
            targets.insert(Target { peer: Some(peer), endpoints: distinct });
        }
    }
    let anchors = config.orgs.iter().flat_map(|org| &org.anchor_peers);
    for endpoint in anchors.filter(|endpoint| !taken.contains(endpoint)) {
        targets.insert(Target { peer: None, endpoints: vec![endpoint.clone()] });
    }
    targets
}

/// Keeps all streams to one node up.
async fn keep(hub: Arc<Inner>, room: Arc<Room>, target: Target) {
    let mut changes = room.subscribe();
    let mut peer = target.peer;
    let mut retry = Retry::new(&room);
    let mut told: Option<Reason> = None;
    loop {
        changes.borrow_and_update();
        let missing = match peer {
            Some(peer) => room.missing(peer),
            None => StreamKind::ALL.to_vec(),
        };
        if missing.is_empty() {
            told = None;
            // A link that has gone silent is missing too, and says nothing.
            if let Ok(Err(_)) = timeout(room.limits.ping, changes.changed()).await {
                return;
            }
            continue;
        }
        let endpoint = retry.begin(&target.endpoints);
        let Some(endpoint) = endpoint else { return };
        let mut found = None;
        let result = round(&hub, &room, endpoint, &missing, target.peer, &mut found).await;
        if target.peer.is_none() {
            peer = found.or(peer);
        }
        if let Err(refusal) = result {
            if refusal.reason == Reason::Own && !refusal.by_peer {
                // An anchor peer is this node itself: until the configuration changes.
                return;
            }
            // Said once, and again when the reason changes.
            if refusal.reason != Reason::Duplicate
                && told.replace(refusal.reason) != Some(refusal.reason)
            {
                room.report(&LinkEvent::Refused {
                    channel: Some(room.id.clone()),
                    address: endpoint.to_string(),
                    dialled: true,
                    refusal,
                });
            }
        }
        sleep(retry.next(&hub)).await;
    }
}

/// Dials what is missing: the first stream alone, since the session it makes spares the others a
/// signature each, and shows whether anybody is there.
async fn round(
    hub: &Arc<Inner>,
    room: &Arc<Room>,
    endpoint: &Endpoint,
    missing: &[StreamKind],
    expected: Option<PeerId>,
    found: &mut Option<PeerId>,
) -> Result<(), Refusal> {
    let Some((first, others)) = missing.split_first() else { return Ok(()) };
    one(hub, room, endpoint, *first, expected, found).await?;
    let mut dials = JoinSet::new();
    for kind in others {
        let (hub, room, endpoint, kind) =
            (Arc::clone(hub), Arc::clone(room), endpoint.clone(), *kind);
        dials.spawn(async move {
            Box::pin(one(&hub, &room, &endpoint, kind, expected, &mut None)).await
        });
    }
    let mut result = Ok(());
    while let Some(dialled) = dials.join_next().await {
        if let Ok(Err(refusal)) = dialled
            && refusal.reason != Reason::Duplicate
        {
            result = Err(refusal);
        }
    }
    result
}

async fn one(
    hub: &Arc<Inner>,
    room: &Arc<Room>,
    endpoint: &Endpoint,
    kind: StreamKind,
    expected: Option<PeerId>,
    found: &mut Option<PeerId>,
) -> Result<(), Refusal> {
    run::start(Box::pin(opening::dial(hub, room, endpoint, kind, expected, found)).await?);
    Ok(())
}

/// Waits that grow: doubled each time, with jitter so that nodes do not meet again and again.
struct Retry {
    first: Duration,
    max: Duration,
    /// After so long without a dial the waits begin anew: links had held.
    settled: Duration,
    count: u32,
    begun: Option<Instant>,
}

impl Retry {
    const fn new(room: &Room) -> Self {
        let Limits { retry_first: first, retry_max: max, .. } = room.limits;
        let settled = max.saturating_add(max);
        Self { first, max, settled, count: 0, begun: None }
    }

    /// Begins a dial: where to this time.
    fn begin<'a>(&mut self, endpoints: &'a [Endpoint]) -> Option<&'a Endpoint> {
        if self.begun.is_some_and(|begun| begun.elapsed() >= self.settled) {
            self.count = 0;
        }
        let turn = usize::try_from(self.count).unwrap_or(0).checked_rem(endpoints.len())?;
        endpoints.get(turn)
    }

    /// The wait until the next dial: between half and all of `first · 2^count`, at most of `max`.
    fn next(&mut self, hub: &Inner) -> Duration {
        let whole = self.first.saturating_mul(1 << self.count.min(16)).min(self.max);
        self.count = self.count.saturating_add(1);
        self.begun = Some(Instant::now());
        whole.mul_f64(0.5 + 0.5 * hub.jitter())
    }
}
