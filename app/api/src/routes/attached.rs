//! Everything of a bundle that the ledger, the certificate and the node's sources supply.

use std::sync::Arc;

use changbai_core::process::{Actor, ProcessDocument};
use changbai_core::{Stored, codes};
use changbai_receipt::{Bundle, BundleParts, PAGE, Receipt};
use tokio::time::timeout;

use super::certificate;
use super::evidence::{blocking, receipt_bytes};
use super::process::{exported, logs};
use crate::attachments::{SourceError, Subject};
use crate::domain::of_failure;
use crate::problem::{Code, Problem};
use crate::state::Shared;

/// The documents of one bundle, all but record, disclosures and originals.
pub(super) struct Attached {
    receipt: Vec<u8>,
    batch: Option<Vec<u8>>,
    checkpoint: Option<Vec<u8>>,
    process: Option<Vec<u8>>,
    /// The log up to the record's commitment alone: what a certificate says of it stays the same.
    recording: Option<(ProcessDocument, Vec<u8>)>,
    certificate_pdf: Option<Vec<u8>>,
    certificate_ofd: Option<Vec<u8>>,
}

impl Attached {
    /// Gathers them, all for the same receipt. The process log says that they are handed out `to` somebody.
    pub(super) async fn gather(
        state: &Arc<Shared>,
        stored: &Stored,
        to: Option<Actor>,
    ) -> Result<Self, Problem> {
        let receipt = receipt_bytes(state, &stored.tx_id).await?;
        if let Some(actor) = to {
            exported(state, stored, actor, &receipt);
        }
        let parsed = Receipt::from_bytes(&receipt);
        let parsed = parsed.map_err(|error| of_failure(&codes::DAMAGED, &error))?;
        let subject = Subject {
            record: stored.record.clone(),
            tx_id: stored.tx_id.clone(),
            receipt: Arc::new(parsed),
        };
        let sources = &state.parts.attachments;
        let checkpoint = match &sources.checkpoints {
            Some(source) => supplied(state.in_time(source.checkpoint(subject)).await?)?,
            None => None,
        };
        let (process, recording) = logs(state, stored).await?;
        Ok(Self {
            receipt,
            batch: None,
            checkpoint,
            process,
            recording,
            certificate_pdf: None,
            certificate_ofd: None,
        })
    }

    /// Adds the certificate as PDF and OFD, made for the receipt that the bundle holds.
    pub(super) async fn with_certificates(
        mut self,
        state: &Arc<Shared>,
        stored: &Stored,
    ) -> Result<Self, Problem> {
        if stored.record.batch().is_some() && self.batch.is_none() {
            // A certificate is about originals, and this bundle about none of the batch's.
            return Ok(self);
        }
        // As costly as judging a bundle: it shares those places.
        let turn = timeout(state.limits().ledger_wait_max, state.checks.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(Problem::new(Code::Busy)) };
        let (shared, stored) = (Arc::clone(state), stored.clone());
        blocking(move || {
            let [pdf, ofd] = certificate::for_bundle(&shared, &stored, &self)?;
            (self.certificate_pdf, self.certificate_ofd) = (pdf, ofd);
            Ok(self)
        })
        .await?
    }

    /// With the place of one digest of a batch.
    pub(super) fn with_batch(self, batch: Option<Vec<u8>>) -> Self {
        Self { batch, ..self }
    }

    /// What verification needs of them, in memory: of all, or of record, receipt and place in a batch alone.
    pub(super) fn bundle(&self, record: Vec<u8>, all: bool) -> Bundle {
        let mut bundle = Bundle::from_parts(record, self.receipt.clone(), None);
        // A batch says nothing about an original without it.
        bundle.batch.clone_from(&self.batch);
        if all {
            bundle.checkpoint.clone_from(&self.checkpoint);
            bundle.process = self.recording.as_ref().map(|(_, bytes)| bytes.clone());
        }
        bundle
    }

    /// The process log up to the record's commitment.
    pub(super) fn recording(&self) -> Option<&ProcessDocument> {
        self.recording.as_ref().map(|(document, _)| document)
    }

    /// The bundle's parts, without disclosures and originals.
    pub(super) fn parts<'a>(&'a self, record: &'a [u8]) -> BundleParts<'a> {
        BundleParts {
            record,
            receipt: &self.receipt,
            batch: self.batch.as_deref(),
            checkpoint: self.checkpoint.as_deref(),
            process: self.process.as_deref(),
            certificate_pdf: self.certificate_pdf.as_deref(),
            certificate_ofd: self.certificate_ofd.as_deref(),
            page: Some(PAGE.as_bytes()),
            ..BundleParts::default()
        }
    }
}

/// A bundle is not handed out without a proof that it should hold.
fn supplied(answer: Result<Option<Vec<u8>>, SourceError>) -> Result<Option<Vec<u8>>, Problem> {
    answer.map_err(|error| of_failure(&codes::INTERNAL, error.as_ref()))
}
