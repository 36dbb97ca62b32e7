use std::fs;

use changbai_audit::{OpenError, ProcessLog, Signer};
use changbai_core::process::{JournalError, ProcessJournal, Step};

use crate::support::{certificate, file, key, log, open, record, steps};

fn reopen(dir: &std::path::Path) -> Result<ProcessLog, OpenError> {
    let signer = Signer { key: key(7), certificate: certificate(7) };
    ProcessLog::open(dir, "changchun", signer)
}

#[test]
fn a_torn_write_is_cut_wherever_it_was_torn() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    log(&first, "a", &[Step::Collected, Step::Hashed]).unwrap();
    drop(first);
    let whole = fs::read(file(dir.path())).unwrap();
    let second = open(dir.path());
    log(&second, "a", &[Step::Submitted]).unwrap();
    drop(second);
    let more = fs::read(file(dir.path())).unwrap();
    for length in whole.len() + 1..more.len() {
        fs::write(file(dir.path()), &more[..length]).unwrap();
        let log = reopen(dir.path()).unwrap();
        assert_eq!(log.recovery().cut_bytes, (length - whole.len()) as u64);
        assert_eq!(steps(&log, "a"), [Step::Collected, Step::Hashed]);
        drop(log);
        assert_eq!(fs::read(file(dir.path())).unwrap(), whole);
    }
    // A length that was written without its content, as file systems leave it.
    let mut zeros = whole;
    zeros.extend([0; 4_096]);
    fs::write(file(dir.path()), zeros).unwrap();
    assert_eq!(reopen(dir.path()).unwrap().recovery().cut_bytes, 4_096);
}

#[test]
fn damage_before_whole_frames_is_refused_and_nothing_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    for _ in 0..3 {
        log(&first, "a", &[Step::Viewed]).unwrap();
    }
    drop(first);
    let whole = fs::read(file(dir.path())).unwrap();
    let last_page = whole.len() - 393;
    for at in (0..last_page).step_by(5) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(file(dir.path()), &bytes).unwrap();
        let error = reopen(dir.path()).unwrap_err();
        assert!(
            matches!(error, OpenError::Damaged { .. } | OpenError::OtherChannel { .. }),
            "{at}: {error}"
        );
        assert_eq!(fs::read(file(dir.path())).unwrap(), bytes);
    }
}

#[test]
fn a_page_that_was_taken_out_or_made_anew_is_missed() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    log(&first, "a", &[Step::Viewed]).unwrap();
    let start = fs::metadata(file(dir.path())).unwrap().len() as usize;
    log(&first, "b", &[Step::Viewed]).unwrap();
    let end = fs::metadata(file(dir.path())).unwrap().len() as usize;
    log(&first, "c", &[Step::Viewed]).unwrap();
    drop(first);
    let whole = fs::read(file(dir.path())).unwrap();
    fs::write(file(dir.path()), [&whole[..start], &whole[end..]].concat()).unwrap();
    let error = reopen(dir.path()).unwrap_err();
    assert!(error.to_string().contains("does not follow"), "{error}");
}

#[test]
fn an_entry_that_was_altered_with_its_checksum_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    log(&first, "a", &[Step::Collected]).unwrap();
    let start = fs::metadata(file(dir.path())).unwrap().len() as usize;
    log(&first, "a", &[Step::Hashed]).unwrap();
    log(&first, "a", &[Step::Viewed]).unwrap();
    drop(first);
    let mut bytes = fs::read(file(dir.path())).unwrap();
    // The time of the second page's entry, and the page's checksum with it.
    let payload = start + 8..start + 8 + 77 + 208 + 96;
    bytes[start + 8 + 77 + 12 + 92] ^= 1;
    let check = crc32fast::hash(&bytes[payload.clone()]).to_be_bytes();
    bytes[payload.end..payload.end + 4].copy_from_slice(&check);
    fs::write(file(dir.path()), &bytes).unwrap();

    let log = reopen(dir.path()).unwrap();
    let refused = log.chain(&record("a"), 10).unwrap_err();
    assert!(matches!(refused, JournalError::Damaged { .. }), "{refused}");
    assert!(refused.to_string().contains(&format!("at byte {start}")), "{refused}");
    assert!(log.document(&record("a"), 10).is_err());
    assert!(log.due_anchor(None).is_err());
}

#[test]
fn a_log_belongs_to_its_channel() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let signer = Signer { key: key(7), certificate: certificate(7) };
    let error = ProcessLog::open(dir.path(), "jilin", signer).unwrap_err();
    assert!(matches!(error, OpenError::OtherChannel { .. }));
}
