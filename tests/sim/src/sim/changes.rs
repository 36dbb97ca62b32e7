//! Administrators: they change the configuration by updates like everybody's, and give nodes new keys.

use std::collections::BTreeSet;

use changbai_channel::{BroadcastError, Channel, Outcome, PeerId};
use changbai_msp::{ChannelConfig, ConfigUpdate, Sender, ValidatorConfig, update_id};
use changbai_wire::proto::common;
use changbai_wire::time::UnixMillis;
use changbai_wire::{TxId, ValidationCode};
use prost::Message as _;
use smkit::{Sm3Digest, sm3};
use tokio::sync::oneshot::Receiver;

use super::{Happening, Sim};
use crate::oracle::Violation;
use crate::world::{Keys, seats_of, text};

/// All changes that are wanted.
pub(super) struct Changes {
    wanted: Vec<Wanted>,
    waits: Vec<Wait>,
    /// Nodes that were to get another key, and those that were to join with the one they had: an update
    /// that names a key must not be under way while that key is given up.
    renewing: BTreeSet<usize>,
    joining: BTreeSet<usize>,
}

#[derive(Default)]
struct Wanted {
    goal: Option<Goal>,
    /// The update that is under way.
    update: Option<(TxId, Vec<u8>)>,
    made: bool,
    attempts: u32,
}

/// What a change is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    /// A node becomes a validator.
    Join(usize),
    /// A validator follows from then on.
    Leave(usize),
    /// A validator gets its second key.
    Renew(usize),
    /// A certificate counts no more.
    Revoke(Sm3Digest),
}

struct Wait {
    change: usize,
    tx_id: TxId,
    node: usize,
    incarnation: u64,
    receiver: Receiver<Outcome>,
}

impl Changes {
    pub(super) fn new(count: usize) -> Self {
        let wanted = (0..count).map(|_| Wanted::default()).collect();
        let (renewing, joining) = (BTreeSet::new(), BTreeSet::new());
        Self { wanted, waits: Vec::new(), renewing, joining }
    }

    pub(super) fn all_made(&self) -> bool {
        self.wanted.iter().all(|wanted| wanted.made)
    }

    pub(super) fn describe(&self) -> String {
        let open = self.wanted.iter().filter(|wanted| !wanted.made);
        let open: Vec<_> = open.map(|wanted| (wanted.goal, wanted.attempts)).collect();
        format!("open changes with their attempts: {open:?}")
    }
}

impl Sim {
    /// One attempt at a change; until it is made another one follows.
    pub(super) fn change(&mut self, change: usize) -> Result<(), Violation> {
        let again = self.rng.within(400, 1_600);
        if self.changes.wanted[change].made {
            return Ok(());
        }
        let config = self.office()?;
        let goal = self.changes.wanted[change].goal.filter(|goal| self.is_possible(goal, &config));
        let Some(goal) = goal.or_else(|| self.choose(&config)) else {
            // Nothing of the kind can be changed here.
            self.changes.wanted[change].made = true;
            return Ok(());
        };
        let wanted = &mut self.changes.wanted[change];
        if wanted.goal != Some(goal) {
            (wanted.goal, wanted.update) = (Some(goal), None);
        }
        if self.is_reached(&goal, &config) {
            self.changes.wanted[change].made = true;
            return Ok(());
        }
        self.changes.wanted[change].attempts += 1;
        self.plan_at(self.now_ms + again, Happening::Change { change });
        let up: Vec<usize> =
            (0..self.nodes.len()).filter(|at| self.nodes[*at].running.is_some()).collect();
        let Some(at) = up.get(self.rng.place(up.len())).copied() else { return Ok(()) };
        let Some(running) = self.nodes[at].running.as_ref() else { return Ok(()) };
        let channel = running.channel.clone();
        self.nodes[at].set_clock(self.now_ms);
        if self.rng.chance(250) {
            self.try_to_break(at, &channel)?;
        }
        self.hand_in(change, goal, at, &channel)
    }

