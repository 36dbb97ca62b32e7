#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::*;

/// Bit by bit, as SP 800-38D §6.3 writes it.
fn by_definition(subkey: &Block, hash: &mut Block, blocks: &[Block]) {
    let h = u128::from_be_bytes(*subkey);
    for block in blocks {
        let x = u128::from_be_bytes(*hash) ^ u128::from_be_bytes(*block);
        let (mut z, mut v) = (0, h);
        for bit in (0..128).rev() {
            if x >> bit & 1 == 1 {
                z ^= v;
            }
            v = if v & 1 == 1 { v >> 1 ^ 0xe1 << 120 } else { v >> 1 };
        }
        *hash = z.to_be_bytes();
    }
}

fn multipliers() -> Vec<Multiplier> {
    let mut all = vec![Multiplier::Soft];
    #[cfg(target_arch = "x86_64")]
    {
        for (multiplier, there) in
            [(Multiplier::Narrow, clmul::has_narrow()), (Multiplier::Wide, clmul::has_wide())]
        {
            if there {
                all.push(multiplier);
            } else {
                eprintln!("skipped: no {multiplier:?} on this machine");
            }
        }
    }
    #[cfg(target_arch = "aarch64")]
    if pmull::available() {
        all.push(Multiplier::Pmull);
    } else {
        eprintln!("skipped: no PMULL on this machine");
    }
    all
}

fn compare(subkey: Block, start: Block, blocks: &[Block]) {
    let mut expected = start;
    by_definition(&subkey, &mut expected, blocks);
    for multiplier in multipliers() {
        let mut hash = start;
        GhashKey::new(subkey, multiplier).update_blocks(&mut hash, blocks);
        assert_eq!(hash, expected, "{multiplier:?} {} blocks", blocks.len());
    }
}

#[test]
fn edges() {
    let one = |bit: u32| (1_u128 << bit).to_be_bytes();
    let edges = [[0; 16], [0xff; 16], one(0), one(127), one(63), one(64)];
    for subkey in edges {
        for start in edges {
            for block in edges {
                compare(subkey, start, &[block]);
                compare(subkey, start, &[block; 17]);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn multipliers_follow_the_definition(
        subkey: [u8; 16], start: [u8; 16], blocks in prop::collection::vec(any::<[u8; 16]>(), 0..70),
    ) {
        compare(subkey, start, &blocks);
    }
}
