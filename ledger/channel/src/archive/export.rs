//! From a block log to a file.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use changbai_storage::{ConsensusWal, Files, LogReader, Progress, ReadOnlyFiles};
use smkit::Sm3Digest;

use super::ArchiveError;
use super::container::Writer;
use super::manifest::{END_NAME, End, MANIFEST_NAME, Manifest, block_name, to_text};
use crate::block::Block;
use crate::ledger::Paths;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The channel's id.
    pub channel_id: String,
    /// Hash of the genesis block's header: what the reader has to know from elsewhere.
    pub genesis: Sm3Digest,
    /// Number of the last block written.
    pub last: u64,
    /// Hash of its header.
    pub last_header: Sm3Digest,
}

/// Writes blocks `first` to `last` (all that there are, without one) of the channel below `dir` to
/// `out`, in the form of `docs/export-format.md`. Reads only, also beside a node that is running.
/// The same log gives the same bytes.
///
/// Frames and the chain of hashes are checked on the way; [`verify_log`](super::verify_log) and
/// [`import`](super::import) check the rest.
///
/// # Errors
///
/// [`ArchiveError`]; what was written by then is of no use.
pub fn export(
    dir: &Path,
    first: u64,
    last: Option<u64>,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<Exported, ArchiveError> {
    let files: Arc<dyn Files> = Arc::new(ReadOnlyFiles);
    let paths = Paths::below(dir, None);
    let floor = ConsensusWal::read_floor(files.as_ref(), &paths.wal)?;
    let log = LogReader::open(files, &paths.blocks, floor)?;
    let height = log.height().unwrap_or(0);
    if last.is_none() {
        // "All" must not silently mean "all up to the damage".
        log.intact_end()?;
    }
    let last = last.unwrap_or(height);
    if first > last || last > height {
        return Err(ArchiveError::Refused(format!(
            "the channel has blocks 0 to {height}, not {first} to {last}"
        )));
    }
    let mut writer = Writer::new(out);
    let mut exported: Option<Exported> = None;
    let outcome = log.scan::<Stop>(0, &mut |number, position, bytes| {
        let block = Block::from_bytes(&bytes).map_err(|reason| position.corrupt(reason))?;
        let hash = block.header.hash();
        match &mut exported {
            None => {
                let channel_id = block.header.channel_id.clone();
                let manifest = Manifest::new(&channel_id, &hash, first, last);
                writer.entry(MANIFEST_NAME, &to_text(&manifest))?;
                exported = Some(Exported { channel_id, genesis: hash, last, last_header: hash });
            }
            Some(before) if before.last_header == block.header.previous_hash => {
                before.last_header = hash;
            }
            Some(_) => {
                let reason = format!("block {number} does not continue the block before it");
                return Err(position.corrupt(reason).into());
            }
        }
        if number >= first {
            writer.entry(&block_name(number), &block.to_bytes())?;
        }
        progress(Progress { number, height: last });
        if number >= last { Err(Stop::Enough) } else { Ok(()) }
    });
    match outcome {
        Err(Stop::Failed(error)) => return Err(error),
        Ok(()) | Err(Stop::Enough) => {}
    }
    let exported = exported.ok_or_else(|| ArchiveError::Refused("no blocks".to_owned()))?;
    let end =
        End { last_header: exported.last_header.to_string(), sm3: writer.digest().to_string() };
    writer.entry(END_NAME, &to_text(&end))?;
    writer.finish()?;
    Ok(exported)
}

/// Why the scan ends.
enum Stop {
    Enough,
    Failed(ArchiveError),
}

impl<E: Into<ArchiveError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}
