//! Keys derived from secrets.

use std::num::NonZeroU32;

use smkit::sm3::kdf;

use super::{Case, draw::Draw, number, shown};

pub(super) fn gbt32918(draw: &mut Draw, count: usize, cases: &mut Vec<Case>) {
    for _ in 0..count {
        let (z, length) = (small(draw, 1, 300), 1 + draw.below(300));
        let cut = draw.below(z.len() + 1);
        let mut key = vec![0; length];
        kdf::gbt32918(&[&z[..cut], &z[cut..]], &mut key).unwrap();
        cases.push(Case::new("kdf", &[&z, &number(length)], shown(&key)));
    }
}

pub(super) fn pbkdf2(draw: &mut Draw, count: usize, cases: &mut Vec<Case>) {
    for _ in 0..count {
        let password = small(draw, 1, 100);
        let salt = small(draw, 1, 80);
        let (rounds, length) = (1 + draw.below(300), 1 + draw.below(100));
        let mut key = vec![0; length];
        let times = NonZeroU32::new(u32::try_from(rounds).unwrap()).unwrap();
        kdf::pbkdf2(&password, &salt, times, &mut key).unwrap();
        let fields = [&password[..], &salt, &number(rounds), &number(length)];
        cases.push(Case::new("pbkdf2", &fields, shown(&key)));
    }
}

pub(super) fn hkdf(draw: &mut Draw, count: usize, cases: &mut Vec<Case>) {
    for _ in 0..count {
        let secret = small(draw, 1, 100);
        let (salt, info) = (small(draw, 0, 80), small(draw, 0, 80));
        // RFC 5869 §2.3: 255 blocks at most.
        let length = if draw.once_in(20) { 255 * 32 } else { 1 + draw.below(200) };
        let mut key = vec![0; length];
        let extracted = kdf::hkdf_extract(&salt, &secret);
        kdf::hkdf_expand(extracted.as_bytes(), &info, &mut key).unwrap();
        let fields = [&secret[..], &salt, &info, &number(length)];
        cases.push(Case::new("hkdf", &fields, shown(&key)));
    }
}

fn small(draw: &mut Draw, least: usize, most: usize) -> Vec<u8> {
    let length = least + draw.below(most - least);
    draw.bytes(length)
}