    /// Hands the update in, the one that is under way or a new one for what the node has in force.
    fn hand_in(
        &mut self,
        change: usize,
        goal: Goal,
        at: usize,
        channel: &Channel,
    ) -> Result<(), Violation> {
        if self.changes.wanted[change].update.is_none() {
            let current = channel.config();
            let next = self.made_of(&goal, &current).map_err(broken)?;
            // This node may know already that it is made, or be late.
            let Ok(update) = ConfigUpdate::compute(&current, &next) else { return Ok(()) };
            self.changes.wanted[change].update = Some(self.agreed(&update)?);
        }
        let Some((tx_id, envelope)) = self.changes.wanted[change].update.clone() else {
            return Ok(());
        };
        self.oracle.submits(tx_id, &envelope);
        self.log(at, &format!("is handed {goal:?}, {tx_id}"));
        match channel.broadcast(envelope) {
            Ok(receiver) => {
                let incarnation = self.nodes[at].incarnation;
                let wait = Wait { change, tx_id, node: at, incarnation, receiver };
                self.changes.waits.push(wait);
                self.plan_turn(at, self.now_ms);
            }
            Err(BroadcastError::Duplicate { .. }) if !self.nodes[at].traitor => {
                if let Ok(Some((_, outcome))) = channel.transaction(&tx_id) {
                    self.changes.wanted[change].made = true;
                    self.oracle.tells(tx_id, outcome)?;
                }
            }
            // Computed against another configuration than is in force here.
            Err(BroadcastError::Config(error)) => {
                self.log(at, &format!("refuses it: {} {error}", error.code()));
                if error.code().starts_with("MS-21") && self.rng.chance(500) {
                    self.changes.wanted[change].update = None;
                }
            }
            Err(_) => {}
        }
        Ok(())
    }

    /// Looks for answers of a node.
    pub(super) fn told_of_changes(&mut self, at: usize) -> Result<(), Violation> {
        let (incarnation, traitor) = (self.nodes[at].incarnation, self.nodes[at].traitor);
        let mut found = Vec::new();
        self.changes.waits.retain_mut(|wait| {
            use tokio::sync::oneshot::error::TryRecvError;
            if wait.node != at {
                return true;
            }
            match wait.receiver.try_recv() {
                Ok(outcome) => {
                    if !traitor && wait.incarnation == incarnation {
                        found.push((wait.change, wait.tx_id, outcome));
                    }
                    false
                }
                Err(TryRecvError::Empty) => true,
                Err(TryRecvError::Closed) => false,
            }
        });
        for (change, tx_id, outcome) in found {
            match outcome.code {
                ValidationCode::Valid => {
                    // Another change may take it back.
                    self.changes.wanted[change].made = true;
                    self.oracle.tells(tx_id, outcome)?;
                }
                ValidationCode::InvalidConfigTransaction => {
                    self.stats.overtaken += 1;
                    self.changes.wanted[change].update.take_if(|(id, _)| *id == tx_id);
                }
                code => {
                    let what = format!("node {at} says of a change that it is {code}");
                    return Err(Violation { property: "changes are made or overtaken", what });
                }
            }
        }
        Ok(())
    }

    /// A change that the validators would not survive is refused, whoever has agreed to it.
    fn try_to_break(&mut self, at: usize, channel: &Channel) -> Result<(), Violation> {
        let current = channel.config();
        let all: Vec<&Keys> = self.world.renewed.iter().collect();
        let count = current.validators.len();
        // All of them at once; of a single one, two.
        let others = all.get(..count.max(2).min(all.len())).unwrap_or_default();
        let seats = seats_of(others).map_err(broken)?;
        if current.check_validator_change(&with(&current, seats.clone())).is_ok() {
            return Ok(());
        }
        let Some(update) = by_hand(&current, &with(&current, seats)) else { return Ok(()) };
        let (_, envelope) = self.agreed(&update)?;
        let honest = !self.nodes[at].traitor;
        match channel.broadcast(envelope) {
            Err(BroadcastError::Config(error)) if error.code().starts_with("MS-24") => Ok(()),
            Ok(_) | Err(BroadcastError::Config(_)) if honest => {
                let what = format!("node {at} takes other validators for all of {count}");
                Err(Violation { property: "the quorum is never broken", what })
            }
            _ => Ok(()),
        }
    }

