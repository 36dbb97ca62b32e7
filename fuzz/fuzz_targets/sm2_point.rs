//! Public keys, compressed and not: what is read is written back, and each form gives the other.
#![no_main]

use smkit::sm2::PublicKey;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("sm2_point"), |data: &[u8]| {
    let (plain, compressed) = (PublicKey::from_sec1(data), PublicKey::from_compressed(data));
    if let Ok(key) = &plain {
        assert_eq!(key.to_sec1(), data);
    }
    if let Ok(key) = &compressed {
        assert_eq!(key.to_compressed(), data);
    }
    for key in plain.into_iter().chain(compressed) {
        assert_eq!(PublicKey::from_sec1(&key.to_sec1()).as_ref(), Ok(&key));
        assert_eq!(PublicKey::from_compressed(&key.to_compressed()).as_ref(), Ok(&key));
    }
});
