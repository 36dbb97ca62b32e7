//! From a file to a channel's directory.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use changbai_contract::Registry;
use changbai_storage::{
    BlockLog, ConsensusWal, DeferredSync, Files, Index, LogOptions, LogReader, Progress,
    StorageError,
};
use smkit::Sm3Digest;

use super::ArchiveError;
use super::chain::{Chain, opened};
use super::manifest::{ExportReader, Manifest};
use crate::block::Block;
use crate::body::Body;
use crate::ledger::{Effects, Paths, apply};
use crate::limits::PIECES_WAITING_MAX;

/// How much of an export is found out again, and how much is proven by its headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportMode {
    /// Every transaction is validated, signatures included.
    Validate,
    /// Of a transaction in a block before the last, what the headers prove is enough: its bytes and
    /// its code. The last block, whose codes no header proves yet, and every block that changes the
    /// configuration are validated all the same.
    Proven,
}

/// Where an export is taken in, and against what.
pub struct Import<'a> {
    /// File access.
    pub files: Arc<dyn Files>,
    /// The channel's directory, without a ledger in it. A consensus log that is there stays: what
    /// this node has signed is not forgotten.
    pub dir: &'a Path,
    /// Hash of the genesis block's header, known from elsewhere.
    pub genesis: Sm3Digest,
    /// Contracts as the channel's nodes run them.
    pub contracts: &'a Registry,
    /// How much is found out again.
    pub mode: ImportMode,
}

impl std::fmt::Debug for Import<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Import");
        shown.field("dir", &self.dir).field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// What was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Block 0.
    pub genesis: Block,
    /// Number of the last block.
    pub last: u64,
    /// Hash of its header.
    pub last_header: Sm3Digest,
    /// Transactions, genesis envelope and invalid ones included.
    pub transactions: u64,
    /// Blocks whose transactions were validated.
    pub validated: u64,
}

/// Takes an export of a whole channel in: `dir` then holds a ledger that a node opens.
///
/// Everything is written below `importing` in the directory and moves to its place once it is
/// complete and durable; when an import is cut short, the next one begins anew, or finishes the move.
///
/// # Errors
///
/// [`ArchiveError`]: the export is damaged, or something in it is not proven; or the directory has
/// a ledger already, or its consensus log knows of later blocks. The directory is as it was then,
/// except for what lies below `importing`.
pub fn import(
    input: &mut (dyn Read + Send),
    options: &Import<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Imported, ArchiveError> {
    let place = Place::prepare(&options.files, options.dir)?;
    let export = ExportReader::open(input)?;
    place.admit(export.manifest(), options)?;
    let deferred = Arc::new(DeferredSync::over(Arc::clone(&options.files)));
    let draft = Draft::create(&deferred, &place, options)?;
    let imported = draft.fill(export, progress)?;
    deferred.settle().map_err(|source| place.io("sync", source))?;
    place.complete()?;
    place.move_in()?;
    Ok(imported)
}

/// A block of the export, as far as it can be looked at by itself.
enum Piece {
    Genesis(Box<Block>),
    Later { number: u64, bytes: Vec<u8>, body: Box<Body>, is_last: bool },
}

impl Piece {
    fn open(number: u64, bytes: Vec<u8>, is_last: bool) -> Result<Self, ArchiveError> {
        let wrong = |reason: String| ArchiveError::block(number, reason);
        if number == 0 {
            let block = Block::from_bytes(&bytes).map_err(wrong)?;
            if block.to_bytes() != bytes {
                return Err(wrong("it has another form than a block of ours".to_owned()));
            }
            return Ok(Self::Genesis(Box::new(block)));
        }
        let body = Box::new(opened(&bytes).map_err(wrong)?);
        Ok(Self::Later { number, bytes, body, is_last })
    }
}

/// Reads the export to its last block; ends early once nobody takes the pieces any more.
fn read<'r>(
    mut export: ExportReader<'r>,
    pieces: &SyncSender<Piece>,
) -> Result<ExportReader<'r>, ArchiveError> {
    let last = export.manifest().last;
    while let Some((number, bytes)) = export.next_block()? {
        if pieces.send(Piece::open(number, bytes, number == last)?).is_err() {
            break;
        }
    }
    Ok(export)
}

