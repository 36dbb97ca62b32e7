//! SM4 and its modes.

use super::{Case, decode};
use crate::sm4::{Cbc, Ccm, Ctr, Gcm, Key, Xts, XtsStandard};

pub(super) const CASES: &[Case] = &[
    ("one block, GB/T 32907-2016 A.1", block),
    ("CBC, draft-ribose-cfrg-sm4 A.2", cbc),
    ("CTR, draft-ribose-cfrg-sm4 A.2.5", ctr),
    ("GCM, RFC 8998 A.1", gcm),
    ("CCM, RFC 8998 A.2", ccm),
    ("XTS, GB/T 17964-2021", xts),
];

/// Through CBC with a zero IV: the cipher by itself is not offered.
fn block() -> Option<bool> {
    let (key, known) = (key()?, decode(BLOCK)?);
    let mut data = *key.expose();
    let cbc = Cbc::new(&key);
    cbc.encrypt_unpadded(&[0; 16], &mut data).ok()?;
    let sealed = data == known;
    cbc.decrypt_unpadded(&[0; 16], &mut data).ok()?;
    Some(sealed && data == *key.expose())
}

fn cbc() -> Option<bool> {
    let key = key()?;
    let (iv, cbc) = (*key.expose(), Cbc::new(&key));
    let plain = [iv; 2].concat();
    let mut data = plain.clone();
    cbc.encrypt_unpadded(&iv, &mut data).ok()?;
    let sealed = data == decode::<32>(CBC)?;
    cbc.decrypt_unpadded(&iv, &mut data).ok()?;
    let opened = data == plain;
    cbc.encrypt(&iv, &mut data);
    *data.last_mut()? ^= 1;
    Some(sealed && opened && cbc.decrypt(&iv, &mut data).is_err())
}

fn ctr() -> Option<bool> {
    let key = key()?;
    let mut data = decode::<64>(PLAIN)?;
    Ctr::new(&key).apply(key.expose(), &mut data);
    Some(data == decode(CTR)?)
}

/// In both directions, and with an altered tag.
macro_rules! sealed {
    ($mode:ident, $sealed:expr) => {{
        let (mode, nonce) = ($mode::new(&key()?), decode(NONCE)?);
        let (aad, plain) = (decode::<20>(AAD)?, decode::<64>(PLAIN)?);
        let mut data = plain.to_vec();
        mode.seal_in_place(&nonce, &aad, &mut data).ok()?;
        let sealed = data == decode::<80>($sealed)?;
        let mut altered = data.clone();
        *altered.last_mut()? ^= 1;
        let refused = mode.open_in_place(&nonce, &aad, &mut altered).is_err();
        mode.open_in_place(&nonce, &aad, &mut data).ok()?;
        Some(sealed && refused && data == plain)
    }};
}

fn gcm() -> Option<bool> {
    sealed!(Gcm, GCM)
}

fn ccm() -> Option<bool> {
    sealed!(Ccm, CCM)
}

fn xts() -> Option<bool> {
    let [data, tweak] = [XTS_DATA_KEY, XTS_TWEAK_KEY].map(|key| decode(key).map(Key::from_bytes));
    let (data, tweak) = (data?, tweak?);
    let xts = Xts::new(&data, &tweak, XtsStandard::GbT17964).ok()?;
    let (start, plain) = (decode(XTS_TWEAK)?, decode::<56>(XTS_PLAIN)?);
    let mut unit = plain;
    xts.encrypt(&start, &mut unit).ok()?;
    let sealed = unit == decode(XTS_SEALED)?;
    xts.decrypt(&start, &mut unit).ok()?;
    Some(sealed && unit == plain && Xts::new(&data, &data, XtsStandard::GbT17964).is_err())
}

fn key() -> Option<Key> {
    decode(KEY).map(Key::from_bytes)
}

/// Key, plaintext block and IV of the examples.
const KEY: &str = "0123456789abcdeffedcba9876543210";
const BLOCK: &str = "681edf34d206965e86b3e94f536e4246";
const CBC: &str = "2677f46b09c122cc975533105bd4a22af6125f7275ce552c3a2bbcf533de8a3b";
const PLAIN: &str = "\
    aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccddddddddddddddddeeeeeeeeeeeeeeee\
    ffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa";
const CTR: &str = "\
    c2b4759e78ac3cf43d0852f4e8d5f9fd7256e8a5fcb65a350ee00630912e44492a0b17e1b85b060d\
    0fba612d8a95831638b361fd5ffacd942f081485a83ca35d";
const NONCE: &str = "00001234567800000000abcd";
const AAD: &str = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
const GCM: &str = "\
    17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0cc\
    fa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d83de3541e4c2b58177e065a9bf7b62ec";
const CCM: &str = "\
    48af93501fa62adbcd414cce6034d895dda1bf8f132f042098661572e7483094fd12e518ce062c98\
    acee28d95df4416bed31a2f04476c18bb40c84a74b97dc5b16842d4fa186f56ab33256971fa110f4";
const XTS_DATA_KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const XTS_TWEAK_KEY: &str = "000102030405060708090a0b0c0d0e0f";
const XTS_TWEAK: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
const XTS_PLAIN: &str = "\
    6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411\
    e5fbc1191a0a52eff69f2445df4f9b17";
const XTS_SEALED: &str = "\
    e9538251c71d7b80bbe4483fef497bd12c5c581bd6242fc51e08964fb4f60fdb0ba42f6349927921\
    3d318d2c11f6886e903be7f93a1b3479";
