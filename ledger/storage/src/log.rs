//! The block log: append-only segments of frames, the only durable truth of a channel.

mod open;
mod position;
mod reader;
mod segment;
mod shared;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use position::Position;
pub use reader::{LogReader, Torn};
pub use shared::Progress;

use crate::error::StorageError;
use crate::files::{File, Files};
use crate::frame::Known;
use crate::frame::{Body, encode_frame};
use crate::limits::{BLOCK_BYTES_MAX, SEGMENT_BYTES, SEGMENT_BYTES_MAX};
use segment::{segment_name, segment_path};
use shared::{Extent, Shared};

/// How a block log is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogOptions {
    /// A segment that has reached this length, in bytes, is closed and a new one begun. At most
    /// [`SEGMENT_BYTES_MAX`].
    pub segment_bytes: u64,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { segment_bytes: SEGMENT_BYTES }
    }
}

/// What opening the log found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogRecovery {
    /// Last block, or `None` for an empty log.
    pub height: Option<u64>,
    /// A torn write that was cut off the end.
    pub truncated: Option<Truncated>,
    /// Damage behind which everything was set aside by [`BlockLog::salvage`].
    pub damage: Option<Truncated>,
}

/// A torn write that was cut off the end of the log: it was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truncated {
    /// The segment that was cut.
    pub file: PathBuf,
    /// Its length now.
    pub offset: u64,
    /// How many bytes were cut off.
    pub bytes: u64,
}

/// The block log of one channel, with its one writer.
///
/// Blocks are numbered from 0 without gaps. Reading needs only `&self`.
#[derive(Debug)]
pub struct BlockLog {
    shared: Shared,
    options: LogOptions,
    tail: Arc<dyn File>,
    /// Identities defined in the tail segment.
    known: Known,
    poisoned: bool,
}

impl BlockLog {
    /// Opens or creates the log in `dir`. Every frame of the last segment is checked, and every
    /// frame of the others while they are below [`crate::limits::OPEN_CHECK_BYTES_MAX`].
    ///
    /// `floor` is [`crate::ConsensusWal::floor`]: the last block known to be durable. Up to it
    /// nothing is ever cut. An incomplete or wrong **last** frame right above it is cut off as a
    /// write that a crash tore: the consensus log still holds that height and brings the block back.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] with file and offset for any other damage, for a missing segment
    /// and for a log that ends before `floor`; [`StorageError::FloorMissing`] when the log is more
    /// than one block beyond `floor`, `None` counting as block 0; [`StorageError::Io`].
    pub fn open(
        files: Arc<dyn Files>,
        dir: &Path,
        options: LogOptions,
        floor: Option<u64>,
    ) -> Result<(Self, LogRecovery), StorageError> {
        let opened = open::open(&files, dir, floor)?;
        Ok(Self::from_opened(files, dir, options, opened))
    }

    /// Opens a log that [`BlockLog::open`] refuses, up to the first block that is not intact. What
    /// lies behind is set aside under names that end in `.damaged`, and no longer part of the log:
    /// only for a node that can get those blocks again, under their certificates, from others.
    ///
    /// # Errors
    ///
    /// [`StorageError::Io`], [`StorageError::Full`].
    pub fn salvage(
        files: Arc<dyn Files>,
        dir: &Path,
        options: LogOptions,
    ) -> Result<(Self, LogRecovery), StorageError> {
        let opened = open::salvage(&files, dir)?;
        Ok(Self::from_opened(files, dir, options, opened))
    }

    fn from_opened(
        files: Arc<dyn Files>,
        dir: &Path,
        options: LogOptions,
        opened: open::Opened,
    ) -> (Self, LogRecovery) {
        let segment_bytes = options.segment_bytes.clamp(1, SEGMENT_BYTES_MAX);
        let options = LogOptions { segment_bytes };
        let recovery = LogRecovery {
            height: opened.extent.height(),
            truncated: opened.truncated,
            damage: opened.damage,
        };
        let log = Self {
            shared: Shared::new(files, dir, opened.firsts, opened.extent),
            options,
            tail: opened.tail,
            known: opened.known,
            poisoned: false,
        };
        (log, recovery)
    }

    /// Appends block `number`, which must be the height plus one, or 0. `block` comes back byte for
    /// byte; exact occurrences of `identities` in it are stored once per segment.
    ///
    /// **Durable when this returns**: one write and one `fdatasync`, plus one directory sync
    /// for the first block of a segment.
    ///
    /// # Errors
    ///
    /// [`StorageError::OutOfOrder`] and [`StorageError::TooLarge`] change nothing;
    /// [`StorageError::Full`] neither, and the same block may be appended again later. After
    /// [`StorageError::Io`] the block may or may not be on disk and the log takes no more:
    /// [`StorageError::Poisoned`] until it is opened again.
    pub fn append(
        &mut self,
        number: u64,
        block: &[u8],
        identities: &[&[u8]],
    ) -> Result<Position, StorageError> {
        let extent = self.shared.extent();
        if self.poisoned {
            return Err(StorageError::Poisoned { file: self.shared.path(extent.segment) });
        }
        if number != extent.next {
            return Err(StorageError::OutOfOrder { expected: extent.next, got: number });
        }
        if block.len() > BLOCK_BYTES_MAX {
            return Err(StorageError::TooLarge { bytes: block.len(), bytes_max: BLOCK_BYTES_MAX });
        }
        // Whatever happens on the way leaves the log poisoned, unless the end is reached, or a full
        // disk was in the way: what was written then lies behind the end, and the next try writes
        // it whole.
        self.poisoned = true;
        let outcome = self.write(extent, number, block, identities);
        self.poisoned = outcome.as_ref().is_err_and(|error| !error.is_full());
        outcome
    }

