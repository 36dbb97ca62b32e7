//! The transaction: it records exactly this record, validly, and its signatures are right.

use std::collections::BTreeSet;

use changbai_core::{Record, contract};
use changbai_msp::Identity;
use changbai_wire::{DecodedTransaction, decode_transaction, endorsement_message};
use smkit::sm2::{Signature, Unverified, verify_many};

use super::header::{Seats, precommits};
use crate::{limits::ENDORSEMENTS_MAX, reasons, receipt::Receipt, report::Finding};

/// A transaction taken apart, its signers' certificates parsed.
pub(super) struct Opened {
    pub(super) decoded: DecodedTransaction,
    pub(super) creator: Identity,
    pub(super) endorsers: Vec<Identity>,
}

/// Which signatures are wrong.
pub(super) struct Invalid {
    creator: bool,
    /// Places in the transaction's endorsements.
    endorsers: BTreeSet<usize>,
    /// Places in the receipt's precommits.
    pub(super) commits: BTreeSet<usize>,
}

/// Takes the envelope apart.
pub(super) fn open(receipt: &Receipt) -> Result<Opened, Finding> {
    let decoded = decode_transaction(&receipt.envelope)
        .map_err(|(code, _)| Finding::new(reasons::TRANSACTION_MALFORMED).with(code.name()))?;
    if decoded.endorsements.len() > ENDORSEMENTS_MAX {
        return Err(Finding::new(reasons::TRANSACTION_MALFORMED).with("endorsements"));
    }
    let parse = |serialized: &[u8]| {
        Identity::parse(serialized).map_err(|_| Finding::new(reasons::TRANSACTION_IDENTITY))
    };
    let creator = parse(&decoded.creator)?;
    let endorsers = decoded
        .endorsements
        .iter()
        .map(|(endorser, _)| parse(endorser))
        .collect::<Result<_, _>>()?;
    Ok(Opened { decoded, creator, endorsers })
}

/// Verifies precommits, creator and endorsements in one batch. A signature that cannot be parsed, or whose signer
/// is unknown, counts as wrong.
pub(super) fn signatures(receipt: &Receipt, opened: Option<&Opened>, seats: &Seats) -> Invalid {
    let commit_messages = precommits(&receipt.header, receipt.round, &receipt.signatures);
    let endorsements = opened.map_or(&[][..], |opened| &opened.decoded.endorsements);
    let endorsed: Vec<_> = opened.map_or_else(Vec::new, |opened| {
        let payload = &opened.decoded.endorsed_payload;
        endorsements.iter().map(|(endorser, _)| endorsement_message(payload, endorser)).collect()
    });
    let endorser_signatures: Vec<_> =
        endorsements.iter().map(|(_, der)| Signature::from_der(der).ok()).collect();
    let creator_signature =
        opened.and_then(|opened| Signature::from_der(&opened.decoded.signature).ok());

    let mut invalid = Invalid {
        creator: creator_signature.is_none(),
        endorsers: (0..endorsements.len()).collect(),
        commits: (0..receipt.signatures.len()).collect(),
    };
    let mut batch = Vec::new();
    let mut places = Vec::new();
    for (at, (commit, message)) in receipt.signatures.iter().zip(&commit_messages).enumerate() {
        if let Some(seat) =
            seats.place(&commit.validator).and_then(|place| receipt.validators.get(place))
        {
            let key = seat.verifying_key();
            batch.push(Unverified { key, message, signature: &commit.signature });
            places.push(Place::Commit(at));
        }
    }
    if let Some(opened) = opened {
        if let Some(signature) = &creator_signature {
            let key = opened.creator.verifying_key();
            batch.push(Unverified { key, message: &opened.decoded.signed_payload, signature });
            places.push(Place::Creator);
        }
        let parts = opened.endorsers.iter().zip(&endorsed).zip(&endorser_signatures);
        for (at, ((endorser, message), signature)) in parts.enumerate() {
            if let Some(signature) = signature {
                let key = endorser.verifying_key();
                batch.push(Unverified { key, message, signature });
                places.push(Place::Endorser(at));
            }
        }
    }
    for (place, result) in places.into_iter().zip(verify_many(&batch)) {
        match place {
            Place::Creator => invalid.creator = result.is_err(),
            _ if result.is_err() => {}
            Place::Commit(at) => {
                invalid.commits.remove(&at);
            }
            Place::Endorser(at) => {
                invalid.endorsers.remove(&at);
            }
        }
    }
    invalid
}

