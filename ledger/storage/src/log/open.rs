//! Opening the log: every frame is checked, and the end is judged.
//!
//! # Torn or damaged?
//!
//! A block is appended with one write and one sync, so a crash can spoil only the last frame, and
//! only before it was acknowledged. At the end of the log the bytes alone cannot tell such a torn
//! write from later damage. The consensus log can: its floor is the last block known durable.
//! * A bad frame at or below the floor, in a sealed segment, or with anything behind it is damage.
//! * A log that ends before the floor was cut: damage.
//! * The floor is durable before the votes of the next height leave the node, so a log can be one
//!   block beyond it, never two: else the consensus log is missing or an old copy.
//! * A bad last frame one above the floor is cut off. Its height is still in the consensus log, body
//!   included, so that the same block is decided and written again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Truncated;
use super::segment::{Window, segment_first, segment_name, segment_path};
use super::shared::Extent;
use crate::error::StorageError;
use crate::files::{File, Files};
use crate::frame::{
    Check, FrameError, HEADER_BYTES, Header, Known, MAGIC_BYTE, check, decode_frame,
};
use crate::limits::OPEN_CHECK_BYTES_MAX;

#[derive(Debug)]
pub(super) struct Opened {
    pub(super) firsts: Vec<u64>,
    pub(super) extent: Extent,
    pub(super) tail: Arc<dyn File>,
    pub(super) known: Known,
    pub(super) truncated: Option<Truncated>,
    pub(super) damage: Option<Truncated>,
}

/// Opens what is intact from the front; sets aside the rest.
pub(super) fn salvage(files: &Arc<dyn Files>, dir: &Path) -> Result<Opened, StorageError> {
    files.create_dir_all(dir).map_err(StorageError::io(dir, "create"))?;
    let names = files.list(dir).map_err(StorageError::io(dir, "list"))?;
    let firsts: Vec<u64> = names.iter().filter_map(|n| segment_first(n)).collect();
    let mut kept = Vec::new();
    let mut next = 0;
    let mut damage = None;
    let mut last: Option<(Segment, Known)> = None;
    for first in firsts {
        let path = segment_path(dir, first);
        if damage.is_some() || first != next {
            set_aside(files, &path, 0)?;
            damage.get_or_insert(Truncated { file: path, offset: 0, bytes: 0 });
            continue;
        }
        let mut known = Known::new();
        let mut segment = Segment::open(files, dir, first)?;
        let intact = segment.check_frames(None, &mut known)?.is_ok();
        if !intact {
            let bytes = segment.window.size_bytes().saturating_sub(segment.offset);
            set_aside(files, &path, segment.offset)?;
            damage = Some(Truncated { file: path, offset: segment.offset, bytes });
            if segment.offset == 0 {
                // Nothing of it is left; the log ends with the segment before.
                continue;
            }
        }
        next = segment.next;
        kept.push(first);
        last = Some((segment, known));
    }
    files.sync_dir(dir).map_err(StorageError::io(dir, "sync"))?;
    let Some((segment, known)) = last else {
        return open(files, dir, None).map(|opened| Opened { damage, ..opened });
    };
    let first = kept.last().copied().unwrap_or(0);
    let extent = Extent { segment: first, end: segment.offset, next: segment.next };
    Ok(Opened { firsts: kept, extent, tail: segment.file, known, truncated: None, damage })
}

/// Copies a segment under another name, then cuts it at `keep_bytes`, or removes it at 0.
fn set_aside(files: &Arc<dyn Files>, path: &Path, keep_bytes: u64) -> Result<(), StorageError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".damaged");
    let aside = PathBuf::from(name);
    if keep_bytes == 0 {
        return files.rename(path, &aside).map_err(StorageError::io(path, "rename"));
    }
    let file = files.open(path, false).map_err(StorageError::io(path, "open"))?;
    let copy = files.open(&aside, true).map_err(StorageError::write(&aside))?;
    copy.truncate(0).map_err(StorageError::io(&aside, "truncate"))?;
    let size = file.size_bytes().map_err(StorageError::io(path, "read"))?;
    let mut buffer = vec![0; COPY_BYTES];
    let mut offset = 0;
    while offset < size {
        let read = file.read_at(offset, &mut buffer).map_err(StorageError::io(path, "read"))?;
        if read == 0 {
            break;
        }
        let bytes = buffer.get(..read).unwrap_or_default();
        copy.write_at(offset, bytes).map_err(StorageError::write(&aside))?;
        offset = offset.saturating_add(read as u64);
    }
    copy.sync_data().map_err(StorageError::io(&aside, "sync"))?;
    file.truncate(keep_bytes).map_err(StorageError::io(path, "truncate"))?;
    file.sync_data().map_err(StorageError::io(path, "sync"))
}

const COPY_BYTES: usize = 1 << 20;

