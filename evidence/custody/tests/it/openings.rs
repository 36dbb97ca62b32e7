use std::fs;

use changbai_core::{
    Agency, BusinessType, CivilDate, Collection, CustodyMode, EvidenceId, Opening, OpeningStore,
    OpeningStoreError, OriginalRef, Record, RecordParts, RecordTime, SubmitterRef,
};
use smkit::sm3;

use crate::support::{Store, files};

fn openings(salt: u8) -> Vec<Opening> {
    [("person", "张三"), ("person_id", "220102199001011234")]
        .map(|(name, value)| Opening {
            name: name.to_owned(),
            value: value.to_owned(),
            salt: [salt; 32],
        })
        .into()
}

fn record(serial: u64, openings: &[Opening]) -> Record {
    let code = "11220100MB9999999R".parse().unwrap();
    let day = CivilDate::new(1970, 1, 1).unwrap();
    Record::new(RecordParts {
        id: EvidenceId::compose("220100", &code, day, serial).unwrap(),
        agency: Agency { code, msp_id: "MSP".to_owned(), name: "中心".to_owned() },
        batch: None,
        business_type: BusinessType::General,
        collection: Collection::default(),
        fields: [].into(),
        originals: vec![OriginalRef {
            sm3: sm3(b"x"),
            size_bytes: 1,
            media_type: "text/plain".to_owned(),
            custody: CustodyMode::Platform,
        }],
        personal: openings.iter().map(|o| (o.name.clone(), o.commitment())).collect(),
        previous: None,
        submitter: SubmitterRef { certificate_sm3: sm3(b"c"), subject: "CN=x".to_owned() },
        time: RecordTime { at_ms: 0, bound_us: None },
    })
    .unwrap()
}

#[test]
fn openings_are_kept_read_and_erased() {
    let store = Store::new();
    let (first, second) = (openings(1), openings(2));
    // One id, two attempts: neither touches the other's openings.
    let (one, two) = (record(1, &first), record(1, &second));
    store.custody.put(&one, &first).unwrap();
    store.custody.put(&two, &second).unwrap();
    store.custody.put(&one, &first).unwrap();
    let again = store.reopen().unwrap();
    assert_eq!(again.openings(&one).unwrap().unwrap(), first);
    again.erase(&one).unwrap();
    assert_eq!(again.openings(&one).unwrap(), None);
    again.erase(&one).unwrap();
    assert_eq!(again.openings(&two).unwrap().unwrap(), second);
    assert_eq!(files(&store.root.join("openings")).len(), 1);
    assert!(files(&store.root.join("incoming")).is_empty());
}

#[test]
fn personal_values_are_not_on_disk_in_clear() {
    let store = Store::new();
    let list = openings(1);
    store.custody.put(&record(1, &list), &list).unwrap();
    for file in files(&store.root) {
        let bytes = fs::read(&file).unwrap();
        for secret in ["张三", "220102199001011234"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
            assert!(!file.to_string_lossy().contains(secret));
        }
    }
}

#[test]
fn every_flipped_byte_and_every_swap_is_refused() {
    let store = Store::new();
    let list = openings(1);
    let record_one = record(1, &list);
    store.custody.put(&record_one, &list).unwrap();
    let [file] = files(&store.root.join("openings")).try_into().unwrap();
    let envelope = fs::read(&file).unwrap();
    for position in 0..envelope.len() {
        let mut changed = envelope.clone();
        changed[position] ^= 1;
        fs::write(&file, &changed).unwrap();
        let error = store.custody.openings(&record_one).unwrap_err();
        let OpeningStoreError::Damaged { reason } = &error else { panic!("{error}") };
        assert!(reason.contains("custody/openings") && reason.contains("offset"), "{reason}");
    }
    for length in 0..envelope.len() {
        fs::write(&file, &envelope[..length]).unwrap();
        assert!(store.custody.openings(&record_one).is_err());
    }
    // Openings of another record, and an original's envelope, in this record's place.
    let other = record(2, &list);
    store.custody.put(&other, &list).unwrap();
    let all = files(&store.root.join("openings"));
    let foreign = all.iter().find(|path| **path != file).unwrap();
    fs::copy(foreign, &file).unwrap();
    assert!(store.custody.openings(&record_one).is_err());
    let stored = store.keep(b"original");
    fs::copy(store.object(&stored.sm3), &file).unwrap();
    assert!(store.custody.openings(&record_one).is_err());
    fs::write(&file, &envelope).unwrap();
    assert_eq!(store.custody.openings(&record_one).unwrap().unwrap(), list);
}
