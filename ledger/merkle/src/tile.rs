//! Tiles (C2SP tlog-tiles): a log as immutable files that any file server can serve.
//!
//! `tile/<L>/<N>[.p/<W>]` holds the hashes of the nodes of level 8·L from 256·N on; `tile/entries/<N>[.p/<W>]` the
//! entries. A whole tile is 256 wide; `.p/<W>` is the left part of one that is not complete yet. N is written in groups
//! of three digits, all but the last after an `x`: 1234067 is `x001/x234/067`.

use std::fmt;

use smkit::Sm3Digest;

use crate::text::{TextError, decimal};
use crate::{NodeId, NodeSource, ProveError};

/// Hashes, or entries, of a whole tile.
pub const TILE_WIDTH: u16 = 256;
/// Levels of tiles: eight of the tree each.
const LEVELS: u8 = 8;
const PATH_BYTES_MAX: usize = 64;

/// Which tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tile {
    /// What is in it.
    pub content: TileContent,
    /// Its place on its level, from 0.
    pub index: u64,
    /// Hashes or entries in it, 1 to [`TILE_WIDTH`].
    pub width: u16,
}

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TileContent {
    /// Hashes of nodes; the tile's level, 0 to 7.
    Hashes(u8),
    /// The entries themselves.
    Entries,
}

impl Tile {
    /// Reads a path such as `tile/0/x001/234` or `tile/entries/000.p/12`.
    ///
    /// # Errors
    /// [`TextError`]: anything but the one form of a path.
    pub fn from_path(path: &str) -> Result<Self, TextError> {
        let wrong = |expected| TextError::Line { line: 1, expected };
        if path.len() > PATH_BYTES_MAX {
            return Err(TextError::TooLong { max: PATH_BYTES_MAX });
        }
        let (level, rest) = path
            .strip_prefix("tile/")
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(|| wrong("tile/<level>/<number>"))?;
        let content = match level {
            "entries" => TileContent::Entries,
            level => decimal(level)
                .and_then(|level| u8::try_from(level).ok())
                .filter(|level| *level < LEVELS)
                .map(TileContent::Hashes)
                .ok_or_else(|| wrong("a level from 0 to 7, or entries"))?,
        };
        let (number, width) = match rest.split_once(".p/") {
            None => (rest, TILE_WIDTH),
            Some((number, width)) => {
                let width = decimal(width).and_then(|width| u16::try_from(width).ok());
                let width = width.filter(|width| (1..TILE_WIDTH).contains(width));
                (number, width.ok_or_else(|| wrong("a width from 1 to 255"))?)
            }
        };
        let index = number_of(number).ok_or_else(|| wrong("groups of three digits"))?;
        let tile = Self { content, index, width };
        // One path for each tile: no needless group, nothing beyond a tree of 2^64 leaves.
        let whole = tile.to_string() == path && tile.first_and_end().is_some();
        whole.then_some(tile).ok_or_else(|| wrong("the shortest form of a number"))
    }

    /// Number of leaves that a tree must have for this tile to be in it; `None` beyond 2^64 − 1.
    #[must_use]
    pub fn size_needed(&self) -> Option<u64> {
        let (_, end) = self.first_and_end()?;
        end.checked_mul(1u64.checked_shl(u32::from(self.level()))?)
    }

    /// The hashes of this tile, one after the other; of an entry tile those of its leaves.
    ///
    /// # Errors
    /// [`ProveError`] if a node is missing or cannot be read.
    pub fn hashes<S: NodeSource>(
        &self,
        source: &S,
    ) -> Result<Vec<Sm3Digest>, ProveError<S::Error>> {
        let (first, end) = self.first_and_end().unwrap_or_default();
        let read = |index| {
            let id = NodeId { level: self.level(), index };
            source.node(id).map_err(ProveError::Source)?.ok_or(ProveError::Missing(id))
        };
        (first..end).map(read).collect()
    }

    /// The first node of the tile on its level of the tree and the one after its last.
    #[must_use]
    pub fn first_and_end(&self) -> Option<(u64, u64)> {
        let first = self.index.checked_mul(u64::from(TILE_WIDTH))?;
        let end = first.checked_add(u64::from(self.width))?;
        // On level 8·L there are fewer than 2^(64 − 8·L) nodes.
        let most = u64::MAX.checked_shr(u32::from(self.level()))?;
        (end <= most).then_some((first, end))
    }

    const fn level(&self) -> u8 {
        match self.content {
            TileContent::Hashes(level) => level.saturating_mul(8),
            TileContent::Entries => 0,
        }
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            TileContent::Hashes(level) => write!(out, "tile/{level}/")?,
            TileContent::Entries => out.write_str("tile/entries/")?,
        }
        let digits = self.index.to_string();
        let groups = digits.len().div_ceil(3);
        let padded = format!("{digits:0>width$}", width = groups.saturating_mul(3));
        for (at, group) in padded.as_bytes().chunks(3).enumerate() {
            let last = at.saturating_add(1) == groups;
            let (before, after) = if last { ("", "") } else { ("x", "/") };
            write!(out, "{before}{}{after}", str::from_utf8(group).unwrap_or_default())?;
        }
        if self.width < TILE_WIDTH { write!(out, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// The entries of a tile as its file: each after its length, u16 big-endian. `None` if one is longer than that.
#[must_use]
pub fn write_entries<E: AsRef<[u8]>>(entries: &[E]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for entry in entries {
        out.extend(u16::try_from(entry.as_ref().len()).ok()?.to_be_bytes());
        out.extend(entry.as_ref());
    }
    Some(out)
}

/// Reads [`write_entries`] back: exactly `width` entries and nothing after them.
#[must_use]
pub fn read_entries(mut bytes: &[u8], width: u16) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    for _ in 0..width {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        entries.push(entry);
        bytes = rest;
    }
    bytes.is_empty().then_some(entries)
}

fn number_of(text: &str) -> Option<u64> {
    let mut number = 0u64;
    let mut groups = text.split('/').peekable();
    while let Some(group) = groups.next() {
        let digits = if groups.peek().is_some() { group.strip_prefix('x')? } else { group };
        let plain = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let value: u64 = digits.parse().ok().filter(|_| plain)?;
        number = number.checked_mul(1_000)?.checked_add(value)?;
    }
    Some(number)
}
