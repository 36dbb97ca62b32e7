//! PEM (RFC 7468, strict form) for the key files of this module.

use alloc::{string::String, vec::Vec};

use zeroize::Zeroizing;

/// The bytes of the one block in `text`, which must have this label.
///
/// The standard's strict grammar: lines of 64 characters, nothing before or after but white space at the end.
pub(super) fn decode(label: &str, text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut lines = text.trim_end().lines();
    let begins = lines.next()?.strip_prefix("-----BEGIN ")?.strip_suffix("-----")? == label;
    let ends = lines.next_back()?.strip_prefix("-----END ")?.strip_suffix("-----")? == label;
    if !begins || !ends {
        return None;
    }
    let count = lines.clone().count();
    let full = |(index, line): (usize, &str)| {
        line.len() == LINE || (index + 1 == count && (1..LINE).contains(&line.len()))
    };
    if count == 0 || !lines.clone().enumerate().all(full) {
        return None;
    }
    let characters = Zeroizing::new(lines.fold(Vec::with_capacity(text.len()), |mut all, line| {
        all.extend_from_slice(line.as_bytes());
        all
    }));
    base64_decode(&characters)
}

/// One block with this label.
pub(super) fn encode(label: &str, bytes: &[u8]) -> Zeroizing<String> {
    // 65 characters for every 48 bytes, and two lines around them.
    let capacity = bytes.len().div_ceil(3) * 4 * 65 / 64 + 2 * label.len() + 40;
    let mut out = Zeroizing::new(String::with_capacity(capacity));
    for part in ["-----BEGIN ", label, "-----\n"] {
        out.push_str(part);
    }
    for line in bytes.chunks(LINE / 4 * 3) {
        line.chunks(3).for_each(|triple| base64_encode(triple, &mut out));
        out.push('\n');
    }
    for part in ["-----END ", label, "-----\n"] {
        out.push_str(part);
    }
    out
}

fn base64_encode(triple: &[u8], out: &mut String) {
    let bits = (0..3).fold(0, |bits, index| {
        bits << 8 | u32::from(triple.get(index).copied().unwrap_or_default())
    });
    for index in 0..4 {
        let sextet = (bits >> (18 - 6 * index)) & 0x3f;
        out.push(if index <= triple.len() { character(sextet) } else { '=' });
    }
}

/// Strict base64: padded, no spare bits, no other characters.
fn base64_decode(characters: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (quads, rest) = characters.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let mut out = Zeroizing::new(Vec::with_capacity(quads.len() * 3));
    for (index, quad) in quads.iter().enumerate() {
        let padding = match quad {
            [.., b'=', b'='] => 2,
            [.., b'='] => 1,
            _ => 0,
        };
        if padding != 0 && index + 1 != quads.len() {
            return None;
        }
        let mut bits = 0;
        for symbol in quad.iter().take(4 - padding) {
            bits = bits << 6 | sextet(*symbol)?;
        }
        bits <<= 6 * padding;
        let [_, bytes @ ..] = bits.to_be_bytes();
        let (kept, spare) = bytes.split_at_checked(3 - padding)?;
        if spare.iter().any(|byte| *byte != 0) {
            return None;
        }
        out.extend_from_slice(kept);
    }
    Some(out)
}

/// Branch-free and without a table: the sextets are secret.
fn character(sextet: u32) -> char {
    // The offset grows at each border of the alphabet A–Z a–z 0–9 + /.
    let past = |border: u32| border.wrapping_sub(sextet).wrapping_sub(1) >> 31;
    let code = 65 + sextet + 6 * past(26);
    let code = code.wrapping_sub(75 * past(52)).wrapping_sub(15 * past(62)) + 3 * past(63);
    char::from_u32(code).unwrap_or('A')
}

/// The inverse of [`character`], each range by its mask.
fn sextet(symbol: u8) -> Option<u32> {
    let symbol = u32::from(symbol);
    let within = |low: u8, high: u8| {
        let (low, high) = (u32::from(low), u32::from(high));
        !(symbol.wrapping_sub(low) | high.wrapping_sub(symbol)) >> 31
    };
    let upper = within(b'A', b'Z');
    let lower = within(b'a', b'z');
    let digit = within(b'0', b'9');
    let plus = within(b'+', b'+');
    let slash = within(b'/', b'/');
    // At most one of the five is 1.
    let value = upper * symbol.wrapping_sub(65)
        + lower * symbol.wrapping_sub(71)
        + digit * (symbol + 4)
        + plus * 62
        + slash * 63;
    (upper | lower | digit | plus | slash == 1).then_some(value)
}

const LINE: usize = 64;
