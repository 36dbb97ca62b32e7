//! Reading the log: what the writer and all readers share.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::position::Position;
use super::segment::{Window, segment_path};
use crate::error::StorageError;
use crate::files::{File, Files};
use crate::frame::{Check, Definitions, Frame, FrameError, decode_frame};
use crate::limits::{DEFINITION_CACHE_FRAMES_MAX, OPEN_SEGMENTS_MAX, PAYLOAD_BYTES_MAX};

/// How far a pass over the log has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Block just checked.
    pub number: u64,
    /// Last block when the pass began.
    pub height: u64,
}

/// What of the log is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// First block of the tail segment.
    pub(super) segment: u64,
    /// Length of the tail segment.
    pub(super) end: u64,
    /// Number of the next block.
    pub(super) next: u64,
}

impl Extent {
    pub(super) fn height(self) -> Option<u64> {
        self.next.checked_sub(1)
    }
}

#[derive(Debug)]
pub(super) struct Shared {
    files: Arc<dyn Files>,
    dir: PathBuf,
    state: Mutex<State>,
    /// Definitions by segment and frame offset.
    definitions: Mutex<HashMap<(u64, u32), Definitions>>,
}

#[derive(Debug)]
struct State {
    extent: Extent,
    /// First block and open handle, if any, of each segment.
    segments: BTreeMap<u64, Option<Arc<dyn File>>>,
}

impl Shared {
    pub(super) fn new(files: Arc<dyn Files>, dir: &Path, firsts: Vec<u64>, extent: Extent) -> Self {
        let segments = firsts.into_iter().map(|first| (first, None)).collect();
        Self {
            files,
            dir: dir.to_owned(),
            state: Mutex::new(State { extent, segments }),
            definitions: Mutex::default(),
        }
    }

