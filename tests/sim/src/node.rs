//! One node of a simulated network: the real channel and orderer on a disk that can fail.

use std::path::Path;
use std::sync::Arc;

use changbai_channel::{Channel, OpenError, Orderer, Parts, PeerId, Skew, Tuning};
use changbai_consensus::Timeouts;
use changbai_contract::Registry;
use changbai_storage::MemoryIndex;
use changbai_storage::faulty::{Fault, FaultyFiles, Survive};
use changbai_wire::time::{ManualClock, UnixMillis};

use crate::rng::Rng;
use crate::world::{EPOCH_MS, Keys, World, contract};

/// A node, up or down.
pub(crate) struct Node {
    /// Its name on links.
    pub(crate) id: PeerId,
    /// The process, while it runs.
    pub(crate) running: Option<Running>,
    /// Counts starts, so that what was meant for an earlier process is told apart.
    pub(crate) incarnation: u64,
    /// When its next turn is planned.
    pub(crate) turn_at: Option<u64>,
    /// Extra delay of its turns, in milliseconds.
    pub(crate) lag_ms: u64,
    /// How far its wall clock is off, in milliseconds.
    pub(crate) skew_ms: i64,
    /// Height up to which it has ever had durable blocks.
    pub(crate) durable: u64,
    /// It may sign what it likes.
    pub(crate) traitor: bool,
    /// Its key must not be used any more: what it signed is forgotten, and nothing tells it so.
    pub(crate) keyless: bool,
    /// What it signed is forgotten, and it does not vote before that is made up for.
    pub(crate) wiped: bool,
    /// It has its second keys.
    pub(crate) renewed: bool,
    /// It does not come back.
    pub(crate) gone: bool,
    /// Its disk was told to fail.
    pub(crate) failing: bool,
    /// Its disk has lost a bit.
    pub(crate) flipped: bool,
    /// Its consensus log has lost a bit.
    pub(crate) forgetful: bool,
    /// When its full disk is emptied.
    pub(crate) full_until: Option<u64>,
    files: FaultyFiles,
    index: MemoryIndex,
    older: MemoryIndex,
    clock: Arc<ManualClock>,
}

/// A node's process.
pub(crate) struct Running {
    /// What callers use.
    pub(crate) channel: Channel,
    /// What the network drives.
    pub(crate) orderer: Orderer,
}

impl Node {
    /// A node that has not started yet.
    #[must_use]
    pub(crate) fn new(id: PeerId) -> Self {
        Self {
            id,
            running: None,
            incarnation: 0,
            turn_at: None,
            lag_ms: 0,
            skew_ms: 0,
            durable: 0,
            traitor: false,
            keyless: false,
            wiped: false,
            renewed: false,
            gone: false,
            failing: false,
            flipped: false,
            forgetful: false,
            full_until: None,
            files: FaultyFiles::new(),
            index: MemoryIndex::new(),
            older: MemoryIndex::new(),
            clock: Arc::new(ManualClock::new(UnixMillis(EPOCH_MS))),
        }
    }

    /// Starts the process.
    ///
    /// # Errors
    ///
    /// What [`Channel::open`] says.
    pub(crate) fn start(&mut self, at: usize, world: &World, now_ms: u64) -> Result<(), OpenError> {
        self.set_clock(now_ms);
        self.incarnation += 1;
        self.turn_at = None;
        let mut contracts = Registry::new();
        // The one contract of a fresh registry: its name is free.
        let _ = contracts.register(contract());
        let keys = if self.renewed { world.renewed.get(at) } else { world.members.get(at) };
        let Some(keys) = keys else { return Ok(()) };
        let parts = Parts {
            unsigned: self.incarnation == 1,
            files: Arc::new(self.files.clone()),
            index: Some(self.index.clone()),
            repair: self.flipped,
            genesis: world.genesis.clone(),
            contracts,
            endorser: keys.endorser.clone(),
            validator: (!self.keyless).then(|| keys.key.clone()),
            clock: Arc::clone(&self.clock) as Arc<dyn changbai_wire::time::Clock>,
            tuning: tuning(),
            now_ms,
        };
        let (channel, orderer, recovery) = Channel::open(Path::new("/node"), parts)?;
        if recovery.index_rebuilt {
            // Its deletion is durable: no crash brings the old one back.
            self.older = MemoryIndex::new();
        }
        self.running = Some(Running { channel, orderer });
        Ok(())
    }

