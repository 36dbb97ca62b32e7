#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use ::sm3::Digest as _;
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    cpu,
    sm3::{sm3_many, sm3_many_joined, sm3_pairs},
};

fn oracle(message: Message<'_>) -> Sm3Digest {
    Sm3Digest(::sm3::Sm3::digest(message.concat()).into())
}

/// Every path this processor has, on the same messages; any of them in any number of lanes.
fn every_path(messages: &[Message<'_>]) -> Vec<Vec<Sm3Digest>> {
    let message = |at: usize| messages[at];
    #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "no lanes there"))]
    let mut all = vec![
        digests(messages.len(), message),
        sm3_many_joined(messages),
        messages.iter().map(|message| sm3_parts(message)).collect(),
    ];
    #[cfg(target_arch = "x86_64")]
    {
        if cpu::has_avx2() {
            all.push(schedule(messages.len(), message, avx2::compress));
        }
        if cpu::has_avx512() {
            all.push(schedule(messages.len(), message, avx512::compress));
        }
    }
    all
}

#[test]
fn every_number_of_messages_and_every_length() {
    let data: Vec<u8> = (0..300u32).map(|at| (at * 11) as u8).collect();
    for count in 0..40 {
        let messages: Vec<Message<'_>> =
            (0..count).map(|at| [&data[..at * 5 % 130], &data[..at * 7 % 200]]).collect();
        let expected: Vec<_> = messages.iter().map(|message| oracle(*message)).collect();
        every_path(&messages).iter().for_each(|path| assert_eq!(*path, expected));
    }
    let messages: Vec<Message<'_>> = (0..300).map(|length| [&[][..], &data[..length]]).collect();
    let expected: Vec<_> = messages.iter().map(|message| oracle(*message)).collect();
    every_path(&messages).iter().for_each(|path| assert_eq!(*path, expected));
}

#[test]
fn extreme_bytes() {
    for byte in [0, 1, 0x80, 0xff] {
        let data = [byte; 200];
        let messages = [[&[][..], &data[..]]; 17];
        let expected = vec![oracle(messages[0]); 17];
        every_path(&messages).iter().for_each(|path| assert_eq!(*path, expected));
    }
}

/// The switch of the benches and tests may be thrown while another thread computes: what has begun goes on.
#[test]
fn kernels_may_be_turned_off_at_any_moment() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let data = [0x5a; 3_000];
    let messages: Vec<Message<'_>> = (0..40).map(|at| [&[][..], &data[at * 70..]]).collect();
    let expected: Vec<_> = messages.iter().map(|message| oracle(*message)).collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                cpu::force_portable(true);
                std::thread::yield_now();
                cpu::force_portable(false);
            }
        });
        let agree = (0..3_000).all(|_| {
            std::panic::catch_unwind(|| digests(messages.len(), |at| messages[at]))
                .is_ok_and(|digests| digests == expected)
        });
        done.store(true, Ordering::Relaxed);
        assert!(agree);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn lanes_agree_with_rustcrypto(parts in vec((vec(any::<u8>(), 0..200), vec(any::<u8>(), 0..300)), 0..40)) {
        let messages: Vec<Message<'_>> = parts.iter().map(|(head, body)| [&head[..], &body[..]]).collect();
        let expected: Vec<_> = messages.iter().map(|message| oracle(*message)).collect();
        for path in every_path(&messages) {
            prop_assert_eq!(&path, &expected);
        }
        let bodies: Vec<&[u8]> = parts.iter().map(|(_, body)| &body[..]).collect();
        let expected: Vec<_> = bodies.iter().map(|body| oracle([&[], body])).collect();
        prop_assert_eq!(sm3_many(&bodies), expected);
    }

    #[test]
    fn pairs_are_their_concatenation(
        prefix in vec(any::<u8>(), 0..70),
        pairs in vec(any::<[[u8; 32]; 2]>(), 0..40),
    ) {
        let expected: Vec<_> = pairs.iter().map(|pair| oracle([&prefix, pair.as_flattened()])).collect();
        let pairs: Vec<_> = pairs.into_iter().map(|pair| pair.map(Sm3Digest::new)).collect();
        prop_assert_eq!(sm3_pairs(&prefix, &pairs), expected);
    }
}
