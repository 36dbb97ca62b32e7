//! Signatures and endorsement policies of a block's transactions: each verified once per node.
//!
//! A transaction may be met three times: when it is passed on, in a block that is proposed, and
//! when the block is committed. Whether a signature holds depends on the envelope's bytes alone, so
//! that answer is remembered by the envelope's digest; whether its signer counts depends on the
//! block's time and on the configuration, and is judged each time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use changbai_msp::Identity;
use changbai_wire::{Content, ValidationCode, endorsement_message};
use rayon::prelude::*;
use smkit::sm2::{Signature, Unverified};
use smkit::sm3::Sm3Digest;

use crate::limits::{SIGNATURE_CHUNK, VERDICTS_MAX};
use crate::mempool::Decoded;
use crate::validate::Rules;

/// What is known of an envelope's signatures: bit 0 is the creator's, bit 1 + n endorsement n's.
/// There are at most 64 endorsements ([`changbai_wire::limits::ENDORSEMENTS_MAX`]).
#[derive(Debug, Clone, Copy, Default)]
struct Verdict {
    checked: u128,
    valid: u128,
}

/// Remembers verdicts, in two generations.
#[derive(Debug, Default)]
pub(crate) struct Verdicts(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Sm3Digest, Verdict>,
    old: HashMap<Sm3Digest, Verdict>,
}

/// Codes of `transactions` as far as signatures and the endorsement policy go, for a block of that
/// time; all unknown signatures are verified as one batch over all cores. With `remember`, what
/// comes out is kept for the next time these envelopes are met.
pub(crate) fn check(
    rules: &Rules<'_>,
    verdicts: &Verdicts,
    remember: bool,
    time_ms: u64,
    transactions: &[Arc<Decoded>],
) -> Vec<ValidationCode> {
    let at = i64::try_from(time_ms / 1_000).unwrap_or(i64::MAX);
    let known = verdicts.known(transactions);
    let claims: Vec<Result<Claims<'_>, ValidationCode>> =
        transactions.iter().map(|decoded| claims(rules, at, &decoded.content)).collect();
    let open = |(claims, verdict): (&Result<Claims<'_>, _>, &Verdict)| {
        let checked = verdict.checked;
        claims.iter().flat_map(Claims::all).filter(move |claim| checked & claim.bit == 0).count()
    };
    let count = claims.iter().zip(&known).map(open).sum();
    let mut batch: Vec<Unverified<'_>> = Vec::with_capacity(count);
    for (claims, verdict) in claims.iter().zip(&known) {
        let unknown = claims.iter().flat_map(Claims::all);
        batch.extend(
            unknown.filter(|claim| verdict.checked & claim.bit == 0).map(Claim::unverified),
        );
    }
    let mut answers = if batch.len() <= SIGNATURE_CHUNK {
        verify_chunk(&batch)
    } else {
        batch.par_chunks(SIGNATURE_CHUNK).flat_map_iter(verify_chunk).collect()
    }
    .into_iter();
    let mut codes = Vec::with_capacity(transactions.len());
    let mut learned = Vec::new();
    for ((claims, mut verdict), decoded) in claims.iter().zip(known).zip(transactions) {
        let claims = match claims {
            Ok(claims) => claims,
            Err(code) => {
                codes.push(*code);
                continue;
            }
        };
        let before = verdict.checked;
        for claim in claims.all().filter(|claim| before & claim.bit == 0) {
            verdict.checked |= claim.bit;
            if answers.next().unwrap_or(false) {
                verdict.valid |= claim.bit;
            }
        }
        if verdict.checked != before {
            learned.push((decoded.digest, verdict));
        }
        codes.push(judge(rules, claims, &verdict));
    }
    if remember {
        verdicts.learn(learned);
    }
    codes
}

fn judge(rules: &Rules<'_>, claims: &Claims<'_>, verdict: &Verdict) -> ValidationCode {
    let holds = |claim: &&Claim<'_>| verdict.valid & claim.bit != 0;
    // Before anything else: what its creator did not sign says nothing in the creator's name, and
    // must not use up the transaction's id.
    if !holds(&&claims.creator) {
        return ValidationCode::BadCreatorSignature;
    }
    if let Some(fault) = claims.fault {
        return fault;
    }
    let Some(endorsers) = &claims.endorsers else { return ValidationCode::Valid };
    let endorsers: Vec<&Identity> =
        endorsers.iter().filter(holds).map(|claim| claim.identity.as_ref()).collect();
    if rules.epoch.endorsement.evaluate(&endorsers) {
        ValidationCode::Valid
    } else {
        ValidationCode::EndorsementPolicyFailure
    }
}

