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
use std::io::{BufReader, BufWriter, Read, Write};
use std::num::NonZeroU32;

use smkit::sm4::Key;
use smkit::sm4::stream::{HEADER_BYTES, Opener, Sealer};
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
    let (mut from, mut to) = (BufReader::new(File::open(from)?), BufWriter::new(File::create(to)?));
    let mut salt = [0; 16];
    OsRandom.fill(&mut salt)?;
    to.write_all(&salt)?;
    let mut sealer = Sealer::new(&key(password, &salt)?, &salt, &mut OsRandom)?;
    to.write_all(sealer.header())?;
    let mut out = Vec::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = from.read(&mut piece)?;
        if read == 0 {
            break;
        }
        sealer.update(&piece[..read], &mut out)?;
        to.write_all(&out)?;
        out.clear();
    }
    sealer.finish(&mut out)?;
    to.write_all(&out)?;
    Ok(to.flush()?)
}

/// Every piece written is authentic, but only `finish` says that the file is whole: until then it has another name.
fn open(password: &str, from: &str, to: &str) -> Result<(), Box<dyn Error>> {
    let unfinished = format!("{to}.unfinished");
    let mut from = BufReader::new(File::open(from)?);
    let mut output = BufWriter::new(File::create(&unfinished)?);
    let (mut salt, mut header) = ([0; 16], [0; HEADER_BYTES]);
    from.read_exact(&mut salt)?;
    from.read_exact(&mut header)?;
    let mut opener = Opener::new(&key(password, &salt)?, &salt, &header)?;
    let mut out = Vec::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = from.read(&mut piece)?;
        if read == 0 {
            break;
        }
        opener.update(&piece[..read], &mut out)?;
        output.write_all(&out)?;
        out.clear();
    }
    opener.finish(&mut out)?;
    output.write_all(&out)?;
    output.flush()?;
    Ok(std::fs::rename(unfinished, to)?)
}

fn key(password: &str, salt: &[u8; 16]) -> Result<Key, Box<dyn Error>> {
    let mut bytes = [0; 16];
    smkit::sm3::kdf::pbkdf2(password.as_bytes(), salt, ROUNDS, &mut bytes)?;
    Ok(Key::from_bytes(bytes))
}
