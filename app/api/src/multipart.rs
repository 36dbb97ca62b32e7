//! `multipart/form-data` (RFC 7578), read strictly from a blocking source in constant memory.
//!
//! No preamble, no transport padding, no transfer encodings; names are quoted; parts, header bytes and
//! the boundary are bounded. File names are read over and never kept: they may hold personal data.

use std::io::{self, Read};

use crate::limits::{PART_HEADER_BYTES_MAX, PARTS_MAX, STREAM_CHUNK_BYTES};

#[cfg(test)]
mod tests;

/// Why a multipart body could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MultipartError {
    /// The source failed or was cut by us; the reason is the caller's.
    #[error("the body could not be received")]
    Source(#[source] io::Error),
    /// The bytes are not multipart as described above.
    #[error("malformed multipart body: {0}")]
    Malformed(&'static str),
    /// More than 65 parts.
    #[error("the body has more than {PARTS_MAX} parts")]
    TooManyParts,
}

/// The head of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartHead {
    /// The form field's name.
    pub name: String,
    /// `Content-Type` without parameters, lower case.
    pub media_type: Option<String>,
}

/// A pull reader over the parts of one body.
#[derive(Debug)]
pub struct Multipart<R> {
    source: R,
    delimiter: Vec<u8>,
    buffer: Vec<u8>,
    start: usize,
    in_part: bool,
    parts: usize,
}

impl<R: Read> Multipart<R> {
    /// A reader over `source` with the boundary of its `Content-Type`.
    pub fn new(source: R, boundary: &str) -> Self {
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        // The first delimiter has no CRLF before it; lending it one leaves a single rule for all.
        Self { source, delimiter, buffer: b"\r\n".to_vec(), start: 0, in_part: true, parts: 0 }
    }

    /// Goes to the next part, reading over what is left of the current one; `None` after the last.
    ///
    /// # Errors
    /// See [`MultipartError`].
    pub fn next_part(&mut self) -> Result<Option<PartHead>, MultipartError> {
        let first = self.parts == 0;
        while self.in_part {
            let preamble = self.read()?.is_some_and(|bytes| !bytes.is_empty());
            if first && preamble {
                return Err(MultipartError::Malformed("the body does not start with its boundary"));
            }
        }
        match self.take(2)?.as_slice() {
            b"\r\n" => {}
            b"--" => return self.finish().map(|()| None),
            _ => return Err(MultipartError::Malformed("a boundary line goes on")),
        }
        if self.parts >= PARTS_MAX {
            return Err(MultipartError::TooManyParts);
        }
        let head = self.head()?;
        self.parts += 1;
        self.in_part = true;
        Ok(Some(head))
    }

    /// The next bytes of the current part, at most 64 KiB and never empty; `None` at its end.
    ///
    /// # Errors
    /// See [`MultipartError`].
    pub fn read(&mut self) -> Result<Option<&[u8]>, MultipartError> {
        if !self.in_part {
            return Ok(None);
        }
        loop {
            let data = self.buffer.get(self.start..).unwrap_or(&[]);
            let (clean, found) = before_delimiter(data, &self.delimiter);
            if clean > 0 {
                let from = self.start;
                self.start += clean;
                return Ok(self.buffer.get(from..self.start));
            }
            if found {
                self.start += self.delimiter.len();
                self.in_part = false;
                return Ok(None);
            }
            self.fill()?;
        }
    }

    /// Like [`read`](Self::read), into a buffer; 0 at the part's end.
    ///
    /// # Errors
    /// See [`MultipartError`].
    pub fn read_into(&mut self, into: &mut [u8]) -> Result<usize, MultipartError> {
        let Some(count) = self.read()?.map(|data| {
            let count = data.len().min(into.len());
            for (to, from) in into.iter_mut().zip(data) {
                *to = *from;
            }
            (count, data.len())
        }) else {
            return Ok(0);
        };
        // What did not fit is read again next time.
        self.start -= count.1 - count.0;
        Ok(count.0)
    }

    // RFC 2046 allows an epilogue; we allow one line end, which common clients write.
    fn finish(&mut self) -> Result<(), MultipartError> {
        let mut rest = self.buffer.split_off(self.start.min(self.buffer.len()));
        let mut more = (&mut self.source).take(3).read_to_end(&mut rest).map(|_| rest);
        match more.as_mut().map(|rest| rest.as_slice()) {
            Ok(b"" | b"\r\n") => Ok(()),
            Ok(_) => Err(MultipartError::Malformed("bytes follow the last boundary")),
            Err(_) => Err(more
                .err()
                .map_or(MultipartError::Malformed("unreadable"), MultipartError::Source)),
        }
    }

