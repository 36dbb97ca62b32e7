//! SM2 signatures: valid, altered, and with numbers at the edges of their ranges.

use ::sm2::{Scalar, elliptic_curve::ff::PrimeField as _};
use smkit::sm2::{
    PrivateKey, PublicKey, Signature, SignerId, SigningKey, Unverified, VerifyingKey, sign_many,
    verify_many,
};

use super::{
    Case, Expected,
    draw::{Draw, EDGES},
    plan::Plan,
    request,
};

/// Claims of which about half hold; the peer must say of each what we say, one by one and in batches.
pub(super) fn verifications(draw: &mut Draw, count: usize, plan: &Plan, cases: &mut Vec<Case>) {
    let mut left = count;
    while left > 0 {
        let together = (1 + draw.below(70)).min(left);
        let claims: Vec<Claim> = (0..together.div_ceil(PER_KEY))
            .flat_map(|_| Claim::some(draw, plan))
            .take(together)
            .collect();
        let verdicts = verdicts(&claims);
        for (claim, valid) in claims.iter().zip(verdicts) {
            let fields = [&claim.public[..], &claim.id, &claim.message, &claim.signature];
            cases.push(Case::new("verify", &fields, u8::from(valid).to_string()));
        }
        left -= together;
    }
}

pub(super) fn signatures(draw: &mut Draw, count: usize, plan: &Plan, cases: &mut Vec<Case>) {
    for _ in 0..count {
        let (secret, key, id) = key(draw, plan);
        let message = draw.data();
        let public = key.verifying_key().public_key().to_sec1();
        let request = request("sign", &[&secret, &public, &id, &message]);
        let key = Box::new(key.verifying_key().clone());
        cases.push(Case { request, expected: Expected::SignatureBy(key, message) });
    }
}

/// Whether `answer` is r ‖ s of a signature that `key` accepts for `message` and not for another.
pub(super) fn accepted_only_as_is(key: &VerifyingKey, message: &[u8], answer: &str) -> bool {
    let Some(bytes) = hex::decode(answer).ok().and_then(|bytes| bytes.try_into().ok()) else {
        return false;
    };
    let Ok(signature) = Signature::from_bytes(bytes) else { return false };
    let other = [message, b"."].concat();
    key.verify(message, &signature).is_ok() && key.verify(&other, &signature).is_err()
}

struct Claim {
    public: [u8; 65],
    id: Vec<u8>,
    message: Vec<u8>,
    signature: [u8; 64],
}

impl Claim {
    /// [`PER_KEY`] claims of one key, signed as a batch; then some altered.
    fn some(draw: &mut Draw, plan: &Plan) -> Vec<Self> {
        let (secret, key, id) = key(draw, plan);
        let messages: Vec<Vec<u8>> = (0..PER_KEY).map(|_| draw.data()).collect();
        let borrowed: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let signatures = sign_many(&key, &borrowed);
        let public = key.verifying_key().public_key().to_sec1();
        let mut claims = Vec::new();
        for (message, signature) in messages.into_iter().zip(signatures) {
            let mut claim =
                Self { public, id: id.clone(), message, signature: signature.to_bytes() };
            claim.alter(draw, &secret);
            claims.push(claim);
        }
        claims
    }

    fn alter(&mut self, draw: &mut Draw, secret: &[u8; 32]) {
        match draw.below(10) {
            0 => self.signature[draw.below(64)] ^= 1 << draw.below(8),
            1 => self.message.push(0),
            2 => match self.id.first_mut() {
                Some(byte) => *byte ^= 1,
                None => self.id.push(0),
            },
            3 => {
                let r = EDGES[draw.below(EDGES.len())];
                let s = EDGES[draw.below(EDGES.len())];
                self.signature = [r, s].concat().try_into().unwrap();
            }
            4 => {
                let edge = EDGES[draw.below(EDGES.len())];
                let at = 32 * draw.below(2);
                self.signature[at..at + 32].copy_from_slice(&edge);
            }
            5 => self.signature = self.special(draw, secret),
            _ => {}
        }
    }

    /// r and s for which \[s\]G + \[t\]P is infinity, or its two terms are equal: where incomplete formulas go wrong.
    fn special(&self, draw: &mut Draw, secret: &[u8; 32]) -> [u8; 64] {
        let d = Scalar::from_repr((*secret).into()).unwrap();
        let t = Scalar::from(1 + draw.below(1 << 20) as u64);
        let s = if draw.below(2) == 0 { -(t * d) } else { t * d };
        let r = t - s;
        [r, s].map(|number| <[u8; 32]>::from(number.to_repr())).concat().try_into().unwrap()
    }
}

/// What the kit says of each claim: one by one and as a batch, which must agree.
fn verdicts(claims: &[Claim]) -> Vec<bool> {
    let parsed: Vec<_> = claims
        .iter()
        .enumerate()
        .map(|(number, claim)| {
            let public = PublicKey::from_sec1(&claim.public).unwrap();
            let id = SignerId::new(claim.id.clone()).unwrap();
            let key = VerifyingKey::new(public, id).unwrap();
            let signature = Signature::from_bytes(claim.signature).ok();
            // One key in three is used until it counts as known.
            if let (0, Some(signature)) = (number % 3, &signature) {
                for _ in 0..12 {
                    let _ = key.verify(b"", signature);
                }
            }
            (key, &claim.message, signature)
        })
        .collect();
    let batch: Vec<_> = parsed
        .iter()
        .filter_map(|(key, message, signature)| {
            Some(Unverified { key, message, signature: signature.as_ref()? })
        })
        .collect();
    let mut together = verify_many(&batch).into_iter();
    parsed
        .iter()
        .map(|(key, message, signature)| {
            let Some(signature) = signature else { return false };
            let alone = key.verify(message, signature);
            assert_eq!(Some(alone), together.next(), "batch and single agree");
            alone.is_ok()
        })
        .collect()
}

/// d, the key and its ID.
fn key(draw: &mut Draw, plan: &Plan) -> ([u8; 32], SigningKey, Vec<u8>) {
    let (secret, id) = (draw.scalar(), draw.id(plan.empty_id, plan.id_bytes_max));
    let private = PrivateKey::from_bytes(&secret).unwrap();
    let key = SigningKey::new(private, SignerId::new(id.clone()).unwrap()).unwrap();
    (secret, key, id)
}

const PER_KEY: usize = 3;
