//! The proof that a quorum of validators committed to a block.

use std::collections::BTreeSet;

use changbai_wire::{ValidatorAddress, Vote, VoteKind, quorum};
use core_types::{CommitSignature, Round};
use smkit::{
    Sm3Digest,
    sm2::{Signature, Unverified, verify_many},
};

use crate::{
    CodecError, ValidatorSet,
    codec::{Reader, Writer},
    context::{Address, BlockId, Ctx, Height, Sig},
    limits::VALIDATORS_MAX,
};

/// Tag of the encoding, distinct from those of messages.
const COMMIT: u8 = 7;

/// Precommits (预提交) of a quorum for one block: the certificate that makes it final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitCertificate {
    /// Number of the block.
    pub height: u64,
    /// The round it was decided in.
    pub round: u32,
    /// Hash of its header.
    pub block: Sm3Digest,
    /// Who signed, in consenter order when made by the engine, and each one's signature over the
    /// precommit ([`changbai_wire::Vote::sign_bytes`]).
    pub signatures: Vec<(ValidatorAddress, Signature)>,
}

impl CommitCertificate {
    /// Verifies every signature against the set of this height; returns how many there are. No
    /// signature is left unverified, even above the quorum.
    ///
    /// # Errors
    /// See [`CertificateError`]; the first fault in the order unknown or repeated validator,
    /// too few signatures, wrong signature.
    pub fn verify(&self, channel_id: &str, set: &ValidatorSet) -> Result<usize, CertificateError> {
        let mut seen = BTreeSet::new();
        let mut claims = Vec::with_capacity(self.signatures.len().min(VALIDATORS_MAX));
        for (address, signature) in &self.signatures {
            let member = set
                .member(address)
                .ok_or(CertificateError::UnknownValidator { validator: *address })?;
            if !seen.insert(*address) {
                return Err(CertificateError::Duplicate { validator: *address });
            }
            claims.push((member, self.vote_of(channel_id, *address).sign_bytes(), signature));
        }
        let needed = quorum(set.len());
        if claims.len() < needed {
            return Err(CertificateError::BelowQuorum { signed: claims.len(), needed });
        }
        let batch: Vec<_> = claims
            .iter()
            .map(|(member, message, signature)| Unverified { key: &member.key, message, signature })
            .collect();
        for ((member, _, _), verdict) in claims.iter().zip(verify_many(&batch)) {
            verdict.map_err(|_| CertificateError::Signature { validator: member.address })?;
        }
        Ok(claims.len())
    }

    /// The vote that this validator signed, if the certificate is right.
    #[must_use]
    pub fn vote_of(&self, channel_id: &str, validator: ValidatorAddress) -> Vote {
        Vote {
            channel_id: channel_id.to_owned(),
            kind: VoteKind::Precommit,
            height: self.height,
            round: self.round,
            block: Some(self.block),
            validator,
        }
    }

    /// Version, tag, u64 height, u32 round, header hash, u16 count, then address and 64-byte
    /// signature each.
    ///
    /// # Errors
    /// No signature, or more than [`VALIDATORS_MAX`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let mut writer = Writer::new(COMMIT);
        writer.u64(self.height);
        writer.round(Round::new(self.round))?;
        writer.block(&BlockId(self.block));
        writer.count(self.signatures.len())?;
        for (address, signature) in &self.signatures {
            writer.address(&Address(*address));
            writer.signature(&Sig(*signature));
        }
        Ok(writer.finish())
    }

    /// Reads [`CommitCertificate::to_bytes`]; nothing is verified but the form.
    ///
    /// # Errors
    /// Any other bytes than an encoding.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        let (tag, mut reader) = Reader::open(bytes)?;
        if tag != COMMIT {
            return Err(CodecError::Value { field: "tag", found: tag.into() });
        }
        let certificate = Self {
            height: reader.u64()?,
            round: reader.round()?.as_u32().ok_or(CodecError::NilRound)?,
            block: reader.block()?.0,
            signatures: reader.many(|entry| Ok((entry.address()?.0, entry.signature()?.0)))?,
        };
        reader.finish()?;
        Ok(certificate)
    }

    /// From the core's form, signatures in the order of the set.
    pub(crate) fn from_core(
        certificate: core_types::CommitCertificate<Ctx>,
        set: &ValidatorSet,
    ) -> Result<Self, CodecError> {
        let round = certificate.round.as_u32().ok_or(CodecError::NilRound)?;
        let mut signatures: Vec<_> = certificate
            .commit_signatures
            .into_iter()
            .map(|entry| (entry.address.0, entry.signature.0))
            .collect();
        signatures.sort_by_key(|(address, _)| set.position(address));
        Ok(Self { height: certificate.height.0, round, block: certificate.value_id.0, signatures })
    }

    /// In the core's form.
    pub(crate) fn into_core(self) -> core_types::CommitCertificate<Ctx> {
        core_types::CommitCertificate {
            height: Height(self.height),
            round: Round::new(self.round),
            value_id: BlockId(self.block),
            commit_signatures: self
                .signatures
                .into_iter()
                .map(|(address, signature)| CommitSignature::new(Address(address), Sig(signature)))
                .collect(),
        }
    }
}

/// Why a certificate does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// A signature in the name of someone outside the set.
    #[error("{validator} is not a validator of this height")]
    UnknownValidator {
        /// The address.
        validator: ValidatorAddress,
    },
    /// A validator appears twice.
    #[error("{validator} signed twice")]
    Duplicate {
        /// The address.
        validator: ValidatorAddress,
    },
    /// A signature is wrong.
    #[error("the signature of {validator} is wrong")]
    Signature {
        /// In whose name.
        validator: ValidatorAddress,
    },
    /// Fewer signatures than a quorum.
    #[error("{signed} signatures, but {needed} decide")]
    BelowQuorum {
        /// Signatures present.
        signed: usize,
        /// Signatures needed.
        needed: usize,
    },
}
