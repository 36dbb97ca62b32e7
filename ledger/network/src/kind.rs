//! What a link carries.

use changbai_wire::PeerClass;

use crate::limits::CALL_BYTES_MAX;

/// The stream of a link. Each has a connection of its own, so that a vote never waits behind a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamKind {
    /// Votes, proposals, certificates.
    Consensus,
    /// Bodies of the height under way.
    Bodies,
    /// Status, decided blocks, waiting transactions.
    Sync,
    /// Questions and answers of the floors above.
    Calls,
}

impl StreamKind {
    /// Every kind, the most urgent first.
    pub const ALL: [Self; 4] = [Self::Consensus, Self::Bodies, Self::Sync, Self::Calls];

    /// Longest message of the stream in bytes; a longer frame is refused by its length alone.
    #[must_use]
    pub const fn message_bytes_max(self) -> usize {
        match self {
            Self::Consensus => PeerClass::Consensus.message_bytes_max(),
            Self::Bodies => PeerClass::Bodies.message_bytes_max(),
            Self::Sync => PeerClass::Sync.message_bytes_max(),
            Self::Calls => CALL_BYTES_MAX + 64,
        }
    }

    /// A short name for logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Consensus => "consensus",
            Self::Bodies => "bodies",
            Self::Sync => "sync",
            Self::Calls => "calls",
        }
    }

    /// The class of the orderer's messages that it carries; calls are none.
    #[must_use]
    pub const fn class(self) -> Option<PeerClass> {
        match self {
            Self::Consensus => Some(PeerClass::Consensus),
            Self::Bodies => Some(PeerClass::Bodies),
            Self::Sync => Some(PeerClass::Sync),
            Self::Calls => None,
        }
    }

    /// Its place in [`StreamKind::ALL`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Consensus => 1,
            Self::Bodies => 2,
            Self::Sync => 3,
            Self::Calls => 4,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

impl From<PeerClass> for StreamKind {
    fn from(class: PeerClass) -> Self {
        match class {
            PeerClass::Consensus => Self::Consensus,
            PeerClass::Bodies => Self::Bodies,
            PeerClass::Sync => Self::Sync,
        }
    }
}