    /// The process dies, and with it what the disk had not made sure of.
    pub(crate) fn crash(&mut self, rng: &mut Rng, all_lost: bool) {
        self.running = None;
        self.turn_at = None;
        self.full_until = None;
        let survive = match rng.below(4) {
            _ if all_lost => Survive::Nothing,
            0 => Survive::Nothing,
            1 => Survive::Everything,
            2 => Survive::Torn(rng.place(600)),
            _ => Survive::Sectors(rng.next()),
        };
        self.files = self.files.crash(survive);
        self.index = match rng.below(3) {
            0 => MemoryIndex::new(),
            1 => self.older.copy(),
            _ => self.index.copy(),
        };
        // What a crash has undone does not come back.
        self.older = self.index.copy();
    }

    /// It gets its second keys, which have signed nothing yet; while it is down.
    pub(crate) fn renew(&mut self, keys: &Keys) {
        self.id = keys.id;
        (self.renewed, self.keyless) = (true, false);
    }

    /// Whether its part in deciding is lost, for good or until it is mended.
    #[must_use]
    pub(crate) fn is_lost(&self) -> bool {
        let forgetful = self.forgetful && !self.renewed;
        self.traitor || self.keyless || self.wiped || self.gone || self.flipped || forgetful
    }

    /// The disk is replaced by an empty one. A channel that the others have just begun is new to
    /// whoever comes with an empty disk: then the key stays away.
    pub(crate) fn wipe(&mut self, decided: u64) {
        self.wiped = true;
        self.keyless |= !self.traitor && decided <= NEW_HEIGHT_MAX;
        self.files = FaultyFiles::new();
        self.index = MemoryIndex::new();
        self.older = MemoryIndex::new();
        self.durable = 0;
    }

    /// A crash may find the index as it is now.
    pub(crate) fn remember_index(&mut self) {
        self.older = self.index.copy();
    }

    /// Lets one of the next operations on the disk fail.
    pub(crate) fn fail_soon(&self, rng: &mut Rng, fault: Fault) {
        self.files.fail_at(self.files.operations() + rng.below(12), fault);
    }

    /// The disk works again.
    pub(crate) fn heal_disk(&mut self) {
        self.files.heal();
        self.full_until = None;
    }

    /// Whether the machine, not the process alone, has died.
    #[must_use]
    pub(crate) fn machine_died(&self) -> bool {
        self.files.crashed()
    }

    /// Flips one bit of one file of a machine that is down; which file.
    pub(crate) fn flip(&self, rng: &mut Rng) -> Option<String> {
        let paths = self.files.paths();
        let path = paths.get(rng.place(paths.len()))?;
        let mut content = self.files.content(path)?;
        let at = rng.place(content.len());
        *content.get_mut(at)? ^= 1 << rng.below(8);
        self.files.set_content(path, Some(content));
        Some(path.display().to_string())
    }

    /// Length of the consensus log in bytes.
    #[must_use]
    pub(crate) fn wal_bytes(&self) -> usize {
        self.files.content(Path::new("/node/consensus.wal")).map_or(0, |content| content.len())
    }

    /// Sets the wall clock for a moment of the simulation.
    pub(crate) fn set_clock(&self, now_ms: u64) {
        let at = (EPOCH_MS + 1_000 + now_ms).saturating_add_signed(self.skew_ms);
        self.clock.set(UnixMillis(at));
    }

    /// What the wall clock shows.
    #[must_use]
    pub(crate) fn wall_ms(&self, now_ms: u64) -> u64 {
        (EPOCH_MS + 1_000 + now_ms).saturating_add_signed(self.skew_ms)
    }
}

/// What a network has decided at most while a node without a log takes it for new: none of those that it
/// hears of needs to have a block.
const NEW_HEIGHT_MAX: u64 = 2;

/// Short waits: virtual time costs events, not seconds.
fn tuning() -> Tuning {
    Tuning {
        timeouts: Timeouts {
            propose_ms: 400,
            propose_delta_ms: 200,
            prevote_ms: 200,
            prevote_delta_ms: 100,
            precommit_ms: 200,
            precommit_delta_ms: 100,
            rebroadcast_ms: 800,
            max_ms: 4_000,
        },
        skew: Skew { ahead_ms: 5_000, behind_ms: 30_000 },
        heartbeat_ms: 1_500,
        absent_after_ms: 5_000,
        full_retry_ms: 300,
        ..Tuning::default()
    }
}
