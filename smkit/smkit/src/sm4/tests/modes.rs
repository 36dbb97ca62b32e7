//! Every mode on every kernel: vectors of the standards, RustCrypto beside us, damage.

use aes_gcm::{
    AesGcm,
    aead::{AeadInOut, KeyInit, consts::U12},
};
use proptest::prelude::*;
use serde_json::Value;

use super::{super::kernel::tests::kernels, bytes};
use crate::{
    OsRandom,
    sm4::{legacy::*, *},
};

fn vectors(name: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("../../../testdata/sm4.json")).unwrap();
    file[name].as_array().unwrap().clone()
}

fn key(vector: &Value) -> Key {
    Key::from_slice(&bytes(&vector["key"])).unwrap()
}

fn block(value: &Value) -> [u8; 16] {
    bytes(value).try_into().unwrap()
}

#[test]
fn cbc_vectors() {
    for kernel in kernels() {
        for vector in vectors("cbc_nopad") {
            let cbc = Cbc::with_kernel(&key(&vector), kernel);
            let (iv, plain) = (block(&vector["iv"]), bytes(&vector["pt"]));
            let mut data = plain.clone();
            cbc.encrypt_unpadded(&iv, &mut data).unwrap();
            assert_eq!(data, bytes(&vector["ct"]));
            cbc.decrypt_unpadded(&iv, &mut data).unwrap();
            assert_eq!(data, plain);
        }
        for vector in vectors("cbc_pkcs7") {
            let cbc = Cbc::with_kernel(&key(&vector), kernel);
            let (iv, plain) = (block(&vector["iv"]), bytes(&vector["pt"]));
            let mut data = plain.clone();
            cbc.encrypt(&iv, &mut data);
            assert_eq!(data, bytes(&vector["ct"]));
            cbc.decrypt(&iv, &mut data).unwrap();
            assert_eq!(data, plain);
        }
    }
}

#[test]
fn ctr_vectors_and_pieces() {
    for kernel in kernels() {
        for vector in vectors("ctr") {
            let ctr = Ctr::with_kernel(&key(&vector), kernel);
            let (iv, plain) = (block(&vector["iv"]), bytes(&vector["pt"]));
            let sealed = bytes(&vector["ct"]);
            let mut data = plain.clone();
            ctr.apply(&iv, &mut data);
            assert_eq!(data, sealed, "{kernel:?}");
            for start in 0..plain.len() {
                let mut piece = plain[start..].to_vec();
                ctr.apply_at(&iv, start as u64, &mut piece);
                assert_eq!(piece, sealed[start..]);
            }
        }
    }
}

#[test]
fn counters_carry_past_32_and_64_bits() {
    for start in [u128::from(u32::MAX), u128::from(u64::MAX), u128::MAX, (7 << 32) - 70] {
        for kernel in kernels() {
            let ctr = Ctr::with_kernel(&Key::from_bytes([3; 16]), kernel);
            let mut data = vec![0; 16 * 200];
            ctr.apply(&start.to_be_bytes(), &mut data);
            for (n, block) in (0_u128..).zip(data.chunks(16)) {
                let mut one = [0; 16];
                ctr.apply(&start.wrapping_add(n).to_be_bytes(), &mut one);
                assert_eq!(block, one);
            }
        }
    }
}

#[test]
fn gcm_and_ccm_vectors() {
    for kernel in kernels() {
        for (vector, gcm) in vectors("gcm")
            .into_iter()
            .map(|vector| (vector, true))
            .chain(vectors("ccm").into_iter().map(|vector| (vector, false)))
        {
            let key = key(&vector);
            let nonce = bytes(&vector["iv"]).try_into().unwrap();
            let (aad, plain) = (bytes(&vector["aad"]), bytes(&vector["pt"]));
            let mut data = plain.clone();
            if gcm {
                Gcm::with_kernel(&key, kernel).seal_in_place(&nonce, &aad, &mut data).unwrap();
            } else {
                Ccm::with_kernel(&key, kernel).seal_in_place(&nonce, &aad, &mut data).unwrap();
            }
            assert_eq!(data, [bytes(&vector["ct"]), bytes(&vector["tag"])].concat(), "{kernel:?}");
            if gcm {
                Gcm::with_kernel(&key, kernel).open_in_place(&nonce, &aad, &mut data).unwrap();
            } else {
                Ccm::with_kernel(&key, kernel).open_in_place(&nonce, &aad, &mut data).unwrap();
            }
            assert_eq!(data, plain);
        }
    }
}

