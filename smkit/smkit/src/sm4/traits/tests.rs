#![allow(clippy::unwrap_used, reason = "tests")]

use aead::AeadInOut;
use cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, KeyInit, KeyIvInit, StreamCipher, StreamCipherSeek,
};
use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_block_cipher_is_rustcryptos(
        key: [u8; 16], blocks in prop::collection::vec(any::<[u8; 16]>(), 0..150),
    ) {
        let plain: Vec<Block> = blocks.into_iter().map(Into::into).collect();
        let (ours, theirs) = (Sm4::new(&key.into()), ::sm4::Sm4::new(&key.into()));
        let (mut left, mut right) = (plain.clone(), plain.clone());
        ours.encrypt_blocks(&mut left);
        theirs.encrypt_blocks(&mut right);
        prop_assert_eq!(&left, &right);
        ours.decrypt_blocks(&mut left);
        prop_assert_eq!(left, plain);
    }

    #[test]
    fn the_generic_mode_over_our_cipher_is_our_mode(
        key: [u8; 16], nonce: [u8; 12], aad: Vec<u8>, plain: Vec<u8>,
    ) {
        let generic = aes_gcm::AesGcm::<Sm4, U12>::new(&key.into());
        let own = <Gcm as KeyInit>::new(&key.into());
        let (mut left, mut right) = (plain.clone(), plain.clone());
        generic.encrypt_in_place(&nonce.into(), &aad, &mut left).unwrap();
        own.encrypt_in_place(&nonce.into(), &aad, &mut right).unwrap();
        prop_assert_eq!(&left, &right);
        own.decrypt_in_place(&nonce.into(), &aad, &mut left).unwrap();
        prop_assert_eq!(&left, &plain);
        right.push(0);
        prop_assert!(own.decrypt_in_place(&nonce.into(), &aad, &mut right).is_err());

        let ccm = <Ccm as KeyInit>::new(&key.into());
        let mut data = plain.clone();
        ccm.encrypt_in_place(&nonce.into(), &aad, &mut data).unwrap();
        ccm.decrypt_in_place(&nonce.into(), &aad, &mut data).unwrap();
        prop_assert_eq!(data, plain);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_generic_counter_mode_over_our_cipher_is_our_mode(
        key: [u8; 16], counter: [u8; 16], data: Vec<u8>, skipped in 0_u16..100,
    ) {
        let mut generic = ctr::Ctr128BE::<Sm4>::new(&key.into(), &counter.into());
        generic.seek(u64::from(skipped));
        let (mut left, mut right) = (data.clone(), data);
        generic.apply_keystream(&mut left);
        let own = crate::sm4::Ctr::new(&Key::from_bytes(key));
        own.apply_at(&counter, skipped.into(), &mut right);
        prop_assert_eq!(left, right);
    }
}
