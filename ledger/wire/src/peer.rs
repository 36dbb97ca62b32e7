//! What the nodes of a channel tell each other: version, tag, then fixed-width big-endian fields.
//!
//! Strict: one message has one encoding, every length and count is compared with its bound and
//! with what is left of the bytes before memory is taken, and trailing bytes are refused. Which
//! channel a message belongs to is the link's affair; what validators sign names the channel.

mod codec;

use smkit::Sm3Digest;
use thiserror::Error;

/// One message between two nodes of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerMessage {
    /// A vote, proposal or certificate of consensus, in that crate's encoding.
    Consensus(Vec<u8>),
    /// The body of a block that is, or may be, proposed.
    Body {
        /// Number of the block.
        height: u64,
        /// The round it is sent for.
        round: u32,
        /// Hash of its header, so that a body nobody wants is dropped undecoded.
        hash: Sm3Digest,
        /// Serialized `common.Block`, without certificate.
        block: Vec<u8>,
    },
    /// Please send the body of this block.
    BodyRequest {
        /// Number of the block.
        height: u64,
        /// Hash of its header.
        hash: Sm3Digest,
    },
    /// Where the sender stands.
    Status(PeerStatus),
    /// Please send decided blocks.
    BlocksRequest {
        /// Number of the first one.
        from: u64,
        /// Most blocks wanted, at least 1.
        count_max: u16,
    },
    /// Decided blocks, each with its certificate, from the number asked for upwards; none when the
    /// sender has none.
    Blocks {
        /// Number of the first one.
        from: u64,
        /// Serialized `common.Block`s.
        blocks: Vec<Vec<u8>>,
    },
    /// Transactions that wait for a block: serialized `common.Envelope`s.
    Transactions(Vec<Vec<u8>>),
}

/// Where a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    /// Hash of the genesis header: nodes of different ones have nothing to tell each other.
    pub genesis: Sm3Digest,
    /// Number of the last durable block.
    pub height: u64,
    /// Hash of its header.
    pub tip: Sm3Digest,
    /// Sequence of the configuration in force after it.
    pub config_number: u64,
}

/// Streams between two nodes. They keep a small urgent message from waiting behind a large one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerClass {
    /// Votes, proposals, certificates: tiny, first of all.
    Consensus,
    /// Bodies of the height under way.
    Bodies,
    /// Status, decided blocks, waiting transactions.
    Sync,
}

impl PeerClass {
    /// Every class, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Consensus, Self::Bodies, Self::Sync];

    /// Longest message of the class, in bytes: what a link refuses before it reads on.
    #[must_use]
    pub const fn message_bytes_max(self) -> usize {
        match self {
            Self::Consensus => CONSENSUS_BYTES_MAX + OVERHEAD_BYTES,
            Self::Bodies => BLOCK_BYTES_MAX + OVERHEAD_BYTES,
            Self::Sync => BLOCKS_BYTES_MAX + OVERHEAD_BYTES + BLOCKS_MAX * 4,
        }
    }
}

impl PeerMessage {
    /// The stream that carries this message.
    #[must_use]
    pub const fn class(&self) -> PeerClass {
        match self {
            Self::Consensus(_) => PeerClass::Consensus,
            Self::Body { .. } | Self::BodyRequest { .. } => PeerClass::Bodies,
            Self::Status(_)
            | Self::BlocksRequest { .. }
            | Self::Blocks { .. }
            | Self::Transactions(_) => PeerClass::Sync,
        }
    }

    /// The message's one encoding.
    ///
    /// # Errors
    /// [`PeerError`] for what [`PeerMessage::decode`] would refuse.
    pub fn encode(&self) -> Result<Vec<u8>, PeerError> {
        codec::encode(self)
    }

    /// Reads a message; nothing is judged but its form.
    ///
    /// # Errors
    /// [`PeerError`] for any other bytes than an encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, PeerError> {
        codec::decode(bytes)
    }
}

/// Version of the encoding. A node of another version is refused by name, not misread.
pub const PEER_VERSION: u8 = 1;
/// Longest consensus message, in bytes.
pub const CONSENSUS_BYTES_MAX: usize = 64 << 10;
/// Longest block, in bytes; what the block log takes.
pub const BLOCK_BYTES_MAX: usize = 32 << 20;
/// Most blocks in one answer.
pub const BLOCKS_MAX: usize = 256;
/// Most bytes of blocks in one answer; a single longer block may stand alone.
pub const BLOCKS_BYTES_MAX: usize = BLOCK_BYTES_MAX;
/// Most transactions in one message.
pub const TRANSACTIONS_MAX: usize = 1_024;
/// Most bytes of transactions in one message; a single longer one may stand alone.
pub const TRANSACTIONS_BYTES_MAX: usize = 4 << 20;
/// Room for version, tag and fields around what varies, in bytes.
const OVERHEAD_BYTES: usize = 64;

/// Why bytes are not a message between nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PeerError {
    /// Another version of the protocol.
    #[error("peer protocol version {found} is not version {PEER_VERSION}")]
    Version {
        /// The version found.
        found: u8,
    },
    /// No message has this tag.
    #[error("peer message tag {found} is unknown")]
    Tag {
        /// The tag found.
        found: u8,
    },
    /// The bytes end inside a field.
    #[error("the message ends inside a field")]
    Truncated,
    /// Bytes follow the last field.
    #[error("{count} bytes follow the message")]
    Trailing {
        /// How many.
        count: usize,
    },
    /// A length or count beyond its bound, or zero where something is due.
    #[error("{field} of {found} is out of bounds")]
    Bound {
        /// The field.
        field: &'static str,
        /// The length or count.
        found: usize,
    },
}
