//! The embedded ledger behind `LedgerClient`: calls go straight into the node's own channel.

use std::collections::BTreeSet;
use std::sync::Mutex;

use changbai_channel::{
    BroadcastError, Channel, EndorserFault, FaultReason, Invocation, InvokeError, Outcome, Proof,
    SigningIdentity,
};
use changbai_contract::ContractError;
use changbai_core::ledger::{BlockView, BoxFuture, TransactionSummary, TransactionView};
use changbai_core::{Committed, LedgerClient, LedgerError, LedgerProof, LedgerStatus, codes};
use changbai_msp::{ChannelConfig, Identity};
use changbai_storage::StorageError;
use changbai_wire::time::Clock;
use changbai_wire::{
    Content, Header, TxId, ValidationCode, decode_envelope, decode_transaction, envelope_digest,
};
use smkit::{OsRandom, Random as _, Sm3Digest};
use std::sync::Arc;
use tokio::time::Instant;

use crate::channels::NodeChannel;
use crate::configurations::Configurations;
use crate::links::PeerEndorsers;
use crate::metrics::ChannelMetrics;
use crate::time_rule;

/// One channel of this node as the evidence floor sees it. Calls are made as the node itself.
pub(crate) struct EmbeddedLedger {
    channel: Channel,
    identity: SigningIdentity,
    endorsers: PeerEndorsers,
    clock: Arc<dyn Clock>,
    random: Mutex<OsRandom>,
    configurations: Arc<Configurations>,
    metrics: Arc<ChannelMetrics>,
}

impl EmbeddedLedger {
    pub(crate) fn new(channel: &NodeChannel, clock: Arc<dyn Clock>) -> Self {
        let endorsers = PeerEndorsers::new(channel.caller());
        let NodeChannel { channel, identity, configurations, metrics, .. } = channel;
        Self {
            channel: channel.clone(),
            identity: identity.clone(),
            endorsers,
            clock,
            random: Mutex::new(OsRandom),
            configurations: Arc::clone(configurations),
            metrics: Arc::clone(metrics),
        }
    }

    fn invocation(
        &self,
        contract: &str,
        function: &str,
        args: Vec<Vec<u8>>,
    ) -> Result<Invocation, LedgerError> {
        let mut nonce = [0; 24];
        let mut random = self.random.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        random.fill(&mut nonce).map_err(|e| unavailable(&e))?;
        drop(random);
        let mut all = Vec::with_capacity(args.len() + 1);
        all.push(function.as_bytes().to_vec());
        all.extend(args);
        let time_ms = self.clock.now().at.0;
        Ok(Invocation { contract: contract.to_owned(), args: all, nonce, time_ms })
    }

    /// Has a call endorsed and waits until it is in a durable block.
    async fn order(&self, call: &Invocation) -> Result<(String, Outcome), LedgerError> {
        let began = Instant::now();
        let endorsed = self.channel.collect(&self.identity, call, &self.endorsers).await;
        self.metrics.endorsed(&call.contract, endorsed.is_ok(), began.elapsed());
        let endorsed = endorsed.map_err(invoke)?;
        let tx_id = endorsed.tx_id.to_string();
        let began = Instant::now();
        let queued = self.channel.broadcast(endorsed.envelope);
        self.metrics.broadcast(&queued, began.elapsed());
        // The channel halted with the transaction on its way: it may be durable or not.
        let Ok(outcome) = queued.map_err(broadcast)?.await else {
            let reason = "the channel halted meanwhile".to_owned();
            return Err(LedgerError::OutcomeUnknown { tx_id, reason });
        };
        Ok((tx_id, outcome))
    }

    fn view(&self, block: &changbai_channel::Block) -> BlockView {
        let transactions = block.envelopes.iter().zip(&block.codes).map(|(envelope, code)| {
            let tx_id = decode_envelope(envelope).map(|content| content.tx_id().to_string());
            TransactionSummary { tx_id: tx_id.unwrap_or_default(), code: *code }
        });
        BlockView {
            hash: block.header.hash(),
            header: block.header.clone(),
            size_bytes: block.to_bytes().len() as u64,
            transactions: transactions.collect(),
        }
    }

