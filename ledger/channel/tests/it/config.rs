//! The configuration changes under load: validators come, go and get new keys, each from the next
//! height on.

use std::sync::Arc;

use changbai_channel::{ConfigRule, OrderEvent};
use changbai_consensus::{Member, ValidatorSet};
use changbai_msp::ChannelConfig;
use changbai_wire::{DecodedTransaction, ValidationCode};

use crate::net::Net;
use crate::world::{Validator, World, configuration};

/// `Put config N` makes the configuration the Nth of the script.
pub(crate) struct Script(pub(crate) Vec<ChannelConfig>);

impl ConfigRule for Script {
    fn next(
        &self,
        _: &ChannelConfig,
        transaction: &DecodedTransaction,
    ) -> Option<Result<ChannelConfig, ValidationCode>> {
        let [put, key, number] = transaction.args.as_slice() else { return None };
        if put != b"Put" || key != b"config" {
            return None;
        }
        let number: usize = String::from_utf8_lossy(number).parse().unwrap();
        Some(self.0.get(number).cloned().ok_or(ValidationCode::InvalidConfigTransaction))
    }
}

#[test]
fn validators_are_added_removed_and_re_keyed() {
    let mut world = World::of(4);
    let newcomer = Validator::new(&world.authority);
    let renewed = Validator::new(&world.authority);
    let [a, b, c, d] = [0, 1, 2, 3].map(|at| &world.validators[at]);
    let script = [
        vec![a, b, c, d],
        vec![a, b, c, d, &newcomer],
        vec![b, c, d, &newcomer],
        vec![&renewed, c, d, &newcomer],
    ];
    let script: Vec<ChannelConfig> = (0..)
        .zip(&script)
        .map(|(sequence, validators)| {
            let mut config = configuration(&world.organisation, validators);
            config.sequence = sequence;
            config
        })
        .collect();
    world.rule = Arc::new(Script(script));

    let mut net = Net::new(&world, 0);
    let fifth = net.add(newcomer.id(), newcomer.peer.clone(), Some(newcomer.key));
    net.run(500);

    // Skipping a number is refused, and nothing changes.
    let (_, mut skipped) = net.submit(0, &["Put", "config", "2"]);
    net.run(1_000);
    assert_eq!(skipped.try_recv().unwrap().code, ValidationCode::InvalidConfigTransaction);
    assert_eq!(net.node(0).channel.config().sequence, 0);

    for (change, validators) in [(1, 5), (2, 4), (3, 4)] {
        let number = change.to_string();
        let at = fifth - change % 2;
        let (_, mut outcome) = net.submit(at, &["Put", "config", &number]);
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
            let config = net.node(at).channel.config();
            assert_eq!((config.sequence, config.validators.len()), (change as u64, validators));
            let next = changed_at.block_number + 1;
            let [before, after] = [next - 1, next].map(|n| net.node(at).channel.config_at(n));
            assert_eq!(before.unwrap().sequence, change as u64 - 1);
            assert_eq!(after.unwrap().sequence, change as u64);
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
        }
    }
    net.assert_equal();
    assert_certified(&mut net);
    let configured = net.nodes[2].events.iter();
    let configured = configured.filter(|event| matches!(event, OrderEvent::Configured { .. }));
    assert_eq!(configured.count(), 3);
    let refused = net.nodes.iter().flat_map(|node| &node.events);
    let refused: Vec<_> = refused.filter(|e| matches!(e, OrderEvent::Refused { .. })).collect();
    assert_eq!(refused, [] as [&OrderEvent; 0]);
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
    }
}
