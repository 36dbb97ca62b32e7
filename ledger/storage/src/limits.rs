//! Every bound of this crate.

/// Largest serialized block, in bytes.
pub const BLOCK_BYTES_MAX: usize = 32 << 20;
/// Largest frame payload: a block and the tables around it, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = BLOCK_BYTES_MAX + (1 << 20);
/// Identities shorter than this stay where they are, in bytes.
pub const IDENTITY_BYTES_MIN: usize = 64;
/// Longest identity taken out of a block, in bytes.
pub const IDENTITY_BYTES_MAX: usize = 16 << 10;
/// Most identities that one frame defines.
pub const DEFINITIONS_MAX: usize = 1_024;
/// Most identities of one segment that the writer remembers; later ones stay in their blocks.
pub const KNOWN_IDENTITIES_MAX: usize = 16_384;
/// Most frames whose identity definitions a reader keeps in memory.
pub const DEFINITION_CACHE_FRAMES_MAX: usize = 4_096;
/// A segment is closed once it is this long, in bytes.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// Segments may be configured up to this size, in bytes; offsets within one fit 32 bits.
pub const SEGMENT_BYTES_MAX: u64 = 1 << 30;
/// Most segment files held open at a time.
pub const OPEN_SEGMENTS_MAX: usize = 64;
/// Sealed segments are read through at every start up to this total, in bytes; above it they are
/// left to [`crate::BlockLog::scrub`] and to the digest checked at each read.
pub const OPEN_CHECK_BYTES_MAX: u64 = 2 << 30;
/// Largest single record of the consensus log, in bytes: a block body and some framing.
pub const WAL_RECORD_BYTES_MAX: usize = BLOCK_BYTES_MAX + (1 << 20);
/// Most bytes appended to the consensus log between two flushes.
pub const WAL_PENDING_BYTES_MAX: usize = 2 * WAL_RECORD_BYTES_MAX;
/// The consensus log starts over at its beginning once it is this long, in bytes.
pub const WAL_WRAP_BYTES: u64 = 4 << 20;
/// Block cache of the index, in bytes.
pub const INDEX_CACHE_BYTES: u64 = 24 << 20;
/// The index writes its memory table out once it is this large, in bytes; two more may wait.
pub const INDEX_MEMTABLE_BYTES: u64 = 8 << 20;
/// Memory tables of the index waiting to be written before commits wait too.
pub const INDEX_SEALED_MEMTABLES_MAX: usize = 2;
/// Target size of an index table file, in bytes.
pub const INDEX_TABLE_BYTES: u64 = 16 << 20;
/// Most open files of the index.
pub const INDEX_OPEN_FILES_MAX: usize = 256;
/// Index table files are read through at every start up to this total, in bytes; above it the
/// checksum of each block is checked when the block is read.
pub const INDEX_CHECK_BYTES_MAX: u64 = 2 << 30;
/// Longest key of the index, in bytes.
pub const INDEX_KEY_BYTES_MAX: usize = 4 << 10;
/// Longest record of a journal, in bytes.
pub const JOURNAL_RECORD_BYTES_MAX: usize = 64 << 10;
/// A journal takes no more records at this length, in bytes.
pub const JOURNAL_BYTES_MAX: u64 = 16 << 20;
