//! The custody audit (保管审计): reads every original again, to its end, and writes down what it found.
//!
//! An audit goes through the originals in the order of their digests, at the pace that it is given, and survives a
//! restart: `audit.json` says how far it has come, and what the last complete one found. Each result is a line of the
//! custody log.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use smkit::Sm3Digest;

use crate::custody::Custody;
use crate::error::CustodyError;
use crate::files;
use crate::ingest::Draft;
use crate::limits::{AUDIT_LOST_MAX, AUDIT_SYNC_EVERY, CHUNK_BYTES};
use crate::log::Event;

/// How an original was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every byte is as it came in.
    Intact,
    /// It is not what it was.
    Damaged,
    /// The store has lost it.
    Missing,
    /// Its keys were destroyed; there is nothing to read.
    Erased,
}

/// The result for one original.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The original.
    pub sm3: String,
    /// How it was found.
    pub outcome: Outcome,
    /// Bytes read.
    pub size_bytes: u64,
    /// Where it lies, or should; the file that is damaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Where damage was noticed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether a record belongs to it, or may yet: it came in less than an hour before.
    pub recorded: bool,
}

/// What an audit has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Counts {
    /// Originals that are whole.
    pub intact: u64,
    /// Originals that are not.
    pub damaged: u64,
    /// Originals that the store has lost.
    pub missing: u64,
    /// Originals whose keys were destroyed.
    pub erased: u64,
    /// Originals of no record, an hour or longer: left by a submission that came to no end.
    pub unrecorded: u64,
    /// Bytes read.
    pub bytes: u64,
}

/// Where audits stand; durable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditState {
    /// When the last complete audit ended, Unix milliseconds; 0 before the first.
    pub ended_at_ms: u64,
    /// What it counted.
    pub last: Counts,
    /// When the audit under way began; 0 where none is.
    pub began_at_ms: u64,
    /// The last original that it has seen.
    pub after: String,
    /// What it has counted.
    pub now: Counts,
    /// Originals found damaged or missing, at most [`AUDIT_LOST_MAX`]: of the last audit and of the one under way.
    pub lost: Vec<String>,
    /// Those of the audit under way.
    pub lost_now: Vec<String>,
    /// `record sm3` of records whose original is not held, at most [`AUDIT_LOST_MAX`].
    pub unheld: Vec<String>,
}

/// How an audit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditEnd {
    /// Every original was seen.
    Complete(Counts),
    /// It was told to stop; the next one goes on there.
    Stopped,
}

impl Custody {
    /// Reads the originals that are in custody, going on where an earlier call was stopped. `pace` is told of bytes
    /// that were read, may take its time, and stops the audit with `false`; `found` is told of each result.
    ///
    /// # Errors
    /// A store that does not answer ends it: what cannot be read now is not lost. The next call goes on there.
    pub fn audit(
        &self,
        pace: &mut dyn FnMut(u64) -> bool,
        found: &mut dyn FnMut(&Finding),
    ) -> Result<AuditEnd, CustodyError> {
        let mut state = self.audit_state()?;
        let resumed = state.began_at_ms > 0;
        if !resumed {
            state.began_at_ms = self.now_ms().max(1);
            (state.after, state.now, state.lost_now) = Default::default();
        }
        self.changing(|| self.log(Event::AuditBegan { resumed }, true))?;
        let mut since_sync = 0_u32;
        let after = state.after.clone();
        let complete = self.holdings(&after, &mut |sm3| {
            let Some(finding) = self.examine(sm3, pace)? else { return Ok(false) };
            state.add(&finding);
            let lost = matches!(finding.outcome, Outcome::Damaged | Outcome::Missing);
            since_sync = since_sync.saturating_add(1);
            let sync = lost || since_sync >= AUDIT_SYNC_EVERY;
            found(&finding);
            self.changing(|| self.log(Event::Audited(finding), sync))?;
            if sync {
                since_sync = 0;
                self.keep_audit_state(&state)?;
            }
            Ok(true)
        });
        let complete = match complete {
            Ok(complete) => complete,
            Err(error) => {
                self.sync_log()?;
                self.keep_audit_state(&state)?;
                return Err(error);
            }
        };
        if !complete {
            self.sync_log()?;
            self.keep_audit_state(&state)?;
            return Ok(AuditEnd::Stopped);
        }
        let counts = state.now;
        self.changing(|| self.log(Event::AuditEnded(counts), true))?;
        state.ended_at_ms = self.now_ms().max(1);
        (state.last, state.began_at_ms) = (counts, 0);
        state.lost = std::mem::take(&mut state.lost_now);
        self.keep_audit_state(&state)?;
        Ok(AuditEnd::Complete(counts))
    }

