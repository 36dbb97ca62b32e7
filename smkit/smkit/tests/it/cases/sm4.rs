//! SM4-GCM and SM4-CTR.

use smkit::sm4::{Ctr, Gcm, Key};

use super::{Case, Draw, Plan, shown};

/// Keys, nonces and data at random; some of all zeros and all ones. A quarter of what is opened was altered.
pub(super) fn gcm(draw: &mut Draw, plan: &Plan, cases: &mut Vec<Case>) {
    for number in 0..plan.gcm_seal + plan.gcm_open {
        let key = match draw.below(16) {
            0 => [0; 16],
            1 => [0xff; 16],
            _ => draw.array(),
        };
        let nonce: [u8; 12] = if draw.below(16) == 0 { [0xff; 12] } else { draw.array() };
        let length = draw.length();
        let aad = draw.bytes(length);
        let length = draw.length().max(usize::from(!plan.empty_plaintext));
        let plain = draw.bytes(length);
        let gcm = Gcm::new(&Key::from_bytes(key));
        let mut sealed = plain.clone();
        gcm.seal_in_place(&nonce, &aad, &mut sealed).unwrap();
        if number < plan.gcm_seal {
            cases.push(Case::new("gcm-seal", &[&key, &nonce, &aad, &plain], shown(&sealed)));
            continue;
        }
        if draw.below(4) == 0 {
            let at = draw.below(sealed.len());
            sealed[at] ^= 1 << draw.below(8);
        }
        let mut opened = sealed.clone();
        let answer = match gcm.open_in_place(&nonce, &aad, &mut opened) {
            Ok(()) => shown(&opened),
            Err(_) => "!".to_owned(),
        };
        cases.push(Case::new("gcm-open", &[&key, &nonce, &aad, &sealed], answer));
    }
}

/// Counters at random and about to overflow: the whole block counts, not its last four bytes.
pub(super) fn ctr(draw: &mut Draw, plan: &Plan, cases: &mut Vec<Case>) {
    for _ in 0..plan.ctr {
        let key: [u8; 16] = draw.array();
        let mut counter: [u8; 16] = draw.array();
        let ones = 16 - [0, 0, 4, 8, 15, 16][draw.below(6)];
        counter[ones..].fill(0xff);
        let length = draw.length().max(usize::from(!plan.empty_plaintext));
        let plain = draw.bytes(length);
        let ctr = Ctr::new(&Key::from_bytes(key));
        let mut data = plain.clone();
        ctr.apply(&counter, &mut data);
        let cut = draw.below(plain.len() + 1);
        let mut pieces = plain.clone();
        let (head, tail) = pieces.split_at_mut(cut);
        ctr.apply_at(&counter, 0, head);
        ctr.apply_at(&counter, cut as u64, tail);
        assert_eq!(pieces, data, "pieces and whole agree");
        cases.push(Case::new("ctr", &[&key, &counter, &plain], shown(&data)));
    }
}
