//! Answers of the evidence contract: accepted bytes are the one encoding.
#![no_main]

use changbai_core::contract::{RecordPage, StoredRecord, VersionChain};
use changbai_core::limits::PAGE_RECORDS_MAX;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("contract_answer"), |data: &[u8]| {
    if let Ok(stored) = StoredRecord::from_bytes(data) {
        assert_eq!(stored.to_bytes(), data);
    }
    if let Ok(page) = RecordPage::from_bytes(data) {
        assert!(page.records.len() <= PAGE_RECORDS_MAX as usize);
        assert_eq!(page.to_bytes(), data, "a page has two forms");
    }
    if let Ok(chain) = VersionChain::from_bytes(data) {
        assert_eq!(chain.to_bytes(), data, "versions have two forms");
    }
});
