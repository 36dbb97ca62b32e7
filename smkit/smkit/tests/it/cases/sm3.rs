//! SM3: single, in lanes, in pieces, and as HMAC.

use smkit::{Sm3, hmac_sm3, sm3, sm3_many};

use super::{Case, draw::Draw, plan::Plan};

/// Messages of mixed lengths go through the lanes together, as a caller's would.
pub(super) fn digests(draw: &mut Draw, count: usize, cases: &mut Vec<Case>) {
    let mut left = count;
    while left > 0 {
        let together = (1 + draw.below(40)).min(left);
        // Half of the groups have one length, as Merkle nodes have.
        let same = (draw.below(2) == 0).then(|| draw.length());
        let messages: Vec<_> = (0..together)
            .map(|_| {
                let length = same.unwrap_or_else(|| draw.length());
                draw.bytes(length)
            })
            .collect();
        let borrowed: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        for (message, digest) in borrowed.iter().zip(sm3_many(&borrowed)) {
            assert_eq!(digest, sm3(message), "lanes and single agree");
            let mut pieces = Sm3::new();
            message.chunks(1 + draw.below(100)).for_each(|piece| pieces.update(piece));
            assert_eq!(digest, pieces.finalize(), "pieces and single agree");
            cases.push(Case::new("sm3", &[message], digest.to_string()));
        }
        left -= together;
    }
}

/// Keys around the block's length, beyond which a key is hashed first.
pub(super) fn codes(draw: &mut Draw, count: usize, plan: &Plan, cases: &mut Vec<Case>) {
    for _ in 0..count {
        let length = match draw.below(8) {
            0 => [0, 1, 63, 64, 65][draw.below(5)],
            _ => draw.below(150),
        };
        let key = draw.bytes(length.max(usize::from(!plan.empty_key)));
        let message = draw.data();
        let code = hmac_sm3(&key, &[&message]).to_string();
        cases.push(Case::new("hmac", &[&key, &message], code));
    }
}