    /// Operators give nodes the keys that the configuration names, once the node itself has it in force.
    pub(super) fn renew_keys(&mut self) -> Result<(), Violation> {
        for at in 0..self.nodes.len() {
            let world = std::rc::Rc::clone(&self.world);
            let (node, Some(keys)) = (&self.nodes[at], world.renewed.get(at)) else { continue };
            let Some(running) = node.running.as_ref().filter(|_| !node.renewed) else { continue };
            let config = running.channel.config();
            if config.validators.iter().any(|v| PeerId::from(v.address()) == keys.id) {
                let down_ms = self.rng.within(10, 400);
                self.stop(at, false, down_ms);
                self.log(at, "gets its second key");
                self.nodes[at].renew(keys);
                self.stats.renewed += 1;
            }
        }
        Ok(())
    }

    /// Whether every validator of the last configuration has a node with its key.
    pub(super) fn has_its_validators(&self) -> bool {
        let Some((_, config)) = self.oracle.offices().last() else { return true };
        let ids = config.validators.iter().map(|v| PeerId::from(v.address()));
        ids.into_iter().all(|id| self.nodes.iter().any(|node| node.id == id))
    }

    /// A goal that makes sense now.
    fn choose(&mut self, config: &ChannelConfig) -> Option<Goal> {
        let node = self.rng.place(self.nodes.len());
        let revoked = sm3(&self.rng.next().to_be_bytes());
        let goals = [Goal::Renew(node), Goal::Join(node), Goal::Leave(node), Goal::Revoke(revoked)];
        let from = self.rng.place(goals.len());
        let Changes { renewing, joining, .. } = &self.changes;
        let keeps_keys = |goal: &Goal| match goal {
            Goal::Join(node) => !renewing.contains(node),
            Goal::Renew(node) => !renewing.contains(node) && !joining.contains(node),
            Goal::Leave(_) | Goal::Revoke(_) => true,
        };
        let goal = goals
            .into_iter()
            .cycle()
            .skip(from)
            .take(goals.len())
            .filter(|goal| keeps_keys(goal) && self.is_possible(goal, config))
            .find(|goal| !self.is_reached(goal, config))?;
        match goal {
            Goal::Join(node) => drop(self.changes.joining.insert(node)),
            Goal::Renew(node) => drop(self.changes.renewing.insert(node)),
            Goal::Leave(_) | Goal::Revoke(_) => {}
        }
        Some(goal)
    }

    /// Whether the faults that are planned stay tolerated: a newcomer has a part in deciding, and after
    /// somebody left as many faults are tolerated as before.
    fn is_possible(&self, goal: &Goal, config: &ChannelConfig) -> bool {
        let count = config.validators.len();
        match goal {
            Goal::Join(node) => !self.nodes[*node].is_lost() && count < self.nodes.len(),
            Goal::Leave(_) => {
                let fewest = if self.plan.validators >= 4 { 4 } else { 1 };
                count > fewest && count.saturating_sub(2) / 3 >= self.plan.tolerated()
            }
            Goal::Renew(node) => {
                let open = self.is_reached(goal, config) || self.place_of(*node, config).is_some();
                open && !self.nodes[*node].traitor
            }
            Goal::Revoke(_) => true,
        }
    }

