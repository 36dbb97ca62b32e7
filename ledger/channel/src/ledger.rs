//! The ledger of one channel: the block log as truth, the index derived from it, the transaction
//! log tree, and the tip that the next block builds on.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use changbai_merkle::Frontier;
use changbai_msp::{ChannelConfig, validate_config};
use changbai_storage::{
    BlockLog, Files, Index, IndexState, LogOptions, MemoryIndex, Position, StorageError,
};
use changbai_wire::{
    Content, Header, TransactionLeaf, TxId, ValidationCode, decode_envelope, envelope_digests,
};
use smkit::sm3::Sm3Digest;

use crate::block::Block;
use crate::channel::OpenError;
use crate::epoch::seconds;
use crate::outcome::uses_up_id;
use crate::state::{self, Applied, Location};
use crate::validate::{Write, writes_of};

/// The last block, as far as the next one needs it.
#[derive(Debug, Clone)]
pub(crate) struct Tip {
    pub(crate) header: Header,
    pub(crate) hash: Sm3Digest,
    /// Transaction log tree, the tip's transactions included.
    pub(crate) frontier: Frontier,
}

impl Tip {
    /// Whether results exist that no header commits to yet.
    pub(crate) fn has_unproven_results(&self) -> bool {
        self.header.log_size < self.frontier.size()
    }
}

/// Durable blocks and everything derived from them.
#[derive(Debug)]
pub(crate) struct Ledger {
    log: RwLock<BlockLog>,
    index: Index,
    tip: RwLock<Tip>,
    genesis: ChannelConfig,
}

/// A block ready to be made durable.
#[derive(Debug)]
pub(crate) struct Ready<'a> {
    pub(crate) block: &'a Block,
    /// Ids of its transactions, in order.
    pub(crate) transactions: &'a [TxId],
    pub(crate) writes: &'a [Write],
    /// The configuration after it, if it changes.
    pub(crate) config: Option<&'a ChannelConfig>,
    /// Every identity in it once.
    pub(crate) identities: &'a [&'a [u8]],
}

/// Where the parts of a channel live.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    pub(crate) blocks: PathBuf,
    pub(crate) index: PathBuf,
    pub(crate) wal: PathBuf,
    /// That the consensus log is new.
    pub(crate) newcomer: PathBuf,
    pub(crate) misbehaviour: PathBuf,
    /// The index lives in memory, not at its path.
    pub(crate) memory: Option<MemoryIndex>,
}

impl Paths {
    pub(crate) fn below(dir: &Path, memory: Option<MemoryIndex>) -> Self {
        Self {
            blocks: dir.join("blocks"),
            index: dir.join("index"),
            wal: dir.join("consensus.wal"),
            newcomer: dir.join("consensus.newcomer"),
            misbehaviour: dir.join("misbehaviour.journal"),
            memory,
        }
    }
}

/// What opening had to repair, for the operator's log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovery {
    /// The index was damaged or missing and was rebuilt from the block log.
    pub index_rebuilt: bool,
    /// Blocks of the log that the index did not have yet.
    pub blocks_replayed: u64,
    /// Bytes of a torn, never acknowledged block that were cut off the log's end.
    pub torn_bytes: u64,
    /// The log was damaged behind this block, and the rest set aside: it comes again from peers.
    pub salvaged_to: Option<u64>,
}

