//! From decision to durable block.

use std::collections::BTreeMap;
use std::sync::Arc;

use changbai_consensus::CommitCertificate;
use changbai_wire::{Content, PeerMessage, ValidationCode};
use smkit::sm3::Sm3Digest;

use super::event::{Destination, OrderEvent, Tally};
use super::{Orderer, Stop};
use crate::epoch::Epoch;
use crate::ledger::Ready;
use crate::mempool::{Decoded, Settled};
use crate::outcome::Outcome;
use crate::validate::{Validated, validate};

impl Orderer {
    /// The core decided: validates the block, makes it durable, then answers the callers.
    pub(super) fn decided(&mut self, certificate: &CommitCertificate) -> Result<(), Stop> {
        let (height, hash) = (certificate.height, certificate.block);
        if height <= self.shared.ledger.height() {
            return Ok(());
        }
        if !self.bodies.contains(&hash) {
            if self.is_alone() {
                let reason = format!("block {height} was decided, but its body is not here");
                return Err(Stop::Halt(reason));
            }
            // It was good once and had to make room: whoever has it answers, body or block.
            self.send(Destination::Validators, &PeerMessage::BodyRequest { height, hash });
            return Ok(());
        }
        self.commit(hash, certificate, self.sync.applying)
    }

    /// Makes a block of known body durable and applies it. After [`Stop::Full`] nothing has
    /// changed, and the same call may be made again.
    pub(super) fn commit(
        &mut self,
        hash: Sm3Digest,
        certificate: &CommitCertificate,
        synced: bool,
    ) -> Result<(), Stop> {
        self.verify_signatures(&hash, false);
        let shared = Arc::clone(&self.shared);
        let epoch = shared.epoch();
        let Some(mut known) = self.bodies.take(&hash) else {
            return Err(Stop::Halt(format!("the body of block {} is gone", certificate.height)));
        };
        let number = known.body.block.header.number;
        let view = shared.ledger.index().snapshot();
        let validated = validate(
            &shared.rules(&epoch),
            &view,
            &|id| Ok(shared.ledger.location(id)?.is_some()),
            &known.body.block,
            &known.body.transactions,
            known.body.signatures.clone().unwrap_or_default(),
        )?;
        drop(view);
        let Validated { codes, writes, config } = validated;
        // The next configuration is made ready before the block that brings it is durable.
        let next = config.map(Epoch::new).transpose().map_err(Stop::Halt)?.map(Arc::new);
        known.body.block.codes.clone_from(&codes);
        known.body.block.certificate = Some(certificate.clone());
        let ready = Ready {
            block: &known.body.block,
            transactions: &known.body.tx_ids(),
            writes: &writes,
            config: next.as_ref().map(|epoch| epoch.config.as_ref()),
            identities: &known.body.identities(),
        };
        // Without own votes at this height nothing else has made the floor before it durable.
        let floor = if synced { self.wal.sync_floor() } else { Ok(()) };
        if let Err(error) = floor.and_then(|()| shared.ledger.commit(&ready)) {
            let keep = Some(hash);
            self.bodies.insert(known, keep);
            return Err(error.into());
        }
        let time_ms = known.body.block.header.time_ms;
        let settled: Vec<Settled> = (0_u32..)
            .zip(known.body.transactions.iter().zip(&codes))
            .map(|(index, (decoded, code))| Settled {
                tx_id: decoded.content.tx_id(),
                digest: decoded.digest,
                outcome: Outcome { block_number: number, index, code: *code, time_ms },
            })
            .collect();
        shared.mempool.settle(&settled);
        self.bodies.end_height(number);
        if let Some(next) = next {
            self.report(OrderEvent::Configured {
                sequence: next.config.sequence,
                height: number.saturating_add(1),
                validators: next.validators.len(),
            });
            shared.set_epoch(next);
        }
        self.give_up_overtaken(number, time_ms);
        let valid = codes.iter().filter(|code| **code == ValidationCode::Valid).count();
        self.report(OrderEvent::Committed {
            number,
            transactions: codes.len(),
            valid,
            round: certificate.round,
            synced,
            tally: tally(&known.body.transactions, &codes),
        });
        if !self.peers.is_empty() {
            let status = PeerMessage::Status(self.status());
            self.send(Destination::Followers, &status);
        }
        Ok(())
    }

    /// Configurations that wait and cannot follow any more, because another one was faster or somebody
    /// who signed counts no more, are taken out and their callers told: what no validator would vote
    /// for must not wait for ever.
    fn give_up_overtaken(&self, number: u64, time_ms: u64) {
        let shared = &self.shared;
        let waiting = shared.mempool.configs();
        if waiting.is_empty() {
            return;
        }
        let epoch = shared.epoch();
        // The next block is not earlier than this one, nor than the clock of its proposer.
        let at_ms = time_ms.max(shared.clock.now().at.0);
        let code = ValidationCode::InvalidConfigTransaction;
        let overtaken: Vec<Settled> = waiting
            .iter()
            .filter(|waiting| epoch.next(&waiting.envelope, at_ms).is_err())
            .map(|waiting| Settled {
                tx_id: waiting.tx_id(),
                digest: waiting.decoded.digest,
                outcome: Outcome { block_number: number, index: 0, code, time_ms },
            })
            .collect();
        shared.mempool.settle(&overtaken);
    }
}

fn tally(transactions: &[Arc<Decoded>], codes: &[ValidationCode]) -> Vec<Tally> {
    let mut counts: BTreeMap<(Option<&str>, ValidationCode), usize> = BTreeMap::new();
    for (decoded, code) in transactions.iter().zip(codes) {
        let contract = match &decoded.content {
            Content::Transaction(transaction) => Some(transaction.chaincode_name.as_str()),
            Content::Config(_) => None,
        };
        let count = counts.entry((contract, *code)).or_default();
        *count = count.saturating_add(1);
    }
    let tally = |((contract, code), count): ((Option<&str>, _), _)| Tally {
        contract: contract.map(str::to_owned),
        code,
        count,
    };
    counts.into_iter().map(tally).collect()
}
