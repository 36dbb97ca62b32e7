//! `sm4_negative.json`: tags, padding, lengths of data units, streams.

use serde_json::Value;
use smkit::sm4::{
    Cbc, Ccm, Gcm, Key, Sm4Error, Xts, XtsStandard,
    stream::{HEADER_BYTES, Opener},
};

use super::{array, bytes, cases, on_every_path, valid};

#[test]
fn every_vector() {
    let cases = cases(include_str!("../../../testdata/sm4_negative.json"));
    on_every_path(|path| {
        for case in &cases {
            let plain = opened(case);
            assert_eq!(plain.is_some(), valid(case), "{path}: {case}");
            if let Some(plain) = plain {
                assert_eq!(plain, bytes(&case["plain"]), "{path}: {case}");
                assert_eq!(sealed(case, &plain), bytes(&case["sealed"]), "{path}: {case}");
            }
        }
    });
}

/// The plaintext, if it is accepted; what is refused is as the mode promises.
fn opened(case: &Value) -> Option<Vec<u8>> {
    let mut data = bytes(&case["sealed"]);
    let before = data.clone();
    let group = case["group"].as_str().unwrap();
    let result = match group {
        "gcm" => Gcm::new(&key(case)).open_in_place(
            &array(&case["nonce"]),
            &bytes(&case["aad"]),
            &mut data,
        ),
        "ccm" => Ccm::new(&key(case)).open_in_place(
            &array(&case["nonce"]),
            &bytes(&case["aad"]),
            &mut data,
        ),
        "cbc_pkcs7" => Cbc::new(&key(case)).decrypt(&array(&case["iv"]), &mut data),
        "xts_gb" | "xts_ieee" => {
            xts(case).and_then(|xts| xts.decrypt(&array(&case["tweak"]), &mut data))
        }
        "stream" => return stream(case),
        other => panic!("unknown group {other}"),
    };
    if result.is_ok() {
        return Some(data);
    }
    match group {
        "cbc_pkcs7" => assert!(data.is_empty(), "wiped: {case}"),
        _ => assert_eq!(data, before, "unchanged: {case}"),
    }
    None
}

/// What a plaintext becomes; for streams, which draw a salt, what it was.
fn sealed(case: &Value, plain: &[u8]) -> Vec<u8> {
    let mut data = plain.to_vec();
    match case["group"].as_str().unwrap() {
        "gcm" => Gcm::new(&key(case))
            .seal_in_place(&array(&case["nonce"]), &bytes(&case["aad"]), &mut data)
            .unwrap(),
        "ccm" => Ccm::new(&key(case))
            .seal_in_place(&array(&case["nonce"]), &bytes(&case["aad"]), &mut data)
            .unwrap(),
        "cbc_pkcs7" => Cbc::new(&key(case)).encrypt(&array(&case["iv"]), &mut data),
        "stream" => data = sealed_stream(case, plain),
        _ => xts(case).unwrap().encrypt(&array(&case["tweak"]), &mut data).unwrap(),
    }
    data
}

fn key(case: &Value) -> Key {
    Key::from_bytes(array(&case["key"]))
}

fn xts(case: &Value) -> Result<Xts, Sm4Error> {
    let keys: [u8; 32] = array(&case["key"]);
    let [data, tweak] = [0, 16].map(|at| Key::from_slice(&keys[at..at + 16]).unwrap());
    let gb = case["group"] == "xts_gb";
    Xts::new(&data, &tweak, if gb { XtsStandard::GbT17964 } else { XtsStandard::Ieee1619 })
}

/// In pieces of several sizes, which must not matter.
fn stream(case: &Value) -> Option<Vec<u8>> {
    let stream = bytes(&case["sealed"]);
    let aad = bytes(&case["aad"]);
    let open = |piece: usize| {
        let (header, body) = stream.split_first_chunk::<HEADER_BYTES>()?;
        let mut opener = Opener::new(&key(case), &aad, header).ok()?;
        let mut out = Vec::new();
        for piece in body.chunks(piece) {
            opener.update(piece, &mut out).ok()?;
        }
        opener.finish(&mut out).ok()?;
        Some(out)
    };
    let whole = open(usize::MAX);
    for piece in [1, 16, 1_023, 1_040, 1_041] {
        assert_eq!(open(piece), whole, "pieces of {piece}: {case}");
    }
    whole
}

fn sealed_stream(case: &Value, plain: &[u8]) -> Vec<u8> {
    /// The salt that the stream itself shows.
    struct Salt([u8; 16]);
    impl smkit::Random for Salt {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), smkit::RandomError> {
            out.copy_from_slice(&self.0);
            Ok(())
        }
    }
    let stream = bytes(&case["sealed"]);
    let mut salt = Salt(stream[8..HEADER_BYTES].try_into().unwrap());
    let aad = bytes(&case["aad"]);
    let mut sealer =
        smkit::sm4::stream::Sealer::with_chunk_log2(&key(case), &aad, stream[5], &mut salt)
            .unwrap();
    let mut out = sealer.header().to_vec();
    for piece in plain.chunks(333) {
        sealer.update(piece, &mut out).unwrap();
    }
    sealer.finish(&mut out).unwrap();
    out
}
