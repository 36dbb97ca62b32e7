//! A `multipart/form-data` body (RFC 7578) described before it is read: the same description gives the same bytes
//! each time, so that it can be digested first and sent, again and again, afterwards.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use smkit::sm3::{Sm3, Sm3Digest};

use crate::{error::CliError, stream};

/// One part of the body.
#[derive(Debug)]
pub(crate) enum Part {
    /// A JSON document.
    Json { name: &'static str, bytes: Vec<u8> },
    /// A file. Its own name is not sent: file names may hold names of people.
    File { name: &'static str, path: PathBuf, media_type: &'static str },
}

/// The whole body, as pieces in order.
#[derive(Debug)]
pub(crate) struct Multipart {
    boundary: String,
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    Bytes(Vec<u8>),
    File { path: PathBuf, size_bytes: u64 },
}

impl Multipart {
    /// Describes a body of `parts` separated by `boundary`, which must be unguessable for their authors.
    pub(crate) fn new(boundary: &str, parts: Vec<Part>) -> Result<Self, CliError> {
        let mut pieces = Vec::new();
        let mut files = 0;
        for part in parts {
            let (head, piece) = match part {
                Part::Json { name, bytes } => (
                    head(boundary, &format!("name=\"{name}\""), "application/json"),
                    Piece::Bytes(bytes),
                ),
                Part::File { name, path, media_type } => {
                    files += 1;
                    let (_, size_bytes) = stream::open(&path)?;
                    let form = format!("name=\"{name}\"; filename=\"{files:02}\"");
                    (head(boundary, &form, media_type), Piece::File { path, size_bytes })
                }
            };
            pieces.extend([Piece::Bytes(head), piece, Piece::Bytes(b"\r\n".to_vec())]);
        }
        pieces.push(Piece::Bytes(format!("--{boundary}--\r\n").into_bytes()));
        Ok(Self { boundary: boundary.to_owned(), pieces })
    }

    /// The value of `Content-Type`.
    pub(crate) fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// Bytes of the whole body.
    pub(crate) fn len_bytes(&self) -> u64 {
        self.pieces.iter().map(Piece::len_bytes).fold(0, u64::saturating_add)
    }

    /// The files in order.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Bytes(_) => None,
            Piece::File { path, .. } => Some(path.as_path()),
        })
    }

    /// A reader over the body from its beginning. `on_file` hears the SM3 of each file as it was read.
    pub(crate) fn reader<'a>(&'a self, on_file: Box<dyn FnMut(Sm3Digest) + 'a>) -> Reader<'a> {
        Reader { pieces: self.pieces.iter(), current: Current::Between, on_file }
    }
}

impl Piece {
    fn len_bytes(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { size_bytes, .. } => *size_bytes,
        }
    }
}

fn head(boundary: &str, form: &str, media_type: &str) -> Vec<u8> {
    let disposition = format!("Content-Disposition: form-data; {form}");
    format!("--{boundary}\r\n{disposition}\r\nContent-Type: {media_type}\r\n\r\n").into_bytes()
}

/// The body as a stream; each file is opened when its turn comes.
pub(crate) struct Reader<'a> {
    pieces: std::slice::Iter<'a, Piece>,
    current: Current<'a>,
    on_file: Box<dyn FnMut(Sm3Digest) + 'a>,
}

enum Current<'a> {
    Between,
    Bytes(&'a [u8]),
    File { file: File, path: &'a Path, left_bytes: u64, digest: Sm3 },
}

impl Reader<'_> {
    /// Like [`Read::read`], with the file named in the error.
    pub(crate) fn read_named(&mut self, out: &mut [u8]) -> Result<usize, CliError> {
        loop {
            match &mut self.current {
                Current::Bytes([]) => self.current = Current::Between,
                Current::Bytes(bytes) => {
                    // Reading from a slice cannot fail.
                    return bytes.read(out).map_err(CliError::read("-"));
                }
                Current::File { left_bytes: 0, .. } => self.finish_file()?,
                Current::File { file, path, left_bytes, digest } => {
                    let wanted = usize::try_from(*left_bytes).unwrap_or(usize::MAX).min(out.len());
                    let room = out.get_mut(..wanted).unwrap_or_default();
                    let count = match file.read(room) {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                        other => other.map_err(CliError::read(*path))?,
                    };
                    if count == 0 && wanted > 0 {
                        return Err(CliError::FileChanged { path: path.to_path_buf() });
                    }
                    digest.update(room.get(..count).unwrap_or_default());
                    *left_bytes = left_bytes.saturating_sub(count as u64);
                    return Ok(count);
                }
                Current::Between => {
                    let Some(piece) = self.pieces.next() else { return Ok(0) };
                    self.current = match piece {
                        Piece::Bytes(bytes) => Current::Bytes(bytes),
                        Piece::File { path, size_bytes } => Current::File {
                            file: stream::open(path)?.0,
                            path,
                            left_bytes: *size_bytes,
                            digest: Sm3::new(),
                        },
                    };
                }
            }
        }
    }

    /// Checks that the file ends where it was said to end, and reports its digest.
    fn finish_file(&mut self) -> Result<(), CliError> {
        let current = std::mem::replace(&mut self.current, Current::Between);
        if let Current::File { mut file, path, digest, .. } = current {
            let mut one = [0; 1];
            if file.read(&mut one).map_err(CliError::read(path))? != 0 {
                return Err(CliError::FileChanged { path: path.to_path_buf() });
            }
            (self.on_file)(digest.finalize());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
