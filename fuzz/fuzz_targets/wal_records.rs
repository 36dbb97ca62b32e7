//! Records of the consensus log: what is read is written again as the same bytes; what was written is read in full,
//! and not with a flipped bit.
#![no_main]

use changbai_fuzz::pieces;
use changbai_storage::{Entry, decode_records};
use smkit::sm3::sm3_parts;

const CHAIN: [u8; 16] = [7; 16];

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("wal_records"), |data: &[u8]| {
    let (entries, _) = decode_records(data, CHAIN);
    assert!(data.starts_with(&encode(&entries)), "a record has two forms");

    let entry = |(height, bytes): (u64, &[u8])| Entry { height, kind: 1, bytes: bytes.to_vec() };
    let entries: Vec<Entry> = (0..).zip(pieces(data)).map(entry).collect();
    let mut written = encode(&entries);
    assert_eq!(decode_records(&written, CHAIN).0, entries);
    if let (Some(byte), false) = (data.first(), written.is_empty()) {
        let at = usize::from(*byte) % written.len();
        written[at] ^= 1 << (byte % 8);
        assert!(decode_records(&written, CHAIN).0.len() < entries.len(), "a flipped bit passed");
    }
});

/// The form that `wal.rs` documents, written down once more.
fn encode(entries: &[Entry]) -> Vec<u8> {
    let (mut out, mut chain) = (Vec::new(), CHAIN.to_vec());
    for entry in entries {
        let mut header = b"CBWR".to_vec();
        header.extend(entry.height.to_be_bytes());
        header.push(entry.kind);
        header.extend(u32::try_from(entry.bytes.len()).expect("bounded").to_be_bytes());
        header.extend(crc32fast::hash(&header).to_be_bytes());
        let digest = sm3_parts(&[&chain, &header, &entry.bytes]);
        chain = digest.as_bytes()[..16].to_vec();
        out.extend([header.as_slice(), &entry.bytes, &chain].concat());
    }
    out
}
