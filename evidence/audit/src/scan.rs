//! Reading the file from its beginning: what a start needs to know of it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use changbai_core::process::Page;
use smkit::sm3::Sm3Digest;

use crate::error::OpenError;
use crate::frame::{AROUND_BYTES, AnchorFrame, Frame, HEAD_BYTES, PageFrame, Place, payload_bytes};
use crate::limits::FRAME_BYTES_MAX;

/// What is known of the file.
#[derive(Debug)]
pub(crate) struct Index {
    /// The last entry of each chain, by the first half of the record's digest.
    pub(crate) chains: HashMap<[u8; 16], (Place, u32)>,
    /// Certificates by their SM3, and where they stand.
    pub(crate) certificates: HashMap<Sm3Digest, Vec<u8>>,
    /// Anchors in order.
    pub(crate) anchors: Vec<AnchorPlace>,
    /// Number of the last page, 0 if there is none.
    pub(crate) pages: u64,
    /// Its hash.
    pub(crate) page_hash: Sm3Digest,
    /// Where the first page stands that no anchor covers.
    pub(crate) unanchored: u64,
    /// End of the last whole frame.
    pub(crate) end: u64,
    /// Entries in all pages.
    pub(crate) entries: u64,
}

/// Where an anchor stands, and the pages it covers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnchorPlace {
    pub(crate) batch: u64,
    pub(crate) first_page: u64,
    pub(crate) last_page: u64,
    pub(crate) offset: u64,
}

/// What a start found and repaired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Pages in the log.
    pub pages: u64,
    /// Entries in them.
    pub entries: u64,
    /// Bytes of a write that a crash had torn; nobody was told that they were durable.
    pub cut_bytes: u64,
}

/// Reads the whole file. Checks checksums, the numbers and links of pages, and that certificates precede their pages;
/// not what is in the entries: whoever reads a chain does that.
pub(crate) fn scan(path: &Path, file: &File, channel: &str) -> Result<Index, OpenError> {
    let length = file.metadata().map_err(OpenError::io(path))?.len();
    let mut index = Index::new();
    let mut reader = BufReader::with_capacity(FRAME_BYTES_MAX, file);
    let mut payload = Vec::new();
    while index.end < length {
        let offset = index.end;
        if !next(&mut reader, &mut payload).map_err(OpenError::io(path))? {
            return torn_or_damaged(path, file, index, length);
        }
        let damaged = |what| OpenError::damaged(path, offset, what);
        let frame = Frame::from_payload(&payload).ok_or_else(|| damaged("an unknown frame"))?;
        match frame {
            Frame::Head { channel: found } if offset == 0 => {
                if found != channel {
                    return Err(OpenError::OtherChannel { path: path.to_owned(), found });
                }
            }
            _ if offset == 0 => return Err(damaged("the file's head is missing")),
            Frame::Head { .. } => return Err(damaged("a second head")),
            Frame::Certificate(der) => {
                index.certificates.insert(smkit::sm3::sm3(&der), der);
            }
            Frame::Page(page) => index.add_page(channel, &page, offset).map_err(damaged)?,
            Frame::Anchor(anchor) => {
                let end = offset + payload.len() as u64 + AROUND_BYTES;
                index.add_anchor(&anchor, offset, end).map_err(damaged)?;
            }
        }
        index.end = offset + payload.len() as u64 + AROUND_BYTES;
        if index.unanchored == 0 {
            index.unanchored = index.end;
        }
    }
    Ok(index)
}

impl Index {
    fn new() -> Self {
        Self {
            chains: HashMap::new(),
            certificates: HashMap::new(),
            anchors: Vec::new(),
            pages: 0,
            page_hash: Sm3Digest::new([0; 32]),
            unanchored: 0,
            end: 0,
            entries: 0,
        }
    }

