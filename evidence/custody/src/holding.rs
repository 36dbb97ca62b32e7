//! What happens to an original after it came in: retention (保存期限), recipients, erasure, removal.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use smkit::Sm3Digest;

use crate::custody::Custody;
use crate::entry::{Entry, Erasure, Recipient};
use crate::error::CustodyError;
use crate::log::Event;

/// What became of a record's claim that its original is in custody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It is, and its retention lasts at least as long as the record wants.
    Held,
    /// Its keys were destroyed; the record stays provable.
    Erased,
    /// It is not here.
    NotHeld,
}

impl Custody {
    /// A record says that it belongs to this original, which must stay until then. Durable when this returns.
    ///
    /// # Errors
    /// As [`entry`](Self::entry), or the store's failure.
    pub fn claim(
        &self,
        sm3: &Sm3Digest,
        record: &str,
        retain_until_ms: u64,
    ) -> Result<Claim, CustodyError> {
        if let Some(entry) = self.entry(sm3)? {
            if entry.erased.is_some() {
                return Ok(Claim::Erased);
            }
            if entry.record.is_some() && entry.retain_until_ms >= retain_until_ms {
                return Ok(Claim::Held);
            }
        }
        match self.open_original(sm3) {
            Ok(_) => {}
            Err(CustodyError::NotHeld(_) | CustodyError::Missing { .. }) => {
                return Ok(Claim::NotHeld);
            }
            Err(CustodyError::Erased { .. }) => return Ok(Claim::Erased),
            Err(error) => return Err(error),
        }
        self.change(sm3, |entry| {
            if entry.record.is_none() {
                entry.record = Some(record.to_owned());
            }
            entry.retain_until_ms = entry.retain_until_ms.max(retain_until_ms);
            Ok(None)
        })?;
        Ok(Claim::Held)
    }

    /// The original must stay until then at least: a lock only ever gets longer.
    ///
    /// # Errors
    /// As [`open_original`](Self::open_original).
    pub fn retain(&self, sm3: &Sm3Digest, until_ms: u64) -> Result<(), CustodyError> {
        self.change(sm3, |entry| {
            entry.retain_until_ms = entry.retain_until_ms.max(until_ms);
            let until_ms = entry.retain_until_ms;
            Ok(Some(Event::Retained { sm3: sm3.to_string(), until_ms }))
        })
    }

    /// Wraps the original's key for one more recipient. The object stays as it is.
    ///
    /// # Errors
    /// As [`open_original`](Self::open_original); [`CustodyError::Seal`] for an envelope of version 1, whose key only the
    /// store can unwrap, and beyond [`crate::limits::RECIPIENTS_MAX`].
    pub fn admit(&self, sm3: &Sm3Digest, recipient: &Recipient) -> Result<(), CustodyError> {
        self.change(sm3, |entry| {
            let key = entry.unwrap_key(self.keys().owner());
            let key = key.ok_or(CustodyError::Seal("there is no key to wrap"))?;
            entry.admit(recipient, &key, self.keys())?;
            let recipient = recipient.name.clone();
            Ok(Some(Event::Admitted { sm3: sm3.to_string(), recipient }))
        })
    }

    /// Destroys every key of an original, and removes its object where the store lets it: nobody can read it again,
    /// wherever copies of the object are. What is proven about its digest stays proven. `by_order` overrides a
    /// retention that lasts, and is recorded as such.
    ///
    /// # Errors
    /// [`CustodyError::Locked`], [`CustodyError::NotHeld`], or the system's refusal.
    pub fn erase_original(
        &self,
        sm3: &Sm3Digest,
        reason: &str,
        by_order: bool,
    ) -> Result<(), CustodyError> {
        let now_ms = self.now_ms();
        let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
        self.changing(|| {
            let mut entry = self.entry_or_own(sm3)?;
            if entry.erased.is_some() {
                return Ok(());
            }
            if entry.retain_until_ms > now_ms && !by_order {
                return Err(CustodyError::Locked { until_ms: entry.retain_until_ms });
            }
            entry.keys.clear();
            entry.erased = Some(Erasure { at_ms: now_ms, reason: reason.clone() });
            overwrite(&self.entry_file(sm3), None)?;
            self.write_entry(sm3, &entry)?;
            // An envelope of version 1 has its key in its header.
            let own = self.object_1(sm3);
            overwrite(&own, Some(crate::envelope::HEADER_BYTES))?;
            drop(std::fs::remove_file(&own));
            if let Some(name) = entry.cid() {
                drop(self.store().remove(&name));
            }
            self.log(Event::Erased { sm3: sm3.to_string(), reason, by_order }, true)
        })
    }

