//! Configurations among other transactions: what is voted for, what is flagged, and what waits.

use std::collections::{BTreeSet, HashMap};

use changbai_merkle::Frontier;
use changbai_msp::{
    ConfigUpdate, Organisation, Sender, ValidatorConfig, apply, serialize_identity,
};
use changbai_storage::StorageError;
use changbai_wire::proto::common;
use changbai_wire::time::UnixMillis;
use changbai_wire::{ValidationCode, block_data_hash, decode_envelope, seal};
use prost::Message as _;
use smkit::OsRandom;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit_pki::{Authority, Certificate, Profile, Subject, TrustAnchors, Validity};

use super::*;
use crate::block::Block;
use crate::body::{Body, BodyFault, check};
use crate::ledger::Tip;
use crate::limits::CONFIGURATIONS_WAITING_MAX;
use crate::mempool::{Mempool, Settled, Waiting};
use crate::outcome::{BroadcastError, Outcome};
use crate::signatures::{Verdicts, check as check_signatures};
use crate::state::{Entry, StateView, Version};
use crate::validate::{Rules, Validated, validate};

const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

struct World {
    admin: (Vec<u8>, SigningKey),
    epoch: Epoch,
    tip: Tip,
}

impl World {
    fn new() -> Self {
        let subject = Subject { common_name: "root".to_owned(), ..Subject::default() };
        let authority = Authority::create_root(&subject, validity(), &mut OsRandom).unwrap();
        let (admin, key) = member(&authority, "admin");
        let (node, _) = member(&authority, "orderer");
        let roots = TrustAnchors::from_certificates(vec![authority.certificate().clone()]);
        let orgs = vec![Organisation::new("Agency", "agency", roots)];
        let validators = vec![ValidatorConfig::new("Agency", node, 0)];
        let config = ChannelConfig::new("city", orgs, validators).unwrap();
        let header = Block::genesis(&config, config.to_genesis_envelope(), NOW.0).header;
        let tip = Tip { hash: header.hash(), header, frontier: Frontier::new() };
        let admin = (serialize_identity("Agency", &admin), key);
        Self { admin, epoch: Epoch::new(config).unwrap(), tip }
    }

    /// An update of the wait for more transactions, and the configuration that it makes.
    fn update(&self, nonce: &[u8], timeout_ms: u32) -> (Vec<u8>, ChannelConfig) {
        let mut next = ChannelConfig::clone(&self.epoch.config);
        next.batch.timeout_ms = timeout_ms;
        let update = ConfigUpdate::compute(&self.epoch.config, &next).unwrap();
        let sender = Sender { identity: &self.admin.0, key: &self.admin.1 };
        let consent = update.sign(sender, nonce);
        let update = update.to_envelope(&[consent], sender, nonce, NOW);
        let made = apply(&self.epoch.config, &update, NOW.seconds()).unwrap();
        (update, made)
    }

    fn config(&self, nonce: &[u8], timeout_ms: u32) -> Vec<u8> {
        let (update, made) = self.update(nonce, timeout_ms);
        made.to_config_envelope(&update).unwrap()
    }

    fn body(&self, envelopes: Vec<Vec<u8>>) -> Result<Body, BodyFault> {
        let header = changbai_wire::Header {
            number: 1,
            previous_hash: self.tip.hash,
            data_hash: block_data_hash(&envelopes),
            time_ms: NOW.0 + 5,
            ..self.tip.header.clone()
        };
        let block = Block { header, envelopes, codes: Vec::new(), certificate: None };
        Body::open(block, &Mempool::default())
    }

    /// Why a block with these is not voted for.
    fn fault(&self, envelopes: Vec<Vec<u8>>) -> Option<BodyFault> {
        let body = match self.body(envelopes) {
            Ok(body) => body,
            Err(fault) => return Some(fault),
        };
        check(&body, &self.tip, &self.epoch).err()
    }