#[test]
fn xts_vectors_of_both_standards() {
    // OpenSSL, test/recipes/30-test_evp_data/evpciph_sm4.txt; the first is the example of GB/T 17964-2021.
    let keys = "2b7e151628aed2a6abf7158809cf4f3c000102030405060708090a0b0c0d0e0f";
    let plain = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411\
                 e5fbc1191a0a52eff69f2445df4f9b17";
    let gb = "e9538251c71d7b80bbe4483fef497bd12c5c581bd6242fc51e08964fb4f60fdb0ba42f63499279213d3\
              18d2c11f6886e903be7f93a1b3479";
    let ieee = "e9538251c71d7b80bbe4483fef497bd1b3db1a3e60408c575d63ff7db39f83260869f9e2585fec9f0b8\
                63bf8fd784b8627d16c0db6d2cfc7";
    let keys = hex::decode(keys).unwrap();
    let tweak: [u8; 16] =
        hex::decode("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff").unwrap().try_into().unwrap();
    let [data, second] = [&keys[..16], &keys[16..]].map(|key| Key::from_slice(key).unwrap());
    for kernel in kernels() {
        for (standard, sealed) in [(XtsStandard::GbT17964, gb), (XtsStandard::Ieee1619, ieee)] {
            let xts = Xts::with_kernel(&data, &second, standard, kernel).unwrap();
            let mut unit = hex::decode(plain).unwrap();
            xts.encrypt(&tweak, &mut unit).unwrap();
            assert_eq!(hex::encode(&unit), sealed, "{kernel:?}");
            xts.decrypt(&tweak, &mut unit).unwrap();
            assert_eq!(hex::encode(&unit), plain);
        }
    }
    assert_eq!(Xts::new(&data, &data, XtsStandard::GbT17964).err(), Some(Sm4Error::EqualKeys));
}

#[test]
fn every_wrong_padding_is_refused_and_wiped() {
    let cbc = Cbc::new(&Key::from_bytes([5; 16]));
    let iv = [0; 16];
    for count in 0..=255_u8 {
        for wrong_at in 0..16_usize {
            let mut last = [count; 16];
            last[wrong_at] ^= 0x40;
            for plain in [[count; 16], last] {
                let end = usize::from(plain[15]);
                let right = (1..=16).contains(&end)
                    && plain[16 - end..].iter().all(|byte| usize::from(*byte) == end);
                let mut data = plain.to_vec();
                cbc.encrypt_unpadded(&iv, &mut data).unwrap();
                let opened = cbc.decrypt(&iv, &mut data);
                assert_eq!(opened.is_ok(), right, "{plain:?}");
                assert!(right || data.is_empty());
                assert!(!right || data.len() == 16 - end);
            }
        }
    }
    for bytes in [0, 1, 15, 17, 31] {
        assert_eq!(cbc.decrypt(&iv, &mut vec![0; bytes]), Err(Sm4Error::Padding));
        let expected = if bytes == 0 { Ok(()) } else { Err(Sm4Error::BlockLength { bytes }) };
        assert_eq!(cbc.encrypt_unpadded(&iv, &mut vec![0; bytes]), expected);
    }
}

#[test]
fn legacy_envelope() {
    let key = Key::from_bytes([6; 16]);
    for bytes in [0, 1, 15, 16, 100] {
        let envelope = seal_iv_cbc(&key, &vec![7; bytes], &mut OsRandom).unwrap();
        assert_eq!(open_iv_cbc(&key, &envelope), Ok(vec![7; bytes]));
        for cut in [0, 15, 16, envelope.len() - 1] {
            assert_eq!(open_iv_cbc(&key, &envelope[..cut]), Err(Sm4Error::Padding));
        }
    }
}

