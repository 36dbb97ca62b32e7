#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use std::{collections::BTreeMap, convert::Infallible};

use proptest::prelude::*;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit::{Random, RandomError, Sm3Digest, sm3_parts};

use crate::*;

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

const ORIGIN: &str = "changbai/changchun/0011";

fn checkpoint(size: u64) -> Checkpoint {
    Checkpoint { origin: ORIGIN.to_owned(), size, root: leaf_hash(&size.to_be_bytes()) }
}

fn signed(size: u64) -> (Note, LogKey) {
    let log = LogKey::new(ORIGIN, key(1)).unwrap();
    let mut note = Note::unsigned(&checkpoint(size).to_string()).unwrap();
    note.add(log.sign(note.text())).unwrap();
    (note, log)
}

#[test]
fn a_note_is_signed_cosigned_and_read_back() {
    let (mut note, log) = signed(7);
    let witnesses: Vec<_> = (0..20)
        .map(|n| CosignerKey::new(&format!("witness-{n}.example"), key(10 + n)).unwrap())
        .collect();
    for (time, witness) in (1_795_000_000..).zip(&witnesses) {
        note.add(witness.cosign(note.text(), time)).unwrap();
    }
    let read = Note::from_bytes(note.to_string().as_bytes()).unwrap();
    assert_eq!(read, note);
    assert_eq!(Checkpoint::of(&read).unwrap(), checkpoint(7));
    assert_eq!(log.verifier().check(&read), Ok(Some(0)));
    for (time, witness) in (1_795_000_000..).zip(&witnesses) {
        assert_eq!(witness.verifier().check(&read), Ok(Some(time)));
    }
    let stranger = LogKey::new(ORIGIN, key(99)).unwrap();
    assert_eq!(stranger.verifier().check(&read), Ok(None), "another key of that name");
    let cosigner = CosignerKey::new(ORIGIN, key(1)).unwrap();
    assert_eq!(cosigner.verifier().check(&read), Ok(None), "the same key in another office");
}

#[test]
fn the_bytes_of_a_note_are_as_documented() {
    let (note, log) = signed(3);
    let raw = log.verifier().public_key().to_sec1();
    let id = sm3_parts(&[ORIGIN.as_bytes(), b"\n\xffchangbai/merkle/note/v1", &raw]);
    assert_eq!(log.verifier().key_id(), id.as_bytes()[..4]);
    let signature = &note.signatures()[0];
    assert_eq!(signature.signature.len(), 64);
    let message = [b"changbai/merkle/note/v1\n", note.text().as_bytes()].concat();
    let parsed = smkit::sm2::Signature::from_bytes(signature.signature.clone().try_into().unwrap());
    key(1).verifying_key().verify(&message, &parsed.unwrap()).unwrap();
    assert!(note.to_string().starts_with(&format!("{ORIGIN}\n3\n")));
    assert!(note.to_string().contains(&format!("\n\n\u{2014} {ORIGIN} ")));
    let text = log.verifier().to_string();
    assert_eq!(&VerifierKey::from_text(&text).unwrap(), log.verifier());
    assert!(VerifierKey::from_text(&text.replace(ORIGIN, "changbai/elsewhere/0011")).is_err());
}

#[test]
fn other_forms_of_a_note_are_refused() {
    let (note, _) = signed(7);
    let good = note.to_string();
    let line = note.signatures()[0].to_string();
    for bad in [
        good.trim_end().to_owned(),
        good.replace("\n\n", "\n"),
        good.replace('\u{2014}', "-"),
        format!("{good}{line}\n"),
        format!("{good}\n"),
        format!("{}\n", note.text()),
        good.replace(ORIGIN, "two words"),
        good.replace("\n7\n", "\n7\r\n"),
    ] {
        assert!(Note::from_bytes(bad.as_bytes()).is_err(), "{bad}");
    }
    for bad in ["o\n07\nAA==\n", "o\n7\n", "o\n-1\nx\n", "\n7\nx\n", &format!("{}x\n", note.text())]
    {
        assert!(Checkpoint::from_text(bad).is_err(), "{bad}");
    }
    let mut full = note;
    for n in 1..64 {
        let line = NoteSignature { name: "n".to_owned(), key_id: [n; 4], signature: vec![1] };
        full.add(line).unwrap();
    }
    let more = NoteSignature { name: "m".to_owned(), key_id: [0; 4], signature: vec![1] };
    assert_eq!(full.add(more), Err(TextError::TooMany { max: 64 }));
    assert_eq!(full.clone().add(full.signatures()[1].clone()), Err(TextError::TooMany { max: 64 }));
}

#[test]
fn paths_of_tiles() {
    for (path, content, index, width) in [
        ("tile/0/000", TileContent::Hashes(0), 0, 256),
        ("tile/1/000.p/7", TileContent::Hashes(1), 0, 7),
        ("tile/0/x001/x234/067", TileContent::Hashes(0), 1_234_067, 256),
        ("tile/entries/x001/000.p/255", TileContent::Entries, 1_000, 255),
    ] {
        let tile = Tile { content, index, width };
        assert_eq!(Tile::from_path(path), Ok(tile));
        assert_eq!(tile.to_string(), path);
    }
    for bad in [
        "tile/8/000",
        "tile/00/000",
        "tile/0/0",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/07",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/7/001",
        "tile/entry/000",
        "/tile/0/000",
        "tile/0/000/",
    ] {
        assert!(Tile::from_path(bad).is_err(), "{bad}");
    }
}

struct Nodes(BTreeMap<NodeId, Sm3Digest>);

impl NodeSource for Nodes {
    type Error = Infallible;

    fn node(&self, id: NodeId) -> Result<Option<Sm3Digest>, Infallible> {
        Ok(self.0.get(&id).copied())
    }
}

