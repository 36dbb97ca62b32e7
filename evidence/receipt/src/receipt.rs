//! The receipt (凭据): everything that proves one transaction to somebody who trusts the roots and nothing else.

mod document;
mod links;

use changbai_core::{LedgerProof, canonical, canonical::CanonicalError};
use changbai_merkle::InclusionProof;
use changbai_wire::{Header, TransactionLeaf, ValidatorAddress};
use smkit::{Sm3Digest, sm2::Signature};
use smkit_pki::{Certificate, CertificateError};

use self::document::Document;
use crate::{identity, limits::RECEIPT_BYTES_MAX};

/// A receipt, well-formed but unverified.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The header that commits to the transaction; its block is later than the transaction's.
    pub header: Header,
    /// Consensus round in which the header was decided.
    pub round: u32,
    /// Precommits of validators over the header's hash.
    pub signatures: Vec<CommitSignature>,
    /// The validators' certificates, in the order that the header's `validators_hash` covers.
    pub validators: Vec<Certificate>,
    /// Certificates between the leaves and the roots, by rising fingerprint.
    pub intermediates: Vec<Certificate>,
    /// Fingerprints of the roots that the certificates lead to, rising. A hint for the reader which root to ask
    /// for, never a reason to trust it.
    pub anchors: Vec<Sm3Digest>,
    /// The transaction's `common.Envelope`, exactly as ordered.
    pub envelope: Vec<u8>,
    /// The transaction's leaf in the transaction log.
    pub leaf: TransactionLeaf,
    /// Path from the leaf to the header's log root.
    pub inclusion: InclusionProof,
    /// How the validators came about: the blocks from the channel's first that put a configuration in force, up to
    /// the one that named these validators. Empty: unsaid, as in format 1.
    pub configurations: Vec<ConfigurationLink>,
}

/// One block on the way from a channel's first validators to others.
#[derive(Clone, Debug)]
pub struct ConfigurationLink {
    /// Its header, in the receipt's channel.
    pub header: Header,
    /// Consensus round in which the header was decided; 0 for block 0.
    pub round: u32,
    /// Precommits of the validators then in office over the header's hash; none for block 0, which nobody decided.
    pub signatures: Vec<CommitSignature>,
    /// The block's only transaction, the configuration, exactly as ordered. `None` for a lone block 0: while its
    /// validators are in office, its header says all.
    pub envelope: Option<Vec<u8>>,
}

/// One validator's precommit signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitSignature {
    /// Who signed.
    pub validator: ValidatorAddress,
    /// Over [`changbai_wire::Vote::sign_bytes`].
    pub signature: Signature,
}

/// Why bytes or a ledger's proof do not make a receipt.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// Not the canonical JSON document of `FORMAT.md` §3.
    #[error("the receipt is not a canonical document")]
    Document(#[from] CanonicalError),
    /// A field does not hold what it should.
    #[error("{field} of the receipt: {reason}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A certificate is malformed or not SM2.
    #[error("certificate {index} in {field} of the receipt")]
    Certificate {
        /// `validators` or `intermediates`.
        field: &'static str,
        /// Place in the list, from 0.
        index: usize,
        /// Why it was refused.
        #[source]
        source: CertificateError,
    },
}

impl Receipt {
    /// Parses `receipt.json` strictly: canonical form only, every list within its bound, every certificate SM2.
    ///
    /// # Errors
    /// See [`ReceiptError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let max_bytes = usize::try_from(RECEIPT_BYTES_MAX).unwrap_or(usize::MAX);
        canonical::from_bytes::<Document>(bytes, max_bytes)?.into_receipt()
    }

    /// The bytes of `receipt.json`; [`from_bytes`](Self::from_bytes) gives the same receipt back.
    ///
    /// # Errors
    /// [`ReceiptError::Document`] or [`ReceiptError::Field`] if a number or a list is beyond its bound.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ReceiptError> {
        let bytes = canonical::to_bytes(&Document::from_receipt(self)?)?;
        if u64::try_from(bytes.len()).is_ok_and(|len| len <= RECEIPT_BYTES_MAX) {
            Ok(bytes)
        } else {
            Err(ReceiptError::Field { field: "transaction", reason: "it is too large" })
        }
    }

    /// Builds the receipt from a ledger's proof: puts signatures in validator order, drops intermediates that no
    /// certificate of the proof needs, sorts the rest, and keeps of the configurations those that lead to the
    /// validators.
    ///
    /// `proof.anchors` must be the fingerprints of exactly the roots that the proof's certificates lead to; a
    /// verifier refuses a receipt that names others.
    ///
    /// # Errors
    /// See [`ReceiptError`].
    pub fn from_proof(proof: &LedgerProof) -> Result<Self, ReceiptError> {
        let validators = certificates("validators", &proof.validators)?;
        let order: Vec<_> =
            validators.iter().map(|v| ValidatorAddress::for_key(v.public_key())).collect();
        let signatures = links::signatures(&proof.signatures, &order)?;

        let mut leaves = validators.clone();
        leaves.extend(identity::certificates_in(&proof.envelope).ok_or(ReceiptError::Field {
            field: "transaction",
            reason: "the envelope is malformed or signed by somebody without an SM2 certificate",
        })?);
        let mut intermediates = certificates("intermediates", &proof.intermediates)?;
        intermediates.sort_by_key(Certificate::sm3);
        intermediates.dedup_by_key(|certificate| certificate.sm3());
        let needed = identity::needed(&leaves, &intermediates);
        let mut needed = needed.into_iter();
        intermediates.retain(|_| needed.next().unwrap_or(false));

        let mut anchors = proof.anchors.clone();
        anchors.sort_unstable();
        anchors.dedup();
        Ok(Self {
            header: proof.header.clone(),
            round: proof.round,
            signatures,
            validators,
            intermediates,
            anchors,
            envelope: proof.envelope.clone(),
            leaf: proof.leaf,
            inclusion: proof.inclusion.clone(),
            configurations: links::links(proof)?,
        })
    }
}

fn certificates(field: &'static str, ders: &[Vec<u8>]) -> Result<Vec<Certificate>, ReceiptError> {
    ders.iter()
        .enumerate()
        .map(|(index, der)| {
            Certificate::from_der(der).map_err(|source| ReceiptError::Certificate {
                field,
                index,
                source,
            })
        })
        .collect()
}
