//! The judicial directory, over the same ledger.

use smkit::sm3::Sm3Digest;

use super::EvidenceService;
use crate::{
    directory::{self, DirectoryEntry, DirectoryPage, Gate},
    evidence_id::EvidenceId,
    ledger::LedgerError,
    limits::{PAGE_RECORDS_DEFAULT, PAGE_RECORDS_MAX},
    process::ProcessDocument,
    service::QueryError,
};

/// What is shown to the gates beside the ledger's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// SM3 of the certificate's document.
    pub certificate_sm3: Sm3Digest,
    /// The submitter's certificate, DER.
    pub submitter: Vec<u8>,
    /// The certificate of the authority that issued it, DER.
    pub authority: Vec<u8>,
    /// The record's process log.
    pub process: ProcessDocument,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It is in the directory; the entry is there once the transaction is looked up.
    Yes {
        /// The transaction that admitted it, 64 lower-case hexadecimal digits.
        tx_id: String,
    },
    /// These gates refused.
    No(Vec<Gate>),
}

impl EvidenceService {
    /// Says on the ledger under which number this agency is filed, unless it says so already.
    ///
    /// # Errors
    /// [`QueryError::Ledger`].
    pub async fn declare_filing_number(&self, number: &str) -> Result<(), QueryError> {
        let msp_id = self.agency.msp_id.clone().into_bytes();
        let declared = self.ledger.evaluate(directory::NAME, directory::DECLARED, vec![msp_id]);
        if declared.await? == number.as_bytes() {
            return Ok(());
        }
        let args = vec![number.as_bytes().to_vec()];
        self.ledger.submit(directory::NAME, directory::DECLARE, args).await?;
        Ok(())
    }

    /// Asks for a record's admission to the directory.
    ///
    /// # Errors
    /// [`QueryError`] for everything but a gate's refusal.
    pub async fn admit(
        &self,
        id: &EvidenceId,
        admission: &Admission,
    ) -> Result<Admitted, QueryError> {
        let process = admission.process.to_bytes();
        let process = process.map_err(|_| QueryError::Malformed { what: "the process log" })?;
        let args = vec![
            id.to_string().into_bytes(),
            admission.certificate_sm3.to_string().into_bytes(),
            admission.submitter.clone(),
            admission.authority.clone(),
            process,
        ];
        match self.ledger.submit(directory::NAME, directory::ADMIT, args).await {
            Ok(committed) => Ok(Admitted::Yes { tx_id: committed.tx_id }),
            Err(LedgerError::Refused { code, payload, .. })
                if code == crate::codes::DIRECTORY_REFUSED.code =>
            {
                Ok(Admitted::No(Gate::from_payload(&payload)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The entry of a record; `None` if it is not in the directory.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn directory_entry(
        &self,
        id: &EvidenceId,
    ) -> Result<Option<DirectoryEntry>, QueryError> {
        let args = vec![id.to_string().into_bytes()];
        let answer = self.ledger.evaluate(directory::NAME, directory::GET, args).await?;
        if answer.is_empty() {
            return Ok(None);
        }
        Ok(Some(DirectoryEntry::from_bytes(&answer)?))
    }

    /// One page of the directory, by rising id.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn directory(
        &self,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<DirectoryPage, QueryError> {
        let limit = limit.unwrap_or(PAGE_RECORDS_DEFAULT);
        if !(1..=PAGE_RECORDS_MAX).contains(&limit) {
            return Err(QueryError::Limit { asked: limit, max: PAGE_RECORDS_MAX });
        }
        let args = [cursor.unwrap_or_default().to_owned(), limit.to_string()];
        let args = args.into_iter().map(String::into_bytes).collect();
        let answer = self.ledger.evaluate(directory::NAME, directory::LIST, args).await?;
        Ok(DirectoryPage::from_bytes(&answer)?)
    }
}
