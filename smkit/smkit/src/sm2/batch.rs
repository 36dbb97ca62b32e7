//! Many signatures at once: eight to a vector register where the processor can, one by one otherwise.
//!
//! Eight lanes take the same time for every number of claims from one to eight. Measured on one core of a Zen 5 EPYC at
//! about 4.2 GHz, in microseconds for 64-byte messages, in lanes / one by one:
//!
//! | together | new keys | known keys | signatures |
//! |---:|---:|---:|---:|
//! | 1 | 70 / 27 | 17.5 / 8.4 | 18.9 / 11.7 |
//! | 2 | 71 / 54 | 18.0 / 16.8 | 21.9 / 23.2 |
//! | 3 | 71 / 81 | 18.4 / 25.3 | 24.8 / 35.2 |
//! | 8 | 73 / 219 | 19.3 / 66.8 | 38.9 / 95.3 |
//!
//! So a group goes into lanes from three on, whatever it is; the one or two that a batch leaves over are done by
//! themselves. Claims whose key has a table and those whose key has none never share a group.

#[cfg(target_arch = "x86_64")]
use alloc::vec;
use alloc::vec::Vec;

use crate::sm2::{InvalidSignature, Signature, SigningKey, VerifyingKey};
#[cfg(target_arch = "x86_64")]
use crate::{
    sm2::{
        group::{Comb, Scalar},
        lanes::{self, Keys, LANES},
        signing::wipe_stack,
        verifying::Claim,
    },
    sm3::sm3_many_joined,
};

/// One claim to check: this key signed this message.
#[derive(Clone, Copy, Debug)]
pub struct Unverified<'a> {
    /// Who is said to have signed.
    pub key: &'a VerifyingKey,
    /// What is said to be signed.
    pub message: &'a [u8],
    /// The signature.
    pub signature: &'a Signature,
}

/// Verifies each claim on its own; the result at an index belongs to the claim at that index, so invalid ones are named.
///
/// Runs on the calling thread; callers split a large batch across threads.
#[must_use]
pub fn verify_many(batch: &[Unverified<'_>]) -> Vec<Result<(), InvalidSignature>> {
    #[cfg(target_arch = "x86_64")]
    if batch.len() >= LANES_MIN && lanes::available() {
        return verify_in_lanes(batch);
    }
    batch.iter().map(|claim| claim.key.verify(claim.message, claim.signature)).collect()
}

/// Signs each message; the same signatures as [`SigningKey::sign`] one by one.
#[must_use]
pub fn sign_many(key: &SigningKey, messages: &[&[u8]]) -> Vec<Signature> {
    #[cfg(target_arch = "x86_64")]
    if messages.len() >= LANES_MIN && lanes::available() {
        return messages.chunks(SIGN_TOGETHER).flat_map(|some| sign_in_lanes(key, some)).collect();
    }
    messages.iter().map(|message| key.sign(message)).collect()
}

/// A claim that a lane can take: its place in the batch, its numbers, and the key's table if there is one.
#[cfg(target_arch = "x86_64")]
struct Work<'a> {
    at: usize,
    claim: Claim,
    key: &'a VerifyingKey,
    comb: Option<&'a Comb>,
}

#[cfg(target_arch = "x86_64")]
fn verify_in_lanes(batch: &[Unverified<'_>]) -> Vec<Result<(), InvalidSignature>> {
    let messages: Vec<[&[u8]; 2]> =
        batch.iter().map(|one| [one.key.za().as_bytes().as_slice(), one.message]).collect();
    let digests = sm3_many_joined(&messages);
    let work = batch.iter().zip(&digests).enumerate().filter_map(|(at, (unverified, digest))| {
        let key = unverified.key;
        let claim = Claim::new(digest, unverified.signature)?;
        Some(Work { at, claim, key, comb: key.table() })
    });
    // What is not worth a lane even now has failed above: those results stand.
    let mut results = vec![Err(InvalidSignature); batch.len()];
    for at in valid(work) {
        if let Some(to) = results.get_mut(at) {
            *to = Ok(());
        }
    }
    results
}

/// The places of the claims that hold.
#[cfg(target_arch = "x86_64")]
fn valid<'a>(work: impl Iterator<Item = Work<'a>>) -> Vec<usize> {
    let (with_table, without): (Vec<_>, Vec<_>) = work.partition(|work| work.comb.is_some());
    let groups = with_table.chunks(LANES).chain(without.chunks(LANES));
    let decided = groups.flat_map(|group| group.iter().zip(verify_group(group)));
    decided
        .filter(|(work, verdict)| verdict.unwrap_or_else(|| work.key.holds(&work.claim)))
        .map(|(work, _)| work.at)
        .collect()
}

/// The verdicts of up to eight claims of one kind; `None` is for the scalar path. Idle lanes repeat the first claim.
#[cfg(target_arch = "x86_64")]
fn verify_group(group: &[Work<'_>]) -> [Option<bool>; LANES] {
    let Some(first) = group.first().filter(|_| group.len() >= LANES_MIN) else {
        return [None; LANES];
    };
    let lane: [&Work<'_>; LANES] = core::array::from_fn(|lane| group.get(lane).unwrap_or(first));
    let claims = lane.map(|work| &work.claim);
    match first.comb {
        Some(comb) => {
            let combs = lane.map(|work| work.comb.unwrap_or(comb));
            lanes::verify(Keys::Combs(&combs), &claims)
        }
        None => {
            let points = lane.map(|work| *work.key.public_key().affine());
            lanes::verify(Keys::Points(&points), &claims)
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn sign_in_lanes(key: &SigningKey, messages: &[&[u8]]) -> Vec<Signature> {
    let za = key.verifying_key().za().as_bytes();
    let joined: Vec<[&[u8]; 2]> = messages.iter().map(|message| [za.as_slice(), message]).collect();
    let digests: Vec<_> =
        sm3_many_joined(&joined).iter().map(|digest| Scalar::reduce(digest.as_bytes())).collect();
    let nonces: zeroize::Zeroizing<Vec<Scalar>> =
        digests.iter().map(|e| *key.nonces(e, &[]).draw()).collect::<Vec<_>>().into();
    let points = lanes::base_x(&nonces);
    wipe_stack();
    messages
        .iter()
        .zip(&digests)
        .zip(nonces.iter().zip(&points))
        .map(|((message, e), (k, x))| {
            // One in 2²⁵⁵ needs a second nonce: `sign` comes to the same first one and goes on from there.
            let signature = x.as_ref().and_then(|x| key.finish(e, k, x));
            signature.unwrap_or_else(|| key.sign(message))
        })
        .collect()
}

/// Fewest claims or messages for which eight lanes are faster than one by one.
#[cfg(target_arch = "x86_64")]
const LANES_MIN: usize = 3;
/// Signatures that share one inversion.
#[cfg(target_arch = "x86_64")]
const SIGN_TOGETHER: usize = 64;

#[cfg(test)]
mod tests;
