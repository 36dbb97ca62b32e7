//! Requests that every peer understands, and what it must answer.
//!
//! One request a line: a word, then fields in hexadecimal, `-` for no bytes.
//!
//! | request | answer |
//! |---|---|
//! | `sm3 MESSAGE` | digest |
//! | `hmac KEY MESSAGE` | code |
//! | `sign D PUBLIC ID MESSAGE` | r ‖ s |
//! | `verify PUBLIC ID MESSAGE R‖S` | `1` or `0` |
//! | `gcm-seal KEY NONCE AAD PLAIN` | ciphertext ‖ tag |
//! | `gcm-open KEY NONCE AAD SEALED` | plaintext, or `!` when refused |
//! | `ctr KEY COUNTER DATA` | data |
//! | `encrypt PUBLIC MESSAGE` | C1 ‖ C3 ‖ C2 |
//! | `decrypt D CIPHERTEXT` | message, or `!` when refused |

mod sm2;
mod sm3;
mod sm4;

use std::collections::BTreeMap;

use crate::peer::say;

/// How many cases of each kind a peer gets; chosen so that each takes a few seconds.
pub(crate) struct Plan {
    pub(crate) sm3: usize,
    pub(crate) hmac: usize,
    pub(crate) verify: usize,
    pub(crate) sign: usize,
    pub(crate) gcm_seal: usize,
    pub(crate) gcm_open: usize,
    pub(crate) ctr: usize,
    /// GmSSL refuses to encrypt nothing.
    pub(crate) empty_plaintext: bool,
}

impl Plan {
    pub(crate) const BOUNCYCASTLE: Self = Self {
        sm3: 8_000,
        hmac: 3_000,
        verify: 6_000,
        sign: 3_000,
        gcm_seal: 4_000,
        gcm_open: 4_000,
        ctr: 4_000,
        empty_plaintext: true,
    };
    pub(crate) const LIBGCRYPT: Self = Self {
        sm3: 12_000,
        hmac: 5_000,
        verify: 1_500,
        sign: 500,
        gcm_seal: 6_000,
        gcm_open: 6_000,
        ctr: 6_000,
        empty_plaintext: true,
    };
    pub(crate) const GMSSL: Self = Self {
        sm3: 12_000,
        hmac: 4_000,
        verify: 8_000,
        sign: 4_000,
        gcm_seal: 8_000,
        gcm_open: 8_000,
        ctr: 8_000,
        empty_plaintext: false,
    };

    const fn total(&self) -> usize {
        self.sm3 + self.hmac + self.verify + self.sign + self.gcm_seal + self.gcm_open + self.ctr
    }
}

const _: () = assert!(
    Plan::BOUNCYCASTLE.total() + Plan::LIBGCRYPT.total() + Plan::GMSSL.total() >= 100_000,
    "a run has at least 100,000 cases",
);

/// A request and the judgement of its answer.
pub(crate) struct Case {
    pub(crate) request: String,
    pub(crate) expected: Expected,
}

/// What a peer must answer.
pub(crate) enum Expected {
    /// Exactly this.
    Answer(String),
    /// A signature that this key accepts for this message, and for no other.
    SignatureBy(Box<smkit::sm2::VerifyingKey>, Vec<u8>),
}

/// All cases for one peer.
pub(crate) struct Cases(Vec<Case>);

impl Cases {
    pub(crate) fn new(peer: &str, plan: &Plan) -> Self {
        let seed = std::env::var("CHANGBAI_SEED").unwrap_or_else(|_| {
            let mut bytes = [0; 16];
            smkit::Random::fill(&mut smkit::OsRandom, &mut bytes).unwrap();
            hex::encode(bytes)
        });
        say(&format!("{peer}: CHANGBAI_SEED={seed}"));
        let mut draw = Draw { seed: smkit::sm3(format!("{peer}/{seed}").as_bytes()), count: 0 };
        let mut cases = Vec::with_capacity(plan.total());
        sm3::digests(&mut draw, plan.sm3, &mut cases);
        sm3::codes(&mut draw, plan.hmac, &mut cases);
        sm2::verifications(&mut draw, plan.verify, &mut cases);
        sm2::signatures(&mut draw, plan.sign, &mut cases);
        sm4::gcm(&mut draw, plan, &mut cases);
        sm4::ctr(&mut draw, plan, &mut cases);
        Self(cases)
    }

    pub(crate) fn requests(&self) -> String {
        self.0.iter().map(|case| format!("{}\n", case.request)).collect()
    }

    /// Every answer must be the expected one.
    pub(crate) fn check(&self, peer: &str, answers: &[&str]) {
        assert_eq!(answers.len(), self.0.len(), "{peer}: one answer a request");
        let mut counts = BTreeMap::<&str, usize>::new();
        for (case, answer) in self.0.iter().zip(answers) {
            case.check(peer, answer);
            let word = case.request.split(' ').next().unwrap();
            *counts.entry(word).or_default() += 1;
        }
        say(&format!("{peer}: {} cases agree: {counts:?}", answers.len()));
    }
}

impl Case {
    pub(crate) fn new(word: &str, fields: &[&[u8]], answer: String) -> Self {
        Self { request: request(word, fields), expected: Expected::Answer(answer) }
    }

    fn check(&self, peer: &str, answer: &str) {
        match &self.expected {
            Expected::Answer(expected) => {
                assert_eq!(answer, expected, "{peer}: {}", self.request);
            }
            Expected::SignatureBy(key, message) => {
                let accepted = sm2::accepted_only_as_is(key, message, answer);
                assert!(accepted, "{peer}: {} answered {answer}", self.request);
            }
        }
    }
}

/// A request's line.
pub(crate) fn request(word: &str, fields: &[&[u8]]) -> String {
    fields.iter().fold(word.to_owned(), |line, field| format!("{line} {}", shown(field)))
}

/// Bytes as a field.
pub(crate) fn shown(bytes: &[u8]) -> String {
    if bytes.is_empty() { "-".to_owned() } else { hex::encode(bytes) }
}

/// Bytes from a seed.
pub(crate) struct Draw {
    seed: smkit::Sm3Digest,
    count: u64,
}

impl Draw {
    pub(crate) fn block(&mut self) -> [u8; 32] {
        self.count += 1;
        *smkit::sm3_parts(&[self.seed.as_bytes(), &self.count.to_be_bytes()]).as_bytes()
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let [a, b, c, d, ..] = self.block();
        u32::from_be_bytes([a, b, c, d]) as usize % limit
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let blocks = length.div_ceil(32);
        let mut bytes: Vec<u8> = (0..blocks).flat_map(|_| self.block()).collect();
        bytes.truncate(length);
        bytes
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        self.bytes(N).try_into().unwrap()
    }

    /// A length at which something changes in a block cipher, a digest or a vector kernel, or any other.
    pub(crate) fn length(&mut self) -> usize {
        match self.below(4) {
            0 => LENGTHS[self.below(LENGTHS.len())],
            1 => self.below(1_200),
            _ => self.below(200),
        }
    }
}

const LENGTHS: [usize; 28] = [
    0, 1, 15, 16, 17, 31, 32, 33, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 255, 256,
    257, 511, 512, 1_023, 1_024, 4_097,
];
