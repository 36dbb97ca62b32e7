//! What becomes of transactions: valid ones take effect and are provable, others are flagged.

use changbai_channel::{BroadcastError, Invocation, InvokeError, Proof, SigningIdentity};
use changbai_consensus::ValidatorSet;
use changbai_contract::ContractError;
use changbai_wire::ValidationCode;
use changbai_wire::proto::{common, protos};
use changbai_wire::{
    SimulationResult, TxReadWriteSet, assemble, build_proposal, decode_proposal,
    endorsement_message, response_payload, seal,
};
use prost::Message as _;

use crate::world::{NOW, World, call, member};

#[test]
fn a_transaction_is_committed_read_back_and_proven() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let mut node = world.open(dir.path()).unwrap();
    let endorsed = node.endorse(&world, &["Put", "a", "1"]);
    let mut outcome = node.send(&endorsed.envelope);
    assert!(outcome.try_recv().is_err(), "nothing is answered before the block is durable");
    node.turn();
    let outcome = outcome.try_recv().unwrap();
    assert_eq!(outcome.code, ValidationCode::Valid);
    assert_eq!(node.get(&world, "a"), "1");

    let (envelope, found) = node.channel.transaction(&endorsed.tx_id).unwrap().unwrap();
    assert_eq!((envelope, found), (endorsed.envelope, outcome));
    let Proof::Proven(proof) = node.channel.prove(&endorsed.tx_id).unwrap() else {
        panic!("the block that proves follows at once");
    };
    assert_eq!(proof.header.number, outcome.block_number + 1);
    let leaf = changbai_merkle::leaf_hash(&proof.leaf.to_bytes());
    proof.inclusion.verify(&leaf, &proof.header.log_root).unwrap();
    let certificate =
        node.channel.block(proof.header.number).unwrap().unwrap().certificate.unwrap();
    let validators = &node.channel.config().validators;
    let members = validators
        .iter()
        .map(|v| changbai_consensus::Member {
            address: changbai_wire::ValidatorAddress::for_key(v.certificate.public_key()),
            key: v.certificate.verifying_key().clone(),
        })
        .collect();
    let set = ValidatorSet::new(members).unwrap();
    assert_eq!(certificate.block, proof.header.hash());
    assert_eq!(certificate.verify("city", &set).unwrap(), 1);
}

#[test]
fn what_a_contract_reads_of_another_one_must_still_stand() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let mut node = world.open(dir.path()).unwrap();
    node.submit(&world, &["Put", "n", "1"]);
    let copy = || Invocation { contract: "mirror".to_owned(), ..call(&["Copy", "n"]) };
    let endorse = || node.channel.endorse(&world.client, &copy()).unwrap();
    let (endorsed, stale) = (endorse(), endorse());
    assert_eq!(endorsed.answer, b"1");
    let mut outcome = node.send(&endorsed.envelope);
    node.turn();
    assert_eq!(outcome.try_recv().unwrap().code, ValidationCode::Valid);
    // The other contract's key has changed between the endorsement and the block.
    let changes = node.endorse(&world, &["Put", "n", "2"]);
    let mut outcomes = [&changes, &stale].map(|endorsed| node.send(&endorsed.envelope));
    node.turn();
    let codes = outcomes.each_mut().map(|outcome| outcome.try_recv().unwrap().code);
    assert_eq!(codes, [ValidationCode::Valid, ValidationCode::MvccReadConflict]);
    assert_eq!(node.get(&world, "n"), "2");
    // And its own namespace is untouched by the reader.
    let again = node.channel.evaluate(&world.client.serialized, &copy()).unwrap();
    assert_eq!(again, b"2");
}

#[test]
fn an_idle_channel_makes_no_blocks() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let mut node = world.open(dir.path()).unwrap();
    node.submit(&world, &["Put", "a", "1"]);
    let height = node.channel.status().height;
    for _ in 0..10 {
        node.turn();
    }
    assert_eq!(node.channel.status().height, height);
    // Each block continues the one before it, and the tree only grows.
    let blocks = node.channel.blocks(u64::MAX, 100).unwrap();
    assert_eq!(blocks.len() as u64, height);
    for pair in blocks.windows(2) {
        assert_eq!(pair[0].header.previous_hash, pair[1].header.hash());
        assert!(pair[0].header.log_size >= pair[1].header.log_size);
    }
}

#[test]
fn of_two_that_read_the_same_version_the_second_conflicts() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let mut node = world.open(dir.path()).unwrap();
    let [first, second] = [&["Add", "n", "1"][..], &["Add", "n", "10"]]
        .map(|words| node.endorse(&world, words).envelope);
    let outcomes = [node.send(&first), node.send(&second)];
    node.turn();
    let codes = outcomes.map(|mut outcome| outcome.try_recv().unwrap().code);
    assert_eq!(codes, [ValidationCode::Valid, ValidationCode::MvccReadConflict]);
    assert_eq!(node.get(&world, "n"), "1");
    // The same across blocks: read before, committed after somebody else's write.
    let stale = node.endorse(&world, &["Add", "n", "10"]).envelope;
    assert_eq!(node.submit(&world, &["Add", "n", "2"]).code, ValidationCode::Valid);
    let mut outcome = node.send(&stale);
    node.turn();
    assert_eq!(outcome.try_recv().unwrap().code, ValidationCode::MvccReadConflict);
    assert_eq!(node.get(&world, "n"), "3");
}

