use rustls::crypto::cipher::OutboundChunks;

use super::*;

/// Longest plaintext of a record (RFC 8446 §5.1).
const FRAGMENT_MAX: usize = 1 << 14;
const IV: [u8; 12] = [5; 12];

fn gcm() -> Record<Gcm> {
    Record { aead: Some(Gcm::new(&Key::from_bytes([3; 16]))), iv: Iv::from(IV) }
}

fn ccm() -> Record<Ccm> {
    Record { aead: Some(Ccm::new(&Key::from_bytes([3; 16]))), iv: Iv::from(IV) }
}

/// A whole protected record with a body of its own, whatever its length.
fn sealed<A: Aead>(record: &mut Record<A>, data: &[u8], sequence: u64) -> Vec<u8> {
    let message = OutboundPlainMessage {
        typ: ContentType::ApplicationData,
        version: ProtocolVersion::TLSv1_3,
        payload: OutboundChunks::Single(data),
    };
    record.encrypt(message, sequence).unwrap().encode().split_off(5)
}

fn opened<A: Aead>(
    record: &mut Record<A>,
    body: &mut [u8],
    sequence: u64,
) -> Result<Vec<u8>, Error> {
    let version = ProtocolVersion::TLSv1_2;
    let message = InboundOpaqueMessage::new(ContentType::ApplicationData, version, body);
    record.decrypt(message, sequence).map(|plain| plain.payload.to_vec())
}

/// RFC 8446 §5.2 and §5.4 with smkit's mode called by hand.
#[test]
fn records_have_the_form_of_the_standard() {
    let body = sealed(&mut gcm(), b"data", 0x0102);
    let mut nonce = IV;
    nonce[10] ^= 1;
    nonce[11] ^= 2;
    let mut expected = b"data\x17".to_vec();
    let mode = Gcm::new(&Key::from_bytes([3; 16]));
    mode.seal_in_place(&nonce, &[23, 3, 3, 0, 21], &mut expected).unwrap();
    assert_eq!(body, expected);
    let mut expected = b"data\x17".to_vec();
    let mode = Ccm::new(&Key::from_bytes([3; 16]));
    mode.seal_in_place(&nonce, &[23, 3, 3, 0, 21], &mut expected).unwrap();
    assert_eq!(sealed(&mut ccm(), b"data", 0x0102), expected);
}

#[test]
fn what_is_sealed_opens_under_its_number_only() {
    for length in [0, 1, 15, 16, 17, 1000, FRAGMENT_MAX] {
        let data = vec![0xa5; length];
        let mut body = sealed(&mut gcm(), &data, 7);
        assert_eq!(opened(&mut gcm(), &mut body.clone(), 7).unwrap(), data);
        assert_eq!(opened(&mut gcm(), &mut body, 8), Err(Error::DecryptError));
        let mut body = sealed(&mut ccm(), &data, 7);
        assert_eq!(opened(&mut ccm(), &mut body.clone(), 7).unwrap(), data);
        assert_eq!(opened(&mut ccm(), &mut body, 8), Err(Error::DecryptError));
    }
}

#[test]
fn a_record_longer_than_the_limit_is_refused_even_when_authentic() {
    let mut body = sealed(&mut gcm(), &vec![1; FRAGMENT_MAX + 1], 0);
    assert_eq!(opened(&mut gcm(), &mut body, 0), Err(Error::PeerSentOversizedRecord));
}

#[test]
fn padding_without_a_content_type_is_refused() {
    let mut body = vec![0; 40];
    let nonce = IV;
    let tag = Gcm::new(&Key::from_bytes([3; 16]));
    let tag = tag.seal_detached(&nonce, &[23, 3, 3, 0, 56], &mut body).unwrap();
    body.extend(tag);
    assert!(matches!(opened(&mut gcm(), &mut body, 0), Err(Error::PeerMisbehaved(_))));
}

#[test]
fn a_body_shorter_than_a_tag_is_refused() {
    for length in 0..TAG_BYTES {
        assert_eq!(opened(&mut gcm(), &mut vec![0; length], 0), Err(Error::DecryptError));
    }
}

proptest::proptest! {
    #[test]
    fn any_flipped_bit_is_refused(data: Vec<u8>, sequence: u64, bit: proptest::sample::Index) {
        let mut body = sealed(&mut gcm(), &data, sequence);
        let bit = bit.index(body.len() * 8);
        body[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(opened(&mut gcm(), &mut body, sequence), Err(Error::DecryptError));
    }
}
