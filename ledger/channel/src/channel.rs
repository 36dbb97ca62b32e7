//! The handle that the floors above hold: broadcast, read, prove. Calls are in `gateway`.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use changbai_consensus::{Engine, Equivocation};
use changbai_contract::Registry;
use changbai_merkle::{InclusionProof, prove_inclusion};
use changbai_msp::{ChannelConfig, ConfigUpdateError, Membership, apply, update_id};
use changbai_storage::{ConsensusWal, Files, Journal, MemoryIndex, StorageError};
use changbai_wire::time::Clock;
use changbai_wire::{
    Header, TransactionLeaf, TxId, ValidationCode, ValidatorAddress, decode_envelope,
    envelope_digest,
};
use smkit::sm2::SigningKey;
use smkit::sm3::Sm3Digest;
use tokio::sync::oneshot;

use crate::block::Block;
use crate::endorse::SigningIdentity;
use crate::epoch::Epoch;
use crate::ledger::{Ledger, Paths, Recovery, Tip};
use crate::limits::{BLOCK_PAGE_MAX, ENVELOPE_BYTES_MAX, MISBEHAVIOUR_SHOWN_MAX};
use crate::mempool::{Mempool, Waiting};
use crate::orderer::{Halted, Newcomer, Orderer};
use crate::outcome::{BroadcastError, Outcome};
use crate::signatures::Verdicts;
use crate::state::{Location, Nodes};
use crate::tuning::Tuning;
use crate::validate::Rules;

/// What a channel is opened with.
pub struct Parts {
    /// File access of the block log and the consensus log.
    pub files: Arc<dyn Files>,
    /// An index in memory instead of one below the directory: for simulations.
    pub index: Option<MemoryIndex>,
    /// Whether a damaged block log is opened up to the damage, and the rest taken from peers again
    /// under its certificates. Stays on until the node has caught up. Only for channels that other
    /// nodes keep as well.
    pub repair: bool,
    /// Block 0 with the channel's configuration; the same at every node.
    pub genesis: Block,
    /// Contracts that run inside the node.
    pub contracts: Registry,
    /// The node's identity as a peer: it endorses.
    pub endorser: SigningIdentity,
    /// The node's key as a validator; without one it follows. With one it votes at the heights
    /// whose configuration names it.
    pub validator: Option<SigningKey>,
    /// The owner knows that the key has signed nothing on this channel yet: it votes although the
    /// consensus log is new. Without that knowledge it has to wait, see [`Orderer::is_newcomer`].
    pub unsigned: bool,
    /// Where block times come from.
    pub clock: Arc<dyn Clock>,
    /// How patient the node is.
    pub tuning: Tuning,
    /// What the owner's monotonic clock shows, in milliseconds; later calls continue it.
    pub now_ms: u64,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

/// Why a channel does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Damage, or a file that cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The genesis envelope holds no usable configuration.
    #[error("the channel's configuration is not usable: {0}")]
    Config(String),
    /// The block log begins with another block than the genesis block given.
    #[error("the ledger begins with another genesis block")]
    Genesis,
    /// The consensus log contradicts itself; voting would be unsafe.
    #[error(transparent)]
    Halted(#[from] Halted),
}

/// State that callers' threads and the ordering thread share.
pub(crate) struct Shared {
    pub(crate) ledger: Ledger,
    pub(crate) mempool: Mempool,
    pub(crate) verdicts: Verdicts,
    pub(crate) clock: Arc<dyn Clock>,
    /// Hash of the genesis header.
    pub(crate) genesis: Sm3Digest,
    pub(crate) channel_id: String,
    epoch: RwLock<Arc<Epoch>>,
    pub(crate) contracts: Registry,
    versions: HashMap<String, String>,
    pub(crate) endorser: SigningIdentity,
    halted: Mutex<Option<String>>,
    condition: Mutex<Condition>,
    misbehaviour: Mutex<Misbehaviour>,
    files: Arc<dyn Files>,
    dir: PathBuf,
    /// With less free on the disk nothing is taken and nothing signed.
    disk_reserve_bytes: u64,
}

/// Evidence against validators: the latest cases, and the journal that keeps them.
#[derive(Debug, Default)]
struct Misbehaviour {
    known: VecDeque<Equivocation>,
    journal: Option<Journal>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("channel", &self.channel_id).finish_non_exhaustive()
    }
}