    fn describe(&self, tx_id: &str) -> Result<TransactionView, LedgerError> {
        let id: TxId = tx_id.parse().map_err(|_| LedgerError::NotFound)?;
        let found = self.channel.transaction(&id).map_err(|e| damaged(&e))?;
        let (envelope, outcome) = found.ok_or(LedgerError::NotFound)?;
        let content = decode_envelope(&envelope)
            .map_err(|(_, reason)| LedgerError::Damaged { reason: reason.to_owned() })?;
        // Whoever has gone since was a member then.
        let config = self.channel.config_at(outcome.block_number).map_err(|e| damaged(&e))?;
        let membership = config.membership();
        let at_s = i64::try_from(outcome.time_ms / 1_000).unwrap_or(i64::MAX);
        let who = |bytes: &[u8]| membership.identify(bytes, at_s).ok();
        let creator = who(content.creator());
        let (contract, function, endorsers) = match &content {
            Content::Config(_) => Default::default(),
            Content::Transaction(transaction) => {
                let function = transaction.args.first();
                let endorsers = transaction.endorsements.iter();
                (
                    transaction.chaincode_name.clone(),
                    function.map(|f| String::from_utf8_lossy(f).into_owned()).unwrap_or_default(),
                    endorsers.filter_map(|(e, _)| Some(who(e)?.msp_id.clone())).collect(),
                )
            }
        };
        Ok(TransactionView {
            tx_id: tx_id.to_owned(),
            block_number: outcome.block_number,
            index: outcome.index,
            code: outcome.code,
            time_ms: outcome.time_ms,
            creator_msp_id: creator.as_ref().map(|c| c.msp_id.clone()).unwrap_or_default(),
            creator_subject: creator.map(|c| c.certificate.subject()).unwrap_or_default(),
            contract,
            function,
            endorsers,
            envelope_sm3: envelope_digest(&envelope),
            size_bytes: envelope.len() as u64,
        })
    }

    /// The configuration under which the header's block was decided.
    fn config_of(&self, header: &Header) -> Result<Arc<ChannelConfig>, LedgerError> {
        let current = self.channel.config();
        if current.sequence == header.config_number {
            return Ok(current);
        }
        let config = self.channel.config_at(header.number).map_err(|e| damaged(&e))?;
        Ok(Arc::new(config))
    }

    fn prove(&self, tx_id: &str) -> Result<LedgerProof, LedgerError> {
        let id: TxId = tx_id.parse().map_err(|_| LedgerError::NotFound)?;
        let proof = match self.channel.prove(&id).map_err(|e| damaged(&e))? {
            Proof::Unknown => return Err(LedgerError::NotFound),
            Proof::NotYet => return Err(LedgerError::NotYetProven),
            Proof::Proven(proof) => *proof,
        };
        let config = self.config_of(&proof.header)?;
        let anchors = anchors(&config, &proof.envelope, proof.header.time_ms)?;
        let configurations = self.configurations.leading_to(&proof.header, &self.channel);
        let intermediates = config.orgs.iter().flat_map(|org| &org.intermediates);
        Ok(LedgerProof {
            intermediates: intermediates.map(|ca| ca.der().to_vec()).collect(),
            anchors,
            configurations: configurations.map_err(|e| damaged(&e))?,
            envelope: proof.envelope,
            leaf: proof.leaf,
            inclusion: proof.inclusion,
            header: proof.header,
            round: proof.round,
            signatures: proof.signatures,
            validators: config.validators.iter().map(|v| v.certificate.der().to_vec()).collect(),
        })
    }
}

impl LedgerClient for EmbeddedLedger {
    fn evaluate(
        &self,
        contract: &str,
        function: &str,
        args: Vec<Vec<u8>>,
    ) -> BoxFuture<'_, Result<Vec<u8>, LedgerError>> {
        let call = self.invocation(contract, function, args);
        Box::pin(
            async move { self.channel.evaluate(&self.identity.serialized, &call?).map_err(invoke) },
        )
    }

    fn submit(
        &self,
        contract: &str,
        function: &str,
        args: Vec<Vec<u8>>,
    ) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        let call = self.invocation(contract, function, args);
        Box::pin(async move {
            let began = Instant::now();
            let (tx_id, outcome) = match self.order(&call?).await {
                Ok(ordered) => ordered,
                Err(error) => {
                    let unknown = matches!(error, LedgerError::OutcomeUnknown { .. });
                    let word = if unknown { "unknown" } else { "refused" };
                    self.metrics.submitted(word, began.elapsed());
                    return Err(error);
                }
            };
            let Outcome { block_number, index, code, time_ms } = outcome;
            self.metrics.submitted(code.name(), began.elapsed());
            match code {
                ValidationCode::Valid => Ok(Committed { tx_id, block_number, index, time_ms }),
                // The policy held when the endorsements were joined: the configuration has changed since.
                ValidationCode::MvccReadConflict
                | ValidationCode::PhantomReadConflict
                | ValidationCode::EndorsementPolicyFailure => Err(LedgerError::Conflict),
                code => Err(LedgerError::Invalid { reason: code.name().to_owned() }),
            }
        })
    }

    fn proof(&self, tx_id: &str) -> BoxFuture<'_, Result<LedgerProof, LedgerError>> {
        let proof = self.prove(tx_id);
        Box::pin(async move { proof })
    }

    fn status(&self) -> LedgerStatus {
        let status = self.channel.status();
        LedgerStatus {
            channel: status.channel_id,
            height: status.height,
            transactions: status.transactions,
            validators: u32::try_from(self.channel.config().validators.len()).unwrap_or(u32::MAX),
            halted: status.halted,
        }
    }

    fn block(&self, number: u64) -> BoxFuture<'_, Result<BlockView, LedgerError>> {
        let block = self.channel.block(number).map_err(|e| damaged(&e));
        Box::pin(async move { Ok(self.view(&block?.ok_or(LedgerError::NotFound)?)) })
    }

    fn blocks(
        &self,
        from: Option<u64>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<BlockView>, LedgerError>> {
        let blocks = self.channel.blocks(from.unwrap_or(u64::MAX), u64::from(limit));
        let blocks = blocks.map_err(|e| damaged(&e));
        Box::pin(async move { Ok(blocks?.iter().map(|block| self.view(block)).collect()) })
    }

    fn transaction(&self, tx_id: &str) -> BoxFuture<'_, Result<TransactionView, LedgerError>> {
        let transaction = self.describe(tx_id);
        Box::pin(async move { transaction })
    }
}