    /// What a block with these becomes if it is decided all the same.
    fn decided(&self, envelopes: Vec<Vec<u8>>) -> Validated {
        let body = self.body(envelopes).unwrap();
        let contracts = HashMap::new();
        let rules = Rules { epoch: &self.epoch, contracts: &contracts };
        let time_ms = body.block.header.time_ms;
        let verdicts = Verdicts::default();
        let codes = check_signatures(&rules, &verdicts, true, time_ms, &body.transactions);
        let none = |_: &_| Ok(false);
        validate(&rules, &Nothing, &none, &body.block, &body.transactions, codes).unwrap()
    }
}

fn validity() -> Validity {
    let now = NOW.seconds();
    Validity { not_before: now - 1_000, not_after: now + 1_000_000 }
}

fn member(authority: &Authority, unit: &str) -> (Certificate, SigningKey) {
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    let subject = Subject {
        common_name: unit.to_owned(),
        organisational_units: vec![unit.to_owned()],
        ..Subject::default()
    };
    let public = key.public_key().clone();
    let certificate = authority
        .issue(&subject, &public, Profile::Signing, validity(), None, &mut OsRandom)
        .unwrap();
    (certificate, SigningKey::new(key, SignerId::DEFAULT).unwrap())
}

/// A state without keys.
struct Nothing;

impl StateView for Nothing {
    fn get(&self, _: &str, _: &str) -> Result<Option<(Version, Vec<u8>)>, StorageError> {
        Ok(None)
    }

    fn range(&self, _: &str, _: &str, _: &str, _: usize) -> Result<Vec<Entry>, StorageError> {
        Ok(Vec::new())
    }
}

/// The envelope with something else in it.
fn altered(envelope: &[u8], alter: impl FnOnce(&mut common::ConfigEnvelope)) -> Vec<u8> {
    let envelope = common::Envelope::decode(envelope).unwrap();
    let mut payload = common::Payload::decode(&*envelope.payload).unwrap();
    let mut content = common::ConfigEnvelope::decode(&*payload.data).unwrap();
    alter(&mut content);
    payload.data = content.encode_to_vec();
    seal(payload.encode_to_vec(), envelope.signature)
}

#[test]
fn a_configuration_that_follows_is_voted_for_and_takes_effect() {
    let world = World::new();
    let envelope = world.config(b"n", 20);
    assert_eq!(world.fault(vec![envelope.clone()]), None);
    let decided = world.decided(vec![envelope]);
    assert_eq!(decided.codes, [ValidationCode::Valid]);
    let next = decided.config.unwrap();
    assert_eq!((next.sequence, next.batch.timeout_ms), (1, 20));
    assert!(decided.writes.is_empty());
}

#[test]
fn a_configuration_beside_anything_is_refused_and_flagged() {
    let world = World::new();
    let [one, two] = [(&b"n"[..], 20), (b"m", 30)].map(|(n, ms)| world.config(n, ms));
    for envelopes in [vec![one.clone(), two], vec![one.clone(), one]] {
        assert_eq!(world.fault(envelopes.clone()), Some(BodyFault::Mixed));
        let decided = world.decided(envelopes);
        assert!(decided.config.is_none());
        assert_eq!(decided.codes[0], ValidationCode::InvalidConfigTransaction);
        assert!(decided.codes.iter().all(|code| !code.is_valid()), "{:?}", decided.codes);
    }
}

#[test]
fn what_does_not_follow_is_refused_and_flagged() {
    let world = World::new();
    let (update, made) = world.update(b"n", 20);
    let honest = made.to_config_envelope(&update).unwrap();
    let more = altered(&honest, |content| content.config.as_mut().unwrap().sequence = 2);
    let mut other = made.clone();
    other.batch.timeout_ms = 99;
    let other = other.to_config_envelope(&update).unwrap();
    let cases = [(more, "MS-2302"), (other, "MS-2303")];
    for (envelope, code) in cases {
        let envelopes = vec![envelope];
        assert_eq!(world.fault(envelopes.clone()), Some(BodyFault::Config { code }));
        let decided = world.decided(envelopes);
        assert_eq!(decided.codes, [ValidationCode::InvalidConfigTransaction], "{code}");
        assert!(decided.config.is_none());
    }
    let stranger = vec![World::new().config(b"n", 20)];
    assert_eq!(world.fault(stranger.clone()), Some(BodyFault::Config { code: "MS-2003" }));
    assert_eq!(world.decided(stranger).codes, [ValidationCode::BadCreatorSignature]);
    // The same one again, once it is in force.
    let mut after = World { epoch: Epoch::new(made).unwrap(), ..world };
    after.tip.header.config_number = 1;
    assert_eq!(after.fault(vec![honest]), Some(BodyFault::Config { code: "MS-2302" }));
}

