#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::io::{self, Read};

use changbai_core::limits::BATCH_DIGESTS_MAX;
use changbai_core::{BatchLeaf, BatchTree, codes};
use proptest::prelude::*;
use smkit::sm3::sm3;

use super::*;

fn line(number: u64) -> String {
    format!("{{\"sm3\":\"{}\"}}\n", sm3(&number.to_be_bytes()))
}

fn parse(text: impl AsRef<[u8]>) -> (Lines, Vec<BatchLeaf>) {
    let mut leaves = Vec::new();
    let lines = parse_batch(text.as_ref(), &mut |leaf| {
        leaves.push(leaf.clone());
        Ok(())
    });
    (lines.unwrap(), leaves)
}

fn refused(text: impl AsRef<[u8]>) -> String {
    parse_batch(text.as_ref(), &mut |_| Ok(())).unwrap_err().code().to_owned()
}

#[test]
fn a_line_is_a_digest_and_the_first_may_speak_of_all() {
    let (one, two) = (sm3(b"1"), sm3(b"2"));
    let text = format!(
        "{{\"batch\":{{\"business_type\":\"general\",\"fields\":{{\"title\":\"年度归档\"}}}}}}\n\
         {{\"sm3\":\"{one}\"}}\n\
         {{\"ref\":\"卷宗\\u0031\",\"sm3\":\"{two}\",\"size_bytes\":7,\"media_type\":\"application/pdf\"}}"
    );
    let (lines, leaves) = parse(text);
    assert_eq!((lines.digests, lines.faulty, leaves.len()), (2, 0, 2));
    assert_eq!(lines.metadata.fields["title"], "年度归档");
    assert_eq!(leaves[0], BatchLeaf::of(one));
    let said =
        (leaves[1].size_bytes, leaves[1].media_type.as_deref(), leaves[1].reference.as_deref());
    assert_eq!(said, (Some(7), Some("application/pdf"), Some("卷宗1")));
    assert!(lines.problem().is_none());
}

#[test]
fn each_faulty_line_is_named_with_its_code() {
    let digest = sm3(b"1");
    let long = format!("{{\"sm3\":\"{digest}\",\"ref\":\"{}\"}}\n", "x".repeat(4_096));
    let text = [
        line(1),
        "{}\n".to_owned(),
        "\n".to_owned(),
        format!("{{\"sm3\":\"{}\"}}\n", digest.to_string().to_uppercase()),
        line(2),
        line(1),
        long,
        format!("{{\"sm3\":\"{digest}\",\"name\":\"x\"}}\n"),
        format!("{{\"sm3\":\"{digest}\",\"sm3\":\"{digest}\"}}\n"),
        format!("{{\"sm3\":\"{digest}\",\"ref\":\" x\"}}\n"),
        format!("{{\"sm3\":\"{digest}\",\"media_type\":\"PDF\"}}\n"),
        format!("{{\"sm3\":\"{digest}\"}} {{\"sm3\":\"{digest}\"}}\n"),
        "{\"batch\":{}}\n".to_owned(),
        "\u{0}\n".to_owned(),
    ];
    let (lines, leaves) = parse(text.concat());
    assert_eq!(leaves.len(), 2);
    let found: Vec<_> = lines.faults.iter().map(|fault| (fault.line, fault.code.code)).collect();
    let expected = [
        (2, codes::BATCH_LINE),
        (3, codes::BATCH_LINE),
        (4, codes::DIGEST),
        (6, codes::BATCH_DIGEST_TWICE),
        (7, codes::BATCH_LINE_TOO_LONG),
        (8, codes::BATCH_LINE),
        (9, codes::BATCH_LINE),
        (10, codes::BATCH_REFERENCE),
        (11, codes::ORIGINALS),
        (12, codes::BATCH_LINE),
        (13, codes::BATCH_LINE),
        (14, codes::BATCH_LINE),
    ];
    assert_eq!(found, expected.map(|(line, code)| (line, code.code)));
    assert_eq!(lines.faults[3].en, "the digest of line 1 again");
    assert_eq!(lines.problem().unwrap().code(), codes::BATCH_LINES.code);
}

