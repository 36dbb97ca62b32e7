//! The loop: one heap of events in virtual time, one thread, one seed.

mod changes;
mod clients;
mod faults;
mod links;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bytes::Bytes;
use changbai_channel::{OrderEvent, PeerId};
use changbai_wire::ValidatorAddress;

use crate::node::{Node, Running};
use crate::oracle::{Oracle, Violation};
use crate::plan::Plan;
use crate::rng::Rng;
use crate::traitor::Traitor;
use crate::world::World;
use changes::Changes;
use clients::Clients;

/// How often the dice are thrown, in milliseconds.
const TICK_MS: u64 = 250;
/// How long after the faults everything must be well, in milliseconds.
const RECOVERY_MS: u64 = 90_000;
/// More turns than this at one moment are a loop without progress.
const TURNS_PER_MOMENT_MAX: u32 = 10_000;

/// What a run amounted to.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Blocks that the network decided.
    pub blocks: u64,
    /// Messages delivered.
    pub messages: u64,
    /// Processes killed, disk faults included.
    pub crashes: u64,
    /// Turns of nodes.
    pub turns: u64,
    /// Partitions.
    pub partitions: u64,
    /// Cases of misbehaviour seen by honest nodes.
    pub accusations: u64,
    /// Things refused by honest nodes.
    pub refusals: u64,
    /// Full disks that were waited for.
    pub suspensions: u64,
    /// Damaged disks found at a start.
    pub damaged: u64,
    /// Nodes that had all blocks again after their disk had lost a bit.
    pub repaired: u64,
    /// Nodes that voted again after their disk had been replaced.
    pub rejoined: u64,
    /// Blocks taken from peers under their certificates.
    pub synced: u64,
    /// Changes of the configuration that were decided.
    pub changes: u64,
    /// Changes that another one had overtaken.
    pub overtaken: u64,
    /// Nodes that got new keys.
    pub renewed: u64,
    /// From the end of the faults until all was well, in virtual milliseconds.
    pub recovery_ms: u64,
}

impl Stats {
    /// Adds another run's figures; of recoveries the longest counts.
    pub fn add(&mut self, other: &Self) {
        self.blocks += other.blocks;
        self.messages += other.messages;
        self.crashes += other.crashes;
        self.turns += other.turns;
        self.partitions += other.partitions;
        self.accusations += other.accusations;
        self.refusals += other.refusals;
        self.suspensions += other.suspensions;
        self.damaged += other.damaged;
        self.repaired += other.repaired;
        self.rejoined += other.rejoined;
        self.synced += other.synced;
        self.changes += other.changes;
        self.overtaken += other.overtaken;
        self.renewed += other.renewed;
        self.recovery_ms = self.recovery_ms.max(other.recovery_ms);
    }
}

/// A network under way.
pub(crate) struct Sim {
    world: Rc<World>,
    plan: Plan,
    rng: Rng,
    now_ms: u64,
    heap: BTreeMap<(u64, u64), Happening>,
    sequence: u64,
    nodes: Vec<Node>,
    /// Pairs, from and to, whose messages are dropped, and until when.
    cut: BTreeMap<(usize, usize), u64>,
    clients: Clients,
    changes: Changes,
    /// Validators by the sequence of the configuration that names them.
    validators: BTreeMap<u64, Rc<Vec<PeerId>>>,
    traitors: BTreeMap<usize, Traitor>,
    oracle: Oracle,
    healed: bool,
    turns_now: (u64, u32),
    stats: Stats,
    trace: bool,
}

/// What can happen.
#[derive(Clone, Debug)]
enum Happening {
    Arrive { to: usize, incarnation: u64, from: usize, bytes: Bytes },
    Turn { node: usize },
    Restart { node: usize },
    Tick,
    Submit { operation: usize },
    Change { change: usize },
}

impl Sim {
    /// A network for a plan.
    #[must_use]
    pub(crate) fn new(world: Rc<World>, plan: Plan, rng: Rng, trace: bool) -> Self {
        let nodes = world.members.iter().map(|keys| Node::new(keys.id)).collect();
        let clients = Clients::new(plan.operations);
        let changes = Changes::new(plan.changes);
        Self {
            world,
            plan,
            rng,
            now_ms: 0,
            heap: BTreeMap::new(),
            sequence: 0,
            nodes,
            cut: BTreeMap::new(),
            clients,
            changes,
            validators: BTreeMap::new(),
            traitors: BTreeMap::new(),
            oracle: Oracle::default(),
            healed: false,
            turns_now: (0, 0),
            stats: Stats::default(),
            trace,
        }
    }

