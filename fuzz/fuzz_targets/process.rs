//! A process log, an entry of one, and what the contracts answer about logs, queries and the directory: accepted bytes
//! are their one encoding.
#![no_main]

use changbai_core::contract::{AnchoredProcess, NotedQuery, QueryPage};
use changbai_core::directory::{DirectoryEntry, DirectoryPage};
use changbai_core::limits::{PROCESS_BYTES_MAX, PROCESS_ENTRIES_MAX};
use changbai_core::process::{ENTRY_BYTES, Entry, ProcessDocument};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(document) = ProcessDocument::from_bytes(data) {
        assert!(data.len() <= PROCESS_BYTES_MAX);
        assert!((1..=PROCESS_ENTRIES_MAX).contains(&document.entries.len()));
        assert_eq!(document.chain().len(), document.entries.len());
        // Right or wrong, but an answer.
        let _ = document.check_paths();
        assert_eq!(document.to_bytes().expect("what was read can be written"), data);
    }
    if let Some(bytes) = data.first_chunk::<ENTRY_BYTES>()
        && let Some(entry) = Entry::from_bytes(bytes)
    {
        assert_eq!(&entry.to_bytes(), bytes, "an entry has two forms");
    }
    if let Ok(anchor) = AnchoredProcess::from_bytes(data) {
        assert_eq!(anchor.to_bytes(), data);
    }
    if let Ok(query) = NotedQuery::from_bytes(data) {
        assert_eq!(query.to_bytes(), data);
    }
    if let Ok(page) = QueryPage::from_bytes(data) {
        assert_eq!(page.to_bytes(), data);
    }
    if let Ok(entry) = DirectoryEntry::from_bytes(data) {
        assert_eq!(entry.to_bytes(), data);
    }
    if let Ok(page) = DirectoryPage::from_bytes(data) {
        assert_eq!(page.to_bytes(), data);
    }
});
