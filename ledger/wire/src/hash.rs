//! Hashing rules that belong to no single type.

use smkit::{Sm3, Sm3Digest, sm2::PublicKey, sm3, sm3_many};

use crate::{ValidatorAddress, domain};

/// Digest of a serialized `common.Envelope`, over its bytes as received.
#[must_use]
pub fn envelope_digest(envelope: &[u8]) -> Sm3Digest {
    sm3(envelope)
}

/// [`envelope_digest`] of each envelope, in order, computed side by side.
#[must_use]
pub fn envelope_digests<E: AsRef<[u8]>>(envelopes: &[E]) -> Vec<Sm3Digest> {
    sm3_many(&envelopes.iter().map(AsRef::as_ref).collect::<Vec<_>>())
}

/// A block's `data_hash`: SM3 over domain, u32 count and the envelopes' digests in block order.
///
/// Unlike Fabric's hash over concatenated envelopes it keeps their borders, and lets a verifier
/// work from the digests alone.
#[must_use]
pub fn data_hash(envelope_digests: &[Sm3Digest]) -> Sm3Digest {
    let mut hash = Sm3::new();
    hash.update(domain::DATA);
    hash.update(&u32_be(envelope_digests.len()));
    for digest in envelope_digests {
        hash.update(digest.as_bytes());
    }
    hash.finalize()
}

/// [`data_hash`] of a block's `data` entries.
#[must_use]
pub fn block_data_hash<E: AsRef<[u8]>>(envelopes: &[E]) -> Sm3Digest {
    data_hash(&envelope_digests(envelopes))
}

/// Hash of a channel's validator set: domain, u32 length and channel id, u32 count, then address
/// and 65-byte SEC1 key of each member in the given order, which is the consenters' order.
#[must_use]
pub fn validators_hash(channel_id: &str, members: &[(ValidatorAddress, &PublicKey)]) -> Sm3Digest {
    let mut hash = Sm3::new();
    hash.update(domain::VALIDATORS);
    hash.update(&u32_be(channel_id.len()));
    hash.update(channel_id.as_bytes());
    hash.update(&u32_be(members.len()));
    for (address, key) in members {
        hash.update(address.as_bytes());
        hash.update(&key.to_sec1());
    }
    hash.finalize()
}

/// Fewest of `n` equal validators that decide: more than two thirds, ⌊2n/3⌋ + 1.
#[must_use]
#[expect(clippy::arithmetic_side_effects, reason = "divides by 3; every term is below n")]
pub const fn quorum(n: usize) -> usize {
    // 2n/3 without computing 2n, which could overflow.
    n / 3 * 2 + (n % 3) * 2 / 3 + 1
}

/// A length or count as four big-endian bytes. Everything counted here is bounded far below
/// 2³²; a saturated prefix would still hash to something no bounded input hashes to.
pub(crate) fn u32_be(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}