/// A ledger being made.
struct Draft<'a> {
    log: BlockLog,
    index: Index,
    chain: Option<(Chain, Block)>,
    options: &'a Import<'a>,
    validated: u64,
}

impl<'a> Draft<'a> {
    fn create(
        files: &Arc<DeferredSync>,
        place: &Place,
        options: &'a Import<'a>,
    ) -> Result<Self, ArchiveError> {
        let files = Arc::clone(files) as Arc<dyn Files>;
        let (log, _) = BlockLog::open(files, &place.draft.blocks, LogOptions::default(), None)?;
        let (index, _) = Index::open(&place.draft.index)?;
        Ok(Self { log, index, chain: None, options, validated: 0 })
    }

    /// Takes everything in. Reading and taking apart is done on a thread beside this one: half of
    /// the work, and it needs nothing of the ledger.
    fn fill(
        mut self,
        export: ExportReader<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Imported, ArchiveError> {
        let height = export.manifest().last;
        let export = std::thread::scope(|scope| {
            let (sender, pieces) = sync_channel(PIECES_WAITING_MAX);
            let reader = scope.spawn(move || read(export, &sender));
            for piece in pieces {
                let number = match piece {
                    Piece::Genesis(block) => self.genesis(*block)?,
                    Piece::Later { number, bytes, body, is_last } => {
                        self.block(number, &bytes, &body, is_last)?
                    }
                };
                progress(Progress { number, height });
            }
            reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })?;
        self.finish(export)
    }

    fn block(
        &mut self,
        number: u64,
        bytes: &[u8],
        body: &Body,
        is_last: bool,
    ) -> Result<u64, ArchiveError> {
        let wrong = |reason: String| ArchiveError::block(number, reason);
        let Some((chain, _)) = &mut self.chain else {
            return Err(wrong("it comes before the first".to_owned()));
        };
        chain.continues(body).map_err(wrong)?;
        // Every certificate, though the last one would do for the state: each is kept, and goes into
        // the receipts of transactions that its header proves.
        chain.certified(&body.block).map_err(wrong)?;
        // A configuration says who certifies what follows, so that its block is not proven by that.
        let changes = body.transactions.iter().any(|decoded| decoded.content.is_config());
        let effects = if is_last || changes || self.options.mode == ImportMode::Validate {
            self.validated = self.validated.saturating_add(1);
            chain.judge(&self.index, body)?.map_err(wrong)?
        } else {
            chain.by_codes(body).map_err(wrong)?
        };
        let position = self.log.append(number, bytes, &body.identities())?;
        let frontier = chain.tip().frontier.clone();
        let tip = apply(&self.index, &body.block, &effects, position, frontier)?;
        chain.advance(tip, effects).map_err(wrong)?;
        Ok(number)
    }

    fn genesis(&mut self, block: Block) -> Result<u64, ArchiveError> {
        let wrong = |reason: String| ArchiveError::block(0, reason);
        let Import { genesis, contracts, .. } = self.options;
        let mut chain = Chain::begin(&block, Some(genesis), contracts).map_err(wrong)?;
        let position = self.log.append(0, &block.to_bytes(), &[])?;
        let effects = Effects { ids: vec![None], writes: Vec::new().into(), config: None };
        let frontier = chain.tip().frontier.clone();
        let tip = apply(&self.index, &block, &effects, position, frontier)?;
        chain.advance(tip, effects).map_err(wrong)?;
        self.chain = Some((chain, block));
        Ok(0)
    }

    fn finish(self, export: ExportReader<'_>) -> Result<Imported, ArchiveError> {
        let Some((chain, genesis)) = self.chain else {
            return Err(ArchiveError::Refused("the export holds no blocks".to_owned()));
        };
        let tip = chain.tip();
        export.finish(&tip.hash)?;
        self.index.close_clean()?;
        Ok(Imported {
            genesis,
            last: tip.header.number,
            last_header: tip.hash,
            transactions: tip.frontier.size(),
            validated: self.validated,
        })
    }
}

/// The channel's directory, and the draft within it.
struct Place {
    files: Arc<dyn Files>,
    dir: PathBuf,
    work: PathBuf,
    draft: Paths,
    paths: Paths,
}

impl Place {
    /// Finishes a move that was cut short, and makes sure that there is room for a ledger.
    fn prepare(files: &Arc<dyn Files>, dir: &Path) -> Result<Self, ArchiveError> {
        let work = dir.join("importing");
        let (draft, paths) = (Paths::below(&work, None), Paths::below(dir, None));
        let place = Self { files: Arc::clone(files), dir: dir.to_owned(), work, draft, paths };
        place.files.create_dir_all(dir).map_err(|e| place.io("create", e))?;
        if place.files.open(&place.marker(), false).is_ok() {
            place.move_in()?;
        }
        let blocks = place.files.list(&place.paths.blocks);
        if blocks.is_ok_and(|names| !names.is_empty()) {
            return Err(ArchiveError::Refused("the channel has a ledger already".to_owned()));
        }
        Index::destroy(&place.work)?;
        place.files.create_dir_all(&place.work).map_err(|e| place.io("create", e))?;
        Ok(place)
    }

