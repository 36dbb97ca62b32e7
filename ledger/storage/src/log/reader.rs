//! Reading a log that somebody else keeps, or nobody any more: nothing is created, cut or settled.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::open::{Segment, expect_segment};
use super::position::Position;
use super::segment::{segment_first, segment_path};
use super::shared::{Extent, Shared};
use crate::error::StorageError;
use crate::files::Files;
use crate::frame::Known;

/// A block log opened for reading alone, up to its end at that moment.
#[derive(Debug)]
pub struct LogReader {
    shared: Shared,
    torn: Option<Torn>,
    /// Damage in the last segment, behind the blocks that are intact.
    damage: Option<StorageError>,
}

/// Bytes at the log's end that are no whole frame: a write that was under way, or was torn by a
/// crash and never acknowledged. The next start cuts it off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// The last segment.
    pub file: PathBuf,
    /// Where the last intact frame ends.
    pub offset: u64,
    /// How many bytes follow.
    pub bytes: u64,
}

impl LogReader {
    /// Opens the log in `dir`. `floor` is what [`crate::ConsensusWal::read_floor`] says: the last
    /// block that was durable for certain. Only the last segment is read here.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] for a directory without segments, [`StorageError::Io`]. Damage to
    /// segments is reported by [`LogReader::scan`], in its place.
    pub fn open(
        files: Arc<dyn Files>,
        dir: &Path,
        floor: Option<u64>,
    ) -> Result<Self, StorageError> {
        let names = files.list(dir).map_err(StorageError::io(dir, "list"))?;
        let firsts: Vec<u64> = names.iter().filter_map(|name| segment_first(name)).collect();
        let (Some(first), Some(last)) = (firsts.first(), firsts.last().copied()) else {
            return Err(StorageError::corrupt(&segment_path(dir, 0), 0, "there is no segment"));
        };
        expect_segment(dir, *first, 0)?;
        let mut segment = Segment::open(&files, dir, last)?;
        let bad = segment.check_frames(None, &mut Known::new())?.err();
        let height = segment.next.checked_sub(1);
        let (mut torn, mut damage) = (None, None);
        if let Some(bad) = bad {
            if height < floor || segment.something_follows(&bad)? {
                damage = Some(segment.damage(&bad));
            } else {
                let bytes = segment.window.size_bytes().saturating_sub(segment.offset);
                torn = Some(Torn { file: segment.path.clone(), offset: segment.offset, bytes });
            }
        } else if height < floor {
            let reason = "the log ends before the last block that was durable";
            damage = Some(StorageError::corrupt(&segment.path, segment.offset, reason));
        }
        let extent = Extent { segment: last, end: segment.offset, next: segment.next };
        Ok(Self { shared: Shared::new(files, dir, firsts, extent), torn, damage })
    }

    /// Hands every block from number `from` on to `visit`, in order; checksums of all frames and
    /// digests of those handed on are checked, as by [`crate::BlockLog::scan`].
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] for the first frame that is not intact, after the intact ones before
    /// it; those of `visit`.
    pub fn scan<E: From<StorageError>>(
        &self,
        from: u64,
        visit: &mut dyn FnMut(u64, Position, Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.shared.scan(from, &mut |number, position, frame| {
            visit(number, position, self.shared.whole(position, &frame)?)
        })?;
        Ok(self.intact_end()?)
    }

    /// Whether the last segment is intact up to its end, apart from what may be [`Torn`].
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] for what lies behind the blocks up to [`LogReader::height`].
    pub fn intact_end(&self) -> Result<(), StorageError> {
        match &self.damage {
            Some(StorageError::Corrupt { file, offset, reason }) => {
                Err(StorageError::corrupt(file, *offset, reason.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Last intact block of the last segment; `None` for an empty log.
    #[must_use]
    pub fn height(&self) -> Option<u64> {
        self.shared.extent().height()
    }

    /// What lies behind the last block, if anything.
    #[must_use]
    pub const fn torn(&self) -> Option<&Torn> {
        self.torn.as_ref()
    }
}
