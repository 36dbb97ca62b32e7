//! The channels as the API shows them; joining one while the node runs.

use std::sync::{Arc, PoisonError};

use changbai_api::channels::{
    ChannelDirectory, ChannelNode, ChannelRole, ChannelState, ChannelValidator, JoinError,
    Misbehaviour, UpdateAnswer, UpdateError,
};
use changbai_channel::{BroadcastError, Outcome};
use changbai_core::ledger::BoxFuture;
use changbai_wire::{ValidationCode, ValidatorAddress};

use super::{Channels, NodeChannel, keep_genesis};
use crate::error::StartError;
use crate::genesis::Genesis;

impl ChannelDirectory for Channels {
    fn channels(&self) -> Vec<Arc<dyn ChannelNode>> {
        self.all().into_iter().map(|channel| channel as _).collect()
    }

    fn channel(&self, id: &str) -> Option<Arc<dyn ChannelNode>> {
        self.get(id).map(|channel| channel as _)
    }

    fn join(&self, genesis: &[u8]) -> Result<String, JoinError> {
        let Genesis { block, config } = Genesis::read(genesis).map_err(JoinError::Malformed)?;
        let id = config.channel_id.clone();
        let closed = self.joining.lock().unwrap_or_else(PoisonError::into_inner);
        if *closed {
            return Err(JoinError::Failed("the node is stopping".to_owned()));
        }
        let folder = self.directory.channel(&id);
        if self.get(&id).is_some() || folder.exists() {
            return Err(JoinError::Known(id));
        }
        self.check_membership(&config).map_err(refused)?;
        let joined = keep_genesis(&self.directory, &block).and_then(|()| self.start(&id));
        if let Err(error) = joined {
            // Nothing was signed on it yet: a channel that does not open must not keep the node from starting.
            drop(std::fs::remove_dir_all(&folder));
            return Err(refused(error));
        }
        self.keep_trust().map_err(refused)?;
        Ok(id)
    }
}

impl ChannelNode for NodeChannel {
    fn state(&self) -> ChannelState {
        let (status, config) = (self.channel.status(), self.channel.config());
        let condition = status.condition;
        let own = self.address();
        let validator = |v: &changbai_msp::ValidatorConfig| ChannelValidator {
            msp_id: v.msp_id.clone(),
            address: v.address().to_string(),
            endpoint: v.consensus.as_ref().or(v.peer.as_ref()).map(ToString::to_string),
            own: Some(v.address()) == own,
        };
        let validators: Vec<_> = config.validators.iter().map(validator).collect();
        let votes = validators.iter().any(|validator| validator.own);
        // An idle channel does not notice that the others are gone: whoever is not connected is not heard.
        let heard = condition.peers.saturating_add(usize::from(votes));
        let needed = validators.len() - validators.len().saturating_sub(1) / 3;
        ChannelState {
            channel: status.channel_id,
            genesis: self.genesis.to_string(),
            height: status.height,
            tip: status.tip.to_string(),
            transactions: status.transactions,
            config_sequence: config.sequence,
            organisations: config.orgs.iter().map(|org| org.msp_id.clone()).collect(),
            validators,
            role: if votes { ChannelRole::Validator } else { ChannelRole::Follower },
            peers_connected: condition.peers,
            peers_height: condition.peers_height,
            quorum: condition.no_quorum_since_ms.is_none() && heard >= needed,
            waiting: condition.waiting,
            halted: status.halted,
            suspended: condition.suspended,
            misbehaviour: self
                .channel
                .misbehaviour()
                .iter()
                .map(|case| Misbehaviour {
                    validator: case.validator.to_string(),
                    kind: format!("{:?}", case.kind).to_lowercase(),
                    height: case.height,
                    round: case.round,
                })
                .collect(),
        }
    }

    fn config(&self) -> Vec<u8> {
        self.channel.config().to_genesis_envelope()
    }

    fn update(&self, envelope: Vec<u8>) -> BoxFuture<'_, Result<UpdateAnswer, UpdateError>> {
        let sent = self.channel.broadcast(envelope);
        Box::pin(async move {
            let outcome = sent.map_err(|error| not_taken(&error))?.await;
            // The channel halted with it on its way: it may be durable or not.
            let Ok(Outcome { block_number, code, .. }) = outcome else {
                return Err(UpdateError::Unknown("the channel halted meanwhile".to_owned()));
            };
            if code != ValidationCode::Valid {
                return Err(UpdateError::Refused(code.name().to_owned()));
            }
            // As of the next block; the configuration that is in force for others may change a moment later.
            let next = self.channel.config_at(block_number.saturating_add(1));
            let next = next.map_err(|error| UpdateError::Unknown(error.to_string()))?;
            let config_sequence = next.sequence;
            Ok(UpdateAnswer { block_number, config_sequence })
        })
    }
}

impl NodeChannel {
    /// The address that this node's votes bear, where it votes.
    fn address(&self) -> Option<ValidatorAddress> {
        Some(ValidatorAddress::for_key(self.identity.key.verifying_key().public_key()))
    }
}

fn refused(error: StartError) -> JoinError {
    match error {
        StartError::Foreign { .. } | StartError::Clock { .. } | StartError::Genesis { .. } => {
            JoinError::Foreign(error.to_string())
        }
        other => JoinError::Failed(other.to_string()),
    }
}

fn not_taken(error: &BroadcastError) -> UpdateError {
    match error {
        BroadcastError::Full
        | BroadcastError::Stopping
        | BroadcastError::Suspended { .. }
        | BroadcastError::Halted { .. }
        | BroadcastError::Storage(_) => UpdateError::Unavailable(error.to_string()),
        refused => UpdateError::Refused(refused.to_string()),
    }
}
