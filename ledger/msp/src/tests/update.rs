//! Configurations that change: how, by whom, and how far.

mod portable;

use changbai_wire::{
    proto::{common, protos},
    time::UnixMillis,
};
use proptest::prelude::*;
use prost::Message;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};

use super::*;
use crate::{
    ChannelConfig, ComputeError, ConfigError, ConfigSignature, ConfigUpdate, ConfigUpdateError,
    GroupPolicy, ItemPath, Policy, Sender, ValidatorChange, ValidatorConfig, apply,
    validate_config,
};

const TIME: UnixMillis = UnixMillis(NOW as u64 * 1_000);

/// Organisations, each with an administrator, and their channel.
struct City {
    orgs: Vec<Org>,
    admins: Vec<(Vec<u8>, SigningKey)>,
    config: ChannelConfig,
}

impl City {
    /// So many organisations, of which the first so many run a validator.
    fn new(orgs: usize, validators: usize) -> Self {
        let mut orgs: Vec<_> =
            (0..orgs).map(|at| Org::new(&format!("Org{at}"), at as u64 + 1)).collect();
        let admins = orgs.iter_mut().map(|org| person(org, &["admin"])).collect();
        let seats: Vec<_> = (0..validators).map(|at| seat(&mut orgs, at, at)).collect();
        let members = orgs.iter().map(Org::organisation).collect();
        let config = ChannelConfig::new("city", members, seats).unwrap();
        Self { orgs, admins, config }
    }

    fn sender(&self, at: usize) -> Sender<'_> {
        let (identity, key) = &self.admins[at];
        Sender { identity, key }
    }

    fn signed(&self, update: &ConfigUpdate, by: &[usize]) -> Vec<u8> {
        let signatures: Vec<_> =
            by.iter().map(|at| update.sign(self.sender(*at), b"nonce")).collect();
        update.to_envelope(&signatures, self.sender(0), b"sent", TIME)
    }

    /// Changes the configuration and applies the update that these administrators signed.
    fn change(
        &self,
        by: &[usize],
        change: impl FnOnce(&mut ChannelConfig),
    ) -> Result<ChannelConfig, ConfigUpdateError> {
        let mut next = self.config.clone();
        change(&mut next);
        let update = ConfigUpdate::compute(&self.config, &next).unwrap();
        apply(&self.config, &self.signed(&update, by), NOW)
    }
}

fn person(org: &mut Org, units: &[&str]) -> (Vec<u8>, SigningKey) {
    let (certificate, key) = keyed(org, units);
    (serialize_identity(&org.msp_id, &certificate), key)
}

fn keyed(org: &mut Org, units: &[&str]) -> (Certificate, SigningKey) {
    let key = PrivateKey::generate(&mut org.random).unwrap();
    let validity = Validity { not_before: START, not_after: END };
    let subject = subject("x", units);
    let certificate = org
        .authority
        .issue(&subject, key.public_key(), Profile::Signing, validity, None, &mut org.random)
        .unwrap();
    (certificate, SigningKey::new(key, SignerId::DEFAULT).unwrap())
}

/// A validator of an organisation at a position, with a new key.
fn seat(orgs: &mut [Org], org: usize, index: usize) -> ValidatorConfig {
    let certificate = orgs[org].certificate("v", &["orderer"]);
    ValidatorConfig::new(&orgs[org].msp_id.clone(), certificate, index as u32)
}

fn paths(update: &ConfigUpdate) -> Vec<String> {
    update.changes().unwrap().iter().map(ToString::to_string).collect()
}

#[test]
fn a_value_changes() {
    let city = City::new(3, 1);
    let mut next = city.config.clone();
    next.batch.timeout_ms = 50;
    let update = ConfigUpdate::compute(&city.config, &next).unwrap();
    assert_eq!(paths(&update), ["[Value] /Channel/Orderer/BatchTimeout"]);
    // Guarded by the administrators of the organisations that order: the first.
    let changed = apply(&city.config, &city.signed(&update, &[0]), NOW).unwrap();
    assert_eq!((changed.batch, changed.sequence), (next.batch, 1));
    let refused = apply(&city.config, &city.signed(&update, &[1, 2]), NOW).unwrap_err();
    assert_eq!(refused.code(), "MS-2201");
    assert_eq!(
        refused.to_string(),
        "changing [Value] /Channel/Orderer/BatchTimeout needs /Channel/Orderer/Admins, which the \
         signatures do not satisfy"
    );
    // Twice is once too often: the versions have moved on.
    let again = apply(&changed, &city.signed(&update, &[0]), NOW).unwrap_err();
    assert!(matches!(again, ConfigUpdateError::Version { found: 1, expected: 2, .. }), "{again}");
}

