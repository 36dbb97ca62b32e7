#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

fn identity(seed: u8, length: usize) -> Vec<u8> {
    (0..length).map(|i| (i as u8).wrapping_mul(31) ^ seed).collect()
}

fn frame_of(number: u64, block: &[u8], identities: &[&[u8]]) -> Vec<u8> {
    encode_frame(number, &Body::split(block, identities, &HashMap::new()))
}

fn whole(frame: &Frame) -> Vec<u8> {
    frame.body.block(|_| Err(FrameError::Reference)).unwrap()
}

#[test]
fn identities_are_stored_once() {
    let identity = identity(7, 900);
    let block = [b"head".to_vec(), identity.clone(), b"mid".to_vec(), identity.clone()].concat();
    let body = Body::split(&block, &[&identity], &HashMap::new());
    assert_eq!(body.literals, b"headmid");
    assert_eq!((body.definitions.len(), body.references.len()), (1, 2));
    let frame = decode_frame(&encode_frame(3, &body)).unwrap();
    assert_eq!((frame.number, whole(&frame)), (3, block));
}

#[test]
fn longer_identities_go_first_and_short_ones_stay() {
    let long = identity(1, 200);
    let short = long[..100].to_vec();
    let block = [long.clone(), short.clone(), b"tiny".to_vec()].concat();
    let body = Body::split(&block, &[&short, &long, b"tiny"], &HashMap::new());
    assert_eq!(body.literals, b"tiny");
    assert_eq!(body.references.len(), 2);
    assert_eq!(body.block(|_| Err(FrameError::Reference)).unwrap(), block);
}

#[test]
fn every_flipped_byte_is_rejected() {
    let id = identity(9, 80);
    let frame = frame_of(5, &[b"some block ".as_slice(), &id].concat(), &[&id]);
    for at in 0..frame.len() {
        for bit in [1_u8, 0x80] {
            let mut bad = frame.clone();
            bad[at] ^= bit;
            assert!(decode_frame(&bad).is_err(), "byte {at}");
        }
    }
}

#[test]
fn every_cut_is_rejected() {
    let frame = frame_of(5, b"some block", &[]);
    for length in 0..frame.len() {
        assert!(decode_frame(&frame[..length]).is_err());
    }
}

#[test]
fn lengths_are_bounded_before_memory_is_taken() {
    // A bomb: four gigabytes promised by a dozen bytes.
    let mut bomb = u32::MAX.to_be_bytes().to_vec();
    bomb.extend([0; 8]);
    assert_eq!(decode_payload(true, &bomb), Err(FrameError::TooLarge));
    let mut bomb = (16_u32 << 20).to_be_bytes().to_vec();
    bomb.extend([0x1f, 0, 1, 0, 255, 255, 255]);
    assert_eq!(decode_payload(true, &bomb), Err(FrameError::TooLarge));
    // A real LZ4 bomb within the ratio decodes to a body, whose own lengths are then checked.
    let zeros = vec![0; 1 << 20];
    let mut honest = (1_u32 << 20).to_be_bytes().to_vec();
    honest.extend(lz4_flex::block::compress(&zeros));
    assert_eq!(decode_payload(true, &honest).unwrap().block_bytes, 0);
    assert!(decode_payload(true, &honest).unwrap().block(|_| Err(FrameError::Reference)).is_err());
    // More references than bytes for them.
    let mut body = 10_u32.to_be_bytes().to_vec();
    body.extend([0, 0]);
    body.extend(u32::MAX.to_be_bytes());
    assert_eq!(decode_payload(false, &body), Err(FrameError::Short));
    // A block that claims to be larger than any may be.
    assert_eq!(decode_payload(false, &u32::MAX.to_be_bytes()), Err(FrameError::TooLarge));
    // A small definition repeated beyond the stated length.
    let many = Body {
        block_bytes: 100,
        definitions: Arc::new(vec![identity(1, 64)]),
        references: vec![Reference { literal_bytes: 0, frame_offset: u32::MAX, index: 0 }; 1_000],
        literals: Vec::new(),
    };
    assert_eq!(many.block(|_| Err(FrameError::Reference)), Err(FrameError::Malformed));
}

#[test]
fn a_payload_beyond_its_bound_is_refused() {
    let header = Header { kind: KIND_BLOCK, number: 1, payload_bytes: u32::MAX };
    assert_eq!(Header::decode(&header.encode()), Err(FrameError::TooLarge));
    let header = Header { kind: 0x80 | KIND_BLOCK, number: 1, payload_bytes: 0 };
    assert_eq!(Header::decode(&header.encode()), Err(FrameError::Header));
}

#[test]
fn segments_decode_as_a_whole() {
    let id = identity(2, 300);
    let first = Body::split(&id, &[&id], &HashMap::new());
    let known = HashMap::from([(id.clone(), (0, 0))]);
    let block = [b"again ".as_slice(), &id].concat();
    let second = Body::split(&block, &[&id], &known);
    assert!(second.definitions.is_empty());
    let segment = [encode_frame(0, &first), encode_frame(1, &second)].concat();
    assert_eq!(decode_segment(&segment, 1 << 20).unwrap(), [(0, id), (1, block)]);
    let offset = encode_frame(0, &first).len();
    assert_eq!(
        decode_segment(&segment, 400),
        Err(SegmentError { offset, error: FrameError::TooLarge })
    );
    assert_eq!(
        decode_segment(&segment[offset..], 1 << 20),
        Err(SegmentError { offset: 0, error: FrameError::Reference }),
        "the definition is in the frame left out"
    );
}

proptest! {
    #[test]
    fn blocks_come_back_byte_for_byte(
        number in any::<u64>(),
        pieces in proptest::collection::vec(
            prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..200).prop_map(Ok),
                (0_usize..4).prop_map(Err),
            ],
            0..40,
        ),
        known_count in 0_usize..4,
    ) {
        let identities: Vec<_> = (0..4_u8).map(|i| identity(i, 64 + 50 * usize::from(i))).collect();
        let block: Vec<u8> = pieces
            .iter()
            .flat_map(|piece| match piece {
                Ok(bytes) => bytes.clone(),
                Err(i) => identities[*i].clone(),
            })
            .collect();
        let before: Vec<_> = identities.iter().take(known_count).cloned().collect();
        let known: Known =
            (0_u16..).zip(&before).map(|(i, id)| (id.clone(), (77, i))).collect();
        let refs: Vec<&[u8]> = identities.iter().map(Vec::as_slice).collect();
        let body = Body::split(&block, &refs, &known);
        let frame = decode_frame(&encode_frame(number, &body)).unwrap();
        prop_assert_eq!(&frame.body, &body);
        prop_assert_eq!(frame.number, number);
        let table = Arc::new(before);
        let back = frame.body.block(|at| {
            if at == 77 { Ok(Arc::clone(&table)) } else { Err(FrameError::Reference) }
        });
        prop_assert_eq!(back.unwrap(), block);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = decode_frame(&bytes);
        let _ = decode_segment(&bytes, 1 << 20);
        for compressed in [false, true] {
            if let Ok(body) = decode_payload(compressed, &bytes) {
                let _ = body.block(|_| Err(FrameError::Reference));
            }
        }
    }
}