#[test]
fn what_its_sender_did_not_sign_is_a_forgery() {
    let world = World::new();
    let honest = world.config(b"n", 20);
    let forged = altered(&honest, |content| {
        let update = content.last_update.as_mut().unwrap();
        update.signature = world.admin.1.sign(b"something else").to_der();
    });
    let code = "MS-2004";
    assert_eq!(world.fault(vec![forged.clone()]), Some(BodyFault::Config { code }));
    assert_eq!(world.decided(vec![forged]).codes, [ValidationCode::BadCreatorSignature]);
    // An update as it is handed in, one of genesis, and one in a foreign hand have no place at all.
    let genesis = world.epoch.config.to_genesis_envelope();
    let foreign = altered(&honest, |content| {
        let update = content.last_update.as_mut().unwrap();
        let mut payload = common::Payload::decode(&*update.payload).unwrap();
        let header = payload.header.as_mut().unwrap();
        let mut signed = common::SignatureHeader::decode(&*header.signature_header).unwrap();
        signed.nonce = b"other".to_vec();
        header.signature_header = signed.encode_to_vec();
        update.payload = payload.encode_to_vec();
        update.signature = world.admin.1.sign(&update.payload).to_der();
    });
    for envelope in [world.update(b"n", 20).0, genesis, foreign] {
        let fault = world.fault(vec![envelope]);
        assert!(matches!(fault, Some(BodyFault::Transaction { index: 0, .. })), "{fault:?}");
    }
}

#[test]
fn configurations_wait_alone_in_turn_and_few() {
    let world = World::new();
    let mempool = Mempool::default();
    let push = |n: u8| {
        let envelope = world.config(&[n; 24], 20 + u32::from(n));
        let waiting = Waiting::new(envelope.clone(), decode_envelope(&envelope).unwrap());
        let (reply, outcome) = tokio::sync::oneshot::channel();
        let taken = mempool.push(waiting.clone(), reply);
        (waiting, taken, outcome)
    };
    let (first, taken, mut told) = push(0);
    taken.unwrap();
    for n in 1..CONFIGURATIONS_WAITING_MAX {
        push(u8::try_from(n).unwrap()).1.unwrap();
    }
    assert!(matches!(push(100).1, Err(BroadcastError::Full)));
    let next = |skipped: &[&Waiting]| {
        let skipped: BTreeSet<_> = skipped.iter().map(|waiting| waiting.tx_id()).collect();
        mempool.next_block(500, 1 << 20, &skipped)
    };
    let block = next(&[]);
    assert_eq!((block.len(), block[0].tx_id()), (1, first.tx_id()));
    let second = next(&[&first]);
    assert_eq!(second.len(), 1);
    assert_ne!(second[0].tx_id(), first.tx_id());
    assert_eq!(mempool.configs().len(), CONFIGURATIONS_WAITING_MAX);

    // Somebody's wrapping of the same update leaves it waiting; the block that made it impossible
    // does not.
    let code = ValidationCode::InvalidConfigTransaction;
    let outcome = Outcome { block_number: 3, index: 0, code, time_ms: NOW.0 };
    let (tx_id, digest) = (first.tx_id(), smkit::sm3(b"another wrapping"));
    mempool.settle(&[Settled { tx_id, digest, outcome }]);
    assert!(told.try_recv().is_err());
    mempool.settle(&[Settled { tx_id, digest: first.decoded.digest, outcome }]);
    assert_eq!(told.try_recv(), Ok(outcome));
    assert_eq!(mempool.configs().len(), CONFIGURATIONS_WAITING_MAX - 1);
    push(100).1.unwrap();
}
