//! Bounds of what this crate decodes or builds.

/// Longest serialized envelope, in bytes. A receipt (≤ 4 MiB) must be able to hold it in Base64.
pub const ENVELOPE_BYTES_MAX: usize = 2 << 20;
/// Longest serialized proposal, in bytes; an envelope repeats it beside its results.
pub const PROPOSAL_BYTES_MAX: usize = ENVELOPE_BYTES_MAX;
/// Longest channel id, in bytes (Fabric's bound).
pub const CHANNEL_ID_BYTES_MAX: usize = 249;
/// Longest chaincode name or version, in bytes.
pub const CHAINCODE_NAME_BYTES_MAX: usize = 128;
/// Longest serialized identity, in bytes: a certificate of 16 KiB DER in PEM, and its MSP id.
pub const IDENTITY_BYTES_MAX: usize = 24 << 10;
/// Longest nonce accepted, in bytes; we make 24.
pub const NONCE_BYTES_MAX: usize = 64;
/// Most arguments of one invocation, the function name included.
pub const ARGS_MAX: usize = 256;
/// Most endorsements of one transaction.
pub const ENDORSEMENTS_MAX: usize = 64;
/// Longest signature accepted before it is parsed, in bytes: DER of two 32-byte integers is ≤ 72.
pub const SIGNATURE_BYTES_MAX: usize = 128;
/// Most namespaces in one read-write set.
pub const NAMESPACES_MAX: usize = 64;
/// Most reads, writes or range queries in one namespace's set; reads within ranges count as well.
pub const NAMESPACE_ENTRIES_MAX: usize = 100_000;
/// Longest serialized signed proposal, in bytes: a proposal, a signature, and the message around them.
pub const SIGNED_PROPOSAL_BYTES_MAX: usize = PROPOSAL_BYTES_MAX + SIGNATURE_BYTES_MAX + 16;
/// Longest text of an endorser's refusal, in bytes.
pub const REFUSAL_MESSAGE_BYTES_MAX: usize = 1 << 10;
/// Most data with an endorser's refusal, in bytes.
pub const REFUSAL_PAYLOAD_BYTES_MAX: usize = 64 << 10;
