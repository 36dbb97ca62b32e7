//! The log as its users see it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::JoinHandle;

use changbai_core::ledger::BoxFuture;
use changbai_core::process::{
    ENTRY_BYTES, Entry, JournalError, NewEntry, PageProof, ProcessDocument, ProcessEntry,
    ProcessJournal,
};
use changbai_merkle::leaf_hash;
use smkit::sm2::{Signature, SigningKey};
use smkit::sm3::{Sm3Digest, sm3};
use tokio::sync::oneshot;

use crate::error::{OpenError, damaged, io};
use crate::frame::{
    Frame, HEAD_BYTES, PAGE_HEAD_BYTES, PageFrame, Place, SLOT_BYTES, payload_bytes, slot,
};
use crate::scan::{Index, Recovery, scan};
use crate::tree::path_in;
use crate::writer::{Job, Queue, Work, run};

/// Who signs the pages.
pub struct Signer {
    /// The node's key.
    pub key: SigningKey,
    /// Its certificate, DER.
    pub certificate: Vec<u8>,
}

/// The process log of one channel on one node. Dropping it writes what waits.
///
/// One owner at a time: the caller holds the data directory's lock.
pub struct ProcessLog {
    shared: Arc<Shared>,
    recovery: Recovery,
    thread: Mutex<Option<JoinHandle<()>>>,
}

pub(crate) struct Shared {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    pub(crate) channel: String,
    pub(crate) key: SigningKey,
    pub(crate) certificate: Vec<u8>,
    pub(crate) certificate_sm3: Sm3Digest,
    pub(crate) queue: Mutex<Queue>,
    pub(crate) wake: Condvar,
    index: RwLock<Index>,
}

impl ProcessLog {
    /// Opens or creates `process.log` in `dir`; a write that a crash tore is cut. Reads the whole file.
    ///
    /// # Errors
    /// [`OpenError`]; above all [`OpenError::Damaged`] when something in the middle is not what was written.
    pub fn open(dir: &Path, channel: &str, signer: Signer) -> Result<Self, OpenError> {
        let path = dir.join(FILE);
        let failed = OpenError::io(&path);
        std::fs::create_dir_all(dir).map_err(&failed)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(&failed)?;
        let length = file.metadata().map_err(&failed)?.len();
        let mut index = scan(&path, &file, channel)?;
        let cut_bytes = length.saturating_sub(index.end);
        if cut_bytes > 0 {
            file.set_len(index.end).map_err(&failed)?;
        }
        if index.end == 0 {
            let head = Frame::Head { channel: channel.to_owned() }.to_bytes();
            file.write_all_at(&head, 0).map_err(&failed)?;
            index.end = head.len() as u64;
            index.unanchored = index.end;
        }
        file.sync_all().map_err(&failed)?;
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(&failed)?;
        drop(failed);
        let recovery = Recovery { pages: index.pages, entries: index.entries, cut_bytes };
        let shared = Arc::new(Shared {
            path,
            file,
            channel: channel.to_owned(),
            certificate_sm3: sm3(&signer.certificate),
            key: signer.key,
            certificate: signer.certificate,
            queue: Mutex::default(),
            wake: Condvar::new(),
            index: RwLock::new(index),
        });
        let writer = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("process-log".to_owned())
            .spawn(move || run(&writer))
            .map_err(OpenError::Thread)?;
        Ok(Self { shared, recovery, thread: Mutex::new(Some(thread)) })
    }

    /// What opening found and repaired.
    pub fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// Number and hash of the last page: zeros and 0 for an empty log.
    pub fn last_page(&self) -> (u64, Sm3Digest) {
        let index = self.shared.index();
        (index.pages, index.page_hash)
    }

    /// Writes what waits and ends the thread; later appends are refused.
    pub fn close(&self) {
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner).close();
        self.shared.wake.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A panic of the thread has told everybody who waited by dropping their senders.
        let _ = thread.map(JoinHandle::join);
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn queue(&self, work: Work) -> BoxFuture<'static, Result<(), JournalError>> {
        let (sender, receiver) = oneshot::channel();
        let queued = self.push(work, Some(sender));
        Box::pin(async move {
            queued?;
            let ended = || JournalError::Stopped { reason: "its thread has ended".to_owned() };
            receiver.await.unwrap_or_else(|_| Err(ended()))
        })
    }

    fn push(
        &self,
        work: Work,
        done: Option<oneshot::Sender<Result<(), JournalError>>>,
    ) -> Result<(), JournalError> {
        let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push(Job { work, done })?;
        drop(queue);
        self.shared.wake.notify_all();
        Ok(())
    }
}

impl ProcessJournal for ProcessLog {
    fn append(&self, steps: Vec<NewEntry>) -> BoxFuture<'static, Result<(), JournalError>> {
        self.queue(Work::Steps(steps))
    }

    fn note(&self, steps: Vec<NewEntry>) -> Result<(), JournalError> {
        self.push(Work::Steps(steps), None)
    }

    fn chain(&self, record_sm3: &Sm3Digest, limit: usize) -> Result<Vec<Entry>, JournalError> {
        Ok(self.shared.chain(record_sm3, limit)?.into_iter().map(|(_, entry)| entry).collect())
    }

    fn document(
        &self,
        record_sm3: &Sm3Digest,
        limit: usize,
    ) -> Result<Option<ProcessDocument>, JournalError> {
        self.shared.document(record_sm3, limit)
    }
}