    /// Runs to the end.
    ///
    /// # Errors
    ///
    /// The first [`Violation`].
    pub(crate) fn run(mut self) -> Result<Stats, Violation> {
        self.choose_traitors();
        for node in 0..self.nodes.len() {
            self.start(node)?;
        }
        for operation in 0..self.plan.operations {
            let at = self.rng.below(self.plan.faulty_ms * 9 / 10);
            self.plan_at(at, Happening::Submit { operation });
        }
        for change in 0..self.plan.changes {
            let at = self.rng.below(self.plan.faulty_ms * 9 / 10);
            self.plan_at(at, Happening::Change { change });
        }
        self.plan_at(TICK_MS, Happening::Tick);
        while let Some(((at, _), happening)) = self.heap.pop_first() {
            self.now_ms = at;
            match happening {
                Happening::Arrive { to, incarnation, from, bytes } => {
                    self.arrive((to, incarnation), from, &bytes)?;
                }
                Happening::Turn { node } => self.turn(node)?,
                Happening::Restart { node } => self.start(node)?,
                Happening::Submit { operation } => self.submit(operation)?,
                Happening::Change { change } => self.change(change)?,
                Happening::Tick => {
                    if self.tick()? {
                        return self.finish();
                    }
                }
            }
        }
        Err(Violation { property: "liveness", what: "nothing left to happen".to_owned() })
    }

    fn choose_traitors(&mut self) {
        while self.traitors.len() < self.plan.traitors {
            let node = self.rng.place(self.plan.validators);
            self.traitors.entry(node).or_default();
            if let Some(node) = self.nodes.get_mut(node) {
                node.traitor = true;
            }
        }
    }

    /// Every quarter of a second: something breaks, or is looked at. True when all is well.
    fn tick(&mut self) -> Result<bool, Violation> {
        self.note_repairs();
        self.renew_keys()?;
        if self.now_ms < self.plan.faulty_ms {
            self.throw_dice()?;
        } else if !self.healed {
            self.heal()?;
        } else if self.is_well() {
            self.stats.recovery_ms = self.now_ms - self.plan.faulty_ms;
            return Ok(true);
        } else if self.now_ms > self.plan.faulty_ms + RECOVERY_MS {
            return Err(Violation { property: "liveness", what: self.describe() });
        }
        self.check_bounds()?;
        self.plan_at(self.now_ms + TICK_MS, Happening::Tick);
        Ok(false)
    }

    /// Starts a node's process and links it with the others.
    fn start(&mut self, at: usize) -> Result<(), Violation> {
        let (world, now_ms) = (Rc::clone(&self.world), self.now_ms);
        let Some(node) = self.nodes.get_mut(at) else { return Ok(()) };
        if node.running.is_some() || node.gone {
            return Ok(());
        }
        if let Err(error) = node.start(at, &world, now_ms) {
            self.log(at, &format!("does not start: {error}"));
            return self.does_not_start(at, &error);
        }
        self.log(at, "starts");
        let node = &self.nodes[at];
        let height = node.running.as_ref().map_or(0, |r| r.channel.status().height - 1);
        if height < node.durable && !node.traitor && !node.flipped {
            let what = format!("node {at} had block {}, now ends with {height}", node.durable);
            return Err(Violation { property: "a durable block is lost", what });
        }
        self.read_again(at)?;
        let ids: Vec<_> = self.nodes.iter().map(|node| node.id).collect();
        for other in 0..self.nodes.len() {
            if other == at || self.nodes[other].running.is_none() {
                continue;
            }
            for (of, id) in [(other, ids[at]), (at, ids[other])] {
                if let Some(Running { orderer, .. }) = self.nodes[of].running.as_mut() {
                    orderer.connect(id);
                }
                self.plan_turn(of, now_ms);
            }
        }
        self.plan_turn(at, now_ms);
        self.after_turn(at)
    }

    /// After a start: every block is still there and the same.
    fn read_again(&mut self, at: usize) -> Result<(), Violation> {
        let node = &self.nodes[at];
        let Some(running) = node.running.as_ref().filter(|_| !node.traitor) else { return Ok(()) };
        for number in 1..running.channel.status().height {
            let block = running.channel.block(number).ok().flatten();
            let Some(block) = block else {
                let what = format!("node {at} cannot read block {number} after a start");
                return Err(Violation { property: "a durable block is lost", what });
            };
            self.oracle.commits(&self.world, at, &block)?;
        }
        Ok(())
    }

