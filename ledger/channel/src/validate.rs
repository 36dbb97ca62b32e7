//! Validation: which transactions of an ordered block take effect, and what they write.
//!
//! Deterministic: the result depends on the block, the state before it and the channel's
//! configuration, never on this node's clock. The cost is two SM2 verifications a transaction,
//! done as one batch over all cores; the rest is one index look-up a read key.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use changbai_msp::{EffectivePolicy, Identity, Membership};
use changbai_storage::StorageError;
use changbai_wire::proto::kvrwset;
use changbai_wire::{
    DecodedTransaction, NsReadWriteSet, TxId, ValidationCode, endorsement_message,
};
use rayon::prelude::*;
use smkit::sm2::{Signature, Unverified};

use crate::limits::SIGNATURE_CHUNK;
use crate::state::{StateView, Version};

/// What validation measures a block against.
pub(crate) struct Rules<'a> {
    pub(crate) channel_id: &'a str,
    pub(crate) membership: &'a Membership,
    pub(crate) endorsement: &'a EffectivePolicy,
    /// Contracts by name, with the version that is committed.
    pub(crate) contracts: &'a HashMap<String, String>,
}

/// A key's new value, or its deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) namespace: String,
    pub(crate) key: String,
    pub(crate) version: Version,
    pub(crate) value: Option<Vec<u8>>,
}

/// The result for one block.
#[derive(Debug, Default)]
pub(crate) struct Validated {
    /// One code a transaction, in block order.
    pub(crate) codes: Vec<ValidationCode>,
    /// Writes of the valid transactions, in block order.
    pub(crate) writes: Vec<Write>,
}

/// A transaction as the block carries it: decoded, or the code for why it cannot be.
pub(crate) type Candidate<'a> = Result<&'a DecodedTransaction, ValidationCode>;

/// Judges every transaction of block `number`, whose header says `time_ms`.
///
/// # Errors
///
/// Only when the state cannot be read; a bad transaction gets a code instead.
pub(crate) fn validate(
    rules: &Rules<'_>,
    view: &dyn StateView,
    in_ledger: &dyn Fn(&TxId) -> Result<bool, StorageError>,
    number: u64,
    time_ms: u64,
    candidates: &[Candidate<'_>],
) -> Result<Validated, StorageError> {
    let mut codes = check_signatures(rules, time_ms, candidates);
    let mut writes = Vec::new();
    let mut overlay = Overlay::default();
    let mut seen = HashSet::new();
    for (index, (candidate, code)) in candidates.iter().zip(codes.iter_mut()).enumerate() {
        let Ok(transaction) = candidate else { continue };
        if *code != ValidationCode::Valid {
            continue;
        }
        if !seen.insert(transaction.tx_id) || in_ledger(&transaction.tx_id)? {
            *code = ValidationCode::DuplicateTxid;
            continue;
        }
        let version = Version { block: number, index: u32::try_from(index).unwrap_or(u32::MAX) };
        match effects(rules, view, &overlay, transaction, version)? {
            Ok(own) => {
                overlay.extend(&own);
                writes.extend(own);
            }
            Err(refusal) => *code = refusal,
        }
    }
    Ok(Validated { codes, writes })
}

/// Signatures and the endorsement policy, for the whole block at once.
fn check_signatures(
    rules: &Rules<'_>,
    time_ms: u64,
    candidates: &[Candidate<'_>],
) -> Vec<ValidationCode> {
    let at = i64::try_from(time_ms / 1_000).unwrap_or(i64::MAX);
    let claims: Vec<Result<Claims<'_>, ValidationCode>> =
        candidates.iter().map(|candidate| candidate.and_then(|t| claims(rules, at, t))).collect();
    let batch: Vec<Unverified<'_>> = claims
        .iter()
        .flatten()
        .flat_map(|claim| std::iter::once(&claim.creator).chain(&claim.endorsers))
        .map(Claim::unverified)
        .collect();
    let mut verdicts = batch
        .par_chunks(SIGNATURE_CHUNK)
        .flat_map_iter(verify_chunk)
        .collect::<Vec<bool>>()
        .into_iter();
    let mut next = || verdicts.next().unwrap_or(false);
    claims
        .iter()
        .map(|claim| match claim {
            Err(code) => *code,
            Ok(claim) => {
                let creator_signed = next();
                let endorsers: Vec<&Identity> = claim
                    .endorsers
                    .iter()
                    .filter_map(|e| next().then_some(e.identity.as_ref()))
                    .collect();
                if !creator_signed {
                    ValidationCode::BadCreatorSignature
                } else if rules.endorsement.evaluate(&endorsers) {
                    ValidationCode::Valid
                } else {
                    ValidationCode::EndorsementPolicyFailure
                }
            }
        })
        .collect()
}

#[cfg(not(feature = "bench-stub-verification"))]
fn verify_chunk(chunk: &[Unverified<'_>]) -> Vec<bool> {
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
    endorsers: Vec<Claim<'a>>,
}

struct Claim<'a> {
    identity: Arc<Identity>,
    message: std::borrow::Cow<'a, [u8]>,
    signature: Signature,
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
    transaction: &'a DecodedTransaction,
) -> Result<Claims<'a>, ValidationCode> {
    if transaction.channel_id != rules.channel_id {
        return Err(ValidationCode::TargetChainNotFound);
    }
    let committed = rules.contracts.get(&transaction.chaincode_name);
    if committed != Some(&transaction.chaincode_version) {
        return Err(ValidationCode::InvalidChaincode);
    }
    let identify = |bytes: &[u8]| rules.membership.identify(bytes, at).ok();
    let creator = Claim {
        identity: identify(&transaction.creator).ok_or(ValidationCode::BadCreatorSignature)?,
        message: transaction.signed_payload.as_slice().into(),
        signature: Signature::from_der(&transaction.signature)
            .map_err(|_| ValidationCode::BadCreatorSignature)?,
    };
    // An endorsement that cannot be attributed counts for nothing; the policy then decides.
    let endorsers = transaction
        .endorsements
        .iter()
        .filter_map(|(endorser, signature)| {
            Some(Claim {
                identity: identify(endorser)?,
                message: endorsement_message(&transaction.endorsed_payload, endorser).into(),
                signature: Signature::from_der(signature).ok()?,
            })
        })
        .collect();
    Ok(Claims { creator, endorsers })
}

/// Keys written by valid transactions earlier in the same block.
#[derive(Default)]
struct Overlay(std::collections::BTreeSet<(String, String)>);

impl Overlay {
    fn extend(&mut self, writes: &[Write]) {
        self.0.extend(writes.iter().map(|w| (w.namespace.clone(), w.key.clone())));
    }

    fn holds(&self, namespace: &str, key: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&(namespace.to_owned(), key.to_owned()))
    }

    fn holds_any(&self, namespace: &str, start: &str, end: &str) -> bool {
        let from = (namespace.to_owned(), start.to_owned());
        self.0
            .range(from..)
            .next()
            .is_some_and(|(ns, key)| ns == namespace && (end.is_empty() || key.as_str() < end))
    }
}

