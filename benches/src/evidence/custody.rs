//! Originals through custody: sealed and into a local store on the way in, opened and compared on the way out.

use std::fs;
use std::io::Read as _;
use std::time::Instant;

use changbai_custody::Custody;
use smkit::OsRandom;

use super::{Goal, Lines};

/// Measures one large original, its syncs included, and the memory that it takes.
pub(super) fn run(quick: bool, out: &mut Lines) {
    let bytes: u64 = if quick { 256 << 20 } else { 1 << 30 };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let custody = Custody::open(dir.path(), &mut OsRandom).expect("an empty directory");
    let mut piece = vec![0; PIECE_BYTES];
    let megabytes = bytes as f64 / 1e6;
    // Warm: the code, and the memory of batches.
    keep(&custody, &mut piece, 8 << 20);

    let (before, began) = (peak_bytes(), Instant::now());
    let sm3 = keep(&custody, &mut piece, bytes);
    let in_s = began.elapsed().as_secs_f64();
    let grown = peak_bytes().saturating_sub(before) as f64 / f64::from(1 << 20);
    let shape = format!("one original of {} MiB, local store, syncs included", bytes >> 20);
    out.goal("custody/in", megabytes / in_s, "MB/s", Goal::AtLeast(250.0), &shape);
    let why = "growth of the peak of resident memory while it came in";
    out.goal("custody/memory", grown, "MiB", Goal::AtMost(64.0), why);

    let began = Instant::now();
    let mut reader = custody.open_original(&sm3).expect("it was kept");
    while reader.read(&mut piece).expect("it is intact") > 0 {}
    let out_s = began.elapsed().as_secs_f64();
    let shape = "the same, authenticated and compared, from the page cache";
    out.goal("custody/out", megabytes / out_s, "MB/s", Goal::AtLeast(150.0), shape);
}

fn keep(custody: &Custody, piece: &mut [u8], bytes: u64) -> smkit::Sm3Digest {
    let mut ingest = custody.ingest(u64::MAX).expect("a new file");
    let mut written = 0;
    while written < bytes {
        // No two pieces are the same.
        if let Some(count) = piece.first_chunk_mut() {
            *count = written.to_be_bytes();
        }
        ingest.write(piece).expect("room on the disk");
        written += piece.len() as u64;
    }
    ingest.finish().expect("room on the disk").sm3
}

/// The most memory that the process ever had resident.
fn peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024
}

/// As the REST interface hands bytes over.
const PIECE_BYTES: usize = 64 << 10;