    /// Destroys the openings of a record's commitments: its personal values can never be shown again.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn erase_openings_of(
        &self,
        record_sm3: &Sm3Digest,
        reason: &str,
    ) -> Result<(), CustodyError> {
        let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
        self.changing(|| {
            overwrite(&self.openings_file(record_sm3), Some(crate::envelope::HEADER_BYTES))?;
            self.erase_openings(record_sm3)?;
            self.log(Event::OpeningsErased { record_sm3: record_sm3.to_string(), reason }, true)
        })
    }

    /// Removes an original whose retention has ended.
    ///
    /// # Errors
    /// [`CustodyError::Locked`], [`CustodyError::NotHeld`], or the refusal of the system or the store.
    pub fn remove(&self, sm3: &Sm3Digest) -> Result<(), CustodyError> {
        let now_ms = self.now_ms();
        self.changing(|| {
            let entry = self.entry_or_own(sm3)?;
            if entry.retain_until_ms > now_ms {
                return Err(CustodyError::Locked { until_ms: entry.retain_until_ms });
            }
            // Recorded first: what is gone is never unexplained.
            self.log(Event::Removed { sm3: sm3.to_string() }, true)?;
            if let Some(name) = entry.cid() {
                let place = self.store().place(&name);
                self.store().remove(&name).map_err(CustodyError::store(place))?;
            }
            for path in [self.object_1(sm3), self.entry_file(sm3)] {
                match std::fs::remove_file(&path) {
                    Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                        return Err(CustodyError::io(&path, "remove")(e));
                    }
                    _ => {}
                }
            }
            Ok(())
        })
    }

    /// Changes an entry and records it; one that an earlier version did not make is made.
    fn change(
        &self,
        sm3: &Sm3Digest,
        work: impl FnOnce(&mut Entry) -> Result<Option<Event>, CustodyError>,
    ) -> Result<(), CustodyError> {
        self.changing(|| {
            let mut entry = self.entry_or_own(sm3)?;
            if let Some(erased) = entry.erased {
                return Err(CustodyError::Erased { at_ms: erased.at_ms, reason: erased.reason });
            }
            let event = work(&mut entry)?;
            self.write_entry(sm3, &entry)?;
            event.map_or(Ok(()), |event| self.log(event, true))
        })
    }

    fn entry_or_own(&self, sm3: &Sm3Digest) -> Result<Entry, CustodyError> {
        if let Some(entry) = self.entry(sm3)? {
            return Ok(entry);
        }
        let reader = self.open_original(sm3)?;
        Ok(Entry::new(sm3, reader.size_bytes(), reader.crc32(), 0))
    }
}

/// Zeros over the beginning of a file, or all of it, where the file system writes in place. One that is not there is
/// well.
fn overwrite(path: &Path, most: Option<usize>) -> Result<(), CustodyError> {
    let mut file = match File::options().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(CustodyError::io(path, "open")(error)),
    };
    let length = file.metadata().map_err(CustodyError::io(path, "open"))?.len();
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let zeros = vec![0; length.min(most.unwrap_or(crate::limits::ENTRY_BYTES_MAX))];
    file.write_all(&zeros)
        .and_then(|()| file.sync_all())
        .map_err(CustodyError::io(path, "overwrite"))
}

const REASON_CHARS_MAX: usize = 500;
