//! Retention, recipients, erasure, and the log of them.

use std::fs;
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use changbai_custody::{
    Claim, Custody, CustodyError, Event, LegacyError, Line, Options, Recipient, open_legacy,
    read_legacy_header,
};
use smkit::sm2::PrivateKey;
use smkit::sm4::{Key, legacy};
use smkit::{OsRandom, Sm3Digest, sm3};
use tempfile::TempDir;

use crate::support::{content, files};

pub(crate) struct Held {
    pub(crate) dir: TempDir,
    pub(crate) custody: Custody,
    pub(crate) now_ms: Arc<AtomicU64>,
}

impl Held {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let now_ms = Arc::new(AtomicU64::new(1_000_000));
        let custody = Self::open(&dir, &now_ms, Vec::new());
        Self { dir, custody, now_ms }
    }

    pub(crate) fn open(
        dir: &TempDir,
        now_ms: &Arc<AtomicU64>,
        recipients: Vec<Recipient>,
    ) -> Custody {
        let now = Arc::clone(now_ms);
        let options = Options {
            owner: "Agency".to_owned(),
            recipients,
            unrecorded_ms: 500,
            now_ms: Arc::new(move || now.load(Ordering::Relaxed)),
            ..Options::default()
        };
        Custody::open_with(dir.path(), options, &mut OsRandom).unwrap()
    }

    pub(crate) fn keep(&self, original: &[u8]) -> Sm3Digest {
        keep(&self.custody, original)
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        self.custody.read_log(&mut |Line { event, .. }| events.push(event)).unwrap();
        events
    }

    fn at(&self, now_ms: u64) {
        self.now_ms.store(now_ms, Ordering::Relaxed);
    }
}

fn keep(custody: &Custody, original: &[u8]) -> Sm3Digest {
    let mut ingest = custody.ingest_as("text/plain", u64::MAX).unwrap();
    ingest.write(original).unwrap();
    ingest.finish().unwrap().sm3
}

#[test]
fn an_original_stays_until_its_retention_ends_which_only_gets_longer() {
    let held = Held::new();
    let sm3 = held.keep(b"an original");
    let locked = |until: u64| {
        let error = held.custody.remove(&sm3).unwrap_err();
        assert!(matches!(error, CustodyError::Locked { until_ms } if until_ms == until), "{error}");
    };
    locked(1_000_500);
    assert_eq!(held.custody.claim(&sm3, "an id", 2_000_000).unwrap(), Claim::Held);
    locked(2_000_000);
    held.custody.retain(&sm3, 1_500_000).unwrap();
    assert_eq!(held.custody.claim(&sm3, "another id", 1_200_000).unwrap(), Claim::Held);
    locked(2_000_000);
    held.custody.retain(&sm3, 3_000_000).unwrap();
    // It is durable, and the same original again does not shorten it.
    let again = Held::open(&held.dir, &held.now_ms, Vec::new());
    keep(&again, b"an original");
    held.at(2_999_999);
    locked(3_000_000);
    let entry = again.entry(&sm3).unwrap().unwrap();
    assert_eq!((entry.record.as_deref(), entry.retain_until_ms), (Some("an id"), 3_000_000));
    held.at(3_000_000);
    held.custody.remove(&sm3).unwrap();
    assert!(!held.custody.has(&sm3));
    assert!(files(&held.dir.path().join("objects")).is_empty());
    assert!(matches!(held.custody.remove(&sm3), Err(CustodyError::NotHeld(_))));
    assert!(held.events().contains(&Event::Removed { sm3: sm3.to_string() }));
}

