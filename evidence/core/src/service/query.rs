//! Listings.

use smkit::sm3::Sm3Digest;

use super::{EvidenceService, QueryError};
use crate::{
    business::BusinessType,
    contract::{self, ListCursor, RecordPage},
    evidence_id::EvidenceId,
    limits::{FILTER_ROUNDS_MAX, PAGE_RECORDS_DEFAULT, PAGE_RECORDS_MAX},
    record::Record,
};

/// Which records to list. Everything given must hold.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Query {
    /// Records with an original of this digest.
    pub sm3: Option<Sm3Digest>,
    /// Records of this business type.
    pub business_type: Option<BusinessType>,
    /// Recorded at or after, unix milliseconds.
    pub from_ms: Option<u64>,
    /// Recorded before, unix milliseconds.
    pub to_ms: Option<u64>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Most records of the page, 1 to 200; 50 if not given.
    pub limit: Option<u32>,
}

/// Some records of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Page {
    /// By time and id, oldest first; by id when listed by digest.
    pub items: Vec<Listed>,
    /// Where to go on; `None` at the end. A page may hold fewer records than asked for and still have one.
    pub cursor: Option<String>,
}

/// A record in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The record.
    pub record: Record,
    /// The transaction that wrote it, 64 lower-case hexadecimal digits.
    pub tx_id: String,
}

impl EvidenceService {
    /// One page of the records that `query` names.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn list(&self, query: &Query) -> Result<Page, QueryError> {
        let limit = query.limit.unwrap_or(PAGE_RECORDS_DEFAULT);
        if !(1..=PAGE_RECORDS_MAX).contains(&limit) {
            return Err(QueryError::Limit { asked: limit, max: PAGE_RECORDS_MAX });
        }
        if matches!((query.from_ms, query.to_ms), (Some(from), Some(to)) if to < from) {
            return Err(QueryError::Range);
        }
        query.check_cursor()?;
        let mut page = Page { items: Vec::new(), cursor: query.cursor.clone() };
        for _ in 0..FILTER_ROUNDS_MAX {
            let room = limit.saturating_sub(u32::try_from(page.items.len()).unwrap_or(limit));
            let part = self.ledger_page(query, page.cursor.as_deref(), room).await?;
            for stored in part.records {
                let record = Record::from_bytes(&stored.record)?;
                if query.matches(&record) {
                    page.items.push(Listed { record, tx_id: stored.tx_id.to_string() });
                }
            }
            page.cursor = (!part.cursor.is_empty()).then_some(part.cursor);
            if page.cursor.is_none() || page.items.len() >= limit as usize {
                break;
            }
        }
        Ok(page)
    }

    async fn ledger_page(
        &self,
        query: &Query,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<RecordPage, QueryError> {
        let number = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
        let cursor = cursor.unwrap_or_default().to_owned();
        let (function, args) = match &query.sm3 {
            Some(sm3) => {
                (contract::FIND_BY_DIGEST, vec![sm3.to_string(), cursor, limit.to_string()])
            }
            None => {
                let code = query.business_type.map(|t| t.code().to_owned()).unwrap_or_default();
                let (from, to) = (number(query.from_ms), number(query.to_ms));
                (contract::LIST, vec![code, from, to, cursor, limit.to_string()])
            }
        };
        let args = args.into_iter().map(String::into_bytes).collect();
        Ok(RecordPage::from_bytes(&self.evaluate(function, args).await?)?)
    }
}

impl Query {
    fn check_cursor(&self) -> Result<(), QueryError> {
        let valid = self.cursor.as_deref().is_none_or(|cursor| match self.sm3 {
            Some(_) => cursor.parse::<EvidenceId>().is_ok(),
            None => ListCursor::parse(cursor).is_some(),
        });
        if valid { Ok(()) } else { Err(QueryError::Cursor) }
    }

    fn matches(&self, record: &Record) -> bool {
        let parts = record.parts();
        self.business_type.is_none_or(|business_type| business_type == parts.business_type)
            && self.from_ms.is_none_or(|from| parts.time.at_ms >= from)
            && self.to_ms.is_none_or(|to| parts.time.at_ms < to)
            && self.sm3.is_none_or(|sm3| record.originals().iter().any(|o| o.sm3 == sm3))
    }
}
