//! Openings of commitments: one small envelope a record, bound to the record's digest.
//!
//! Plaintext: count u32, then for each opening: name length u32, name, value length u32, value,
//! salt 32.

use std::io::{Read as _, Write as _};

use changbai_core::{Opening, OpeningStore, OpeningStoreError, Record};
use smkit::{Sm3Digest, sm3};
use zeroize::Zeroizing;

use crate::custody::Custody;
use crate::envelope::{Kind, Sealer, Trailer};
use crate::error::CustodyError;
use crate::files;
use crate::limits::{CHUNK_BYTES, OPENINGS_BYTES_MAX, OPENINGS_MAX};
use crate::reader::OriginalReader;
use crate::store::local::LocalObject;

impl OpeningStore for Custody {
    fn put(&self, record: &Record, openings: &[Opening]) -> Result<(), OpeningStoreError> {
        self.put_openings(&record.digest(), openings).map_err(|error| of(&error))
    }

    fn openings(&self, record: &Record) -> Result<Option<Vec<Opening>>, OpeningStoreError> {
        self.read_openings(&record.digest()).map_err(|error| of(&error))
    }

    fn erase(&self, record: &Record) -> Result<(), OpeningStoreError> {
        self.erase_openings(&record.digest()).map_err(|error| of(&error))
    }
}

impl Custody {
    pub(crate) fn put_openings(
        &self,
        record: &Sm3Digest,
        openings: &[Opening],
    ) -> Result<(), CustodyError> {
        let mut plain = encode(openings).ok_or(CustodyError::Seal("too many openings"))?;
        let trailer = Trailer {
            size_bytes: plain.len() as u64,
            crc32: crc32fast::hash(&plain),
            sm3: sm3(&plain),
        };
        let (header, sealer) = Sealer::create(self.keys(), Kind::Openings, record.as_bytes())
            .map_err(CustodyError::Seal)?;
        sealer.seal_chunk(0, &mut plain).map_err(CustodyError::Seal)?;
        let trailer = sealer.seal_trailer(&trailer).map_err(CustodyError::Seal)?;
        let draft = self.incoming().join(self.keys().name());
        let mut file = files::create_new(&draft)?;
        let written = [header.as_slice(), &plain, &trailer]
            .iter()
            .try_for_each(|part| file.write_all(part))
            .map_err(CustodyError::io(&draft, "write"))
            .and_then(|()| files::publish(&file, &draft, &self.openings_file(record)));
        if written.is_err() {
            drop(std::fs::remove_file(&draft));
        }
        written
    }

    pub(crate) fn read_openings(
        &self,
        record: &Sm3Digest,
    ) -> Result<Option<Vec<Opening>>, CustodyError> {
        let path = self.openings_file(record);
        if !path.exists() {
            return Ok(None);
        }
        let object = LocalObject::open(&path).map_err(CustodyError::io(&path, "open"))?;
        let object = Box::new(object);
        let context = record.as_bytes();
        let mut reader =
            OriginalReader::open_1(&path, object, self.keys(), Kind::Openings, context)?;
        if reader.size_bytes() > OPENINGS_BYTES_MAX as u64 {
            return Err(CustodyError::damaged(&path, 0, "more openings than a record has"));
        }
        let mut plain = Zeroizing::new(Vec::with_capacity(OPENINGS_BYTES_MAX.min(CHUNK_BYTES)));
        reader.read_to_end(&mut plain).map_err(|error| inner(&path, error))?;
        decode(&plain)
            .map(Some)
            .ok_or_else(|| CustodyError::damaged(&path, 0, "the openings do not parse"))
    }

    pub(crate) fn erase_openings(&self, record: &Sm3Digest) -> Result<(), CustodyError> {
        let path = self.openings_file(record);
        match std::fs::remove_file(&path) {
            Ok(()) => path.parent().map_or(Ok(()), files::sync_dir),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(CustodyError::io(&path, "remove")(e)),
        }
    }
}

/// `None` beyond the bounds. The buffer has room for the tag: it is sealed in place.
fn encode(openings: &[Opening]) -> Option<Zeroizing<Vec<u8>>> {
    let count = u32::try_from(openings.len()).ok().filter(|n| *n <= OPENINGS_MAX)?;
    let bytes = |o: &Opening| o.name.len() + o.value.len() + 40;
    let total = openings.iter().map(bytes).sum::<usize>() + 4;
    if total > OPENINGS_BYTES_MAX {
        return None;
    }
    let mut out = Zeroizing::new(Vec::with_capacity(total + crate::envelope::TAG_BYTES));
    out.extend(count.to_be_bytes());
    for opening in openings {
        for text in [&opening.name, &opening.value] {
            out.extend(u32::try_from(text.len()).ok()?.to_be_bytes());
            out.extend(text.as_bytes());
        }
        out.extend(opening.salt);
    }
    Some(out)
}

fn decode(mut bytes: &[u8]) -> Option<Vec<Opening>> {
    let count = u32::from_be_bytes(*take::<4>(&mut bytes)?);
    if count > OPENINGS_MAX {
        return None;
    }
    let mut openings = Vec::new();
    for _ in 0..count {
        let name = text(&mut bytes)?;
        let value = text(&mut bytes)?;
        openings.push(Opening { name, value, salt: *take::<32>(&mut bytes)? });
    }
    bytes.is_empty().then_some(openings)
}

fn text(bytes: &mut &[u8]) -> Option<String> {
    let length = u32::from_be_bytes(*take::<4>(bytes)?) as usize;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    String::from_utf8(text.to_vec()).ok()
}

fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(head)
}

/// The store's own error out of the reader's.
fn inner(path: &std::path::Path, error: std::io::Error) -> CustodyError {
    match error.downcast::<CustodyError>() {
        Ok(error) => error,
        Err(source) => CustodyError::Io { file: path.to_owned(), operation: "read", source },
    }
}

fn of(error: &CustodyError) -> OpeningStoreError {
    let reason = error.to_string();
    match error {
        CustodyError::Damaged { .. } => OpeningStoreError::Damaged { reason },
        _ => OpeningStoreError::Io { reason },
    }
}
