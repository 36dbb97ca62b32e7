//! The consensus log: what a validator must remember before it signs.
//!
//! ```text
//! file   = slot A at 0, slot B at 4096, records from 8192 on
//! slot   = "CBW1" ‖ u64 counter ‖ u64 floor + 1 ‖ u64 start ‖ u64 synced ‖ 16 chain ‖ SM3(all before)
//! record = "CBWR" ‖ u64 height ‖ u8 kind ‖ u32 length ‖ CRC-32(all before) ‖ payload
//!          ‖ SM3(digest of the record before ‖ record so far), first 16 bytes; of a payload longer than
//!          4 KiB the SM3 of each 4 KiB goes in instead
//! ```
//! The slot with the higher counter is the one in force. A slot is never written over the last one
//! that a sync has made sure of, so that a torn slot leaves that one. A slot is written without a sync of its own, after what it states has
//! become true: losing it loses no record, it only makes less known about what must be there.

mod record;
mod slot;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::StorageError;
use crate::files::{File, Files};
use crate::limits::{WAL_PENDING_BYTES_MAX, WAL_RECORD_BYTES_MAX, WAL_WRAP_BYTES};
use record::{Chain, decode_record, encode_record};
use slot::{SLOT_BYTES, Slot, newest};

pub use record::{RecordError, decode_records};

/// Records begin here; the slots lie before, each in a sector and page of its own.
const RECORDS_OFFSET: u64 = 2 * SLOT_DISTANCE;
const SLOT_DISTANCE: u64 = 4_096;
/// Memory kept for appending between flushes.
const PENDING_BYTES_KEPT: usize = 1 << 20;

/// One record of the consensus log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Height that the record belongs to.
    pub height: u64,
    /// Meaning of the bytes, chosen by the caller.
    pub kind: u8,
    /// The record.
    pub bytes: Vec<u8>,
}

/// The consensus log of one validator on one channel.
///
/// What [`ConsensusWal::flush`] has returned from survives every crash; what was appended after it
/// may be lost. The log also keeps the **floor**: the last block known to be durable in the block
/// log, to be handed to [`crate::BlockLog::open`].
#[derive(Debug)]
pub struct ConsensusWal {
    path: PathBuf,
    file: Arc<dyn File>,
    /// The slot in force.
    slot: Slot,
    /// End of the records written.
    end: u64,
    /// Digest of the last record written, and of the last one pending.
    chain: Chain,
    pending_chain: Chain,
    pending: Vec<u8>,
    /// Records are durable that the slot does not state yet.
    slot_due: bool,
    /// The slot in force may not be on the disk yet.
    slot_unsynced: bool,
    /// Where the slot in force lies, and where the last one known to be on the disk does: 0 or 1.
    slot_at: u64,
    durable_at: u64,
    flushed_since_reset: bool,
    poisoned: bool,
}