    fn is_reached(&self, goal: &Goal, config: &ChannelConfig) -> bool {
        match goal {
            Goal::Join(node) => self.place_of(*node, config).is_some(),
            Goal::Leave(node) => self.place_of(*node, config).is_none(),
            Goal::Renew(node) => {
                let keys = self.world.renewed.get(*node);
                keys.is_some_and(|keys| place(config, keys.id).is_some())
            }
            Goal::Revoke(sm3) => config.orgs.iter().any(|org| org.revoked.contains(sm3)),
        }
    }

    /// What a goal makes of a configuration.
    fn made_of(&self, goal: &Goal, config: &ChannelConfig) -> Result<ChannelConfig, String> {
        let mut next = config.clone();
        match *goal {
            Goal::Join(node) => {
                let keys = if self.nodes[node].renewed {
                    &self.world.renewed
                } else {
                    &self.world.members
                };
                next.validators.extend(seats_of(&[&keys[node]])?);
            }
            Goal::Leave(node) => {
                if let Some(at) = self.place_of(node, config) {
                    next.validators.remove(at);
                }
            }
            Goal::Renew(node) => {
                if let Some(at) = self.place_of(node, config) {
                    next.validators[at].certificate = self.world.renewed[node].certificate.clone();
                }
            }
            Goal::Revoke(sm3) => next.orgs.iter_mut().for_each(|org| org.revoked.push(sm3)),
        }
        for (index, validator) in next.validators.iter_mut().enumerate() {
            validator.index = u32::try_from(index).map_err(text)?;
        }
        Ok(next)
    }

    fn place_of(&self, node: usize, config: &ChannelConfig) -> Option<usize> {
        place(config, self.nodes[node].id)
    }

    /// The last configuration that any honest node has in force.
    fn office(&mut self) -> Result<ChannelConfig, Violation> {
        let world = std::rc::Rc::clone(&self.world);
        Ok(self.oracle.office(&world, u64::MAX)?.config.clone())
    }

    /// An update with an administrator's consent, ready to be sent.
    fn agreed(&mut self, update: &ConfigUpdate) -> Result<(TxId, Vec<u8>), Violation> {
        let nonce: Vec<u8> = (0..3).flat_map(|_| self.rng.next().to_be_bytes()).collect();
        let admin = &self.world.admin;
        let sender = Sender { identity: &admin.serialized, key: &admin.key };
        let consent = update.sign(sender, &nonce);
        let time = UnixMillis(crate::world::EPOCH_MS + self.now_ms);
        let envelope = update.to_envelope(&[consent], sender, &nonce, time);
        let tx_id = update_id(&envelope).map_err(|e| broken(text(e)))?;
        Ok((tx_id, envelope))
    }
}

fn place(config: &ChannelConfig, id: PeerId) -> Option<usize> {
    config.validators.iter().position(|validator| PeerId::from(validator.address()) == id)
}

fn with(config: &ChannelConfig, validators: Vec<ValidatorConfig>) -> ChannelConfig {
    let mut next = config.clone();
    next.validators = validators;
    next
}

/// An update of the validators that would not be computed.
fn by_hand(current: &ChannelConfig, next: &ChannelConfig) -> Option<ConfigUpdate> {
    let mut one = current.clone();
    let first = next.validators.first()?.certificate.clone();
    one.validators.first_mut()?.certificate = first;
    let update = ConfigUpdate::compute(current, &one).ok()?;
    let genesis = common::Envelope::decode(&*next.to_genesis_envelope()).ok()?;
    let payload = common::Payload::decode(&*genesis.payload).ok()?;
    let config = common::ConfigEnvelope::decode(&*payload.data).ok()?.config?;
    let orderers = config.channel_group?.values.get("Orderers")?.value.clone();
    let mut message = common::ConfigUpdate::decode(update.as_bytes()).ok()?;
    message.write_set.as_mut()?.values.get_mut("Orderers")?.value = orderers;
    ConfigUpdate::from_bytes(&message.encode_to_vec()).ok()
}

fn broken(what: String) -> Violation {
    Violation { property: "a world can be made", what }
}
