//! What a node endorses for others, and what it refuses.

use changbai_channel::{Channel, Proposal, ProposalError, SigningIdentity};
use changbai_wire::time::UnixMillis;
use changbai_wire::{ProposalResponse, Refused, SignedProposal};
use smkit::sm2::Signature;

use crate::city::City;
use crate::world::{NOW, call, member_of};

fn refused(channel: &Channel, proposal: &[u8]) -> Refused {
    match ProposalResponse::from_bytes(&channel.process_proposal(proposal)).unwrap() {
        ProposalResponse::Refused(refused) => refused,
        ProposalResponse::Endorsed(_) => panic!("endorsed"),
    }
}

fn proposal(channel: &Channel, creator: &SigningIdentity, words: &[&str]) -> Proposal {
    channel.propose(&creator.serialized, &call(words)).unwrap()
}

#[test]
fn a_member_of_another_organisation_is_served() {
    let city = City::new("'B.peer'");
    let mut net = city.start();
    let channel = net.node(1).channel.clone();
    let client = &city.world.client;
    let signed = proposal(&channel, client, &["Put", "a", "1"]).sign(client);
    let endorsed = channel.endorse_for(&signed).unwrap();
    assert_eq!(endorsed.endorser, city.peers[1].serialized);
    let message = changbai_wire::endorsement_message(&endorsed.payload, &endorsed.endorser);
    let signature = Signature::from_der(&endorsed.signature).unwrap();
    city.identity(1).verifying_key().verify(&message, &signature).unwrap();
    // The same bytes at every node, and each time: nothing but the signature is the node's own.
    let there = net.node(2).channel.endorse_for(&signed).unwrap();
    assert_eq!((there.payload, there.response), (endorsed.payload, endorsed.response));
}

#[test]
fn strangers_replays_and_other_names_are_refused() {
    let city = City::new("'A.peer'");
    let mut net = city.start();
    let channel = net.node(1).channel.clone();
    let client = &city.world.client;
    let words = ["Put", "a", "1"];

    let (stranger, ..) = member_of("A", &city.world.authority, &["client"]);
    let signed = proposal(&channel, &stranger, &words).sign(&stranger);
    assert_eq!(refused(&channel, &signed).status, 403);
    assert!(matches!(channel.endorse_for(&signed), Err(ProposalError::Identity(_))));

    // In the client's name, by another member.
    let signed = proposal(&channel, client, &words).sign(&city.peers[2]);
    assert!(matches!(channel.endorse_for(&signed), Err(ProposalError::Signature)));
    assert_eq!(refused(&channel, &signed).status, 403);

    // The client's signature under another of its proposals.
    let [one, other] = [0; 2].map(|_| proposal(&channel, client, &words).sign(client));
    let [one, other] = [one, other].map(|bytes| SignedProposal::from_bytes(&bytes).unwrap());
    let mixed = SignedProposal::encode(one.proposal, other.signature);
    assert!(matches!(channel.endorse_for(&mixed), Err(ProposalError::Signature)));

    // Once it is in the ledger.
    let invocation = call(&words);
    let replayed = channel.propose(&client.serialized, &invocation).unwrap().sign(client);
    channel.endorse_for(&replayed).unwrap();
    let endorsed = net.node(0).channel.endorse(client, &invocation).unwrap();
    net.node(0).send(&endorsed.envelope);
    net.run(1_000);
    assert!(matches!(channel.endorse_for(&replayed), Err(ProposalError::Duplicate { .. })));
    assert_eq!(refused(&channel, &replayed).status, 409);

    // An expired member that dates its proposal back.
    let dated = proposal(&channel, client, &words).sign(client);
    city.world.clock.set(UnixMillis(NOW.0 + 2_000_000_000));
    assert!(matches!(channel.endorse_for(&dated), Err(ProposalError::Identity(_))));
}

#[test]
fn what_the_channel_lets_nobody_write_is_refused() {
    let city = City::new("'A.peer'");
    let mut net = city.start();
    let (channel, client) = (net.node(1).channel.clone(), &city.world.client);
    let mut unknown = call(&["Put", "a", "1"]);
    unknown.contract = "nobody".to_owned();
    let unknown = channel.propose(&client.serialized, &unknown).unwrap().sign(client);
    assert_eq!(refused(&channel, &unknown).status, 404);

    let (_, foreign) = changbai_wire::build_proposal(
        "village",
        "counters",
        &[b"Get".to_vec(), b"a".to_vec()],
        &client.serialized,
        &[7; 24],
        NOW,
    );
    let signature = client.key.sign(&foreign).to_der();
    let foreign = SignedProposal::encode(foreign, signature);
    assert!(matches!(channel.endorse_for(&foreign), Err(ProposalError::WrongChannel(_))));

    // The contract's refusal travels with its code and its data.
    let nothing = proposal(&channel, client, &["Nothing"]).sign(client);
    let Refused { status, message, payload } = refused(&channel, &nothing);
    assert_eq!((status, message.as_str(), payload), (500, "T-1: no", vec![7]));
}

#[test]
fn bytes_that_are_no_signed_proposal_are_refused() {
    let city = City::new("'A.peer'");
    let mut net = city.start();
    let (channel, client) = (net.node(1).channel.clone(), &city.world.client);
    for bytes in [&[][..], &[0xff; 40], b"proposal"] {
        assert_eq!(refused(&channel, bytes).status, 400);
    }
    let large = vec![0; changbai_channel::limits::ENVELOPE_BYTES_MAX + 1];
    assert_eq!(refused(&channel, &large).status, 413);

    let signed = proposal(&channel, client, &["Put", "a", "1"]).sign(client);
    channel.endorse_for(&signed).unwrap();
    for at in (0..signed.len()).step_by(13) {
        let mut changed = signed.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(channel.endorse_for(&changed).is_err(), "a changed byte {at}");
        assert!(channel.endorse_for(&signed[..at]).is_err(), "cut at {at}");
    }
    let trailing = [signed.as_slice(), &[0x1a, 0x00]].concat();
    assert_eq!(refused(&channel, &trailing).status, 400, "an unknown field");
}
