#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::{collections::BTreeMap, convert::Infallible, io};

use changbai_merkle::{
    AddCheckpoint, Checkpoint, CosignerKey, Frontier, LogKey, NodeId, NodeSource, Note, leaf_hash,
    prove_consistency,
};
use proptest::prelude::*;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit::{Random, RandomError, Sm3Digest};

use super::*;

const ORIGIN: &str = "changbai/log/city/0011";
const NOW: u64 = 1_795_000_000;

struct Counter(u8);

impl Random for Counter {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.0 += 1;
        out.fill(self.0);
        Ok(())
    }
}

fn key(seed: u8) -> SigningKey {
    SigningKey::new(PrivateKey::generate(&mut Counter(seed)).unwrap(), SignerId::DEFAULT).unwrap()
}

/// A log that its owner may fork.
#[derive(Clone, Default)]
struct Log {
    tree: Frontier,
    nodes: BTreeMap<NodeId, Sm3Digest>,
    roots: Vec<Sm3Digest>,
}

impl NodeSource for Log {
    type Error = Infallible;

    fn node(&self, id: NodeId) -> Result<Option<Sm3Digest>, Infallible> {
        Ok(self.nodes.get(&id).copied())
    }
}

impl Log {
    fn of(entries: &[&str]) -> Self {
        let mut log = Self { roots: vec![Frontier::new().root()], ..Self::default() };
        for entry in entries {
            let nodes = &mut log.nodes;
            let hash = leaf_hash(entry.as_bytes());
            log.tree.append(hash, &mut |id, hash| _ = nodes.insert(id, hash)).unwrap();
            log.roots.push(log.tree.root());
        }
        log
    }

    fn state(&self, size: u64) -> Checkpoint {
        let root = self.roots[usize::try_from(size).unwrap()];
        Checkpoint { origin: ORIGIN.to_owned(), size, root }
    }

    fn path(&self, old: u64, new: u64) -> Vec<Sm3Digest> {
        prove_consistency(self, old, new).unwrap().path
    }

    fn note(&self, size: u64) -> Note {
        let mut note = Note::unsigned(&self.state(size).to_string()).unwrap();
        note.add(log_key().sign(note.text())).unwrap();
        note
    }

    fn ask(&self, old_size: u64, size: u64) -> AddCheckpoint {
        AddCheckpoint { old_size, path: self.path(old_size, size), note: self.note(size) }
    }
}

fn log_key() -> LogKey {
    LogKey::new(ORIGIN, key(1)).unwrap()
}

fn witness(last: Option<Note>) -> Witness {
    let log = WitnessedLog::new(ORIGIN, vec![log_key().verifier().clone()], last).unwrap();
    Witness::new(CosignerKey::new("court.example", key(2)).unwrap(), vec![log]).unwrap()
}

const TRUE: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];
const FORGED: [&str; 7] = ["a", "b", "x", "d", "e", "f", "g"];

struct Full;

impl NoteStore for Full {
    fn keep(&mut self, _: &Note) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
}

#[test]
fn a_log_signs_what_extends_and_nothing_else() {
    let (log, forged, mut kept) = (Log::of(&TRUE), Log::of(&FORGED), Memory::default());
    let mut issuer = Issuer::new(log_key(), None).unwrap();
    issuer.issue(&log.state(3), &[], &mut kept).unwrap();
    let again = issuer.issue(&log.state(3), &[], &mut kept);
    assert!(matches!(again, Err(IssueError::Unchanged)));
    let smaller = issuer.issue(&log.state(2), &[], &mut kept);
    assert!(matches!(smaller, Err(IssueError::Smaller { last: 3, size: 2 })));
    let other = issuer.issue(&forged.state(3), &[], &mut kept);
    assert!(matches!(other, Err(IssueError::Rewritten { last: 3, size: 3, .. })));
    let rewritten = issuer.issue(&forged.state(5), &forged.path(3, 5), &mut kept);
    assert!(matches!(rewritten, Err(IssueError::Rewritten { last: 3, size: 5, .. })));
    let elsewhere = Checkpoint { origin: "changbai/log/town/00".to_owned(), ..log.state(5) };
    let foreign = issuer.issue(&elsewhere, &log.path(3, 5), &mut kept);
    assert!(matches!(foreign, Err(IssueError::Foreign)));
    let note = issuer.issue(&log.state(5), &log.path(3, 5), &mut kept).unwrap();
    assert_eq!(log_key().verifier().check(&note), Ok(Some(0)));
    assert_eq!(kept.0.len(), 2);

    // After a restart it is as strict as before.
    let mut restarted = Issuer::new(log_key(), kept.0.last()).unwrap();
    assert!(restarted.issue(&forged.state(5), &[], &mut kept).is_err());
    assert!(restarted.issue(&log.state(4), &[], &mut kept).is_err());
    restarted.issue(&log.state(7), &log.path(5, 7), &mut kept).unwrap();
}

