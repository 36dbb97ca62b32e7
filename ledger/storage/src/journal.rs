//! A journal: records that are appended, synced and never changed, for people and courts to read.
//!
//! ```text
//! record = u32 length ‖ payload ‖ SM3(length ‖ payload), first 16 bytes
//! ```
//! It is no part of the ledger's truth: a damaged end is overwritten by the next record.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use smkit::sm3::sm3_parts;

use crate::error::StorageError;
use crate::files::{File, Files};
use crate::limits::{JOURNAL_BYTES_MAX, JOURNAL_RECORD_BYTES_MAX};

const DIGEST_BYTES: usize = 16;

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Arc<dyn File>,
    end: u64,
}

/// What a journal held when it was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Its records, in order.
    pub records: Vec<Vec<u8>>,
    /// Bytes behind them that are no record.
    pub lost_bytes: u64,
}

impl Journal {
    /// Creates the journal, or opens it without looking at what is in it.
    ///
    /// # Errors
    ///
    /// As [`Journal::read`]; [`StorageError::Full`].
    pub fn create(files: &dyn Files, path: &Path) -> Result<Self, StorageError> {
        files.open(path, true).map_err(StorageError::write(path))?;
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            files.sync_dir(dir).map_err(StorageError::io(dir, "sync"))?;
        }
        let opened = Self::read(files, path)?;
        opened
            .map(|(journal, ..)| journal)
            .ok_or_else(|| StorageError::io(path, "create")(std::io::ErrorKind::NotFound.into()))
    }

    /// Opens a journal, if there is one.
    ///
    /// # Errors
    ///
    /// [`StorageError::Io`].
    pub fn read(files: &dyn Files, path: &Path) -> Result<Option<(Self, Kept)>, StorageError> {
        let file = match files.open(path, false) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(StorageError::io(path, "open")(e)),
        };
        let size = file.size_bytes().map_err(StorageError::io(path, "read"))?;
        let size = size.min(JOURNAL_BYTES_MAX);
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
        let read = file.read_at(0, &mut bytes).map_err(StorageError::io(path, "read"))?;
        bytes.truncate(read);
        let mut records = Vec::new();
        let mut rest = bytes.as_slice();
        while let Some((record, behind)) = take(rest) {
            records.push(record.to_vec());
            rest = behind;
        }
        let lost_bytes = rest.len() as u64;
        let end = (read as u64).saturating_sub(lost_bytes);
        let journal = Self { path: path.to_owned(), file, end };
        Ok(Some((journal, Kept { records, lost_bytes })))
    }

    /// Appends a record. Durable when this returns; after an error it may be there or not.
    ///
    /// # Errors
    ///
    /// [`StorageError::TooLarge`] also when the journal has reached [`JOURNAL_BYTES_MAX`];
    /// [`StorageError::Full`], [`StorageError::Io`].
    pub fn append(&mut self, record: &[u8]) -> Result<(), StorageError> {
        let too_large = |bytes_max| StorageError::TooLarge { bytes: record.len(), bytes_max };
        let Some(length) =
            u32::try_from(record.len()).ok().filter(|_| record.len() <= JOURNAL_RECORD_BYTES_MAX)
        else {
            return Err(too_large(JOURNAL_RECORD_BYTES_MAX));
        };
        let length = length.to_be_bytes();
        let digest = sm3_parts(&[&length, record]);
        let digest = digest.as_bytes().split_at(DIGEST_BYTES).0;
        let frame = [&length, record, digest].concat();
        if self.end.saturating_add(frame.len() as u64) > JOURNAL_BYTES_MAX {
            return Err(too_large(0));
        }
        self.file.write_at(self.end, &frame).map_err(StorageError::write(&self.path))?;
        self.file.sync_data().map_err(StorageError::io(&self.path, "sync"))?;
        self.end += frame.len() as u64;
        Ok(())
    }
}

/// The first record of `bytes` and what is behind it; `None` when there is no intact one.
fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let size = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    if size > JOURNAL_RECORD_BYTES_MAX {
        return None;
    }
    let (record, rest) = rest.split_at_checked(size)?;
    let (digest, rest) = rest.split_at_checked(DIGEST_BYTES)?;
    let expected = sm3_parts(&[length, record]);
    expected.as_bytes().starts_with(digest).then_some((record, rest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;
    use crate::faulty::{Fault, FaultyFiles, Survive};

    const PATH: &str = "/dir/journal";

    fn open(files: &FaultyFiles) -> (Journal, Vec<Vec<u8>>, u64) {
        Journal::create(files, Path::new(PATH)).unwrap();
        let (journal, kept) = Journal::read(files, Path::new(PATH)).unwrap().unwrap();
        (journal, kept.records, kept.lost_bytes)
    }

    #[test]
    fn records_come_back_in_order() {
        let files = FaultyFiles::new();
        let (mut journal, records, _) = open(&files);
        assert!(records.is_empty());
        for record in [b"one".as_slice(), b"", b"three"] {
            journal.append(record).unwrap();
        }
        let (_, records, lost) = open(&files.crash(Survive::Nothing));
        assert_eq!((records, lost), (vec![b"one".to_vec(), vec![], b"three".to_vec()], 0));
    }

    #[test]
    fn a_torn_or_damaged_end_is_told_and_overwritten() {
        let files = FaultyFiles::new();
        let (mut journal, ..) = open(&files);
        journal.append(b"one").unwrap();
        files.fail_at(files.operations() + 1, Fault::Crash);
        journal.append(b"two").unwrap_err();
        let torn = files.crash(Survive::Torn(9));
        let (mut journal, records, lost) = open(&torn);
        assert_eq!((records.len(), lost), (1, 9));
        journal.append(b"three").unwrap();
        assert_eq!(open(&torn).1, [b"one".to_vec(), b"three".to_vec()]);
        let content = torn.content(Path::new(PATH)).unwrap();
        for at in 0..content.len() {
            let mut damaged = content.clone();
            damaged[at] ^= 1;
            torn.set_content(Path::new(PATH), Some(damaged));
            let (_, records, lost) = open(&torn);
            assert!(records.len() < 2 && lost > 0, "byte {at}");
        }
    }

    #[test]
    fn it_is_bounded() {
        let files = FaultyFiles::new();
        let (mut journal, ..) = open(&files);
        let large = vec![0; JOURNAL_RECORD_BYTES_MAX + 1];
        assert!(matches!(journal.append(&large), Err(StorageError::TooLarge { .. })));
        let record = vec![0; JOURNAL_RECORD_BYTES_MAX];
        let fit = JOURNAL_BYTES_MAX / JOURNAL_RECORD_BYTES_MAX as u64;
        let written = (0..=fit).take_while(|_| journal.append(&record).is_ok()).count() as u64;
        assert!(written < fit + 1);
    }
}
