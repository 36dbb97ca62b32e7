//! A checkpoint in a bundle, and what is wrong with one.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use changbai_core::log_origin;
use changbai_merkle::{
    Checkpoint, CosignerKey, Frontier, LogKey, NodeId, NodeSource, Note, leaf_hash,
    prove_consistency,
};
use changbai_receipt::{
    Bundle, CheckpointFile, Further, Receipt, Report, Status, Trust, Verdict, verify,
};
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit::{Sm3Digest, sm3};
use smkit_pki::{
    Accuracy, Grant, Profile, SerialNumber, TimeStampAuthority, TimeStampRequest, TimeStampToken,
};

use crate::fixture::{CHANNEL, City, Member, NOW_MS, Seed, days, genesis, root, subject};

/// The city with a log, a witness and a time-stamp authority.
struct World {
    city: City,
    log: Member,
    witness: CosignerKey,
    tsa: TimeStampAuthority,
    nodes: Nodes,
    tree: Frontier,
    seed: Seed,
    authority: smkit_pki::Authority,
}

#[derive(Default)]
struct Nodes(BTreeMap<NodeId, Sm3Digest>);

impl NodeSource for Nodes {
    type Error = Infallible;

    fn node(&self, id: NodeId) -> Result<Option<Sm3Digest>, Infallible> {
        Ok(self.0.get(&id).copied())
    }
}

fn key(seed: &mut Seed) -> SigningKey {
    SigningKey::new(PrivateKey::generate(seed).unwrap(), SignerId::DEFAULT).unwrap()
}

impl World {
    fn new() -> Self {
        let mut seed = Seed(77 << 32);
        let authority = root(&mut seed);
        let nodes = (0..4)
            .map(|n| {
                let name = format!("node-{n}");
                Member::issued(&authority, &name, &["peer", "orderer"], days(-20, 300), &mut seed)
            })
            .collect();
        let operator = Member::issued(&authority, "clerk", &["client"], days(-20, 300), &mut seed);
        let city = City::with(&authority, nodes, operator);
        let log = Member::issued(&authority, "log-0", &["log"], days(-20, 300), &mut seed);
        let private = PrivateKey::generate(&mut seed).unwrap();
        let name = subject("tsa-0", &[]);
        let public = private.public_key();
        let profile = Profile::TimeStampAuthority;
        let certificate =
            authority.issue(&name, public, profile, days(-20, 300), None, &mut seed).unwrap();
        let signing = SigningKey::new(private, SignerId::DEFAULT).unwrap();
        let tsa = TimeStampAuthority::new(certificate, signing, "1.3.6.1.4.1.32473.1", vec![]);
        let witness = CosignerKey::new("court.example", key(&mut seed)).unwrap();
        let mut world = Self {
            city,
            log,
            witness,
            tsa: tsa.unwrap(),
            nodes: Nodes::default(),
            tree: Frontier::new(),
            seed,
            authority,
        };
        let proof = world.city.proof();
        let (before, after) = world.city.log;
        (0..before).for_each(|n| world.append(sm3(&n.to_be_bytes())));
        world.append(leaf_hash(&proof.leaf.to_bytes()));
        (0..after).for_each(|n| world.append(sm3(&[9, n as u8])));
        assert_eq!(world.tree.root(), proof.header.log_root);
        (0..30u8).for_each(|n| world.append(sm3(&[n])));
        world
    }

    fn append(&mut self, leaf: Sm3Digest) {
        let nodes = &mut self.nodes.0;
        self.tree.append(leaf, &mut |id, hash| _ = nodes.insert(id, hash)).unwrap();
    }

    fn origin(&self) -> String {
        log_origin(CHANNEL, &genesis(CHANNEL, &self.city.validators).header.hash())
    }

    fn state(&self) -> Checkpoint {
        let (size, root) = (self.tree.size(), self.tree.root());
        Checkpoint { origin: self.origin(), size, root }
    }

    fn signed(&self, state: &Checkpoint, by: &Member) -> Note {
        let log = LogKey::new(&state.origin, by.key.clone()).unwrap();
        let mut note = Note::unsigned(&state.to_string()).unwrap();
        note.add(log.sign(note.text())).unwrap();
        note
    }

    fn token(&self, note: &Note, at_ms: u64) -> TimeStampToken {
        let imprint = sm3(note.text().as_bytes());
        let request = TimeStampRequest::new(&imprint, &[7; 16], None).unwrap();
        let grant = Grant {
            serial: SerialNumber::from_bytes(&[5; 9]).unwrap(),
            gen_time: Duration::from_millis(at_ms),
            accuracy: Accuracy::new(Duration::from_micros(900)),
        };
        self.tsa.grant(&request, grant).unwrap().token().clone()
    }