    fn admit(&self, manifest: &Manifest, options: &Import<'_>) -> Result<(), ArchiveError> {
        let refused = |reason: String| Err(ArchiveError::Refused(reason));
        if manifest.first != 0 {
            return refused(format!("the export begins with block {}", manifest.first));
        }
        if manifest.genesis != options.genesis.to_string() {
            return refused("the export is of another channel than expected".to_owned());
        }
        match ConsensusWal::read_floor(self.files.as_ref(), &self.paths.wal)? {
            Some(floor) if floor > manifest.last => refused(format!(
                "this node had block {floor}, and the export ends with block {}",
                manifest.last
            )),
            _ => Ok(()),
        }
    }

    /// States, durably, that the draft is whole and durable.
    fn complete(&self) -> Result<(), ArchiveError> {
        let marker = self.files.open(&self.marker(), true).map_err(|e| self.io("create", e))?;
        marker.sync_data().map_err(|e| self.io("sync", e))?;
        self.files.sync_dir(&self.work).map_err(|e| self.io("sync", e))?;
        self.files.sync_dir(&self.dir).map_err(|e| self.io("sync", e))
    }

    /// Moves a whole draft to its place; may be done again from any point at which it was cut short.
    fn move_in(&self) -> Result<(), ArchiveError> {
        if self.draft.index.is_dir() {
            Index::destroy(&self.paths.index)?;
            self.rename(&self.draft.index, &self.paths.index)?;
        }
        if self.draft.blocks.is_dir() {
            self.rename(&self.draft.blocks, &self.paths.blocks)?;
        }
        self.files.sync_dir(&self.dir).map_err(|e| self.io("sync", e))?;
        // A block log without this would be taken for one whose consensus log was lost.
        let log = LogReader::open(Arc::clone(&self.files), &self.paths.blocks, None)?;
        let (mut wal, _) = ConsensusWal::open(Arc::clone(&self.files), &self.paths.wal)?;
        wal.raise_floor(log.height().unwrap_or(0))?;
        Ok(Index::destroy(&self.work)?)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), ArchiveError> {
        self.files.rename(from, to).map_err(|e| self.io("rename", e))
    }

    fn marker(&self) -> PathBuf {
        self.work.join("complete")
    }

    fn io(&self, operation: &'static str, source: io::Error) -> ArchiveError {
        StorageError::Io { file: self.dir.clone(), operation, source }.into()
    }
}
