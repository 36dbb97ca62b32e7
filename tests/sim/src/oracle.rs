//! What must hold, checked while it happens and at the end.

use std::collections::{BTreeMap, BTreeSet};

use changbai_channel::{Block, Outcome};
use changbai_consensus::Equivocation;
use changbai_merkle::{Frontier, NodeId, NodeSource, leaf_hash, prove_consistency};
use changbai_wire::{TransactionLeaf, TxId, ValidationCode, decode_transaction, envelope_digest};
use smkit::Sm3Digest;

use crate::world::{CHANNEL, World};

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
    tree: Tree,
    roots: Vec<(u64, Sm3Digest)>,
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
        if signers.len() * 3 <= world.set.len() * 2 || certificate.block != hash {
            return Err(invalid(format!("{} of {} signed", signers.len(), world.set.len())));
        }
        certificate.verify(CHANNEL, &world.set).map_err(|e| invalid(e.to_string()))?;
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
            if *code != ValidationCode::Valid {
                continue;
            }
            let tx_id = decode_transaction(envelope)
                .map_err(|(_, reason)| invalid(reason.to_owned()))?
                .tx_id;
            if self.submitted.get(&tx_id) != Some(&envelope_digest(envelope)) {
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
        &self,
        world: &World,
        case: &Equivocation,
        guilty: &BTreeSet<usize>,
    ) -> Result<(), Violation> {
        let wrong = |what: String| Violation { property: "only the guilty are accused", what };
        let accused = world.set.position(&case.validator);
        if accused.is_none_or(|accused| !guilty.contains(&accused)) {
            return Err(wrong(format!("{accused:?} is honest: {} at {}", case.kind, case.height)));
        }
        if !case.holds(CHANNEL, &world.set) {
            return Err(wrong(format!("evidence against {accused:?} proves nothing: {case:?}")));
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

impl NodeSource for Tree {
    type Error = std::convert::Infallible;

    fn node(&self, id: NodeId) -> Result<Option<Sm3Digest>, Self::Error> {
        Ok(self.nodes.get(&(id.level, id.index)).copied())
    }
}
