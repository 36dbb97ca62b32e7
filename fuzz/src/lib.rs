//! What the fuzz targets share.
//!
//! Each target under `fuzz_targets/` feeds one parser of foreign bytes and asserts what must hold of whatever the
//! parser accepts; a crash is the only report. `cargo xtask fuzz [SECONDS]` runs them all.

use std::fs;
use std::path::Path;

use smkit::{Random, RandomError, sm3};

/// Adds the committed seeds of a target to the corpus that `cargo fuzz run` reads by default.
///
/// # Panics
/// If the corpus cannot be written.
pub fn plant(target: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = root.join("corpus").join(target);
    fs::create_dir_all(&corpus).expect("the corpus folder");
    let Ok(seeds) = fs::read_dir(root.join("seeds").join(target)) else { return };
    for seed in seeds {
        let seed = seed.expect("the seeds are readable");
        fs::copy(seed.path(), corpus.join(seed.file_name())).expect("a seed joins the corpus");
    }
}

/// Reproducible bytes: SM3 of a counter.
#[derive(Debug)]
pub struct Seeded(pub u64);

impl Random for Seeded {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&sm3(&self.0.to_be_bytes()).as_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// Cuts bytes into pieces, each behind its length in two bytes (big-endian); the last may be short.
pub fn pieces(mut data: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while let Some((length, rest)) = data.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (piece, rest) = rest.split_at(length);
        pieces.push(piece);
        data = rest;
    }
    pieces
}

/// What [`pieces`] takes apart.
pub fn joined(pieces: &[&[u8]]) -> Vec<u8> {
    let length = |piece: &[u8]| u16::try_from(piece.len()).expect("a short piece").to_be_bytes();
    pieces.iter().flat_map(|piece| [length(piece).as_slice(), *piece].concat()).collect()
}

pub mod channel;
pub mod consensus;
pub mod custody;
pub mod kit;
pub mod pki;
pub mod tlcp;
pub mod tls;
