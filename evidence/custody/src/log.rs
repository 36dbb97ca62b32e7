//! What happened in custody: an append-only log, `log/00000001.log` and on.
//!
//! A line is JSON, a tab, and HMAC-SM3 over the line before and this one, under the store's key: a line cannot be
//! changed, moved or taken out without that key. A torn last line is cut off; damage before it is named in the first
//! line of a new file, and the old file stays as it was found.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use smkit::Sm3Digest;

use crate::custody::Custody;
use crate::error::CustodyError;
use crate::files;
use crate::limits::{LOG_FILE_BYTES, LOG_LINE_BYTES_MAX};

/// One line of the custody log (保管日志).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Counts lines, from 1 in each file.
    pub seq: u64,
    /// Unix milliseconds.
    pub at_ms: u64,
    /// What happened.
    pub event: Event,
}

/// What the log records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Event {
    /// Earlier lines are damaged; the chain starts anew here.
    LogDamaged {
        /// Which file.
        file: String,
        /// Where.
        offset: u64,
    },
    /// An audit began, or went on after a restart.
    AuditBegan {
        /// Whether it goes on.
        resumed: bool,
    },
    /// One original was read to its end.
    Audited(crate::audit::Finding),
    /// An audit has seen every original.
    AuditEnded(crate::audit::Counts),
    /// A record says that this original is in custody, and it is not.
    Unheld {
        /// Evidence id.
        record: String,
        /// The original.
        sm3: String,
    },
    /// An original must stay for longer.
    Retained {
        /// The original.
        sm3: String,
        /// Unix milliseconds.
        until_ms: u64,
    },
    /// Somebody else can open an original.
    Admitted {
        /// The original.
        sm3: String,
        /// Who.
        recipient: String,
    },
    /// The keys of an original were destroyed.
    Erased {
        /// The original.
        sm3: String,
        /// As it was given.
        reason: String,
        /// Before its time, by order.
        by_order: bool,
    },
    /// The openings of a record's commitments were destroyed.
    OpeningsErased {
        /// SM3 of the record.
        record_sm3: String,
        /// As it was given.
        reason: String,
    },
    /// An original was removed after its time.
    Removed {
        /// The original.
        sm3: String,
    },
}

/// Where the log ends.
#[derive(Debug, Clone)]
pub(crate) struct End {
    number: u64,
    size_bytes: u64,
    seq: u64,
    tag: Sm3Digest,
}

impl Custody {
    /// Appends one event; with `sync` it is durable when this returns. Call it while [`Custody::changing`].
    pub(crate) fn log(&self, event: Event, sync: bool) -> Result<(), CustodyError> {
        let mut known = self.log_end.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut end = match known.take() {
            // Another process may have written meanwhile.
            Some(end) if self.is_current(&end) => end,
            _ => self.find_log_end()?,
        };
        if end.size_bytes > LOG_FILE_BYTES {
            end = End { number: end.number.saturating_add(1), size_bytes: 0, ..end };
        }
        self.append(&mut end, event, sync)?;
        *known = Some(end);
        Ok(())
    }

    fn append(&self, end: &mut End, event: Event, sync: bool) -> Result<(), CustodyError> {
        let path = self.log_file(end.number);
        let fresh = end.size_bytes == 0;
        if fresh {
            end.seq = 0;
        }
        let line = Line { seq: end.seq.saturating_add(1), at_ms: self.now_ms(), event };
        let text = serde_json::to_vec(&line).map_err(|_| CustodyError::Seal("a log line"))?;
        let tag = self.keys().log_tag(&end.tag, &text);
        let line = [text.as_slice(), b"\t", tag.to_string().as_bytes(), b"\n"].concat();
        let mut options = File::options();
        let file = options.create(true).append(true).mode(0o600).open(&path);
        let mut file = file.map_err(CustodyError::io(&path, "open"))?;
        file.write_all(&line).map_err(CustodyError::io(&path, "write"))?;
        if sync || fresh {
            file.sync_all().map_err(CustodyError::io(&path, "sync"))?;
        }
        if fresh {
            files::sync_dir(&self.log_dir())?;
        }
        end.seq = end.seq.saturating_add(1);
        end.size_bytes = end.size_bytes.saturating_add(line.len() as u64);
        end.tag = tag;
        Ok(())
    }

    /// Makes everything that was logged durable.
    pub(crate) fn sync_log(&self) -> Result<(), CustodyError> {
        let known = self.log_end.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(end) = known.as_ref() else { return Ok(()) };
        let path = self.log_file(end.number);
        let file = File::open(&path).and_then(|file| file.sync_all());
        file.map_err(CustodyError::io(&path, "sync"))
    }

    /// Reads the log from its first line, each authenticated.
    ///
    /// # Errors
    /// [`CustodyError::Damaged`] with file and offset; the lines before it were handed over.
    pub fn read_log(&self, each: &mut dyn FnMut(Line)) -> Result<(), CustodyError> {
        let mut tag = START;
        for number in self.log_numbers()? {
            let path = self.log_file(number);
            let read = self.read_file(&path, &mut tag, each)?;
            if let Some((offset, reason)) = read.wrong {
                return Err(CustodyError::damaged(&path, offset, reason));
            }
        }
        Ok(())
    }

