//! Record evidence on the ledger once, link its versions, and find it again.
//!
//! It does **not** judge whether an original is true, keep originals, or check who may submit beyond one rule: a
//! record of an agency is written by that agency's organisation. It does no I/O of its own: all state is reached through
//! [`Context`].
//!
//! # Model
//!
//! `Create` takes the canonical record and reads at most four keys, all by name: never a range, so that two
//! submissions conflict only when they name the same id, the same duplicate key or the same predecessor. Queries walk
//! ranges and page. Names, keys and encodings are those of [`changbai_core::contract`].
//!
//! # Invariants
//!
//! - A record is never overwritten or deleted.
//! - One duplicate key has at most one record; one record has at most one successor.
//! - A successor belongs to the same agency and names other originals than its predecessor.
//! - Every listing key belongs to a record that exists.
//! - What is anchored of a node's process log, and that a court asked, is never overwritten or deleted.
//!
//! # Standards
//!
//! `CMEVI` (CM-CS-221221) names the operations; records follow `changbai-core`.
//!
//! # Example
//!
//! ```
//! use changbai_contract::Contract;
//! use changbai_contract_evidence::EvidenceContract;
//!
//! assert_eq!(EvidenceContract.name(), "evidence");
//! ```

mod create;
mod process;
mod query;

use changbai_contract::{Context, Contract, ContractError};
use changbai_core::{ErrorCode, EvidenceId, codes, contract};

/// The evidence contract. Stateless: everything is on the ledger.
#[derive(Clone, Copy, Debug, Default)]
pub struct EvidenceContract;

impl Contract for EvidenceContract {
    fn name(&self) -> &'static str {
        contract::NAME
    }

    fn version(&self) -> &'static str {
        contract::VERSION
    }

    fn invoke(&self, ctx: &mut dyn Context) -> Result<Vec<u8>, ContractError> {
        let function = ctx.function().to_owned();
        let args = ctx.args().to_vec();
        match (function.as_str(), args.as_slice()) {
            (contract::CREATE, [record]) => create::create(ctx, record),
            (contract::GET, [id]) => query::get(ctx, &evidence_id(id)?),
            (contract::HISTORY, [id]) => query::history(ctx, &evidence_id(id)?),
            (contract::FIND_DUPLICATE, [key]) => query::find_duplicate(ctx, key),
            (contract::FIND_BY_DIGEST, [sm3, cursor, limit]) => {
                query::find_by_digest(ctx, sm3, cursor, limit)
            }
            (contract::LIST, [business_type, from, to, cursor, limit]) => {
                query::list(ctx, business_type, from, to, cursor, limit)
            }
            (contract::LAST_SERIAL, [region, agency, date]) => {
                query::last_serial(ctx, region, agency, date)
            }
            (contract::ANCHOR_PROCESS, [batch, page, page_hash, root, heads]) => {
                process::anchor(ctx, [batch, page, heads], page_hash, root)
            }
            (contract::LAST_PROCESS_ANCHOR, [certificate]) => {
                process::last_anchor(ctx, certificate)
            }
            (contract::NOTE_QUERY, [case, purpose, requester, msp_id, records @ ..]) => {
                process::note_query(ctx, case, purpose, requester, msp_id, records)
            }
            (contract::QUERIES_OF, [id, cursor, limit]) => {
                process::queries_of(ctx, &evidence_id(id)?, cursor, limit)
            }
            (contract::QUERIES_OF_CASE, [case, cursor, limit]) => {
                process::queries_of_case(ctx, case, cursor, limit)
            }
            (_, args) => {
                let message = format!("no function of this name takes {} arguments", args.len());
                Err(refused(codes::CALL, message))
            }
        }
    }
}

fn refused(code: ErrorCode, message: impl Into<String>) -> ContractError {
    refused_with(code, message, Vec::new())
}

fn refused_with(code: ErrorCode, message: impl Into<String>, payload: Vec<u8>) -> ContractError {
    ContractError::Refused { code: code.code.to_owned(), message: message.into(), payload }
}

/// State that this contract cannot have written.
fn broken_state(what: &str) -> ContractError {
    ContractError::State(format!("evidence contract: {what}"))
}

fn text(argument: &[u8], code: ErrorCode) -> Result<&str, ContractError> {
    std::str::from_utf8(argument).map_err(|_| refused(code, "the argument is not UTF-8"))
}

fn evidence_id(argument: &[u8]) -> Result<EvidenceId, ContractError> {
    text(argument, codes::EVIDENCE_ID)?
        .parse()
        .map_err(|e: changbai_core::EvidenceIdError| refused(codes::EVIDENCE_ID, e.to_string()))
}
