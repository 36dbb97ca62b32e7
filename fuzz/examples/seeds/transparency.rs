//! Seeds of what transparency logs say: notes, proofs, requests, tiles, convictions.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;

use changbai_merkle::{
    AddCheckpoint, Checkpoint, CosignerKey, Frontier, LogKey, NodeId, NodeSource, Note, TlogProof,
    leaf_hash, prove_consistency, prove_inclusion, write_entries,
};
use changbai_receipt::CheckpointFile;
use changbai_witness::{Contradiction, Misbehaviour};
use smkit::Sm3Digest;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};

/// Target, name, bytes.
pub(crate) type Seeds = Vec<(&'static str, &'static str, Vec<u8>)>;

pub(crate) fn seeds() -> Result<Seeds, Box<dyn Error>> {
    let log = LogKey::new(ORIGIN, key(1)?)?;
    let court = CosignerKey::new("court.example", key(2)?)?;
    let (tree, nodes) = grow(b"")?;
    let mut note = signed(&log, &tree)?;
    let bare = note.clone();
    note.add(court.cosign(note.text(), 1_795_312_800))?;
    let request = AddCheckpoint {
        old_size: 5,
        path: prove_consistency(&nodes, 5, 11)?.path,
        note: bare.clone(),
    };
    let extra = Some(6u64.to_be_bytes().to_vec());
    let proof = TlogProof {
        extra,
        index: 6,
        path: prove_inclusion(&nodes, 6, 11)?.path,
        note: note.clone(),
    };
    let file = CheckpointFile {
        certificates: Vec::new(),
        consistency: prove_consistency(&nodes, 7, 11)?.path,
        note: note.clone(),
        token: None,
    };
    let case = Misbehaviour {
        first: bare,
        second: signed(&log, &grow(b"forged")?.0)?,
        contradiction: Contradiction::SameSize,
    };
    let entries = write_entries(&[[1u8; 46], [2; 46]]).ok_or("entries that are too long")?;
    Ok(vec![
        ("signed_note", "checkpoint", note.to_string().into_bytes()),
        ("signed_note", "key", court.verifier().to_string().into_bytes()),
        ("tlog_proof", "leaf", proof.to_string().into_bytes()),
        ("add_checkpoint", "grown", request.to_string().into_bytes()),
        ("tile_path", "whole", b"tile/0/x001/x234/067".to_vec()),
        ("tile_path", "partial", b"tile/entries/000.p/17".to_vec()),
        ("tile_path", "entries", [&[2], entries.as_slice()].concat()),
        ("checkpoint_file", "cosigned", file.to_bytes()?),
        ("misbehaviour", "same_size", case.to_bytes()?),
    ])
}

#[derive(Default)]
struct Nodes(BTreeMap<NodeId, Sm3Digest>);

impl NodeSource for Nodes {
    type Error = Infallible;

    fn node(&self, id: NodeId) -> Result<Option<Sm3Digest>, Infallible> {
        Ok(self.0.get(&id).copied())
    }
}

fn grow(salt: &[u8]) -> Result<(Frontier, Nodes), Box<dyn Error>> {
    let (mut tree, mut nodes) = (Frontier::new(), Nodes::default());
    for leaf in 0..11u64 {
        let hash = leaf_hash(&[&leaf.to_be_bytes(), salt].concat());
        tree.append(hash, &mut |id, hash| {
            nodes.0.insert(id, hash);
        })?;
    }
    Ok((tree, nodes))
}

fn signed(log: &LogKey, tree: &Frontier) -> Result<Note, Box<dyn Error>> {
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: tree.size(), root: tree.root() };
    let mut note = Note::unsigned(&checkpoint.to_string())?;
    note.add(log.sign(note.text()))?;
    Ok(note)
}

fn key(seed: u8) -> Result<SigningKey, Box<dyn Error>> {
    Ok(SigningKey::new(PrivateKey::from_bytes(&[seed; 32])?, SignerId::DEFAULT)?)
}

const ORIGIN: &str =
    "changbai/log/city/66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