fn grow(size: u64) -> (Frontier, Nodes) {
    let (mut tree, mut nodes) = (Frontier::new(), Nodes(BTreeMap::new()));
    for leaf in 0..size {
        let hash = leaf_hash(&leaf.to_be_bytes());
        tree.append(hash, &mut |id, hash| _ = nodes.0.insert(id, hash)).unwrap();
    }
    (tree, nodes)
}

/// A mirror that has nothing but tiles builds the same root.
#[test]
fn tiles_hold_the_whole_tree() {
    let (tree, nodes) = grow(700);
    let tile = |path: &str| Tile::from_path(path).unwrap().hashes(&nodes).unwrap();
    let mut mirror = Frontier::new();
    for path in ["tile/0/000", "tile/0/001", "tile/0/002.p/188"] {
        let hashes = tile(path);
        mirror.append_many(&hashes, &mut |_, _| ()).unwrap();
        let entries = Tile::from_path(&path.replace("/0/", "/entries/")).unwrap();
        assert_eq!(entries.hashes(&nodes).unwrap(), hashes);
    }
    assert_eq!(mirror.root(), tree.root());
    let above = tile("tile/1/000.p/2");
    assert_eq!(above, [0, 1].map(|index| nodes.0[&NodeId { level: 8, index }]));
    assert!(Tile::from_path("tile/0/002.p/189").unwrap().hashes(&nodes).is_err());
    assert_eq!(Tile::from_path("tile/1/000.p/2").unwrap().size_needed(), Some(512));
    assert_eq!(Tile::from_path("tile/entries/002.p/188").unwrap().size_needed(), Some(700));
}

fn proof_file() -> TlogProof {
    let (tree, nodes) = grow(70);
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 70, root: tree.root() };
    let mut note = Note::unsigned(&checkpoint.to_string()).unwrap();
    note.add(LogKey::new(ORIGIN, key(1)).unwrap().sign(note.text())).unwrap();
    let path = prove_inclusion(&nodes, 11, 70).unwrap().path;
    TlogProof { extra: Some(11u64.to_be_bytes().to_vec()), index: 11, path, note }
}

#[test]
fn a_proof_file_proves_its_leaf_and_no_other() {
    let file = proof_file();
    let read = TlogProof::from_bytes(file.to_string().as_bytes()).unwrap();
    assert_eq!(read, file);
    assert_eq!(read.verify(&leaf_hash(&11u64.to_be_bytes())).unwrap().size, 70);
    assert!(read.verify(&leaf_hash(&12u64.to_be_bytes())).is_err());
    let without = TlogProof { extra: None, ..file };
    assert_eq!(TlogProof::from_bytes(without.to_string().as_bytes()), Ok(without));
}

fn request() -> AddCheckpoint {
    let (_, nodes) = grow(70);
    let path = prove_consistency(&nodes, 11, 70).unwrap().path;
    AddCheckpoint { old_size: 11, path, note: proof_file().note }
}

#[test]
fn a_request_is_read_back() {
    let asked = request();
    assert_eq!(AddCheckpoint::from_bytes(asked.to_string().as_bytes()), Ok(asked));
    let many = AddCheckpoint { path: vec![empty_root(); 64], ..request() };
    let read = AddCheckpoint::from_bytes(many.to_string().as_bytes());
    assert_eq!(read, Err(TextError::TooMany { max: 63 }));
}

/// Whether a file still says the same to a verifier that has the log's key.
fn accepted(bytes: &[u8]) -> bool {
    let log = LogKey::new(ORIGIN, key(1)).unwrap();
    let Ok(file) = TlogProof::from_bytes(bytes) else { return false };
    let signed = log.verifier().check(&file.note) == Ok(Some(0));
    let leaf = file.extra.as_deref().map(leaf_hash);
    signed && leaf.is_some_and(|leaf| file.verify(&leaf).is_ok())
}

proptest! {
    #[test]
    fn any_flipped_bit_of_a_proof_file_is_rejected(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let mut bytes = proof_file().to_string().into_bytes();
        prop_assert!(accepted(&bytes));
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(!accepted(&bytes));
    }

    #[test]
    fn any_flipped_bit_of_a_cosigned_note_is_rejected(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let (mut note, log) = signed(7);
        let witness = CosignerKey::new("court.example", key(2)).unwrap();
        note.add(witness.cosign(note.text(), 1_795_000_000)).unwrap();
        let mut bytes = note.to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(read) = Note::from_bytes(&bytes) {
            let both = log.verifier().check(&read) == Ok(Some(0))
                && matches!(witness.verifier().check(&read), Ok(Some(_)));
            prop_assert!(!both);
        }
    }

    #[test]
    fn hostile_texts_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Note::from_bytes(&bytes);
        let _ = TlogProof::from_bytes(&bytes);
        let _ = AddCheckpoint::from_bytes(&bytes);
        let _ = read_entries(&bytes, 3);
    }

    #[test]
    fn what_is_read_is_what_was_written(text in "(tile/(entries|[0-9])/)(x?[0-9]{3}/){0,3}[0-9]{3}(\\.p/[0-9]{1,3})?") {
        if let Ok(tile) = Tile::from_path(&text) {
            prop_assert_eq!(tile.to_string(), text);
            prop_assert!(tile.size_needed().is_some());
        }
    }

    #[test]
    fn entries_are_read_back(entries in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..20)) {
        let bytes = write_entries(&entries).unwrap();
        let width = u16::try_from(entries.len()).unwrap();
        let read = read_entries(&bytes, width).unwrap();
        prop_assert_eq!(read, entries.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prop_assert!(read_entries(&bytes, width + 1).is_none());
    }
}
