//! What the node knows about itself at one moment: plain data that metrics, alarms, health and readiness are made from.
//!
//! Everything that judges is a function of these values; everything that gathers them is in `operations`.

use changbai_custody::Counts;

/// The node at one moment.
#[derive(Debug, Clone, Default)]
pub struct NodeFacts {
    /// The wall clock, Unix milliseconds.
    pub now_ms: u64,
    /// Bound of the wall clock's error in microseconds, where somebody measures it.
    pub clock_bound_us: Option<u32>,
    /// Why submissions are refused for want of a bound: code and sentence.
    pub clock_refused: Option<String>,
    /// Jumps of the wall clock.
    pub clock: ClockFacts,
    /// Time-stamp tokens that this node asked for.
    pub tokens: TokenFacts,
    /// The certificate of the GM TLS listeners and links.
    pub tls: TlsFacts,
    /// Last valid second of the ledger identity, Unix seconds.
    pub identity_not_after_s: i64,
    /// Free bytes on the disk of the data directory; `None` where the system does not say.
    pub disk_free_bytes: Option<u64>,
    /// With less free than this the node does not vote.
    pub disk_reserve_bytes: u64,
    /// The process.
    pub process: ProcessFacts,
    /// Its originals.
    pub custody: CustodyFacts,
    /// Its channels, by name.
    pub channels: Vec<ChannelFacts>,
}

/// Originals in custody.
#[derive(Debug, Clone, Default)]
pub struct CustodyFacts {
    /// Milliseconds between audits, where there are any.
    pub audit_every_ms: Option<u64>,
    /// When the last complete audit ended, Unix milliseconds; 0 before the first.
    pub audit_ended_ms: u64,
    /// When the audit under way began, Unix milliseconds; 0 where none is.
    pub audit_began_ms: u64,
    /// What the last complete audit counted.
    pub last: Counts,
    /// Bytes that audits have read since the start.
    pub audited_bytes: u64,
    /// Originals found whole since the start.
    pub found_intact: u64,
    /// Originals found damaged since the start.
    pub found_damaged: u64,
    /// Originals found missing since the start.
    pub found_missing: u64,
    /// Originals that are damaged or missing.
    pub lost: Vec<String>,
    /// Records whose original is not held, with the original.
    pub unheld: Vec<String>,
    /// Why the store does not do what it should.
    pub failure: Option<String>,
}

/// What became of the wall clock, compared with the monotonic one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClockFacts {
    /// Jumps since the start.
    pub jumps: u64,
    /// The last jump in milliseconds, positive where the clock was set forward.
    pub last_jump_ms: i64,
    /// Milliseconds since the last jump; `None` without one.
    pub last_jump_ago_ms: Option<u64>,
    /// All steps and drift since the start, in milliseconds.
    pub offset_ms: i64,
}

/// Time-stamp tokens that this node asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenFacts {
    /// Given by the first source of the list.
    pub first: u64,
    /// Given by another.
    pub fallback: u64,
    /// Times that no source gave any.
    pub failed: u64,
    /// Why the last one was not given: code and sentence.
    pub failing: Option<String>,
}

/// The TLS certificate and its renewal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TlsFacts {
    /// Last valid second, Unix seconds.
    pub not_after_s: i64,
    /// Whether it should have been renewed long ago.
    pub alarming: bool,
    /// Renewals since the start.
    pub renewed: u64,
    /// Renewals that failed since the start.
    pub failed: u64,
}

/// The process as the system sees it; zeros where the system does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProcessFacts {
    /// Resident memory in bytes.
    pub resident_bytes: u64,
    /// CPU time used, in milliseconds.
    pub cpu_ms: u64,
    /// Open file descriptors.
    pub open_files: u64,
    /// Most file descriptors that it may open.
    pub open_files_max: u64,
    /// When it started, Unix milliseconds.
    pub started_ms: u64,
}

/// One channel.
#[derive(Debug, Clone, Default)]
pub struct ChannelFacts {
    /// Its name.
    pub channel: String,
    /// Why no checkpoint of its log is issued, if so.
    pub checkpoint_refused: Option<String>,
    /// What the newest checkpoint lacks: witnesses, a time-stamp token.
    pub checkpoint_lacks: Vec<String>,
    /// Blocks in this node's ledger, genesis included.
    pub height: u64,
    /// Blocks that the most advanced peer claims to have; 0 where none has said.
    pub peers_height: u64,
    /// Peers connected.
    pub peers: usize,
    /// Validators of the configuration in force.
    pub validators: usize,
    /// Whether this node is one of them.
    pub validator: bool,
    /// Sequence of the configuration in force.
    pub configuration: u64,
    /// Round of the height under way.
    pub round: u32,
    /// Transactions waiting for a block.
    pub waiting: usize,
    /// How many may wait.
    pub waiting_max: usize,
    /// Why ordering has halted.
    pub halted: Option<String>,
    /// Why the node does not vote for the time being.
    pub suspended: Option<String>,
    /// Too few validators are heard to decide anything.
    pub no_quorum: bool,
    /// Validators of the configuration in force that are proven to have signed two statements in one place, by address.
    pub accused: Vec<String>,
    /// Milliseconds since a peer of another genesis block was last met.
    pub foreign_genesis_ago_ms: Option<u64>,
    /// The block log was found damaged behind this block at the start.
    pub salvaged_to: Option<u64>,
    /// Links to other nodes: to every validator of the configuration, and to whoever else is connected.
    pub links: Vec<LinkFacts>,
    /// What went over them, by stream.
    pub streams: Vec<StreamFacts>,
    /// How often a node was fully connected.
    pub connects: u64,
    /// Openings of links refused, by either side.
    pub openings_refused: u64,
}

impl ChannelFacts {
    /// Blocks that the most advanced peer claims to be ahead.
    #[must_use]
    pub const fn behind(&self) -> u64 {
        self.peers_height.saturating_sub(self.height)
    }

    /// Whether blocks lost to damage are still to come from peers.
    #[must_use]
    pub const fn is_repairing(&self) -> bool {
        self.salvaged_to.is_some() && (self.peers_height == 0 || self.behind() > 0)
    }
}

/// The links to one other node of a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkFacts {
    /// The other node: its organisation and the beginning of its id, such as `ChangchunHRSS/3f9a01bc`.
    pub host: String,
    /// Whether every stream of the orderer is up.
    pub connected: bool,
    /// Whether the configuration names it as a validator: a link that should always be there.
    pub validator: bool,
    /// Streams that are up.
    pub streams: u64,
    /// The last round trip measured, in microseconds.
    pub round_trip_us: Option<u64>,
}

/// What went over one kind of stream, to all nodes together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamFacts {
    /// `consensus`, `bodies`, `sync` or `calls`.
    pub kind: &'static str,
    /// Messages sent since the channel was opened.
    pub sent: u64,
    /// Messages received.
    pub received: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Messages dropped because a peer took them too slowly.
    pub sent_dropped: u64,
    /// Messages dropped because this node took them too slowly.
    pub received_dropped: u64,
}
