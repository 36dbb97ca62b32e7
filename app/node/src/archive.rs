//! A channel of a data directory as a file, checked where it lies, written out or taken in; with the contracts that this
//! program runs.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use changbai_channel::OpenError;
use changbai_channel::archive::{self, Import, LogCheck};
pub use changbai_channel::archive::{
    ArchiveError, Exported, ImportMode, Imported, LogReport, Scratch,
};
pub use changbai_storage::Progress;
use changbai_storage::StdFiles;

use crate::channels::contracts;
use crate::config::Config;
use crate::directory::Directory;
use crate::error::StartError;
use crate::genesis;

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data directory, or what it holds.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The export, or the place it shall be taken in at.
    #[error(transparent)]
    Archive(ArchiveError),
}

impl From<ArchiveError> for Error {
    /// Damage to the ledger is said as it is at a start.
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Storage(error) => Self::Start(OpenError::Storage(error).into()),
            other => Self::Archive(other),
        }
    }
}

/// Checks a channel's block log front to back; changes nothing, also beside a node that is running.
///
/// # Errors
/// [`Error`], with file and offset of the first damage.
pub fn verify_log(
    config: Config,
    channel: Option<&str>,
    deep: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<LogReport, Error> {
    let Place { directory, channel, genesis } = Place::find(config, channel)?;
    let check = LogCheck {
        dir: &directory.channel(&channel),
        genesis: Some(genesis),
        contracts: &contracts()?,
        deep: deep.then_some(Scratch::Memory),
    };
    Ok(archive::verify_log(&check, progress)?)
}

/// Writes blocks `first` to `last` (to the end, without one) of a channel to `out`, `docs/export-format.md`; changes
/// nothing, also beside a node that is running.
///
/// # Errors
/// [`Error`]; what was written by then is of no use.
pub fn export(
    config: Config,
    channel: Option<&str>,
    (first, last): (u64, Option<u64>),
    out: &mut dyn Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<Exported, Error> {
    let Place { directory, channel, .. } = Place::find(config, channel)?;
    Ok(archive::export(&directory.channel(&channel), first, last, out, progress)?)
}

/// Takes an export of a whole channel in, for a node that has joined the channel, is down, and holds no block of it.
///
/// # Errors
/// [`Error`]; the channel is as it was then.
pub fn import(
    config: Config,
    channel: Option<&str>,
    input: &mut (dyn Read + Send),
    mode: ImportMode,
    progress: &mut dyn FnMut(Progress),
) -> Result<Imported, Error> {
    let Place { directory, channel, genesis } = Place::find(config, channel)?;
    let (directory, _lock) = Directory::take(&directory.root)?;
    let options = Import {
        files: Arc::new(StdFiles),
        dir: &directory.channel(&channel),
        genesis,
        contracts: &contracts()?,
        mode,
    };
    Ok(archive::import(input, &options, progress)?)
}

/// A channel that a data directory holds.
struct Place {
    directory: Directory,
    channel: String,
    /// Hash of the genesis header.
    genesis: smkit::Sm3Digest,
}

impl Place {
    /// The channel named, or the one that evidence is recorded on.
    fn find(config: Config, channel: Option<&str>) -> Result<Self, StartError> {
        let config = config.load().map_err(StartError::from)?;
        let channel = channel.unwrap_or(&config.settings.node.channel).to_owned();
        let directory = Directory { root: config.dir };
        let dir = directory.channels();
        let kept = genesis::kept(Path::new(&directory.root))?;
        let found = kept.into_iter().find(|(_, genesis)| genesis.config.channel_id == channel);
        let Some((_, found)) = found else { return Err(StartError::NoChannel { channel, dir }) };
        Ok(Self { directory, channel, genesis: found.block.header.hash() })
    }
}