    /// Everything right.
    fn file(&self) -> CheckpointFile {
        let mut note = self.signed(&self.state(), &self.log);
        let token = self.token(&note, self.city.header_time_ms + 5_000);
        note.add(self.witness.cosign(note.text(), NOW_MS / 1_000 + 9)).unwrap();
        let size = self.city.proof().header.log_size;
        let proof = prove_consistency(&self.nodes, size, self.tree.size()).unwrap();
        CheckpointFile {
            certificates: vec![self.log.certificate.clone()],
            consistency: proof.path,
            note,
            token: Some(token),
        }
    }

    fn judged(&self, file: &CheckpointFile, trust: Option<&Trust>) -> Report {
        self.judged_bytes(Some(file.to_bytes().unwrap()), trust)
    }

    fn judged_bytes(&self, file: Option<Vec<u8>>, trust: Option<&Trust>) -> Report {
        let mut bundle = Bundle::from_parts(self.city.record.to_bytes(), self.city.receipt(), None);
        bundle.checkpoint = file;
        verify(&bundle, &self.city.supplied(), trust)
    }

    fn trust(&self, witnesses_min: usize) -> Trust {
        let further = Further {
            witnesses: vec![self.witness.verifier().clone()],
            witnesses_min,
            ..Further::default()
        };
        self.city.trust.clone().with(further).unwrap()
    }
}

fn codes(report: &Report) -> [&'static str; 3] {
    ["log_consistency", "witness", "time_token"].map(|name| report.element(name).unwrap().code)
}

#[test]
fn a_checkpoint_with_witness_and_token_is_proven() {
    let world = World::new();
    let file = world.file();
    let report = world.judged(&file, Some(&world.trust(1)));
    assert_eq!(codes(&report), ["VF-2100", "VF-2200", "VF-2300"], "{}", report.to_json());
    assert_eq!(report.verdict, Verdict::Verified, "{}", report.to_json());
    let witness = report.element("witness").unwrap();
    assert!(witness.reason_zh.contains("court.example (2026-"), "{}", witness.reason_zh);
    let token = report.element("time_token").unwrap();
    assert!(token.reason_en.contains("tsa-0") && token.reason_en.contains("900"));
    let read = CheckpointFile::from_bytes(&file.to_bytes().unwrap()).unwrap();
    assert_eq!(read.to_bytes().unwrap(), file.to_bytes().unwrap());
    // A validator's certificate will do, and so will a key in the trust file without any.
    let mut by_validator = file.clone();
    by_validator.note = world.signed(&world.state(), &world.city.validators[0]);
    by_validator.certificates = vec![world.city.validators[0].certificate.clone()];
    let report = world.judged(&by_validator, Some(&world.city.trust));
    assert_eq!(codes(&report), ["VF-2100", "VF-2280", "VF-2300"]);
    let log = LogKey::new(&world.origin(), world.log.key.clone()).unwrap();
    let further = Further { log_keys: vec![log.verifier().clone()], ..Further::default() };
    let trust = world.city.trust.clone().with(further).unwrap();
    let bare = CheckpointFile { certificates: vec![], ..file };
    assert_eq!(codes(&world.judged(&bare, Some(&trust))), ["VF-2100", "VF-2281", "VF-2300"]);
}

#[test]
fn without_a_checkpoint_only_demanded_witnesses_are_missed() {
    let world = World::new();
    let report = world.judged_bytes(None, Some(&world.city.trust));
    assert_eq!(codes(&report), ["VF-2180", "VF-2280", "VF-2380"]);
    assert_eq!(report.verdict, Verdict::Verified);
    let report = world.judged_bytes(None, Some(&world.trust(1)));
    assert_eq!(codes(&report), ["VF-2180", "VF-2291", "VF-2380"]);
    assert_eq!(report.verdict, Verdict::Unchecked);
    let report = world.judged(&world.file(), None);
    assert_eq!(codes(&report), ["VF-2192", "VF-2281", "VF-2391"]);
}

