//! The header's quorum and the path from the transaction to the header.

use std::collections::{BTreeMap, BTreeSet};

use changbai_merkle::leaf_hash;
use changbai_wire::{Header, ValidatorAddress, Vote, VoteKind, quorum, validators_hash};

use crate::{
    reasons,
    receipt::{CommitSignature, Receipt},
    report::Finding,
};

/// The validators of a receipt by address.
pub(super) struct Seats {
    addresses: Vec<ValidatorAddress>,
    by_address: BTreeMap<ValidatorAddress, usize>,
}

impl Seats {
    pub(super) fn new(receipt: &Receipt) -> Self {
        let addresses: Vec<_> =
            receipt.validators.iter().map(|v| ValidatorAddress::for_key(v.public_key())).collect();
        let by_address = addresses.iter().copied().zip(0..).collect();
        Self { addresses, by_address }
    }

    /// Place of the validator with this address.
    pub(super) fn place(&self, address: &ValidatorAddress) -> Option<usize> {
        self.by_address.get(address).copied()
    }
}

/// What each precommit over a header must have signed, in the order of the signatures.
pub(super) fn precommits(
    header: &Header,
    round: u32,
    signatures: &[CommitSignature],
) -> Vec<Vec<u8>> {
    let block = Some(header.hash());
    signatures
        .iter()
        .map(|commit| {
            Vote {
                channel_id: header.channel_id.clone(),
                kind: VoteKind::Precommit,
                height: header.number,
                round,
                block,
                validator: commit.validator,
            }
            .sign_bytes()
        })
        .collect()
}

/// Element `header`: a quorum of exactly the validators that the header commits to signed it.
///
/// `invalid` are the places of signatures that are wrong.
pub(super) fn check(receipt: &Receipt, seats: &Seats, invalid: &BTreeSet<usize>) -> Finding {
    let count = receipt.validators.len();
    if count == 0 || seats.by_address.len() != count {
        return Finding::new(reasons::HEADER_SAME_VALIDATOR);
    }
    let members: Vec<_> = seats
        .addresses
        .iter()
        .copied()
        .zip(receipt.validators.iter().map(|certificate| certificate.public_key()))
        .collect();
    if validators_hash(&receipt.header.channel_id, &members) != receipt.header.validators_hash {
        return Finding::new(reasons::HEADER_OTHER_SET);
    }
    let mut places = Vec::with_capacity(receipt.signatures.len());
    for (at, commit) in receipt.signatures.iter().enumerate() {
        let Some(place) = seats.place(&commit.validator) else {
            return Finding::new(reasons::HEADER_STRANGER).with(commit.validator);
        };
        if invalid.contains(&at) {
            return Finding::new(reasons::HEADER_SIGNATURE).with(commit.validator);
        }
        places.push(place);
    }
    if !places.is_sorted_by(|a, b| a < b) {
        return Finding::new(reasons::HEADER_SIGNED_TWICE);
    }
    let needed = quorum(count);
    if places.len() < needed {
        return Finding::new(reasons::HEADER_QUORUM).with(places.len()).with(needed);
    }
    Finding::new(reasons::HEADER_PROVEN)
        .with(receipt.header.number)
        .with(places.len())
        .with(count)
        .with(needed)
        .with(&receipt.header.channel_id)
}

/// Element `inclusion`: the leaf built from the transaction leads to the header's log root.
pub(super) fn inclusion(receipt: &Receipt) -> Finding {
    let (header, proof) = (&receipt.header, &receipt.inclusion);
    if proof.size != header.log_size {
        return Finding::new(reasons::INCLUSION_OTHER_SIZE).with(proof.size).with(header.log_size);
    }
    if receipt.leaf.block_number >= header.number {
        return Finding::new(reasons::INCLUSION_ORDER)
            .with(receipt.leaf.block_number)
            .with(header.number);
    }
    if proof.verify(&leaf_hash(&receipt.leaf.to_bytes()), &header.log_root).is_err() {
        return Finding::new(reasons::INCLUSION_WRONG);
    }
    Finding::new(reasons::INCLUSION_PROVEN).with(proof.index.saturating_add(1)).with(proof.size)
}
