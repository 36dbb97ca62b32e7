//! Bodies of blocks that are not decided yet: what makes one acceptable.

use std::sync::Arc;

use changbai_wire::{
    Header, TxId, ValidationCode, data_hash, decode_envelope, envelope_digests, time::TimeReading,
};
use smkit::sm3::Sm3Digest;

use crate::block::Block;
use crate::epoch::Epoch;
use crate::ledger::Tip;
use crate::limits::ENVELOPE_BYTES_MAX;
use crate::mempool::{Decoded, Mempool};

/// A body with everything that was found out about it.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    pub(crate) block: Block,
    pub(crate) hash: Sm3Digest,
    pub(crate) transactions: Vec<Arc<Decoded>>,
    /// Codes as far as signatures and policies go, once they were verified.
    pub(crate) signatures: Option<Vec<ValidationCode>>,
}

impl Body {
    /// Decodes every transaction, taking over what waits in the queue decoded already.
    ///
    /// # Errors
    ///
    /// [`BodyFault`] for an envelope that is no transaction of allowed size, or a data hash that
    /// is not theirs.
    pub(crate) fn open(block: Block, mempool: &Mempool) -> Result<Self, BodyFault> {
        let digests = envelope_digests(&block.envelopes);
        if data_hash(&digests) != block.header.data_hash {
            return Err(BodyFault::Header("data hash"));
        }
        let waiting = mempool.decoded(&digests);
        let mut transactions = Vec::with_capacity(digests.len());
        for (index, ((envelope, digest), waiting)) in
            block.envelopes.iter().zip(digests).zip(waiting).enumerate()
        {
            let decoded = match waiting {
                Some(decoded) => decoded,
                None if envelope.len() > ENVELOPE_BYTES_MAX => {
                    return Err(BodyFault::Transaction { index, reason: "too large" });
                }
                None => {
                    let content = decode_envelope(envelope)
                        .map_err(|(_, reason)| BodyFault::Transaction { index, reason })?;
                    Arc::new(Decoded { digest, content })
                }
            };
            transactions.push(decoded);
        }
        let hash = block.header.hash();
        Ok(Self { block, hash, transactions, signatures: None })
    }

    /// Ids of the transactions, in order.
    pub(crate) fn tx_ids(&self) -> Vec<TxId> {
        self.transactions.iter().map(|decoded| decoded.content.tx_id()).collect()
    }

    /// Every identity in the block once: the block log stores each a single time.
    pub(crate) fn identities(&self) -> Vec<&[u8]> {
        let mut identities: Vec<&[u8]> = self
            .transactions
            .iter()
            .flat_map(|decoded| {
                let content = &decoded.content;
                let endorsers = content
                    .transaction()
                    .into_iter()
                    .flat_map(|transaction| &transaction.endorsements)
                    .map(|(endorser, _)| endorser.as_slice());
                std::iter::once(content.creator()).chain(endorsers)
            })
            .collect();
        identities.sort_unstable();
        identities.dedup();
        identities
    }
}

/// What every node must find in a block that follows `tip`, whenever it looks.
///
/// # Errors
///
/// [`BodyFault`] naming the first rule that is broken.
pub(crate) fn check(body: &Body, tip: &Tip, epoch: &Epoch) -> Result<(), BodyFault> {
    let block = &body.block;
    let header = &block.header;
    let expected = Header {
        number: tip.header.number.saturating_add(1),
        previous_hash: tip.hash,
        data_hash: header.data_hash,
        channel_id: epoch.config.channel_id.clone(),
        time_ms: header.time_ms.max(tip.header.time_ms),
        time_bound_us: header.time_bound_us,
        log_size: tip.frontier.size(),
        log_root: tip.frontier.root(),
        validators_hash: epoch.validators_hash,
        config_number: epoch.config.sequence,
    };
    let fields = [
        ("number", header.number == expected.number),
        ("channel", header.channel_id == expected.channel_id),
        ("previous hash", header.previous_hash == expected.previous_hash),
        ("transaction log", header.log_size == expected.log_size),
        ("transaction log", header.log_root == expected.log_root),
        ("validators hash", header.validators_hash == expected.validators_hash),
        ("configuration number", header.config_number == expected.config_number),
        ("time", header.time_ms == expected.time_ms),
    ];
    if let Some((field, _)) = fields.iter().find(|(_, holds)| !holds) {
        return Err(BodyFault::Header(field));
    }
    let batch = &epoch.config.batch;
    let bytes = block.envelopes.iter().fold(0_usize, |sum, e| sum.saturating_add(e.len()));
    if block.envelopes.len() > batch.max_message_count as usize
        || (block.envelopes.len() > 1 && bytes > batch.absolute_max_bytes as usize)
    {
        return Err(BodyFault::Size);
    }
    check_config(body, epoch)
}

/// A configuration stands alone in its block, and is the one that follows: what no node may vote for
/// is never decided, so that nobody can use up an administrator's update in a broken wrapping.
fn check_config(body: &Body, epoch: &Epoch) -> Result<(), BodyFault> {
    if !body.transactions.iter().any(|decoded| decoded.content.is_config()) {
        return Ok(());
    }
    let [envelope] = body.block.envelopes.as_slice() else { return Err(BodyFault::Mixed) };
    let next = epoch.next(envelope, body.block.header.time_ms);
    next.map(drop).map_err(|error| BodyFault::Config { code: error.code() })
}

/// How far a proposer's clock may be from that of the node which judges its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skew {
    /// A block may be this much ahead, in milliseconds; less where both clocks have a bound.
    pub ahead_ms: u64,
    /// A block that is proposed for the first time may be this much behind, in milliseconds.
    pub behind_ms: u64,
}

impl Skew {
    /// Whether a proposed block's time is acceptable now. The time of the block before is never too
    /// late: one clock that ran ahead must not stop the channel. A block that a quorum has prevoted
    /// before (`again`) may be old.
    ///
    /// Where both clocks have a bound, a block is ahead by no more than both together: the proposal
    /// was on its way for a while, which can only make it older.
    pub(crate) fn accepts(
        self,
        header: &Header,
        tip: &Header,
        now: TimeReading,
        again: bool,
    ) -> bool {
        let ahead_ms = match (header.time_bound_us, now.bound_us) {
            (0, _) | (_, None) => self.ahead_ms,
            (theirs, Some(own)) => {
                u64::from(theirs).saturating_add(own.into()).div_ceil(1_000).min(self.ahead_ms)
            }
        };
        let latest = now.at.0.saturating_add(ahead_ms).max(tip.time_ms);
        let earliest = if again { 0 } else { now.at.0.saturating_sub(self.behind_ms) };
        (earliest..=latest).contains(&header.time_ms)
    }
}

/// Which rule a block breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyFault {
    /// A field of the header is not what it must be after the last block.
    #[error("the {0} in its header is wrong")]
    Header(&'static str),
    /// A transaction is none.
    #[error("transaction {index} is malformed: {reason}")]
    Transaction {
        /// Its place.
        index: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// More transactions or bytes than the configuration allows.
    #[error("it is larger than the channel allows")]
    Size,
    /// It holds a configuration beside something else.
    #[error("a configuration does not stand alone in it")]
    Mixed,
    /// The configuration in it does not follow the one in force.
    #[error("the configuration in it does not follow ({code})")]
    Config {
        /// Why: see [`changbai_msp::codes`].
        code: &'static str,
    },
    /// The proposer's clock and this node's are too far apart.
    #[error("its time is too far from this node's clock")]
    Time,
    /// The block does not decode.
    #[error("it does not decode")]
    Malformed,
}

#[cfg(test)]
mod tests;