    fn write(
        &mut self,
        extent: Extent,
        number: u64,
        block: &[u8],
        identities: &[&[u8]],
    ) -> Result<Position, StorageError> {
        let extent = self.segment_for(extent)?;
        let body = Body::split(block, identities, &self.known);
        let frame = encode_frame(number, &body);
        let path = self.shared.path(extent.segment);
        self.tail.write_at(extent.end, &frame).map_err(StorageError::write(&path))?;
        self.sync_tail().map_err(StorageError::io(&path, "sync"))?;
        let position = Position::new(extent.segment, extent.end, number, frame.len());
        self.remember(position.offset, &body);
        let end = extent.end + frame.len() as u64;
        self.shared.advance(Extent { end, next: number + 1, ..extent });
        Ok(position)
    }

    /// The block at `position`, byte for byte as it was appended. Checksum, digest and number are
    /// checked each time.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`], [`StorageError::NotFound`] for a position beyond the end,
    /// [`StorageError::Io`].
    pub fn read(&self, position: Position) -> Result<Vec<u8>, StorageError> {
        self.shared.read(position)
    }

    /// Hands every block from number `from` on to `visit`, in order, each checked as by
    /// [`BlockLog::read`]. Stops at the first error of either.
    ///
    /// # Errors
    ///
    /// Those of [`BlockLog::read`] and of `visit`.
    pub fn scan<E: From<StorageError>>(
        &self,
        from: u64,
        visit: &mut dyn FnMut(u64, Position, Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.shared.scan(from, &mut |number, position, frame| {
            visit(number, position, self.shared.whole(position, &frame)?)
        })
    }

    /// Re-reads and decodes every frame of the log, digests included.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] for the first frame that is not intact, [`StorageError::Io`].
    pub fn scrub(&self, progress: &mut dyn FnMut(Progress)) -> Result<(), StorageError> {
        let extent = self.shared.extent();
        self.shared.scan(0, &mut |number, position, frame| {
            self.shared.whole(position, &frame)?;
            progress(Progress { number, height: extent.next.saturating_sub(1) });
            Ok::<_, StorageError>(())
        })
    }

    /// Last block, or `None` for an empty log.
    #[must_use]
    pub fn height(&self) -> Option<u64> {
        self.shared.extent().height()
    }

    /// Length of the last segment in bytes.
    #[must_use]
    pub fn end_offset(&self) -> u64 {
        self.shared.extent().end
    }

    #[cfg(not(feature = "mutations"))]
    fn sync_tail(&self) -> std::io::Result<()> {
        self.tail.sync_data()
    }

    #[cfg(feature = "mutations")]
    fn sync_tail(&self) -> std::io::Result<()> {
        use crate::mutation::{Mutation, is};
        if is(Mutation::BlockUnsynced) { Ok(()) } else { self.tail.sync_data() }
    }

    /// The extent to append to: the tail segment, or a new one when it is full.
    fn segment_for(&mut self, extent: Extent) -> Result<Extent, StorageError> {
        if extent.end < self.options.segment_bytes {
            return Ok(extent);
        }
        let path = segment_path(self.shared.dir(), extent.next);
        let files = self.shared.files();
        self.tail = files.open(&path, true).map_err(StorageError::write(&path))?;
        // A crash between an earlier creation and its first block may have left bytes behind.
        self.tail.truncate(0).map_err(StorageError::io(&path, "truncate"))?;
        files.sync_dir(self.shared.dir()).map_err(StorageError::io(self.shared.dir(), "sync"))?;
        self.known.clear();
        self.shared.add_segment(extent.next);
        Ok(Extent { segment: extent.next, end: 0, next: extent.next })
    }

    fn remember(&mut self, offset: u32, body: &Body) {
        for (index, identity) in (0_u16..).zip(body.definitions.iter()) {
            self.known.insert(identity.clone(), (offset, index));
        }
    }
}

impl Position {
    /// [`StorageError::Corrupt`] for the frame at this position, for readers who find that the
    /// block in it is not what it should be.
    #[must_use]
    pub fn corrupt(&self, reason: String) -> StorageError {
        StorageError::corrupt(
            Path::new(&segment_name(self.segment)),
            u64::from(self.offset),
            reason,
        )
    }
}

#[cfg(test)]
mod tests;