#[test]
fn ccm_bounds() {
    let ccm = Ccm::new(&Key::from_bytes([1; 16]));
    let mut data = vec![0; CCM_MESSAGE_BYTES_MAX + 1];
    assert_eq!(ccm.seal_in_place(&[0; 12], b"", &mut data), Err(Sm4Error::TooLong));
    assert!(data.iter().all(|byte| *byte == 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn gcm_agrees_with_rustcrypto(
        key: [u8; 16], nonce: [u8; 12],
        aad in prop::collection::vec(any::<u8>(), 0..100),
        plain in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        let mut expected = plain.clone();
        let tag = AesGcm::<sm4::Sm4, U12>::new(&key.into())
            .encrypt_inout_detached(&nonce.into(), &aad, expected.as_mut_slice().into())
            .unwrap();
        expected.extend_from_slice(&tag);
        for kernel in kernels() {
            let gcm = Gcm::with_kernel(&Key::from_bytes(key), kernel);
            let mut data = plain.clone();
            gcm.seal_in_place(&nonce, &aad, &mut data).unwrap();
            prop_assert_eq!(&data, &expected, "{:?}", kernel);
            gcm.open_in_place(&nonce, &aad, &mut data).unwrap();
            prop_assert_eq!(&data, &plain);
        }
    }

    #[test]
    fn kernels_agree_and_damage_is_refused(
        key: [u8; 16], nonce: [u8; 12], iv: [u8; 16],
        aad in prop::collection::vec(any::<u8>(), 0..100),
        plain in prop::collection::vec(any::<u8>(), 0..2000),
        flip: prop::sample::Index,
    ) {
        let key = Key::from_bytes(key);
        let second = Key::from_bytes(key.expose().map(|byte| byte ^ 0x5a));
        let mut seen: Option<[Vec<u8>; 4]> = None;
        for kernel in kernels() {
            let ccm = Ccm::with_kernel(&key, kernel);
            let mut sealed = plain.clone();
            ccm.seal_in_place(&nonce, &aad, &mut sealed).unwrap();
            let mut altered = sealed.clone();
            let bit = flip.index(altered.len() * 8);
            altered[bit / 8] ^= 1 << (bit % 8);
            let before = altered.clone();
            prop_assert_eq!(ccm.open_in_place(&nonce, &aad, &mut altered), Err(Sm4Error::Authentication));
            prop_assert_eq!(altered, before, "refused data must not change");
            let mut opened = sealed.clone();
            ccm.open_in_place(&nonce, &aad, &mut opened).unwrap();
            prop_assert_eq!(&opened, &plain);

            let cbc = Cbc::with_kernel(&key, kernel);
            let mut chained = plain.clone();
            cbc.encrypt(&iv, &mut chained);
            let mut opened = chained.clone();
            cbc.decrypt(&iv, &mut opened).unwrap();
            prop_assert_eq!(&opened, &plain);

            let mut units = [plain.clone(), plain.clone()];
            for (unit, standard) in
                units.iter_mut().zip([XtsStandard::GbT17964, XtsStandard::Ieee1619])
            {
                let xts = Xts::with_kernel(&key, &second, standard, kernel).unwrap();
                let done = xts.encrypt(&iv, unit);
                prop_assert_eq!(done.is_ok(), plain.len() >= 16);
                if done.is_ok() {
                    let mut opened = unit.clone();
                    xts.decrypt(&iv, &mut opened).unwrap();
                    prop_assert_eq!(&opened, &plain);
                }
            }
            let [gb, ieee] = units;
            let all = [sealed, chained, gb, ieee];
            prop_assert_eq!(seen.get_or_insert_with(|| all.clone()), &all, "{:?}", kernel);
        }
    }
}
