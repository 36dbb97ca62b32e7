//! The signatures of `sm2_negative.json` in batches, which must name exactly the invalid ones.

use serde_json::Value;
use smkit::sm2::{Signature, Unverified, VerifyingKey, verify_many};

use super::{
    bytes, cases, on_every_path,
    sm2::{FILE, USES_OF_A_KNOWN_KEY, key, parsed},
    valid,
};

struct Claim {
    case: Value,
    message: Vec<u8>,
    signature: Signature,
    valid: bool,
    /// A key that nothing was verified with yet.
    new: VerifyingKey,
    /// A key that has its table.
    known: VerifyingKey,
}

impl Claim {
    fn by(&self, known: bool) -> Unverified<'_> {
        let key = if known { &self.known } else { &self.new };
        Unverified { key, message: &self.message, signature: &self.signature }
    }
}

/// Signatures that are none by their bytes never reach a batch: their refusal is tested one by one.
fn claims() -> Vec<Claim> {
    let claims: Vec<Claim> = cases(FILE)
        .into_iter()
        .filter(|case| case["group"] == "signature_raw" || case["group"] == "signature_der")
        .filter_map(|case| {
            let signature = parsed(&case)?;
            let (new, known) = (key(&case), key(&case));
            for _ in 0..USES_OF_A_KNOWN_KEY {
                let _ = known.verify(b"", &signature);
            }
            let message = bytes(&case["message"]);
            Some(Claim { message, signature, valid: valid(&case), case, new, known })
        })
        .collect();
    assert!(claims.iter().filter(|claim| claim.valid).count() > 10);
    assert!(claims.iter().filter(|claim| !claim.valid).count() > 50);
    claims
}

fn check(path: &str, batch: &[(&Claim, bool)]) {
    let unverified: Vec<_> = batch.iter().map(|(claim, known)| claim.by(*known)).collect();
    let verdicts = verify_many(&unverified);
    assert_eq!(verdicts.len(), batch.len());
    for (at, (verdict, (claim, known))) in verdicts.iter().zip(batch).enumerate() {
        let place = format!("{path}, known key: {known}, place {at} of {}", batch.len());
        assert_eq!(verdict.is_ok(), claim.valid, "{place}: {}", claim.case);
    }
}

/// In the order of the file and backwards, with new keys, known keys and both by turns.
#[test]
fn batches_of_every_size_name_the_invalid_ones() {
    on_every_path(|path| {
        let mut claims = claims();
        for _ in 0..2 {
            claims.reverse();
            for size in (1..=17).chain([31, 32, 33, 63, 64, 65, claims.len()]) {
                let kinds: [fn(usize) -> bool; 3] = [|_| false, |_| true, |at| at % 3 == 0];
                for known in kinds {
                    for chunk in claims.chunks(size) {
                        let batch: Vec<_> = chunk.iter().zip((0..).map(known)).collect();
                        check(path, &batch);
                    }
                }
            }
        }
    });
}

/// Each vector alone among seven valid claims, in each of the eight places, with each kind of key.
#[test]
fn every_place_among_valid_claims() {
    on_every_path(|path| {
        let claims = claims();
        let good: Vec<&Claim> = claims.iter().filter(|claim| claim.valid).collect();
        for (number, claim) in claims.iter().enumerate() {
            for place in 0..8 {
                for known in [false, true] {
                    let mut batch: Vec<_> =
                        (0..8).map(|at| (good[(number + at) % good.len()], known)).collect();
                    batch[place] = (claim, known);
                    check(path, &batch);
                }
            }
        }
    });
}
