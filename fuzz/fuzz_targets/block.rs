//! A block: what is read means the same once written; its certificate is for its header.
#![no_main]

use changbai_channel::Block;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("block"), |data: &[u8]| {
    let Ok(block) = Block::from_bytes(data) else { return };
    assert!(block.codes.is_empty() || block.codes.len() == block.envelopes.len());
    if let Some(certificate) = &block.certificate {
        assert_eq!(certificate.height, block.header.number);
        assert_eq!(certificate.block, block.header.hash());
    }
    assert_eq!(Block::from_bytes(&block.to_bytes()), Ok(block));
});
