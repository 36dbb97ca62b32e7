//! The store: where things lie.

use std::path::{Path, PathBuf};

use smkit::{Random, Sm3Digest};

use crate::envelope::Kind;
use crate::error::CustodyError;
use crate::files;
use crate::ingest::Ingest;
use crate::kek::Keys;
use crate::reader::OriginalReader;

/// The store of originals and openings of one agency. Shared between threads; two processes must
/// not open the same folder.
pub struct Custody {
    dir: PathBuf,
    keys: Keys,
}

impl Custody {
    /// Opens or creates the store below `dir`: makes the key-encryption key at the first start and
    /// removes what earlier runs left unfinished.
    ///
    /// # Errors
    /// [`CustodyError::Damaged`] when the key is missing or changed while originals exist; without
    /// it none of them can be read.
    pub fn open(dir: &Path, random: &mut dyn Random) -> Result<Self, CustodyError> {
        let objects = dir.join("objects");
        let fresh = !objects.exists();
        files::create_dirs(dir)?;
        let keys = Keys::open(&dir.join("kek"), fresh, random)?;
        for folder in [&dir.join("incoming"), &dir.join("openings"), &objects] {
            files::create_dirs(folder)?;
        }
        let custody = Self { dir: dir.to_owned(), keys };
        custody.remove_leftovers()?;
        Ok(custody)
    }

    /// Begins to take in an original of at most `size_bytes_max` bytes.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn ingest(&self, size_bytes_max: u64) -> Result<Ingest<'_>, CustodyError> {
        Ingest::begin(self, size_bytes_max)
    }

    /// Opens an original for reading; its size and CRC-32 are known at once.
    ///
    /// # Errors
    /// [`CustodyError::NotHeld`], or [`CustodyError::Damaged`] with file and offset.
    pub fn open_original(&self, sm3: &Sm3Digest) -> Result<OriginalReader, CustodyError> {
        let path = self.object(sm3);
        if !path.exists() {
            return Err(CustodyError::NotHeld(*sm3));
        }
        let reader = OriginalReader::open(&path, &self.keys, Kind::Original, &[0; 32])?;
        if reader.sm3() != sm3 {
            return Err(CustodyError::damaged(&path, 0, "the envelope holds another original"));
        }
        Ok(reader)
    }

    /// Whether an original of this digest lies here, intact or not.
    #[must_use]
    pub fn has(&self, sm3: &Sm3Digest) -> bool {
        self.object(sm3).exists()
    }

    /// Whether the stored original can be read to its end.
    pub(crate) fn holds_intact(&self, sm3: &Sm3Digest) -> bool {
        self.open_original(sm3)
            .is_ok_and(|mut reader| std::io::copy(&mut reader, &mut std::io::sink()).is_ok())
    }

    pub(crate) fn object(&self, sm3: &Sm3Digest) -> PathBuf {
        let name = sm3.to_string();
        let (first, second) =
            (name.get(..2).unwrap_or_default(), name.get(2..4).unwrap_or_default());
        self.dir.join("objects").join(first).join(second).join(format!("{name}.env"))
    }

    pub(crate) fn openings_file(&self, record: &Sm3Digest) -> PathBuf {
        let name = record.to_string();
        let first = name.get(..2).unwrap_or_default();
        self.dir.join("openings").join(first).join(format!("{name}.env"))
    }

    pub(crate) fn incoming(&self) -> PathBuf {
        self.dir.join("incoming")
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    fn remove_leftovers(&self) -> Result<(), CustodyError> {
        let dir = self.incoming();
        let entries = std::fs::read_dir(&dir).map_err(CustodyError::io(&dir, "read"))?;
        for entry in entries {
            let path = entry.map_err(CustodyError::io(&dir, "read"))?.path();
            std::fs::remove_file(&path).map_err(CustodyError::io(&path, "remove"))?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Custody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Custody").field("dir", &self.dir).finish_non_exhaustive()
    }
}
