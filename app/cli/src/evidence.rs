//! `changbai evidence …`: what is asked of a running node.

pub(crate) mod batch;
pub(crate) mod bundle;
pub(crate) mod certificate;
pub(crate) mod read;
pub(crate) mod submit;
mod view;

use changbai_core::{BusinessType, EvidenceId};

use crate::error::CliError;

/// The API's prefix of everything about evidence.
const EVIDENCE: &str = "/api/v1/evidence";

/// Checks an evidence id here: a typing error needs no node to be found.
pub(crate) fn evidence_id(given: &str) -> Result<EvidenceId, CliError> {
    given.trim().parse().map_err(|error: changbai_core::EvidenceIdError| CliError::Id {
        given: given.to_owned(),
        reason: error.to_string(),
    })
}

/// Reads a business type: its code, with `-` or `_`, or its Chinese name.
fn business_type(given: &str) -> Result<BusinessType, CliError> {
    given.parse().map_err(|_| {
        let known = BusinessType::ALL.map(|kind| format!("{} {}", kind.code(), kind.chinese()));
        CliError::Business { given: given.to_owned(), known: known.join(", ") }
    })
}
