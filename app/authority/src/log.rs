//! The register on disk: lines that are durable before what they record is handed out.

use std::fs::{File, OpenOptions};
use std::io::{Error, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use smkit::Sm3Digest;
use smkit_pki::{Certificate, Register};

use crate::AuthorityStoreError;
use crate::directory::Directory;
use crate::limits::REGISTER_BYTES_MAX;
use crate::line::{Line, State};

#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines; `None` after a failure that could not be undone: nothing more is written then, for it
    /// would follow half a line.
    length: Option<u64>,
    /// Digest of the last line; of the authority's certificate before the first.
    head: Sm3Digest,
}

impl Log {
    pub(crate) fn open(
        directory: &Directory,
        owner: &Certificate,
    ) -> Result<Self, AuthorityStoreError> {
        let path = directory.register();
        let wrong = |e| AuthorityStoreError::file(&path, e);
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .mode(0o644)
            .open(&path)
            .map_err(wrong)?;
        let length = file.metadata().map_err(wrong)?.len();
        if length > REGISTER_BYTES_MAX {
            let reason = format!("{length} bytes are too many");
            return Err(AuthorityStoreError::damaged(&path, reason));
        }
        Ok(Self { path, file, length: Some(length), head: owner.sm3() })
    }

    /// Reads every line; a torn last one was never acted upon and is cut off.
    pub(crate) fn replay(&mut self) -> Result<Register, AuthorityStoreError> {
        let mut text = Vec::new();
        self.file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.read_to_end(&mut text))
            .map_err(|e| AuthorityStoreError::file(&self.path, e))?;
        let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |at| at.saturating_add(1));
        if whole < text.len() {
            if self.ends_whole(&text, whole)? {
                return self.complete();
            }
            self.length = u64::try_from(whole).ok();
            self.cut().map_err(|e| AuthorityStoreError::file(&self.path, e))?;
            text.truncate(whole);
        }
        let mut state = State::default();
        for (number, line) in (1..).zip(text.split_inclusive(|byte| *byte == b'\n')) {
            let refuse = |reason: String| AuthorityStoreError::Register {
                file: self.path.clone(),
                line: number,
                // The first line continues the certificate: which of the two was changed cannot be told.
                reason: if number == 1 {
                    format!("{reason}, or ca.cert.pem is damaged")
                } else {
                    reason
                },
            };
            let event = Line::from_bytes(line, &mut self.head).map_err(refuse)?;
            event.apply(&mut state).map_err(refuse)?;
        }
        let entries: Vec<_> = state.register.iter().cloned().collect();
        Ok(Register::restore(entries, state.lists)?)
    }

    /// Whether the last line lacks nothing but its line end. Another byte in that place is damage, not a torn write.
    fn ends_whole(&self, text: &[u8], whole: usize) -> Result<bool, AuthorityStoreError> {
        let (before, tail) = text.split_at_checked(whole).unwrap_or((text, &[]));
        let mut head = self.head;
        for line in before.split_inclusive(|byte| *byte == b'\n') {
            // A damaged line is reported when its turn comes.
            let Ok(_) = Line::from_bytes(line, &mut head) else { return Ok(false) };
        }
        let shorter = tail.get(..tail.len().saturating_sub(1)).unwrap_or_default();
        if Line::from_bytes(shorter, &mut head.clone()).is_ok() {
            return Err(AuthorityStoreError::damaged(&self.path, "the last line end is damaged"));
        }
        Ok(Line::from_bytes(tail, &mut head).is_ok())
    }

    fn complete(&mut self) -> Result<Register, AuthorityStoreError> {
        self.file
            .write_all(b"\n")
            .and_then(|()| self.file.sync_all())
            .map_err(|e| AuthorityStoreError::file(&self.path, e))?;
        self.length = self.length.map(|length| length.saturating_add(1));
        self.replay()
    }

    /// Appends lines; they are durable when this returns, and not there when it fails.
    pub(crate) fn append(&mut self, lines: &[Line]) -> Result<(), AuthorityStoreError> {
        let wrong = |e| AuthorityStoreError::file(&self.path, e);
        let unusable = || wrong(Error::other("an earlier write failed; restart to check the file"));
        let before = self.length.ok_or_else(unusable)?;
        let mut head = self.head;
        let bytes: Vec<u8> = lines.iter().flat_map(|line| line.to_bytes(&mut head)).collect();
        match self.file.write_all(&bytes).and_then(|()| self.file.sync_data()) {
            Ok(()) => {
                self.head = head;
                self.length = Some(before.saturating_add(bytes.len() as u64));
                Ok(())
            }
            Err(error) => {
                if self.cut().is_err() {
                    self.length = None;
                }
                Err(AuthorityStoreError::file(&self.path, error))
            }
        }
    }

    fn cut(&self) -> std::io::Result<()> {
        self.file.set_len(self.length.unwrap_or(0))?;
        self.file.sync_all()
    }
}
