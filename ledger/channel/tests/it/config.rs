//! The configuration changes under load: validators come, go and get new keys, each from the next
//! height on; what must not change it does not.

use changbai_channel::{BroadcastError, OrderEvent, Outcome};
use changbai_consensus::{Member, ValidatorSet};
use changbai_msp::{ChannelConfig, ConfigUpdate, update_id};
use changbai_wire::proto::common;
use changbai_wire::{Content, TxId, ValidationCode, decode_envelope};
use prost::Message as _;
use smkit::sm3;
use tokio::sync::oneshot::Receiver;

use crate::net::Net;
use crate::world::{Validator, World, agreed, seats, update};

impl Net<'_> {
    /// Hands a change of the configuration that a node has in at that node.
    pub(crate) fn change(
        &mut self,
        at: usize,
        change: impl FnOnce(&mut ChannelConfig),
    ) -> (TxId, Receiver<Outcome>) {
        let envelope = self.changing(at, change);
        let id = update_id(&envelope).unwrap();
        (id, self.node(at).channel.broadcast(envelope).unwrap())
    }

    /// What changes the configuration that a node has.
    fn changing(&mut self, at: usize, change: impl FnOnce(&mut ChannelConfig)) -> Vec<u8> {
        let current = self.node(at).channel.config();
        let mut next = ChannelConfig::clone(&current);
        change(&mut next);
        update(&current, &next, &self.world.admin)
    }

    fn refused(&mut self, at: usize, envelope: Vec<u8>) -> String {
        match self.node(at).channel.broadcast(envelope) {
            Err(BroadcastError::Config(error)) => error.code().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    fn refusals(&self) -> Vec<&OrderEvent> {
        let events = self.nodes.iter().flat_map(|node| &node.events);
        events.filter(|event| matches!(event, OrderEvent::Refused { .. })).collect()
    }
}

#[test]
fn validators_are_added_removed_and_re_keyed() {
    let world = World::of(4);
    let newcomer = Validator::new(&world.authority);
    let renewed = Validator::new(&world.authority);
    let [a, b, c, d] = [0, 1, 2, 3].map(|at| &world.validators[at]);
    let script =
        [vec![a, b, c, d, &newcomer], vec![b, c, d, &newcomer], vec![&renewed, c, d, &newcomer]];
    let mut net = Net::new(&world, 0);
    let Validator { peer, key, .. } = &newcomer;
    let fifth = net.add(newcomer.id(), peer.clone(), Some(key.clone()));
    net.run(500);

    for (change, validators) in (1..).zip(&script) {
        let at = fifth - change % 2;
        let (id, mut outcome) = net.change(at, |config| config.validators = seats(validators));
        // Load around it, at every node.
        let others: Vec<_> =
            (0..5).map(|at| net.submit(at, &["Put", &format!("{change}-{at}"), "x"]).1).collect();
        net.run(3_000);
        let changed_at = outcome.try_recv().unwrap();
        assert_eq!(changed_at.code, ValidationCode::Valid);
        for mut other in others {
            assert_eq!(other.try_recv().unwrap().code, ValidationCode::Valid, "change {change}");
        }
        for at in 0..5 {
            let channel = net.node(at).channel.clone();
            let config = channel.config();
            assert_eq!(
                (config.sequence, config.validators.len()),
                (change as u64, validators.len())
            );
            let next = changed_at.block_number + 1;
            let [before, after] = [next - 1, next].map(|n| channel.config_at(n).unwrap().sequence);
            assert_eq!((before, after), (change as u64 - 1, change as u64));
            let (envelope, found) = channel.transaction(&id).unwrap().unwrap();
            assert_eq!(found, changed_at);
            assert_eq!(ChannelConfig::from_envelope(&envelope).unwrap(), *config);
            let block = channel.block(changed_at.block_number).unwrap().unwrap();
            assert_eq!(block.envelopes, [envelope], "alone in its block");
        }
        if change == 3 {
            // The machine of the validator whose key changed starts with the new one.
            net.kill(1);
            net.nodes[1].key = Some(renewed.key.clone());
            net.nodes[1].id = renewed.id();
            net.start(1);
            let (_, mut outcome) = net.submit(1, &["Put", "renewed", "x"]);
            net.run(5_000);
            assert_eq!(outcome.try_recv().unwrap().code, ValidationCode::Valid);
            assert!(net.node(1).channel.status().condition.validator);
        }
    }
    // One that comes late follows over all of it, and so does one that has lost its disk.
    net.add(Validator::new(&world.authority).id(), world.peer.clone(), None);
    net.kill(2);
    net.nodes[2].files = changbai_storage::faulty::FaultyFiles::new();
    net.nodes[2].key = None;
    net.start(2);
    net.run(3_000);
    net.assert_equal();
    assert_certified(&mut net);
    let configured = net.nodes[2].events.iter();
    let configured = configured.filter(|event| matches!(event, OrderEvent::Configured { .. }));
    assert_eq!(configured.count(), 6, "three times, and three times again");
    assert_eq!(net.refusals(), [] as [&OrderEvent; 0]);
}

#[test]
fn of_two_changes_of_one_configuration_one_wins_and_the_other_is_told() {
    let world = World::of(4);
    let mut net = Net::new(&world, 1);
    net.run(500);
    let first = net.changing(0, |config| config.batch.timeout_ms = 20);
    let second = net.changing(1, |config| config.batch.timeout_ms = 30);
    let other = net.changing(1, |config| config.orgs[0].revoked.push(sm3(b"somebody's")));
    let ids = [&first, &second, &other].map(|envelope| update_id(envelope).unwrap());
    let [mut one, mut two, mut three] = [(0, &first), (1, &second), (4, &other)]
        .map(|(at, envelope)| net.node(at).channel.broadcast(envelope.clone()).unwrap());
    // The same change at another door, and at the same.
    let mut again = net.node(2).channel.broadcast(first.clone()).unwrap();
    let twice = net.node(0).channel.broadcast(first.clone());
    assert!(matches!(twice, Err(BroadcastError::Duplicate { tx_id }) if tx_id == ids[0]));
    net.run(3_000);
    let told = [&mut one, &mut two, &mut three].map(|outcome| outcome.try_recv().unwrap());
    let won = told.iter().position(|outcome| outcome.code == ValidationCode::Valid).unwrap();
    for (at, outcome) in told.iter().enumerate().filter(|(at, _)| *at != won) {
        assert_eq!(outcome.code, ValidationCode::InvalidConfigTransaction);
        assert_eq!(outcome.block_number, told[won].block_number, "that was in its way");
        assert!(net.node(3).channel.transaction(&ids[at]).unwrap().is_none(), "in no block");
    }
    assert_eq!(again.try_recv().unwrap(), told[0], "wherever it was handed in");
    assert_eq!(net.node(3).channel.config().sequence, 1);
    let all = [first, second, other];
    let known = net.node(3).channel.broadcast(all[won].clone());
    assert!(matches!(known, Err(BroadcastError::Duplicate { tx_id }) if tx_id == ids[won]));
    // What others agreed to is not lost if it is about something else.
    let mut outcomes = Vec::new();
    for (at, envelope) in all.iter().enumerate().filter(|(at, _)| *at != won) {
        if (at < 2) == (won < 2) {
            assert_eq!(net.refused(3, envelope.clone()), "MS-2103", "{at} after {won}");
        } else {
            outcomes.push(net.node(3).channel.broadcast(envelope.clone()).unwrap());
            net.run(1_000);
        }
    }
    for mut outcome in outcomes {
        assert_eq!(outcome.try_recv().unwrap().code, ValidationCode::Valid);
    }
    net.assert_equal();
    assert_eq!(net.refusals(), [] as [&OrderEvent; 0]);
    assert_eq!(net.node(0).channel.status().condition.waiting, 0);
}

#[test]
fn what_must_not_change_the_configuration_is_refused_at_the_door() {
    let world = World::of(4);
    let mut net = Net::new(&world, 0);
    net.run(500);
    let height = net.heights();
    let current = net.node(0).channel.config();
    let mut next = ChannelConfig::clone(&current);
    next.batch.timeout_ms = 77;
    // Nobody who administers has signed, or somebody from elsewhere has.
    assert_eq!(net.refused(0, update(&current, &next, &world.client)), "MS-2201");
    let stranger = World::of(1);
    assert_eq!(net.refused(0, update(&current, &next, &stranger.admin)), "MS-2003");
    // Altered on the way.
    let mut altered = update(&current, &next, &world.admin);
    let last = altered.len() - 1;
    altered[last] ^= 1;
    assert_eq!(net.refused(0, altered), "MS-2004");
    // Of four validators two are replaced, or one is left out.
    let [e, f] = [(); 2].map(|()| Validator::new(&world.authority));
    let [a, b, c] = [0, 1, 2].map(|at| &world.validators[at]);
    let one = ConfigUpdate::compute(&current, &with(&current, &[a, b, c, &e])).unwrap();
    for (few, code) in [(vec![a, b, c], "MS-2401"), (vec![a, b, &e, &f], "MS-2402")] {
        let broken = by_hand(&one, &with(&current, &few));
        assert_eq!(net.refused(1, agreed(&broken, &world.admin)), code);
    }
    // A whole configuration is no way round: it is what its update makes, or nothing.
    let good = update(&current, &next, &world.admin);
    let mut made = changbai_msp::apply(&current, &good, crate::world::NOW.seconds()).unwrap();
    made.batch.timeout_ms = 99;
    assert_eq!(net.refused(0, made.to_config_envelope(&good).unwrap()), "MS-2303");
    net.run(2_000);
    assert_eq!(net.heights(), height, "none of it reached a block");
    let genesis = current.to_genesis_envelope();
    let refused = net.node(0).channel.broadcast(genesis);
    assert!(matches!(refused, Err(BroadcastError::Malformed { .. })), "{refused:?}");
    // And the honest one goes through.
    let mut outcome = net.node(0).channel.broadcast(good).unwrap();
    net.run(1_000);
    assert_eq!(outcome.try_recv().unwrap().code, ValidationCode::Valid);
}

/// The channel's own validator gets a new key while nobody else is there to decide.
#[test]
fn a_lone_validator_changes_its_key() {
    let world = World::of(1);
    let renewed = Validator::new(&world.authority);
    let mut net = Net::new(&world, 1);
    net.run(500);
    let (_, mut outcome) = net.change(1, |config| config.validators = seats(&[&renewed]));
    net.submit(1, &["Put", "meanwhile", "x"]);
    net.run(1_000);
    assert_eq!(outcome.try_recv().unwrap().code, ValidationCode::Valid);
    assert!(!net.node(0).channel.status().condition.validator, "it has the old key");
    net.kill(0);
    net.nodes[0].key = Some(renewed.key.clone());
    net.nodes[0].id = renewed.id();
    net.start(0);
    net.run(5_000);
    net.assert_equal();
    assert!(net.node(0).channel.status().condition.validator);
    assert_eq!(net.node(1).get(&world, "meanwhile"), "x", "passed on again");
    assert_certified(&mut net);
}

#[test]
fn whoever_is_revoked_is_refused_from_the_next_block_on() {
    let world = World::of(4);
    let mut net = Net::new(&world, 0);
    net.run(500);
    let (gone, certificate, _) = crate::world::member(&world.authority, &["client"]);
    let call = crate::world::call(&["Put", "late", "x"]);
    let late = net.node(1).channel.endorse(&gone, &call).unwrap();
    let (_, mut outcome) = net.change(0, |config| config.orgs[0].revoked.push(certificate.sm3()));
    net.run(1_000);
    assert_eq!(outcome.try_recv().unwrap().code, ValidationCode::Valid);
    for at in 0..4 {
        let refused = net.node(at).channel.broadcast(late.envelope.clone());
        assert!(matches!(refused, Err(BroadcastError::Identity(_))), "{refused:?}");
    }
}

fn with(config: &ChannelConfig, validators: &[&Validator]) -> ChannelConfig {
    let mut next = config.clone();
    next.validators = seats(validators);
    next
}

/// The update with the validators of a configuration that it would not be computed for.
fn by_hand(update: &ConfigUpdate, next: &ChannelConfig) -> ConfigUpdate {
    let genesis = common::Envelope::decode(&*next.to_genesis_envelope()).unwrap();
    let payload = common::Payload::decode(&*genesis.payload).unwrap();
    let config = common::ConfigEnvelope::decode(&*payload.data).unwrap().config.unwrap();
    let orderers = config.channel_group.unwrap().values["Orderers"].value.clone();
    let mut message = common::ConfigUpdate::decode(update.as_bytes()).unwrap();
    let values = &mut message.write_set.as_mut().unwrap().values;
    values.get_mut("Orderers").unwrap().value = orderers;
    ConfigUpdate::from_bytes(&message.encode_to_vec()).unwrap()
}

/// Every block carries a quorum of the validators of its own height, and names them.
fn assert_certified(net: &mut Net<'_>) {
    let channel = net.node(0).channel.clone();
    for number in 1..channel.status().height {
        let block = channel.block(number).unwrap().unwrap();
        let config = channel.config_at(number).unwrap();
        assert_eq!(block.header.validators_hash, config.validators_hash());
        assert_eq!(block.header.config_number, config.sequence);
        let members = config.validators.iter();
        let members = members.map(|v| Member::new(v.certificate.verifying_key().clone()));
        let set = ValidatorSet::new(members.collect()).unwrap();
        block.certificate.unwrap().verify("city", &set).unwrap();
        let configs = block.envelopes.iter();
        let configs = configs.filter(|e| matches!(decode_envelope(e), Ok(Content::Config(_))));
        assert!(configs.count() == 0 || block.envelopes.len() == 1, "alone in its block");
    }
}
