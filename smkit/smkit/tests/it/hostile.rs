//! Bytes of any kind and length at every public entry: a refusal or a result, never a panic; and what is accepted has one
//! form only.

mod sm2;
mod sm3;
mod sm4;

use proptest::{collection::vec, prelude::*, sample::Index};

/// Any bytes, short as a rule.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => vec(any::<u8>(), 0..160),
        1 => vec(any::<u8>(), 0..2_000),
        1 => vec(prop_oneof![Just(0_u8), Just(0x30), Just(0x80), Just(0x84), Just(0xff)], 0..200),
    ]
}

/// A change of something that was right: bytes replaced, cut out, put in, repeated.
#[derive(Clone, Debug)]
enum Change {
    Replace(Index, u8),
    Cut(Index, usize),
    Insert(Index, Vec<u8>),
    Truncate(Index),
    Repeat,
}

impl Change {
    fn apply(&self, data: &mut Vec<u8>) {
        if data.is_empty() {
            return;
        }
        match self {
            Self::Replace(at, byte) => *at.get_mut(data) = *byte,
            Self::Cut(at, count) => {
                let at = at.index(data.len());
                data.drain(at..data.len().min(at + count));
            }
            Self::Insert(at, bytes) => {
                let at = at.index(data.len());
                data.splice(at..at, bytes.iter().copied());
            }
            Self::Truncate(at) => data.truncate(at.index(data.len())),
            Self::Repeat => data.extend_from_within(..),
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        1 => (any::<Index>(), 1_usize..40).prop_map(|(at, count)| Change::Cut(at, count)),
        1 => (any::<Index>(), vec(any::<u8>(), 1..10)).prop_map(|(at, new)| Change::Insert(at, new)),
        1 => any::<Index>().prop_map(Change::Truncate),
        1 => Just(Change::Repeat),
    ]
}

/// What `right` becomes by one to three changes.
fn changed(right: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    vec(change(), 1..4).prop_map(move |changes| {
        let mut data = right.clone();
        changes.iter().for_each(|change| change.apply(&mut data));
        data
    })
}
