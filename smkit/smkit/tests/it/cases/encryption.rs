//! SM2 encryption in both directions, raw and as `SM2Cipher`.

use smkit::sm2::{Ciphertext, DecryptError, PrivateKey};

use super::{
    Case, Expected, draw::Draw, exchange::Fixed, plan::Plan, request, shown_unless_refused,
};

/// The peer encrypts.
pub(super) fn encryptions(
    draw: &mut Draw,
    count: usize,
    plan: &Plan,
    der: bool,
    cases: &mut Vec<Case>,
) {
    for _ in 0..count {
        let key = Box::new(PrivateKey::from_bytes(&draw.scalar()).unwrap());
        let message = message(draw, plan);
        let word = if der { "encrypt-der" } else { "encrypt" };
        let request = request(word, &[&key.public_key().to_sec1(), &message]);
        cases.push(Case { request, expected: Expected::CiphertextFor { key, message, der } });
    }
}

/// We encrypt, half of the time with a k whose point has a short coordinate or is small; half of it is then altered.
pub(super) fn decryptions(
    draw: &mut Draw,
    count: usize,
    plan: &Plan,
    der: bool,
    cases: &mut Vec<Case>,
) {
    for _ in 0..count {
        let secret = draw.scalar();
        let key = PrivateKey::from_bytes(&secret).unwrap();
        let message = message(draw, plan);
        let ciphertext =
            key.public_key().encrypt(&message, &mut Fixed::new(draw.scalar())).unwrap();
        let mut raw = ciphertext.to_c1c3c2();
        assert_eq!(encoded(&raw), ciphertext.to_der(), "the DER form by hand");
        if draw.once_in(2) {
            alter(draw, &mut raw, der);
        }
        let public = key.public_key().to_sec1();
        let (word, bytes) = if der { ("decrypt-der", encoded(&raw)) } else { ("decrypt", raw) };
        let answer = shown_unless_refused(decrypt(&key, der, &bytes));
        cases.push(Case::new(word, &[&secret, &public, &bytes], answer));
    }
}

/// Whether `answer` is a ciphertext of `message`, and nothing once a bit of it has changed.
pub(super) fn decrypted_only_as_is(
    key: &PrivateKey,
    message: &[u8],
    der: bool,
    answer: &str,
) -> bool {
    let Ok(mut bytes) = hex::decode(answer) else { return false };
    let right = decrypt(key, der, &bytes).is_ok_and(|opened| *opened == message);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    right && decrypt(key, der, &bytes).is_err()
}

fn decrypt(
    key: &PrivateKey,
    der: bool,
    bytes: &[u8],
) -> Result<zeroize::Zeroizing<Vec<u8>>, DecryptError> {
    let read = if der { Ciphertext::from_der(bytes) } else { Ciphertext::from_c1c3c2(bytes) };
    key.decrypt(&read?)
}

/// Lengths around the blocks of the KDF, and one byte, for which one mask in 256 is all zero.
fn message(draw: &mut Draw, plan: &Plan) -> Vec<u8> {
    let length = match draw.below(4) {
        0 => [1, 2, 31, 32, 33, 63, 64, 65, 95, 96, 97][draw.below(11)],
        _ => draw.length(),
    };
    draw.bytes(length.clamp(1, plan.message_bytes_max))
}

/// Something between C1 and the end changes, or the end is missing. Whatever is done, the structure of the DER form stays:
/// how strictly DER is read differs between peers, and ours has its vectors.
fn alter(draw: &mut Draw, raw: &mut Vec<u8>, der: bool) {
    match draw.below(8) {
        // y and with it the point is another one, or off the curve.
        0 => raw[64] ^= 1 << draw.below(8),
        1 => raw[1 + draw.below(64)] ^= 1 << draw.below(8),
        2 => raw[65..97].fill(0),
        3 => raw[1..65].fill(0),
        4 if !der => raw.truncate(97 + draw.below(raw.len() - 97)),
        5 => raw.push(0),
        _ => {
            let at = 65 + draw.below(raw.len() - 65);
            raw[at] ^= 1 << draw.below(8);
        }
    }
}

/// `SM2Cipher` of a raw ciphertext, whether or not it is one.
fn encoded(raw: &[u8]) -> Vec<u8> {
    let octets = |bytes: &[u8]| element(4, bytes);
    let integer = |bytes: &[u8]| {
        let digits = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
        let sign = digits.first().is_none_or(|byte| *byte >= 0x80);
        element(2, &[&[0][..usize::from(sign)], digits].concat())
    };
    let parts =
        [integer(&raw[1..33]), integer(&raw[33..65]), octets(&raw[65..97]), octets(&raw[97..])];
    element(0x30, &parts.concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let digits = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let head = match digits {
        [] => vec![tag, 0],
        [short @ 0..0x80] => vec![tag, *short],
        long => [&[tag, 0x80 | u8::try_from(long.len()).unwrap()], long].concat(),
    };
    [&head, content].concat()
}