#[test]
fn the_sets_are_fabrics() {
    let city = City::new(2, 1);
    let mut next = city.config.clone();
    next.orgs[1].anchor_peers.push("peer:7051".parse().unwrap());
    let update = ConfigUpdate::compute(&city.config, &next).unwrap();
    let message = common::ConfigUpdate::decode(update.as_bytes()).unwrap();
    let org = |set: &Option<common::ConfigGroup>| {
        let root = set.clone().unwrap();
        assert!(root.values.is_empty() && root.policies.is_empty() && root.mod_policy.is_empty());
        assert_eq!(Vec::from_iter(root.groups.keys()), ["Application"]);
        let application = &root.groups["Application"];
        assert_eq!(Vec::from_iter(application.groups.keys()), ["Org1"]);
        application.groups["Org1"].clone()
    };
    // A member comes: the group is at version 1 and lists what stays by version alone.
    let (read, write) = (org(&message.read_set), org(&message.write_set));
    assert_eq!((read.version, write.version), (0, 1));
    assert_eq!(Vec::from_iter(read.values.keys()), ["MSP"]);
    assert_eq!(read.policies.len(), 5);
    assert!(read.policies.values().all(|p| *p == common::ConfigPolicy::default()));
    assert_eq!(Vec::from_iter(write.values.keys()), ["AnchorPeers", "MSP"]);
    assert_eq!(write.values["MSP"], common::ConfigValue::default());
    assert_eq!(write.mod_policy, "Admins");
    let peers = protos::AnchorPeers::decode(&*write.values["AnchorPeers"].value).unwrap();
    assert_eq!((peers.anchor_peers[0].host.as_str(), peers.anchor_peers[0].port), ("peer", 7051));
    // It is the organisation's own matter.
    let changed = apply(&city.config, &city.signed(&update, &[1]), NOW).unwrap();
    assert_eq!(changed.orgs[1].anchor_peers, next.orgs[1].anchor_peers);
    assert_eq!(
        apply(&city.config, &city.signed(&update, &[0]), NOW).unwrap_err().code(),
        "MS-2201"
    );
    // Next, the same value changes: version 1 of that value alone.
    let mut later = changed.clone();
    later.orgs[1].anchor_peers[0] = "peer2:7051".parse().unwrap();
    let update = ConfigUpdate::compute(&changed, &later).unwrap();
    assert_eq!(paths(&update), ["[Value] /Channel/Application/Org1/AnchorPeers"]);
    let message = common::ConfigUpdate::decode(update.as_bytes()).unwrap();
    assert_eq!(org(&message.read_set).version, 1);
    assert_eq!(org(&message.write_set).values["AnchorPeers"].version, 1);
    let changed = apply(&changed, &city.signed(&update, &[1]), NOW).unwrap();
    // And goes again; a new one starts at 0.
    let mut without = changed.clone();
    without.orgs[1].anchor_peers.clear();
    let update = ConfigUpdate::compute(&changed, &without).unwrap();
    assert_eq!(paths(&update), ["[Group] /Channel/Application/Org1"]);
    let changed = apply(&changed, &city.signed(&update, &[1]), NOW).unwrap();
    assert_eq!((changed.sequence, changed.orgs[1].anchor_peers.len()), (3, 0));
}

#[test]
fn organisations_come_and_go() {
    let city = City::new(4, 1);
    let mut without = city.config.clone();
    without.orgs.remove(3);
    let update = ConfigUpdate::compute(&city.config, &without).unwrap();
    assert_eq!(paths(&update), ["[Group] /Channel/Application"]);
    let refused = apply(&city.config, &city.signed(&update, &[0, 1]), NOW).unwrap_err();
    assert_eq!(refused.code(), "MS-2201", "two of four");
    let changed = apply(&city.config, &city.signed(&update, &[0, 1, 2]), NOW).unwrap();
    assert_eq!(changed.orgs.len(), 3);
    // Whoever has left has no voice any more.
    let mut back = changed.clone();
    back.orgs.push(city.config.orgs[3].clone());
    let update = ConfigUpdate::compute(&changed, &back).unwrap();
    let refused = apply(&changed, &city.signed(&update, &[0, 1, 3]), NOW).unwrap_err();
    assert!(matches!(refused, ConfigUpdateError::Signer { index: 2, .. }));
    assert_eq!(apply(&changed, &city.signed(&update, &[0, 1]), NOW).unwrap().orgs.len(), 4);
}

