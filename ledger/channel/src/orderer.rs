//! Ordering: the single-threaded loop around Malachite's core.
//!
//! The owner calls [`Orderer::turn`] whenever a transaction arrived or a deadline passed, and
//! gives it the time; nothing here reads a clock, sleeps or spawns. A height starts only when
//! there is work: transactions wait, or results are not yet committed to by a header. An idle
//! channel makes no blocks.
//!
//! The safety contract of the core is kept by order: its actions are performed one after the
//! other, a `Flush` before every message and decision, and the body of a proposed block lies in
//! the same flush as the proposal that names it. After any failure to write, the orderer halts
//! for good: it never signs again in this process.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use changbai_consensus::{Action, CommitCertificate, Engine, Event, TimeoutToken, WalRecord};
use changbai_storage::{ConsensusWal, Entry, StorageError};
use changbai_wire::{
    DecodedTransaction, Header, TxId, ValidationCode, data_hash, decode_transaction,
};

use crate::block::Block;
use crate::channel::Shared;
use crate::mempool::Waiting;
use crate::outcome::Outcome;
use crate::validate::validate;

/// Kind of the consensus log's records that hold a built block: round u32 ‖ `common.Block`.
/// The core's own records use the kinds below it.
pub(crate) const WAL_BODY: u8 = 0xF0;

/// The channel stopped ordering, and will not start again in this process.
#[derive(Debug, Clone, thiserror::Error)]
#[error("ordering has halted: {0}")]
pub struct Halted(pub String);

/// What a turn left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// When the next timeout is due, in the caller's monotonic milliseconds; `None`: sleep until
    /// there is work.
    pub deadline_ms: Option<u64>,
}

/// Drives consensus for one channel. Owned by one thread.
#[derive(Debug)]
pub struct Orderer {
    shared: Arc<Shared>,
    engine: Engine,
    wal: ConsensusWal,
    events: VecDeque<Event>,
    timers: BTreeMap<TimeoutToken, u64>,
    /// The height that the core works on; `None` while the channel is idle.
    running: Option<u64>,
    /// The core waits for a block of ours: height and round.
    wanted: Option<(u64, u32)>,
    body: Option<Body>,
}

/// The block that this node built for the height under way.
#[derive(Debug)]
struct Body {
    block: Block,
    hash: smkit::sm3::Sm3Digest,
    /// Callers waiting; after a restart there are none, only the block.
    waiting: Vec<Waiting>,
}

impl Orderer {
    pub(crate) fn new(shared: Arc<Shared>, engine: Engine, wal: ConsensusWal) -> Self {
        Self {
            shared,
            engine,
            wal,
            events: VecDeque::new(),
            timers: BTreeMap::new(),
            running: None,
            wanted: None,
            body: None,
        }
    }

    /// Feeds the consensus log of an unfinished height back into the core, before anything else.
    ///
    /// # Errors
    ///
    /// [`Halted`] when the log contradicts itself; the node must not vote then.
    pub fn recover(&mut self, entries: Vec<Entry>, now_ms: u64) -> Result<(), Halted> {
        let height = self.shared.ledger.tip().header.number + 1;
        let mut records = Vec::new();
        for entry in entries.into_iter().filter(|entry| entry.height == height) {
            if entry.kind == WAL_BODY {
                self.restore_body(&entry.bytes)?;
            } else {
                records.push(WalRecord { height, kind: entry.kind, bytes: entry.bytes });
            }
        }
        if records.is_empty() && self.body.is_none() {
            return Ok(());
        }
        self.running = Some(height);
        let set = self.shared.validators.clone();
        let actions = self.engine.recover(height, set, &records).map_err(halted)?;
        self.perform(actions, now_ms)?;
        self.turn(now_ms).map(drop)
    }

    /// Does everything that can be done now.
    ///
    /// # Errors
    ///
    /// [`Halted`]; the caller stops calling and raises an alarm.
    pub fn turn(&mut self, now_ms: u64) -> Result<Turn, Halted> {
        let result = self.work(now_ms);
        if let Err(halted) = &result {
            self.shared.halt(&halted.0);
        }
        result
    }

    /// Sleeps until a transaction arrives or `at_most` is over; for the owner's loop.
    pub fn wait(&self, at_most: std::time::Duration) {
        self.shared.mempool.wait(at_most);
    }

