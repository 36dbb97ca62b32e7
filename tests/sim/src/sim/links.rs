//! Messages between nodes: delayed, lost, doubled, out of order, cut off.

use std::rc::Rc;

use bytes::Bytes;
use changbai_channel::{Destination, Outgoing, PeerId};
use changbai_wire::ValidatorAddress;

use super::{Happening, Sim};
use crate::node::Running;
use crate::oracle::Violation;
use crate::traitor::Letter;

impl Sim {
    /// Takes a node's outbox to the network.
    pub(super) fn post(&mut self, from: usize, out: Vec<Outgoing>) {
        if let Some(mut traitor) = self.traitors.remove(&from) {
            let letters: Vec<Letter> = out
                .into_iter()
                .flat_map(|message| {
                    let bytes = message.bytes.to_vec();
                    self.targets(from, message.to).into_iter().map(move |to| (to, bytes.clone()))
                })
                .collect();
            let world = Rc::clone(&self.world);
            let others: Vec<_> =
                self.validators_of(from).iter().map(|id| ValidatorAddress::new(id.0)).collect();
            let nodes = self.plan.validators;
            if let Some(keys) = world.members.get(from) {
                let vices = &self.plan.vices;
                let letters =
                    traitor.twist(vices, &keys.key, letters, &others, nodes, &mut self.rng);
                for (to, bytes) in letters {
                    self.send(from, to, &Bytes::from(bytes));
                }
            }
            self.traitors.insert(from, traitor);
            return;
        }
        for message in out {
            for to in self.targets(from, message.to) {
                self.send(from, to, &message.bytes);
            }
        }
    }

    fn targets(&mut self, from: usize, to: Destination) -> Vec<usize> {
        let validators = self.validators_of(from);
        let meant = |id: PeerId| match to {
            Destination::All => true,
            Destination::Validators => validators.contains(&id),
            Destination::Followers => !validators.contains(&id),
            Destination::Peer(peer) => peer == id,
        };
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(|(at, node)| *at != from && meant(node.id)).map(|(at, _)| at).collect()
    }

    /// The validators of the configuration that a node has in force.
    fn validators_of(&mut self, at: usize) -> Rc<Vec<PeerId>> {
        let Some(running) = self.nodes[at].running.as_ref() else { return Rc::default() };
        let config = running.channel.config();
        let named = || {
            let validators = config.validators.iter();
            Rc::new(validators.map(|validator| validator.address().into()).collect())
        };
        Rc::clone(self.validators.entry(config.sequence).or_insert_with(named))
    }

    fn send(&mut self, from: usize, to: usize, bytes: &Bytes) {
        if self.cut.get(&(from, to)).is_some_and(|until| self.now_ms < *until) {
            return;
        }
        let (loss, twice, delay_ms) = if self.healed {
            (0, 0, 10)
        } else {
            (self.plan.loss, self.plan.twice, self.plan.delay_ms)
        };
        if self.rng.chance(loss) {
            return;
        }
        let copies = 1 + u64::from(self.rng.chance(twice));
        for _ in 0..copies {
            let at = self.now_ms + self.rng.within(1, delay_ms);
            let bytes = bytes.clone();
            let incarnation = self.nodes[to].incarnation;
            self.plan_at(at, Happening::Arrive { to, incarnation, from, bytes });
        }
    }

    pub(super) fn arrive(
        &mut self,
        (to, incarnation): (usize, u64),
        from: usize,
        bytes: &Bytes,
    ) -> Result<(), Violation> {
        let id = self.nodes[from].id;
        let now_ms = self.now_ms;
        if self.nodes[to].wiped && self.nodes[to].incarnation != incarnation {
            // A link does not outlive its process. Others must bear even this; who has lost what it
            // has signed relies on links for what is said to it after its start.
            return Ok(());
        }
        let Some(Running { orderer, .. }) = self.nodes[to].running.as_mut() else { return Ok(()) };
        self.stats.messages += 1;
        // A full inbox drops it: the protocol makes up for lost messages.
        let _ = orderer.deliver(id, bytes, now_ms);
        self.plan_turn(to, now_ms);
        Ok(())
    }
}
