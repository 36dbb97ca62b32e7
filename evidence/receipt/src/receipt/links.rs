//! How the validators of a receipt came about: from a ledger's blocks to the links that a verifier needs.

use changbai_core::{ConfigurationProof, LedgerProof};
use changbai_msp::{ChannelConfig, ValidatorConfig};
use changbai_wire::ValidatorAddress;
use smkit::sm2::Signature;

use super::{CommitSignature, ConfigurationLink, ReceiptError};

/// The links from block 0 to the first configuration with the validators of the proof's header, and none beyond.
///
/// While the first validators are in office the header of block 0 is enough.
pub(super) fn links(proof: &LedgerProof) -> Result<Vec<ConfigurationLink>, ReceiptError> {
    let target = proof.header.validators_hash;
    let Some((genesis, later)) = proof.configurations.split_first() else { return Ok(Vec::new()) };
    let first = |envelope| ConfigurationLink {
        header: genesis.header.clone(),
        round: 0,
        signatures: Vec::new(),
        envelope,
    };
    if genesis.header.validators_hash == target {
        return Ok(vec![first(None)]);
    }
    let mut links = vec![first(Some(genesis.envelope.clone()))];
    let mut office = configuration(genesis)?;
    for block in later {
        let order: Vec<_> = office.validators.iter().map(ValidatorConfig::address).collect();
        links.push(ConfigurationLink {
            header: block.header.clone(),
            round: block.round,
            signatures: signatures(&block.signatures, &order)?,
            envelope: Some(block.envelope.clone()),
        });
        office = configuration(block)?;
        if office.validators_hash() == target {
            return Ok(links);
        }
    }
    Err(field("they do not lead to the validators of the header"))
}

/// Signatures in the order of the validators.
pub(super) fn signatures(
    signatures: &[(ValidatorAddress, Vec<u8>)],
    order: &[ValidatorAddress],
) -> Result<Vec<CommitSignature>, ReceiptError> {
    let mut all = Vec::with_capacity(signatures.len());
    for (validator, der) in signatures {
        let signature = Signature::from_der(der).map_err(|_| ReceiptError::Field {
            field: "commit",
            reason: "a signature is not strict DER",
        })?;
        all.push(CommitSignature { validator: *validator, signature });
    }
    all.sort_by_key(|s| order.iter().position(|address| *address == s.validator));
    Ok(all)
}

fn configuration(block: &ConfigurationProof) -> Result<ChannelConfig, ReceiptError> {
    ChannelConfig::from_envelope(&block.envelope)
        .map_err(|_| field("a block does not hold a configuration"))
}

const fn field(reason: &'static str) -> ReceiptError {
    ReceiptError::Field { field: "configurations", reason }
}
