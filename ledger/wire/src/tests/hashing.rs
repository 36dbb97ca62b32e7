//! Hashes and signed messages against values computed elsewhere.

use smkit::{Sm3Digest, sm2::PrivateKey, sm3};

use crate::{
    Header, HeaderError, InvalidLeaf, TransactionLeaf, TxId, ValidationCode, ValidatorAddress,
    Vote, VoteKind, block_data_hash, data_hash, envelope_digest, is_channel_id, quorum,
    validators_hash,
};

pub(super) fn header() -> Header {
    Header {
        number: 7,
        previous_hash: Sm3Digest::new([1; 32]),
        data_hash: Sm3Digest::new([2; 32]),
        channel_id: "city".to_owned(),
        time_ms: 1_753_000_000_123,
        time_bound_us: 850,
        log_size: 41,
        log_root: Sm3Digest::new([3; 32]),
        validators_hash: Sm3Digest::new([4; 32]),
        config_number: 2,
    }
}

/// The golden values come from Python with OpenSSL's SM3, see `testdata/SOURCE.md`.
fn golden(name: &str) -> Vec<u8> {
    let line = include_str!("../../testdata/golden.txt")
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .unwrap_or_else(|| panic!("no golden value {name}"));
    hex::decode(line).unwrap()
}

#[test]
fn header_hash() {
    assert_eq!(header().hash().as_bytes().as_slice(), golden("header"));
}

#[test]
fn every_header_field_counts() {
    let digest = Sm3Digest::new([9; 32]);
    let changes: [fn(&mut Header, Sm3Digest); 10] = [
        |h, _| h.number = 8,
        |h, d| h.previous_hash = d,
        |h, d| h.data_hash = d,
        |h, _| h.channel_id = "citz".to_owned(),
        |h, _| h.time_ms += 1,
        |h, _| h.time_bound_us = 0,
        |h, _| h.log_size += 1,
        |h, d| h.log_root = d,
        |h, d| h.validators_hash = d,
        |h, _| h.config_number += 1,
    ];
    let mut seen = std::collections::BTreeSet::from([header().hash()]);
    for change in changes {
        let mut changed = header();
        change(&mut changed, digest);
        assert!(seen.insert(changed.hash()));
    }
}

#[test]
fn header_is_strict() {
    let good = header().to_proto();
    assert_eq!(Header::try_from(&good), Ok(header()));
    let refuse = |change: fn(&mut crate::proto::common::BlockHeader)| {
        let mut bad = good.clone();
        change(&mut bad);
        Header::try_from(&bad).unwrap_err()
    };
    assert_eq!(refuse(|h| h.format_version = 2), HeaderError::FormatVersion { found: 2 });
    assert_eq!(refuse(|h| h.channel_id.clear()), HeaderError::ChannelId);
    assert_eq!(refuse(|h| h.number = 0), HeaderError::PreviousHash { number: 0 });
    assert_eq!(refuse(|h| h.previous_hash.clear()), HeaderError::PreviousHash { number: 7 });
    assert_eq!(refuse(|h| h.previous_hash.fill(0)), HeaderError::PreviousHash { number: 7 });
    assert_eq!(
        refuse(|h| h.log_root.push(0)),
        HeaderError::DigestLength { field: "log_root", length: 33 }
    );
    assert!(matches!(refuse(|h| h.data_hash.clear()), HeaderError::DigestLength { .. }));
    assert!(matches!(refuse(|h| h.validators_hash.clear()), HeaderError::DigestLength { .. }));
    let genesis = Header { number: 0, previous_hash: Sm3Digest::new([0; 32]), ..header() };
    assert!(genesis.to_proto().previous_hash.is_empty(), "Fabric's genesis has none");
    assert_eq!(Header::try_from(&genesis.to_proto()), Ok(genesis));
}