#[cfg(not(feature = "bench-stub-verification"))]
fn verify_chunk(chunk: &[Unverified<'_>]) -> Vec<bool> {
    #[cfg(feature = "mutations")]
    if crate::mutation::is(crate::mutation::Mutation::TransactionsUnverified) {
        return vec![true; chunk.len()];
    }
    smkit::sm2::verify_many(chunk).iter().map(Result::is_ok).collect()
}

/// Only in `cargo xtask bench`: what is left when signatures cost nothing.
#[cfg(feature = "bench-stub-verification")]
fn verify_chunk(chunk: &[Unverified<'_>]) -> Vec<bool> {
    vec![true; chunk.len()]
}

/// Who claims to have signed what in one transaction.
struct Claims<'a> {
    creator: Claim<'a>,
    /// Why the transaction has no place here, whoever signed it.
    fault: Option<ValidationCode>,
    /// `None`: there is nothing to endorse.
    endorsers: Option<Vec<Claim<'a>>>,
}

struct Claim<'a> {
    bit: u128,
    identity: Arc<Identity>,
    message: std::borrow::Cow<'a, [u8]>,
    signature: Signature,
}

impl<'a> Claims<'a> {
    fn all(&self) -> impl Iterator<Item = &Claim<'a>> {
        std::iter::once(&self.creator).chain(self.endorsers.iter().flatten())
    }
}

impl Claim<'_> {
    fn unverified(&self) -> Unverified<'_> {
        Unverified {
            key: self.identity.certificate.verifying_key(),
            message: &self.message,
            signature: &self.signature,
        }
    }
}

fn claims<'a>(
    rules: &Rules<'_>,
    at: i64,
    content: &'a Content,
) -> Result<Claims<'a>, ValidationCode> {
    let identify = |bytes: &[u8]| rules.epoch.membership.identify(bytes, at).ok();
    let creator = Claim {
        bit: 1,
        identity: identify(content.creator()).ok_or(ValidationCode::BadCreatorSignature)?,
        message: content.signed_payload().into(),
        signature: Signature::from_der(content.signature())
            .map_err(|_| ValidationCode::BadCreatorSignature)?,
    };
    let foreign = content.channel_id() != rules.epoch.config.channel_id;
    let foreign = foreign.then_some(ValidationCode::TargetChainNotFound);
    let Content::Transaction(transaction) = content else {
        // Who agreed to a configuration is part of what makes it follow.
        return Ok(Claims { creator, fault: foreign, endorsers: None });
    };
    let committed = rules.contracts.get(&transaction.chaincode_name);
    let fault = if foreign.is_some() {
        foreign
    } else if committed != Some(&transaction.chaincode_version) {
        Some(ValidationCode::InvalidChaincode)
    } else {
        None
    };
    // An endorsement that cannot be attributed counts for nothing; the policy then decides.
    let endorsers = (1_u32..)
        .zip(&transaction.endorsements)
        .filter_map(|(place, (endorser, signature))| {
            Some(Claim {
                bit: 1_u128.checked_shl(place)?,
                identity: identify(endorser)?,
                message: endorsement_message(&transaction.endorsed_payload, endorser).into(),
                signature: Signature::from_der(signature).ok()?,
            })
        })
        .collect();
    Ok(Claims { creator, fault, endorsers: Some(endorsers) })
}

impl Verdicts {
    fn known(&self, transactions: &[Arc<Decoded>]) -> Vec<Verdict> {
        let inner = self.lock();
        if inner.young.is_empty() && inner.old.is_empty() {
            return vec![Verdict::default(); transactions.len()];
        }
        let find = |decoded: &Arc<Decoded>| {
            let digest = &decoded.digest;
            inner.young.get(digest).or_else(|| inner.old.get(digest)).copied().unwrap_or_default()
        };
        transactions.iter().map(find).collect()
    }

    fn learn(&self, learned: Vec<(Sm3Digest, Verdict)>) {
        let mut inner = self.lock();
        for (digest, verdict) in learned {
            if inner.young.len() >= VERDICTS_MAX / 2 {
                inner.old = std::mem::take(&mut inner.young);
            }
            inner.young.insert(digest, verdict);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