#[test]
fn elements_are_guarded_by_what_they_name() {
    let mut city = City::new(3, 1);
    let orderers: ItemPath = "[Value] /Channel/Orderers".parse().unwrap();
    let endpoint = |c: &mut ChannelConfig| c.validators[0].peer = Some("n:1".parse().unwrap());
    // A majority of both groups: two of three organisations, and the one that orders.
    assert_eq!(city.change(&[0], endpoint).unwrap_err().code(), "MS-2201");
    assert_eq!(city.change(&[1, 2], endpoint).unwrap_err().code(), "MS-2201");
    city.change(&[0, 1], endpoint).unwrap();
    // To change who guards is guarded by those who did.
    let reguard = |c: &mut ChannelConfig| {
        c.mod_policies.insert(orderers.clone(), "/Channel/Orderer/Admins".to_owned());
    };
    assert_eq!(city.change(&[0], reguard).unwrap_err().code(), "MS-2201");
    city.config = city.change(&[0, 1], reguard).unwrap();
    city.change(&[0], endpoint).unwrap();
    // A policy changes: guarded by the administrators of its group.
    let stricter = |c: &mut ChannelConfig| {
        c.policies.endorsement = GroupPolicy::parse("ALL Endorsement").unwrap();
    };
    assert_eq!(city.change(&[0], stricter).unwrap_err().code(), "MS-2201");
    let changed = city.change(&[1, 2], stricter).unwrap();
    assert_eq!(changed.policies.endorsement.to_string(), "ALL Endorsement");
}

#[test]
fn a_duplicate_signature_counts_once() {
    let city = City::new(3, 1);
    let change =
        |c: &mut ChannelConfig| c.policies.readers = Policy::parse("'Org0.member'").unwrap().into();
    assert_eq!(city.change(&[1, 1, 1], change).unwrap_err().code(), "MS-2201");
    city.change(&[1, 1, 2], change).unwrap();
}

#[test]
fn who_is_nobody_cannot_change_anything() {
    let mut city = City::new(3, 1);
    let mut next = city.config.clone();
    next.batch.timeout_ms = 50;
    let update = ConfigUpdate::compute(&city.config, &next).unwrap();
    let code = |config: &ChannelConfig, envelope: &[u8], at| {
        apply(config, envelope, at).unwrap_err().code()
    };
    let good = update.sign(city.sender(0), b"n");
    let envelope = |signatures: &[&ConfigSignature], sender: Sender<'_>| {
        let signatures: Vec<_> = signatures.iter().copied().cloned().collect();
        update.to_envelope(&signatures, sender, b"n", TIME)
    };
    assert!(apply(&city.config, &envelope(&[&good], city.sender(1)), NOW).is_ok());
    assert_eq!(code(&city.config, &envelope(&[], city.sender(0)), NOW), "MS-2201");
    // A client of the right organisation, and a stranger with the same name.
    let client = person(&mut city.orgs[0], &["client"]);
    let client = Sender { identity: &client.0, key: &client.1 };
    let by_client = update.sign(client, b"n");
    assert_eq!(code(&city.config, &envelope(&[&by_client], city.sender(0)), NOW), "MS-2201");
    let mut twin = Org::new("Org0", 99);
    let stranger = person(&mut twin, &["admin"]);
    let stranger = Sender { identity: &stranger.0, key: &stranger.1 };
    let by_stranger = update.sign(stranger, b"n");
    let both = [&good, &by_stranger];
    assert_eq!(code(&city.config, &envelope(&both, city.sender(0)), NOW), "MS-2005");
    assert_eq!(code(&city.config, &envelope(&[&good], stranger), NOW), "MS-2003");
    // Signatures of somebody else, over something else, or spoilt.
    let impostor = Sender { identity: city.sender(0).identity, key: city.sender(1).key };
    let forged = update.sign(impostor, b"n");
    assert_eq!(code(&city.config, &envelope(&[&forged], city.sender(0)), NOW), "MS-2006");
    let spare = update.sign(city.sender(1), b"n");
    assert_eq!(
        code(&city.config, &envelope(&[&good, &spare, &forged], city.sender(0)), NOW),
        "MS-2006",
        "one wrong signature refuses the whole"
    );
    let mut moved = good.clone();
    moved.signature_header = update.sign(city.sender(0), b"other").signature_header;
    assert_eq!(code(&city.config, &envelope(&[&moved], city.sender(0)), NOW), "MS-2006");
    let mut spoilt = good.clone();
    spoilt.signature.push(0);
    assert_eq!(code(&city.config, &envelope(&[&spoilt], city.sender(0)), NOW), "MS-2006");
    assert_eq!(code(&city.config, &envelope(&[&good], impostor), NOW), "MS-2004");
    let many = vec![&good; crate::limits::UPDATE_SIGNATURES_MAX + 1];
    assert_eq!(code(&city.config, &envelope(&many, city.sender(0)), NOW), "MS-2007");
    // Certificates are judged at the block's time.
    assert_eq!(code(&city.config, &envelope(&[&good], city.sender(0)), END + 1), "MS-2003");
    let other = ChannelConfig { channel_id: "other".into(), ..city.config.clone() };
    assert_eq!(code(&other, &envelope(&[&good], city.sender(0)), NOW), "MS-2002");
    assert_eq!(code(&city.config, &city.config.to_genesis_envelope(), NOW), "MS-2001");
    assert_eq!(code(&city.config, b"", NOW), "MS-2001");
}