/// The writes of one transaction, if what it read still stands.
fn effects(
    rules: &Rules<'_>,
    view: &dyn StateView,
    overlay: &Overlay,
    transaction: &DecodedTransaction,
    version: Version,
) -> Result<Result<Vec<Write>, ValidationCode>, StorageError> {
    let mut writes = Vec::new();
    for ns in &transaction.rwset.namespaces {
        let (namespace, kv) = (&ns.namespace, &ns.set);
        if !rules.contracts.contains_key(namespace) {
            return Ok(Err(ValidationCode::IllegalWriteset));
        }
        for read in &kv.reads {
            let current = view.get(namespace, &read.key)?.map(|(version, _)| version);
            if overlay.holds(namespace, &read.key) || current != as_version(read) {
                return Ok(Err(ValidationCode::MvccReadConflict));
            }
        }
        for range in &kv.range_queries_info {
            if !range_stands(view, overlay, namespace, range)? {
                return Ok(Err(ValidationCode::PhantomReadConflict));
            }
        }
        writes.extend(writes_of(ns, version));
    }
    Ok(Ok(writes))
}

/// The writes of one namespace as its read-write set states them.
pub(crate) fn writes_of(
    ns: &NsReadWriteSet,
    version: Version,
) -> impl Iterator<Item = Write> + use<'_> {
    ns.set.writes.iter().map(move |write| Write {
        namespace: ns.namespace.clone(),
        key: write.key.clone(),
        version,
        value: (!write.is_delete).then(|| write.value.clone()),
    })
}

/// Whether a recorded range query would see the same keys in the same versions.
fn range_stands(
    view: &dyn StateView,
    overlay: &Overlay,
    namespace: &str,
    range: &kvrwset::RangeQueryInfo,
) -> Result<bool, StorageError> {
    let seen: &[kvrwset::KvRead] = match &range.reads_info {
        Some(kvrwset::range_query_info::ReadsInfo::RawReads(reads)) => &reads.kv_reads,
        Some(kvrwset::range_query_info::ReadsInfo::ReadsMerkleHashes(_)) => return Ok(false),
        None => &[],
    };
    // A query that stopped early vouches only for what lies before the last key it returned.
    let end = match seen.last() {
        Some(last) if !range.itr_exhausted => format!("{}\0", last.key),
        _ => range.end_key.clone(),
    };
    if overlay.holds_any(namespace, &range.start_key, &end) {
        return Ok(false);
    }
    let now = view.range(namespace, &range.start_key, &end, seen.len() + 1)?;
    Ok(now.len() == seen.len()
        && now.iter().zip(seen).all(|((key, version, _), read)| {
            *key == read.key && Some(*version) == as_version(read)
        }))
}

/// `None` also for a version that no ledger can hold; it then differs from every real one.
fn as_version(read: &kvrwset::KvRead) -> Option<Version> {
    let version = read.version.as_ref()?;
    let index = u32::try_from(version.tx_num).unwrap_or(u32::MAX);
    Some(Version { block: version.block_num, index })
}