    /// Where audits stand.
    ///
    /// # Errors
    /// [`CustodyError::Damaged`], or the system's refusal.
    pub fn audit_state(&self) -> Result<AuditState, CustodyError> {
        let path = self.audit_file();
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|_| CustodyError::damaged(&path, 0, "no state of an audit")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(AuditState::default()),
            Err(error) => Err(CustodyError::io(&path, "read")(error)),
        }
    }

    /// Says which records want originals that are not held; each new one is logged.
    ///
    /// # Errors
    /// As [`audit_state`](Self::audit_state).
    pub fn keep_unheld(&self, unheld: &[(String, Sm3Digest)]) -> Result<(), CustodyError> {
        let mut state = self.audit_state()?;
        let texts = unheld.iter().map(|(record, sm3)| format!("{record} {sm3}"));
        let texts: Vec<String> = texts.take(AUDIT_LOST_MAX).collect();
        if state.unheld == texts {
            return Ok(());
        }
        for ((record, sm3), text) in unheld.iter().zip(&texts) {
            if !state.unheld.contains(text) {
                let (record, sm3) = (record.clone(), sm3.to_string());
                self.changing(|| self.log(Event::Unheld { record, sm3 }, true))?;
            }
        }
        state.unheld = texts;
        self.keep_audit_state(&state)
    }

    /// Originals of no record, oldest digests first, at most `most`: digest, size, and until when they stay.
    ///
    /// # Errors
    /// As [`entry`](Self::entry).
    pub fn unrecorded(&self, most: usize) -> Result<Vec<crate::Entry>, CustodyError> {
        let mut list = Vec::new();
        self.holdings("", &mut |sm3| {
            if let Ok(Some(entry)) = self.entry(sm3)
                && entry.record.is_none()
            {
                list.push(entry);
            }
            Ok(list.len() < most)
        })?;
        Ok(list)
    }

    /// What is known of the originals of a record, by its evidence id: looks through every entry.
    ///
    /// # Errors
    /// As [`entry`](Self::entry).
    pub fn originals_of(&self, record: &str) -> Result<Vec<crate::Entry>, CustodyError> {
        let mut list = Vec::new();
        self.holdings("", &mut |sm3| {
            let entry = self.entry(sm3).ok().flatten();
            list.extend(entry.filter(|entry| entry.record.as_deref() == Some(record)));
            Ok(true)
        })?;
        Ok(list)
    }

    /// One original; `None` when `pace` stopped it.
    fn examine(
        &self,
        sm3: &Sm3Digest,
        pace: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Option<Finding>, CustodyError> {
        // A submission that is under way comes to its record yet.
        let young = |entry: &crate::Entry| {
            entry.kept_at_ms.saturating_add(UNRECORDED_AFTER_MS) > self.now_ms()
        };
        let entry = self.entry(sm3).ok().flatten();
        let recorded = entry.is_some_and(|entry| entry.record.is_some() || young(&entry));
        let mut finding = Finding {
            sm3: sm3.to_string(),
            outcome: Outcome::Intact,
            size_bytes: 0,
            place: None,
            offset: None,
            reason: None,
            recorded,
        };
        // Files count too: a million small originals are work.
        if !pace(FILE_COSTS_BYTES) {
            return Ok(None);
        }
        let read = self.open_original(sm3).and_then(|mut reader| {
            let mut piece = vec![0; CHUNK_BYTES];
            loop {
                match reader.read(&mut piece) {
                    Ok(0) => return Ok(true),
                    Ok(read) => {
                        finding.size_bytes = finding.size_bytes.saturating_add(read as u64);
                        if !pace(read as u64) {
                            return Ok(false);
                        }
                    }
                    Err(error) => {
                        let other = CustodyError::io(Path::new(""), "read");
                        return Err(error.downcast::<CustodyError>().unwrap_or_else(other));
                    }
                }
            }
        });
        match read {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            // Not held: removed since it was listed.
            Err(CustodyError::Erased { .. } | CustodyError::NotHeld(_)) => {
                finding.outcome = Outcome::Erased;
            }
            Err(CustodyError::Missing { place }) => {
                (finding.outcome, finding.place) = (Outcome::Missing, Some(place));
            }
            Err(CustodyError::Damaged { file, offset, reason }) => {
                finding.outcome = Outcome::Damaged;
                finding.place = Some(file.display().to_string());
                (finding.offset, finding.reason) = (Some(offset), Some(reason.to_owned()));
            }
            Err(error) => return Err(error),
        }
        Ok(Some(finding))
    }

    /// Every original in the order of digests, from the first one after `after`; whether the end was reached.
    fn holdings(
        &self,
        after: &str,
        each: &mut dyn FnMut(&Sm3Digest) -> Result<bool, CustodyError>,
    ) -> Result<bool, CustodyError> {
        let roots = [self.entries(), self.dir().join("objects")];
        for first in names(roots.iter().cloned(), 2)? {
            if after.get(..2).is_some_and(|bound| first.as_str() < bound) {
                continue;
            }
            let folders = roots.iter().map(|root| root.join(&first));
            for second in names(folders, 2)? {
                let folders = roots.iter().map(|root| root.join(&first).join(&second));
                for name in names(folders, 64)? {
                    if name.as_str() <= after {
                        continue;
                    }
                    let Ok(sm3) = name.parse::<Sm3Digest>() else { continue };
                    if !each(&sm3)? {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    fn keep_audit_state(&self, state: &AuditState) -> Result<(), CustodyError> {
        let draft = Draft(self.incoming().join(self.keys().name()));
        let mut file = files::create_new(&draft.0)?;
        let text = serde_json::to_vec(state).map_err(|_| CustodyError::Seal("a state"))?;
        file.write_all(&text).map_err(CustodyError::io(&draft.0, "write"))?;
        files::publish(&file, &draft.0, &self.audit_file())
    }

    fn audit_file(&self) -> PathBuf {
        self.dir().join("audit.json")
    }
}

impl AuditState {
    fn add(&mut self, finding: &Finding) {
        self.after.clone_from(&finding.sm3);
        let counts = &mut self.now;
        let count = match finding.outcome {
            Outcome::Intact => &mut counts.intact,
            Outcome::Damaged => &mut counts.damaged,
            Outcome::Missing => &mut counts.missing,
            Outcome::Erased => &mut counts.erased,
        };
        *count = count.saturating_add(1);
        counts.bytes = counts.bytes.saturating_add(finding.size_bytes);
        if !finding.recorded && finding.outcome != Outcome::Erased {
            counts.unrecorded = counts.unrecorded.saturating_add(1);
        }
        let lost = matches!(finding.outcome, Outcome::Damaged | Outcome::Missing);
        for list in [&mut self.lost, &mut self.lost_now] {
            let known = list.iter().position(|sm3| *sm3 == finding.sm3);
            match known {
                None if lost && list.len() < AUDIT_LOST_MAX => list.push(finding.sm3.clone()),
                Some(at) if !lost => drop(list.remove(at)),
                _ => {}
            }
        }
    }
}

/// Names of hexadecimal digits of that length in folders, those of envelopes without their ending.
fn names(
    folders: impl Iterator<Item = PathBuf>,
    chars: usize,
) -> Result<BTreeSet<String>, CustodyError> {
    let mut found = BTreeSet::new();
    for folder in folders {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(CustodyError::io(&folder, "read")(error)),
        };
        for entry in entries {
            let name = entry.map_err(CustodyError::io(&folder, "read"))?.file_name();
            let Some(name) = name.to_str() else { continue };
            let name = name.strip_suffix(".env").unwrap_or(name);
            let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
            if name.len() == chars && name.bytes().all(hex) {
                found.insert(name.to_owned());
            }
        }
    }
    Ok(found)
}

const UNRECORDED_AFTER_MS: u64 = 3_600_000;
/// What opening a file counts as.
const FILE_COSTS_BYTES: u64 = 64 << 10;