/// Rewrites the update by hand, signs it as everybody, and says why it is refused.
fn refused(
    city: &City,
    next: &ChannelConfig,
    change: impl FnOnce(&mut common::ConfigUpdate),
) -> ConfigUpdateError {
    let update = ConfigUpdate::compute(&city.config, next).unwrap();
    let mut message = common::ConfigUpdate::decode(update.as_bytes()).unwrap();
    change(&mut message);
    let everybody: Vec<_> = (0..city.admins.len()).collect();
    match ConfigUpdate::from_bytes(&message.encode_to_vec()) {
        Ok(update) => apply(&city.config, &city.signed(&update, &everybody), NOW).unwrap_err(),
        Err(error) => error,
    }
}

#[test]
fn updates_made_by_hand_are_held_to_the_rules() {
    let city = City::new(3, 1);
    let mut next = city.config.clone();
    next.batch.timeout_ms = 50;
    fn order(set: &mut Option<common::ConfigGroup>) -> &mut common::ConfigGroup {
        set.as_mut().unwrap().groups.get_mut("Orderer").unwrap()
    }
    fn timeout(u: &mut common::ConfigUpdate) -> &mut common::ConfigValue {
        order(&mut u.write_set).values.get_mut("BatchTimeout").unwrap()
    }
    let code = |change: &dyn Fn(&mut common::ConfigUpdate)| refused(&city, &next, change).code();
    assert_eq!(code(&|u| u.read_set = None), "MS-2001");
    assert_eq!(code(&|u| u.isolated_data = [("x".to_owned(), vec![1])].into()), "MS-2001");
    assert_eq!(code(&|u| u.channel_id = "other".into()), "MS-2002");
    assert_eq!(code(&|u| order(&mut u.read_set).version = 1), "MS-2101");
    assert_eq!(
        code(&|u| {
            u.read_set.as_mut().unwrap().groups.insert("X".into(), Default::default());
        }),
        "MS-2102"
    );
    assert_eq!(code(&|u| timeout(u).version = 2), "MS-2103");
    assert_eq!(code(&|u| timeout(u).version = 0), "MS-2103");
    assert_eq!(code(&|u| timeout(u).version = u64::MAX), "MS-2103");
    assert_eq!(code(&|u| order(&mut u.write_set).values.clear()), "MS-2105");
    // Something new that its group does not list, at version 0.
    assert_eq!(
        code(&|u| {
            order(&mut u.write_set).values.insert("New".into(), Default::default());
        }),
        "MS-2104"
    );
    // A group that lists what stands nowhere.
    assert_eq!(
        code(&|u| {
            let order = order(&mut u.write_set);
            order.version = 1;
            order.mod_policy = "Admins".into();
        }),
        "MS-2301",
        "all other members of the group are gone"
    );
    // A value that does not parse, a guard that does not exist, another capability.
    assert_eq!(code(&|u| timeout(u).value = b"\xff".to_vec()), "MS-2301");
    assert_eq!(code(&|u| timeout(u).mod_policy = "Nobody".into()), "MS-2301");
    assert_eq!(code(&|u| timeout(u).mod_policy = String::new()), "MS-2301");
    let names = ["a/b", "", "a b", "[x]"];
    for name in names {
        let change = |u: &mut common::ConfigUpdate| {
            u.write_set.as_mut().unwrap().groups.insert(name.to_owned(), Default::default());
        };
        assert_eq!(code(&change), "MS-2001", "{name:?}");
    }
    let deep = |u: &mut common::ConfigUpdate| {
        let mut group = common::ConfigGroup::default();
        for _ in 0..50 {
            group =
                common::ConfigGroup { groups: [("x".into(), group)].into(), ..Default::default() };
        }
        u.write_set = Some(group);
    };
    assert_eq!(code(&deep), "MS-2001");
    let wide = |u: &mut common::ConfigUpdate| {
        let values = (0..5_000).map(|at| (at.to_string(), Default::default())).collect();
        u.write_set = Some(common::ConfigGroup { values, ..Default::default() });
    };
    assert_eq!(code(&wide), "MS-2001");
}