/// The roots that validators, creator and endorsers chain to.
fn anchors(
    config: &ChannelConfig,
    envelope: &[u8],
    time_ms: u64,
) -> Result<Vec<Sm3Digest>, LedgerError> {
    let at_s = i64::try_from(time_ms / 1_000).unwrap_or(i64::MAX);
    let transaction = decode_transaction(envelope)
        .map_err(|(_, reason)| LedgerError::Damaged { reason: reason.to_owned() })?;
    let signers = std::iter::once(&transaction.creator)
        .chain(transaction.endorsements.iter().map(|(endorser, _)| endorser))
        .map(|identity| Identity::parse(identity).map(|who| (who.msp_id, who.certificate)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| LedgerError::Damaged { reason: e.to_string() })?;
    let validators = config.validators.iter().map(|v| (v.msp_id.clone(), v.certificate.clone()));
    // Whoever is not vouched for now was when it signed; the verifier judges that by the header.
    let root = |(msp_id, certificate): (String, _)| {
        let admitted = config.org(&msp_id)?.admit(&certificate, &[], at_s).ok()?;
        Some(admitted.root.sm3())
    };
    let roots: BTreeSet<_> = signers.into_iter().chain(validators).filter_map(root).collect();
    Ok(roots.into_iter().collect())
}

fn invoke(error: InvokeError) -> LedgerError {
    match error {
        InvokeError::Contract(ContractError::Refused { code, message, payload }) => {
            LedgerError::Refused { code, message, payload }
        }
        InvokeError::Storage(error) => damaged(&error),
        InvokeError::NotEndorsed { ref faults, .. } => {
            not_timely(faults).unwrap_or_else(|| unavailable(&error))
        }
        // Agencies that do not answer, or are at another height: no fault of the request.
        InvokeError::Diverged { .. } => unavailable(&error),
        other => LedgerError::Invalid { reason: other.to_string() },
    }
}

/// Another agency's node does not stand for the record's time.
fn not_timely(faults: &[EndorserFault]) -> Option<LedgerError> {
    faults.iter().find_map(|fault| {
        let FaultReason::Refused { status, message } = &fault.reason else { return None };
        let said = time_rule::message(*status, message)?;
        let (code, message) = (codes::TIME_NOT_ENDORSED.code, format!("{}: {said}", fault.msp_id));
        Some(LedgerError::Refused { code: code.to_owned(), message, payload: Vec::new() })
    })
}

fn broadcast(error: BroadcastError) -> LedgerError {
    match error {
        BroadcastError::Full => {
            LedgerError::Busy { retry_after_ms: changbai_channel::limits::RETRY_AFTER_MS }
        }
        // Nothing was queued, so nothing of this call can be recorded.
        BroadcastError::Stopping
        | BroadcastError::Suspended { .. }
        | BroadcastError::Halted { .. } => unavailable(&error),
        BroadcastError::Storage(error) => damaged(&error),
        other => LedgerError::Invalid { reason: other.to_string() },
    }
}

fn unavailable(error: &dyn std::fmt::Display) -> LedgerError {
    LedgerError::Unavailable { reason: error.to_string() }
}

fn damaged(error: &StorageError) -> LedgerError {
    LedgerError::Unavailable { reason: error.to_string() }
}

#[cfg(test)]
mod tests;
