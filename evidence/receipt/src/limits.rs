//! Every bound of this crate, by name.

/// Bytes of `record.json`; the same bound as the ledger's record.
pub const RECORD_BYTES_MAX: u64 = 64 << 10;
/// Bytes of `receipt.json`.
pub const RECEIPT_BYTES_MAX: u64 = 4 << 20;
/// Bytes of `disclosures.json`.
pub const DISCLOSURES_BYTES_MAX: u64 = 256 << 10;
/// Bytes of `batch.json`.
pub const BATCH_BYTES_MAX: u64 = 64 << 10;
/// Bytes of `checkpoint.json`.
pub const CHECKPOINT_BYTES_MAX: u64 = 1 << 20;
/// Bytes of `process.json`.
pub const PROCESS_BYTES_MAX: u64 = 4 << 20;
/// Bytes of `certificate.pdf` and of `certificate.ofd`, each.
pub const CERTIFICATE_BYTES_MAX: u64 = 16 << 20;
/// Bytes of `verify.html`.
pub const PAGE_BYTES_MAX: u64 = 1 << 20;
/// Originals in one bundle, and files supplied beside it.
pub const ORIGINALS_MAX: usize = 64;
/// Openings in `disclosures.json`.
pub const OPENINGS_MAX: usize = 64;
/// Bytes of one entry name in the container.
pub const NAME_BYTES_MAX: usize = 64;
/// Bytes of a channel id (Fabric: 249).
pub const CHANNEL_BYTES_MAX: usize = 249;
/// Validators in one receipt.
pub const VALIDATORS_MAX: usize = 128;
/// Intermediate certificates in one receipt.
pub const INTERMEDIATES_MAX: usize = 64;
/// Trust anchor fingerprints in one receipt.
pub const ANCHORS_MAX: usize = 64;
/// Configuration blocks in one receipt, block 0 included.
pub const CONFIGURATIONS_MAX: usize = 64;
/// Bytes of a trust file.
pub const TRUST_BYTES_MAX: usize = 1 << 20;
/// Channels in one trust file.
pub const TRUST_CHANNELS_MAX: usize = 64;
/// Validator sets of one channel in a trust file.
pub const TRUST_SETS_MAX: usize = 64;
/// Keys of logs, and of witnesses, in one trust file, each.
pub const TRUST_KEYS_MAX: usize = 64;
/// Revocation lists in one trust file.
pub const TRUST_LISTS_MAX: usize = 64;
/// Hashes in an inclusion path: a tree of 2^64 leaves has no longer one.
pub const PATH_MAX: usize = 64;
/// Endorsements looked at in one transaction.
pub const ENDORSEMENTS_MAX: usize = 64;
/// Largest integer in canonical JSON: 2^53 − 1, the last one every JSON reader keeps exact (RFC 8785 §3.2.2.3).
pub const INTEGER_MAX: u64 = (1 << 53) - 1;
/// Bytes moved at a time while an original streams past.
pub(crate) const CHUNK_BYTES: usize = 64 << 10;
/// Greatest error of a record's time that counts as trusted, microseconds.
pub const TIME_BOUND_US_MAX: u64 = 10_000;
/// Bytes of a signed verdict.
pub const SIGNED_VERDICT_BYTES_MAX: usize = 256 << 10;
/// Elements in a signed verdict: a bundle's, and those of documents beside it.
pub const SIGNED_ELEMENTS_MAX: usize = 64;