    fn head(&mut self) -> Result<PartHead, MultipartError> {
        let mut lines = Vec::new();
        while !lines.ends_with(b"\r\n\r\n") {
            if lines.len() >= PART_HEADER_BYTES_MAX {
                return Err(MultipartError::Malformed("the head of a part is too long"));
            }
            lines.extend_from_slice(&self.take(1)?);
            if lines == b"\r\n" {
                return Err(MultipartError::Malformed("a part has no head"));
            }
        }
        let text = String::from_utf8(lines)
            .map_err(|_| MultipartError::Malformed("the head of a part is not UTF-8"))?;
        parse_head(&text)
    }

    fn take(&mut self, count: usize) -> Result<Vec<u8>, MultipartError> {
        while self.buffer.len().saturating_sub(self.start) < count {
            self.fill()?;
        }
        let taken = self.buffer.get(self.start..self.start + count).unwrap_or(&[]).to_vec();
        self.start += count;
        Ok(taken)
    }

    fn fill(&mut self) -> Result<(), MultipartError> {
        self.buffer.drain(..self.start.min(self.buffer.len()));
        self.start = 0;
        let held = self.buffer.len();
        self.buffer.resize(held + STREAM_CHUNK_BYTES, 0);
        let room = self.buffer.get_mut(held..).unwrap_or(&mut []);
        let read = loop {
            match self.source.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let count = *read.as_ref().unwrap_or(&0);
        self.buffer.truncate(held + count);
        match read {
            Ok(0) => Err(MultipartError::Malformed("the body ends early")),
            Ok(_) => Ok(()),
            Err(error) => Err(MultipartError::Source(error)),
        }
    }
}

/// The boundary of a `multipart/form-data` content type.
#[must_use]
pub fn boundary(content_type: &str) -> Option<&str> {
    let (essence, parameters) = content_type.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let value = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim())
    })?;
    let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&b);
    ((1..=70).contains(&value.len()) && value.bytes().all(plain)).then_some(value)
}

/// How many bytes surely belong to the part, and whether a whole delimiter follows them.
fn before_delimiter(data: &[u8], delimiter: &[u8]) -> (usize, bool) {
    let mut from = 0;
    while let Some(rest) = data.get(from..) {
        let Some(position) = rest.iter().position(|byte| *byte == b'\r') else { break };
        let candidate = rest.get(position..).unwrap_or(&[]);
        if candidate.starts_with(delimiter) {
            return (from + position, true);
        }
        if delimiter.starts_with(candidate) {
            return (from + position, false);
        }
        from += position + 1;
    }
    (data.len(), false)
}

fn parse_head(text: &str) -> Result<PartHead, MultipartError> {
    let (mut name, mut media_type) = (None, None);
    for line in text.split("\r\n").filter(|line| !line.is_empty()) {
        let (field, value) = line
            .split_once(':')
            .ok_or(MultipartError::Malformed("a line in the head of a part has no colon"))?;
        let value = value.trim();
        let twice = match field.to_ascii_lowercase().as_str() {
            "content-disposition" => name.replace(disposition_name(value)?).is_some(),
            "content-type" => media_type.replace(essence(value)).is_some(),
            "content-transfer-encoding" if !value.eq_ignore_ascii_case("binary") => {
                return Err(MultipartError::Malformed("parts are sent in binary"));
            }
            _ => false,
        };
        if twice {
            return Err(MultipartError::Malformed("a part's head repeats a field"));
        }
    }
    let name = name.ok_or(MultipartError::Malformed("a part has no content-disposition"))?;
    Ok(PartHead { name, media_type })
}

fn essence(value: &str) -> String {
    value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

// form-data; name="…"[; filename="…"]: quoted strings may hold semicolons and escaped quotes.
fn disposition_name(value: &str) -> Result<String, MultipartError> {
    const FAULT: MultipartError = MultipartError::Malformed("the content-disposition is malformed");
    let mut rest = value.strip_prefix("form-data").ok_or(FAULT)?.trim_start();
    let mut name = None;
    while !rest.is_empty() {
        rest = rest.strip_prefix(';').ok_or(FAULT)?.trim_start();
        let (key, after) = rest.split_once('=').ok_or(FAULT)?;
        let (text, after) = value_of(after).ok_or(FAULT)?;
        if key.eq_ignore_ascii_case("name") && name.replace(text).is_some() {
            return Err(FAULT);
        }
        rest = after.trim_start();
    }
    name.filter(|name| !name.is_empty()).ok_or(FAULT)
}

fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return Some((text.get(..end)?.trim().to_owned(), text.get(end..)?));
    };
    let mut out = String::new();
    let mut escaped = false;
    for (position, character) in quoted.char_indices() {
        match character {
            '"' if !escaped => return Some((out, quoted.get(position + 1..)?)),
            '\\' if !escaped => escaped = true,
            other => {
                escaped = false;
                out.push(other);
            }
        }
    }
    None
}
