//! Courts' queries: noted on the ledger before anything is answered.

use smkit::sm3::Sm3Digest;

use super::{EvidenceService, QueryError};
use crate::{
    canonical,
    commitment::Commitment,
    contract::{self, Purpose, QueryPage},
    evidence_id::EvidenceId,
    ledger::{BoxFuture, LedgerError},
    limits::{PAGE_RECORDS_DEFAULT, PAGE_RECORDS_MAX},
};

/// Who asks, for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CourtQuery {
    /// Salted commitment to the case number.
    pub case: Commitment,
    /// What for.
    pub purpose: Purpose,
    /// SM3 of the certificate that asks.
    pub requester: Sm3Digest,
    /// The organisation that vouches for it.
    pub requester_msp_id: String,
}

impl EvidenceService {
    /// Notes on the ledger that a court asked about these records; the id of the transaction. Durable when it returns.
    ///
    /// # Errors
    /// [`QueryError::Ledger`]; then nothing must be answered.
    pub async fn note_query(
        &self,
        query: &CourtQuery,
        records: &[EvidenceId],
    ) -> Result<Sm3Digest, QueryError> {
        let mut args = vec![
            query.case.to_string().into_bytes(),
            query.purpose.code().as_bytes().to_vec(),
            query.requester.to_string().into_bytes(),
            query.requester_msp_id.clone().into_bytes(),
        ];
        args.extend(records.iter().map(|id| id.to_string().into_bytes()));
        let noted = self.ledger.submit(contract::NAME, contract::NOTE_QUERY, args).await?;
        canonical::digest(&noted.tx_id)
            .ok_or(QueryError::Malformed { what: "the transaction's id" })
    }

    /// Courts' queries about a record, oldest first.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn queries_of(
        &self,
        id: &EvidenceId,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<QueryPage, QueryError> {
        self.query_page(contract::QUERIES_OF, id.to_string(), cursor, limit).await
    }

    /// What was asked in a case, oldest first.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn queries_of_case(
        &self,
        case: &Commitment,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<QueryPage, QueryError> {
        self.query_page(contract::QUERIES_OF_CASE, case.to_string(), cursor, limit).await
    }

    async fn query_page(
        &self,
        function: &str,
        of: String,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<QueryPage, QueryError> {
        let limit = limit.unwrap_or(PAGE_RECORDS_DEFAULT);
        if !(1..=PAGE_RECORDS_MAX).contains(&limit) {
            return Err(QueryError::Limit { asked: limit, max: PAGE_RECORDS_MAX });
        }
        let args = [of, cursor.unwrap_or_default().to_owned(), limit.to_string()];
        let args = args.into_iter().map(String::into_bytes).collect();
        let answer: BoxFuture<'_, Result<Vec<u8>, LedgerError>> = self.evaluate(function, args);
        Ok(QueryPage::from_bytes(&answer.await?)?)
    }
}
