//! Runs whole networks on one thread from a printed seed, with the real `consensus`, `channel` and
//! `storage` code, and checks what must hold.
//!
//! It does not simulate threads, sockets or TLS, and no time passes but the virtual one.
//!
//! # Model
//! - A seed stands for a [`Plan`]: sizes, loss, delay, crashes, disks that fail, clocks that jump,
//!   validators that lie. `Sim` plays it: one heap of events, ordered by time and sequence, one
//!   random generator, no other source of anything.
//! - A node is a real [`changbai_channel::Channel`] with its [`changbai_channel::Orderer`] on a disk
//!   in memory that loses what was not synced, tears writes, fills up and fails.
//!   Some disks are replaced by empty ones: their nodes vote again with the old key when
//!   [`changbai_channel::Orderer::is_newcomer`] says so, and must sign nothing twice.
//! - Signatures are real SM2; keys are the same for every seed.
//! - A third of the seeds change the configuration by updates like everybody's: followers become
//!   validators, validators leave or get new keys, certificates are revoked. Now and then somebody
//!   tries to replace too many at once.
//! - After the faults comes a phase without them, in which everything must come to an end.
//!
//! **Invariants** that are checked: one block a height; every block continues the one before, under
//! a quorum's certificate; what took effect was handed in; the log only grows between every two
//! headers; what a caller was told is in every ledger, once; a block that was durable is there
//! after every crash; nobody honest is accused or refused; no honest node halts but for its disk;
//! queues and logs are bounded; each configuration follows from the one before, and no change takes
//! away the quorum; in the end all operations are answered and all nodes agree.
//!
//! ```
//! let report = changbai_sim::run(7, &changbai_sim::Options::default());
//! assert_eq!(report.violation, None, "seed 7");
//! ```
#![allow(
    clippy::indexing_slicing,
    reason = "an index out of range is a defect of the simulator and ends the run"
)]

mod node;
mod oracle;
mod plan;
mod rng;
mod sim;
mod traitor;
mod world;

use std::collections::BTreeMap;
use std::rc::Rc;

pub use oracle::Violation;
pub use plan::{Plan, Vice};
pub use sim::Stats;

use rng::Rng;
use sim::Sim;
use world::World;

/// What to run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Validators, instead of the seed's choice.
    pub validators: Option<usize>,
    /// Tell every step on standard error.
    pub trace: bool,
    /// A mistake that all nodes make.
    #[cfg(feature = "mutations")]
    pub mutation: Option<Mutation>,
}

/// A mistake of the code under test.
#[cfg(feature = "mutations")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// Of the storage.
    Storage(changbai_storage::mutation::Mutation),
    /// Of consensus.
    Consensus(changbai_consensus::mutation::Mutation),
    /// Of the channel.
    Channel(changbai_channel::mutation::Mutation),
}

#[cfg(feature = "mutations")]
fn mutate(mutation: Option<Mutation>) {
    changbai_storage::mutation::set(match mutation {
        Some(Mutation::Storage(mutation)) => Some(mutation),
        _ => None,
    });
    changbai_consensus::mutation::set(match mutation {
        Some(Mutation::Consensus(mutation)) => Some(mutation),
        _ => None,
    });
    changbai_channel::mutation::set(match mutation {
        Some(Mutation::Channel(mutation)) => Some(mutation),
        _ => None,
    });
}

/// What came of a seed.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// What it stood for.
    pub plan: Plan,
    /// What was wrong first, if anything was.
    pub violation: Option<Violation>,
    /// What happened, when nothing was wrong.
    pub stats: Stats,
}

thread_local! {
    static WORLDS: std::cell::RefCell<BTreeMap<(usize, usize), Rc<World>>> =
        const { std::cell::RefCell::new(BTreeMap::new()) };
}

/// Plays one seed. The same seed gives the same report, wherever and whenever.
#[must_use]
pub fn run(seed: u64, options: &Options) -> Report {
    #[cfg(feature = "mutations")]
    mutate(options.mutation);
    let mut rng = Rng::new(seed ^ 0x6368_616e_6762_6169);
    let plan = Plan::new(&mut rng, options.validators);
    let world = match world(plan.validators, plan.followers) {
        Ok(world) => world,
        Err(what) => {
            let violation = Some(Violation { property: "a world can be made", what });
            return Report { seed, plan, violation, stats: Stats::default() };
        }
    };
    match Sim::new(world, plan.clone(), rng, options.trace).run() {
        Ok(stats) => Report { seed, plan, violation: None, stats },
        Err(violation) => {
            Report { seed, plan, violation: Some(violation), stats: Stats::default() }
        }
    }
}

fn world(validators: usize, followers: usize) -> Result<Rc<World>, String> {
    WORLDS.with_borrow_mut(|worlds| {
        if let Some(world) = worlds.get(&(validators, followers)) {
            return Ok(Rc::clone(world));
        }
        let world = Rc::new(World::new(validators, followers)?);
        worlds.insert((validators, followers), Rc::clone(&world));
        Ok(world)
    })
}
