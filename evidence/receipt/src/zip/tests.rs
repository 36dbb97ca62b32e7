//! The container alone, at sizes that no bundle in a test can have.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use proptest::prelude::*;

use super::{EntryHead, Layout, Reader, Writer};
use crate::bundle::{BundleError, WriteError};

/// A sparse file in memory: pieces at offsets, zeros between them.
struct Sparse {
    pieces: Vec<(u64, Vec<u8>)>,
    len: u64,
    at: u64,
}

impl Read for Sparse {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len - self.at).unwrap_or(usize::MAX);
        let count = out.len().min(left);
        let (start, end) = (self.at, self.at + count as u64);
        out[..count].fill(0);
        for (offset, bytes) in &self.pieces {
            let (from, to) = (start.max(*offset), end.min(offset + bytes.len() as u64));
            if from < to {
                let source = &bytes[(from - offset) as usize..(to - offset) as usize];
                out[(from - start) as usize..(to - start) as usize].copy_from_slice(source);
            }
        }
        self.at = end;
        Ok(count)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => self.len.checked_add_signed(by).unwrap(),
            SeekFrom::Current(by) => self.at.checked_add_signed(by).unwrap(),
        };
        Ok(self.at)
    }
}

fn head(name: &str, size_bytes: u64, crc32: u32) -> EntryHead {
    EntryHead { name: name.to_owned(), size_bytes, crc32 }
}

fn zeros_crc(mut count: u64) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    let zeros = vec![0; 1 << 20];
    while count > 0 {
        let bytes = count.min(1 << 20);
        crc.update(&zeros[..bytes as usize]);
        count -= bytes;
    }
    crc.finalize()
}

/// A container whose first entry has this many zeros, followed by a small one.
fn sparse(size_bytes: u64) -> Sparse {
    let entries = [
        head("originals/01.bin", size_bytes, zeros_crc(size_bytes)),
        head("originals/02.bin", 5, crc32fast::hash(b"small")),
    ];
    let mut layout = Layout::default();
    let mut pieces = vec![(0, entries[0].local_header())];
    layout.push(entries[0].clone());
    pieces.push((layout.entries_len(), [&entries[1].local_header()[..], b"small"].concat()));
    layout.push(entries[1].clone());
    pieces.push((layout.entries_len(), layout.directory()));
    Sparse { pieces, len: layout.total_len(), at: 0 }
}

fn read_all(input: &mut dyn Read) -> Result<Vec<(EntryHead, u64)>, BundleError> {
    let mut reader = Reader::new(input);
    let mut entries = Vec::new();
    while let Some(head) = reader.next()? {
        let mut seen = 0;
        reader.content(head.clone(), &mut |bytes| seen += bytes.len() as u64)?;
        entries.push((head, seen));
    }
    reader.finish()?;
    Ok(entries)
}

#[test]
fn entries_around_four_gib_are_read_by_us_and_by_others() {
    let limit = u64::from(u32::MAX);
    for size_bytes in [limit - 200, limit - 1, limit, limit + 1] {
        let mut container = sparse(size_bytes);
        let entries = read_all(&mut container).unwrap();
        assert_eq!(entries.iter().map(|(_, seen)| *seen).collect::<Vec<_>>(), [size_bytes, 5]);
        // ZIP64 exactly where a number does not fit.
        let zip64 = entries[0].0.local_header().len() > 46;
        assert_eq!(zip64, size_bytes >= limit);

        container.at = 0;
        let mut archive = zip::ZipArchive::new(container).unwrap();
        assert_eq!(archive.by_index(0).unwrap().size(), size_bytes);
        let mut small = String::new();
        archive.by_index(1).unwrap().read_to_string(&mut small).unwrap();
        assert_eq!(small, "small");
    }
}

#[test]
fn bytes_of_a_zip64_container_count() {
    let honest = sparse(u64::from(u32::MAX));
    let (_, first) = &honest.pieces[0];
    for place in 0..first.len() {
        let mut altered = first.clone();
        altered[place] ^= 1;
        let mut input = altered.as_slice().chain(io::repeat(0).take(100));
        assert!(read_all(&mut input).is_err(), "local header, byte {place}");
    }
    // Each case reads four gibibytes to get there: a few places all over directory and end records.
    let directory = honest.pieces[2].1.len();
    for place in (0..directory).step_by(41).chain([directory - 1]) {
        let mut altered = sparse(u64::from(u32::MAX));
        altered.pieces[2].1[place] ^= 1;
        assert!(read_all(&mut altered).is_err(), "directory, byte {place}");
    }
}

/// System tools agree about ZIP64 as well.
#[test]
fn python_lists_a_container_above_four_gib() {
    use std::io::Write;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("large.zip");
    let container = sparse(u64::from(u32::MAX) + 7);
    let mut file = std::fs::File::create(&path).unwrap();
    // Holes: the file takes a few kibibytes on disk.
    for (offset, bytes) in &container.pieces {
        file.seek(SeekFrom::Start(*offset)).unwrap();
        file.write_all(bytes).unwrap();
    }
    drop(file);
    let python = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\n\
        assert [i.file_size for i in z.infolist()] == [2**32 + 6, 5]\n\
        assert z.read('originals/02.bin') == b'small'";
    match std::process::Command::new("python3").args(["-c", python]).arg(&path).output() {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(_) => eprintln!("SKIPPED: python3 is not installed"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_and_any_flipped_bit_is_rejected(
        contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 1..5),
        place in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes);
        for (at, content) in contents.iter().enumerate() {
            let head = head(&format!("{at}"), content.len() as u64, crc32fast::hash(content));
            writer.entry(head, &mut content.as_slice()).unwrap();
        }
        writer.finish().unwrap();
        prop_assert_eq!(read_all(&mut bytes.as_slice()).unwrap().len(), contents.len());
        zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
        *place.get_mut(&mut bytes[..]) ^= 1 << bit;
        prop_assert!(read_all(&mut bytes.as_slice()).is_err());
    }

    #[test]
    fn a_wrong_promise_is_noticed(content in proptest::collection::vec(any::<u8>(), 0..80), extra in 1_u64..9) {
        let promised = head("a", content.len() as u64 + extra, crc32fast::hash(&content));
        let mut out = Vec::new();
        let result = Writer::new(&mut out).entry(promised, &mut content.as_slice());
        let is_changed = matches!(result, Err(WriteError::ContentChanged { .. }));
        prop_assert!(is_changed);
    }
}
