//! The one thread that writes: what waits becomes one page, one signature, one write and one sync.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, PoisonError};

use changbai_core::process::{Entry, JournalError, NewEntry, Page};
use changbai_merkle::{Frontier, leaf_hash};
use smkit::sm3::Sm3Digest;
use tokio::sync::oneshot;

use crate::frame::{AROUND_BYTES, AnchorFrame, Frame, PageFrame, Place};
use crate::limits::{LINGER, PAGE_ENTRIES_MAX, QUEUE_ENTRIES_MAX};
use crate::log::Shared;

/// What waits to be written.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    jobs: Vec<Job>,
    entries: usize,
    urgent: bool,
    closing: bool,
    stopped: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) work: Work,
    /// Told once it is durable, or why it is not.
    pub(crate) done: Option<oneshot::Sender<Result<(), JournalError>>>,
}

#[derive(Debug)]
pub(crate) enum Work {
    Steps(Vec<NewEntry>),
    Anchor(AnchorFrame),
}

impl Queue {
    pub(crate) fn push(&mut self, job: Job) -> Result<(), JournalError> {
        if let Some(reason) = &self.stopped {
            return Err(JournalError::Stopped { reason: reason.clone() });
        }
        if self.closing {
            return Err(JournalError::Stopped { reason: "the node is stopping".to_owned() });
        }
        let count = job.work.entries();
        if count > PAGE_ENTRIES_MAX || self.entries.saturating_add(count) > QUEUE_ENTRIES_MAX {
            return Err(JournalError::Busy);
        }
        self.entries = self.entries.saturating_add(count);
        self.urgent |= job.done.is_some();
        self.jobs.push(job);
        Ok(())
    }

    pub(crate) fn close(&mut self) {
        self.closing = true;
    }

    /// As many jobs as one page or one anchor holds, in order; none if nothing waits.
    fn take(&mut self) -> Vec<Job> {
        let (mut entries, mut count) = (0_usize, 0);
        for job in &self.jobs {
            let anchor = matches!(job.work, Work::Anchor(_));
            if (anchor && count > 0) || entries + job.work.entries() > PAGE_ENTRIES_MAX {
                break;
            }
            entries += job.work.entries();
            count += 1;
            if anchor {
                break;
            }
        }
        self.entries = self.entries.saturating_sub(entries);
        let taken = self.jobs.drain(..count).collect();
        self.urgent = self.jobs.iter().any(|job| job.done.is_some());
        taken
    }
}

impl Work {
    fn entries(&self) -> usize {
        match self {
            Self::Steps(steps) => steps.len(),
            Self::Anchor(_) => 0,
        }
    }
}

/// Writes until the log is closed and nothing waits any more, or until a write fails.
pub(crate) fn run(shared: &Arc<Shared>) {
    while let Some(jobs) = wait(shared) {
        let written = shared.write(&jobs);
        // Before anybody is told: whoever hears of a failure finds the log stopped.
        if let Err(error) = &written {
            stop_for_good(shared, &error.to_string());
        }
        for job in jobs {
            // Whoever gave up waiting is not told.
            let _ = job.done.map(|done| done.send(written.clone()));
        }
        if written.is_err() {
            return;
        }
    }
}

/// After a failed write or sync nobody knows what the file holds: nothing more is taken.
fn stop_for_good(shared: &Shared, reason: &str) {
    let mut queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
    queue.stopped = Some(reason.to_owned());
    for job in queue.jobs.drain(..) {
        let stopped = JournalError::Stopped { reason: reason.to_owned() };
        let _ = job.done.map(|done| done.send(Err(stopped)));
    }
}