    /// The last lines, oldest first; of the last file alone.
    ///
    /// # Errors
    /// As [`read_log`](Self::read_log).
    pub fn log_tail(&self, most: usize) -> Result<Vec<Line>, CustodyError> {
        let mut lines = std::collections::VecDeque::new();
        self.read_log(&mut |line| {
            if lines.len() == most {
                lines.pop_front();
            }
            lines.push_back(line);
        })?;
        Ok(lines.into())
    }

    fn is_current(&self, end: &End) -> bool {
        let size = std::fs::metadata(self.log_file(end.number)).map(|file| file.len());
        size.is_ok_and(|size| size == end.size_bytes)
            && !self.log_file(end.number.saturating_add(1)).exists()
    }

    fn find_log_end(&self) -> Result<End, CustodyError> {
        files::create_dirs(&self.log_dir())?;
        let numbers = self.log_numbers()?;
        let Some(last) = numbers.last().copied() else {
            return Ok(End { number: 1, size_bytes: 0, seq: 0, tag: START });
        };
        let mut tag = START;
        let mut end = End { number: last, size_bytes: 0, seq: 0, tag };
        for number in numbers {
            let path = self.log_file(number);
            let mut seq = 0;
            let read = self.read_file(&path, &mut tag, &mut |line| seq = line.seq)?;
            end = End { number, size_bytes: read.good_bytes, seq, tag };
            match read.wrong {
                Some((offset, _)) if read.torn && number == last => {
                    let file = File::options().write(true).open(&path);
                    file.and_then(|file| file.set_len(offset).and_then(|()| file.sync_all()))
                        .map_err(CustodyError::io(&path, "cut"))?;
                }
                Some((offset, _)) => {
                    let mut fresh =
                        End { number: last.saturating_add(1), size_bytes: 0, seq: 0, tag: START };
                    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    self.append(&mut fresh, Event::LogDamaged { file, offset }, true)?;
                    return Ok(fresh);
                }
                None => {}
            }
        }
        Ok(end)
    }

    fn read_file(
        &self,
        path: &Path,
        tag: &mut Sm3Digest,
        each: &mut dyn FnMut(Line),
    ) -> Result<Read, CustodyError> {
        let io = |error| CustodyError::io(path, "read")(error);
        let mut file = File::open(path).map_err(io)?;
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        let bound = LOG_FILE_BYTES.saturating_add(2 * LOG_LINE_BYTES_MAX as u64);
        file.take(bound).read_to_end(&mut bytes).map_err(io)?;
        let mut read = Read { good_bytes: 0, wrong: None, torn: false };
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let Some(whole) = line.strip_suffix(b"\n") else {
                (read.wrong, read.torn) = (Some((read.good_bytes, "a torn line")), true);
                break;
            };
            let Some((parsed, next)) = self.parse_line(tag, whole) else {
                read.wrong = Some((read.good_bytes, "a line does not authenticate"));
                break;
            };
            *tag = next;
            read.good_bytes = read.good_bytes.saturating_add(line.len() as u64);
            each(parsed);
        }
        Ok(read)
    }

    /// A line after one with this tag, or one that starts the chain anew and says why.
    fn parse_line(&self, before: &Sm3Digest, line: &[u8]) -> Option<(Line, Sm3Digest)> {
        let (text, tag) = line.split_at_checked(line.len().checked_sub(65)?)?;
        let tag = std::str::from_utf8(tag.strip_prefix(b"\t")?).ok()?;
        let parsed: Line = serde_json::from_slice(text).ok()?;
        let anew = matches!(parsed.event, Event::LogDamaged { .. });
        [Some(before), anew.then_some(&START)].into_iter().flatten().find_map(|before| {
            let expected = self.keys().log_tag(before, text);
            (expected.to_string() == tag).then_some((parsed.clone(), expected))
        })
    }

    fn log_numbers(&self) -> Result<Vec<u64>, CustodyError> {
        let dir = self.log_dir();
        let mut numbers = Vec::new();
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(numbers),
            Err(error) => return Err(CustodyError::io(&dir, "read")(error)),
        };
        for entry in entries {
            let name = entry.map_err(CustodyError::io(&dir, "read"))?.file_name();
            let name = name.to_str().and_then(|name| name.strip_suffix(".log"));
            numbers.extend(name.and_then(|digits| digits.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn log_dir(&self) -> PathBuf {
        self.dir().join("log")
    }

    fn log_file(&self, number: u64) -> PathBuf {
        self.log_dir().join(format!("{number:08}.log"))
    }
}

struct Read {
    good_bytes: u64,
    wrong: Option<(u64, &'static str)>,
    torn: bool,
}

/// What the first line follows.
const START: Sm3Digest = Sm3Digest::new([0; 32]);
