//! What breaks, and how it is mended.

use changbai_channel::OpenError;
use changbai_storage::StorageError;
use changbai_storage::faulty::Fault;

use super::Sim;
use crate::oracle::Violation;

impl Sim {
    /// Lets things break.
    pub(super) fn throw_dice(&mut self) -> Result<(), Violation> {
        if self.rng.chance(self.plan.blackout) {
            for at in 0..self.nodes.len() {
                if self.nodes[at].running.is_some() {
                    let down_ms = self.rng.within(10, 1_500);
                    self.stop(at, true, down_ms);
                }
            }
            return Ok(());
        }
        if self.rng.chance(self.plan.partition) {
            self.part();
        }
        for at in 0..self.nodes.len() {
            let now_ms = self.now_ms;
            if self.nodes[at].full_until.is_some_and(|until| until <= now_ms) {
                self.nodes[at].heal_disk();
            }
            if self.nodes[at].running.is_none() {
                continue;
            }
            if self.rng.chance(150) {
                self.nodes[at].remember_index();
            }
            if self.rng.chance(self.plan.crash) {
                if self.rng.chance(400) {
                    let down_ms = self.rng.within(10, 1_500);
                    self.stop(at, false, down_ms);
                    self.damage(at);
                    continue;
                }
                // In the middle of one of the next writes.
                self.nodes[at].fail_soon(&mut self.rng, Fault::Crash);
            } else if self.rng.chance(self.plan.disk) {
                if self.rng.chance(500) {
                    self.nodes[at].fail_soon(&mut self.rng, Fault::Full);
                    let until = now_ms + self.rng.within(300, 3_000);
                    self.nodes[at].full_until = Some(until);
                    self.log(at, "has a full disk");
                } else {
                    let error = Fault::Error(std::io::ErrorKind::Other);
                    self.nodes[at].fail_soon(&mut self.rng, error);
                    self.nodes[at].full_until = None;
                    self.nodes[at].failing = true;
                    self.log(at, "has a failing disk");
                }
            }
            if self.rng.chance(self.plan.disturbance) {
                self.nodes[at].lag_ms = self.rng.pick(&[0, 5, 60, 400], 0);
                self.nodes[at].skew_ms =
                    self.rng.pick(&[0, 0, 800, -800, 3_600_000, -3_600_000], 0);
                let (lag, skew) = (self.nodes[at].lag_ms, self.nodes[at].skew_ms);
                self.log(at, &format!("is {lag} ms slow, its clock {skew} ms off"));
            }
        }
        Ok(())
    }

    /// Cuts links: two groups, one node, one direction, or a flapping one.
    fn part(&mut self) {
        self.stats.partitions += 1;
        let count = self.nodes.len();
        let until = self.now_ms + self.rng.within(200, 3_000);
        let alone = self.rng.place(count);
        let kind = self.rng.below(4);
        let groups: Vec<bool> = (0..count).map(|_| self.rng.chance(500)).collect();
        for from in 0..count {
            for to in 0..count {
                let apart = match kind {
                    0 => groups.get(from) != groups.get(to),
                    1 => (from == alone) != (to == alone),
                    2 => from == alone,
                    _ => self.rng.chance(300),
                };
                if apart && from != to {
                    self.cut.insert((from, to), until);
                }
            }
        }
        self.log(alone, &format!("partition of kind {kind} until {until}"));
    }

    /// A node has halted. An honest one does so only when its disk has failed.
    pub(super) fn halted(&mut self, at: usize, reason: &str) -> Result<(), Violation> {
        self.log(at, &format!("halts: {reason}"));
        let node = &mut self.nodes[at];
        let excused = node.machine_died() || node.failing;
        if !excused && node.forgetful && !node.traitor {
            // It has found out that its key said something that it does not remember. The operator
            // gives it an empty disk.
            node.wipe(self.oracle.height());
            self.stop(at, false, 200);
            return Ok(());
        }
        if !excused && !node.traitor {
            let what = format!("node {at} halted: {reason}");
            return Err(Violation { property: "no halt without a cause", what });
        }
        node.failing = false;
        let down_ms = self.rng.within(10, 1_500);
        self.stop(at, false, down_ms);
        self.damage(at);
        Ok(())
    }

    /// A disk may be replaced, or lose a bit, while its machine is down; not more disks than may be lost.
    fn damage(&mut self, at: usize) {
        if !self.rng.chance(self.plan.flip) || !self.may_lose(at) {
            return;
        }
        if self.rng.chance(500) {
            self.log(at, "gets an empty disk");
            self.nodes[at].wipe(self.oracle.height());
            return;
        }
        let mut rng = self.rng.clone();
        if let Some(path) = self.nodes[at].flip(&mut rng) {
            self.nodes[at].flipped = true;
            self.nodes[at].forgetful |= path.ends_with("consensus.wal");
            self.log(at, &format!("loses a bit of {path}"));
        }
        self.rng = rng;
    }

    /// Whether the channel tolerates that this node never votes again.
    fn may_lose(&self, at: usize) -> bool {
        // Whoever follows may become a validator.
        let counts = |other: usize| other < self.plan.validators || self.plan.changes > 0;
        let lost = |(other, node): &(usize, &crate::node::Node)| {
            *other != at && counts(*other) && node.is_lost()
        };
        let faulty = self.nodes.iter().enumerate().filter(lost).count();
        !self.nodes[at].traitor && faulty < self.plan.tolerated()
    }

    /// A node does not open its ledger: with a damaged disk that is what it must do.
    pub(super) fn does_not_start(&mut self, at: usize, error: &OpenError) -> Result<(), Violation> {
        let node = &mut self.nodes[at];
        let refused = matches!(
            error,
            OpenError::Storage(StorageError::Corrupt { .. } | StorageError::FloorMissing { .. })
                | OpenError::Halted(_)
        );
        if node.machine_died() || node.failing {
            // The disk failed again while it was opened.
            node.failing = false;
            self.stop(at, false, 100);
            return Ok(());
        }
        if !(node.traitor || node.flipped && refused) {
            let what = format!("node {at}: {error}");
            return Err(Violation { property: "it starts after every crash", what });
        }
        self.stats.damaged += 1;
        // The operator gives it an empty disk. What it has signed is forgotten.
        node.wipe(self.oracle.height());
        let at_ms = self.now_ms + 200;
        self.plan_at(at_ms, super::Happening::Restart { node: at });
        Ok(())
    }

    /// Nothing breaks any more; traitors stay what they are.
    pub(super) fn heal(&mut self) -> Result<(), Violation> {
        self.healed = true;
        self.cut.clear();
        for at in 0..self.nodes.len() {
            self.log(at, "is healed");
            self.nodes[at].heal_disk();
            self.nodes[at].failing = false;
            self.nodes[at].lag_ms = 0;
            self.nodes[at].skew_ms = 0;
            if self.nodes[at].running.is_none() {
                self.start(at)?;
            }
        }
        Ok(())
    }
}