#[test]
fn a_result_must_be_a_configuration() {
    let city = City::new(3, 1);
    let mut next = city.config.clone();
    next.orgs[2].anchor_peers.push("peer:1".parse().unwrap());
    // An organisation tells another's root its own.
    let mut thief = city.config.clone();
    thief.orgs[2].roots = city.config.orgs[1].roots.clone();
    let stolen = thief.to_group();
    let change = |u: &mut common::ConfigUpdate| {
        let root = u.write_set.as_mut().unwrap();
        let org = root.groups.get_mut("Application").unwrap().groups.get_mut("Org2").unwrap();
        let mut value = stolen.groups["Application"].groups["Org2"].values["MSP"].clone();
        value.version = 1;
        org.values.insert("MSP".into(), value);
    };
    let refused = refused(&city, &next, change);
    assert!(
        matches!(&refused, ConfigUpdateError::Config(ConfigError::RuleMissing { .. })),
        "{refused:?}"
    );
}

#[test]
fn transactions_hold_what_their_update_makes() {
    let city = City::new(3, 1);
    let mut next = city.config.clone();
    next.batch.timeout_ms = 50;
    let update = ConfigUpdate::compute(&city.config, &next).unwrap();
    let update = city.signed(&update, &[0]);
    let changed = apply(&city.config, &update, NOW).unwrap();
    let envelope = changed.to_config_envelope(&update).unwrap();
    assert_eq!(validate_config(&city.config, &envelope, NOW).unwrap(), changed);
    assert_eq!(ChannelConfig::from_envelope(&envelope).unwrap(), changed);
    let code = |envelope: &[u8]| validate_config(&city.config, envelope, NOW).unwrap_err().code();
    // Another configuration under the same update.
    let mut other = changed.clone();
    other.batch.timeout_ms = 51;
    assert_eq!(code(&other.to_config_envelope(&update).unwrap()), "MS-2303");
    for sequence in [0, 2, u64::MAX] {
        let other = ChannelConfig { sequence, ..changed.clone() };
        let envelope = other.to_config_envelope(&update).unwrap();
        assert_eq!(code(&envelope), "MS-2302", "{sequence}");
    }
    assert_eq!(code(&changed.to_genesis_envelope()), "MS-2001", "without an update");
    let mut signed = common::Envelope::decode(&*envelope).unwrap();
    signed.signature = vec![1];
    assert_eq!(code(&signed.encode_to_vec()), "MS-2303");
    assert!(ChannelConfig::from_envelope(&signed.encode_to_vec()).is_err());
    let again = validate_config(&changed, &envelope, NOW).unwrap_err();
    assert_eq!(again.code(), "MS-2302", "it is in force already");
}

#[test]
fn nothing_to_change_and_nothing_valid() {
    let city = City::new(2, 1);
    let compute = |change: &dyn Fn(&mut ChannelConfig)| {
        let mut next = city.config.clone();
        change(&mut next);
        ConfigUpdate::compute(&city.config, &next).unwrap_err()
    };
    assert!(matches!(compute(&|_| ()), ComputeError::NoChange));
    assert!(matches!(compute(&|c| c.sequence = 9), ComputeError::NoChange));
    assert!(matches!(compute(&|c| c.channel_id = "other".into()), ComputeError::Channel));
    assert!(matches!(compute(&|c| c.orgs.clear()), ComputeError::Config(_)));
    assert!(matches!(compute(&|c| c.validators.clear()), ComputeError::Config(_)));
}

