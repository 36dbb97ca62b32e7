//! An export of a channel: read front to back, no more handed out than came in, and what comes to its end has the
//! digest that it states.
//!
//! With a first byte of 1 the checksums of the tar headers are made right, so that mutations get past them.
#![no_main]

use changbai_channel::Block;
use changbai_channel::archive::ExportReader;
use smkit::Sm3Digest;

const RECORD: usize = 512;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("channel_export"), |data: &[u8]| {
    let Some((choice, file)) = data.split_first() else { return };
    let mut file = file.to_vec();
    if *choice == 1 {
        repair(&mut file);
    }
    let mut input = file.as_slice();
    let Ok(mut reader) = ExportReader::open(&mut input) else { return };
    let (first, last) = (reader.manifest().first, reader.manifest().last);
    assert!(first <= last);
    let (mut expected, mut bytes, mut hash) = (first, 0, Sm3Digest::new([0; 32]));
    loop {
        match reader.next_block() {
            Ok(Some((number, block))) => {
                assert_eq!(number, expected);
                expected += 1;
                bytes += block.len();
                if let Ok(block) = Block::from_bytes(&block) {
                    hash = block.header.hash();
                }
            }
            Ok(None) => break,
            Err(_) => return,
        }
    }
    assert_eq!(expected, last + 1);
    assert!(bytes < file.len());
    let _ = reader.finish(&hash);
});

/// Follows the sizes in the headers and sets each checksum.
fn repair(file: &mut [u8]) {
    let mut at = 0;
    while let Some(header) = file.get_mut(at..at + RECORD) {
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let size = std::str::from_utf8(&header[124..135]).ok();
        let Some(size) = size.and_then(|s| usize::from_str_radix(s, 8).ok()) else { return };
        at += RECORD + size.div_ceil(RECORD) * RECORD;
    }
}