#[test]
fn a_first_line_that_is_too_long_is_a_fault_and_so_is_a_bad_head() {
    let long = format!("{{\"sm3\":\"{}\",\"ref\":\"{}\"}}\n", sm3(b"1"), "x".repeat(4_096));
    let (lines, _) = parse(long + &line(2));
    assert_eq!(lines.faults[0].code, codes::BATCH_LINE_TOO_LONG);
    let endless = vec![b'x'; 3 << 20];
    assert_eq!(parse(endless).0.faults[0].code, codes::BATCH_LINE_TOO_LONG);
    assert_eq!(refused("{\"batch\":{\"business_type\":\"nothing\"}}\n"), "EV-4002");
    assert_eq!(refused("{\"batch\":{\"originals\":[]}}\n"), "RQ-4000");
    assert_eq!(refused(""), codes::BATCH_EMPTY.code);
    assert_eq!(refused("{\"batch\":{}}\n"), codes::BATCH_EMPTY.code);
}

/// Lines without end; counts what is taken of it.
struct Endless {
    next: u64,
    left: Vec<u8>,
    line: fn(u64) -> String,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left.is_empty() {
            self.left = (self.line)(self.next).into_bytes();
            self.next += 1;
        }
        let count = self.left.len().min(into.len());
        into[..count].copy_from_slice(&self.left[..count]);
        self.left.drain(..count);
        Ok(count)
    }
}

#[test]
fn a_body_of_a_million_lines_is_refused_at_the_first_line_too_many() {
    for line in [line, |_| "nothing\n".to_owned(), |_| "\n".to_owned()] {
        let mut source = Endless { next: 0, left: Vec::new(), line };
        let problem = parse_batch(&mut source, &mut |_| Ok(())).unwrap_err();
        assert_eq!(problem.code(), codes::BATCH_TOO_LARGE.code);
        // What the buffer holds ahead of the line is all that was read of the rest.
        let ahead = (64 << 10) / line(0).len() as u64 + 2;
        assert!(source.next <= BATCH_DIGESTS_MAX as u64 + 1 + ahead, "{}", source.next);
    }
}

#[test]
fn faults_are_counted_beyond_those_listed() {
    let (lines, _) = parse("x\n".repeat(1_000));
    assert_eq!((lines.faults.len(), lines.faulty), (100, 1_000));
}

fn stored(store: &BatchStore, count: u64) -> changbai_core::BatchRoot {
    let mut incoming = store.begin().unwrap();
    for number in 0..count {
        incoming.push(&BatchLeaf::of(sm3(&number.to_be_bytes()))).unwrap();
    }
    incoming.finish().unwrap().unwrap()
}

#[test]
fn a_batch_is_read_back_after_a_restart_and_proves_each_digest() {
    let dir = tempfile::tempdir().unwrap();
    let count = 2_500;
    let root = stored(&BatchStore::open(dir.path()).unwrap(), count);
    let hashes: Vec<_> = (0..count).map(|n| BatchLeaf::of(sm3(&n.to_be_bytes())).hash()).collect();
    assert_eq!(root, BatchTree::new(&hashes).unwrap().root());
    let batch = BatchStore::open(dir.path()).unwrap().read(&root).unwrap();
    for number in [0, 1, 1_023, 1_024, count - 1] {
        let digest = sm3(&number.to_be_bytes());
        assert_eq!(batch.index_of(&digest), Some(number));
        let entry = batch.entry(number).unwrap();
        assert_eq!(entry.leaf.sm3, digest);
        entry.verify(&root).unwrap();
    }
    assert!(batch.entry(count).is_none() && batch.index_of(&sm3(b"other")).is_none());
}

#[test]
fn what_did_not_become_a_batch_leaves_nothing_and_damage_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = BatchStore::open(dir.path()).unwrap();
    drop(store.begin().unwrap());
    assert!(store.begin().unwrap().finish().unwrap().is_none());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    // As a crash leaves it.
    std::fs::write(dir.path().join("7.part"), b"half").unwrap();
    let store = BatchStore::open(dir.path()).unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);

    let root = stored(&store, 20);
    let path = dir.path().join(format!("{}.leaves", root.root));
    let whole = std::fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(store.read(&root), Err(BatchError::Damaged(_))), "byte {at}");
    }
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert!(matches!(store.read(&root), Err(BatchError::Damaged(_))));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(store.read(&root), Err(BatchError::NotHeld(_))));
}

proptest! {
    #[test]
    fn hostile_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let mut kept = 0;
        if let Ok(lines) = parse_batch(bytes.as_slice(), &mut |_| { kept += 1; Ok(()) }) {
            prop_assert_eq!(kept, lines.digests);
        }
    }
}
