//! Callers: they hand in a transaction, wait, and hand the same one in elsewhere.

use changbai_channel::{BroadcastError, Outcome};
use changbai_wire::TxId;
use tokio::sync::oneshot::Receiver;

use super::{Happening, Sim};
use crate::oracle::Violation;
use crate::world::call;

/// All operations.
pub(super) struct Clients {
    operations: Vec<Operation>,
    waits: Vec<Wait>,
}

#[derive(Default)]
struct Operation {
    transaction: Option<(TxId, Vec<u8>)>,
    answer: Option<Outcome>,
    attempts: u32,
}

struct Wait {
    operation: usize,
    node: usize,
    incarnation: u64,
    receiver: Receiver<Outcome>,
}

impl Clients {
    pub(super) fn new(count: usize) -> Self {
        let operations = (0..count).map(|_| Operation::default()).collect();
        Self { operations, waits: Vec::new() }
    }

    pub(super) fn all_answered(&self) -> bool {
        self.operations.iter().all(|operation| operation.answer.is_some())
    }

    pub(super) fn describe(&self) -> String {
        let open = self.operations.iter().enumerate().filter(|(_, o)| o.answer.is_none());
        let open: Vec<_> = open.map(|(at, o)| (at, o.attempts)).collect();
        format!("open operations with their attempts: {open:?}")
    }
}

impl Sim {
    /// One attempt at an operation; until it is answered another one follows.
    pub(super) fn submit(&mut self, operation: usize) -> Result<(), Violation> {
        let again = self.rng.within(400, 2_000);
        if self.clients.operations[operation].answer.is_some() {
            return Ok(());
        }
        self.clients.operations[operation].attempts += 1;
        self.plan_at(self.now_ms + again, Happening::Submit { operation });
        // Now and then to two nodes at once.
        let doors = 1 + u64::from(self.rng.chance(100));
        for _ in 0..doors {
            self.knock(operation)?;
        }
        Ok(())
    }

    fn knock(&mut self, operation: usize) -> Result<(), Violation> {
        let up: Vec<usize> =
            (0..self.nodes.len()).filter(|at| self.nodes[*at].running.is_some()).collect();
        let Some(at) = up.get(self.rng.place(up.len())).copied() else { return Ok(()) };
        let wall_ms = self.nodes[at].wall_ms(self.now_ms);
        self.nodes[at].set_clock(self.now_ms);
        let incarnation = self.nodes[at].incarnation;
        let Some(running) = self.nodes[at].running.as_ref() else { return Ok(()) };
        let channel = running.channel.clone();
        if self.clients.operations[operation].transaction.is_none() {
            let key = format!("k{operation}");
            let words: &[&str] = match self.rng.below(3) {
                0 => &["Add", "n"],
                _ => &["Put", &key, "x"],
            };
            let invocation = call(words, wall_ms, &mut self.rng);
            // A node that cannot simulate now may do so later, or another one.
            let Ok(endorsed) = channel.endorse(&self.world.client, &invocation) else {
                return Ok(());
            };
            self.oracle.submits(endorsed.tx_id, &endorsed.envelope);
            self.clients.operations[operation].transaction =
                Some((endorsed.tx_id, endorsed.envelope));
        }
        let Some((tx_id, envelope)) = self.clients.operations[operation].transaction.clone() else {
            return Ok(());
        };
        match channel.broadcast(envelope) {
            Ok(receiver) => {
                self.clients.waits.push(Wait { operation, node: at, incarnation, receiver });
                self.plan_turn(at, self.now_ms);
            }
            // A traitor may say so of anything; an honest node has it in its ledger or queue.
            Err(BroadcastError::Duplicate { .. }) if !self.nodes[at].traitor => {
                if let Ok(Some((_, outcome))) = channel.transaction(&tx_id) {
                    self.answered(operation, outcome)?;
                }
            }
            Err(_) => {}
        }
        Ok(())
    }

    /// Looks for answers of a node.
    pub(super) fn answers(&mut self, at: usize) -> Result<(), Violation> {
        let incarnation = self.nodes[at].incarnation;
        let traitor = self.nodes[at].traitor;
        let mut found = Vec::new();
        self.clients.waits.retain_mut(|wait| {
            if wait.node != at {
                return true;
            }
            match wait.receiver.try_recv() {
                Ok(outcome) => {
                    if !traitor && wait.incarnation == incarnation {
                        found.push((wait.operation, outcome));
                    }
                    false
                }
                Err(tokio::sync::oneshot::error::TryRecvError::Empty) => true,
                Err(tokio::sync::oneshot::error::TryRecvError::Closed) => false,
            }
        });
        found.into_iter().try_for_each(|(operation, outcome)| self.answered(operation, outcome))
    }

    fn answered(&mut self, operation: usize, outcome: Outcome) -> Result<(), Violation> {
        let open = &mut self.clients.operations[operation];
        let Some((tx_id, _)) = open.transaction else { return Ok(()) };
        open.answer.get_or_insert(outcome);
        self.oracle.tells(tx_id, outcome)
    }
}
