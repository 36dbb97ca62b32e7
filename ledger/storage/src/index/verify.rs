//! Checks the index's files before the engine reads them.
//!
//! The engine's `current` file names the version in force and the XXH3-128 of its `v<id>` file,
//! which lists every table with the XXH3-128 of the whole table file. The engine itself checks
//! neither at start (lsm-tree 3.1.10), and a flipped bit in a version file could drop a table
//! silently: so both are checked here, from the root down.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

use crate::error::StorageError;
use crate::limits::INDEX_CHECK_BYTES_MAX;

const CURRENT: &str = "current";
const TABLES: &str = "tables";
const CURRENT_BYTES: usize = 8 + 16 + 1;
/// A version file is a few kilobytes; more than this is damage.
const VERSION_BYTES_MAX: u64 = 64 << 20;
const LEVELS_MAX: u8 = 16;
const READ_BYTES: usize = 256 << 10;

/// What [`verify`] found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// No index yet.
    Absent,
    /// Every file is as the engine wrote it.
    Intact,
    /// Something is not.
    Damaged(String),
}

#[derive(Debug)]
struct Table {
    id: u64,
    checksum: u128,
}

pub(super) fn verify(dir: &Path) -> Result<Finding, StorageError> {
    let current = match fs::read(dir.join(CURRENT)) {
        Ok(current) => current,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let leftovers = fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
            return Ok(if leftovers {
                Finding::Damaged(format!("{CURRENT} is missing"))
            } else {
                Finding::Absent
            });
        }
        Err(e) => return Err(StorageError::io(&dir.join(CURRENT), "read")(e)),
    };
    Ok(check_version(dir, &current).map_or_else(Finding::Damaged, |()| Finding::Intact))
}

fn check_version(dir: &Path, current: &[u8]) -> Result<(), String> {
    let fields: &[u8; CURRENT_BYTES] =
        current.try_into().map_err(|_| format!("{CURRENT} has {} bytes", current.len()))?;
    let parse = || {
        let (id, rest) = fields.split_first_chunk::<8>()?;
        let (checksum, kind) = rest.split_first_chunk::<16>()?;
        (kind == [0]).then_some((u64::from_le_bytes(*id), u128::from_le_bytes(*checksum)))
    };
    let (id, checksum) = parse().ok_or_else(|| format!("{CURRENT} has the wrong form"))?;
    let name = format!("v{id}");
    let version = read_bounded(&dir.join(&name)).map_err(|e| format!("{name}: {e}"))?;
    if xxh3_128(&version) != checksum {
        return Err(format!("{name} does not have the checksum that {CURRENT} states"));
    }
    let tables = tables(&version).map_err(|e| format!("{name}: {e}"))?;
    check_tables(&dir.join(TABLES), &tables)
}

/// The tables a version consists of. Its bytes are known to be what the engine wrote.
fn tables(version: &[u8]) -> Result<Vec<Table>, String> {
    let mut archive = io::Cursor::new(version);
    let reader = sfa::Reader::from_reader(&mut archive).map_err(|e| e.to_string())?;
    let section = reader.toc().section(b"tables").ok_or("no list of tables")?;
    let bounds = usize::try_from(section.pos())
        .ok()
        .zip(usize::try_from(section.pos().saturating_add(section.len())).ok());
    let mut list = bounds.and_then(|(from, to)| version.get(from..to)).ok_or("a wrong length")?;
    let mut parse = || -> Option<Vec<Table>> {
        let mut tables = Vec::new();
        let levels = take::<1>(&mut list).map(u8::from_le_bytes).filter(|n| *n <= LEVELS_MAX)?;
        for _ in 0..levels {
            for _ in 0..take::<1>(&mut list).map(u8::from_le_bytes)? {
                for _ in 0..take::<4>(&mut list).map(u32::from_le_bytes)? {
                    let id = take::<8>(&mut list).map(u64::from_le_bytes)?;
                    let kind = take::<1>(&mut list).map(u8::from_le_bytes)?;
                    let checksum = take::<16>(&mut list).map(u128::from_le_bytes)?;
                    let _global_seqno = take::<8>(&mut list)?;
                    tables.push((kind == 0).then_some(Table { id, checksum })?);
                }
            }
        }
        list.is_empty().then_some(tables)
    };
    parse().ok_or_else(|| "the list of tables has the wrong form".to_owned())
}

fn check_tables(dir: &Path, tables: &[Table]) -> Result<(), String> {
    let mut left = INDEX_CHECK_BYTES_MAX;
    let mut buffer = vec![0; READ_BYTES];
    for table in tables {
        let name = format!("{TABLES}/{}", table.id);
        let path = dir.join(table.id.to_string());
        let mut file = fs::File::open(&path).map_err(|e| format!("{name}: {e}"))?;
        let size = file.metadata().map_err(|e| format!("{name}: {e}"))?.len();
        // Beyond the bound the engine's checksums of single blocks have to do.
        let Some(rest) = left.checked_sub(size) else { continue };
        left = rest;
        let mut hasher = Xxh3Default::new();
        loop {
            let n = file.read(&mut buffer).map_err(|e| format!("{name}: {e}"))?;
            if n == 0 {
                break;
            }
            hasher.update(buffer.get(..n).unwrap_or_default());
        }
        if hasher.digest128() != table.checksum {
            return Err(format!("{name} does not have its checksum"));
        }
    }
    Ok(())
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(VERSION_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn take<const N: usize>(list: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = list.split_first_chunk::<N>()?;
    *list = rest;
    Some(*head)
}
