//! What must hold, checked while it happens and at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use changbai_channel::{Block, Outcome};
use changbai_consensus::{Equivocation, Member, ValidatorSet};
use changbai_merkle::{Frontier, NodeId, NodeSource, leaf_hash, prove_consistency};
use changbai_msp::ChannelConfig;
use changbai_wire::{
    Content, TransactionLeaf, TxId, ValidationCode, ValidatorAddress, decode_envelope,
    envelope_digest,
};
use smkit::Sm3Digest;

use crate::world::{CHANNEL, World, text};

/// The first thing that was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which property.
    pub property: &'static str,
    /// What happened.
    pub what: String,
}

/// Collects what honest nodes did and said.
#[derive(Default)]
pub(crate) struct Oracle {
    /// The one block of each height.
    blocks: BTreeMap<u64, (Sm3Digest, Vec<ValidationCode>)>,
    /// Envelopes that were really handed in, by transaction.
    submitted: BTreeMap<TxId, Sm3Digest>,
    /// What callers were told.
    told: BTreeMap<TxId, Outcome>,
    /// Transactions in the ledger that took effect.
    effective: BTreeMap<TxId, u64>,
    /// Configurations by the first height that they are in force.
    offices: BTreeMap<u64, Rc<Office>>,
    tree: Tree,
    roots: Vec<(u64, Sm3Digest)>,
}

/// A configuration, with the validators that it puts in office.
pub(crate) struct Office {
    /// The configuration.
    pub(crate) config: ChannelConfig,
    /// Its validators as consensus knows them.
    pub(crate) set: ValidatorSet,
}

impl Office {
    fn new(config: ChannelConfig) -> Result<Self, String> {
        let keys = config.validators.iter().map(|v| v.certificate.verifying_key().clone());
        let set = ValidatorSet::new(keys.map(Member::new).collect()).map_err(text)?;
        Ok(Self { config, set })
    }
}

/// The transaction log, rebuilt by the oracle itself.
#[derive(Default)]
struct Tree {
    frontier: Frontier,
    nodes: BTreeMap<(u8, u64), Sm3Digest>,
}

impl Oracle {
    /// A transaction is about to be handed in.
    pub(crate) fn submits(&mut self, tx_id: TxId, envelope: &[u8]) {
        self.submitted.insert(tx_id, envelope_digest(envelope));
    }

    /// A caller was told an outcome.
    ///
    /// # Errors
    ///
    /// [`Violation`] when it was told another one before.
    pub(crate) fn tells(&mut self, tx_id: TxId, outcome: Outcome) -> Result<(), Violation> {
        match self.told.insert(tx_id, outcome) {
            Some(before) if before != outcome => Err(Violation {
                property: "an answer stays",
                what: format!("{tx_id} was {before:?} and then {outcome:?}"),
            }),
            _ => Ok(()),
        }
    }

    /// The configuration that is in force at a height, as far as is known.
    ///
    /// # Errors
    ///
    /// [`Violation`] if even the first one is none.
    pub(crate) fn office(&mut self, world: &World, height: u64) -> Result<Rc<Office>, Violation> {
        if let Some((_, office)) = self.offices.range(..=height).next_back() {
            return Ok(Rc::clone(office));
        }
        let office = Office::new(world.config.clone())
            .map_err(|what| Violation { property: "a world can be made", what })?;
        let office = Rc::new(office);
        self.offices.insert(0, Rc::clone(&office));
        Ok(office)
    }

    /// All configurations so far, by the first height that they are in force.
    pub(crate) fn offices(&self) -> impl Iterator<Item = (u64, &ChannelConfig)> {
        self.offices.iter().map(|(height, office)| (*height, &office.config))
    }

    /// Highest block that any honest node has had.
    #[must_use]
    pub(crate) fn height(&self) -> u64 {
        self.blocks.keys().next_back().copied().unwrap_or(0)
    }

    /// An honest node has made a block durable.
    ///
    /// # Errors
    ///
    /// [`Violation`] of agreement or validity.
    pub(crate) fn commits(
        &mut self,
        world: &World,
        node: usize,
        block: &Block,
    ) -> Result<(), Violation> {
        let number = block.header.number;
        let hash = block.header.hash();
        if let Some((known, codes)) = self.blocks.get(&number) {
            if *known != hash {
                let what = format!("node {node} has another block {number}");
                return Err(Violation { property: "agreement", what });
            }
            if *codes != block.codes {
                let what = format!("node {node} judged block {number} otherwise");
                return Err(Violation { property: "agreement on results", what });
            }
            return Ok(());
        }
        self.first(world, node, block, hash)
    }

