//! A file of any size under a password, in constant memory, refused when a byte of it is changed or missing:
//!
//! ```text
//! cargo run --release -p smkit --example encrypt_file -- seal PASSWORD IN OUT
//! cargo run --release -p smkit --example encrypt_file -- open PASSWORD IN OUT
//! ```
//! Format: 16 bytes of salt, then the stream of `smkit::sm4::stream`.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::num::NonZeroU32;

use smkit::sm4::stream::{HEADER_BYTES, Opener, Sealer};
use smkit::sm4::{Key, Sm4Error};
use smkit::{OsRandom, Random};

/// Rounds of PBKDF2: as many as the user's patience allows.
const ROUNDS: NonZeroU32 = NonZeroU32::new(200_000).expect("not zero");
/// Bytes read at a time; nothing larger is ever held, but for one chunk of the stream.
const PIECE_BYTES: usize = 1 << 16;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["seal", password, from, to] => seal(password, from, to)?,
        ["open", password, from, to] => open(password, from, to)?,
        _ => return Err("seal|open PASSWORD IN OUT".into()),
    }
    println!("done");
    Ok(())
}

fn seal(password: &str, from: &str, to: &str) -> Result<(), Box<dyn Error>> {
    let (from, mut to) = (File::open(from)?, File::create(to)?);
    let mut salt = [0; 16];
    OsRandom.fill(&mut salt)?;
    let mut sealer = Sealer::new(&key(password, &salt)?, &salt, &mut OsRandom)?;
    to.write_all(&salt)?;
    to.write_all(sealer.header())?;
    pieces(from, &mut to, |piece, out| sealer.update(piece, out))?;
    let mut last = Vec::new();
    sealer.finish(&mut last)?;
    Ok(to.write_all(&last)?)
}

/// Every piece written is authentic, but only `finish` says that the file is whole: until then it has another name.
fn open(password: &str, from: &str, to: &str) -> Result<(), Box<dyn Error>> {
    let unfinished = format!("{to}.unfinished");
    let (mut from, mut output) = (File::open(from)?, File::create(&unfinished)?);
    let (mut salt, mut header) = ([0; 16], [0; HEADER_BYTES]);
    from.read_exact(&mut salt)?;
    from.read_exact(&mut header)?;
    let mut opener = Opener::new(&key(password, &salt)?, &salt, &header)?;
    pieces(from, &mut output, |piece, out| opener.update(piece, out))?;
    let mut last = Vec::new();
    opener.finish(&mut last)?;
    output.write_all(&last)?;
    Ok(std::fs::rename(unfinished, to)?)
}

/// Gives the rest of a file to `step` piece by piece and writes what it gives back.
fn pieces(
    from: File,
    to: &mut File,
    mut step: impl FnMut(&[u8], &mut Vec<u8>) -> Result<(), Sm4Error>,
) -> Result<(), Box<dyn Error>> {
    let mut from = BufReader::with_capacity(PIECE_BYTES, from);
    let mut out = Vec::new();
    loop {
        let piece = from.fill_buf()?;
        let bytes = piece.len();
        if bytes == 0 {
            return Ok(());
        }
        step(piece, &mut out)?;
        from.consume(bytes);
        to.write_all(&out)?;
        out.clear();
    }
}

fn key(password: &str, salt: &[u8; 16]) -> Result<Key, Box<dyn Error>> {
    let mut bytes = [0; 16];
    smkit::sm3::kdf::pbkdf2(password.as_bytes(), salt, ROUNDS, &mut bytes)?;
    Ok(Key::from_bytes(bytes))
}
