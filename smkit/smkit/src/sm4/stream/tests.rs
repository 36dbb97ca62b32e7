#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::OsRandom;

const CHUNK: usize = 1 << CHUNK_LOG2_MIN;

fn key() -> Key {
    Key::from_bytes([9; 16])
}

fn seal(plain: &[u8], aad: &[u8], piece: usize) -> Vec<u8> {
    let mut sealer = Sealer::with_chunk_log2(&key(), aad, 0, &mut OsRandom).unwrap();
    let mut out = sealer.header().to_vec();
    for piece in plain.chunks(piece) {
        sealer.update(piece, &mut out).unwrap();
    }
    sealer.finish(&mut out).unwrap();
    out
}

fn open(stream: &[u8], aad: &[u8], piece: usize) -> Result<Vec<u8>, Sm4Error> {
    let (header, body) = stream.split_first_chunk().ok_or(Sm4Error::Header)?;
    let mut opener = Opener::new(&key(), aad, header)?;
    let mut out = Vec::new();
    for piece in body.chunks(piece) {
        opener.update(piece, &mut out)?;
    }
    opener.finish(&mut out)?;
    Ok(out)
}

#[test]
fn sizes_around_the_chunk() {
    for bytes in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5] {
        let plain: Vec<u8> = (0..bytes).map(|n| n.to_le_bytes()[0]).collect();
        let stream = seal(&plain, b"name", 700);
        let chunks = bytes.div_ceil(CHUNK).max(1);
        assert_eq!(stream.len(), HEADER_BYTES + bytes + chunks * TAG_BYTES);
        for piece in [1, 15, CHUNK, CHUNK + TAG_BYTES, usize::MAX >> 1] {
            assert_eq!(open(&stream, b"name", piece).as_deref(), Ok(plain.as_slice()));
        }
        assert!(open(&stream, b"other name", 4096).is_err());
    }
}

#[test]
fn truncation_reordering_repetition_and_splicing_are_refused() {
    let plain = vec![1; 3 * CHUNK + 100];
    let stream = seal(&plain, b"", 4096);
    let sealed = CHUNK + TAG_BYTES;
    let (header, body) = stream.split_at(HEADER_BYTES);
    let chunks: Vec<&[u8]> = body.chunks(sealed).collect();
    let build = |order: &[usize]| {
        let body = order.iter().flat_map(|n| chunks[*n].iter().copied());
        header.iter().copied().chain(body).collect::<Vec<u8>>()
    };
    assert_eq!(open(&build(&[0, 1, 2, 3]), b"", 999), Ok(plain.clone()));
    let refused: [&[usize]; 8] = [
        &[],
        &[0],
        &[0, 1, 2],
        &[1, 0, 2, 3],
        &[0, 1, 1, 2, 3],
        &[0, 2, 3],
        &[3],
        &[0, 1, 2, 3, 3],
    ];
    for order in refused {
        assert_eq!(open(&build(order), b"", 999), Err(Sm4Error::Authentication), "{order:?}");
    }
    // The last chunk of another stream under the same key.
    let other = seal(&plain, b"", 4096);
    let spliced =
        [&stream[..HEADER_BYTES + 3 * sealed], &other[HEADER_BYTES + 3 * sealed..]].concat();
    assert_eq!(open(&spliced, b"", 999), Err(Sm4Error::Authentication));
    for cut in [1, 16, 100, 116, 117, sealed] {
        assert_eq!(
            open(&stream[..stream.len() - cut], b"", 999),
            Err(Sm4Error::Authentication),
            "{cut} bytes cut"
        );
    }
}

#[test]
fn a_failed_reader_stays_failed() {
    let stream = seal(&[1; 3 * CHUNK], b"", 4096);
    let (header, body) = stream.split_first_chunk().unwrap();
    let mut altered = body.to_vec();
    altered[5] ^= 1;
    let mut opener = Opener::new(&key(), b"", header).unwrap();
    let mut out = Vec::new();
    assert!(opener.update(&altered, &mut out).is_err());
    assert!(out.is_empty());
    assert!(opener.update(body, &mut out).is_err());
    assert!(opener.finish(&mut out).is_err());
    assert!(out.is_empty());
}

#[test]
fn headers_are_strict() {
    let stream = seal(b"x", b"", 1);
    for (index, byte) in [(0, b's'), (4, 2), (5, 9), (5, 25), (5, 255), (6, 1), (7, 1)] {
        let mut altered = stream.clone();
        altered[index] = byte;
        assert_eq!(open(&altered, b"", 64), Err(Sm4Error::Header), "{index} {byte}");
    }
    let mut larger = stream;
    larger[5] = 11;
    assert_eq!(open(&larger, b"", 64), Err(Sm4Error::Authentication));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_flipped_bit_is_refused(
        plain in prop::collection::vec(any::<u8>(), 0..3000), flip: prop::sample::Index,
    ) {
        let mut stream = seal(&plain, b"aad", 512);
        let bit = flip.index(stream.len() * 8);
        stream[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(open(&stream, b"aad", 777).is_err());
    }
}
