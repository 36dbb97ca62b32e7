//! Building the block that the core asks for.

use std::collections::BTreeSet;

use changbai_consensus::Event;
use changbai_wire::time::TimeReading;
use changbai_wire::{Header, PeerMessage, data_hash};
use smkit::sm3::Sm3Digest;

use super::bodies::{Known, Standing};
use super::event::Destination;
use super::{Orderer, Stop, WAL_OWN_BODY, Wanted};
use crate::block::Block;
use crate::body::Body;
use crate::epoch::Epoch;
use crate::mempool::Waiting;

/// Bound of a block's time in microseconds, 0 for none: the reading's, and how far the time was moved from the reading.
fn bound_us(reading: TimeReading, time_ms: u64) -> u32 {
    let moved_us = time_ms.abs_diff(reading.at.0).saturating_mul(1_000);
    let moved_us = u32::try_from(moved_us).unwrap_or(u32::MAX);
    reading.bound_us.map_or(0, |bound_us| bound_us.saturating_add(moved_us))
}

impl Orderer {
    /// Answers the core's request for a block, if there is one and something to propose, or nothing
    /// came in time.
    pub(super) fn answer_wanted(&mut self) -> Result<bool, Stop> {
        let Some(wanted) = self.wanted else { return Ok(false) };
        let due = wanted.since_ms.saturating_add(self.tuning.empty_after_ms);
        let restored = self.bodies.own.is_some_and(|(round, _)| round == wanted.round);
        if !restored && !self.has_work() && self.now_ms < due && !self.is_alone() {
            return Ok(false);
        }
        let Wanted { height, round, .. } = wanted;
        let hash = match self.built_already(round) {
            Some(hash) => hash,
            None => self.build(height, round)?,
        };
        self.wanted = None;
        self.push_body(height, round, &hash);
        self.events.push_back(Event::Built { height, round, block: hash });
        Ok(true)
    }

    /// When the core's request is answered at the latest.
    pub(super) fn wanted_by(&self) -> Option<u64> {
        self.wanted.map(|wanted| wanted.since_ms.saturating_add(self.tuning.empty_after_ms))
    }

    /// The block built for this round before a restart, or for an earlier one if it is still
    /// fresh enough for the others.
    fn built_already(&self, round: u32) -> Option<Sm3Digest> {
        let (of_round, hash) = self.bodies.own?;
        let header = &self.bodies.get(&hash)?.body.block.header;
        let age_ms = self.shared.clock.now().at.0.saturating_sub(header.time_ms);
        let fresh = age_ms <= self.tuning.skew.behind_ms / 2 || self.is_alone();
        (of_round == round || fresh).then_some(hash)
    }

    fn build(&mut self, height: u64, round: u32) -> Result<Sm3Digest, Stop> {
        let tip = self.shared.ledger.tip();
        let epoch = self.shared.epoch();
        let reading = self.shared.clock.now();
        // A clock that was set back must not make time run backwards on the ledger.
        let time_ms = reading.at.0.max(tip.header.time_ms);
        let waiting = self.choose(&epoch, time_ms);
        let digests: Vec<_> = waiting.iter().map(|w| w.decoded.digest).collect();
        let header = Header {
            number: height,
            previous_hash: tip.hash,
            data_hash: data_hash(&digests),
            channel_id: epoch.config.channel_id.clone(),
            time_ms,
            time_bound_us: bound_us(reading, time_ms),
            log_size: tip.frontier.size(),
            log_root: tip.frontier.root(),
            validators_hash: epoch.validators_hash,
            config_number: epoch.config.sequence,
        };
        let hash = header.hash();
        let envelopes = waiting.iter().map(|w| w.envelope.as_ref().clone()).collect();
        let block = Block { header, envelopes, codes: Vec::new(), certificate: None };
        let mut record = round.to_be_bytes().to_vec();
        record.extend(block.to_bytes());
        self.wal.append(height, WAL_OWN_BODY, &record)?;
        let transactions: Vec<_> = waiting.into_iter().map(|w| w.decoded).collect();
        #[cfg(feature = "mutations")]
        self.answer_early(height, block.header.time_ms, &transactions);
        let body = Body { block, hash, transactions, signatures: None };
        self.bodies.own = Some((round, hash));
        let keep = self.engine.valid_block();
        self.bodies.insert(Known { body, standing: Standing::Good, round }, keep);
        Ok(hash)
    }

    /// What goes into a block of that time. A configuration that does not follow any more is left out;
    /// whoever waits for it is told when the block is durable.
    fn choose(&self, epoch: &Epoch, time_ms: u64) -> Vec<Waiting> {
        let batch = &epoch.config.batch;
        let (count, bytes) = (batch.max_message_count as usize, batch.preferred_max_bytes as usize);
        let mut skipped = BTreeSet::new();
        loop {
            let waiting = self.shared.mempool.next_block(count, bytes, &skipped);
            match waiting.first() {
                Some(first)
                    if first.is_config() && epoch.next(&first.envelope, time_ms).is_err() =>
                {
                    skipped.insert(first.tx_id());
                }
                _ => return waiting,
            }
        }
    }

    #[cfg(feature = "mutations")]
    fn answer_early(
        &self,
        number: u64,
        time_ms: u64,
        transactions: &[std::sync::Arc<crate::mempool::Decoded>],
    ) {
        use crate::mutation::{Mutation, is};
        if !is(Mutation::AnsweredEarly) {
            return;
        }
        let code = changbai_wire::ValidationCode::Valid;
        let settled: Vec<_> = (0..)
            .zip(transactions)
            .map(|(index, decoded)| crate::mempool::Settled {
                tx_id: decoded.content.tx_id(),
                digest: decoded.digest,
                outcome: crate::Outcome { block_number: number, index, code, time_ms },
            })
            .collect();
        self.shared.mempool.settle(&settled);
    }

    fn push_body(&mut self, height: u64, round: u32, hash: &Sm3Digest) {
        if self.is_alone() {
            return;
        }
        let Some(known) = self.bodies.get(hash) else { return };
        let block = known.body.block.to_bytes();
        let message = PeerMessage::Body { height, round, hash: *hash, block };
        self.send(Destination::Validators, &message);
    }

    /// Verifies the signatures of the own block while the others verify theirs; they are not
    /// needed before it is committed. Waits until what is in the outbox is on its way.
    pub(super) fn verify_own(&mut self) -> bool {
        let Some((_, hash)) = self.bodies.own else { return false };
        if !self.outbox.is_empty() || self.is_alone() || self.running.is_none() {
            return false;
        }
        self.verify_signatures(&hash, true)
    }

    /// Whether there is verification to be done as soon as the outbox is taken.
    pub(super) fn has_own_to_verify(&self) -> bool {
        let own = self.bodies.own.and_then(|(_, hash)| self.bodies.get(&hash));
        self.running.is_some()
            && !self.is_alone()
            && own.is_some_and(|known| known.body.signatures.is_none())
    }
}

#[cfg(test)]
mod tests {
    use changbai_wire::time::UnixMillis;

    use super::{TimeReading, bound_us};

    #[test]
    fn a_block_carries_the_bound_of_its_time() {
        let reading = |bound_us| TimeReading { at: UnixMillis(1_000), bound_us };
        assert_eq!(bound_us(reading(Some(1_700)), 1_000), 1_700);
        // The clock was set back: the block's time is that of the one before.
        assert_eq!(bound_us(reading(Some(1_700)), 1_003), 4_700);
        assert_eq!(bound_us(reading(Some(1_700)), u64::MAX), u32::MAX);
        assert_eq!(bound_us(reading(None), 1_003), 0);
    }
}
