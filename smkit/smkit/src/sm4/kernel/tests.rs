#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use aes_gcm::{KeyInit, aead::inout::InOutBuf};
use proptest::prelude::*;
use sm4::cipher::{BlockCipherDecrypt, BlockCipherEncrypt};

use super::*;

/// What runs on this machine; says what it leaves out.
pub(crate) fn kernels() -> Vec<Kernel> {
    #[cfg_attr(
        not(any(target_arch = "x86_64", target_arch = "aarch64")),
        expect(unused_mut, reason = "no kernels there")
    )]
    let mut kernels = vec![Kernel::Portable];
    #[cfg(target_arch = "x86_64")]
    {
        for (kernel, there) in
            [(Kernel::AesNi, cpu::has_aes_avx2()), (Kernel::Gfni512, cpu::has_gfni_avx512())]
        {
            if there {
                kernels.push(kernel);
            } else {
                eprintln!("skipped: no {kernel:?} on this machine");
            }
        }
    }
    #[cfg(target_arch = "aarch64")]
    if cpu::has_arm_sm() {
        kernels.push(Kernel::Armv8);
    } else {
        eprintln!("skipped: no Armv8 SM4 instructions on this machine");
    }
    kernels
}

fn crypt(kernel: Kernel, key: &Block, blocks: &[Block], decrypting: bool) -> Vec<Block> {
    let mut keys = kernel.expand(key);
    if decrypting {
        keys.reverse();
    }
    let mut out = blocks.to_vec();
    kernel.crypt(&keys, &mut out);
    out
}

fn rustcrypto(key: &Block, blocks: &[Block], decrypting: bool) -> Vec<Block> {
    let cipher = sm4::Sm4::new(&(*key).into());
    let mut out: Vec<_> = blocks.iter().map(|block| (*block).into()).collect();
    let buffer = InOutBuf::from(out.as_mut_slice());
    if decrypting {
        cipher.decrypt_blocks_inout(buffer);
    } else {
        cipher.encrypt_blocks_inout(buffer);
    }
    out.into_iter().map(Into::into).collect()
}

#[test]
fn the_standards_example_and_its_iteration() {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../testdata/sm4.json")).unwrap();
    let read = |value: &serde_json::Value| -> Block {
        hex::decode(value.as_str().unwrap()).unwrap().try_into().unwrap()
    };
    for kernel in kernels() {
        for vector in file["ecb"].as_array().unwrap() {
            let (key, plain, sealed) =
                (read(&vector["key"]), read(&vector["pt"]), read(&vector["ct"]));
            assert_eq!(crypt(kernel, &key, &[plain], false), [sealed], "{kernel:?}");
            assert_eq!(crypt(kernel, &key, &[sealed], true), [plain], "{kernel:?}");
        }
        for (name, times) in [("ecb_iterated_2000", 2000), ("ecb_iterated_1000000", 1_000_000)] {
            if times > 2000 && kernel != Kernel::detect() {
                continue;
            }
            let vector = &file[name];
            let keys = kernel.expand(&read(&vector["key"]));
            let mut block = [read(&vector["pt"])];
            for _ in 0..times {
                kernel.crypt(&keys, &mut block);
            }
            assert_eq!(block, [read(&vector["ct"])], "{kernel:?} {name}");
        }
    }
}

#[test]
fn every_byte_goes_through_every_s_box() {
    let portable: Vec<Block> = (0..=255).map(|byte| [byte; 16]).collect();
    for kernel in kernels() {
        for key in [[0; 16], [0xff; 16], [1; 16]] {
            assert_eq!(
                crypt(kernel, &key, &portable, false),
                rustcrypto(&key, &portable, false),
                "{kernel:?}"
            );
        }
    }
}

#[test]
fn every_count_of_blocks() {
    let blocks: Vec<Block> = (0..200_u128).map(|n| (n * n * 77).to_be_bytes()).collect();
    for kernel in kernels() {
        for count in 0..blocks.len() {
            let sealed = crypt(kernel, &[7; 16], &blocks[..count], false);
            assert_eq!(sealed, rustcrypto(&[7; 16], &blocks[..count], false), "{kernel:?} {count}");
            assert_eq!(crypt(kernel, &[7; 16], &sealed, true), &blocks[..count]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn kernels_agree_with_rustcrypto(
        key: [u8; 16], blocks in prop::collection::vec(any::<[u8; 16]>(), 0..150),
    ) {
        let sealed = rustcrypto(&key, &blocks, false);
        for kernel in kernels() {
            prop_assert_eq!(&crypt(kernel, &key, &blocks, false), &sealed, "{:?}", kernel);
            prop_assert_eq!(&crypt(kernel, &key, &sealed, true), &blocks, "{:?}", kernel);
        }
    }

    #[test]
    fn counters_wrap_alike(
        key: [u8; 16], prefix: [u8; 12], near in 0_u32..200, bytes in 0_usize..3000,
    ) {
        let counter = 100_u32.wrapping_sub(near);
        let mut start = [0; 16];
        start[..12].copy_from_slice(&prefix);
        start[12..].copy_from_slice(&counter.to_be_bytes());
        // The key stream by its definition, from RustCrypto's block cipher.
        let blocks: Vec<Block> = (0..u32::try_from(bytes.div_ceil(16)).unwrap())
            .map(|n| {
                let mut block = start;
                block[12..].copy_from_slice(&counter.wrapping_add(n).to_be_bytes());
                block
            })
            .collect();
        let mut expected = rustcrypto(&key, &blocks, false).concat();
        expected.truncate(bytes);
        for kernel in kernels() {
            let mut data = vec![0; bytes];
            kernel.ctr32(&kernel.expand(&key), &start, &mut data);
            prop_assert_eq!(&data, &expected, "{:?}", kernel);
        }
    }

    #[test]
    fn chaining_agrees(
        key: [u8; 16], iv: [u8; 16], blocks in prop::collection::vec(any::<[u8; 16]>(), 0..9),
    ) {
        let mut chain = iv;
        let mut expected = blocks.clone();
        for block in &mut expected {
            xor_in_place(block, &chain);
            *block = rustcrypto(&key, &[*block], false)[0];
            chain = *block;
        }
        for kernel in kernels() {
            let (mut last, mut out) = (iv, blocks.clone());
            kernel.cbc_encrypt(&kernel.expand(&key), &mut last, &mut out);
            prop_assert_eq!(&out, &expected, "{:?}", kernel);
            prop_assert_eq!(last, chain);
        }
    }
}