impl Ledger {
    /// Opens the ledger, repairing what is derived. `floor` is the last block that the consensus
    /// log knows to be decided: the block log may not end before it.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] with file and offset for damage to the block log, also when the
    /// log is shorter than what the index has already applied; [`OpenError::Genesis`].
    pub(crate) fn open(
        files: &Arc<dyn Files>,
        paths: &Paths,
        floor: Option<u64>,
        genesis: &Block,
        config: &ChannelConfig,
        repair: bool,
    ) -> Result<(Self, Recovery), OpenError> {
        let mut recovery = Recovery::default();
        let options = LogOptions::default();
        let (mut log, found) =
            match BlockLog::open(Arc::clone(files), &paths.blocks, options, floor) {
                Err(StorageError::Corrupt { .. }) if repair => {
                    let salvaged = BlockLog::salvage(Arc::clone(files), &paths.blocks, options)?;
                    recovery.salvaged_to = Some(salvaged.1.height.unwrap_or(0));
                    salvaged
                }
                opened => opened?,
            };
        recovery.torn_bytes = found.truncated.map_or(0, |cut| cut.bytes);
        let (mut index, state) = open_index(paths)?;
        let ahead = recovery.salvaged_to.is_some()
            && state != IndexState::Damaged
            && state::applied(&index)?.is_some_and(|applied| Some(applied.number) > log.height());
        if state == IndexState::Damaged || ahead {
            drop(index);
            index = renew_index(paths)?;
            recovery.index_rebuilt = true;
        }
        let created = log.height().is_none();
        if created {
            if state::applied(&index)?.is_some() {
                return Err(StorageError::corrupt(
                    &paths.blocks,
                    0,
                    "the block log is empty, but the index knows blocks of it",
                )
                .into());
            }
            log.append(0, &genesis.to_bytes(), &[])?;
        }
        let applied = state::applied(&index)?;
        let height = log.height().unwrap_or(0);
        if let Some(applied) = &applied
            && applied.number > height
        {
            return Err(StorageError::corrupt(
                &paths.blocks,
                log.end_offset(),
                format!(
                    "the block log ends with block {height}, but block {} was committed",
                    applied.number
                ),
            )
            .into());
        }
        let next = applied.as_ref().map_or(0, |applied| applied.number.saturating_add(1));
        let current = in_force(&index, config, next)?;
        let mut replay = Replay::resume(applied, current)?;
        let start = replay.next;
        log.scan(start, &mut |number, position, bytes| {
            replay.apply(&index, number, position, &bytes)
        })?;
        recovery.blocks_replayed = if created { 0 } else { (height + 1).saturating_sub(start) };
        let tip = match replay.tip {
            Some(tip) => tip,
            None => tip_from_log(&log, &index, height, replay.frontier)?,
        };
        let genesis_config = config.clone();
        let ledger =
            Self { log: RwLock::new(log), index, tip: RwLock::new(tip), genesis: genesis_config };
        ledger.check_genesis(genesis)?;
        Ok((ledger, recovery))
    }

    /// Makes a validated block durable, then applies it. Durable when this returns: one write
    /// and one `fdatasync` for the block log; the index follows without a sync of its own.
    ///
    /// # Errors
    ///
    /// [`StorageError::Full`]: nothing happened, and the same block may be committed later.
    pub(crate) fn commit(&self, ready: &Ready<'_>) -> Result<(), StorageError> {
        let block = ready.block;
        let number = block.header.number;
        let bytes = block.to_bytes();
        let position = self.log.write().unwrap_or_else(PoisonError::into_inner).append(
            number,
            &bytes,
            ready.identities,
        )?;
        let ids = ready.transactions.iter().copied().map(Some).collect();
        let config = ready.config.map(Cow::Borrowed);
        let effects = Effects { ids, writes: ready.writes.into(), config };
        let tip = apply(&self.index, block, &effects, position, self.tip().frontier)?;
        *self.tip.write().unwrap_or_else(PoisonError::into_inner) = tip;
        Ok(())
    }

    /// The configuration in force at `height`, which is at most the tip's number plus one.
    pub(crate) fn config_at(&self, height: u64) -> Result<ChannelConfig, StorageError> {
        in_force(&self.index, &self.genesis, height)
    }

    /// Blocks that changed the configuration: some of those from `from` on.
    pub(crate) fn config_blocks(&self, from: u64) -> Result<Vec<u64>, StorageError> {
        let heights = state::config_heights(&self.index, from.saturating_add(1))?;
        Ok(heights.into_iter().map(|height| height.saturating_sub(1)).collect())
    }