/// Which changes of the set one step allows.
#[test]
fn validators_change_by_a_third_at_most() {
    let mut city = City::new(12, 12);
    let seats: Vec<_> = city.config.validators.clone();
    let renewed: Vec<_> = (0..12).map(|at| seat(&mut city.orgs, at, at)).collect();
    let set = |members: &[ValidatorConfig]| {
        let validators =
            (0..).zip(members).map(|(index, v)| ValidatorConfig { index, ..v.clone() });
        ChannelConfig { validators: validators.collect(), ..city.config.clone() }
    };
    let step = |before: &[ValidatorConfig], after: &[ValidatorConfig]| {
        set(before).check_validator_change(&set(after))
    };
    let too_many = |changed, most| Err(ValidatorChange::TooMany { changed, most });
    // Growing: 1, 2, 3, 4 by one each, from 6 to 7 by up to two.
    for n in 1..12 {
        step(&seats[..n], &seats[..=n]).unwrap();
        step(&seats[..n], &seats[..n]).unwrap();
    }
    assert_eq!(step(&seats[..1], &seats[..3]), too_many(2, 1));
    assert_eq!(step(&seats[..1], &seats[..4]), too_many(3, 1));
    assert_eq!(step(&seats[..4], &seats[..6]), too_many(2, 1));
    step(&seats[..5], &seats[..7]).unwrap();
    assert_eq!(step(&seats[..5], &seats[..8]), too_many(3, 2));
    step(&seats[..7], &seats[..10]).unwrap();
    // Shrinking: never below four from four or more.
    step(&seats[..10], &seats[..7]).unwrap();
    assert_eq!(step(&seats[..10], &seats[..6]), too_many(4, 3));
    step(&seats[..5], &seats[..4]).unwrap();
    let too_few = |left, least| Err(ValidatorChange::TooFew { left, least });
    assert_eq!(step(&seats[..4], &seats[..3]), too_few(3, 4));
    assert_eq!(step(&seats[..7], &seats[..3]), too_few(3, 4));
    step(&seats[..3], &seats[..2]).unwrap();
    step(&seats[..2], &seats[..1]).unwrap();
    assert_eq!(step(&seats[..1], &[]), too_few(0, 1));
    // New keys: f of n at a time; alone, the one there is.
    let with_new = |n: usize, new: &[usize]| -> Vec<_> {
        (0..n).map(|at| if new.contains(&at) { &renewed[at] } else { &seats[at] }.clone()).collect()
    };
    step(&seats[..1], &with_new(1, &[0])).unwrap();
    step(&seats[..4], &with_new(4, &[2])).unwrap();
    assert_eq!(step(&seats[..4], &with_new(4, &[0, 2])), too_many(2, 1));
    step(&seats[..7], &with_new(7, &[0, 6])).unwrap();
    assert_eq!(step(&seats[..7], &with_new(7, &[0, 3, 6])), too_many(3, 2));
    // One organisation in another's place is a removal and an addition.
    let mut replaced = seats[..4].to_vec();
    replaced[1] = seats[9].clone();
    assert_eq!(step(&seats[..4], &replaced), too_many(2, 1));
    // As is a new key at another position, while a mere change of order is none.
    let swapped: Vec<_> = [1, 0, 2, 3].map(|at| seats[at].clone()).to_vec();
    step(&seats[..4], &swapped).unwrap();
    let moved = [renewed[1].clone(), seats[0].clone(), seats[2].clone(), seats[3].clone()];
    assert_eq!(step(&seats[..4], &moved), too_many(2, 1));
    // Both at once.
    let mut both = with_new(8, &[3]);
    step(&seats[..7], &both).unwrap();
    both.push(seats[8].clone());
    assert_eq!(step(&seats[..7], &both), too_many(3, 2));
}

/// After any allowed step those who stay are a quorum of the new set.
#[test]
fn those_who_stay_are_a_quorum() {
    let city = City::new(12, 12);
    let seats = &city.config.validators;
    for before in 1usize..=12 {
        for after in 1usize..=12 {
            for common in 0..=before.min(after) {
                if before + after - common > 12 {
                    continue;
                }
                let old =
                    ChannelConfig { validators: seats[..before].to_vec(), ..city.config.clone() };
                let stay = seats[..common].iter();
                let come = seats[before..before + after - common].iter();
                let new: Vec<_> = stay.chain(come).cloned().collect();
                let new = ChannelConfig { validators: new, ..city.config.clone() };
                if old.check_validator_change(&new).is_ok() && before.max(after) >= 4 {
                    let quorum = changbai_wire::quorum(after);
                    assert!(
                        common >= quorum,
                        "{before} to {after}, {common} stay, quorum {quorum}"
                    );
                }
            }
        }
    }
}

#[test]
fn new_validators_are_vouched_for_and_old_ones_may_have_expired() {
    let mut city = City::new(4, 4);
    let early = city.orgs[3].certificate_within("v", &["orderer"], START, NOW - 1);
    city.config.validators[3] = ValidatorConfig::new("Org3", early, 3);
    let renewed = seat(&mut city.orgs, 3, 3);
    // The one that expired is replaced.
    let changed = city.change(&[0, 1, 2], |c| c.validators[3] = renewed.clone()).unwrap();
    assert_eq!(changed.validators[3], renewed);
    changed.verify_validators(NOW).unwrap();
    // By one that is not valid yet.
    let late = city.orgs[3].certificate_within("v", &["orderer"], NOW + 1, END);
    let late = ValidatorConfig::new("Org3", late, 3);
    let refused = city.change(&[0, 1, 2], |c| c.validators[3] = late).unwrap_err();
    assert_eq!(refused.code(), "MS-2403");
    // By one of another authority.
    let foreign = Org::new("Org3", 77).certificate("v", &["orderer"]);
    let foreign = ValidatorConfig::new("Org3", foreign, 3);
    let refused = city.change(&[0, 1, 2], |c| c.validators[3] = foreign).unwrap_err();
    assert_eq!(refused.code(), "MS-2403");
}