#[test]
fn a_range_that_has_changed_is_a_phantom() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let mut node = world.open(dir.path()).unwrap();
    node.submit(&world, &["Put", "k1", "x"]);
    for change in [&["Put", "k2", "x"][..], &["Put", "k1", "y"], &["Delete", "k1"]] {
        let counted = node.endorse(&world, &["Count", "k", "l"]).envelope;
        let change = node.endorse(&world, change).envelope;
        let outcomes = [node.send(&change), node.send(&counted)];
        node.turn();
        let codes = outcomes.map(|mut outcome| outcome.try_recv().unwrap().code);
        assert_eq!(codes, [ValidationCode::Valid, ValidationCode::PhantomReadConflict]);
    }
    assert_eq!(node.submit(&world, &["Count", "k", "l"]).code, ValidationCode::Valid);
    assert_eq!(node.get(&world, "count"), "1");
}

#[test]
fn the_same_transaction_is_taken_once() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let mut node = world.open(dir.path()).unwrap();
    let envelope = node.endorse(&world, &["Put", "a", "1"]).envelope;
    let mut outcome = node.send(&envelope);
    let again = node.channel.broadcast(envelope.clone());
    assert!(matches!(again, Err(BroadcastError::Duplicate { .. })), "while it waits");
    node.turn();
    outcome.try_recv().unwrap();
    let again = node.channel.broadcast(envelope);
    assert!(matches!(again, Err(BroadcastError::Duplicate { .. })), "when it is committed");
}

#[test]
fn a_changed_signature_is_flagged_and_writes_nothing() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let mut node = world.open(dir.path()).unwrap();
    let other = node.endorse(&world, &["Put", "b", "2"]).envelope;
    let other = common::Envelope::decode(other.as_slice()).unwrap();
    let mut envelope =
        common::Envelope::decode(node.endorse(&world, &["Put", "a", "1"]).envelope.as_slice())
            .unwrap();
    envelope.signature = other.signature;
    let mut outcome = node.send(&envelope.encode_to_vec());
    node.turn();
    assert_eq!(outcome.try_recv().unwrap().code, ValidationCode::BadCreatorSignature);
    assert_eq!(node.get(&world, "a"), "");
}

#[test]
fn a_forgery_does_not_use_up_the_id_of_the_transaction_it_imitates() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let mut node = world.open(dir.path()).unwrap();
    let invocation = call(&["Put", "a", "1"]);
    let genuine = node.channel.endorse(&world.client, &invocation).unwrap();
    // Whoever has seen the transaction knows nonce and creator, and so can make its id.
    for chaincode in ["counters", "nobody"] {
        let forged = forgery(&world, &invocation.nonce, chaincode);
        let mut outcome = node.send(&forged);
        node.turn();
        let outcome = outcome.try_recv().unwrap();
        assert_eq!(outcome.code, ValidationCode::BadCreatorSignature, "{chaincode}");
        assert!(node.channel.transaction(&genuine.tx_id).unwrap().is_none(), "{chaincode}");
    }
    let mut outcome = node.send(&genuine.envelope);
    node.turn();
    assert_eq!(outcome.try_recv().unwrap().code, ValidationCode::Valid);
    assert_eq!(node.get(&world, "a"), "1");
}

/// A transaction in the client's name with its nonce, signed by the peer.
fn forgery(world: &World, nonce: &[u8; 24], chaincode: &str) -> Vec<u8> {
    let mut invocation = call(&["Put", "a", "forged"]);
    invocation.nonce = *nonce;
    chaincode.clone_into(&mut invocation.contract);
    transaction(world, &invocation, &world.peer)
}

/// A transaction without effects in the client's name, endorsed and signed by `signer`.
pub(crate) fn transaction(world: &World, call: &Invocation, signer: &SigningIdentity) -> Vec<u8> {
    let Invocation { contract, args, nonce, .. } = call;
    let creator = &world.client.serialized;
    let (_, proposal) = build_proposal("city", contract, args, creator, nonce, NOW);
    let decoded = decode_proposal(&proposal).unwrap();
    let response = protos::Response { status: 200, ..protos::Response::default() };
    let result = SimulationResult {
        results: &TxReadWriteSet { namespaces: Vec::new() },
        event: None,
        response: &response,
        chaincode_name: contract,
        chaincode_version: "1",
    };
    let answer = response_payload(&decoded.hash, &result);
    let endorser = &signer.serialized;
    let signature = signer.key.sign(&endorsement_message(&answer, endorser)).to_der();
    let payload = assemble(&proposal, &answer, &[(endorser.clone(), signature)]).unwrap();
    let signature = signer.key.sign(&payload).to_der();
    seal(payload, signature)
}

