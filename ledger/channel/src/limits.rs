//! Bounds of the channel: queues, blocks, transactions and peers.

/// Largest serialized `Envelope` accepted, in bytes. Originals never travel through the ledger.
pub const ENVELOPE_BYTES_MAX: usize = 1 << 20;
/// Most transactions waiting for a block; further ones are refused with a retry hint.
pub const MEMPOOL_TRANSACTIONS_MAX: usize = 20_000;
/// Most bytes of transactions waiting for a block.
pub const MEMPOOL_BYTES_MAX: usize = 64 << 20;
/// Most waiting transactions that came from peers: the rest is kept for callers of this node.
pub const FORWARDED_TRANSACTIONS_MAX: usize = MEMPOOL_TRANSACTIONS_MAX / 2;
/// Most bytes of waiting transactions that came from peers.
pub const FORWARDED_BYTES_MAX: usize = MEMPOOL_BYTES_MAX / 2;
/// Most configurations waiting for a block: one of them is decided, and most of the others with that.
pub const CONFIGURATIONS_WAITING_MAX: usize = 8;
/// Own transactions passed on again at a time.
pub const FORWARDED_AGAIN_MAX: usize = 1_024;
/// What a refused submitter is told to wait, in milliseconds.
pub const RETRY_AFTER_MS: u64 = 250;
/// Most signatures handed to one worker at a time while a block is validated.
pub const SIGNATURE_CHUNK: usize = 32;
/// Envelopes whose verified signatures are remembered; the older half is forgotten at a time.
pub const VERDICTS_MAX: usize = 2 * MEMPOOL_TRANSACTIONS_MAX;
/// Most blocks that one listing returns.
pub const BLOCK_PAGE_MAX: u64 = 100;
/// Most peers connected at a time.
pub const PEERS_MAX: usize = 512;
/// Most messages of one class that wait to be worked on.
pub const INBOX_MESSAGES_MAX: usize = 8_192;
/// Most messages of one class and one peer that wait to be worked on.
pub const INBOX_PEER_MESSAGES_MAX: usize = 1_024;
/// Most bytes of messages of one class that wait to be worked on. One message always fits.
pub const INBOX_BYTES_MAX: usize = 64 << 20;
/// Messages of one later height kept for one peer: three a round, and some rounds.
pub const LATER_MESSAGES_MAX: usize = 48;
/// Bodies kept for the height under way, besides the one that a quorum has prevoted.
pub const BODIES_MAX: usize = 16;
/// Bodies kept that came before their height has begun.
pub const EARLY_BODIES_MAX: usize = 8;
/// Different blocks of one round whose bodies are asked for: two prove that its proposer lies.
pub const PROPOSALS_PER_ROUND_MAX: usize = 2;
/// Blocks that are asked for at once.
pub const SYNC_BLOCKS_MAX: u16 = 64;
/// Bytes of blocks after which an answer is cut.
pub const SYNC_BYTES_MAX: usize = 4 << 20;
/// Answers with blocks or bodies given to one peer in one turn.
pub const ANSWERS_PER_TURN_MAX: u32 = 4;
/// Events kept for the owner; older ones are dropped.
pub const EVENTS_MAX: usize = 1_024;
/// Cases of misbehaviour kept in memory and shown; all of them are in the file.
pub const MISBEHAVIOUR_SHOWN_MAX: usize = 256;
/// How often a call is simulated and endorsed again, because endorsers stood at different heights.
pub const ENDORSEMENT_RETRIES: u32 = 2;
/// Blocks of an export that were read and wait to be taken in.
pub const PIECES_WAITING_MAX: usize = 4;