    /// The first honest node has this block: everything about it is checked once.
    fn first(
        &mut self,
        world: &World,
        node: usize,
        block: &Block,
        hash: Sm3Digest,
    ) -> Result<(), Violation> {
        let number = block.header.number;
        let invalid = |what: String| Violation {
            property: "validity",
            what: format!("block {number} of node {node}: {what}"),
        };
        let previous = number.checked_sub(1).and_then(|n| self.blocks.get(&n));
        if previous.is_none() && number != 1 {
            return Err(invalid("the one before it was never committed".to_owned()));
        }
        let parent = previous.map_or_else(|| world.genesis.header.hash(), |(hash, _)| *hash);
        if block.header.previous_hash != parent {
            return Err(invalid("it continues another block".to_owned()));
        }
        let certificate =
            block.certificate.as_ref().ok_or_else(|| invalid("no certificate".to_owned()))?;
        let signers: BTreeSet<_> = certificate.signatures.iter().map(|(who, _)| *who).collect();
        // Counted here, not by the code under test.
        let office = self.office(world, number)?;
        if signers.len() * 3 <= office.set.len() * 2 || certificate.block != hash {
            return Err(invalid(format!("{} of {} signed", signers.len(), office.set.len())));
        }
        certificate.verify(CHANNEL, &office.set).map_err(|e| invalid(e.to_string()))?;
        if block.header.config_number != office.config.sequence
            || block.header.validators_hash != office.config.validators_hash()
        {
            return Err(invalid("it names another configuration".to_owned()));
        }
        if number == 1 {
            self.append(0, &world.genesis);
        }
        if block.header.log_size != self.tree.frontier.size()
            || block.header.log_root != self.tree.frontier.root()
        {
            return Err(invalid("its root is not that of the log before it".to_owned()));
        }
        self.roots.push((block.header.log_size, block.header.log_root));
        for (envelope, code) in block.envelopes.iter().zip(&block.codes) {
            let content =
                decode_envelope(envelope).map_err(|(_, reason)| invalid(reason.to_owned()))?;
            if content.is_config() && (*code != ValidationCode::Valid || block.codes.len() > 1) {
                return Err(invalid(format!("a configuration is {code} or not alone")));
            }
            if *code != ValidationCode::Valid {
                continue;
            }
            let tx_id = content.tx_id();
            let handed_in = match &content {
                Content::Transaction(_) => envelope_digest(envelope),
                Content::Config(config) => {
                    let next = ChannelConfig::from_envelope(envelope).map_err(|e| text(&e));
                    let next =
                        next.and_then(|next| follow(&office.config, next)).map_err(invalid)?;
                    self.offices.insert(number + 1, Rc::new(next));
                    config.update_digest()
                }
            };
            if self.submitted.get(&tx_id) != Some(&handed_in) {
                return Err(invalid(format!("{tx_id} took effect, but nobody handed it in")));
            }
            if let Some(before) = self.effective.insert(tx_id, number) {
                return Err(invalid(format!("{tx_id} took effect in block {before} already")));
            }
        }
        self.append(number, block);
        self.blocks.insert(number, (hash, block.codes.clone()));
        Ok(())
    }

    /// A node accuses a validator.
    ///
    /// # Errors
    ///
    /// [`Violation`] when an honest one is accused, or the evidence proves nothing.
    pub(crate) fn accuses(
        &mut self,
        world: &World,
        case: &Equivocation,
        guilty: &BTreeSet<ValidatorAddress>,
    ) -> Result<(), Violation> {
        let wrong = |what: String| Violation { property: "only the guilty are accused", what };
        let accused = case.validator;
        if !guilty.contains(&accused) {
            return Err(wrong(format!("{accused} is honest: {} at {}", case.kind, case.height)));
        }
        if !case.holds(CHANNEL, &self.office(world, case.height)?.set) {
            return Err(wrong(format!("evidence against {accused} proves nothing: {case:?}")));
        }
        Ok(())
    }

    /// Between every two headers: nothing was rewritten.
    ///
    /// # Errors
    ///
    /// [`Violation`] naming the pair.
    pub(crate) fn is_append_only(&self) -> Result<(), Violation> {
        for (at, (old_size, old_root)) in self.roots.iter().enumerate() {
            for (size, root) in self.roots.iter().skip(at) {
                let proof = prove_consistency(&self.tree, *old_size, *size);
                let holds = proof.is_ok_and(|proof| proof.verify(old_root, root).is_ok());
                if !holds {
                    let what = format!("{old_size} leaves are not the beginning of {size}");
                    return Err(Violation { property: "append only", what });
                }
            }
        }
        Ok(())
    }

    /// Everything that callers were told is in a node's ledger, as they were told.
    ///
    /// # Errors
    ///
    /// [`Violation`] naming the transaction.
    pub(crate) fn keeps_its_word(
        &self,
        node: usize,
        find: &dyn Fn(&TxId) -> Option<Outcome>,
    ) -> Result<(), Violation> {
        for (tx_id, told) in &self.told {
            let found = find(tx_id);
            if found != Some(*told) {
                let what = format!("node {node}: {tx_id} was told {told:?}, is {found:?}");
                return Err(Violation { property: "nothing acknowledged is lost", what });
            }
        }
        Ok(())
    }

    fn append(&mut self, number: u64, block: &Block) {
        let Tree { frontier, nodes } = &mut self.tree;
        for ((index, envelope), code) in (0_u32..).zip(&block.envelopes).zip(&block.codes) {
            let envelope = envelope_digest(envelope);
            let leaf = TransactionLeaf { block_number: number, index, code: *code, envelope };
            let mut sink = |id: NodeId, hash: Sm3Digest| {
                nodes.insert((id.level, id.index), hash);
            };
            // A log of this size never overflows.
            let _ = frontier.append(leaf_hash(&leaf.to_bytes()), &mut sink);
        }
    }
}

/// What a configuration makes of the one before; counted here, not by the code under test: those who stay
/// are enough to decide without the others, where faults are tolerated at all.
fn follow(before: &ChannelConfig, next: ChannelConfig) -> Result<Office, String> {
    let next = Office::new(next)?;
    let before_set = Office::new(before.clone())?.set;
    let stay = next.set.members().iter().filter(|m| before_set.position(&m.address).is_some());
    let (stay, after) = (stay.count(), next.set.len());
    if before.sequence + 1 != next.config.sequence {
        return Err(format!("configuration {} follows {}", next.config.sequence, before.sequence));
    }
    if before_set.len() >= 4 && (after < 4 || stay * 3 <= after * 2) {
        return Err(format!("of {} validators {stay} stay, of {after}", before_set.len()));
    }
    Ok(next)
}

impl NodeSource for Tree {
    type Error = std::convert::Infallible;

    fn node(&self, id: NodeId) -> Result<Option<Sm3Digest>, Self::Error> {
        Ok(self.nodes.get(&(id.level, id.index)).copied())
    }
}