#[test]
fn what_is_wrong_with_a_checkpoint_is_named() {
    let mut world = World::new();
    let trust = world.trust(1);
    let good = world.file();
    let refused = |file: &CheckpointFile, world: &World| {
        let report = world.judged(file, Some(&trust));
        assert_eq!(report.verdict, Verdict::NotVerified, "{}", report.to_json());
        codes(&report)
    };
    // Another history of the same log, signed by the same key.
    let mut other = world.state();
    other.root = sm3(b"another");
    let file = CheckpointFile { note: world.signed(&other, &world.log), ..good.clone() };
    assert_eq!(refused(&file, &world)[0], "VF-2103");
    let mut other = world.state();
    other.origin = log_origin(CHANNEL, &sm3(b"another channel of that name"));
    let file = CheckpointFile { note: world.signed(&other, &world.log), ..good.clone() };
    assert_eq!(refused(&file, &world)[0], "VF-2102");
    let mut cut = good.clone();
    cut.consistency.pop();
    assert_eq!(refused(&cut, &world)[0], "VF-2103");
    // Whoever is no log.
    let clerk = world.city.operator.clone();
    let file = CheckpointFile {
        note: world.signed(&world.state(), &clerk),
        certificates: vec![clerk.certificate.clone()],
        ..good.clone()
    };
    assert_eq!(refused(&file, &world)[0], "VF-2106");
    let stranger = root(&mut world.seed);
    let rogue = Member::issued(&stranger, "log-0", &["log"], days(-20, 300), &mut world.seed);
    let file = CheckpointFile {
        note: world.signed(&world.state(), &rogue),
        certificates: vec![rogue.certificate.clone()],
        ..good.clone()
    };
    assert_eq!(refused(&file, &world)[0], "VF-2106");
    let file = CheckpointFile { note: world.signed(&world.state(), &rogue), ..good.clone() };
    assert_eq!(refused(&file, &world)[0], "VF-2104", "the certificate is another's");
    let file = CheckpointFile { certificates: vec![], ..good.clone() };
    assert_eq!(refused(&file, &world)[0], "VF-2105");
    // Witnesses.
    let file = CheckpointFile { note: world.signed(&world.state(), &world.log), ..good.clone() };
    assert_eq!(refused(&file, &world)[1], "VF-2202");
    let mut note = world.signed(&world.state(), &world.log);
    let elsewhere = world.witness.cosign("another text\n", 5);
    note.add(elsewhere).unwrap();
    let file = CheckpointFile { note, ..good.clone() };
    assert_eq!(refused(&file, &world)[1], "VF-2201");
    // Tokens.
    let note = Note::unsigned("another text\n").unwrap();
    let token = Some(world.token(&note, world.city.header_time_ms + 5_000));
    assert_eq!(refused(&CheckpointFile { token, ..good.clone() }, &world)[2], "VF-2301");
    let early = Some(world.token(&good.note, world.city.header_time_ms - 60_000));
    assert_eq!(refused(&CheckpointFile { token: early, ..good.clone() }, &world)[2], "VF-2303");
    // As early as both clocks may be off is no contradiction.
    let just = Some(world.token(&good.note, world.city.header_time_ms - 2));
    let report = world.judged(&CheckpointFile { token: just, ..good.clone() }, Some(&trust));
    assert_eq!(report.element("time_token").unwrap().code, "VF-2300");
    let private = PrivateKey::generate(&mut world.seed).unwrap();
    let profile = Profile::TimeStampAuthority;
    let name = subject("tsa-0", &[]);
    let certificate = stranger
        .issue(&name, private.public_key(), profile, days(-20, 300), None, &mut world.seed)
        .unwrap();
    let signing = SigningKey::new(private, SignerId::DEFAULT).unwrap();
    world.tsa =
        TimeStampAuthority::new(certificate, signing, "1.3.6.1.4.1.32473.1", vec![]).unwrap();
    let token = Some(world.token(&good.note, world.city.header_time_ms + 5_000));
    assert_eq!(refused(&CheckpointFile { token, ..good }, &world)[2], "VF-2302");
    drop(world.authority);
}

/// Each byte of `checkpoint.json` is covered by something.
#[test]
fn any_changed_byte_is_noticed() {
    let world = World::new();
    let trust = world.trust(1);
    let good = world.file().to_bytes().unwrap();
    assert!(Receipt::from_bytes(&world.city.receipt()).is_ok());
    for at in (0..good.len()).step_by(13) {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        let report = world.judged_bytes(Some(bytes), Some(&trust));
        assert_ne!(report.verdict, Verdict::Verified, "byte {at}: {}", report.to_json());
        let failed = |name| report.element(name).unwrap().status == Status::Failed;
        assert!(["log_consistency", "witness", "time_token"].into_iter().any(failed), "byte {at}");
    }
}
