//! Block 0 of a channel, as agencies hand it to each other.

use std::path::{Path, PathBuf};

use changbai_channel::Block;
use changbai_msp::ChannelConfig;
use changbai_wire::time::{Clock as _, UnixMillis};

use crate::channels::keep_genesis;
use crate::clock::LocalClock;
use crate::config::Config;
use crate::directory::Directory;
use crate::error::StartError;
use crate::identity::{node_certificate, node_file};

/// A genesis block (创世区块) and the configuration that it puts in force.
#[derive(Debug, Clone)]
pub struct Genesis {
    pub(crate) block: Block,
    /// What the channel's members agree on.
    pub config: ChannelConfig,
}

impl Genesis {
    /// The genesis block of a new channel, as of now.
    ///
    /// # Errors
    /// What keeps the channel from working: a validator that its organisation does not vouch for.
    pub fn of(mut config: ChannelConfig) -> Result<Self, String> {
        let UnixMillis(now_ms) = LocalClock.now().at;
        let now_s = i64::try_from(now_ms / 1_000).unwrap_or(i64::MAX);
        config.verify_validators(now_s).map_err(|e| e.to_string())?;
        // A channel begins at change 0, whatever the file says of the one it was written from.
        config.sequence = 0;
        let block = Block::genesis(&config, config.to_genesis_envelope(), now_ms);
        Ok(Self { block, config })
    }

    /// Reads a genesis block. The bytes are compared as well: a changed byte that a lenient reader would skip is damage.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let block = Block::from_bytes(bytes)?;
        let [envelope] = block.envelopes.as_slice() else {
            return Err("a genesis block holds one envelope".to_owned());
        };
        let config = ChannelConfig::from_envelope(envelope).map_err(|e| e.to_string())?;
        let expected = Block::genesis(&config, envelope.clone(), block.header.time_ms);
        if expected.to_bytes() != bytes || !changbai_wire::is_channel_id(&config.channel_id) {
            return Err("the bytes are not what a genesis block encodes to".to_owned());
        }
        Ok(Self { block, config })
    }

    /// The block's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.block.to_bytes()
    }

    /// Hash of the block's header: tells this channel from every other one.
    #[must_use]
    pub fn hash(&self) -> String {
        self.block.header.hash().to_string()
    }
}

/// Joins a channel while the node is down: checks that the node belongs to it, and keeps the genesis block. The next
/// start opens the channel. Gives the channel's id.
///
/// # Errors
/// [`StartError`]: [`InUse`](StartError::InUse) while the node runs, [`Foreign`](StartError::Foreign),
/// [`Joined`](StartError::Joined).
pub fn join_stopped(config: Config, file: &Path) -> Result<String, StartError> {
    let bytes = std::fs::read(file).map_err(|e| StartError::file(file, e))?;
    let genesis = Genesis::read(&bytes)
        .map_err(|reason| StartError::ChannelFile { file: file.to_owned(), reason })?;
    let config = config.load()?;
    let (directory, _lock) = Directory::take(&config.dir)?;
    let id = genesis.config.channel_id.clone();
    if directory.channel(&id).exists() {
        return Err(StartError::Joined { channel: id });
    }
    let node = node_certificate(&directory.identity())?;
    let msp_id = &config.settings.agency.msp_id;
    let foreign = |reason: String| StartError::Foreign {
        file: node_file(&directory.identity()),
        channel: id.clone(),
        reason,
    };
    let org = genesis.config.org(msp_id);
    let org = org.ok_or_else(|| foreign(format!("the channel has no organisation {msp_id}")))?;
    org.admit(&node, &[], LocalClock.now().at.seconds())
        .map_err(|e| foreign(format!("{}: {e}", e.code())))?;
    keep_genesis(&directory, &genesis.block)?;
    Ok(id)
}

/// The genesis blocks that a data directory holds, in order of their channels' ids, each with its file.
///
/// # Errors
/// [`StartError::File`], [`StartError::Genesis`].
pub fn kept(data: &Path) -> Result<Vec<(PathBuf, Genesis)>, StartError> {
    let directory = Directory { root: data.to_owned() };
    let ids = crate::channels::kept(&directory.channels())?;
    let read = |id: &String| {
        let file = directory.genesis(id);
        let bytes = std::fs::read(&file).map_err(|e| StartError::file(&file, e))?;
        match Genesis::read(&bytes) {
            Ok(genesis) => Ok((file, genesis)),
            Err(reason) => Err(StartError::Genesis { file, reason }),
        }
    };
    ids.iter().map(read).collect()
}
