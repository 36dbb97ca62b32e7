//! What a lying validator makes of the messages that an honest one would send.

use std::collections::VecDeque;

use changbai_channel::Block;
use changbai_consensus::{MessageKind, forge};
use changbai_wire::{
    PeerMessage, PeerStatus, ValidatorAddress, block_data_hash, decode_envelope, seal,
};
use smkit::sm2::SigningKey;
use smkit::{Sm3Digest, sm3};

use crate::plan::Vice;
use crate::rng::Rng;
use crate::world::CHANNEL;

/// A message to one node.
pub(crate) type Letter = (usize, Vec<u8>);

/// One traitor's memory.
#[derive(Default)]
pub(crate) struct Traitor {
    /// Bodies it sent, to make others of.
    bodies: VecDeque<(Sm3Digest, Block)>,
    /// An envelope to forge from.
    envelope: Option<Vec<u8>>,
    /// The last configuration that it has seen ordered.
    config: Option<Vec<u8>>,
}

impl Traitor {
    /// Turns honest letters into what is sent.
    pub(crate) fn twist(
        &mut self,
        vices: &[Vice],
        key: &SigningKey,
        letters: Vec<Letter>,
        others: &[ValidatorAddress],
        nodes: usize,
        rng: &mut Rng,
    ) -> Vec<Letter> {
        let has = |vice: Vice| vices.contains(&vice);
        let mut out = Vec::new();
        let mut halves: Option<(Sm3Digest, Option<Block>)> = None;
        for (to, bytes) in letters {
            let Ok(message) = PeerMessage::decode(&bytes) else { continue };
            match message {
                PeerMessage::Body { hash, block, .. } => {
                    self.remember(hash, &block);
                    if !(has(Vice::Withhold) && rng.chance(700)) {
                        out.push((to, bytes));
                    }
                }
                PeerMessage::Consensus(statement) => {
                    let said = forge::read(&statement);
                    let proposal = said.filter(|said| said.kind == MessageKind::Proposal);
                    if let Some(said) = proposal
                        && [Vice::Equivocate, Vice::Invalid, Vice::Forge].into_iter().any(has)
                    {
                        let block = said.block.unwrap_or_else(|| sm3(b""));
                        if halves.as_ref().is_none_or(|(of, _)| *of != block) {
                            halves = Some((block, self.other(&block, vices, key, rng)));
                        }
                        let other = halves.as_ref().and_then(|(_, other)| other.as_ref());
                        if let Some(other) = other {
                            let (height, round, hash) =
                                (said.height, said.round, other.header.hash());
                            let second = forge::proposal(CHANNEL, key, height, round, None, hash);
                            let block = other.to_bytes();
                            let body = PeerMessage::Body { height, round, hash, block };
                            // One half gets the one, the other the other, some both; but a broken
                            // one goes to all.
                            let equivocates = has(Vice::Equivocate);
                            let (first, both) =
                                (equivocates && to % 2 == 0, equivocates && rng.chance(300));
                            if first || both {
                                out.push((to, bytes.clone()));
                            }
                            if !first || both {
                                push(&mut out, to, Some(body));
                                push(&mut out, to, second.map(PeerMessage::Consensus));
                            }
                            continue;
                        }
                    }
                    if let Some(said) = said {
                        if has(Vice::DoubleVote) && rng.chance(500) {
                            let block = match said.block {
                                Some(_) if rng.chance(500) => None,
                                _ => Some(self.any_block(rng)),
                            };
                            let (height, round) = (said.height, said.round);
                            let vote = forge::vote(CHANNEL, key, said.kind, height, round, block);
                            push(&mut out, to, vote.map(PeerMessage::Consensus));
                        }
                        if has(Vice::Impersonate) && rng.chance(500) {
                            let victim = others.get(rng.place(others.len())).copied();
                            let block = if rng.chance(300) { None } else { said.block };
                            let forged = victim.and_then(|victim| {
                                let said = forge::Said { block, validator: victim, ..said };
                                forge::impersonate(CHANNEL, key, &said)
                            });
                            push(&mut out, to, forged.map(PeerMessage::Consensus));
                        }
                        if has(Vice::Future) && rng.chance(200) {
                            let round =
                                said.round.saturating_add(rng.pick(&[1, 3, 12, 1 << 29], 1));
                            let height = said.height + rng.pick(&[0, 0, 1, 3, 30, 1 << 40], 0);
                            let block = self.any_block(rng);
                            let kind = rng.pick(
                                &[MessageKind::Prevote, MessageKind::Precommit],
                                MessageKind::Prevote,
                            );
                            let statement = if rng.chance(500) {
                                forge::vote(CHANNEL, key, kind, height, round, Some(block))
                            } else {
                                forge::proposal(CHANNEL, key, height, round, None, block)
                            };
                            push(&mut out, to, statement.map(PeerMessage::Consensus));
                        }
                    }
                    out.push((to, bytes));
                }
                PeerMessage::Transactions(envelopes) => {
                    self.envelope = envelopes.first().cloned();
                    out.push((to, bytes));
                }
                PeerMessage::Status(status) if has(Vice::Claim) && rng.chance(500) => {
                    let height = status.height + rng.pick(&[1, 2, 1_000, 1 << 50], 1);
                    let status = PeerStatus { height, ..status };
                    push(&mut out, to, Some(PeerMessage::Status(status)));
                }
                PeerMessage::Blocks { from, mut blocks } if has(Vice::Claim) => {
                    match (rng.below(3), blocks.first_mut()) {
                        (0, Some(block)) => {
                            let at = rng.place(block.len());
                            if let Some(byte) = block.get_mut(at) {
                                *byte ^= 1 << rng.below(8);
                            }
                        }
                        (1, _) => blocks.clear(),
                        _ => blocks.reverse(),
                    }
                    push(&mut out, to, Some(PeerMessage::Blocks { from, blocks }));
                }
                _ => out.push((to, bytes)),
            }
        }
        if has(Vice::Forge) && rng.chance(200) {
            let envelope = self.envelope.as_ref();
            let forged = envelope.and_then(|envelope| forge_from(envelope, key, rng));
            let forged = forged.map(|envelope| vec![envelope]);
            push(&mut out, rng.place(nodes), forged.map(PeerMessage::Transactions));
        }
        if has(Vice::Noise) && rng.chance(200) {
            let noise = (0..rng.below(80)).map(|_| (rng.next() & 0xff) as u8).collect();
            out.push((rng.place(nodes), noise));
        }
        out
    }

