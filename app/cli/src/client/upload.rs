//! A multipart body on its way: digested once in a first pass, then streamed once for each attempt.

use std::{
    cell::RefCell,
    io::{self, Read},
};

use smkit::sm3::{Sm3, Sm3Digest};

use super::multipart::{Multipart, Reader};
use crate::{
    error::CliError,
    lang::Lang,
    limits,
    messages::{Message, word},
    progress::Progress,
};

/// A body whose digest is known.
#[derive(Debug)]
pub(crate) struct Upload {
    multipart: Multipart,
    content_type: String,
    sm3: Sm3Digest,
    lang: Lang,
    files: RefCell<Vec<Sm3Digest>>,
    error: RefCell<Option<CliError>>,
}

impl Upload {
    /// Reads the whole body once for its SM3 (`Content-Digest` must be sent before the body) and once more for each
    /// attempt: no copy of it is kept anywhere.
    pub(crate) fn prepare(multipart: Multipart, lang: Lang) -> Result<Self, CliError> {
        let files = RefCell::new(Vec::new());
        let progress = Progress::bytes(word(lang, Message::Hashing), multipart.len_bytes());
        let sm3 = {
            let mut reader = multipart.reader(Box::new(|_| ()));
            let mut digest = Sm3::new();
            let mut chunk = vec![0; limits::CHUNK_BYTES];
            loop {
                let count = reader.read_named(&mut chunk)?;
                if count == 0 {
                    break digest.finalize();
                }
                digest.update(chunk.get(..count).unwrap_or_default());
                progress.advance(count);
            }
        };
        progress.finish();
        let content_type = multipart.content_type();
        Ok(Self { multipart, content_type, sm3, lang, files, error: RefCell::default() })
    }

    /// SM3 of the whole body.
    pub(crate) fn sm3(&self) -> Sm3Digest {
        self.sm3
    }

    /// The value of `Content-Type`.
    pub(crate) fn content_type(&self) -> &str {
        &self.content_type
    }

    /// Bytes of the whole body.
    pub(crate) fn len_bytes(&self) -> u64 {
        self.multipart.len_bytes()
    }

    /// The SM3 of each file as sent last; `None` when the node answered without reading the body.
    pub(crate) fn sent_files(&self) -> Option<Vec<Sm3Digest>> {
        let files = self.files.borrow();
        (files.len() == self.multipart.files().count()).then(|| files.clone())
    }

    /// A reader from the beginning, for one attempt.
    pub(super) fn start(&self) -> Sending<'_> {
        self.files.borrow_mut().clear();
        *self.error.borrow_mut() = None;
        let reader = self.multipart.reader(Box::new(|sm3| self.files.borrow_mut().push(sm3)));
        let progress = Progress::bytes(word(self.lang, Message::Uploading), self.len_bytes());
        Sending { reader, upload: self, progress }
    }

    /// Why the last attempt could not read on, if that was its end.
    pub(super) fn take_error(&self) -> Option<CliError> {
        self.error.borrow_mut().take()
    }
}

/// The body during one attempt.
pub(super) struct Sending<'a> {
    reader: Reader<'a>,
    upload: &'a Upload,
    progress: Progress,
}

impl Read for Sending<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.reader.read_named(out) {
            Ok(count) => {
                self.progress.advance(count);
                Ok(count)
            }
            Err(error) => {
                // The HTTP library would wrap it; it is picked up by `take_error` instead.
                let kind = io::Error::other(error.to_string());
                *self.upload.error.borrow_mut() = Some(error);
                Err(kind)
            }
        }
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.progress.finish();
    }
}
