//! Submissions through the library: the evidence service in this process, no HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use changbai_core::{
    BusinessType, Collection, CustodyMode, EvidenceService, OriginalRef, Submission, Submitter,
};

/// A caller in the node's own process.
pub(crate) struct Caller {
    service: Arc<EvidenceService>,
    runtime: tokio::runtime::Handle,
    submitter: Submitter,
}

impl Caller {
    pub(crate) fn new(service: Arc<EvidenceService>, runtime: tokio::runtime::Handle) -> Self {
        let submitter = Submitter {
            certificate_sm3: smkit::sm3(b"bench"),
            subject: "CN=operator-0".to_owned(),
            msp_id: service.agency().msp_id.clone(),
        };
        Self { service, runtime, submitter }
    }

    /// Submits the digest of `seed` and `number` and waits until it is committed.
    pub(crate) fn submit(&self, seed: u64, number: u64) {
        let submission = Submission {
            business_type: BusinessType::General,
            batch: None,
            fields: BTreeMap::new(),
            originals: vec![OriginalRef {
                sm3: smkit::sm3_parts(&[&seed.to_be_bytes(), &number.to_be_bytes()]),
                size_bytes: 4_096,
                media_type: "application/pdf".to_owned(),
                custody: CustodyMode::Submitter,
            }],
            previous: None,
            collection: Collection { method: "system".to_owned(), source: "bench".to_owned() },
        };
        let submitted = self.runtime.block_on(self.service.submit(submission, &self.submitter));
        assert!(!submitted.expect("committed").duplicate, "a new record");
    }
}
