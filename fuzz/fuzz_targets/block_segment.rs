//! A segment of the block log: bounded memory, no byte unread, one form where nothing is compressed.
//!
//! The first byte chooses: 0 and 1 a payload (plain, compressed), so that mutations get past the digests; anything
//! else a segment.
#![no_main]

use changbai_storage::frame::{Body, FrameError, decode_frame, decode_payload, decode_segment};
use changbai_storage::limits::BLOCK_BYTES_MAX;

const BLOCKS_BYTES_MAX: usize = 1 << 20;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("block_segment"), |data: &[u8]| {
    match data {
        [choice @ (0 | 1), payload @ ..] => {
            if let Ok(body) = decode_payload(*choice == 1, payload) {
                let form = encode(&body);
                assert!(*choice == 1 || form == payload, "a body has two forms");
                check_block(&body);
            }
        }
        [_, segment @ ..] => check_segment(segment),
        [] => {}
    }
});

fn check_segment(segment: &[u8]) {
    if let Ok(frame) = decode_frame(segment) {
        let alone = &segment[..frame.frame_bytes];
        assert_eq!(decode_frame(alone), Ok(frame), "a frame reads beyond its end");
    }
    if let Ok(blocks) = decode_segment(segment, BLOCKS_BYTES_MAX) {
        let total: usize = blocks.iter().map(|(_, block)| block.len()).sum();
        assert!(total <= BLOCKS_BYTES_MAX);
    }
}

fn check_block(body: &Body) {
    // Small blocks only: making many large ones whole tests nothing but the allocator.
    if body.block_bytes > 1 << 16 {
        return;
    }
    if let Ok(block) = body.block(|_| Err(FrameError::Reference)) {
        assert_eq!(block.len(), body.block_bytes as usize);
        assert!(block.len() <= BLOCK_BYTES_MAX);
    }
}

/// The form that `frame.rs` documents, written down once more.
fn encode(body: &Body) -> Vec<u8> {
    let mut out = body.block_bytes.to_be_bytes().to_vec();
    out.extend(u16::try_from(body.definitions.len()).expect("bounded").to_be_bytes());
    for identity in body.definitions.iter() {
        out.extend(u16::try_from(identity.len()).expect("bounded").to_be_bytes());
        out.extend(identity);
    }
    out.extend(u32::try_from(body.references.len()).expect("bounded").to_be_bytes());
    for reference in &body.references {
        out.extend(reference.literal_bytes.to_be_bytes());
        out.extend(reference.frame_offset.to_be_bytes());
        out.extend(reference.index.to_be_bytes());
    }
    out.extend(&body.literals);
    out
}