    /// The last durable block.
    pub(crate) fn tip(&self) -> Tip {
        self.tip.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// Whether results exist that no header commits to yet.
    pub(crate) fn has_unproven_results(&self) -> bool {
        self.tip.read().unwrap_or_else(PoisonError::into_inner).has_unproven_results()
    }

    /// Number of the last durable block.
    pub(crate) fn height(&self) -> u64 {
        self.tip.read().unwrap_or_else(PoisonError::into_inner).header.number
    }

    /// A block by number, byte for byte as it was committed.
    pub(crate) fn block_bytes(&self, number: u64) -> Result<Option<Vec<u8>>, StorageError> {
        let Some(position) = state::position(&self.index, number)? else { return Ok(None) };
        self.log.read().unwrap_or_else(PoisonError::into_inner).read(position).map(Some)
    }

    /// A block by number.
    pub(crate) fn block(&self, number: u64) -> Result<Option<Block>, StorageError> {
        let Some(bytes) = self.block_bytes(number)? else { return Ok(None) };
        let block = Block::from_bytes(&bytes).map_err(|reason| self.unreadable(number, reason))?;
        if block.header.number != number {
            return Err(StorageError::index_damaged(format!(
                "the index leads from block {number} to block {}",
                block.header.number
            )));
        }
        Ok(Some(block))
    }

    pub(crate) fn location(&self, tx_id: &TxId) -> Result<Option<Location>, StorageError> {
        state::location(&self.index, tx_id)
    }

    /// Re-reads every frame of the block log and compares its digest.
    pub(crate) fn scrub(&self) -> Result<(), StorageError> {
        self.log.read().unwrap_or_else(PoisonError::into_inner).scrub(&mut |_| {})
    }

    /// Writes the index out, so that the next start need not apply the last blocks again.
    pub(crate) fn close(self) -> Result<(), StorageError> {
        self.index.close_clean()
    }

    fn check_genesis(&self, genesis: &Block) -> Result<(), OpenError> {
        let found = self.block(0)?;
        if found.is_some_and(|found| found.header.hash() == genesis.header.hash()) {
            return Ok(());
        }
        Err(OpenError::Genesis)
    }

    fn unreadable(&self, number: u64, reason: String) -> StorageError {
        let _ = self;
        StorageError::index_damaged(format!("block {number} does not decode: {reason}"))
    }
}

fn open_index(paths: &Paths) -> Result<(Index, IndexState), StorageError> {
    match &paths.memory {
        Some(home) => Ok(Index::in_memory(home)),
        None => Index::open(&paths.index),
    }
}

/// An empty index in place of one that is of no use; it is not open.
fn renew_index(paths: &Paths) -> Result<Index, StorageError> {
    match &paths.memory {
        Some(home) => home.clear(),
        None => Index::destroy(&paths.index)?,
    }
    open_index(paths).map(|(index, _)| index)
}

/// Brings the index up to the block log, block by block.
struct Replay {
    next: u64,
    frontier: Frontier,
    previous: Option<Sm3Digest>,
    tip: Option<Tip>,
    config: ChannelConfig,
}

impl Replay {
    fn resume(applied: Option<Applied>, config: ChannelConfig) -> Result<Self, StorageError> {
        let Some(applied) = applied else {
            let frontier = Frontier::new();
            return Ok(Self { next: 0, frontier, previous: None, tip: None, config });
        };
        let frontier = Frontier::from_bytes(&applied.frontier)
            .map_err(|_| StorageError::index_damaged("the tree's frontier".to_owned()))?;
        let previous = Some(applied.header_hash);
        Ok(Self { next: applied.number + 1, frontier, previous, tip: None, config })
    }

    /// The codes in the metadata are taken as they stand: the next header's tree root proves
    /// them, and a root that does not fit is refused here.
    fn apply(
        &mut self,
        index: &Index,
        number: u64,
        position: Position,
        bytes: &[u8],
    ) -> Result<(), StorageError> {
        let wrong = |reason: String| position.corrupt(reason);
        let block = Block::from_bytes(bytes).map_err(|e| wrong(format!("block {number}: {e}")))?;
        if self.previous.is_some_and(|previous| previous != block.header.previous_hash)
            || block.header.log_size != self.frontier.size()
            || block.header.log_root != self.frontier.root()
        {
            return Err(wrong(format!("block {number} does not continue the block before it")));
        }
        let decoded: Vec<_> = block.envelopes.iter().map(|e| decode_envelope(e).ok()).collect();
        let contents: Vec<_> = decoded.iter().map(Option::as_ref).collect();
        let effects = by_codes(&block, &contents, &self.config)
            .map_err(|e| wrong(format!("block {number}: {e}")))?;
        let frontier = std::mem::take(&mut self.frontier);
        let tip = apply(index, &block, &effects, position, frontier)?;
        if let Some(config) = effects.config {
            self.config = config.into_owned();
        }
        self.frontier = tip.frontier.clone();
        self.previous = Some(tip.hash);
        self.next = number + 1;
        self.tip = Some(tip);
        Ok(())
    }
}

/// What a block does, whoever has found it out.
pub(crate) struct Effects<'a> {
    /// Ids of its transactions; none for what is no transaction, such as the genesis envelope.
    pub(crate) ids: Vec<Option<TxId>>,
    /// Writes of the valid ones.
    pub(crate) writes: Cow<'a, [Write]>,
    /// The configuration after it, if it changes.
    pub(crate) config: Option<Cow<'a, ChannelConfig>>,
}