impl Shared {
    pub(crate) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last durable entry of a chain.
    pub(crate) fn last(
        &self,
        record_sm3: &Sm3Digest,
    ) -> Result<Option<(Place, Entry)>, JournalError> {
        let found = self.index().chains.get(&key(record_sm3)).copied();
        let Some((place, sequence)) = found else { return Ok(None) };
        let (_, entry) = self.entry(place)?;
        if entry.what.record_sm3 != *record_sm3 || entry.sequence != sequence {
            return Err(damaged(place.offset, "an entry of another chain stands"));
        }
        Ok(Some((place, entry)))
    }

    /// The first `limit` durable entries of a chain with their places. Each link is checked.
    pub(crate) fn chain(
        &self,
        record_sm3: &Sm3Digest,
        limit: usize,
    ) -> Result<Vec<(Place, Entry)>, JournalError> {
        let Some((mut place, mut entry)) = self.last(record_sm3)? else { return Ok(Vec::new()) };
        let mut chain = Vec::new();
        loop {
            let (before, _) = self.entry(place)?;
            let sequence = entry.sequence;
            let previous = entry.previous;
            if usize::try_from(sequence).is_ok_and(|sequence| sequence <= limit) {
                chain.push((place, entry));
            }
            if sequence <= 1 {
                break;
            }
            (place, entry) = (before, self.entry(before)?.1);
            let linked =
                entry.digest() == previous && entry.sequence.checked_add(1) == Some(sequence);
            if !linked {
                return Err(damaged(
                    place.offset,
                    "an entry that its successor does not name stands",
                ));
            }
        }
        chain.reverse();
        Ok(chain)
    }

    fn document(
        &self,
        record_sm3: &Sm3Digest,
        limit: usize,
    ) -> Result<Option<ProcessDocument>, JournalError> {
        let chain = self.chain(record_sm3, limit)?;
        let Some((place, last)) = chain.last() else { return Ok(None) };
        let page = self.page(place.offset)?;
        let wrong = |what| damaged(place.offset, what);
        let leaves = leaves(&page).ok_or_else(|| wrong("a page with a malformed entry stands"))?;
        let (root, inclusion) = path_in(&leaves, u64::from(place.slot))
            .ok_or_else(|| wrong("a page without the entry stands"))?;
        if root != page.root {
            return Err(wrong("a page whose entries were altered stands"));
        }
        let certificate = self.index().certificates.get(&page.certificate_sm3).cloned();
        let signature = Signature::from_bytes(page.signature)
            .map_err(|_| wrong("a page without a signature stands"))?;
        let entry = |(_, entry): &(Place, Entry)| ProcessEntry {
            step: entry.what.step,
            at: entry.what.at,
            actor: entry.what.actor,
            detail: entry.what.detail,
        };
        let anchor = self.anchor_of(record_sm3, &chain)?;
        Ok(Some(ProcessDocument {
            channel: self.channel.clone(),
            record: last.what.record,
            record_sm3: *record_sm3,
            entries: chain.iter().map(entry).collect(),
            certificate: certificate.ok_or_else(|| wrong("a page of an unknown signer stands"))?,
            page: PageProof { number: page.number, previous: page.previous, root, inclusion },
            signature: signature.to_der(),
            anchor,
        }))
    }

    /// One entry, and where the one before it in its chain is.
    fn entry(&self, place: Place) -> Result<(Place, Entry), JournalError> {
        let mut bytes = [0; SLOT_BYTES];
        let inner = HEAD_BYTES as u64 + PAGE_HEAD_BYTES as u64;
        let offset = place.offset + inner + u64::from(place.slot) * SLOT_BYTES as u64;
        self.file.read_exact_at(&mut bytes, offset).map_err(|e| io("reading an entry", &e))?;
        let (before, entry) = slot(&bytes).ok_or_else(|| damaged(offset, "no entry stands"))?;
        let entry = Entry::from_bytes(&entry);
        Ok((before, entry.ok_or_else(|| damaged(offset, "an altered entry stands"))?))
    }

    pub(crate) fn page(&self, offset: u64) -> Result<PageFrame, JournalError> {
        match self.frame(offset)? {
            (Frame::Page(page), _) => Ok(page),
            _ => Err(damaged(offset, "no page stands")),
        }
    }

    /// A frame and the offset of the next one.
    pub(crate) fn frame(&self, offset: u64) -> Result<(Frame, u64), JournalError> {
        let failed = |error: std::io::Error| io("reading a page", &error);
        let mut head = [0; HEAD_BYTES];
        self.file.read_exact_at(&mut head, offset).map_err(failed)?;
        let wrong = || damaged(offset, "an unreadable frame stands");
        let length = payload_bytes(head).ok_or_else(wrong)?;
        let mut rest = vec![0; length + 4];
        self.file.read_exact_at(&mut rest, offset + HEAD_BYTES as u64).map_err(failed)?;
        let (payload, check) = rest.split_at(length);
        if crc32fast::hash(payload).to_be_bytes() != *check {
            return Err(wrong());
        }
        let frame = Frame::from_payload(payload).ok_or_else(wrong)?;
        Ok((frame, offset + length as u64 + crate::frame::AROUND_BYTES))
    }
}

/// The leaves of a page, in order; `None` if an entry is none.
pub(crate) fn leaves(page: &PageFrame) -> Option<Vec<Sm3Digest>> {
    let leaf = |bytes: &[u8; ENTRY_BYTES]| {
        Entry::from_bytes(bytes).map(|entry| leaf_hash(entry.digest().as_bytes()))
    };
    page.slots.iter().map(|(_, bytes)| leaf(bytes)).collect()
}

/// What a chain is found by. Half a digest: whoever finds two records that share it can find two that share all.
fn key(record_sm3: &Sm3Digest) -> [u8; 16] {
    record_sm3.as_bytes().first_chunk().copied().unwrap_or_default()
}

impl Drop for ProcessLog {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for ProcessLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProcessLog").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

const FILE: &str = "process.log";
