use proptest::prelude::*;

use super::*;

fn id(serial: u64) -> EvidenceId {
    let agency = "11220100MB9999999R".parse().unwrap();
    let date = crate::CivilDate::new(2026, 11, 22).unwrap();
    EvidenceId::compose("220100", &agency, date, serial).unwrap()
}

#[test]
fn keys_sort_by_time_within_a_type_and_stay_in_their_range() {
    let business_type = BusinessType::General;
    let keys: Vec<String> = [0, 9, 10, 1_795_276_800_000, TIME_MS_MAX]
        .map(|at| type_key(business_type, at, &id(1)))
        .into();
    assert!(keys.is_sorted());
    let (from, to) = type_range(business_type, 0, u64::MAX);
    assert!(keys.iter().all(|key| *key >= from && *key < to));
    let (from, to) = type_range(business_type, 9, 10);
    assert_eq!(keys.iter().filter(|key| **key >= from && **key < to).count(), 1);
    assert_eq!(parse_type_key(&keys[2]), Some(ListCursor { at_ms: 10, id: id(1) }));
    for other in BusinessType::ALL {
        let (from, to) = type_range(other, 0, u64::MAX);
        let inside = keys.iter().filter(|key| **key >= from && **key < to).count();
        assert_eq!(inside, if other == business_type { keys.len() } else { 0 });
    }
}

#[test]
fn digest_keys_stay_in_their_range() {
    let sm3 = smkit::sm3::sm3(b"x");
    let (from, to) = digest_range(&sm3);
    let key = digest_key(&sm3, &id(7));
    assert!(key >= from && key < to);
    let other = digest_key(&smkit::sm3::sm3(b"y"), &id(7));
    assert!(other < from || other >= to);
}

#[test]
fn results_round_trip_and_truncations_are_refused() {
    let stored = StoredRecord { tx_id: smkit::sm3::sm3(b"tx"), record: b"{}".to_vec() };
    assert_eq!(StoredRecord::from_bytes(&stored.to_bytes()), Ok(stored.clone()));
    let page = RecordPage { records: vec![stored; 3], cursor: "c".to_owned() };
    let bytes = page.to_bytes();
    assert_eq!(RecordPage::from_bytes(&bytes), Ok(page));
    for cut in 0..bytes.len() {
        assert!(RecordPage::from_bytes(&bytes[..cut]).is_err());
    }
    let version = Version { id: id(3), tx_id: smkit::sm3::sm3(b"tx"), at_ms: 5 };
    let chain = VersionChain { versions: vec![version], truncated: false };
    assert_eq!(VersionChain::from_bytes(&chain.to_bytes()), Ok(chain));
}

proptest! {
    #[test]
    fn hostile_answers_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = RecordPage::from_bytes(&bytes);
        let _ = StoredRecord::from_bytes(&bytes);
        let _ = VersionChain::from_bytes(&bytes);
        let _ = ListCursor::parse(&String::from_utf8_lossy(&bytes));
    }
}
