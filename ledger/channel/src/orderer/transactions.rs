//! Passing transactions on, so that whoever proposes next has work.

use std::sync::Arc;

use changbai_wire::limits::ENVELOPE_BYTES_MAX as WIRE_BYTES_MAX;
use changbai_wire::peer::{TRANSACTIONS_BYTES_MAX, TRANSACTIONS_MAX};
use changbai_wire::{PeerMessage, ValidationCode, decode_envelope, envelope_digests};

use super::Orderer;
use super::event::{Destination, Fault, PeerId};
use crate::limits::ENVELOPE_BYTES_MAX;
use crate::mempool::{Decoded, Waiting};
use crate::signatures;

impl Orderer {
    /// Passes own transactions on to the validators: each once, and again after a while.
    pub(super) fn pass_on(&mut self) {
        let mempool = &self.shared.mempool;
        if self.peers.is_empty() {
            mempool.keep_all();
            return;
        }
        let pause_ms = self.tuning.heartbeat_ms.saturating_mul(2);
        if self.now_ms >= self.forwarded_ms.saturating_add(pause_ms) {
            self.forwarded_ms = self.now_ms;
            mempool.forward_again(mempool.mark());
        }
        loop {
            let waiting = self.shared.mempool.take_unforwarded(TRANSACTIONS_MAX);
            if waiting.is_empty() {
                return;
            }
            let mut message = Vec::new();
            let mut bytes = 0_usize;
            for waiting in self.signed(waiting) {
                let size = waiting.envelope.len();
                if !message.is_empty() && bytes.saturating_add(size) > TRANSACTIONS_BYTES_MAX {
                    let full = PeerMessage::Transactions(std::mem::take(&mut message));
                    self.send(Destination::Validators, &full);
                    bytes = 0;
                }
                bytes = bytes.saturating_add(size);
                message.push(waiting.envelope.as_ref().clone());
            }
            if !message.is_empty() {
                self.send(Destination::Validators, &PeerMessage::Transactions(message));
            }
        }
    }

    /// Takes in what a peer passes on.
    pub(super) fn take_transactions(&mut self, from: PeerId, envelopes: Vec<Vec<u8>>) {
        if !self.votes() {
            return;
        }
        let mut taken = Vec::new();
        for (digest, envelope) in envelope_digests(&envelopes).into_iter().zip(envelopes) {
            if self.shared.mempool.knows(&digest) {
                continue;
            }
            if envelope.len() > ENVELOPE_BYTES_MAX.min(WIRE_BYTES_MAX) {
                self.refuse(from, Fault::Transaction("too large"));
                return;
            }
            let content = match decode_envelope(&envelope) {
                Ok(content) => content,
                Err((_, reason)) => {
                    self.refuse(from, Fault::Transaction(reason));
                    return;
                }
            };
            // What is in the ledger already was sent before its block came by; who may not write
            // is judged by clocks and configurations that may differ for a moment.
            let decoded = Arc::new(Decoded { digest, content });
            let waiting = Waiting { envelope: Arc::new(envelope), decoded };
            if self.shared.admits(&waiting).is_ok() {
                taken.push(waiting);
            }
        }
        let offered = taken.len();
        let signed = self.signed(taken);
        if signed.len() < offered {
            self.refuse(from, Fault::Transaction("its creator has not signed it"));
        }
        for waiting in signed {
            // Without room it stays with those who have it.
            self.shared.mempool.push_forwarded(waiting);
        }
    }

    /// Those whose creators have signed them; their endorsements are verified with the same batch
    /// and all of it is remembered.
    fn signed(&self, waiting: Vec<Waiting>) -> Vec<Waiting> {
        let decoded: Vec<_> = waiting.iter().map(|w| Arc::clone(&w.decoded)).collect();
        let epoch = self.shared.epoch();
        let rules = self.shared.rules(&epoch);
        let now = self.shared.clock.now().at.0;
        let codes = signatures::check(&rules, &self.shared.verdicts, true, now, &decoded);
        let signed = |(_, code): &(Waiting, _)| *code != ValidationCode::BadCreatorSignature;
        waiting.into_iter().zip(codes).filter(signed).map(|(waiting, _)| waiting).collect()
    }
}
