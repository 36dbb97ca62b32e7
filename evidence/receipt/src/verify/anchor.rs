//! The validators: are they the channel's own, or did somebody with the right certificate make them up?

use changbai_msp::{ChannelConfig, ValidatorConfig, validate_config};
use changbai_wire::{Header, ValidatorAddress, block_data_hash, quorum};
use smkit::sm2::{Unverified, verify_many};

use super::header::precommits;
use crate::{
    Assurance, reasons,
    receipt::{ConfigurationLink, Receipt},
    report::Finding,
    trust::{ChannelAnchor, Trust},
};

/// Element `validators`: a trust file that names the channel leads to exactly these validators.
pub(super) fn check(receipt: &Receipt, trust: Option<&Trust>) -> Finding {
    let channel_id = &receipt.header.channel_id;
    let links = &receipt.configurations;
    let Some(trust) = trust.filter(|trust| !trust.roots().is_empty()) else {
        return Finding::new(reasons::VALIDATORS_UNCHECKED);
    };
    if trust.channels().is_empty() {
        // Links that lead from nowhere prove nothing, and whatever they say could have been altered.
        return match links.first() {
            None => Finding::new(reasons::VALIDATORS_UNANCHORED),
            Some(genesis) => Finding::new(reasons::VALIDATORS_NO_CHANNEL)
                .with(channel_id)
                .with(genesis.header.hash()),
        };
    }
    let Some(anchor) = trust.channel(channel_id) else {
        return Finding::new(reasons::VALIDATORS_OTHER_CHANNEL).with(channel_id);
    };
    let found = receipt.header.validators_hash;
    if links.is_empty() {
        return if anchor.validators.contains(&found) {
            Finding::new(reasons::VALIDATORS_PROVEN).with(channel_id).with(found)
        } else {
            Finding::new(reasons::VALIDATORS_UNLISTED).with(found).with(channel_id)
        };
    }
    match follow(links, anchor, receipt) {
        Ok(()) => Finding::new(reasons::VALIDATORS_PROVEN).with(channel_id).with(anchor.genesis),
        Err(finding) => finding,
    }
}

/// From the genesis block over each configuration to the validators of the receipt's header.
fn follow(
    links: &[ConfigurationLink],
    anchor: &ChannelAnchor,
    receipt: &Receipt,
) -> Result<(), Finding> {
    let Some((genesis, later)) = links.split_first() else { return Ok(()) };
    let target = receipt.header.validators_hash;
    if genesis.header.hash() != anchor.genesis {
        return Err(Finding::new(reasons::VALIDATORS_OTHER_GENESIS)
            .with(&anchor.channel_id)
            .with(genesis.header.hash()));
    }
    if genesis.header.number != 0 || !genesis.signatures.is_empty() || genesis.round != 0 {
        return Err(broken(&genesis.header));
    }
    let Some(envelope) = &genesis.envelope else {
        // A lone header: the first validators, as long as they are in office.
        if later.is_empty() && genesis.header.validators_hash == target {
            return before(&genesis.header, &receipt.header);
        }
        return Err(Finding::new(reasons::VALIDATORS_OTHER_SET).with(target));
    };
    let mut office = first(&genesis.header, envelope)?;
    let mut last = &genesis.header;
    for link in later {
        if office.validators_hash() == target {
            // These are reached already: what follows is not needed, and could be anything.
            return Err(broken(&link.header));
        }
        before(last, &link.header)?;
        office = next(&office, link)?;
        last = &link.header;
    }
    if office.validators_hash() != target || later.is_empty() {
        return Err(Finding::new(reasons::VALIDATORS_OTHER_SET).with(target));
    }
    before(last, &receipt.header)
}

/// The configuration of block 0, which the trusted header commits to.
fn first(header: &Header, envelope: &[u8]) -> Result<ChannelConfig, Finding> {
    if block_data_hash(&[envelope]) != header.data_hash {
        return Err(broken(header));
    }
    let config = ChannelConfig::from_envelope(envelope).map_err(|_| broken(header))?;
    in_office(&config, header)?;
    Ok(config)
}

/// The configuration that a block put in force: its header is signed by those in office, it holds one transaction,
/// and that is what the update in it makes of the configuration before.
fn next(office: &ChannelConfig, link: &ConfigurationLink) -> Result<ChannelConfig, Finding> {
    let header = &link.header;
    let envelope = link.envelope.as_deref().ok_or_else(|| broken(header))?;
    in_office(office, header)?;
    signed(office, link)?;
    if block_data_hash(&[envelope]) != header.data_hash {
        return Err(broken(header));
    }
    let at_unix_s = i64::try_from(header.time_ms / 1_000).unwrap_or(i64::MAX);
    validate_config(office, envelope, at_unix_s).map_err(|error| {
        Finding::new(reasons::VALIDATORS_CONFIGURATION).with(header.number).with(error.code())
    })
}

/// Whether the header belongs to the channel and to the configuration in force.
fn in_office(config: &ChannelConfig, header: &Header) -> Result<(), Finding> {
    let same = config.channel_id == header.channel_id
        && config.sequence == header.config_number
        && config.validators_hash() == header.validators_hash;
    if same { Ok(()) } else { Err(broken(header)) }
}

/// A quorum of those in office signed the header; every signature is right, in order and needed by nobody else.
fn signed(office: &ChannelConfig, link: &ConfigurationLink) -> Result<(), Finding> {
    let refuse = || Finding::new(reasons::VALIDATORS_SIGNATURES).with(link.header.number);
    let seats: Vec<ValidatorAddress> =
        office.validators.iter().map(ValidatorConfig::address).collect();
    let place = |address: &ValidatorAddress| seats.iter().position(|seat| seat == address);
    let places: Option<Vec<usize>> =
        link.signatures.iter().map(|commit| place(&commit.validator)).collect();
    let places = places.ok_or_else(refuse)?;
    if !places.is_sorted_by(|a, b| a < b) || places.len() < quorum(seats.len()) {
        return Err(refuse());
    }
    let messages = precommits(&link.header, link.round, &link.signatures);
    let batch: Vec<Unverified<'_>> = places
        .iter()
        .filter_map(|place| office.validators.get(*place))
        .zip(&messages)
        .zip(&link.signatures)
        .map(|((validator, message), commit)| Unverified {
            key: validator.certificate.verifying_key(),
            message,
            signature: &commit.signature,
        })
        .collect();
    let right = batch.len() == places.len() && verify_many(&batch).iter().all(Result::is_ok);
    if right { Ok(()) } else { Err(refuse()) }
}

fn before(earlier: &Header, later: &Header) -> Result<(), Finding> {
    if earlier.number < later.number { Ok(()) } else { Err(broken(later)) }
}

fn broken(header: &Header) -> Finding {
    Finding::new(reasons::VALIDATORS_BROKEN).with(header.number)
}

/// What vouches for the validators in a finding of this element.
pub(super) fn assurance(validators: &Finding) -> Assurance {
    let code = validators.reason.code;
    if code == reasons::VALIDATORS_PROVEN.code {
        Assurance::Channel
    } else if code == reasons::VALIDATORS_UNANCHORED.code {
        Assurance::Roots
    } else {
        Assurance::Nothing
    }
}