    fn remember(&mut self, hash: Sm3Digest, block: &[u8]) {
        if let Ok(block) = Block::from_bytes(block) {
            self.envelope = block.envelopes.first().cloned().or_else(|| self.envelope.take());
            let config = |e: &&Vec<u8>| decode_envelope(e).is_ok_and(|found| found.is_config());
            self.config =
                block.envelopes.iter().find(config).cloned().or_else(|| self.config.take());
            self.bodies.push_back((hash, block));
            if self.bodies.len() > 4 {
                self.bodies.pop_front();
            }
        }
    }

    /// Another block for the same place: as good as the first, broken, or with a forgery in it.
    fn other(
        &self,
        hash: &Sm3Digest,
        vices: &[Vice],
        key: &SigningKey,
        rng: &mut Rng,
    ) -> Option<Block> {
        let (_, block) = self.bodies.iter().find(|(known, _)| known == hash)?;
        let mut other = block.clone();
        other.header.time_ms += 1;
        if vices.contains(&Vice::Forge)
            && rng.chance(500)
            && let Some(first) = other.envelopes.first_mut()
            && let Some(forged) = forge_from(first, key, rng)
        {
            *first = forged;
        } else if vices.contains(&Vice::Invalid) {
            match rng.below(10) {
                0 => other.header.log_root = sm3(b"rewritten"),
                1 => other.header.log_size += 1,
                2 => other.header.time_ms += 3_600_000,
                3 => other.header.validators_hash = sm3(b"mine"),
                4 => other.header.config_number += 1,
                5 => other.envelopes.push(b"no transaction".to_vec()),
                // One that was in force, beside others or alone.
                8 => other.envelopes.extend(self.config.clone()),
                9 => other.envelopes = self.config.clone().into_iter().collect(),
                6 => other.envelopes.extend((0..20).flat_map(|_| block.envelopes.clone())),
                _ => other.envelopes.extend(block.envelopes.first().cloned()),
            }
        }
        other.header.data_hash = block_data_hash(&other.envelopes);
        Some(other)
    }

    fn any_block(&self, rng: &mut Rng) -> Sm3Digest {
        match self.bodies.get(rng.place(self.bodies.len())) {
            Some((hash, _)) if rng.chance(700) => *hash,
            _ => sm3(&rng.next().to_be_bytes()),
        }
    }
}

/// Somebody's transaction under the traitor's own signature.
fn forge_from(envelope: &[u8], key: &SigningKey, rng: &mut Rng) -> Option<Vec<u8>> {
    let content = decode_envelope(envelope).ok()?;
    if content.is_config() {
        // The update is genuine, what is around it is not.
        let mut forged = envelope.to_vec();
        let at = forged.len().checked_sub(1 + rng.place(forged.len() / 2))?;
        *forged.get_mut(at)? ^= 1;
        return Some(forged);
    }
    let mut payload = content.signed_payload().to_vec();
    if rng.chance(300) {
        // A write that no endorser has seen.
        let at = payload.len().checked_sub(1 + rng.place(payload.len() / 2))?;
        *payload.get_mut(at)? ^= 1;
    }
    let signature = key.sign(&payload).to_der();
    Some(seal(payload, signature))
}

fn push(out: &mut Vec<Letter>, to: usize, message: Option<PeerMessage>) {
    if let Some(bytes) = message.and_then(|message| message.encode().ok()) {
        out.push((to, bytes));
    }
}