/// What a block does by its codes, which are taken as they stand. `decoded` are its envelopes,
/// `None` for what is no transaction.
pub(crate) fn by_codes(
    block: &Block,
    decoded: &[Option<&Content>],
    current: &ChannelConfig,
) -> Result<Effects<'static>, String> {
    let mut writes = Vec::new();
    let mut config: Option<ChannelConfig> = None;
    let parts = decoded.iter().zip(&block.codes).zip(&block.envelopes);
    for (index, ((content, code), envelope)) in (0_u32..).zip(parts) {
        let version = state::Version { block: block.header.number, index };
        match content.filter(|_| *code == ValidationCode::Valid) {
            Some(Content::Config(_)) => {
                let before = config.as_ref().unwrap_or(current);
                let next = validate_config(before, envelope, seconds(block.header.time_ms));
                let refused = |error: changbai_msp::ConfigUpdateError| {
                    format!("its configuration ({}): {error}", error.code())
                };
                config = Some(next.map_err(refused)?);
            }
            Some(Content::Transaction(transaction)) => {
                let namespaces = &transaction.rwset.namespaces;
                writes.extend(namespaces.iter().flat_map(|ns| writes_of(ns, version)));
            }
            // The genesis block's has no update and no id.
            None => {}
        }
    }
    let ids = decoded.iter().map(|content| content.map(Content::tx_id)).collect();
    Ok(Effects { ids, writes: writes.into(), config: config.map(Cow::Owned) })
}

/// The leaves that a block adds to the transaction log tree.
pub(crate) fn leaves(block: &Block) -> Vec<[u8; TransactionLeaf::BYTES]> {
    let block_number = block.header.number;
    (0u32..)
        .zip(block.codes.iter().zip(envelope_digests(&block.envelopes)))
        .map(|(index, (code, envelope))| {
            TransactionLeaf { block_number, index, code: *code, envelope }.to_bytes()
        })
        .collect()
}

/// Brings the index from one block to the next; returns the tip after it.
pub(crate) fn apply(
    index: &Index,
    block: &Block,
    effects: &Effects<'_>,
    position: Position,
    mut frontier: Frontier,
) -> Result<Tip, StorageError> {
    let number = block.header.number;
    let mut batch = index.batch();
    for Write { namespace, key, version, value } in effects.writes.iter() {
        state::put_state(&mut batch, namespace, key, *version, value.as_deref());
    }
    if let Some(config) = &effects.config {
        state::put_config(&mut batch, number + 1, &config.to_genesis_envelope());
    }
    state::put_position(&mut batch, number, position);
    let first = frontier.size();
    let mut sink = |id, hash| state::put_node(&mut batch, id, &hash);
    frontier
        .append_many(&changbai_merkle::leaf_hashes(&leaves(block)), &mut sink)
        .map_err(|e| position.corrupt(e.to_string()))?;
    for (index, (code, tx_id)) in (0u32..).zip(block.codes.iter().zip(&effects.ids)) {
        // The first copy keeps the id; a duplicate is in the tree, not in the look-up.
        if let Some(tx_id) = tx_id.as_ref().filter(|_| uses_up_id(*code)) {
            let leaf = first.saturating_add(u64::from(index));
            let at = Location { block: number, index, code: *code, leaf };
            state::put_location(&mut batch, tx_id, &at);
        }
    }
    let hash = block.header.hash();
    let applied = Applied {
        number,
        header_hash: hash,
        time_ms: block.header.time_ms,
        frontier: frontier.to_bytes(),
    };
    state::put_applied(&mut batch, &applied);
    index.commit(batch)?;
    Ok(Tip { header: block.header.clone(), hash, frontier })
}

fn in_force(
    index: &Index,
    genesis: &ChannelConfig,
    height: u64,
) -> Result<ChannelConfig, StorageError> {
    let Some(envelope) = state::config_at(index, height)? else { return Ok(genesis.clone()) };
    ChannelConfig::from_envelope(&envelope)
        .map_err(|e| StorageError::index_damaged(format!("the configuration in it: {e}")))
}

fn tip_from_log(
    log: &BlockLog,
    index: &Index,
    height: u64,
    frontier: Frontier,
) -> Result<Tip, StorageError> {
    let missing = || StorageError::index_damaged(format!("block {height} is not in the index"));
    let position = state::position(index, height)?.ok_or_else(missing)?;
    let block = Block::from_bytes(&log.read(position)?).map_err(StorageError::index_damaged)?;
    let hash = block.header.hash();
    Ok(Tip { header: block.header, hash, frontier })
}