    /// A node's process ends; it comes back after a while.
    fn stop(&mut self, at: usize, all_lost: bool, down_ms: u64) {
        self.stats.crashes += 1;
        let id = self.nodes[at].id;
        self.nodes[at].crash(&mut self.rng, all_lost);
        for node in &mut self.nodes {
            if let Some(Running { orderer, .. }) = node.running.as_mut() {
                orderer.disconnect(id);
            }
        }
        self.log(at, &format!("is down for {down_ms} ms"));
        self.plan_at(self.now_ms + down_ms, Happening::Restart { node: at });
    }

    fn turn(&mut self, at: usize) -> Result<(), Violation> {
        let now_ms = self.now_ms;
        let node = &mut self.nodes[at];
        if node.turn_at != Some(now_ms) {
            return Ok(());
        }
        node.turn_at = None;
        node.set_clock(now_ms);
        let Some(Running { orderer, .. }) = node.running.as_mut() else { return Ok(()) };
        self.stats.turns += 1;
        let turned = orderer.turn(now_ms);
        self.turns_now =
            if self.turns_now.0 == now_ms { (now_ms, self.turns_now.1 + 1) } else { (now_ms, 1) };
        if self.turns_now.1 > TURNS_PER_MOMENT_MAX {
            let what = format!("node {at} turns without end");
            return Err(Violation { property: "liveness", what });
        }
        self.after_turn(at)?;
        match turned {
            Ok(_) if self.nodes[at].machine_died() => self.halted(at, "the machine died"),
            Ok(turn) => {
                if let Some(deadline) = turn.deadline_ms {
                    self.plan_turn(at, deadline.max(now_ms));
                }
                Ok(())
            }
            Err(halted) => self.halted(at, &halted.0),
        }
    }

    /// Sends what a node wants to be sent, and looks at what it reports.
    fn after_turn(&mut self, at: usize) -> Result<(), Violation> {
        let Some(Running { orderer, .. }) = self.nodes[at].running.as_mut() else { return Ok(()) };
        let mut out = orderer.take_outbox();
        let events = orderer.take_events();
        if self.nodes[at].machine_died() {
            // In the middle of its turn: what it had not sent it never sends.
            out.clear();
        }
        if out.len() > 20_000 {
            let what = format!("node {at} sends {} messages at once", out.len());
            return Err(Violation { property: "bounded memory", what });
        }
        for event in events {
            self.reported(at, event)?;
        }
        self.post(at, out);
        self.answers(at)?;
        self.told_of_changes(at)
    }

