//! Custody itself: originals by their digest, over a store of sealed objects.

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use smkit::sm2::PublicKey;
use smkit::sm4::Key;
use smkit::{Random, Sm3Digest};

use crate::cid::Cid;
use crate::entry::{Entry, Recipient};
use crate::envelope::Kind;
use crate::error::CustodyError;
use crate::files;
use crate::ingest::{Draft, Ingest};
use crate::keys::Keys;
use crate::log::End;
use crate::reader::OriginalReader;
use crate::store::local::LocalObject;
use crate::store::{LocalStore, SealedDraft, Store};

/// The originals and openings of one agency. Shared between threads. One process takes originals in; others may read
/// them, and change entries, beside it.
pub struct Custody {
    dir: PathBuf,
    keys: Keys,
    store: Arc<dyn Store>,
    options: Options,
    changes: Mutex<()>,
    pub(crate) log_end: Mutex<Option<End>>,
}

/// How originals are kept.
pub struct Options {
    /// Where sealed bytes lie; none for the folder `objects` of custody's own directory.
    pub store: Option<Arc<dyn Store>>,
    /// The agency, as envelopes and key wraps name it.
    pub owner: String,
    /// Who else can open every original that comes in from now on.
    pub recipients: Vec<Recipient>,
    /// How long an original stays that no record comes to belong to, in milliseconds.
    pub unrecorded_ms: u64,
    /// The wall clock, Unix milliseconds.
    pub now_ms: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            store: None,
            owner: "owner".to_owned(),
            recipients: Vec::new(),
            unrecorded_ms: 30 * 86_400_000,
            now_ms: Arc::new(|| 0),
        }
    }
}

/// What lies in custody under a digest.
pub(crate) enum Found {
    Nothing,
    Intact,
    /// An entry whose object is damaged, missing or erased.
    Unusable(Option<Cid>),
}

impl Found {
    pub(crate) const fn is_intact(&self) -> bool {
        matches!(self, Self::Intact)
    }
}

impl Custody {
    /// As [`open_with`](Self::open_with), with a local store and the owner alone.
    ///
    /// # Errors
    /// As there.
    pub fn open(dir: &Path, random: &mut dyn Random) -> Result<Self, CustodyError> {
        Self::open_with(dir, Options::default(), random)
    }

    /// Opens or creates custody below `dir` for taking originals in: makes the keys at the first start, removes what
    /// earlier runs left unfinished, and finds the originals again whose object reached the store before a crash.
    ///
    /// # Errors
    /// [`CustodyError::Damaged`] when a key is missing or changed while originals exist; without it none of them can be
    /// read.
    pub fn open_with(
        dir: &Path,
        options: Options,
        random: &mut dyn Random,
    ) -> Result<Self, CustodyError> {
        let custody = Self::open_beside(dir, options, random)?;
        custody.recover()?;
        Ok(custody)
    }

    /// Opens custody beside the process that takes originals in: for reading, and for changing entries.
    ///
    /// # Errors
    /// As [`open_with`](Self::open_with).
    pub fn open_beside(
        dir: &Path,
        options: Options,
        random: &mut dyn Random,
    ) -> Result<Self, CustodyError> {
        let (objects, entries) = (dir.join("objects"), dir.join("entries"));
        let (fresh, fresh_owner) = (!objects.exists() && !entries.exists(), !entries.exists());
        files::create_dirs(dir)?;
        let keys = Keys::open(dir, fresh, fresh_owner, random)?;
        for folder in [&dir.join("incoming"), &dir.join("openings"), &objects, &entries] {
            files::create_dirs(folder)?;
        }
        let store = match &options.store {
            Some(store) => Arc::clone(store),
            None => Arc::new(LocalStore::open(objects)?),
        };
        Ok(Self {
            dir: dir.to_owned(),
            keys,
            store,
            options,
            changes: Mutex::new(()),
            log_end: Mutex::new(None),
        })
    }

