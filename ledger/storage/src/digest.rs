//! The digest under which frames and records are kept.

use smkit::sm3::{Sm3Digest, sm3_many, sm3_parts};

/// Payloads up to this length, in bytes, are hashed as they are.
pub(crate) const PIECE_BYTES: usize = 4 << 10;

/// `SM3(head ‖ payload)`; of a longer payload `SM3(head ‖ SM3 of each piece of 4 KiB)`, which takes an eighth of the
/// time: SM3 by itself is one chain, and pieces are hashed side by side. What is in `head` says how long the payload is,
/// so that neither form is taken for the other.
pub(crate) fn digest(head: &[&[u8]], payload: &[u8]) -> Sm3Digest {
    let mut parts = head.to_vec();
    if payload.len() <= PIECE_BYTES {
        parts.push(payload);
        return sm3_parts(&parts);
    }
    let pieces: Vec<&[u8]> = payload.chunks(PIECE_BYTES).collect();
    let pieces = sm3_many(&pieces);
    parts.extend(pieces.iter().map(|piece| piece.as_bytes().as_slice()));
    sm3_parts(&parts)
}

#[cfg(test)]
mod tests {
    use smkit::sm3::{sm3, sm3_parts};

    use super::{PIECE_BYTES, digest};

    #[test]
    fn short_payloads_are_hashed_as_they_are_and_long_ones_by_pieces() {
        let long: Vec<u8> = (0..=250).cycle().take(PIECE_BYTES * 2 + 5).collect();
        for length in [0, 1, PIECE_BYTES] {
            let payload = &long[..length];
            assert_eq!(digest(&[b"a", b"b"], payload), sm3_parts(&[b"ab", payload]));
        }
        let [first, second, third] =
            [&long[..PIECE_BYTES], &long[PIECE_BYTES..PIECE_BYTES * 2], &long[PIECE_BYTES * 2..]];
        let pieces = [sm3(first), sm3(second), sm3(third)].map(|piece| *piece.as_bytes()).concat();
        assert_eq!(digest(&[b"head"], &long), sm3_parts(&[b"head", &pieces]));
    }

    #[test]
    fn every_flipped_byte_shows() {
        let mut payload = vec![7; PIECE_BYTES + 100];
        let intact = digest(&[b"head"], &payload);
        for at in (0..payload.len()).step_by(37) {
            payload[at] ^= 1;
            assert_ne!(digest(&[b"head"], &payload), intact, "byte {at}");
            payload[at] ^= 1;
        }
    }
}