impl ConsensusWal {
    /// Opens or creates the log and returns its records above the floor, in the order they were
    /// appended. They may belong to several heights; the caller wants those of its own.
    ///
    /// A torn tail is left out only behind the last completed flush.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] when something flushed is missing or wrong: the validator must not
    /// sign then. [`StorageError::Io`].
    pub fn open(files: Arc<dyn Files>, path: &Path) -> Result<(Self, Vec<Entry>), StorageError> {
        match files.open(path, false) {
            Ok(file) => Self::recover(path, file),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                Ok((Self::create(files.as_ref(), path)?, Vec::new()))
            }
            Err(e) => Err(StorageError::io(path, "open")(e)),
        }
    }

    /// Adds a record; it is durable after the next [`ConsensusWal::flush`].
    ///
    /// Working at a height states that every block before it is durable in the block log: the floor
    /// follows, and is durable with the same flush.
    ///
    /// # Errors
    ///
    /// [`StorageError::OutOfOrder`] for a height that is decided already,
    /// [`StorageError::TooLarge`], [`StorageError::Full`], [`StorageError::Poisoned`].
    pub fn append(&mut self, height: u64, kind: u8, bytes: &[u8]) -> Result<(), StorageError> {
        self.usable()?;
        let expected = self.slot.floor.map_or(0, |floor| floor.saturating_add(1));
        if height < expected {
            return Err(StorageError::OutOfOrder { expected, got: height });
        }
        let too_large = |bytes_max| StorageError::TooLarge { bytes: bytes.len(), bytes_max };
        if bytes.len() > WAL_RECORD_BYTES_MAX {
            return Err(too_large(WAL_RECORD_BYTES_MAX));
        }
        if self.pending.len() + bytes.len() > WAL_PENDING_BYTES_MAX {
            return Err(too_large(WAL_PENDING_BYTES_MAX - self.pending.len()));
        }
        if height > expected {
            self.guarded(|wal| wal.put_slot(Slot { floor: height.checked_sub(1), ..wal.slot }))?;
        }
        self.pending_chain =
            encode_record(&mut self.pending, self.pending_chain, height, kind, bytes);
        Ok(())
    }

    /// Makes all appended records durable. Does nothing when there are none: one write and one
    /// `fdatasync` otherwise.
    ///
    /// # Errors
    ///
    /// [`StorageError::Full`]: nothing may be sent until a later call has succeeded.
    /// [`StorageError::Io`], and from then on [`StorageError::Poisoned`]: nothing may be signed or
    /// sent any more until the process has started again.
    pub fn flush(&mut self) -> Result<(), StorageError> {
        self.usable()?;
        self.guarded(|wal| {
            if !wal.pending.is_empty() {
                wal.write(wal.end, &wal.pending)?;
                wal.sync_records()?;
                wal.end += wal.pending.len() as u64;
                wal.pending.clear();
                wal.pending.shrink_to(PENDING_BYTES_KEPT);
                wal.chain = wal.pending_chain;
                wal.flushed_since_reset = true;
                wal.slot_due = true;
            }
            if wal.slot_due {
                wal.put_slot(Slot { synced: wal.end, ..wal.slot })?;
                wal.slot_due = false;
            }
            Ok(())
        })
    }

    /// Forgets all records: every block before `next_height` is durable in the block log. Call it
    /// as soon as [`crate::BlockLog::append`] has returned.
    ///
    /// Survives a crash of the process at once and a crash of the machine with the next flush;
    /// until then the block log simply goes one block further than the floor.
    ///
    /// # Errors
    ///
    /// As for [`ConsensusWal::flush`]; [`StorageError::OutOfOrder`] for a height before the floor.
    pub fn reset(&mut self, next_height: u64) -> Result<(), StorageError> {
        self.usable()?;
        let floor = next_height.checked_sub(1);
        if floor < self.slot.floor {
            let expected = self.slot.floor.map_or(0, |floor| floor.saturating_add(1));
            return Err(StorageError::OutOfOrder { expected, got: next_height });
        }
        self.guarded(|wal| {
            wal.pending.clear();
            wal.pending_chain = wal.chain;
            if wal.end < WAL_WRAP_BYTES {
                let (start, synced) = (wal.end, wal.end);
                wal.put_slot(Slot { floor, start, synced, chain: wal.chain, ..wal.slot })?;
            } else {
                wal.start_over(floor)?;
            }
            wal.slot_due = false;
            // Blocks that come without votes of ours, one after another: no flush follows that
            // would keep the floor within one block of the block log.
            if !wal.flushed_since_reset {
                wal.sync()?;
            }
            wal.flushed_since_reset = false;
            Ok(())
        })
    }

    /// States, durably, that the block log reaches this block, without forgetting any record above
    /// it: for a start that finds the block log ahead.
    ///
    /// # Errors
    ///
    /// As for [`ConsensusWal::flush`].
    pub fn raise_floor(&mut self, floor: u64) -> Result<(), StorageError> {
        self.usable()?;
        self.guarded(|wal| {
            if wal.slot.floor < Some(floor) {
                wal.put_slot(Slot { floor: Some(floor), ..wal.slot })?;
            }
            if wal.slot_unsynced { wal.sync() } else { Ok(()) }
        })
    }

    /// Makes the floor durable. Due before a block is appended to the block log for which nothing was
    /// flushed here, such as one that came with its certificate: the block log must never be two
    /// blocks beyond the floor.
    ///
    /// # Errors
    ///
    /// As for [`ConsensusWal::flush`].
    pub fn sync_floor(&mut self) -> Result<(), StorageError> {
        self.usable()?;
        if !self.slot_unsynced {
            return Ok(());
        }
        self.guarded(Self::sync)
    }

    /// The last block known to be durable in the block log; `None` before the first reset.
    #[must_use]
    pub fn floor(&self) -> Option<u64> {
        self.slot.floor
    }

    /// The floor of a log that is not opened for use; `None` without a log, too. Reads only.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] when neither header slot is intact, [`StorageError::Io`].
    pub fn read_floor(files: &dyn Files, path: &Path) -> Result<Option<u64>, StorageError> {
        let file = match files.open(path, false) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(StorageError::io(path, "open")(e)),
        };
        let mut slots = [None; 2];
        for (at, slot) in [0, SLOT_DISTANCE].into_iter().zip(&mut slots) {
            let mut bytes = [0; SLOT_BYTES];
            file.read_at(at, &mut bytes).map_err(StorageError::io(path, "read"))?;
            *slot = Slot::decode(&bytes);
        }
        let slot = newest(slots);
        slot.map(|slot| slot.floor)
            .ok_or_else(|| StorageError::corrupt(path, 0, "neither header slot is intact"))
    }

    /// Flushes, and makes the floor durable: after this every damage to the block log is found.
    ///
    /// # Errors
    ///
    /// As for [`ConsensusWal::flush`].
    pub fn close(mut self) -> Result<(), StorageError> {
        self.flush()?;
        self.sync()
    }

    /// Makes a new log under its final name at once, so that a file of that name is never partial.
    fn create(files: &dyn Files, path: &Path) -> Result<Self, StorageError> {
        let draft = path.with_extension("new");
        let dir = path.parent().filter(|p| !p.as_os_str().is_empty());
        let dir = dir.unwrap_or_else(|| Path::new("."));
        let file = files.open(&draft, true).map_err(StorageError::io(&draft, "create"))?;
        file.truncate(0).map_err(StorageError::io(&draft, "truncate"))?;
        let slot = Slot::first(RECORDS_OFFSET);
        let mut wal = Self::new(&draft, file, slot, RECORDS_OFFSET, slot.chain);
        wal.put_slot(slot)?;
        wal.durable_at = wal.slot_at;
        wal.put_slot(wal.slot)?;
        // The file reaches to the first record, so that a shorter one is known to be cut.
        wal.file.truncate(RECORDS_OFFSET).map_err(StorageError::io(&draft, "extend"))?;
        wal.file.sync_data().map_err(StorageError::io(&draft, "sync"))?;
        files.rename(&draft, path).map_err(StorageError::io(path, "create"))?;
        files.sync_dir(dir).map_err(StorageError::io(dir, "sync"))?;
        path.clone_into(&mut wal.path);
        Ok(wal)
    }

    fn recover(path: &Path, file: Arc<dyn File>) -> Result<(Self, Vec<Entry>), StorageError> {
        let size = file.size_bytes().map_err(StorageError::io(path, "read"))?;
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
        let read = file.read_at(0, &mut bytes).map_err(StorageError::io(path, "read"))?;
        bytes.truncate(read);
        let slots = [0, SLOT_DISTANCE].map(|at| {
            let at = usize::try_from(at).unwrap_or(0);
            bytes.get(at..at + SLOT_BYTES).and_then(Slot::decode)
        });
        let slot = newest(slots)
            .ok_or_else(|| StorageError::corrupt(path, 0, "neither header slot is intact"))?;
        let records = usize::try_from(slot.start).ok().and_then(|at| bytes.get(at..));
        let mut rest = records.unwrap_or_default();
        let (mut entries, mut chain, mut end) = (Vec::new(), slot.chain, slot.start);
        let stopped = loop {
            match decode_record(rest, chain) {
                Ok(record) => {
                    if slot.floor.is_none_or(|floor| record.entry.height > floor) {
                        entries.push(record.entry);
                    }
                    chain = record.chain;
                    end += record.record_bytes as u64;
                    rest = rest.get(record.record_bytes..).unwrap_or_default();
                }
                Err(error) => break error,
            }
        };
        if end < slot.synced || (bytes.len() as u64) < slot.synced {
            let reason = format!("{stopped}, but {} bytes were flushed", slot.synced);
            return Err(StorageError::corrupt(path, end.min(bytes.len() as u64), reason));
        }
        let mut wal = Self::new(path, file, slot, end, chain);
        let at = slots.iter().position(|found| *found == Some(slot)).unwrap_or(0) as u64;
        (wal.slot_at, wal.durable_at) = (at, at);
        wal.settle(&bytes)?;
        Ok((wal, entries))
    }

    /// Makes sure of what was read: after the death of the process alone it may never have reached
    /// the disk, and after a failed sync the system may not even try again. What is repeated from
    /// these records must not be forgotten by the next crash.
    fn settle(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let (start, end) = (self.slot.start, self.end);
        if let Some(records) = bytes.get(place(start)..place(end)).filter(|r| !r.is_empty()) {
            self.write(start, records)?;
        }
        // The slot in force first: what is written over next may be the only one on the disk.
        self.write(self.slot_at * SLOT_DISTANCE, &self.slot.encode())?;
        self.sync()?;
        self.put_slot(Slot { synced: end, ..self.slot })?;
        self.sync()
    }

    fn new(path: &Path, file: Arc<dyn File>, slot: Slot, end: u64, chain: Chain) -> Self {
        Self {
            path: path.to_owned(),
            file,
            slot,
            end,
            chain,
            pending_chain: chain,
            pending: Vec::new(),
            slot_due: false,
            slot_unsynced: true,
            slot_at: 0,
            durable_at: 0,
            flushed_since_reset: false,
            poisoned: false,
        }
    }

    /// Begins again at the front of the file. The slot that says so is durable before anything is
    /// overwritten; its twin is durable with the first flush, before a record counts as flushed.
    fn start_over(&mut self, floor: Option<u64>) -> Result<(), StorageError> {
        let slot = Slot::over(self.slot, floor, RECORDS_OFFSET);
        self.put_slot(slot)?;
        self.sync()?;
        self.put_slot(slot)?;
        self.end = RECORDS_OFFSET;
        self.chain = slot.chain;
        self.pending_chain = slot.chain;
        Ok(())
    }

    /// Writes a slot, without a sync, and never over the last one known to be on the disk: several
    /// writes in a row take the same place, so that a torn one leaves the floor where it was.
    fn put_slot(&mut self, slot: Slot) -> Result<(), StorageError> {
        let slot = Slot { counter: self.slot.counter + 1, ..slot };
        let at = 1 - self.durable_at;
        self.write(at * SLOT_DISTANCE, &slot.encode())?;
        (self.slot, self.slot_at) = (slot, at);
        self.slot_unsynced = true;
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        self.file.write_at(offset, bytes).map_err(StorageError::write(&self.path))
    }

    #[cfg(not(feature = "mutations"))]
    fn sync_records(&mut self) -> Result<(), StorageError> {
        self.sync()
    }

    #[cfg(feature = "mutations")]
    fn sync_records(&mut self) -> Result<(), StorageError> {
        use crate::mutation::{Mutation, is};
        if is(Mutation::WalUnsynced) { Ok(()) } else { self.sync() }
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        self.file.sync_data().map_err(StorageError::io(&self.path, "sync"))?;
        self.slot_unsynced = false;
        self.durable_at = self.slot_at;
        Ok(())
    }

    /// Does something that leaves the log unusable if it fails, unless a full disk was the reason:
    /// then it stopped before a write and can be done again.
    fn guarded(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        self.poisoned = true;
        let outcome = work(self);
        self.poisoned = outcome.as_ref().is_err_and(|error| !error.is_full());
        outcome
    }

    fn usable(&self) -> Result<(), StorageError> {
        if self.poisoned {
            return Err(StorageError::Poisoned { file: self.path.clone() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