#[test]
fn an_entry_that_somebody_edited_is_refused() {
    let held = Held::new();
    let sm3 = held.keep(b"an original");
    held.custody.claim(&sm3, "an id", 2_000_000).unwrap();
    let [entry] = files(&held.dir.path().join("entries")).try_into().unwrap();
    let intact = fs::read(&entry).unwrap();
    for at in 0..intact.len() {
        let mut changed = intact.clone();
        changed[at] ^= 1;
        fs::write(&entry, &changed).unwrap();
        for result in [
            held.custody.open_original(&sm3).map(drop),
            held.custody.remove(&sm3),
            held.custody.erase_original(&sm3, "x", true),
            held.custody.claim(&sm3, "another", 0).map(drop),
        ] {
            let error = result.expect_err("a changed entry is noticed");
            assert!(matches!(&error, CustodyError::Damaged { file, .. } if *file == entry), "{at}");
        }
    }
    // The entry of another original, whole.
    let other = held.keep(b"another original");
    let foreign = files(&held.dir.path().join("entries")).into_iter().find(|file| *file != entry);
    fs::copy(foreign.unwrap(), &entry).unwrap();
    assert!(matches!(held.custody.open_original(&sm3), Err(CustodyError::Damaged { .. })));
    assert!(held.custody.open_original(&other).is_ok());
}

#[test]
fn named_recipients_can_open_an_original_and_come_later_too() {
    let held = Held::new();
    let [court, notary, stranger] = [(); 3].map(|()| PrivateKey::generate(&mut OsRandom).unwrap());
    let named = |name: &str, key: &PrivateKey| Recipient {
        name: name.to_owned(),
        key: key.public_key().clone(),
    };
    let custody = Held::open(&held.dir, &held.now_ms, vec![named("court", &court)]);
    let sm3 = keep(&custody, b"an original");
    let before = fs::read(custody.place(&sm3).unwrap().unwrap()).unwrap();
    custody.admit(&sm3, &named("notary", &notary)).unwrap();
    custody.admit(&sm3, &named("notary", &notary)).unwrap();
    assert_eq!(
        fs::read(custody.place(&sm3).unwrap().unwrap()).unwrap(),
        before,
        "the object stays"
    );
    let entry = custody.entry(&sm3).unwrap().unwrap();
    let names: Vec<&str> = entry.keys.iter().map(|wrap| wrap.recipient.as_str()).collect();
    assert_eq!(names, ["Agency", "court", "notary"]);
    for (wrap, key) in [(1, &court), (2, &notary)] {
        // What a recipient is handed: the object and its wrapped key.
        let key = entry.keys[wrap].open(key).unwrap();
        let mut reader = changbai_custody::open_sealed(&before, &key).unwrap();
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, b"an original");
        let metadata: serde_json::Value = serde_json::from_slice(reader.metadata()).unwrap();
        assert_eq!(
            (&metadata["owner"], &metadata["media_type"]),
            (&"Agency".into(), &"text/plain".into())
        );
    }
    assert!(entry.keys.iter().all(|wrap| wrap.open(&stranger).is_none()));
    // A new envelope in place of a lost one is for the same people.
    fs::remove_file(custody.place(&sm3).unwrap().unwrap()).unwrap();
    held.keep(b"an original");
    let entry = custody.entry(&sm3).unwrap().unwrap();
    assert_eq!(entry.keys.len(), 3);
    assert!(entry.keys[2].open(&notary).is_some());
}

#[test]
fn erasure_destroys_the_keys_and_is_recorded() {
    let held = Held::new();
    let sm3 = held.keep(b"personal data");
    held.custody.claim(&sm3, "an id", 2_000_000).unwrap();
    let object = held.custody.place(&sm3).unwrap().unwrap();
    let copy = fs::read(&object).unwrap();
    let wrapped = held.custody.entry(&sm3).unwrap().unwrap().keys[0].wrapped.clone();
    let error = held.custody.erase_original(&sm3, "a request", false).unwrap_err();
    assert!(matches!(error, CustodyError::Locked { until_ms: 2_000_000 }));
    held.custody.erase_original(&sm3, "a court's order", true).unwrap();
    held.custody.erase_original(&sm3, "again", true).unwrap();
    // Even who kept a copy of the object has no key for it: it is nowhere any more.
    fs::write(&object, &copy).unwrap();
    let Err(CustodyError::Erased { at_ms: 1_000_000, reason }) = held.custody.open_original(&sm3)
    else {
        panic!("still there");
    };
    assert_eq!(reason, "a court's order");
    for file in files(held.dir.path()) {
        let bytes = fs::read(file).unwrap();
        assert!(!bytes.windows(wrapped.len()).any(|window| window == wrapped.as_bytes()));
    }
    let again = Held::open(&held.dir, &held.now_ms, Vec::new());
    assert!(!again.has(&sm3) && again.claim(&sm3, "an id", 0).unwrap() == Claim::Erased);
    let erased = held.events().into_iter().filter(|event| matches!(event, Event::Erased { .. }));
    assert_eq!(
        erased.collect::<Vec<_>>(),
        [Event::Erased { sm3: sm3.to_string(), reason, by_order: true }]
    );
    // It may come again, as any original may.
    held.keep(b"personal data");
    assert!(held.custody.open_original(&sm3).is_ok());
}