    pub(crate) fn add_page(
        &mut self,
        channel: &str,
        page: &PageFrame,
        offset: u64,
    ) -> Result<(), &'static str> {
        if page.number != self.pages.saturating_add(1) || page.previous != self.page_hash {
            return Err("the page does not follow the one before");
        }
        if !self.certificates.contains_key(&page.certificate_sm3) {
            return Err("the page's certificate is missing");
        }
        for (slot, (_, entry)) in (0_u32..).zip(&page.slots) {
            let key = entry.get(48..64).and_then(|key| key.try_into().ok());
            let sequence = entry.get(80..84).and_then(|bytes| bytes.try_into().ok());
            let (Some(key), Some(sequence)) = (key, sequence) else { return Err("a short entry") };
            let place = Place { offset, slot };
            self.chains.insert(key, (place, u32::from_be_bytes(sequence)));
        }
        self.pages = page.number;
        self.page_hash = hash(channel, page);
        self.entries = self.entries.saturating_add(page.slots.len() as u64);
        Ok(())
    }

    pub(crate) fn add_anchor(
        &mut self,
        anchor: &AnchorFrame,
        offset: u64,
        end: u64,
    ) -> Result<(), &'static str> {
        let (batch, page) = self.anchors.last().map_or((0, 0), |last| (last.batch, last.last_page));
        let follows = anchor.batch == batch.saturating_add(1)
            && anchor.first_page == page.saturating_add(1)
            && (anchor.first_page..=self.pages).contains(&anchor.last_page);
        if !follows {
            return Err("the anchor does not follow the one before");
        }
        self.anchors.push(AnchorPlace {
            batch: anchor.batch,
            first_page: anchor.first_page,
            last_page: anchor.last_page,
            offset,
        });
        // Pages written while the anchor was on its way stand before it; reading skips those that are covered.
        if anchor.last_page == self.pages {
            self.unanchored = end;
        }
        Ok(())
    }
}

/// The hash of a page as it stands in the file.
pub(crate) fn hash(channel: &str, page: &PageFrame) -> Sm3Digest {
    Page {
        channel,
        certificate_sm3: page.certificate_sm3,
        number: page.number,
        previous: page.previous,
        size: u32::try_from(page.slots.len()).unwrap_or(u32::MAX),
        root: page.root,
    }
    .hash()
}

/// The next frame's payload; `false` if there is no whole one.
fn next(reader: &mut impl Read, payload: &mut Vec<u8>) -> io::Result<bool> {
    let mut head = [0; HEAD_BYTES];
    let mut check = [0; 4];
    if !filled(reader, &mut head)? {
        return Ok(false);
    }
    let Some(length) = payload_bytes(head) else { return Ok(false) };
    payload.resize(length, 0);
    if !filled(reader, payload)? || !filled(reader, &mut check)? {
        return Ok(false);
    }
    Ok(crc32fast::hash(payload).to_be_bytes() == check)
}

fn filled(reader: &mut impl Read, into: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(into) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// A crash tears the last write only, and one write is one frame: what follows an unreadable place is looked through
/// for a whole frame. One that is there was acknowledged, so this is damage, and nothing is cut.
fn torn_or_damaged(
    path: &Path,
    file: &File,
    index: Index,
    length: u64,
) -> Result<Index, OpenError> {
    let damaged = || OpenError::damaged(path, index.end, "an unreadable frame");
    let left = usize::try_from(length - index.end).map_err(|_| damaged())?;
    if left > FRAME_BYTES_MAX + 12 {
        return Err(damaged());
    }
    let mut rest = vec![0; left];
    file.read_exact_at(&mut rest, index.end).map_err(OpenError::io(path))?;
    let whole = |from: usize| {
        let head = rest.get(from..)?.first_chunk::<HEAD_BYTES>()?;
        let length = payload_bytes(*head)?;
        let payload = rest.get(from + HEAD_BYTES..)?.get(..length)?;
        let check = rest.get(from + HEAD_BYTES + length..)?.first_chunk::<4>()?;
        (crc32fast::hash(payload).to_be_bytes() == *check).then_some(())
    };
    if (1..left).any(|from| whole(from).is_some()) {
        return Err(damaged());
    }
    Ok(index)
}
