//! Requests that every peer understands, and what it must answer.
//!
//! One request a line: a word, then fields in hexadecimal, `-` for no bytes. Numbers are four bytes, big-endian.
//!
//! | request | answer |
//! |---|---|
//! | `sm3 MESSAGE` | digest |
//! | `hmac KEY MESSAGE` | code |
//! | `kdf Z LENGTH` | the KDF of GB/T 32918 |
//! | `pbkdf2 PASSWORD SALT ROUNDS LENGTH`, `hkdf SECRET SALT INFO LENGTH` | key |
//! | `sign D PUBLIC ID MESSAGE` | r ‖ s |
//! | `verify PUBLIC ID MESSAGE R‖S` | `1` or `0` |
//! | `encrypt PUBLIC MESSAGE`, `encrypt-der …` | C1 ‖ C3 ‖ C2, or as `SM2Cipher` |
//! | `decrypt D PUBLIC CIPHERTEXT`, `decrypt-der …` | message, or `!` when refused |
//! | `exchange-a D R ID PB RB IDB LENGTH SB` | the initiator's K ‖ SA, or `!` when SB is wrong |
//! | `exchange-b D R ID PA RA IDA LENGTH` | the responder's K ‖ SB ‖ SA |
//! | `gcm-seal KEY NONCE AAD PLAIN`, `ccm-seal …` | ciphertext ‖ tag |
//! | `gcm-open KEY NONCE AAD SEALED`, `ccm-open …` | plaintext, or `!` when refused |
//! | `cbc-seal KEY IV PLAIN` | ciphertext with PKCS#7 padding |
//! | `cbc-open KEY IV CIPHERTEXT` | plaintext, or `!` when refused |
//! | `ctr KEY COUNTER DATA` | data |
//! | `xts-gb-seal KEY1‖KEY2 TWEAK DATA`, `-open`; `xts-ieee-…` | data |

mod draw;
mod encryption;
mod exchange;
mod kdf;
mod plan;
mod sm2;
mod sm3;
mod sm4;

use std::collections::BTreeMap;

use smkit::sm2::{PrivateKey, VerifyingKey};

use self::{draw::Draw, plan::Kind};
pub(crate) use self::{exchange::Fixed, plan::Plan};
use crate::peer::say;

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
    SignatureBy(Box<VerifyingKey>, Vec<u8>),
    /// A ciphertext (raw, or DER) that this key decrypts to this message, and no altered one.
    CiphertextFor { key: Box<PrivateKey>, message: Vec<u8>, der: bool },
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
        let mut draw = Draw::new(&format!("{peer}/{seed}"));
        let mut cases = Vec::with_capacity(plan.total());
        for (kind, count) in plan.counts {
            let before = cases.len();
            kind.add(&mut draw, *count, plan, &mut cases);
            assert_eq!(cases.len() - before, *count, "{kind:?}: as many cases as planned");
        }
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

impl Kind {
    fn add(self, draw: &mut Draw, count: usize, plan: &Plan, cases: &mut Vec<Case>) {
        match self {
            Self::Digests => sm3::digests(draw, count, cases),
            Self::Codes => sm3::codes(draw, count, plan, cases),
            Self::Derivations => kdf::gbt32918(draw, count, cases),
            Self::Passwords => kdf::pbkdf2(draw, count, cases),
            Self::Expansions => kdf::hkdf(draw, count, cases),
            Self::Verifications => sm2::verifications(draw, count, plan, cases),
            Self::Signatures => sm2::signatures(draw, count, plan, cases),
            Self::Encryptions { der } => encryption::encryptions(draw, count, plan, der, cases),
            Self::Decryptions { der } => encryption::decryptions(draw, count, plan, der, cases),
            Self::Exchanges => exchange::exchanges(draw, count, cases),
            Self::Gcm => sm4::aead(draw, count, plan, sm4::Mode::Gcm, cases),
            Self::Ccm => sm4::aead(draw, count, plan, sm4::Mode::Ccm, cases),
            Self::Cbc => sm4::cbc(draw, count, plan, cases),
            Self::Ctr => sm4::ctr(draw, count, plan, cases),
            Self::XtsGb => sm4::xts(draw, count, smkit::sm4::XtsStandard::GbT17964, cases),
            Self::XtsIeee => sm4::xts(draw, count, smkit::sm4::XtsStandard::Ieee1619, cases),
        }
    }
}

impl Case {
    pub(crate) fn new(word: &str, fields: &[&[u8]], answer: String) -> Self {
        Self { request: request(word, fields), expected: Expected::Answer(answer) }
    }

    fn check(&self, peer: &str, answer: &str) {
        let accepted = match &self.expected {
            Expected::Answer(expected) => {
                assert_eq!(answer, expected, "{peer}: {}", self.request);
                return;
            }
            Expected::SignatureBy(key, message) => sm2::accepted_only_as_is(key, message, answer),
            Expected::CiphertextFor { key, message, der } => {
                encryption::decrypted_only_as_is(key, message, *der, answer)
            }
        };
        assert!(accepted, "{peer}: {} answered {answer}", self.request);
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

/// Bytes, or `!` when they were refused.
pub(crate) fn shown_unless_refused<E>(result: Result<impl AsRef<[u8]>, E>) -> String {
    result.map_or_else(|_| "!".to_owned(), |bytes| shown(bytes.as_ref()))
}

/// A number as a field.
pub(crate) fn number(value: usize) -> [u8; 4] {
    u32::try_from(value).unwrap().to_be_bytes()
}