    /// Ends ordering in order: the consensus log states its floor durably.
    pub(crate) fn close(self) -> Result<(), StorageError> {
        self.wal.close()
    }

    /// Whether the channel takes no more transactions and every one taken has been answered.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.shared.mempool.is_closed()
            && self.shared.mempool.is_empty()
            && self.running.is_none()
            && !self.shared.ledger.tip().has_unproven_results()
    }

    fn work(&mut self, now_ms: u64) -> Result<Turn, Halted> {
        loop {
            if self.running.is_none() && self.has_work() {
                let height = self.shared.ledger.tip().header.number + 1;
                self.running = Some(height);
                let set = self.shared.validators.clone();
                let actions = self.engine.start(height, set).map_err(halted)?;
                self.perform(actions, now_ms)?;
            }
            if let Some((height, round)) = self.wanted.take() {
                let block = self.build(height, round)?;
                self.events.push_back(Event::Built { height, round, block });
            }
            if self.events.is_empty() {
                self.fire_timers(now_ms);
            }
            let Some(event) = self.events.pop_front() else {
                if self.running.is_none() && self.has_work() {
                    continue;
                }
                break;
            };
            let actions = self.engine.step(event).map_err(halted)?;
            self.perform(actions, now_ms)?;
        }
        Ok(Turn { deadline_ms: self.timers.values().min().copied() })
    }

    fn has_work(&self) -> bool {
        !self.shared.mempool.is_empty() || self.shared.ledger.tip().has_unproven_results()
    }

    fn fire_timers(&mut self, now_ms: u64) {
        let due = |(token, at): (&TimeoutToken, &u64)| (*at <= now_ms).then_some(*token);
        let due: Vec<TimeoutToken> = self.timers.iter().filter_map(due).collect();
        for token in due {
            self.timers.remove(&token);
            self.events.push_back(Event::Timeout(token));
        }
    }

    /// Performs the core's actions in order; a failed write ends it before anything leaves.
    fn perform(&mut self, actions: Vec<Action>, now_ms: u64) -> Result<(), Halted> {
        for action in actions {
            match action {
                Action::Wal(record) => self
                    .wal
                    .append(record.height, record.kind, &record.bytes)
                    .map_err(|e| storage(&e))?,
                Action::Flush => self.wal.flush().map_err(|e| storage(&e))?,
                Action::Schedule { token, duration_ms } => {
                    self.timers.insert(token, now_ms.saturating_add(duration_ms));
                }
                Action::Cancel(token) => drop(self.timers.remove(&token)),
                Action::CancelAll => self.timers.clear(),
                Action::NeedBlock { height, round } => self.wanted = Some((height, round)),
                Action::Decided(certificate) => self.decided(certificate)?,
                Action::Finalized { height, .. } => {
                    self.wal.reset(height + 1).map_err(|e| storage(&e))?;
                    self.wanted = None;
                    self.running = None;
                }
                // This node is its channel's only validator: there is nobody to send to.
                Action::Broadcast(_)
                | Action::BroadcastBestEffort(_)
                | Action::Restream { .. }
                | Action::RoundStarted { .. } => {}
                other => return Err(Halted(format!("unexpected consensus action {other:?}"))),
            }
        }
        if self.running.is_none() {
            // What is left are reminders to peers that are late; there are none.
            self.timers.clear();
        }
        Ok(())
    }

    /// The block for this height: the one already built, or a new one from the queue.
    fn build(&mut self, height: u64, round: u32) -> Result<smkit::sm3::Sm3Digest, Halted> {
        if let Some(body) = &self.body {
            return Ok(body.hash);
        }
        let tip = self.shared.ledger.tip();
        let batch = &self.shared.config.batch;
        let waiting = self
            .shared
            .mempool
            .take_block(batch.max_message_count as usize, batch.preferred_max_bytes as usize);
        let digests: Vec<_> = waiting.iter().map(|w| w.digest).collect();
        let reading = self.shared.clock.now();
        let header = Header {
            number: height,
            previous_hash: tip.hash,
            data_hash: data_hash(&digests),
            channel_id: self.shared.config.channel_id.clone(),
            // A clock that was set back must not make time run backwards on the ledger.
            time_ms: reading.at.0.max(tip.header.time_ms),
            time_bound_us: reading.bound_us.unwrap_or(0),
            log_size: tip.frontier.size(),
            log_root: tip.frontier.root(),
            validators_hash: self.shared.config.validators_hash(),
            config_number: self.shared.config.sequence,
        };
        let hash = header.hash();
        let envelopes = waiting.iter().map(|w| w.envelope.clone()).collect();
        let block = Block { header, envelopes, codes: Vec::new(), certificate: None };
        let mut record = round.to_be_bytes().to_vec();
        record.extend(block.to_bytes());
        self.wal.append(height, WAL_BODY, &record).map_err(|e| storage(&e))?;
        self.body = Some(Body { block, hash, waiting });
        Ok(hash)
    }

    fn restore_body(&mut self, record: &[u8]) -> Result<(), Halted> {
        let bytes = record.get(4..).unwrap_or_default();
        let block = Block::from_bytes(bytes)
            .map_err(|e| Halted(format!("a block in the consensus log does not decode: {e}")))?;
        let hash = block.header.hash();
        self.body = Some(Body { block, hash, waiting: Vec::new() });
        Ok(())
    }

    /// Validates the decided block, makes it durable, then answers the callers.
    fn decided(&mut self, certificate: CommitCertificate) -> Result<(), Halted> {
        let Some(body) = self.body.take().filter(|body| body.hash == certificate.block) else {
            return Err(Halted(format!(
                "block {} was decided, but its body is not here",
                certificate.height
            )));
        };
        let Body { mut block, waiting, .. } = body;
        let decoded = decode_missing(&block, &waiting);
        let candidates: Vec<_> = decoded
            .iter()
            .map(|decoded| match decoded {
                Decoded::Waiting(transaction) => Ok(*transaction),
                Decoded::Read(Ok(transaction)) => Ok(transaction.as_ref()),
                Decoded::Read(Err(code)) => Err(*code),
            })
            .collect();
        let ids: Vec<Option<TxId>> =
            candidates.iter().map(|c| c.as_ref().ok().map(|t| t.tx_id)).collect();
        let shared = &self.shared;
        let number = block.header.number;
        let time_ms = block.header.time_ms;
        let view = shared.ledger.index().snapshot();
        let validated = validate(
            &shared.rules(),
            &view,
            &|id| Ok(shared.ledger.location(id)?.is_some()),
            number,
            time_ms,
            &candidates,
        )
        .map_err(|e| storage(&e))?;
        block.codes = validated.codes;
        block.certificate = Some(certificate);
        let identities = identities_of(&candidates);
        shared
            .ledger
            .commit(&block, &ids, &validated.writes, &identities)
            .map_err(|e| storage(&e))?;
        shared.mempool.forget(ids.iter().flatten());
        let codes = block.codes;
        for (index, (waiting, code)) in waiting.into_iter().zip(codes).enumerate() {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            // A caller that has gone away misses nothing: the ledger keeps the answer.
            let outcome = Outcome { block_number: number, index, code, time_ms };
            let _ = waiting.reply.send(outcome);
        }
        Ok(())
    }
}