    /// Begins to take in an original of at most `size_bytes_max` bytes.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn ingest(&self, size_bytes_max: u64) -> Result<Ingest<'_>, CustodyError> {
        Ingest::begin(self, None, size_bytes_max)
    }

    /// As [`ingest`](Self::ingest), with a media type that the envelope keeps.
    ///
    /// # Errors
    /// As there, also for a media type beyond all measure.
    pub fn ingest_as(
        &self,
        media_type: &str,
        size_bytes_max: u64,
    ) -> Result<Ingest<'_>, CustodyError> {
        Ingest::begin(self, Some(media_type), size_bytes_max)
    }

    /// Opens an original for reading; its size and CRC-32 are known at once.
    ///
    /// # Errors
    /// [`CustodyError::NotHeld`], [`CustodyError::Erased`], [`CustodyError::Missing`], [`CustodyError::Damaged`] with file
    /// and offset, or the store's failure.
    pub fn open_original(&self, sm3: &Sm3Digest) -> Result<OriginalReader, CustodyError> {
        let (place, reader) = match self.entry(sm3)? {
            Some(entry) if entry.object.is_some() => self.open_object(sm3, &entry)?,
            other => {
                if let Some(erased) = other.and_then(|entry| entry.erased) {
                    let (at_ms, reason) = (erased.at_ms, erased.reason);
                    return Err(CustodyError::Erased { at_ms, reason });
                }
                let path = self.object_1(sm3);
                let Some(object) = open_file(&path)? else {
                    return Err(CustodyError::NotHeld(*sm3));
                };
                let object = Box::new(object);
                let reader =
                    OriginalReader::open_1(&path, object, &self.keys, Kind::Original, &[0; 32])?;
                (path, reader)
            }
        };
        if reader.sm3() != sm3 {
            return Err(CustodyError::damaged(&place, 0, "the envelope holds another original"));
        }
        Ok(reader)
    }

    fn open_object(
        &self,
        sm3: &Sm3Digest,
        entry: &Entry,
    ) -> Result<(PathBuf, OriginalReader), CustodyError> {
        if let Some(erased) = &entry.erased {
            let reason = erased.reason.clone();
            return Err(CustodyError::Erased { at_ms: erased.at_ms, reason });
        }
        let path = self.entry_file(sm3);
        let wrong = |reason| CustodyError::damaged(&path, 0, reason);
        let name = entry.cid().ok_or_else(|| wrong("no name of an object"))?;
        let key = entry.unwrap_key(self.keys.owner());
        let key = key.ok_or_else(|| wrong("the key does not unwrap"))?;
        let place = self.store.place(&name);
        let object = self.store.open(&name).map_err(CustodyError::store(place.clone()))?;
        let object = object.ok_or_else(|| CustodyError::Missing { place: place.clone() })?;
        let place = PathBuf::from(place);
        let reader = OriginalReader::open_2(&place, object, &key)?;
        Ok((place, reader))
    }

    /// Whether an original of this digest is in custody, intact or not.
    #[must_use]
    pub fn has(&self, sm3: &Sm3Digest) -> bool {
        match self.entry(sm3) {
            Ok(Some(entry)) => entry.erased.is_none(),
            Ok(None) => self.object_1(sm3).exists(),
            Err(_) => true,
        }
    }

    /// What is known of an original; `None` for one that is not in custody, or that an earlier version took in and
    /// nothing happened to since.
    ///
    /// # Errors
    /// [`CustodyError::Damaged`], or the system's refusal.
    pub fn entry(&self, sm3: &Sm3Digest) -> Result<Option<Entry>, CustodyError> {
        let path = self.entry_file(sm3);
        match std::fs::read(&path) {
            Ok(bytes) => Entry::parse(&path, Some(sm3), &bytes, &self.keys).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(CustodyError::io(&path, "read")(error)),
        }
    }

    /// Where the sealed bytes of an original lie: a path or an address; `None` when it is not in custody.
    ///
    /// # Errors
    /// As [`entry`](Self::entry).
    pub fn place(&self, sm3: &Sm3Digest) -> Result<Option<String>, CustodyError> {
        if let Some(name) = self.entry(sm3)?.and_then(|entry| entry.cid()) {
            return Ok(Some(self.store.place(&name)));
        }
        let path = self.object_1(sm3);
        Ok(path.exists().then(|| path.display().to_string()))
    }

    /// Whether the store answers: looks for an object that nobody has.
    ///
    /// # Errors
    /// The store's failure.
    pub fn check_store(&self) -> Result<(), CustodyError> {
        let name = Cid::new(Sm3Digest::new([0; 32]));
        let asked = self.store.open(&name).map(drop);
        asked.map_err(CustodyError::store(self.store.place(&name)))
    }

    /// The public half of the agency's key for encryption.
    #[must_use]
    pub fn owner_key(&self) -> &PublicKey {
        self.keys.owner().public_key()
    }

    /// Reads what is stored to its end.
    pub(crate) fn probe(&self, sm3: &Sm3Digest) -> Result<Found, CustodyError> {
        let read = self.open_original(sm3).and_then(|mut reader| read_through(&mut reader));
        match read {
            Ok(_) => Ok(Found::Intact),
            Err(CustodyError::NotHeld(_)) => Ok(Found::Nothing),
            // A store that does not answer is no reason to keep a second copy.
            Err(error) if error.is_transient() => Err(error),
            Err(_) => Ok(Found::Unusable(self.entry(sm3).ok().flatten().and_then(|e| e.cid()))),
        }
    }

    /// Keeps a sealed draft: its key durable first, then its object, then its entry. A crash in between leaves an
    /// object whose key is known, or none.
    pub(crate) fn keep(
        &self,
        sm3: &Sm3Digest,
        mut entry: Entry,
        key: &Key,
        draft: &SealedDraft<'_>,
        found: Found,
    ) -> Result<(), CustodyError> {
        let owner = Recipient { name: self.options.owner.clone(), key: self.owner_key().clone() };
        let before = self.entry(sm3).ok().flatten();
        let known = before.map(|before| before.recipients()).unwrap_or_default();
        for recipient in [owner].iter().chain(&self.options.recipients).chain(&known) {
            entry.admit(recipient, key, &self.keys)?;
        }
        let name = entry.cid().ok_or(CustodyError::Seal("no name"))?;
        let pending = Draft(draft.path.with_extension(PENDING));
        self.write_new(&pending.0, &entry)?;
        self.store.put(&name, draft).map_err(CustodyError::store(self.store.place(&name)))?;
        self.publish(sm3, entry, &found)
    }

    /// Makes `entry` the one of its original, unless another thread was faster with an object that is as good.
    fn publish(
        &self,
        sm3: &Sm3Digest,
        mut entry: Entry,
        found: &Found,
    ) -> Result<(), CustodyError> {
        self.changing(|| {
            let own = entry.cid();
            let mut superseded = None;
            if let Some(before) = self.entry(sm3).ok().flatten() {
                let name = before.cid();
                let unusable = match found {
                    Found::Unusable(unusable) => *unusable == name,
                    Found::Nothing | Found::Intact => false,
                };
                if before.erased.is_none() && !unusable {
                    // Sealed under a key that nobody will have: garbage at worst.
                    if let Some(own) = own.filter(|own| Some(*own) != name) {
                        drop(self.store.remove(&own));
                    }
                    return Ok(());
                }
                superseded = name.filter(|name| Some(*name) != own);
                entry.record = before.record;
                entry.retain_until_ms = entry.retain_until_ms.max(before.retain_until_ms);
                if before.kept_at_ms > 0 {
                    entry.kept_at_ms = entry.kept_at_ms.min(before.kept_at_ms);
                }
            }
            self.write_entry(sm3, &entry)?;
            if let Some(name) = superseded {
                drop(self.store.remove(&name));
            }
            Ok(())
        })
    }

    /// Removes what a crash left, and finishes what it left almost done.
    fn recover(&self) -> Result<(), CustodyError> {
        let dir = self.incoming();
        let entries = std::fs::read_dir(&dir).map_err(CustodyError::io(&dir, "read"))?;
        for file in entries {
            let path = file.map_err(CustodyError::io(&dir, "read"))?.path();
            let keep = path.extension().is_some_and(|end| end == PENDING)
                && self.finish_pending(&path).is_err_and(|error| error.is_transient());
            if !keep {
                std::fs::remove_file(&path).map_err(CustodyError::io(&path, "remove"))?;
            }
        }
        Ok(())
    }

    /// The object is in the store: then it is in custody, though nobody was told.
    fn finish_pending(&self, path: &Path) -> Result<(), CustodyError> {
        let bytes = std::fs::read(path).map_err(CustodyError::io(path, "read"))?;
        let entry = Entry::parse(path, None, &bytes, &self.keys)?;
        let wrong = || CustodyError::damaged(path, 0, "no entry of an object");
        let sm3: Sm3Digest = entry.sm3.parse().map_err(|_| wrong())?;
        let name = entry.cid().ok_or_else(wrong)?;
        let opened = self.store.open(&name);
        if opened.map_err(CustodyError::store(self.store.place(&name)))?.is_none() {
            return Ok(());
        }
        let found = self.probe(&sm3)?;
        if found.is_intact() { Ok(()) } else { self.publish(&sm3, entry, &found) }
    }

    /// One change of entries at a time, in this process and beside it.
    pub(crate) fn changing<T>(
        &self,
        work: impl FnOnce() -> Result<T, CustodyError>,
    ) -> Result<T, CustodyError> {
        let _here = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.dir.join("changes.lock");
        let mut options = File::options();
        let lock = options.create(true).truncate(false).write(true).mode(0o600).open(&path);
        let lock = lock.map_err(CustodyError::io(&path, "open"))?;
        lock.lock().map_err(CustodyError::io(&path, "lock"))?;
        work()
    }

    /// Replaces an entry in one step; call it while [`changing`](Self::changing).
    pub(crate) fn write_entry(&self, sm3: &Sm3Digest, entry: &Entry) -> Result<(), CustodyError> {
        let draft = Draft(self.incoming().join(self.keys.name()));
        let file = self.write_new(&draft.0, entry)?;
        files::publish(&file, &draft.0, &self.entry_file(sm3))
    }

    fn write_new(&self, path: &Path, entry: &Entry) -> Result<File, CustodyError> {
        let mut file = files::create_new(path)?;
        let bytes = entry.to_bytes(&self.keys)?;
        file.write_all(&bytes).map_err(CustodyError::io(path, "write"))?;
        file.sync_all().map_err(CustodyError::io(path, "sync"))?;
        Ok(file)
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn owner(&self) -> &str {
        &self.options.owner
    }

    pub(crate) const fn unrecorded_ms(&self) -> u64 {
        self.options.unrecorded_ms
    }

    pub(crate) fn now_ms(&self) -> u64 {
        (self.options.now_ms)()
    }

    /// Where an original of version 1 lies.
    pub(crate) fn object_1(&self, sm3: &Sm3Digest) -> PathBuf {
        let name = sm3.to_string();
        self.dir.join("objects").join(shards(&name)).join(format!("{name}.env"))
    }

    pub(crate) fn entry_file(&self, sm3: &Sm3Digest) -> PathBuf {
        let name = sm3.to_string();
        self.entries().join(shards(&name)).join(name)
    }

    pub(crate) fn entries(&self) -> PathBuf {
        self.dir.join("entries")
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
}

/// Reads to the end and throws away; the number of bytes.
pub(crate) fn read_through(reader: &mut OriginalReader) -> Result<u64, CustodyError> {
    std::io::copy(reader, &mut std::io::sink()).map_err(|error| {
        error.downcast::<CustodyError>().unwrap_or_else(CustodyError::io(Path::new(""), "read"))
    })
}

fn open_file(path: &Path) -> Result<Option<LocalObject>, CustodyError> {
    match LocalObject::open(path) {
        Ok(object) => Ok(Some(object)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CustodyError::io(path, "open")(error)),
    }
}

/// `ab/cd` of `abcd…`.
fn shards(name: &str) -> PathBuf {
    let part = |range| name.get(range).unwrap_or_default();
    Path::new(part(0..2)).join(part(2..4))
}

impl fmt::Debug for Custody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custody").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("store", &self.store)
            .field("owner", &self.owner)
            .field("recipients", &self.recipients)
            .finish_non_exhaustive()
    }
}

/// End of the name of an entry whose object is on its way to the store.
const PENDING: &str = "entry";
