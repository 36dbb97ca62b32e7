//! One block after another: what must hold of each, given those before it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use changbai_contract::Registry;
use changbai_merkle::Frontier;
use changbai_msp::ChannelConfig;
use changbai_storage::{Index, StorageError};
use changbai_wire::{DecodedTransaction, ValidationCode, decode_transaction};
use rayon::prelude::*;
use smkit::Sm3Digest;

use crate::block::Block;
use crate::body::{self, Body};
use crate::epoch::{ConfigRule, Epoch};
use crate::ledger::{Effects, Tip, by_codes};
use crate::mempool::Mempool;
use crate::signatures::{self, Verdicts};
use crate::state;
use crate::validate::{Rules, Validated, validate};

/// A channel up to some block, with what the next one is measured against.
pub(super) struct Chain<'a> {
    genesis: Sm3Digest,
    tip: Tip,
    epoch: Arc<Epoch>,
    rule: &'a dyn ConfigRule,
    contracts: HashMap<String, String>,
    verdicts: Verdicts,
}

impl<'a> Chain<'a> {
    /// Begins with block 0, which must have this hash if one is given. The tip's tree is empty still:
    /// the block has to be applied like every other.
    pub(super) fn begin(
        genesis: &Block,
        anchor: Option<&Sm3Digest>,
        contracts: &Registry,
        rule: &'a dyn ConfigRule,
    ) -> Result<Self, String> {
        let hash = genesis.header.hash();
        if anchor.is_some_and(|anchor| *anchor != hash) {
            return Err(format!("the channel begins with {hash}, not with the block expected"));
        }
        let [envelope] = genesis.envelopes.as_slice() else {
            return Err("the genesis block holds one envelope".to_owned());
        };
        let config = ChannelConfig::from_envelope(envelope).map_err(|e| e.to_string())?;
        let time_ms = genesis.header.time_ms;
        if Block::genesis(&config, envelope.clone(), time_ms) != *genesis {
            return Err("the genesis block does not follow from its configuration".to_owned());
        }
        let tip = Tip { header: genesis.header.clone(), hash, frontier: Frontier::new() };
        let versions = contracts.iter().map(|c| (c.name().to_owned(), c.version().to_owned()));
        Ok(Self {
            genesis: hash,
            tip,
            epoch: Arc::new(Epoch::new(config)?),
            rule,
            contracts: versions.collect(),
            verdicts: Verdicts::default(),
        })
    }

    /// Hash of block 0's header.
    pub(super) const fn genesis(&self) -> Sm3Digest {
        self.genesis
    }

    pub(super) const fn tip(&self) -> &Tip {
        &self.tip
    }

    /// What the block does by its codes.
    pub(super) fn by_codes(
        &self,
        block: &Block,
        decoded: &[Option<DecodedTransaction>],
    ) -> Result<Effects<'static>, String> {
        by_codes(block, decoded, &self.epoch.config, self.rule)
    }

    /// Whether the block continues the last one in every field of its header. With that the codes of
    /// the blocks before it are those that its header commits to.
    pub(super) fn continues(&self, block: &Block) -> Result<(), String> {
        body::check(block, &self.tip, &self.epoch).map_err(|fault| fault.to_string())?;
        if block.codes.len() != block.envelopes.len() {
            return Err("one validation code a transaction is due".to_owned());
        }
        Ok(())
    }

    /// Whether a quorum of this height's validators has signed the block's header.
    pub(super) fn certified(&self, block: &Block) -> Result<(), String> {
        let certificate = block.certificate.as_ref().ok_or("it has no certificate")?;
        let (channel_id, validators) = (&self.epoch.config.channel_id, &self.epoch.validators);
        certificate.verify(channel_id, validators).map(|_| ()).map_err(|e| e.to_string())
    }

    /// Validates every transaction against the state in `index`, and compares the codes.
    pub(super) fn judge(
        &self,
        index: &Index,
        block: &Block,
    ) -> Result<Result<(Body, Effects<'static>), String>, StorageError> {
        let (body, codes) = match self.signed(block) {
            Ok(signed) => signed,
            Err(reason) => return Ok(Err(reason)),
        };
        let known = |id: &_| Ok(state::location(index, id)?.is_some());
        let number = block.header.number;
        let view = index.snapshot();
        let validated = validate(&self.rules(), &view, &known, number, &body.transactions, codes)?;
        let stated = validated.codes.iter().zip(&block.codes);
        let outcome = agree(stated, |found, stated| found == stated);
        let Validated { writes, config, .. } = validated;
        Ok(outcome.map(|()| {
            let ids = body.tx_ids().into_iter().map(Some).collect();
            let config = config.map(Cow::Owned);
            (body, Effects { ids, writes: writes.into(), config })
        }))
    }

    /// Whether whoever had to has signed each transaction that is stated to be valid: all that can be
    /// found out without the state, in which two such transactions may still have conflicted.
    pub(super) fn endorsed(&self, block: &Block) -> Result<(), String> {
        let (_, codes) = self.signed(block)?;
        agree(codes.iter().zip(&block.codes), |found, stated| {
            *stated != ValidationCode::Valid || found == stated
        })
    }

    fn signed(&self, block: &Block) -> Result<(Body, Vec<ValidationCode>), String> {
        let body =
            Body::open(block.clone(), &Mempool::default()).map_err(|fault| fault.to_string())?;
        let (time_ms, transactions) = (block.header.time_ms, &body.transactions);
        let codes = signatures::check(&self.rules(), &self.verdicts, false, time_ms, transactions);
        Ok((body, codes))
    }

    fn rules(&self) -> Rules<'_> {
        Rules { epoch: &self.epoch, contracts: &self.contracts, config_rule: self.rule }
    }

    /// The next block, and the configuration after it, if it changes.
    pub(super) fn advance(&mut self, tip: Tip, effects: Effects<'_>) -> Result<(), String> {
        self.tip = tip;
        if let Some(config) = effects.config {
            self.epoch = Arc::new(Epoch::new(config.into_owned())?);
        }
        Ok(())
    }
}

fn agree<'c>(
    mut codes: impl Iterator<Item = (&'c ValidationCode, &'c ValidationCode)>,
    agrees: impl Fn(&ValidationCode, &ValidationCode) -> bool,
) -> Result<(), String> {
    let mut at = 0_usize;
    codes.try_for_each(|(found, stated)| {
        if !agrees(found, stated) {
            return Err(format!("transaction {at} is stated to be {stated}, but is {found}"));
        }
        at = at.saturating_add(1);
        Ok(())
    })
}

/// The block's envelopes, taken apart on all cores; `None` for what is no transaction.
pub(super) fn decoded(block: &Block) -> Vec<Option<DecodedTransaction>> {
    block.envelopes.par_iter().map(|envelope| decode_transaction(envelope).ok()).collect()
}

/// Every identity in the transactions once.
pub(super) fn identities(decoded: &[Option<DecodedTransaction>]) -> Vec<&[u8]> {
    fn of(transaction: &DecodedTransaction) -> impl Iterator<Item = &[u8]> {
        let endorsers = transaction.endorsements.iter().map(|(endorser, _)| endorser.as_slice());
        std::iter::once(transaction.creator.as_slice()).chain(endorsers)
    }
    let mut identities: Vec<&[u8]> = decoded.iter().flatten().flat_map(of).collect();
    identities.sort_unstable();
    identities.dedup();
    identities
}
