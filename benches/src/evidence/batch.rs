//! Batches: 100,000 digests over REST under one record, and a receipt for each of them in the client's hands.

use std::path::Path;
use std::time::Instant;

use changbai_core::limits::BATCH_DIGESTS_MAX;
use changbai_core::{BatchEntry, BatchLeaf, BatchRoot, BatchTree, Record};
use smkit::sm3::Sm3Digest;

use super::{Goal, Lines};
use crate::report::{Figure, memory_mib, percentile};
use crate::rest::{Client, Server};
use crate::sqlite::inserts_per_second;

/// Measures batches from the digests to the receipts, and the naive peer in the same run.
pub(super) fn run(quick: bool, out: &mut Lines) {
    let rounds: u64 = if quick { 3 } else { 15 };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start(&dir.path().join("node"));
    let client = server.client();
    let mut runs: Vec<Run> = (0..=rounds).map(|round| batch(&client, round)).collect();
    // The first one warms caches and the connection.
    runs.remove(0);
    let (_, peak) = memory_mib();
    server.stop();
    let median = |of: fn(&Run) -> f64| {
        let mut values: Vec<f64> = runs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        percentile(&values, 0.5)
    };
    let size = BATCH_DIGESTS_MAX as f64;
    let (recorded, proven) = (median(|run| run.recorded_s), median(|run| run.proven_s));
    let conditions = format!(
        "one signed request of {size} digests, one node, client in its process: lines written, hashed, signed, sent, \
         parsed, kept, committed ({:.0} ms), then record and receipt fetched and a batch.json made for every digest \
         ({:.0} ms, {:.0} B each); median of {rounds}; peak memory {peak:.0} MiB",
        recorded * 1_000.0,
        (proven - recorded) * 1_000.0,
        median(|run| run.bytes_each),
    );
    let value = size / proven;
    let name = "batch/digests-per-second";
    out.goal(name, value, "1/s", Goal::AtLeast(100_000.0), &conditions);
    for (rows, peer) in PEERS {
        let peer = Some((*peer, sqlite(dir.path(), *rows)));
        out.figure(&Figure { name, value, unit: "1/s", peer, conditions: &conditions });
    }
    let verify_us = median(|run| run.verify_us);
    let conditions = "batch.json parsed and its path followed to the root in the record, one core";
    let figure =
        Figure { name: "batch/verify-us", value: verify_us, unit: "us", peer: None, conditions };
    out.figure(&figure);
}

struct Run {
    recorded_s: f64,
    proven_s: f64,
    bytes_each: f64,
    verify_us: f64,
}

fn batch(client: &Client, round: u64) -> Run {
    let digests: Vec<Sm3Digest> = (0..BATCH_DIGESTS_MAX as u64)
        .map(|number| smkit::sm3_parts(&[&round.to_be_bytes(), &number.to_be_bytes()]))
        .collect();
    let started = Instant::now();
    let mut lines = String::with_capacity(digests.len() * 76);
    for digest in &digests {
        lines.push_str("{\"sm3\":\"");
        lines.push_str(&digest.to_string());
        lines.push_str("\"}\n");
    }
    let id = client.batch(lines.as_bytes());
    let recorded_s = started.elapsed().as_secs_f64();
    let receipt = client.read(&format!("/api/v1/evidence/{id}/receipt"));
    let root = root(&client.read(&format!("/api/v1/evidence/{id}")));
    let entries = entries(&digests, &root);
    let proven_s = started.elapsed().as_secs_f64();
    assert!(!receipt.is_empty(), "a receipt");

    let bytes: usize = entries.iter().map(Vec::len).sum();
    let started = Instant::now();
    let sample = entries.iter().step_by(97);
    let mut count = 0;
    for document in sample {
        let entry = BatchEntry::from_bytes(document).expect("an own entry");
        entry.verify(&root).expect("every digest is proven");
        count += 1;
    }
    let verify_us = started.elapsed().as_secs_f64() * 1_000_000.0 / f64::from(count);
    Run { recorded_s, proven_s, bytes_each: bytes as f64 / entries.len() as f64, verify_us }
}

/// What the record says, in the record's own form.
fn root(answer: &[u8]) -> BatchRoot {
    let answer: serde_json::Value = serde_json::from_slice(answer).expect("JSON");
    let record = serde_json::to_vec(&answer["record"]).expect("JSON");
    *Record::from_bytes(&record).expect("a record").batch().expect("a batch")
}

/// Every digest's `batch.json`, made from the client's own digests and checked against the record's root.
fn entries(digests: &[Sm3Digest], root: &BatchRoot) -> Vec<Vec<u8>> {
    let leaf = |digest: &Sm3Digest| BatchLeaf::of(*digest);
    let hashes: Vec<Sm3Digest> = digests.iter().map(|digest| leaf(digest).hash()).collect();
    let tree = BatchTree::new(&hashes).expect("a batch");
    assert_eq!(tree.root(), *root, "the node recorded these digests");
    let half = digests.len().div_ceil(2);
    let part = |start: usize, digests: &[Sm3Digest]| -> Vec<Vec<u8>> {
        let entry = |(index, digest)| BatchEntry {
            leaf: leaf(digest),
            inclusion: tree.path((start + index) as u64).expect("a path"),
        };
        digests.iter().enumerate().map(|at| entry(at).to_bytes().expect("JSON")).collect()
    };
    std::thread::scope(|scope| {
        let second = scope.spawn(|| part(half, &digests[half..]));
        let mut all = part(0, &digests[..half]);
        all.extend(second.join().expect("no panic"));
        all
    })
}

fn sqlite(dir: &Path, batch: u64) -> f64 {
    inserts_per_second(dir, batch.clamp(20_000, BATCH_DIGESTS_MAX as u64), batch)
}

const PEERS: &[(u64, &str)] = &[
    (1_000, "SQLite, 1,000 hashes a transaction, no proofs"),
    (BATCH_DIGESTS_MAX as u64, "SQLite, 100,000 hashes in one transaction, no proofs"),
];