#[test]
fn a_set_that_breaks_the_quorum_is_refused_by_the_ledger_too() {
    let mut city = City::new(4, 4);
    let renewed: Vec<_> = (0..4).map(|at| seat(&mut city.orgs, at, at)).collect();
    let mut one = city.config.clone();
    one.validators[0] = renewed[0].clone();
    let mut all = city.config.clone();
    all.validators = renewed;
    let value = all.to_group().values["Orderers"].clone();
    let change = |u: &mut common::ConfigUpdate| {
        let value = common::ConfigValue { version: 1, ..value.clone() };
        u.write_set.as_mut().unwrap().values.insert("Orderers".into(), value);
    };
    assert_eq!(refused(&city, &one, change).code(), "MS-2402");
    let mut three = city.config.clone();
    three.validators.truncate(3);
    assert!(matches!(
        ConfigUpdate::compute(&city.config, &three),
        Err(ComputeError::Validators(ValidatorChange::TooFew { left: 3, least: 4 }))
    ));
}

/// One of many ways to change a configuration.
fn mutate(config: &mut ChannelConfig, spare: &Organisation, choice: u8) {
    let policy = |text: &str| GroupPolicy::parse(text).unwrap();
    match choice {
        0 => config.batch.timeout_ms ^= 64,
        1 => config.batch.max_message_count += 1,
        2 => config.options.fabric_tx_id ^= true,
        3 => config.policies.readers = policy("ALL Readers"),
        4 => config.policies.endorsement = policy("OR('Org0.peer', 'Org1.peer')"),
        5 => config.orgs[1].anchor_peers.push("a:1".parse().unwrap()),
        6 => config.orgs[1].anchor_peers.clear(),
        7 => config.orgs[0].name.push('x'),
        8 => {
            let revoked = &mut config.orgs[0].revoked;
            revoked.push(sm3(&[revoked.len() as u8]));
        }
        9 if config.org(&spare.msp_id).is_none() => config.orgs.push(spare.clone()),
        9 => config.orgs.retain(|org| org.msp_id != spare.msp_id),
        10 => config.validators[0].peer = Some("p:1".parse().unwrap()),
        11 => config.validators[0].peer = None,
        12 => {
            let path: ItemPath = "[Group] /Channel/Application".parse().unwrap();
            if config.mod_policies.remove(&path).is_none() {
                config.mod_policies.insert(path, "/Channel/Admins".to_owned());
            }
        }
        _ => config.policies.admins = policy("ANY Admins"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever changes, step by step: with everybody's consent the result is what was meant, and
    /// its transaction validates.
    #[test]
    fn updates_make_what_was_meant(steps in proptest::collection::vec(
        proptest::collection::vec(0u8..14, 1..4), 1..4))
    {
        static CITY: std::sync::LazyLock<City> = std::sync::LazyLock::new(|| City::new(3, 2));
        let spare = Org::new("Spare", 50).organisation();
        let mut current = CITY.config.clone();
        for step in steps {
            let mut next = current.clone();
            step.iter().for_each(|choice| mutate(&mut next, &spare, *choice));
            if next.check().is_err() {
                continue;
            }
            let update = match ConfigUpdate::compute(&current, &next) {
                Ok(update) => update,
                Err(ComputeError::NoChange) => continue,
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            };
            let envelope = CITY.signed(&update, &[0, 1, 2]);
            let changed = apply(&current, &envelope, NOW).unwrap();
            // The same but for versions and sequence, which are the ledger's.
            prop_assert_eq!(
                ChannelConfig { sequence: 0, versions: Default::default(), ..changed.clone() },
                ChannelConfig { sequence: 0, versions: Default::default(), ..next.clone() }
            );
            prop_assert_eq!(changed.sequence, current.sequence + 1);
            let transaction = changed.to_config_envelope(&envelope).unwrap();
            prop_assert_eq!(&validate_config(&current, &transaction, NOW).unwrap(), &changed);
            prop_assert!(apply(&changed, &envelope, NOW).is_err(), "twice");
            current = changed;
        }
    }

    /// Any flipped bit of an update, or of the transaction that carries it, is refused.
    #[test]
    fn flipped_bits_are_refused(bit in any::<prop::sample::Index>()) {
        static MADE: std::sync::LazyLock<(ChannelConfig, Vec<u8>, Vec<u8>)> =
            std::sync::LazyLock::new(|| {
                let city = City::new(2, 1);
                let mut next = city.config.clone();
                next.batch.timeout_ms = 50;
                let update = ConfigUpdate::compute(&city.config, &next).unwrap();
                let update = city.signed(&update, &[0, 1]);
                let changed = apply(&city.config, &update, NOW).unwrap();
                let transaction = changed.to_config_envelope(&update).unwrap();
                (city.config, update, transaction)
            });
        let (config, update, transaction) = &*MADE;
        let flip = |bytes: &[u8]| {
            let mut changed = bytes.to_vec();
            let bit = bit.index(changed.len() * 8);
            changed[bit / 8] ^= 1 << (bit % 8);
            changed
        };
        prop_assert!(apply(config, &flip(update), NOW).is_err());
        prop_assert!(validate_config(config, &flip(transaction), NOW).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(ConfigUpdate::from_bytes(&bytes).is_err());
    }
}

#[test]
fn whose_consent_is_missing() {
    let city = City::new(4, 1);
    let mut next = city.config.clone();
    next.batch.timeout_ms = 50;
    next.orgs[1].anchor_peers.push("peer:7051".parse().unwrap());
    next.policies.writers = GroupPolicy::Signature(Policy::parse("'Org0.client'").unwrap());
    let update = ConfigUpdate::compute(&city.config, &next).unwrap();
    let asked = |by: &[usize]| {
        let signatures: Vec<_> = by.iter().map(|at| update.sign(city.sender(*at), b"n")).collect();
        let missing = update.missing(&city.config, &signatures, NOW).unwrap();
        let text = |m: &crate::MissingConsent| {
            let of: Vec<_> = m.of.iter().map(ToString::to_string).collect();
            format!("{} +{} of {}: {}", m.policy, m.more, of.join(" "), m.changes.len())
        };
        missing.iter().map(text).collect::<Vec<_>>()
    };
    // The organisations administer the channel by majority, what orders by those that order, and
    // themselves by themselves.
    assert_eq!(
        asked(&[]),
        [
            "/Channel/Application/Admins +3 of Org0.admin Org1.admin Org2.admin Org3.admin: 1",
            "/Channel/Application/Org1/Admins +1 of Org1.admin: 1",
            "/Channel/Orderer/Admins +1 of Org0.admin: 1",
        ]
    );
    assert_eq!(
        asked(&[1, 1]),
        [
            "/Channel/Application/Admins +2 of Org0.admin Org2.admin Org3.admin: 1",
            "/Channel/Orderer/Admins +1 of Org0.admin: 1",
        ]
    );
    assert_eq!(asked(&[1, 0]), ["/Channel/Application/Admins +1 of Org2.admin Org3.admin: 1"]);
    assert!(asked(&[1, 0, 3]).is_empty());
    // What says that nothing is missing is what applies.
    let changed = apply(&city.config, &city.signed(&update, &[1, 0, 3]), NOW).unwrap();
    assert!(apply(&city.config, &city.signed(&update, &[1, 0]), NOW).is_err());
    // One that has been overtaken, or bears a wrong signature, says so instead.
    let stale = update.missing(&changed, &[], NOW).unwrap_err();
    assert!(stale.code().starts_with("MS-21"), "{stale}");
    let mut signature = update.sign(city.sender(1), b"n");
    signature.signature_header[3] ^= 1;
    assert!(update.missing(&city.config, &[signature], NOW).is_err());
    let other = ConfigUpdate::compute(&city.config, &{
        let mut other = city.config.clone();
        other.batch.timeout_ms = 60;
        other
    });
    let foreign = other.unwrap().sign(city.sender(1), b"n");
    let refused = update.missing(&city.config, &[foreign], NOW).unwrap_err();
    assert_eq!(refused.code(), "MS-2006");
}

#[test]
fn missing_consent_under_nested_policies() {
    let mut city = City::new(3, 1);
    let text = "AND('Org0.admin', OutOf(2, 'Org1.admin', 'Org2.admin', 'Org0.admin'))";
    let policy = GroupPolicy::Signature(Policy::parse(text).unwrap());
    city.config.policies.admins = policy;
    let mut next = city.config.clone();
    next.policies.writers = GroupPolicy::Signature(Policy::parse("'Org0.client'").unwrap());
    let update = ConfigUpdate::compute(&city.config, &next).unwrap();
    let asked = |by: &[usize]| {
        let signatures: Vec<_> = by.iter().map(|at| update.sign(city.sender(*at), b"n")).collect();
        let missing = update.missing(&city.config, &signatures, NOW).unwrap();
        missing.first().map(|m| (m.more, m.of.len()))
    };
    assert_eq!(asked(&[]), Some((3, 3)));
    assert_eq!(asked(&[0]), Some((2, 3)), "a signer counts once");
    assert_eq!(asked(&[0, 1]), Some((1, 2)));
    assert_eq!(asked(&[0, 1, 2]), None);
}
