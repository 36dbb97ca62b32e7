use proptest::prelude::*;

use super::*;
use crate::PeerClass;

fn digest() -> impl Strategy<Value = Sm3Digest> {
    any::<[u8; 32]>().prop_map(Sm3Digest::new)
}

fn item() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 1..40)
}

fn message() -> impl Strategy<Value = PeerMessage> {
    let items = proptest::collection::vec(item(), 0..5);
    prop_oneof![
        item().prop_map(PeerMessage::Consensus),
        (any::<u64>(), any::<u32>(), digest(), item()).prop_map(|(height, round, hash, block)| {
            PeerMessage::Body { height, round, hash, block }
        }),
        (any::<u64>(), digest())
            .prop_map(|(height, hash)| PeerMessage::BodyRequest { height, hash }),
        (digest(), any::<u64>(), digest(), any::<u64>()).prop_map(
            |(genesis, height, tip, config_number)| PeerMessage::Status(PeerStatus {
                genesis,
                height,
                tip,
                config_number
            })
        ),
        (any::<u64>(), 1..=256_u16)
            .prop_map(|(from, count_max)| PeerMessage::BlocksRequest { from, count_max }),
        (any::<u64>(), items).prop_map(|(from, blocks)| PeerMessage::Blocks { from, blocks }),
        proptest::collection::vec(item(), 1..5).prop_map(PeerMessage::Transactions),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_fits_its_class(message in message()) {
        let bytes = message.encode().unwrap();
        prop_assert!(bytes.len() <= message.class().message_bytes_max());
        prop_assert_eq!(PeerMessage::decode(&bytes), Ok(message));
    }

    #[test]
    fn any_changed_bit_is_another_message_or_none(
        message in message(), at in any::<prop::sample::Index>(), bit in 0..8_u8,
    ) {
        let mut bytes = message.encode().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        match PeerMessage::decode(&bytes) {
            Err(_) => {}
            Ok(other) => {
                prop_assert_ne!(&other, &message);
                prop_assert_eq!(other.encode().unwrap(), bytes);
            }
        }
    }

    #[test]
    fn a_cut_or_longer_message_is_refused(message in message(), cut in any::<prop::sample::Index>()) {
        let mut bytes = message.encode().unwrap();
        let cut = cut.index(bytes.len());
        prop_assert!(PeerMessage::decode(&bytes[..cut]).is_err());
        bytes.push(0);
        prop_assert!(PeerMessage::decode(&bytes).is_err());
    }
}

#[test]
fn lengths_are_compared_before_memory_is_taken() {
    // A body that claims four gibibytes, and one that claims what is not there.
    let mut bytes = vec![PEER_VERSION, BODY];
    bytes.extend([0; 44]);
    let claim = |length: u32| [bytes.as_slice(), &length.to_be_bytes()].concat();
    let bound = PeerMessage::decode(&claim(u32::MAX));
    assert!(matches!(bound, Err(PeerError::Bound { field: "block", .. })), "{bound:?}");
    assert_eq!(PeerMessage::decode(&claim(1 << 20)), Err(PeerError::Truncated));
    assert!(matches!(PeerMessage::decode(&claim(0)), Err(PeerError::Bound { found: 0, .. })));
}

#[test]
fn another_version_is_named() {
    let mut bytes = PeerMessage::Transactions(vec![vec![1]]).encode().unwrap();
    bytes[0] = 2;
    assert_eq!(PeerMessage::decode(&bytes), Err(PeerError::Version { found: 2 }));
}

#[test]
fn lists_are_bounded_in_count_and_bytes() {
    let many = PeerMessage::Transactions(vec![vec![1]; TRANSACTIONS_MAX + 1]);
    assert!(matches!(many.encode(), Err(PeerError::Bound { field: "transactions", .. })));
    let half = TRANSACTIONS_BYTES_MAX / 2;
    let large = vec![vec![1; half.min(ENVELOPE_BYTES_MAX)]; 3];
    assert!(matches!(PeerMessage::Transactions(large).encode(), Err(PeerError::Bound { .. })));
    assert_eq!(PeerClass::ALL.len(), 3);
}
