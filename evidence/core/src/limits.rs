//! Every bound of this crate, by name.

/// Largest canonical record, in bytes.
pub const RECORD_BYTES_MAX: usize = 64 * 1024;
/// Most originals one record may name.
pub const ORIGINALS_MAX: usize = 64;
/// Most digests of one batch.
pub const BATCH_DIGESTS_MAX: usize = 100_000;
/// Longest reference that a submitter gives a digest of a batch, in characters.
pub const BATCH_REFERENCE_CHARS_MAX: usize = 128;
/// Largest `batch.json`, in bytes: a path of 17 hashes, a media type and a reference in escapes stay far below.
pub const BATCH_ENTRY_BYTES_MAX: usize = 16 * 1024;
/// Longest media type, in bytes (RFC 6838 §4.2 allows 127 for each half; nothing real comes close).
pub const MEDIA_TYPE_BYTES_MAX: usize = 127;
/// Longest value of a public or personal field, in characters, unless the field says less.
pub const FIELD_CHARS_MAX: usize = 1_000;
/// Longest text of the collection provenance, in characters.
pub const COLLECTION_CHARS_MAX: usize = 200;
/// Longest name of an agency, in characters.
pub const AGENCY_NAME_CHARS_MAX: usize = 200;
/// Longest MSP id, in bytes.
pub const MSP_ID_BYTES_MAX: usize = 64;
/// Longest certificate subject, in characters.
pub const SUBJECT_CHARS_MAX: usize = 1_000;
/// Largest integer in a record: RFC 8785 §3.2.2.3 numbers are IEEE doubles, exact up to 2^53 − 1.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;
/// Latest record time, in unix milliseconds: keys sort by exactly 13 digits (until the year 2286).
pub const TIME_MS_MAX: u64 = 9_999_999_999_999;
/// Largest serial within one agency and day: 12 Crockford base32 characters.
pub const SERIAL_MAX: u64 = (1 << 60) - 1;
/// Most records in one page of a listing.
pub const PAGE_RECORDS_MAX: u32 = 200;
/// Records in a page when the query does not say.
pub const PAGE_RECORDS_DEFAULT: u32 = 50;
/// A page ends early once its records pass this many bytes; with one more record it still fits a contract's answer
/// (1 MiB).
pub const PAGE_BYTES_MAX: usize = 900 * 1024;
/// Most predecessors and most successors that one history answer walks.
pub const HISTORY_STEPS_MAX: usize = 256;
/// Ledger pages read to fill one page of a listing that filters by digest and more.
pub const FILTER_ROUNDS_MAX: usize = 16;
/// Attempts of one submission against id collisions and read conflicts before it is refused as contended.
pub const SUBMIT_ATTEMPTS_MAX: usize = 8;
/// Submissions that may be under way in one process.
pub const SUBMISSIONS_IN_FLIGHT_MAX: usize = 16_384;
/// Days whose next serial is kept in memory (midnight needs two).
pub const SERIAL_DAYS_MAX: usize = 4;
/// Longest channel id, in bytes.
pub const CHANNEL_BYTES_MAX: usize = 249;
/// Largest process document, in bytes.
pub const PROCESS_BYTES_MAX: usize = 512 * 1024;
/// Most entries one process document carries; a chain may be longer.
pub const PROCESS_ENTRIES_MAX: usize = 1_024;
/// Largest certificate in a process document, in bytes.
pub const PROCESS_CERTIFICATE_BYTES_MAX: usize = 16 * 1024;
/// Anonymous steps remembered within a minute, so that each is logged once.
pub const SEEN_LATELY_MAX: usize = 65_536;
