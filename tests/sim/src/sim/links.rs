//! Messages between nodes: delayed, lost, doubled, out of order, cut off.

use bytes::Bytes;
use changbai_channel::{Destination, Outgoing};

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
            let world = std::rc::Rc::clone(&self.world);
            let others: Vec<_> = world.set.members().iter().map(|m| m.address).collect();
            if let Some(keys) = world.members.get(from) {
                let vices = &self.plan.vices;
                let letters = traitor.twist(vices, &keys.key, letters, &others, &mut self.rng);
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

    fn targets(&self, from: usize, to: Destination) -> Vec<usize> {
        let validators = self.plan.validators;
        (0..self.nodes.len())
            .filter(|at| *at != from)
            .filter(|at| match to {
                Destination::All => true,
                Destination::Validators => *at < validators,
                Destination::Followers => *at >= validators,
                Destination::Peer(id) => self.nodes.get(*at).is_some_and(|node| node.id == id),
            })
            .collect()
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
            self.plan_at(at, Happening::Arrive { to, from, bytes });
        }
    }

    pub(super) fn arrive(
        &mut self,
        to: usize,
        from: usize,
        bytes: &Bytes,
    ) -> Result<(), Violation> {
        let id = self.nodes[from].id;
        let now_ms = self.now_ms;
        let Some(Running { orderer, .. }) = self.nodes[to].running.as_mut() else { return Ok(()) };
        self.stats.messages += 1;
        // A full inbox drops it: the protocol makes up for lost messages.
        let _ = orderer.deliver(id, bytes, now_ms);
        self.plan_turn(to, now_ms);
        Ok(())
    }
}
