//! SM3 in lanes, in one stream and without kernels: the same digests, however the messages are cut.
#![no_main]

use changbai_fuzz::kit::on_every_path;
use changbai_fuzz::pieces;
use smkit::{Sm3, Sm3Digest, hmac_sm3, sm3, sm3_many, sm3_many_joined, sm3_pairs, sm3_parts};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("kernels_sm3"), |data: &[u8]| {
    let messages = pieces(data);
    on_every_path(|| {
        let digests = sm3_many(&messages);
        let mut stream = Sm3::new();
        for (message, digest) in messages.iter().zip(&digests) {
            assert_eq!(sm3(message), *digest, "lanes and one stream");
            stream.update(message);
        }
        assert_eq!(stream.finalize(), sm3_parts(&messages));
        let joined: Vec<[&[u8]; 2]> = messages.iter().rev().zip(&messages).map(|(a, b)| [*a, *b]).collect();
        let together = sm3_many_joined(&joined);
        for (parts, digest) in joined.iter().zip(&together) {
            assert_eq!(sm3_parts(parts), *digest, "lanes and one stream");
        }
        let prefix = messages.first().copied().unwrap_or_default();
        let pairs: Vec<[Sm3Digest; 2]> = digests.iter().zip(&together).map(|(a, b)| [*a, *b]).collect();
        let nodes = sm3_pairs(prefix, &pairs);
        for ([left, right], node) in pairs.iter().zip(&nodes) {
            assert_eq!(sm3_parts(&[prefix, left.as_bytes(), right.as_bytes()]), *node);
        }
        (digests, together, nodes, hmac_sm3(prefix, &messages))
    });
});