#[test]
fn who_is_no_peer_cannot_endorse() {
    let (mut world, dir) = (World::new(), tempfile::tempdir().unwrap());
    world.peer = world.client.clone();
    let mut node = world.open(dir.path()).unwrap();
    let invocation = call(&["Put", "a", "1"]);
    let refused = node.channel.endorse(&world.client, &invocation);
    let Err(InvokeError::NotEndorsed { missing, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(missing.organisations, ["Agency"]);
    // Joined by somebody who does not look, it is judged with its block.
    let mut outcome = node.send(&transaction(&world, &invocation, &world.client));
    node.turn();
    assert_eq!(outcome.try_recv().unwrap().code, ValidationCode::EndorsementPolicyFailure);
    assert_eq!(node.get(&world, "a"), "");
}

#[test]
fn strangers_are_refused_at_the_door() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let node = world.open(dir.path()).unwrap();
    let (stranger, ..) = member(&World::new().authority, &["client"]);
    let refused = node.channel.endorse(&stranger, &call(&["Put", "a", "1"]));
    assert!(matches!(refused, Err(InvokeError::Identity(_))));
    // Endorsed for a member, signed by a stranger in their own name: the id no longer fits.
    let forged = SigningIdentity { key: stranger.key, ..world.client.clone() };
    let endorsed = node.channel.endorse(&forged, &call(&["Put", "a", "1"])).unwrap();
    assert!(node.channel.broadcast(endorsed.envelope).is_ok(), "judged with its block");
    let late = node.channel.endorse(&world.client, &call(&["Put", "a", "1"])).unwrap();
    world.clock.set(changbai_wire::time::UnixMillis(NOW.0 + 2_000_000_000));
    let late = node.channel.broadcast(late.envelope);
    assert!(matches!(late, Err(BroadcastError::Identity(_))), "an expired certificate");
}

#[test]
fn refusals_of_contracts_reach_the_caller() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let node = world.open(dir.path()).unwrap();
    let refused = node.channel.endorse(&world.client, &call(&["Nothing"]));
    let Err(InvokeError::Contract(ContractError::Refused { code, payload, .. })) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((code.as_str(), payload), ("T-1", vec![7]));
    let mut unknown = call(&["Put", "a", "1"]);
    unknown.contract = "nobody".to_owned();
    let unknown = node.channel.endorse(&world.client, &unknown);
    assert!(matches!(unknown, Err(InvokeError::UnknownContract(_))));
}

#[test]
fn malformed_and_oversized_envelopes_are_refused() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let node = world.open(dir.path()).unwrap();
    for bytes in [vec![], vec![0xff; 40], b"envelope".to_vec()] {
        assert!(matches!(node.channel.broadcast(bytes), Err(BroadcastError::Malformed { .. })));
    }
    let large = vec![0; changbai_channel::limits::ENVELOPE_BYTES_MAX + 1];
    assert!(matches!(node.channel.broadcast(large), Err(BroadcastError::TooLarge { .. })));
    node.channel.stop();
    let envelope = node.endorse(&world, &["Put", "a", "1"]).envelope;
    assert!(matches!(node.channel.broadcast(envelope), Err(BroadcastError::Stopping)));
}

#[test]
fn the_transaction_log_is_read_as_a_transparency_log() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let mut node = world.open(dir.path()).unwrap();
    let mut heads = vec![node.channel.log_head()];
    for value in ["1", "2", "3", "4", "5"] {
        node.submit(&world, &["Put", "a", value]);
        heads.push(node.channel.log_head());
    }
    let last = heads.last().unwrap();
    assert_eq!(last.log_size, 6, "the configuration and five transactions");
    for old in &heads {
        let proof = node.channel.log_consistency(old.log_size, last.log_size).unwrap();
        if old.log_size > 0 {
            proof.verify(&old.log_root, &last.log_root).unwrap();
            assert_eq!(node.channel.log_root(old.log_size).unwrap(), old.log_root);
        }
    }
    for first in 0..6 {
        for count in 0..=u16::try_from(6 - first).unwrap() {
            let entries = node.channel.log_entries(first, count).unwrap();
            assert_eq!(entries.len(), usize::from(count));
            for (index, entry) in (first..).zip(&entries) {
                let inclusion = node.channel.log_inclusion(index, last.log_size).unwrap();
                inclusion.verify(&changbai_merkle::leaf_hash(entry), &last.log_root).unwrap();
            }
        }
    }
    let beyond = node.channel.log_entries(3, 4);
    assert!(matches!(beyond, Err(changbai_channel::LogError::Beyond { asked: 7, size: 6 })));
    assert!(node.channel.log_inclusion(6, 6).is_err());
    assert!(node.channel.log_consistency(0, 7).is_err());
}