#[test]
fn nothing_leaves_when_it_is_not_durable() {
    let log = Log::of(&TRUE);
    let mut issuer = Issuer::new(log_key(), None).unwrap();
    assert!(matches!(issuer.issue(&log.state(3), &[], &mut Full), Err(IssueError::Store(_))));
    // The failed write may be on the disk: no other root may be signed beside it.
    let next = issuer.issue(&log.state(4), &[], &mut Memory::default());
    assert!(matches!(next, Err(IssueError::Broken)));
    let mut witness = witness(None);
    let asked = witness.add_checkpoint(&log.ask(0, 3), NOW, &mut Full);
    assert!(matches!(asked, Err(AddError::Store(_))));
    let again = witness.add_checkpoint(&log.ask(0, 3), NOW, &mut Memory::default());
    assert!(matches!(again, Err(AddError::Broken)));
}

#[test]
fn a_witness_answers_as_the_convention_says() {
    let (log, forged) = (Log::of(&TRUE), Log::of(&FORGED));
    let mut kept = Memory::default();
    let mut witness = witness(None);
    let mut add = |ask: &AddCheckpoint| witness.add_checkpoint(ask, NOW, &mut kept);
    let line = add(&log.ask(0, 3)).unwrap();
    let mut note = log.note(3);
    note.add(line).unwrap();
    let court = CosignerKey::new("court.example", key(2)).unwrap();
    assert_eq!(court.verifier().check(&note), Ok(Some(NOW)));

    assert!(matches!(add(&log.ask(0, 5)), Err(AddError::Stale { size: 3 })));
    assert!(matches!(add(&log.ask(2, 5)), Err(AddError::Stale { size: 3 })));
    let older = AddCheckpoint { old_size: 6, ..log.ask(3, 5) };
    assert!(matches!(add(&older), Err(AddError::Older)));
    assert!(matches!(add(&log.ask(1, 2)), Err(AddError::Stale { size: 3 })));
    let unsigned =
        AddCheckpoint { note: Note::unsigned(&log.state(5).to_string()).unwrap(), ..log.ask(3, 5) };
    assert!(matches!(add(&unsigned), Err(AddError::Signature)));
    let mut stranger = unsigned.clone();
    stranger.note.add(LogKey::new(ORIGIN, key(9)).unwrap().sign(stranger.note.text())).unwrap();
    assert!(matches!(add(&stranger), Err(AddError::Signature)));
    let elsewhere = Checkpoint { origin: "elsewhere".to_owned(), ..log.state(5) };
    let unknown =
        AddCheckpoint { note: Note::unsigned(&elsewhere.to_string()).unwrap(), ..log.ask(3, 5) };
    assert!(matches!(add(&unknown), Err(AddError::UnknownLog)));
    assert!(matches!(add(&forged.ask(3, 5)), Err(AddError::Proof)));
    let split = add(&forged.ask(3, 3));
    let Err(AddError::Split { size: 3, proof }) = split else { panic!("{split:?}") };
    proof.verify(&[log_key().verifier().clone()]).unwrap();
    // The same again is cosigned again: an answer may have been lost.
    add(&log.ask(3, 3)).unwrap();
    add(&log.ask(3, 7)).unwrap();
    assert!(matches!(add(&log.ask(3, 5)), Err(AddError::Stale { size: 7 })));
    assert_eq!(kept.0.len(), 3);
}

#[test]
fn a_restarted_witness_goes_on_where_it_was() {
    let (log, mut kept) = (Log::of(&TRUE), Memory::default());
    witness(None).add_checkpoint(&log.ask(0, 5), NOW, &mut kept).unwrap();
    let mut restarted = witness(kept.0.pop());
    let ask = restarted.add_checkpoint(&log.ask(0, 3), NOW, &mut kept);
    assert!(matches!(ask, Err(AddError::Stale { size: 5 })));
    restarted.add_checkpoint(&log.ask(5, 6), NOW, &mut kept).unwrap();
    let other = Checkpoint { origin: "elsewhere".to_owned(), ..log.state(5) };
    let foreign = Note::unsigned(&other.to_string()).unwrap();
    assert!(WitnessedLog::new(ORIGIN, vec![log_key().verifier().clone()], Some(foreign)).is_err());
}