#[test]
fn data_hashes() {
    let digests = [envelope_digest(b"one"), envelope_digest(b"two")];
    assert_eq!(data_hash(&digests).as_bytes().as_slice(), golden("data"));
    assert_eq!(block_data_hash(&[b"one", b"two"]), data_hash(&digests));
    assert_ne!(data_hash(&[]), data_hash(&digests[..1]));
    assert_ne!(block_data_hash(&["onetwo"]), block_data_hash(&["one", "two"]));
}

#[test]
fn leaf() {
    let leaf = TransactionLeaf {
        block_number: 7,
        index: 3,
        code: ValidationCode::MvccReadConflict,
        envelope: Sm3Digest::new([5; 32]),
    };
    let bytes = leaf.to_bytes();
    assert_eq!(bytes.as_slice(), golden("leaf"));
    assert_eq!(TransactionLeaf::from_bytes(&bytes), Ok(leaf));
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(TransactionLeaf::from_bytes(&changed), Ok(leaf));
    }
    let mut other = bytes;
    other[0] = 2;
    assert_eq!(TransactionLeaf::from_bytes(&other), Err(InvalidLeaf::Version(2)));
    other = bytes;
    other[13] = 99;
    assert!(matches!(TransactionLeaf::from_bytes(&other), Err(InvalidLeaf::Code(_))));
}

#[test]
fn vote() {
    let vote = Vote {
        channel_id: "city".to_owned(),
        kind: VoteKind::Precommit,
        height: 7,
        round: 1,
        block: Some(Sm3Digest::new([6; 32])),
        validator: ValidatorAddress::new(Sm3Digest::new([7; 32])),
    };
    assert_eq!(vote.sign_bytes(), golden("vote"));
    let nil = Vote { block: None, kind: VoteKind::Prevote, ..vote.clone() };
    assert_eq!(nil.sign_bytes(), golden("vote-nil"));
    assert_ne!(Vote { round: 2, ..vote.clone() }.sign_bytes(), vote.sign_bytes());
}

#[test]
fn tx_id() {
    let id = TxId::derive(&[9; 24], b"creator");
    assert_eq!(id.as_bytes().as_slice(), golden("txid"));
    assert_eq!(id.to_string(), hex::encode(golden("txid")));
}

#[test]
fn validator_sets() {
    let keys: Vec<_> =
        (1..=3u8).map(|i| PrivateKey::from_bytes(&[i; 32]).unwrap().public_key().clone()).collect();
    let members: Vec<_> = keys.iter().map(|key| (ValidatorAddress::for_key(key), key)).collect();
    assert_eq!(members[0].0.as_bytes(), sm3(&keys[0].to_sec1()).as_bytes());
    let hash = validators_hash("city", &members);
    assert_ne!(hash, validators_hash("town", &members));
    assert_ne!(hash, validators_hash("city", &members[..2]));
    let swapped = [members[1], members[0], members[2]];
    assert_ne!(hash, validators_hash("city", &swapped), "order counts");
    let mut preimage = b"changbai/wire/validators/v1\0\0\0\x04city\0\0\0\x03".to_vec();
    for (address, key) in &members {
        preimage.extend_from_slice(address.as_bytes());
        preimage.extend_from_slice(&key.to_sec1());
    }
    assert_eq!(hash, sm3(&preimage));
}

#[test]
fn quorums() {
    let expected = [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5), (7, 5), (10, 7), (100, 67)];
    for (n, quorum_of_n) in expected {
        assert_eq!(quorum(n), quorum_of_n, "{n}");
    }
    for n in 1..1_000usize {
        assert_eq!(quorum(n), 2 * n / 3 + 1);
        assert!(3 * quorum(n) > 2 * n && 3 * (quorum(n) - 1) <= 2 * n);
    }
    assert!(quorum(usize::MAX) < usize::MAX);
}

#[test]
fn channel_ids() {
    for good in ["a", "city", "c-1.x"] {
        assert!(is_channel_id(good), "{good}");
    }
    for bad in ["", "1a", "City", "a_b", "-a", ".", "城", &"a".repeat(250)] {
        assert!(!is_channel_id(bad), "{bad}");
    }
}
