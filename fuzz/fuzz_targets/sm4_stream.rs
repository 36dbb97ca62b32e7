//! A chunked stream: cut into any pieces it opens alike, and what opens is what sealing gives again.
#![no_main]

use changbai_fuzz::kit::{Given, sm4_key};
use smkit::sm4::stream::{HEADER_BYTES, Opener, Sealer};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("sm4_stream"), |data: &[u8]| {
    let Some((piece, stream)) = data.split_first() else { return };
    // A chunk of 16 MiB is reserved at once, which is slow and tells nothing more than one of 64 KiB.
    if stream.get(5).is_some_and(|log2| (17..=24).contains(log2)) {
        return;
    }
    let whole = open(stream, usize::MAX);
    assert_eq!(open(stream, 1 + usize::from(*piece)), whole, "the pieces matter");
    if let Some(plain) = whole {
        let mut salt = [0; 32];
        salt[..16].copy_from_slice(&stream[8..HEADER_BYTES]);
        let mut sealer = Sealer::with_chunk_log2(&sm4_key(), b"aad", stream[5], &mut Given(salt))
            .expect("a given source");
        let mut again = sealer.header().to_vec();
        sealer.update(&plain, &mut again).expect("a short stream");
        sealer.finish(&mut again).expect("a short stream");
        assert_eq!(again, stream, "one plaintext has two streams");
    }
});

fn open(stream: &[u8], piece: usize) -> Option<Vec<u8>> {
    let (header, body) = stream.split_first_chunk::<HEADER_BYTES>()?;
    let mut opener = Opener::new(&sm4_key(), b"aad", header).ok()?;
    let mut out = Vec::new();
    for piece in body.chunks(piece) {
        opener.update(piece, &mut out).ok()?;
    }
    opener.finish(&mut out).ok()?;
    Some(out)
}