pub(super) fn open(
    files: &Arc<dyn Files>,
    dir: &Path,
    floor: Option<u64>,
) -> Result<Opened, StorageError> {
    files.create_dir_all(dir).map_err(StorageError::io(dir, "create"))?;
    let names = files.list(dir).map_err(StorageError::io(dir, "list"))?;
    let mut firsts: Vec<u64> = names.iter().filter_map(|n| segment_first(n)).collect();
    if firsts.is_empty() {
        if let Some(floor) = floor {
            let reason = format!("there are no blocks, but block {floor} was durable");
            return Err(StorageError::corrupt(&segment_path(dir, 0), 0, reason));
        }
        firsts.push(0);
        let path = segment_path(dir, 0);
        files.open(&path, true).map_err(StorageError::io(&path, "create"))?;
        files.sync_dir(dir).map_err(StorageError::io(dir, "sync"))?;
        if let Some(parent) = dir.parent().filter(|p| !p.as_os_str().is_empty()) {
            files.sync_dir(parent).map_err(StorageError::io(parent, "sync"))?;
        }
    }
    let opened = check_all(files, dir, &firsts, floor)?;
    let height = opened.extent.height();
    let path = segment_path(dir, opened.extent.segment);
    match (height, floor) {
        (None, Some(floor)) => {
            let reason = format!("there are no blocks, but block {floor} was durable");
            Err(StorageError::corrupt(&path, 0, reason))
        }
        (Some(height), Some(floor)) if height < floor => {
            let reason = format!("the log ends with block {height}, but block {floor} was durable");
            Err(StorageError::corrupt(&path, opened.extent.end, reason))
        }
        // Block 0 is the configuration: block 1 is the first that leaves a floor behind.
        (Some(height), floor) if height > floor.map_or(1, |floor| floor.saturating_add(1)) => {
            Err(StorageError::FloorMissing { height, floor })
        }
        _ => Ok(opened),
    }
}

fn check_all(
    files: &Arc<dyn Files>,
    dir: &Path,
    firsts: &[u64],
    floor: Option<u64>,
) -> Result<Opened, StorageError> {
    let mut next = 0;
    let mut sealed_bytes = 0_u64;
    for (first, following) in firsts.iter().zip(firsts.iter().skip(1)) {
        expect_segment(dir, *first, next)?;
        let mut segment = Segment::open(files, dir, *first)?;
        sealed_bytes = sealed_bytes.saturating_add(segment.window.size_bytes());
        if sealed_bytes <= OPEN_CHECK_BYTES_MAX {
            segment.check_frames(floor, &mut Known::new())?.map_err(|bad| segment.damage(&bad))?;
            next = segment.next;
        } else {
            // Left to the scrubber, and to the digest that every read checks.
            next = *following;
        }
    }
    let last = firsts.last().copied().unwrap_or(0);
    expect_segment(dir, last, next)?;
    let mut known = Known::new();
    let mut segment = Segment::open(files, dir, last)?;
    let mut truncated = None;
    if let Err(bad) = segment.check_frames(floor, &mut known)? {
        truncated = Some(segment.cut(&bad, floor)?);
    }
    // Up to the floor every block was synced before the floor was.
    if segment.next.checked_sub(1) > floor {
        segment.settle()?;
    }
    let extent = Extent { segment: last, end: segment.offset, next: segment.next };
    let damage = None;
    Ok(Opened { firsts: firsts.to_vec(), extent, tail: segment.file, known, truncated, damage })
}

pub(super) fn expect_segment(dir: &Path, first: u64, next: u64) -> Result<(), StorageError> {
    if first == next {
        return Ok(());
    }
    // Either the segment that should begin with `next` is gone, or this one is too much.
    let missing = next.min(first);
    let reason = format!("expected the segment of block {next}, found {}", segment_name(first));
    Err(StorageError::corrupt(&segment_path(dir, missing), 0, reason))
}

/// The first frame of a segment that is not intact.
#[derive(Debug)]
pub(super) enum Bad {
    /// The header is intact and says how far the frame goes.
    Frame { error: FrameError, frame_bytes: u64 },
    /// The header is not intact.
    Header { error: FrameError },
    /// The header is intact, but of another block.
    Number { found: u64 },
}

/// A segment on the way through its frames.
#[derive(Debug)]
pub(super) struct Segment {
    file: Arc<dyn File>,
    pub(super) path: PathBuf,
    pub(super) window: Window,
    /// End of the frames found intact, and the block expected there.
    pub(super) offset: u64,
    pub(super) next: u64,
    /// Where the last of them begins.
    last: u64,
}

impl Segment {
    pub(super) fn open(
        files: &Arc<dyn Files>,
        dir: &Path,
        first: u64,
    ) -> Result<Self, StorageError> {
        let path = segment_path(dir, first);
        let file = files.open(&path, false).map_err(StorageError::io(&path, "open"))?;
        let size = file.size_bytes().map_err(StorageError::io(&path, "read"))?;
        let window = Window::new(Arc::clone(&file), path.clone(), size);
        Ok(Self { file, path, window, offset: 0, next: first, last: 0 })
    }

