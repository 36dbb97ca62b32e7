//! Signature verification with a memory: what was valid once is not verified again.

use std::collections::BTreeSet;

use core_types::{SignedVote, ThresholdParam, Validator as _, ValidatorSet as _};
use smkit::{
    Sm3Digest,
    sm2::{Unverified, VerifyingKey, verify_many},
    sm3_parts,
};

use crate::{
    context::{Address, Ctx, Key, Sig, Validators},
    limits::VERIFIED_MAX,
    sign::vote_bytes,
};

/// What signing and verifying cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignatureStats {
    /// Signatures made with the own key.
    pub signed: u64,
    /// Signatures verified by computation.
    pub verified: u64,
    /// Signatures answered from memory.
    pub remembered: u64,
}

/// Verifies for one channel and remembers, in two generations, what was valid. Invalid
/// signatures are not remembered, so that nobody can push valid ones out with garbage.
#[derive(Debug)]
pub(crate) struct Verifier {
    channel_id: String,
    young: BTreeSet<Sm3Digest>,
    old: BTreeSet<Sm3Digest>,
    pub(crate) stats: SignatureStats,
}

/// Why the votes of a certificate do not make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Unknown(Address),
    Duplicate(Address),
    /// Position of the first invalid signature.
    Signature(usize),
    TooFew {
        signed: u64,
        total: u64,
        expected: u64,
    },
}

impl Verifier {
    pub(crate) fn new(channel_id: &str) -> Self {
        Self {
            channel_id: channel_id.to_owned(),
            young: BTreeSet::new(),
            old: BTreeSet::new(),
            stats: SignatureStats::default(),
        }
    }

    pub(crate) fn channel_id(&self) -> &str {
        &self.channel_id
    }

    /// Whether `signature` is valid, from memory if it was valid before.
    pub(crate) fn check(&mut self, key: &VerifyingKey, message: &[u8], signature: &Sig) -> bool {
        #[cfg(feature = "mutations")]
        if crate::mutation::is(crate::mutation::Mutation::VotesUnverified) {
            return true;
        }
        let id = identity(key, message, signature);
        if self.remembers(&id) {
            return true;
        }
        self.stats.verified = self.stats.verified.saturating_add(1);
        let valid = key.verify(message, &signature.0).is_ok();
        if valid {
            self.insert(id);
        }
        valid
    }

    /// Remembers a signature just made with the own key.
    pub(crate) fn remember_own(&mut self, key: &VerifyingKey, message: &[u8], signature: &Sig) {
        self.stats.signed = self.stats.signed.saturating_add(1);
        self.insert(identity(key, message, signature));
    }

    /// Checks that `votes` come from different members of the set, reach `threshold`, and are
    /// all validly signed; signatures not remembered are verified in one batch.
    pub(crate) fn check_votes(
        &mut self,
        votes: &[SignedVote<Ctx>],
        set: &Validators,
        threshold: ThresholdParam,
    ) -> Result<(), Fault> {
        let mut seen = BTreeSet::new();
        let mut claims = Vec::with_capacity(votes.len());
        let mut signed = 0_u64;
        for (position, vote) in votes.iter().enumerate() {
            let address = vote.message.address;
            if !seen.insert(address) {
                return Err(Fault::Duplicate(address));
            }
            let member = set.get_by_address(&address).ok_or(Fault::Unknown(address))?;
            signed = signed.saturating_add(member.voting_power());
            let message =
                vote_bytes(&self.channel_id, &vote.message).ok_or(Fault::Signature(position))?;
            claims.push((position, member.public_key(), message, &vote.signature));
        }
        let total = set.total_voting_power();
        if !threshold.is_met(signed, total) {
            return Err(Fault::TooFew { signed, total, expected: threshold.min_expected(total) });
        }
        self.check_claims(&claims)
    }

    /// Forgets everything: called when the set changes.
    pub(crate) fn forget(&mut self) {
        self.young.clear();
        self.old.clear();
    }

    fn check_claims(&mut self, claims: &[(usize, &Key, Vec<u8>, &Sig)]) -> Result<(), Fault> {
        let mut open = Vec::with_capacity(claims.len());
        for (position, key, message, signature) in claims {
            let id = identity(&key.key, message, signature);
            if !self.remembers(&id) {
                let claim = Unverified { key: &key.key, message, signature: &signature.0 };
                open.push((*position, id, claim));
            }
        }
        let batch: Vec<_> = open.iter().map(|(_, _, claim)| *claim).collect();
        self.stats.verified = self.stats.verified.saturating_add(batch.len() as u64);
        #[cfg(feature = "mutations")]
        if crate::mutation::is(crate::mutation::Mutation::VotesUnverified) {
            return Ok(());
        }
        let mut first_invalid = None;
        for ((position, id, _), verdict) in open.iter().zip(verify_many(&batch)) {
            match verdict {
                Ok(()) => self.insert(*id),
                Err(_) => first_invalid = first_invalid.or(Some(*position)),
            }
        }
        first_invalid.map_or(Ok(()), |position| Err(Fault::Signature(position)))
    }

    fn remembers(&mut self, id: &Sm3Digest) -> bool {
        let known = self.young.contains(id) || self.old.contains(id);
        if known {
            self.stats.remembered = self.stats.remembered.saturating_add(1);
        }
        known
    }

    fn insert(&mut self, id: Sm3Digest) {
        if self.young.len() >= VERIFIED_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id);
    }
}

/// Identity of a claim. `Z_A` covers the signer id and the public key (GB/T 32918.2 §5.5); the
/// first two parts have a fixed length, so the concatenation is unambiguous.
fn identity(key: &VerifyingKey, message: &[u8], signature: &Sig) -> Sm3Digest {
    sm3_parts(&[key.za().as_bytes(), &signature.0.to_bytes(), message])
}