/// What the ordering thread says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// Why the node does not vote for the time being: its disk is full.
    pub suspended: Option<String>,
    /// Since when, in the owner's monotonic milliseconds, too few validators are heard to decide
    /// anything.
    pub no_quorum_since_ms: Option<u64>,
    /// Round of the height under way; above 0 when the first proposal failed.
    pub round: u32,
    /// Whether the node is a validator of the next height.
    pub validator: bool,
    /// Peers connected.
    pub peers: usize,
    /// Blocks that the most advanced peer claims to have.
    pub peers_height: u64,
    /// Transactions waiting for a block.
    pub waiting: usize,
}

impl Shared {
    /// The configuration in force for the next block.
    pub(crate) fn epoch(&self) -> Arc<Epoch> {
        Arc::clone(&self.epoch.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_epoch(&self, epoch: Arc<Epoch>) {
        *self.epoch.write().unwrap_or_else(PoisonError::into_inner) = epoch;
    }

    pub(crate) fn rules<'a>(&'a self, epoch: &'a Epoch) -> Rules<'a> {
        Rules { epoch, contracts: &self.versions }
    }

    /// Whether a transaction may wait for a block: its channel, its creator, and that the ledger
    /// has none of its id.
    pub(crate) fn admits(&self, waiting: &Waiting) -> Result<(), BroadcastError> {
        let content = &waiting.decoded.content;
        if content.channel_id() != self.channel_id {
            return Err(BroadcastError::WrongChannel(content.channel_id().to_owned()));
        }
        let epoch = self.epoch();
        let now = self.clock.now().at;
        let creator = epoch.membership.identify(content.creator(), now.seconds())?;
        if !epoch.writers.evaluate(&[&creator]) {
            return Err(BroadcastError::Forbidden);
        }
        self.is_new(content.tx_id())?;
        if content.is_config() {
            epoch.next(&waiting.envelope, now.0)?;
        }
        Ok(())
    }

    /// What is ordered for an update of the configuration: the configuration that it makes of the one
    /// in force.
    fn configure(&self, update: &[u8]) -> Result<Waiting, BroadcastError> {
        self.is_new(update_id(update)?)?;
        let epoch = self.epoch();
        let at_s = self.clock.now().at.seconds();
        let next = apply(&epoch.config, update, at_s)?;
        let envelope = next.to_config_envelope(update).map_err(ConfigUpdateError::from)?;
        if envelope.len() > ENVELOPE_BYTES_MAX {
            return Err(BroadcastError::TooLarge { bytes: envelope.len() });
        }
        let content = decode_envelope(&envelope)
            .map_err(|(code, reason)| BroadcastError::Malformed { code, reason })?;
        Ok(Waiting::new(envelope, content))
    }

    fn is_new(&self, tx_id: TxId) -> Result<(), BroadcastError> {
        match self.ledger.location(&tx_id)? {
            None => Ok(()),
            Some(_) => Err(BroadcastError::Duplicate { tx_id }),
        }
    }

    /// Keeps a case of misbehaviour; false when it is known already. A journal that cannot be
    /// written is no reason to stop: the others have the evidence too.
    pub(crate) fn accuse(&self, case: &Equivocation) -> bool {
        let mut kept = self.misbehaviour.lock().unwrap_or_else(PoisonError::into_inner);
        let place = |c: &Equivocation| (c.validator, c.kind, c.height, c.round);
        if kept.known.iter().any(|known| place(known) == place(case)) {
            return false;
        }
        if kept.journal.is_none() {
            let path = Paths::below(&self.dir, None).misbehaviour;
            kept.journal = Journal::create(self.files.as_ref(), &path).ok();
        }
        if let (Some(journal), Ok(bytes)) = (kept.journal.as_mut(), case.to_bytes())
            && journal.append(&bytes).is_err()
        {
            kept.journal = None;
        }
        kept.remember(case.clone());
        true
    }

    /// Whether the disk has room for what is to be signed next; why not. Unknown is plenty.
    pub(crate) fn check_space(&self) -> Result<(), String> {
        let free = self.files.free_bytes(&self.dir).unwrap_or(u64::MAX);
        let reserve = self.disk_reserve_bytes;
        if free >= reserve {
            return Ok(());
        }
        Err(format!("{free} bytes are free on the disk, less than {reserve}"))
    }

    pub(crate) fn set_condition(&self, condition: Condition) {
        *self.condition.lock().unwrap_or_else(PoisonError::into_inner) = condition;
    }

    pub(crate) fn halt(&self, reason: &str) {
        let mut halted = self.halted.lock().unwrap_or_else(PoisonError::into_inner);
        halted.get_or_insert_with(|| reason.to_owned());
        drop(halted);
        self.mempool.close();
        self.mempool.clear();
    }

    fn suspended(&self) -> Option<String> {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner).suspended.clone()
    }

    pub(crate) fn halted(&self) -> Option<String> {
        self.halted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Misbehaviour {
    /// What the journal has kept.
    fn read(files: &dyn Files, path: &Path) -> Result<Self, StorageError> {
        let mut kept = Self::default();
        if let Some((journal, found)) = Journal::read(files, path)? {
            let cases =
                found.records.iter().filter_map(|bytes| Equivocation::from_bytes(bytes).ok());
            cases.for_each(|case| kept.remember(case));
            kept.journal = Some(journal);
        }
        Ok(kept)
    }

    fn remember(&mut self, case: Equivocation) {
        if self.known.len() >= MISBEHAVIOUR_SHOWN_MAX {
            self.known.pop_front();
        }
        self.known.push_back(case);
    }
}

/// One channel of this node. Cheap to clone; all methods may be called from any thread.
#[derive(Debug, Clone)]
pub struct Channel {
    pub(crate) shared: Arc<Shared>,
}

/// A channel's state in a few numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The channel's id.
    pub channel_id: String,
    /// Blocks in the ledger, genesis included: the last block's number plus one.
    pub height: u64,
    /// Hash of the last block's header.
    pub tip: Sm3Digest,
    /// Transactions in the ledger, invalid ones included.
    pub transactions: u64,
    /// Why ordering has halted, if it has.
    pub halted: Option<String>,
    /// What the ordering thread says of itself.
    pub condition: Condition,
}

/// Everything that proves one transaction against a quorum-signed header.
#[derive(Debug, Clone)]
pub struct TransactionProof {
    /// The transaction, byte for byte.
    pub envelope: Vec<u8>,
    /// Its leaf in the transaction log tree.
    pub leaf: TransactionLeaf,
    /// The path from the leaf to the header's root.
    pub inclusion: InclusionProof,
    /// A later header that commits to the leaf.
    pub header: Header,
    /// The round in which that header was decided.
    pub round: u32,
    /// The quorum's signatures over that header, DER.
    pub signatures: Vec<(ValidatorAddress, Vec<u8>)>,
}

/// Whether a transaction can be proven yet.
#[derive(Debug, Clone)]
pub enum Proof {
    /// No transaction of that id is in the ledger.
    Unknown,
    /// It is in the ledger; the block that commits to it is still to come.
    NotYet,
    /// Proven.
    Proven(Box<TransactionProof>),
}

impl Channel {
    /// Opens or creates the channel below `dir` and repairs what is derived. The [`Orderer`]
    /// has replayed an unfinished height when this returns; nothing is ordered until its owner
    /// calls [`Orderer::turn`].
    ///
    /// # Errors
    ///
    /// [`OpenError`]; a damaged block log or consensus log is named with file and offset.
    pub fn open(dir: &Path, parts: Parts) -> Result<(Self, Orderer, Recovery), OpenError> {
        let [envelope] = parts.genesis.envelopes.as_slice() else {
            return Err(OpenError::Config("the genesis block holds one envelope".to_owned()));
        };
        let config =
            ChannelConfig::from_envelope(envelope).map_err(|e| OpenError::Config(e.to_string()))?;
        let paths = Paths::below(dir, parts.index);
        parts.files.create_dir_all(dir).map_err(|source| StorageError::Io {
            file: dir.to_owned(),
            operation: "create",
            source,
        })?;
        if !parts.unsigned {
            Newcomer::mark(parts.files.as_ref(), &paths.wal, &paths.newcomer)?;
        }
        let (mut wal, entries) = ConsensusWal::open(Arc::clone(&parts.files), &paths.wal)?;
        let newcomer = Newcomer::find(&parts.files, &paths.newcomer, &entries)?;
        let repair = parts.repair;
        let (ledger, recovery) =
            Ledger::open(&parts.files, &paths, wal.floor(), &parts.genesis, &config, repair)?;
        let height = ledger.height() + 1;
        if height > 1 && wal.floor().is_none_or(|floor| floor + 1 < height) {
            // The end came between the last block and the floor that follows it. Records of the
            // next height may be there: they stay.
            wal.raise_floor(height - 1)?;
        }
        let current = ledger.config_at(height)?;
        let epoch = Epoch::new(current).map_err(OpenError::Config)?;
        let channel_id = config.channel_id;
        let misbehaviour = Misbehaviour::read(parts.files.as_ref(), &paths.misbehaviour)?;
        let own = parts
            .validator
            .as_ref()
            .map(|key| ValidatorAddress::for_key(key.verifying_key().public_key()));
        let engine = Engine::new(&channel_id, parts.validator, height, epoch.validators.clone())
            .with_timeouts(parts.tuning.timeouts);
        let versions =
            parts.contracts.iter().map(|c| (c.name().to_owned(), c.version().to_owned())).collect();
        let shared = Arc::new(Shared {
            ledger,
            mempool: Mempool::default(),
            verdicts: Verdicts::default(),
            clock: parts.clock,
            genesis: parts.genesis.header.hash(),
            channel_id,
            epoch: RwLock::new(Arc::new(epoch)),
            contracts: parts.contracts,
            versions,
            endorser: parts.endorser,
            halted: Mutex::new(None),
            condition: Mutex::default(),
            misbehaviour: Mutex::new(misbehaviour),
            files: parts.files,
            dir: dir.to_owned(),
            disk_reserve_bytes: parts.tuning.disk_reserve_bytes,
        });
        let mut orderer = Orderer::new(
            Arc::clone(&shared),
            engine,
            own,
            wal,
            parts.tuning,
            parts.now_ms,
            newcomer,
        );
        orderer.recover(entries, repair)?;
        Ok((Self { shared }, orderer, recovery))
    }

    /// Puts a signed envelope into the queue for ordering: a transaction, or an update of the
    /// configuration (type `CONFIG_UPDATE`), which is ordered within the configuration that it makes,
    /// alone in its block, and in force from the next block on. The receiver yields the outcome once
    /// the block is durable; it closes without one when the channel halts first, and the
    /// transaction's fate is then unknown until the node is back.
    ///
    /// # Errors
    ///
    /// [`BroadcastError`]; nothing was queued.
    pub fn broadcast(
        &self,
        envelope: Vec<u8>,
    ) -> Result<oneshot::Receiver<Outcome>, BroadcastError> {
        if let Some(reason) = self.shared.halted() {
            return Err(BroadcastError::Halted { reason });
        }
        if let Some(reason) = self.shared.suspended() {
            return Err(BroadcastError::Suspended { reason });
        }
        // Said before it is taken: the ordering thread would find out only when it starts a block.
        self.shared.check_space().map_err(|reason| BroadcastError::Suspended { reason })?;
        if envelope.len() > ENVELOPE_BYTES_MAX {
            return Err(BroadcastError::TooLarge { bytes: envelope.len() });
        }
        let waiting = match decode_envelope(&envelope) {
            Ok(content) => {
                let waiting = Waiting::new(envelope, content);
                self.shared.admits(&waiting)?;
                waiting
            }
            Err((ValidationCode::UnsupportedTxPayload, _)) => self.shared.configure(&envelope)?,
            Err((code, reason)) => return Err(BroadcastError::Malformed { code, reason }),
        };
        let (reply, outcome) = oneshot::channel();
        self.shared.mempool.push(waiting, reply)?;
        Ok(outcome)
    }

    /// Height, tip and whether ordering goes on.
    #[must_use]
    pub fn status(&self) -> Status {
        let Tip { header, hash, frontier } = self.shared.ledger.tip();
        Status {
            channel_id: header.channel_id,
            height: header.number + 1,
            tip: hash,
            transactions: frontier.size(),
            halted: self.shared.halted(),
            condition: self.shared.condition.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// The channel's configuration, as it is for the next block.
    #[must_use]
    pub fn config(&self) -> Arc<ChannelConfig> {
        Arc::clone(&self.shared.epoch().config)
    }

    /// Its members, with the memory of who has been verified. Replaced when the configuration changes.
    #[must_use]
    pub fn membership(&self) -> Arc<Membership> {
        Arc::clone(&self.shared.epoch().membership)
    }

    /// The configuration under which block `height` was, or the next one will be, decided.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the index is damaged.
    pub fn config_at(&self, height: u64) -> Result<ChannelConfig, StorageError> {
        self.shared.ledger.config_at(height)
    }

    /// Numbers of the blocks, from `from` on and ascending, that changed the configuration: some of
    /// them, none only if there are none. Block 0 is not among them.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the index is damaged.
    pub fn config_blocks(&self, from: u64) -> Result<Vec<u64>, StorageError> {
        self.shared.ledger.config_blocks(from)
    }

    /// Validators caught signing two statements in one place, the latest cases last.
    #[must_use]
    pub fn misbehaviour(&self) -> Vec<Equivocation> {
        let kept = self.shared.misbehaviour.lock().unwrap_or_else(PoisonError::into_inner);
        kept.known.iter().cloned().collect()
    }

    /// The block of that number, if it exists.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the block log is damaged there.
    pub fn block(&self, number: u64) -> Result<Option<Block>, StorageError> {
        self.shared.ledger.block(number)
    }

    /// Blocks from `from` downwards, newest first, at most `limit` (and at most
    /// [`BLOCK_PAGE_MAX`]).
    ///
    /// # Errors
    ///
    /// As [`block`](Self::block).
    pub fn blocks(&self, from: u64, limit: u64) -> Result<Vec<Block>, StorageError> {
        let newest = from.min(self.shared.ledger.tip().header.number);
        let oldest = (newest + 1).saturating_sub(limit.min(BLOCK_PAGE_MAX));
        (oldest..=newest).rev().filter_map(|number| self.block(number).transpose()).collect()
    }

    /// A transaction with its block number, place and validation code.
    ///
    /// # Errors
    ///
    /// As [`block`](Self::block).
    pub fn transaction(&self, tx_id: &TxId) -> Result<Option<(Vec<u8>, Outcome)>, StorageError> {
        let Some(Location { block, index, code, .. }) = self.shared.ledger.location(tx_id)? else {
            return Ok(None);
        };
        let missing =
            || StorageError::index_damaged(format!("transaction {tx_id} is not in its block"));
        let found = self.shared.ledger.block(block)?.ok_or_else(missing)?;
        let time_ms = found.header.time_ms;
        let envelope = found.envelopes.into_iter().nth(index as usize).ok_or_else(missing)?;
        Ok(Some((envelope, Outcome { block_number: block, index, code, time_ms })))
    }

    /// Proves a transaction against the header that follows its block.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the ledger is damaged there. The proof was checked before it is
    /// returned: what cannot be proven is an error, not a bad proof.
    pub fn prove(&self, tx_id: &TxId) -> Result<Proof, StorageError> {
        let Some(at) = self.shared.ledger.location(tx_id)? else { return Ok(Proof::Unknown) };
        let Some(block) = self.shared.ledger.block(at.block + 1)? else { return Ok(Proof::NotYet) };
        let Some((envelope, _)) = self.transaction(tx_id)? else { return Ok(Proof::Unknown) };
        let header = block.header;
        let leaf = TransactionLeaf {
            block_number: at.block,
            index: at.index,
            code: at.code,
            envelope: envelope_digest(&envelope),
        };
        let broken =
            |what: String| StorageError::index_damaged(format!("transaction {tx_id}: {what}"));
        let inclusion =
            prove_inclusion(&Nodes(self.shared.ledger.index()), at.leaf, header.log_size)
                .map_err(|e| broken(e.to_string()))?;
        inclusion
            .verify(&changbai_merkle::leaf_hash(&leaf.to_bytes()), &header.log_root)
            .map_err(|e| broken(e.to_string()))?;
        let certificate = block.certificate.ok_or_else(|| broken("no certificate".to_owned()))?;
        Ok(Proof::Proven(Box::new(TransactionProof {
            envelope,
            leaf,
            inclusion,
            header,
            round: certificate.round,
            signatures: certificate.signatures.iter().map(|(v, s)| (*v, s.to_der())).collect(),
        })))
    }

    /// Re-reads the whole block log and compares digests; for the operator and the scrubber.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] with file and offset of the first damaged frame.
    pub fn scrub(&self) -> Result<(), StorageError> {
        self.shared.ledger.scrub()
    }

    /// Takes no more transactions; those taken are still ordered.
    pub fn stop(&self) {
        self.shared.mempool.close();
    }

    /// Writes the index out after the orderer is gone. Without this the next start applies the last
    /// blocks to it again.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the index cannot be written; nothing is lost then.
    pub fn close(self, orderer: Orderer) -> Result<(), StorageError> {
        orderer.close()?;
        // Somebody else still reads: then the next start applies the last blocks again.
        Arc::into_inner(self.shared).map_or(Ok(()), |shared| shared.ledger.close())
    }
}