    /// Goes through the frames up to the end or the first bad one. Frames above the floor get their
    /// digest checked, too: their checksum alone might fit by chance.
    pub(super) fn check_frames(
        &mut self,
        floor: Option<u64>,
        known: &mut Known,
    ) -> Result<Result<(), Bad>, StorageError> {
        while self.offset < self.window.size_bytes() {
            let digest = floor.is_none_or(|floor| self.next >= floor);
            let how = if digest { Check::Digest } else { Check::Checksum };
            let header = match Header::decode(self.window.bytes(self.offset, HEADER_BYTES)?) {
                Ok(header) if header.number == self.next => header,
                Ok(header) => return Ok(Err(Bad::Number { found: header.number })),
                Err(error) => return Ok(Err(Bad::Header { error })),
            };
            let frame_bytes = header.frame_bytes();
            let frame = self.window.bytes(self.offset, frame_bytes)?;
            if let Err(error) = check(frame, how) {
                return Ok(Err(Bad::Frame { error, frame_bytes: frame_bytes as u64 }));
            }
            if header.defines() {
                let frame = match decode_frame(frame) {
                    Ok(frame) => frame,
                    Err(error) => {
                        return Ok(Err(Bad::Frame { error, frame_bytes: frame_bytes as u64 }));
                    }
                };
                let at = u32::try_from(self.offset).unwrap_or(u32::MAX);
                for (index, identity) in (0_u16..).zip(frame.body.definitions.iter()) {
                    known.insert(identity.clone(), (at, index));
                }
            }
            self.last = self.offset;
            self.offset += frame_bytes as u64;
            self.next += 1;
        }
        Ok(Ok(()))
    }

    /// Makes sure of the last frame: after the death of the process alone it may never have reached
    /// the disk, and after a failed sync the system may not even try again.
    fn settle(&mut self) -> Result<(), StorageError> {
        let length = usize::try_from(self.offset - self.last).unwrap_or(usize::MAX);
        let frame = self.window.bytes(self.last, length)?.to_vec();
        self.file.write_at(self.last, &frame).map_err(StorageError::write(&self.path))?;
        self.file.sync_data().map_err(StorageError::io(&self.path, "sync"))
    }

    /// Cuts a torn write off the last segment, or refuses when it is not one.
    fn cut(&mut self, bad: &Bad, floor: Option<u64>) -> Result<Truncated, StorageError> {
        let above_floor = match floor {
            Some(floor) => self.next == floor.saturating_add(1),
            None => self.next <= 1,
        };
        if !above_floor || self.something_follows(bad)? {
            return Err(self.damage(bad));
        }
        let bytes = self.window.size_bytes() - self.offset;
        self.file.truncate(self.offset).map_err(StorageError::io(&self.path, "truncate"))?;
        self.file.sync_data().map_err(StorageError::io(&self.path, "sync"))?;
        Ok(Truncated { file: self.path.clone(), offset: self.offset, bytes })
    }

    /// Whether anything behind the bad frame shows that it was not the last write.
    pub(super) fn something_follows(&mut self, bad: &Bad) -> Result<bool, StorageError> {
        match bad {
            Bad::Frame { frame_bytes, .. } => {
                Ok(self.window.size_bytes() > self.offset + frame_bytes)
            }
            Bad::Header { .. } => self.intact_frame_follows(),
            // An intact header of another block was never written here.
            Bad::Number { .. } => Ok(true),
        }
    }

    /// Looks for an intact frame of this or a later block behind a header that is not intact.
    fn intact_frame_follows(&mut self) -> Result<bool, StorageError> {
        let size = self.window.size_bytes();
        // Bounds the work if someone filled a block with things that look like frames.
        let mut budget = size.saturating_mul(4);
        let mut offset = self.offset + 1;
        while offset < size {
            let bytes = self.window.bytes(offset, 1 << 16)?;
            let Some(found) = bytes.iter().position(|b| *b == MAGIC_BYTE) else {
                offset += (bytes.len() as u64).max(1);
                continue;
            };
            offset += found as u64;
            let header = Header::decode(self.window.bytes(offset, HEADER_BYTES)?);
            if let Ok(header) = header
                && header.number >= self.next
            {
                let Some(rest) = budget.checked_sub(header.frame_bytes() as u64) else {
                    return Ok(true);
                };
                budget = rest;
                let frame = self.window.bytes(offset, header.frame_bytes())?;
                if check(frame, Check::Checksum).is_ok() {
                    return Ok(true);
                }
            }
            offset += 1;
        }
        Ok(false)
    }

    pub(super) fn damage(&self, bad: &Bad) -> StorageError {
        let reason = match bad {
            Bad::Frame { error, .. } | Bad::Header { error } => {
                format!("block {}: {error}", self.next)
            }
            Bad::Number { found } => format!("expected block {}, found {found}", self.next),
        };
        StorageError::corrupt(&self.path, self.offset, reason)
    }
}