#[test]
fn the_log_is_a_chain_and_a_torn_line_is_cut() {
    let held = Held::new();
    let sm3 = held.keep(b"an original");
    for until_ms in [2_000_000, 3_000_000, 4_000_000] {
        held.custody.retain(&sm3, until_ms).unwrap();
    }
    let log = held.dir.path().join("log/00000001.log");
    let intact = fs::read(&log).unwrap();
    let read = || {
        let mut lines = 0;
        held.custody.read_log(&mut |_| lines += 1).map(|()| lines)
    };
    assert_eq!(read().unwrap(), 3);
    for at in 0..intact.len() {
        let mut changed = intact.clone();
        changed[at] ^= 1;
        fs::write(&log, &changed).unwrap();
        let Err(CustodyError::Damaged { file, offset, .. }) = read() else { panic!("byte {at}") };
        assert!(file == log && offset as usize <= at);
    }
    let lines: Vec<&[u8]> = intact.split_inclusive(|byte| *byte == b'\n').collect();
    for wrong in [[lines[1], lines[0], lines[2]].concat(), [lines[0], lines[2]].concat()] {
        fs::write(&log, wrong).unwrap();
        assert!(read().is_err());
    }
    // As a crash leaves it.
    fs::write(&log, &intact[..intact.len() - 5]).unwrap();
    let again = Held::open(&held.dir, &held.now_ms, Vec::new());
    again.retain(&sm3, 5_000_000).unwrap();
    assert_eq!(read().unwrap(), 3);
    // Damage stays, is named, and does not end the log.
    let mut changed = fs::read(&log).unwrap();
    changed[3] ^= 1;
    fs::write(&log, &changed).unwrap();
    let again = Held::open(&held.dir, &held.now_ms, Vec::new());
    again.retain(&sm3, 6_000_000).unwrap();
    let second = fs::read_to_string(held.dir.path().join("log/00000002.log")).unwrap();
    assert!(second.contains("log_damaged") && second.contains("00000001.log"), "{second}");
    assert!(matches!(read(), Err(CustodyError::Damaged { offset: 0, .. })));
    fs::remove_file(&log).unwrap();
    assert_eq!(read().unwrap(), 2, "the new chain stands by itself");
}

#[test]
fn legacy_envelopes_are_read_and_never_believed() {
    let key = Key::generate(&mut OsRandom).unwrap();
    let original = content(1_000);
    let envelope = legacy::seal_iv_cbc(&key, &original, &mut OsRandom).unwrap();
    assert_eq!(envelope.len(), 16 + 1_008, "length 16 + 16 N");
    let digest = sm3(&original);
    assert_eq!(*open_legacy(&key, &envelope, Some(&digest)).unwrap(), original);
    let other = Key::generate(&mut OsRandom).unwrap();
    assert!(open_legacy(&other, &envelope, Some(&digest)).is_err());
    for at in 0..envelope.len() {
        let mut changed = envelope.clone();
        changed[at] ^= 1;
        let error = open_legacy(&key, &changed, Some(&digest)).expect_err("the digest differs");
        assert!(matches!(error, LegacyError::Digest | LegacyError::Envelope));
    }
    for cut in [0, 15, 16, 17, envelope.len() - 1] {
        assert_eq!(open_legacy(&key, &envelope[..cut], None), Err(LegacyError::Envelope));
    }
    // {"time":"2024-01-01"}
    let header = read_legacy_header("eyJ0aW1lIjoiMjAyNC0wMS0wMSJ9").unwrap();
    assert_eq!(header["time"], "2024-01-01");
    for wrong in ["", "e30", "bnVsbA==", "!!"] {
        assert_eq!(read_legacy_header(wrong), Err(LegacyError::Header), "{wrong}");
    }
}