enum Decoded<'a> {
    Waiting(&'a DecodedTransaction),
    Read(Result<Box<DecodedTransaction>, ValidationCode>),
}

/// Decoded forms of a block's transactions: from the queue where they came from it, else afresh.
fn decode_missing<'a>(block: &Block, waiting: &'a [Waiting]) -> Vec<Decoded<'a>> {
    if waiting.len() == block.envelopes.len() {
        return waiting.iter().map(|w| Decoded::Waiting(&w.transaction)).collect();
    }
    let read = |envelope: &Vec<u8>| {
        Decoded::Read(decode_transaction(envelope).map(Box::new).map_err(|(code, _)| code))
    };
    block.envelopes.iter().map(read).collect()
}

/// Every identity in the block once: the block log stores each a single time.
fn identities_of<'a>(
    candidates: &[Result<&'a DecodedTransaction, ValidationCode>],
) -> Vec<&'a [u8]> {
    let mut identities: Vec<&[u8]> = candidates
        .iter()
        .flatten()
        .flat_map(|t| {
            let endorsers = t.endorsements.iter().map(|(endorser, _)| endorser.as_slice());
            std::iter::once(t.creator.as_slice()).chain(endorsers)
        })
        .collect();
    identities.sort_unstable();
    identities.dedup();
    identities
}

fn storage(error: &StorageError) -> Halted {
    Halted(error.to_string())
}

fn halted(error: impl std::fmt::Display) -> Halted {
    Halted(error.to_string())
}