/// Whose signature one entry of the batch is.
enum Place {
    Creator,
    Endorser(usize),
    Commit(usize),
}

/// Element `transaction`.
pub(super) fn check(
    receipt: &Receipt,
    opened: &Opened,
    invalid: &Invalid,
    record_bytes: &[u8],
    record: Option<&Record>,
) -> Finding {
    let decoded = &opened.decoded;
    if !receipt.leaf.code.is_valid() {
        return Finding::new(reasons::TRANSACTION_INVALID).with(receipt.leaf.code.name());
    }
    if decoded.channel_id != receipt.header.channel_id {
        return Finding::new(reasons::TRANSACTION_OTHER_CHANNEL)
            .with(&decoded.channel_id)
            .with(&receipt.header.channel_id);
    }
    if let Err(finding) = records(decoded, record_bytes, record) {
        return finding;
    }
    if let Some(record) = record
        && opened.creator.msp_id != record.parts().agency.msp_id
    {
        return Finding::new(reasons::TRANSACTION_OTHER_AGENCY)
            .with(&opened.creator.msp_id)
            .with(&record.parts().agency.msp_id);
    }
    if invalid.creator {
        return Finding::new(reasons::TRANSACTION_CREATOR);
    }
    if let Some(at) = invalid.endorsers.first() {
        return Finding::new(reasons::TRANSACTION_ENDORSER).with(at.saturating_add(1));
    }
    let distinct: BTreeSet<_> =
        opened.endorsers.iter().map(|endorser| endorser.certificate.sm3()).collect();
    if distinct.is_empty() {
        return Finding::new(reasons::TRANSACTION_UNENDORSED);
    }
    if distinct.len() != opened.endorsers.len() {
        return Finding::new(reasons::TRANSACTION_ENDORSED_TWICE);
    }
    if record.is_none() {
        return Finding::new(reasons::TRANSACTION_OTHER_RECORD);
    }
    Finding::new(reasons::TRANSACTION_PROVEN).with(decoded.tx_id).with(distinct.len())
}

/// The transaction calls the evidence contract's `Create` with exactly this record, and its result writes it.
fn records(
    decoded: &DecodedTransaction,
    record_bytes: &[u8],
    record: Option<&Record>,
) -> Result<(), Finding> {
    let function = decoded.args.first().map(Vec::as_slice).unwrap_or_default();
    if decoded.chaincode_name != contract::NAME || function != contract::CREATE.as_bytes() {
        // Names on a ledger are foreign text: show what is printable.
        let called: String = format!("{}/{}", decoded.chaincode_name, function.escape_ascii())
            .chars()
            .filter(|c| !c.is_control())
            .take(100)
            .collect();
        return Err(Finding::new(reasons::TRANSACTION_OTHER_CALL).with(called));
    }
    let [_, recorded] = decoded.args.as_slice() else {
        return Err(Finding::new(reasons::TRANSACTION_OTHER_RECORD));
    };
    if recorded != record_bytes {
        return Err(Finding::new(reasons::TRANSACTION_OTHER_RECORD));
    }
    if decoded.response.status != ACCEPTED {
        return Err(Finding::new(reasons::TRANSACTION_REFUSED).with(decoded.response.status));
    }
    let Some(record) = record else { return Ok(()) };
    let key = contract::record_key(record.id());
    let stored =
        contract::StoredRecord { tx_id: *decoded.tx_id.digest(), record: record_bytes.to_vec() }
            .to_bytes();
    let written = decoded
        .rwset
        .namespaces
        .iter()
        .filter(|ns| ns.namespace == contract::NAME)
        .flat_map(|ns| &ns.set.writes)
        .any(|write| write.key == key && !write.is_delete && write.value == stored);
    if written { Ok(()) } else { Err(Finding::new(reasons::TRANSACTION_NOT_WRITTEN)) }
}

/// Fabric's status of an accepted invocation.
const ACCEPTED: i32 = 200;
