//! Checking a block log that nobody runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use changbai_contract::Registry;
use changbai_merkle::leaf_hashes;
use changbai_storage::{
    ConsensusWal, Files, Index, LogReader, MemoryIndex, Position, Progress, ReadOnlyFiles,
    StorageError, Torn,
};
use changbai_wire::ValidationCode;
use smkit::Sm3Digest;

use super::ArchiveError;
use super::chain::{Chain, opened};
use crate::block::Block;
use crate::ledger::{Effects, Paths, Tip, apply, leaves};

/// What is to be checked, and against what.
pub struct LogCheck<'a> {
    /// The channel's directory. Nothing in it is changed.
    pub dir: &'a Path,
    /// Hash of the genesis block's header, known from elsewhere. Without it the log vouches for its
    /// own beginning, and somebody may have replaced the whole of it.
    pub genesis: Option<Sm3Digest>,
    /// Contracts as the channel's nodes run them.
    pub contracts: &'a Registry,
    /// Validate every transaction again, signatures included, with the state kept here meanwhile.
    /// Without, the headers prove the codes of all blocks but the last; what changes the configuration
    /// is judged all the same.
    pub deep: Option<Scratch>,
}

impl std::fmt::Debug for LogCheck<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogCheck").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// Where a state lives that is thrown away afterwards.
#[derive(Debug, Clone)]
pub enum Scratch {
    /// In memory: about as large as the channel's state and transactions' ids.
    Memory,
    /// Below this directory, where it is made and stays.
    Dir(PathBuf),
}

/// A log in which everything is as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogReport {
    /// The channel's id.
    pub channel_id: String,
    /// Hash of the genesis block's header.
    pub genesis: Sm3Digest,
    /// Number of the last block.
    pub last: u64,
    /// Hash of its header.
    pub last_header: Sm3Digest,
    /// Transactions, genesis envelope and invalid ones included.
    pub transactions: u64,
    /// Those that took effect.
    pub valid: u64,
    /// How often the configuration changed.
    pub configurations: u64,
    /// Bytes behind the last block that are no block: the node was stopped while it wrote, or is
    /// writing now. The next start cuts them off.
    pub torn: Option<Torn>,
}

/// Checks a channel's block log front to back without writing anything: frames and their digests,
/// the chain of hashes, every field of every header, the transaction log's root in each against the
/// tree built anew, and every certificate under the validators of its height, across changes of
/// configuration. With [`LogCheck::deep`] every transaction as well.
///
/// # Errors
///
/// [`StorageError::Corrupt`](changbai_storage::StorageError::Corrupt) with file and offset of the
/// first thing that is wrong.
pub fn verify_log(
    check: &LogCheck<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<LogReport, ArchiveError> {
    let files: Arc<dyn Files> = Arc::new(ReadOnlyFiles);
    let paths = Paths::below(check.dir, None);
    let floor = ConsensusWal::read_floor(files.as_ref(), &paths.wal)?;
    let log = LogReader::open(files, &paths.blocks, floor)?;
    let index = check.deep.as_ref().map(Scratch::open).transpose()?;
    let height = log.height().unwrap_or(0);
    let mut pass: Option<Pass> = None;
    log.scan::<ArchiveError>(0, &mut |number, position, bytes| {
        let wrong = |reason: String| position.corrupt(format!("block {number}: {reason}"));
        let Some(pass) = pass.as_mut() else {
            let block = Block::from_bytes(&bytes).map_err(wrong)?;
            let anchor = check.genesis.as_ref();
            let mut chain = Chain::begin(&block, anchor, check.contracts).map_err(wrong)?;
            let effects = Effects { ids: vec![None], writes: Vec::new().into(), config: None };
            let tip = next_tip(&chain, index.as_ref(), &block, &effects, position)?;
            chain.advance(tip, effects).map_err(wrong)?;
            pass = Some(Pass { chain, valid: 1, configurations: 0 });
            progress(Progress { number, height });
            return Ok(());
        };
        let body = opened(&bytes).map_err(wrong)?;
        let block = &body.block;
        pass.chain.continues(&body).map_err(wrong)?;
        pass.chain.certified(block).map_err(wrong)?;
        let effects = match &index {
            Some(index) => pass.chain.judge(index, &body)?.map_err(wrong)?,
            None => pass.chain.by_codes(&body).map_err(wrong)?,
        };
        if effects.config.is_some() {
            pass.chain.endorsed(&body).map_err(wrong)?;
        }
        let tip = next_tip(&pass.chain, index.as_ref(), block, &effects, position)?;
        let valid = block.codes.iter().filter(|code| **code == ValidationCode::Valid).count();
        pass.valid = pass.valid.saturating_add(valid as u64);
        let changes = u64::from(effects.config.is_some());
        pass.configurations = pass.configurations.saturating_add(changes);
        pass.chain.advance(tip, effects).map_err(wrong)?;
        progress(Progress { number, height });
        Ok(())
    })?;
    let Some(Pass { chain, valid, configurations }) = pass else {
        return Err(ArchiveError::Refused("the block log is empty".to_owned()));
    };
    let Tip { header, hash, frontier } = chain.tip().clone();
    let genesis = chain.genesis();
    Ok(LogReport {
        channel_id: header.channel_id,
        genesis,
        last: header.number,
        last_header: hash,
        transactions: frontier.size(),
        valid,
        configurations,
        torn: log.torn().cloned(),
    })
}

/// The chain with one block more, and the state, if it is kept.
fn next_tip(
    chain: &Chain,
    index: Option<&Index>,
    block: &Block,
    effects: &Effects<'_>,
    position: Position,
) -> Result<Tip, StorageError> {
    let mut frontier = chain.tip().frontier.clone();
    if let Some(index) = index {
        return apply(index, block, effects, position, frontier);
    }
    frontier
        .append_many(&leaf_hashes(&leaves(block)), &mut |_, _| ())
        .map_err(|e| position.corrupt(e.to_string()))?;
    Ok(Tip { hash: block.header.hash(), header: block.header.clone(), frontier })
}

struct Pass {
    chain: Chain,
    valid: u64,
    configurations: u64,
}

impl Scratch {
    fn open(&self) -> Result<Index, ArchiveError> {
        Ok(match self {
            Self::Memory => Index::in_memory(&MemoryIndex::new()).0,
            Self::Dir(dir) => {
                let dir = dir.join("scratch-index");
                Index::destroy(&dir)?;
                Index::open(&dir)?.0
            }
        })
    }
}