#[test]
fn a_monitor_convicts_a_log_of_two_histories() {
    let (log, forged) = (Log::of(&TRUE), Log::of(&FORGED));
    let keys = vec![log_key().verifier().clone()];
    let mut monitor = Monitor::new(keys.clone(), None).unwrap();
    assert_eq!(monitor.observe(&log.note(4), None), Observation::Grown { leaves: 4 });
    assert_eq!(monitor.observe(&log.note(4), None), Observation::Same);
    assert_eq!(monitor.proof_needed(&log.note(6)), Some((4, 6)));
    let path = log.path(4, 6);
    let proof = Some((log.state(4).root, path.as_slice()));
    assert_eq!(monitor.observe(&log.note(6), proof), Observation::Grown { leaves: 2 });
    assert_eq!(monitor.proof_needed(&log.note(5)), Some((5, 6)));
    let path = log.path(5, 6);
    let proof = Some((log.state(5).root, path.as_slice()));
    assert_eq!(monitor.observe(&log.note(5), proof), Observation::Behind { leaves: 1 });

    // One size, two roots.
    let Observation::Misbehaved(case) = monitor.observe(&forged.note(6), None) else { panic!() };
    assert_eq!(case.contradiction, Contradiction::SameSize);
    case.verify(&keys).unwrap();
    // A larger and a smaller size: the honest proof of the other history convicts it.
    for (seen, old, new) in [(7, 6, 7), (4, 4, 6), (3, 3, 6)] {
        let path = forged.path(old, new);
        let (source, path) = if seen == 7 { (&forged, path) } else { (&log, log.path(old, new)) };
        let proof = Some((source.state(old).root, path.as_slice()));
        let observed = monitor.observe(&forged.note(seen), proof);
        let Observation::Misbehaved(case) = observed else { panic!("{seen}: {observed:?}") };
        assert!(matches!(case.contradiction, Contradiction::OtherBeginning { .. }), "{seen}");
        let bytes = case.to_bytes().unwrap();
        let read = Misbehaviour::from_bytes(&bytes).unwrap();
        assert_eq!(read, *case);
        read.verify(&keys).unwrap();
        let stranger = LogKey::new(ORIGIN, key(9)).unwrap().verifier().clone();
        assert!(read.verify(&[stranger]).is_err());
    }
    // Without a proof there is an alarm, and no conviction.
    let Observation::Misbehaved(case) = monitor.observe(&forged.note(7), None) else { panic!() };
    assert_eq!(case.contradiction, Contradiction::Unproven);
    assert!(case.verify(&keys).is_err());
    assert_eq!(monitor.last().unwrap().0, &log.state(6), "a liar does not move what is known");
    let stranger =
        Monitor::new(vec![LogKey::new(ORIGIN, key(9)).unwrap().verifier().clone()], None);
    assert_eq!(stranger.unwrap().observe(&log.note(6), None), Observation::Foreign);
}

#[test]
fn an_honest_log_cannot_be_accused() {
    let log = Log::of(&TRUE);
    let keys = [log_key().verifier().clone()];
    for (old, new) in (1..=7).flat_map(|old| (old..=7).map(move |new| (old, new))) {
        let path = log.path(old, new);
        for contradiction in [
            Contradiction::SameSize,
            Contradiction::Unproven,
            Contradiction::Rollback,
            Contradiction::OtherBeginning { root: log.state(old).root, path: path.clone() },
            Contradiction::OtherBeginning { root: log.state(old - 1).root, path },
        ] {
            let (first, second) = (log.note(old), log.note(new));
            let accused = Misbehaviour { first, second, contradiction };
            assert!(accused.verify(&keys).is_err(), "{old} {new}");
        }
    }
}

proptest! {
    #[test]
    fn any_flipped_bit_of_the_proof_is_rejected(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let (log, forged) = (Log::of(&TRUE), Log::of(&FORGED));
        let (root, path) = (log.state(3).root, log.path(3, 6));
        let contradiction = Contradiction::OtherBeginning { root, path };
        let case = Misbehaviour { first: forged.note(3), second: log.note(6), contradiction };
        let keys = [log_key().verifier().clone()];
        prop_assert!(case.verify(&keys).is_ok());
        let mut bytes = case.to_bytes().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let accepted = Misbehaviour::from_bytes(&bytes).is_ok_and(|case| case.verify(&keys).is_ok());
        prop_assert!(!accepted);
    }

    #[test]
    fn hostile_documents_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Misbehaviour::from_bytes(&bytes);
    }
}
