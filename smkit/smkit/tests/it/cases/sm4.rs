//! SM4 in every mode that a peer has.

use smkit::sm4::{Cbc, Ccm, Ctr, Gcm, Key, Sm4Error, Xts, XtsStandard};

use super::{Case, draw::Draw, plan::Plan, shown, shown_unless_refused};

#[derive(Clone, Copy)]
pub(super) enum Mode {
    Gcm,
    Ccm,
}

impl Mode {
    const fn words(self) -> [&'static str; 2] {
        match self {
            Self::Gcm => ["gcm-seal", "gcm-open"],
            Self::Ccm => ["ccm-seal", "ccm-open"],
        }
    }

    fn seal(self, key: &Key, nonce: &[u8; 12], aad: &[u8], data: &mut Vec<u8>) {
        match self {
            Self::Gcm => Gcm::new(key).seal_in_place(nonce, aad, data).unwrap(),
            Self::Ccm => Ccm::new(key).seal_in_place(nonce, aad, data).unwrap(),
        }
    }

    fn open(
        self,
        key: &Key,
        nonce: &[u8; 12],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, Sm4Error> {
        let mut data = sealed.to_vec();
        match self {
            Self::Gcm => Gcm::new(key).open_in_place(nonce, aad, &mut data)?,
            Self::Ccm => Ccm::new(key).open_in_place(nonce, aad, &mut data)?,
        }
        Ok(data)
    }
}

/// Keys, nonces and data at random; some of all zeros and all ones. A quarter of what is opened was altered.
pub(super) fn aead(draw: &mut Draw, count: usize, plan: &Plan, mode: Mode, cases: &mut Vec<Case>) {
    let [seal, open] = mode.words();
    for turn in 0..count {
        let key = key(draw);
        let nonce: [u8; 12] = if draw.once_in(16) { [0xff; 12] } else { draw.array() };
        // RFC 3610 §2.2 writes the length of the associated data differently from 0xff00 bytes on.
        let aad = match mode {
            Mode::Ccm if draw.once_in(100) => {
                let length = 0xff00 - 1 + draw.below(3);
                draw.bytes(length)
            }
            _ => draw.data(),
        };
        let plain = plaintext(draw, plan);
        let expanded = Key::from_bytes(key);
        let mut sealed = plain.clone();
        mode.seal(&expanded, &nonce, &aad, &mut sealed);
        if turn % 2 == 0 {
            cases.push(Case::new(seal, &[&key, &nonce, &aad, &plain], shown(&sealed)));
            continue;
        }
        if draw.once_in(4) {
            let at = draw.below(sealed.len());
            sealed[at] ^= 1 << draw.below(8);
        }
        let answer = shown_unless_refused(mode.open(&expanded, &nonce, &aad, &sealed));
        cases.push(Case::new(open, &[&key, &nonce, &aad, &sealed], answer));
    }
}

/// What is opened was altered in its last two blocks once in four, so that padding of every kind is met.
pub(super) fn cbc(draw: &mut Draw, count: usize, plan: &Plan, cases: &mut Vec<Case>) {
    for turn in 0..count {
        let (key, iv): ([u8; 16], [u8; 16]) = (key(draw), draw.array());
        let plain = plaintext(draw, plan);
        let cbc = Cbc::new(&Key::from_bytes(key));
        let mut sealed = plain.clone();
        cbc.encrypt(&iv, &mut sealed);
        if turn % 2 == 0 {
            cases.push(Case::new("cbc-seal", &[&key, &iv, &plain], shown(&sealed)));
            continue;
        }
        if plan.strict_padding && draw.once_in(4) {
            let at = sealed.len() - 1 - draw.below(sealed.len().min(32));
            sealed[at] ^= 1 << draw.below(8);
        }
        let mut opened = sealed.clone();
        let result = cbc.decrypt(&iv, &mut opened).map(|()| opened);
        cases.push(Case::new("cbc-open", &[&key, &iv, &sealed], shown_unless_refused(result)));
    }
}

/// Counters at random and about to overflow: the whole block counts, not its last four bytes.
pub(super) fn ctr(draw: &mut Draw, count: usize, plan: &Plan, cases: &mut Vec<Case>) {
    for _ in 0..count {
        let key = key(draw);
        let mut counter: [u8; 16] = draw.array();
        let ones = 16 - [0, 0, 4, 8, 15, 16][draw.below(6)];
        counter[ones..].fill(0xff);
        let plain = plaintext(draw, plan);
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

/// Data units of one block and more, with a part of a block at the end as a rule.
pub(super) fn xts(draw: &mut Draw, count: usize, standard: XtsStandard, cases: &mut Vec<Case>) {
    let [seal, open] = match standard {
        XtsStandard::GbT17964 => ["xts-gb-seal", "xts-gb-open"],
        XtsStandard::Ieee1619 => ["xts-ieee-seal", "xts-ieee-open"],
    };
    for turn in 0..count {
        let keys: [u8; 32] = draw.array();
        let [first, second] = [0, 16].map(|at| Key::from_slice(&keys[at..at + 16]).unwrap());
        // The top bit and the lowest one are what the two standards carry out.
        let tweak: [u8; 16] = match draw.below(8) {
            0 => [0; 16],
            1 => [0xff; 16],
            _ => draw.array(),
        };
        let length = draw.length().max(16);
        let plain = draw.bytes(length);
        let xts = Xts::new(&first, &second, standard).unwrap();
        let mut sealed = plain.clone();
        xts.encrypt(&tweak, &mut sealed).unwrap();
        let (word, from, to) =
            if turn % 2 == 0 { (seal, plain, sealed) } else { (open, sealed, plain) };
        cases.push(Case::new(word, &[&keys, &tweak, &from], shown(&to)));
    }
}

fn key(draw: &mut Draw) -> [u8; 16] {
    match draw.below(16) {
        0 => [0; 16],
        1 => [0xff; 16],
        _ => draw.array(),
    }
}

fn plaintext(draw: &mut Draw, plan: &Plan) -> Vec<u8> {
    let length = draw.length().max(usize::from(!plan.empty_plaintext));
    draw.bytes(length)
}