    pub(super) fn files(&self) -> &Arc<dyn Files> {
        &self.files
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn path(&self, segment: u64) -> PathBuf {
        segment_path(&self.dir, segment)
    }

    pub(super) fn extent(&self) -> Extent {
        self.state().extent
    }

    pub(super) fn advance(&self, extent: Extent) {
        self.state().extent = extent;
    }

    pub(super) fn add_segment(&self, first: u64) {
        self.state().segments.insert(first, None);
    }

    pub(super) fn read(&self, position: Position) -> Result<Vec<u8>, StorageError> {
        let missing = || StorageError::NotFound { number: position.number };
        let extent = self.extent();
        if position.number >= extent.next || position.segment > position.number {
            return Err(missing());
        }
        let file = self.file(position.segment)?.ok_or_else(missing)?;
        let (offset, length) = (u64::from(position.offset), position.frame_bytes as usize);
        if length > PAYLOAD_BYTES_MAX + 1_024 {
            return Err(missing());
        }
        let mut bytes = vec![0; length];
        let path = self.path(position.segment);
        let read = file.read_at(offset, &mut bytes).map_err(StorageError::io(&path, "read"))?;
        bytes.truncate(read);
        self.whole(position, &bytes)
    }

    /// Decodes a frame and makes its block whole.
    pub(super) fn whole(&self, position: Position, bytes: &[u8]) -> Result<Vec<u8>, StorageError> {
        let path = self.path(position.segment);
        let offset = u64::from(position.offset);
        let wrong = |e: FrameError| {
            StorageError::corrupt(&path, offset, format!("block {}: {e}", position.number))
        };
        let frame = decode_frame(bytes).map_err(wrong)?;
        if frame.number != position.number || frame.frame_bytes != bytes.len() {
            let reason = format!("expected block {}, found {}", position.number, frame.number);
            return Err(StorageError::corrupt(&path, offset, reason));
        }
        self.keep(position.segment, position.offset, &frame);
        let mut failure = None;
        let block = frame.body.block(|at| {
            self.definitions(position, at).map_err(|e| {
                failure = Some(e);
                FrameError::Reference
            })
        });
        match (block, failure) {
            (Ok(block), _) => Ok(block),
            (Err(_), Some(failure)) => Err(failure),
            (Err(e), None) => Err(wrong(e)),
        }
    }

    /// Visits the frames from block `from` on, digests checked.
    pub(super) fn scan<E: From<StorageError>>(
        &self,
        from: u64,
        visit: &mut dyn FnMut(u64, Position, Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let extent = self.extent();
        let firsts: Vec<u64> = self.state().segments.keys().copied().collect();
        let begin = firsts.partition_point(|first| *first <= from).saturating_sub(1);
        for (at, first) in firsts.iter().copied().enumerate().skip(begin) {
            if first > extent.segment {
                break;
            }
            let path = self.path(first);
            let gone = || StorageError::corrupt(&path, 0, "the segment is missing");
            let file = self.file(first)?.ok_or_else(gone)?;
            let size = file.size_bytes().map_err(StorageError::io(&path, "read"))?;
            let last = first == extent.segment;
            let end = if last { extent.end } else { size };
            if size < end {
                let reason = format!("the segment is {} bytes short", end - size);
                return Err(StorageError::corrupt(&path, size, reason).into());
            }
            let mut window = Window::new(file, path.clone(), end);
            let (mut offset, mut number) = (0, first);
            while offset < end {
                let wrong = |e: &dyn std::fmt::Display| {
                    StorageError::corrupt(&path, offset, format!("block {number}: {e}"))
                };
                let how = if number < from { Check::Checksum } else { Check::Digest };
                let (header, frame) = window.frame(offset, how)?.map_err(|e| wrong(&e))?;
                if header.number != number {
                    return Err(wrong(&format!("found number {}", header.number)).into());
                }
                if number >= from {
                    let position = Position::new(first, offset, number, frame.len());
                    visit(number, position, frame.to_vec())?;
                }
                offset += header.frame_bytes() as u64;
                number += 1;
            }
            let next = firsts.get(at + 1).copied().filter(|_| !last);
            if number != next.unwrap_or(extent.next) {
                let reason = format!("the segment ends before block {number}");
                return Err(StorageError::corrupt(&path, offset, reason).into());
            }
        }
        Ok(())
    }

    /// Identities that the frame at `at` of the same segment defines.
    fn definitions(&self, user: Position, at: u32) -> Result<Definitions, StorageError> {
        let key = (user.segment, at);
        if let Some(known) = self.cache().get(&key) {
            return Ok(Arc::clone(known));
        }
        let path = self.path(user.segment);
        let wrong = |reason: String| StorageError::corrupt(&path, u64::from(at), reason);
        if at >= user.offset {
            return Err(user.corrupt(format!("block {}: forward reference", user.number)));
        }
        let file =
            self.file(user.segment)?.ok_or_else(|| wrong("the segment is missing".to_owned()))?;
        let mut window = Window::new(file, path.clone(), u64::from(user.offset));
        let frame = window.frame(u64::from(at), Check::Checksum)?;
        let frame = frame.and_then(|(_, bytes)| decode_frame(bytes));
        let frame = frame.map_err(|e| wrong(format!("frame with identities: {e}")))?;
        self.keep(user.segment, at, &frame);
        Ok(frame.body.definitions)
    }

    fn keep(&self, segment: u64, offset: u32, frame: &Frame) {
        if frame.body.definitions.is_empty() {
            return;
        }
        let mut cache = self.cache();
        if cache.len() >= DEFINITION_CACHE_FRAMES_MAX {
            cache.clear();
        }
        cache.insert((segment, offset), Arc::clone(&frame.body.definitions));
    }

    /// The handle of a segment, opened on first use; `None` when there is no such segment.
    fn file(&self, first: u64) -> Result<Option<Arc<dyn File>>, StorageError> {
        let mut state = self.state();
        match state.segments.get(&first) {
            None => return Ok(None),
            Some(Some(file)) => return Ok(Some(Arc::clone(file))),
            Some(None) => {}
        }
        let path = self.path(first);
        let file = self.files.open(&path, false).map_err(StorageError::io(&path, "open"))?;
        if state.segments.values().flatten().count() >= OPEN_SEGMENTS_MAX {
            state.segments.values_mut().for_each(|handle| *handle = None);
        }
        state.segments.insert(first, Some(Arc::clone(&file)));
        Ok(Some(file))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cache(&self) -> MutexGuard<'_, HashMap<(u64, u32), Definitions>> {
        self.definitions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
