//! `sm4.json`, through every interface: the modes of the kit, and its block cipher in RustCrypto's traits for those it
//! does not offer.

use cipher::{BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};
use serde_json::Value;
use smkit::sm4::{Cbc, Ccm, Ctr, Gcm, Key, Sm4, Sm4Error};

use super::{array, bytes, items, number, only, walk};

const BLOCK: [&str; 3] = ["key", "pt", "ct"];
const CHAINED: [&str; 4] = ["key", "iv", "pt", "ct"];
const AEAD: [&str; 6] = ["key", "iv", "aad", "pt", "ct", "tag"];

#[test]
fn every_entry() {
    walk(include_str!("../../../testdata/sm4.json"), |name, entry| {
        match name {
            "key_bytes" => {
                for bytes in 0..=64 {
                    let key = Key::from_slice(&vec![7; bytes]);
                    assert_eq!(key.is_ok(), bytes == number(entry), "{bytes}");
                }
            }
            "ecb" => items(entry, &BLOCK).into_iter().for_each(block),
            "ecb_iterated_2000" => iterated(entry, 2_000),
            "ecb_iterated_1000000" => iterated(entry, 1_000_000),
            "cbc_nopad" => items(entry, &CHAINED).into_iter().for_each(cbc_unpadded),
            "cbc_pkcs7" => items(entry, &CHAINED).into_iter().for_each(cbc_padded),
            "ofb" => items(entry, &CHAINED).into_iter().for_each(ofb),
            "cfb128" => items(entry, &CHAINED).into_iter().for_each(cfb),
            "ctr" => items(entry, &CHAINED).into_iter().for_each(ctr),
            "gcm" => items(entry, &AEAD).into_iter().for_each(gcm),
            "ccm" => items(entry, &AEAD).into_iter().for_each(ccm),
            "negative" => {
                for item in items(entry, &["key"]) {
                    let key = bytes(&item["key"]);
                    let refused = Sm4Error::KeyLength { bytes: key.len() };
                    assert_eq!(Key::from_slice(&key).err(), Some(refused), "{item}");
                }
            }
            _ => return false,
        }
        true
    });
}

fn encrypted(cipher: &Sm4, block: [u8; 16]) -> [u8; 16] {
    let mut block = block.into();
    cipher.encrypt_block(&mut block);
    block.into()
}

fn sm4(item: &Value) -> Sm4 {
    Sm4::new(&array(&item["key"]).into())
}

fn key(item: &Value) -> Key {
    Key::from_slice(&bytes(&item["key"])).unwrap()
}

fn block(item: &Value) {
    let (cipher, plain) = (sm4(item), array(&item["pt"]));
    let mut block = encrypted(&cipher, plain).into();
    assert_eq!(block, array::<16>(&item["ct"]));
    cipher.decrypt_block(&mut block);
    assert_eq!(block, plain);
}

fn iterated(item: &Value, times: usize) {
    only(item, &BLOCK);
    let cipher = sm4(item);
    let last = (0..times).fold(array(&item["pt"]), |block, _| encrypted(&cipher, block));
    assert_eq!(last, array::<16>(&item["ct"]));
}

fn cbc_unpadded(item: &Value) {
    let (cbc, iv) = (Cbc::new(&key(item)), array(&item["iv"]));
    let mut data = bytes(&item["pt"]);
    cbc.encrypt_unpadded(&iv, &mut data).unwrap();
    assert_eq!(data, bytes(&item["ct"]));
    cbc.decrypt_unpadded(&iv, &mut data).unwrap();
    assert_eq!(data, bytes(&item["pt"]));
}

fn cbc_padded(item: &Value) {
    let (cbc, iv) = (Cbc::new(&key(item)), array(&item["iv"]));
    let mut data = bytes(&item["pt"]);
    cbc.encrypt(&iv, &mut data);
    assert_eq!(data, bytes(&item["ct"]));
    cbc.decrypt(&iv, &mut data).unwrap();
    assert_eq!(data, bytes(&item["pt"]));
}

/// Output feedback: each block of the stream is the one before, encrypted.
fn ofb(item: &Value) {
    let (cipher, mut stream) = (sm4(item), array(&item["iv"]));
    let mut data = bytes(&item["pt"]);
    for block in data.chunks_mut(16) {
        stream = encrypted(&cipher, stream);
        block.iter_mut().zip(stream).for_each(|(byte, mask)| *byte ^= mask);
    }
    assert_eq!(data, bytes(&item["ct"]));
}

/// Cipher feedback over whole blocks: the stream is the ciphertext before, encrypted.
fn cfb(item: &Value) {
    let (cipher, mut before) = (sm4(item), array(&item["iv"]));
    let mut data = bytes(&item["pt"]);
    for block in data.as_chunks_mut::<16>().0 {
        let stream = encrypted(&cipher, before);
        block.iter_mut().zip(stream).for_each(|(byte, mask)| *byte ^= mask);
        before = *block;
    }
    assert_eq!(data, bytes(&item["ct"]));
}

fn ctr(item: &Value) {
    let mut data = bytes(&item["pt"]);
    Ctr::new(&key(item)).apply(&array(&item["iv"]), &mut data);
    assert_eq!(data, bytes(&item["ct"]));
}

fn gcm(item: &Value) {
    let (gcm, nonce, aad) = (Gcm::new(&key(item)), array(&item["iv"]), bytes(&item["aad"]));
    let mut data = bytes(&item["pt"]);
    gcm.seal_in_place(&nonce, &aad, &mut data).unwrap();
    assert_eq!(data, [bytes(&item["ct"]), bytes(&item["tag"])].concat());
    gcm.open_in_place(&nonce, &aad, &mut data).unwrap();
    assert_eq!(data, bytes(&item["pt"]));
}

fn ccm(item: &Value) {
    let (ccm, nonce, aad) = (Ccm::new(&key(item)), array(&item["iv"]), bytes(&item["aad"]));
    let mut data = bytes(&item["pt"]);
    ccm.seal_in_place(&nonce, &aad, &mut data).unwrap();
    assert_eq!(data, [bytes(&item["ct"]), bytes(&item["tag"])].concat());
    ccm.open_in_place(&nonce, &aad, &mut data).unwrap();
    assert_eq!(data, bytes(&item["pt"]));
}