fn wait(shared: &Shared) -> Option<Vec<Job>> {
    let mut queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if queue.jobs.is_empty() {
            if queue.closing {
                return None;
            }
            queue = shared.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        if !queue.urgent && !queue.closing && queue.entries < PAGE_ENTRIES_MAX {
            let idle = |queue: &mut Queue| {
                !queue.urgent && !queue.closing && queue.entries < PAGE_ENTRIES_MAX
            };
            let waited = shared.wake.wait_timeout_while(queue, LINGER, idle);
            (queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        return Some(queue.take());
    }
}

impl Shared {
    /// Makes jobs durable; they are visible to readers once it returns.
    fn write(&self, jobs: &[Job]) -> Result<(), JournalError> {
        if let [Job { work: Work::Anchor(anchor), .. }] = jobs {
            return self.write_anchor(anchor);
        }
        let steps: Vec<&NewEntry> = jobs
            .iter()
            .flat_map(|job| match &job.work {
                Work::Steps(steps) => steps.as_slice(),
                Work::Anchor(_) => &[],
            })
            .collect();
        if steps.is_empty() {
            // Whoever asked waits for what was queued before, and that is durable by now.
            return Ok(());
        }
        self.write_certificate()?;
        let (number, previous, offset) = {
            let index = self.index();
            (index.pages.saturating_add(1), index.page_hash, index.end)
        };
        let slots = self.chained(&steps, offset)?;
        let mut tree = Frontier::new();
        let leaves: Vec<_> = slots.iter().map(|(_, _, leaf)| *leaf).collect();
        tree.append_many(&leaves, &mut |_, _| {})
            .map_err(|error| JournalError::Stopped { reason: error.to_string() })?;
        let signed = Page {
            channel: &self.channel,
            certificate_sm3: self.certificate_sm3,
            number,
            previous,
            size: u32::try_from(slots.len()).unwrap_or(u32::MAX),
            root: tree.root(),
        };
        let page = PageFrame {
            number,
            previous,
            certificate_sm3: self.certificate_sm3,
            slots: slots.into_iter().map(|(before, bytes, _)| (before, bytes)).collect(),
            root: signed.root,
            signature: self.key.sign(&signed.message()).to_bytes(),
        };
        let end = self.put(offset, &Frame::Page(page.clone()))?;
        let mut index = self.index_mut();
        index
            .add_page(&self.channel, &page, offset)
            .map_err(|what| JournalError::Stopped { reason: what.to_owned() })?;
        index.end = end;
        Ok(())
    }

    /// Gives each step its place in its chain.
    fn chained(
        &self,
        steps: &[&NewEntry],
        offset: u64,
    ) -> Result<Vec<(Place, [u8; 196], Sm3Digest)>, JournalError> {
        let mut heads: HashMap<Sm3Digest, (Place, u32, Sm3Digest, u64)> = HashMap::new();
        let mut slots = Vec::with_capacity(steps.len());
        for (slot, step) in (0_u32..).zip(steps) {
            let head = match heads.get(&step.record_sm3) {
                Some(head) => *head,
                None => match self.last(&step.record_sm3)? {
                    Some((place, entry)) => {
                        (place, entry.sequence, entry.digest(), entry.what.at.at_ms)
                    }
                    None => (Place::NONE, 0, Sm3Digest::new([0; 32]), 0),
                },
            };
            let (before, sequence, previous, at_ms) = head;
            let mut what = (*step).clone();
            // A clock that was set back must not make a log that contradicts itself.
            what.at.at_ms = what.at.at_ms.max(at_ms);
            let sequence = sequence.saturating_add(1);
            let entry = Entry { what, sequence, previous };
            let digest = entry.digest();
            let place = Place { offset, slot };
            heads.insert(step.record_sm3, (place, sequence, digest, entry.what.at.at_ms));
            slots.push((before, entry.to_bytes(), leaf_hash(digest.as_bytes())));
        }
        Ok(slots)
    }

    fn write_certificate(&self) -> Result<(), JournalError> {
        let offset = {
            let index = self.index();
            if index.certificates.contains_key(&self.certificate_sm3) {
                return Ok(());
            }
            index.end
        };
        let end = self.put(offset, &Frame::Certificate(self.certificate.clone()))?;
        let mut index = self.index_mut();
        index.certificates.insert(self.certificate_sm3, self.certificate.clone());
        index.end = end;
        Ok(())
    }

    fn write_anchor(&self, anchor: &AnchorFrame) -> Result<(), JournalError> {
        let offset = self.index().end;
        let end = self.put(offset, &Frame::Anchor(anchor.clone()))?;
        let mut index = self.index_mut();
        index
            .add_anchor(anchor, offset, end)
            .map_err(|what| JournalError::Stopped { reason: what.to_owned() })?;
        index.end = end;
        Ok(())
    }

    /// One write, one sync; the end of the frame.
    fn put(&self, offset: u64, frame: &Frame) -> Result<u64, JournalError> {
        let bytes = frame.to_bytes();
        let failed = |doing: &str, error: &io::Error| JournalError::Stopped {
            reason: format!("{doing} {}: {error}", self.path.display()),
        };
        self.file.write_all_at(&bytes, offset).map_err(|error| failed("writing", &error))?;
        self.file.sync_data().map_err(|error| failed("syncing", &error))?;
        debug_assert!(bytes.len() as u64 > AROUND_BYTES);
        Ok(offset + bytes.len() as u64)
    }
}
