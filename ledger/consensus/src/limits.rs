//! Named bounds of everything this crate holds, decodes or queues.

/// Most validators in a set, and most signatures in a certificate.
pub const VALIDATORS_MAX: usize = 256;

/// Highest round of a decoded message. A round takes seconds; the bound keeps every later
/// increment of a round free of overflow.
pub const ROUND_MAX: u32 = 1 << 30;

/// Longest encoded peer message, in bytes: a round certificate signed by [`VALIDATORS_MAX`].
pub const MESSAGE_BYTES_MAX: usize = 2 + 8 + 4 + 1 + 2 + VALIDATORS_MAX * (1 + 33 + 32 + 64);

/// Valid signatures remembered, so that certificates made of votes seen before cost no
/// verification. The older half is forgotten at a time.
pub const VERIFIED_MAX: usize = 8_192;

/// Heights ahead of the current one for which messages are kept.
pub const QUEUED_HEIGHTS_MAX: usize = 16;

/// Messages kept for each of the [`QUEUED_HEIGHTS_MAX`] heights.
pub const QUEUED_PER_HEIGHT_MAX: usize = 1_024;
