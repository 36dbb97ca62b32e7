//! One block after another: what must hold of each, given those before it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use changbai_contract::Registry;
use changbai_merkle::Frontier;
use changbai_msp::ChannelConfig;
use changbai_storage::{Index, StorageError};
use changbai_wire::ValidationCode;
use smkit::Sm3Digest;

use crate::block::Block;
use crate::body::{self, Body};
use crate::epoch::Epoch;
use crate::ledger::{Effects, Tip, by_codes};
use crate::mempool::Mempool;
use crate::signatures::{self, Verdicts};
use crate::state;
use crate::validate::{Rules, Validated, validate};

/// A channel up to some block, with what the next one is measured against.
pub(super) struct Chain {
    genesis: Sm3Digest,
    tip: Tip,
    epoch: Arc<Epoch>,
    contracts: HashMap<String, String>,
    verdicts: Verdicts,
}

impl Chain {
    /// Begins with block 0, which must have this hash if one is given. The tip's tree is empty still:
    /// the block has to be applied like every other.
    pub(super) fn begin(
        genesis: &Block,
        anchor: Option<&Sm3Digest>,
        contracts: &Registry,
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
    pub(super) fn by_codes(&self, body: &Body) -> Result<Effects<'static>, String> {
        let contents: Vec<_> = body.transactions.iter().map(|d| Some(&d.content)).collect();
        by_codes(&body.block, &contents, &self.epoch.config)
    }

    /// Whether the block continues the last one in every field of its header. With that the codes of
    /// the blocks before it are those that its header commits to.
    pub(super) fn continues(&self, body: &Body) -> Result<(), String> {
        body::check(body, &self.tip, &self.epoch).map_err(|fault| fault.to_string())?;
        let block = &body.block;
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
        body: &Body,
    ) -> Result<Result<Effects<'static>, String>, StorageError> {
        let (block, transactions) = (&body.block, &body.transactions);
        let known = |id: &_| Ok(state::location(index, id)?.is_some());
        let view = index.snapshot();
        let codes = self.signed(body);
        let validated = validate(&self.rules(), &view, &known, block, transactions, codes)?;
        let outcome = agree(&validated.codes, &block.codes, |found, stated| found == stated);
        let Validated { writes, config, .. } = validated;
        Ok(outcome.map(|()| {
            let ids = body.tx_ids().into_iter().map(Some).collect();
            let config = config.map(Cow::Owned);
            Effects { ids, writes: writes.into(), config }
        }))
    }

    /// Whether whoever had to has signed each transaction that is stated to be valid: all that can be
    /// found out without the state, in which two such transactions may still have conflicted.
    pub(super) fn endorsed(&self, body: &Body) -> Result<(), String> {
        agree(&self.signed(body), &body.block.codes, |found, stated| {
            *stated != ValidationCode::Valid || found == stated
        })
    }

    fn signed(&self, body: &Body) -> Vec<ValidationCode> {
        let (time_ms, transactions) = (body.block.header.time_ms, &body.transactions);
        signatures::check(&self.rules(), &self.verdicts, false, time_ms, transactions)
    }

    fn rules(&self) -> Rules<'_> {
        Rules { epoch: &self.epoch, contracts: &self.contracts }
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

fn agree(
    found: &[ValidationCode],
    stated: &[ValidationCode],
    agrees: impl Fn(&ValidationCode, &ValidationCode) -> bool,
) -> Result<(), String> {
    let differs = found.iter().zip(stated).position(|(found, stated)| !agrees(found, stated));
    let Some(at) = differs else { return Ok(()) };
    let code = |codes: &[ValidationCode]| codes.get(at).map_or("missing", |code| code.name());
    Err(format!("transaction {at} is stated to be {}, but is {}", code(stated), code(found)))
}

/// A block other than the first, taken apart; nothing but its own form and data hash is checked.
pub(super) fn opened(bytes: &[u8]) -> Result<Body, String> {
    let block = Block::from_bytes(bytes)?;
    if block.to_bytes() != bytes {
        return Err("it has another form than a block of ours".to_owned());
    }
    Body::open(block, &Mempool::default()).map_err(|fault| fault.to_string())
}
