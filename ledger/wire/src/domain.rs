//! The domain-separation strings of the ledger, in one table. Changing one is a breaking change.

/// Block header hash, see [`Header::hash`](crate::Header::hash).
pub const HEADER: &[u8] = b"changbai/wire/header/v1";
/// Hash over a block's envelope digests, see [`data_hash`](crate::data_hash).
pub const DATA: &[u8] = b"changbai/wire/data/v1";
/// Hash over a validator set, see [`validators_hash`](crate::validators_hash).
pub const VALIDATORS: &[u8] = b"changbai/wire/validators/v1";
/// Message of a consensus vote, see [`Vote::sign_bytes`](crate::Vote::sign_bytes).
pub const VOTE: &[u8] = b"changbai/consensus/vote/v1";
