//! SM3 and what is built on it.

use super::{Case, decode};
use crate::sm3::{
    HmacSm3, Sm3, Sm3Digest, hmac_sm3, kdf, sm3, sm3_many, sm3_pairs, verify_hmac_sm3,
};

pub(super) const CASES: &[Case] = &[
    ("digests, GB/T 32905-2016 A.1 and A.2", digests),
    ("digests many at a time", many),
    ("HMAC, GM/T 0042-2015 D.3", hmac),
    ("key derivation, GB/T 32918.4-2016 §5.4.3, by its definition", derivation),
];

fn digests() -> Option<bool> {
    let (abc, abcd) = (known(ABC)?, known(ABCD_16)?);
    let text = b"abcd".repeat(16);
    let mut pieces = Sm3::new();
    text.chunks(7).for_each(|piece| pieces.update(piece));
    Some(
        sm3(b"abc") == abc && sm3(&text) == abcd && pieces.finalize() == abcd && sm3(b"abd") != abc,
    )
}

/// Seventeen messages fill the widest lanes and begin again.
fn many() -> Option<bool> {
    let (abc, abcd) = (known(ABC)?, known(ABCD_16)?);
    let text = b"abcd".repeat(16);
    let messages: [&[u8]; 17] =
        core::array::from_fn(|at| if at % 3 == 0 { &text } else { &b"abc"[..] });
    let digests = sm3_many(&messages);
    let right = digests
        .iter()
        .enumerate()
        .all(|(at, digest)| *digest == if at % 3 == 0 { abcd } else { abc });
    let node = sm3(&[b"\x01".as_slice(), abc.as_bytes(), abcd.as_bytes()].concat());
    let nodes = sm3_pairs(b"\x01", &[[abc, abcd]; 5]);
    Some(right && digests.len() == 17 && nodes == [node; 5])
}

fn hmac() -> Option<bool> {
    let code = known(HMAC_JEFE)?;
    let message: [&[u8]; 2] = [b"what do ya want ", b"for nothing?"];
    let mut running = HmacSm3::new(b"Jefe");
    message.iter().for_each(|part| running.update(part));
    Some(
        hmac_sm3(b"Jefe", &message) == code
            && running.verify(&code)
            && verify_hmac_sm3(b"Jefe", &message, &code)
            && !verify_hmac_sm3(b"jefe", &message, &code),
    )
}

fn derivation() -> Option<bool> {
    let mut derived = [0; 40];
    kdf::gbt32918(&[b"a", b"bc"], &mut derived).ok()?;
    let (first, second) = (sm3(b"abc\0\0\0\x01"), sm3(b"abc\0\0\0\x02"));
    let expected = first.as_bytes().iter().chain(second.as_bytes()).take(40);
    Some(derived.iter().eq(expected))
}

fn known(text: &str) -> Option<Sm3Digest> {
    decode(text).map(Sm3Digest::new)
}

const ABC: &str = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
const ABCD_16: &str = "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732";
const HMAC_JEFE: &str = "2e87f1d16862e6d964b50a5200bf2b10b764faa9680a296a2405f24bec39f882";