    fn reported(&mut self, at: usize, event: OrderEvent) -> Result<(), Violation> {
        self.log(at, &format!("{event:?}").chars().take(200).collect::<String>());
        if self.nodes[at].traitor {
            return Ok(());
        }
        match event {
            OrderEvent::Committed { number, synced, .. } => {
                self.stats.synced += u64::from(synced);
                let world = Rc::clone(&self.world);
                let node = &mut self.nodes[at];
                node.durable = node.durable.max(number);
                let running = node.running.as_ref();
                let block = running.and_then(|r| r.channel.block(number).ok().flatten());
                let Some(block) = block else {
                    if node.machine_died() {
                        // Looked at when it is back.
                        return Ok(());
                    }
                    let what = format!("node {at} cannot read block {number}");
                    return Err(Violation { property: "a durable block is lost", what });
                };
                self.oracle.commits(&world, at, &block)
            }
            OrderEvent::Misbehaviour(case) => {
                self.stats.accusations += 1;
                // A consensus log that lost a bit after it lost the slot that vouches for it is a
                // double fault that storage cannot tell from a torn write.
                let nodes = self.nodes.iter().enumerate();
                let forgetful = nodes.filter(|(_, node)| node.forgetful).map(|(at, _)| at);
                let guilty = self.traitors.keys().copied().chain(forgetful);
                let world = &self.world;
                let keys = guilty.flat_map(|at| [world.members.get(at), world.renewed.get(at)]);
                let guilty: BTreeSet<ValidatorAddress> =
                    keys.flatten().map(|keys| ValidatorAddress::new(keys.id.0)).collect();
                self.oracle.accuses(&self.world, &case, &guilty)
            }
            OrderEvent::Refused { peer, fault } => {
                self.stats.refusals += 1;
                let from = self.nodes.iter().position(|node| node.id == peer);
                let honest = from.is_some_and(|from| !self.nodes[from].traitor);
                if honest && !fault_of_the_network(&fault) {
                    let what = format!("node {at} refuses what honest {from:?} sent: {fault}");
                    return Err(Violation { property: "only the guilty are accused", what });
                }
                Ok(())
            }
            OrderEvent::Suspended { .. } => {
                self.stats.suspensions += 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Plans a node's turn, unless an earlier one is planned.
    fn plan_turn(&mut self, node: usize, at: u64) {
        let planned = &mut self.nodes[node];
        let at = at.max(self.now_ms) + if at <= self.now_ms { planned.lag_ms } else { 0 };
        if planned.running.is_none() || planned.turn_at.is_some_and(|earlier| earlier <= at) {
            return;
        }
        planned.turn_at = Some(at);
        self.plan_at(at, Happening::Turn { node });
    }

    fn plan_at(&mut self, at: u64, happening: Happening) {
        self.sequence += 1;
        self.heap.insert((at, self.sequence), happening);
    }

    /// A node whose disk had lost a bit has all blocks again.
    fn note_repairs(&mut self) {
        let height = self.oracle.height();
        for node in self.nodes.iter_mut().filter(|node| node.wiped) {
            if node.running.as_ref().is_some_and(|running| !running.orderer.is_newcomer()) {
                node.wiped = false;
                self.stats.rejoined += 1;
            }
        }
        for node in self.nodes.iter_mut().filter(|node| node.flipped) {
            let has = node.running.as_ref().map(|running| running.channel.status().height);
            if has == Some(height + 1) {
                node.flipped = false;
                self.stats.repaired += 1;
            }
        }
    }

    /// All operations are answered, and all honest nodes have the same blocks.
    fn is_well(&self) -> bool {
        let height = self.oracle.height();
        self.clients.all_answered()
            && self.changes.all_made()
            && self.has_its_validators()
            && self.honest().all(|(_, running)| running.channel.status().height == height + 1)
    }

    fn finish(self) -> Result<Stats, Violation> {
        self.oracle.is_append_only()?;
        for (at, running) in self.honest() {
            let find = |tx_id: &_| running.channel.transaction(tx_id).ok()?.map(|(_, o)| o);
            self.oracle.keeps_its_word(at, &find)?;
            for (height, config) in self.oracle.offices() {
                // Reading an old one costs as much as some blocks: one node shows them all.
                let newest = running.channel.config();
                let found = if newest.sequence == config.sequence {
                    Some(newest)
                } else if at == 0 {
                    running.channel.config_at(height).ok().map(std::sync::Arc::new)
                } else {
                    continue;
                };
                if found.as_deref() != Some(config) {
                    let what = format!("node {at}, configuration {}", config.sequence);
                    return Err(Violation { property: "agreement on configurations", what });
                }
            }
        }
        let changes = self.oracle.offices().count().saturating_sub(1) as u64;
        Ok(Stats { blocks: self.oracle.height(), changes, ..self.stats })
    }

    fn honest(&self) -> impl Iterator<Item = (usize, &Running)> {
        let nodes = self.nodes.iter().enumerate().filter(|(_, node)| !node.traitor);
        nodes.filter_map(|(at, node)| Some((at, node.running.as_ref()?)))
    }

    fn check_bounds(&self) -> Result<(), Violation> {
        for (at, node) in self.nodes.iter().enumerate() {
            let bytes = node.wal_bytes();
            if bytes > 64 << 20 {
                let what = format!("the consensus log of node {at} has {bytes} bytes");
                return Err(Violation { property: "bounded memory", what });
            }
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let mut text = format!("at {} ms, decided {}", self.now_ms, self.oracle.height());
        for (at, node) in self.nodes.iter().enumerate() {
            let state = match &node.running {
                Some(running) => {
                    let status = running.channel.status();
                    format!("{} {:?} {:?}", status.height - 1, status.condition, running.orderer)
                }
                None => "down".to_owned(),
            };
            let role = if node.traitor { " (traitor)" } else { "" };
            text.push_str(&format!("\n  node {at}{role}: {state}"));
        }
        text.push_str(&format!("\n  {}", self.clients.describe()));
        text.push_str(&format!("\n  {}", self.changes.describe()));
        text
    }

    #[expect(clippy::print_stderr, reason = "a trace is asked for on the command line")]
    fn log(&self, at: usize, what: &str) {
        if self.trace {
            eprintln!("{:>7} node {at}: {what}", self.now_ms);
        }
    }
}

/// What an honest node may send by no fault of its own.
fn fault_of_the_network(fault: &changbai_channel::Fault) -> bool {
    use changbai_channel::{BodyFault, Fault};
    match fault {
        // Clocks are off, links go up and down, and blocks are asked for when they are gone.
        Fault::Body { fault: BodyFault::Time, .. } | Fault::NotConnected => true,
        _ => false,
    }
}
