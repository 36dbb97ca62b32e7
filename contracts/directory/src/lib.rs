//! Admit records to the judicial directory (跨链互认目录) that pass every gate, name the gates that others fail, and list
//! what was admitted.
//!
//! It does **not** verify inclusion or quorums (who reads the ledger's state has that by consensus; who does not takes
//! the receipt), look at documents, or know the channel's configuration.
//!
//! # Model
//!
//! `Admit` decides from the ledger's state (record, anchors of process logs, declared filing numbers) and from
//! arguments that this state or the caller's certificate, which every endorser verified, proves:
//!
//! | Gate | What is checked | What it proves |
//! |---|---|---|
//! | algorithms | both certificates parse as SM2 with SM3; nothing else parses | the identity rests on national cryptography alone |
//! | identity | the submitter's certificate is the one that the record names, and the authority that issued it also issued the calling node's | an authority that the channel trusts for this agency certified the submitter; not that it was valid or unrevoked at the time (the receipt is judged for that) |
//! | time | the record states a bound of at most 10 ms | the submitting node claimed it, and the endorsers signed it |
//! | process log | the log is complete and agrees with record and transaction; its node's signature is right, its node of the same authority; the anchor it names is on this ledger and covers all of the recording | the node noted these steps, no later than the anchor, and did not change them since |
//! | filing number | the agency declared one of the usual form on this ledger | the agency says so under its signature; the number itself is looked up with the regulator |
//! | certificate | an anchored entry of the log says that this document was handed out | the agency's node issued this certificate from a verified receipt before it asked; whoever has the document compares its SM3 |
//!
//! # Invariants
//!
//! - What is in the directory passed every gate; an entry is never changed or deleted.
//! - A refusal names every gate that failed, never the first alone.
//! - Only the record's own agency has it admitted.
//!
//! # Standards
//!
//! 人民法院在线诉讼规则 art. 17; GM/T 0111-2021; SF/T 0076-2020 clause 6.
//!
//! # Example
//!
//! ```
//! use changbai_contract::Contract;
//! use changbai_contract_directory::DirectoryContract;
//!
//! assert_eq!(DirectoryContract.name(), "directory");
//! ```

mod admit;
mod gates;

use changbai_contract::{Context, Contract, ContractError};
use changbai_core::{
    ErrorCode, EvidenceId, codes,
    directory::{self, DirectoryEntry, DirectoryPage},
    limits::PAGE_RECORDS_MAX,
};

/// The directory's contract. Stateless: everything is on the ledger.
#[derive(Clone, Copy, Debug, Default)]
pub struct DirectoryContract;

impl Contract for DirectoryContract {
    fn name(&self) -> &'static str {
        directory::NAME
    }

    fn version(&self) -> &'static str {
        directory::VERSION
    }

    fn invoke(&self, ctx: &mut dyn Context) -> Result<Vec<u8>, ContractError> {
        let function = ctx.function().to_owned();
        let args = ctx.args().to_vec();
        match (function.as_str(), args.as_slice()) {
            (directory::DECLARE, [number]) => declare(ctx, number),
            (directory::DECLARED, [msp_id]) => {
                let key = directory::filing_key(text(msp_id, codes::QUERY)?);
                Ok(ctx.get(&key)?.unwrap_or_default())
            }
            (directory::ADMIT, [id, certificate, submitter, authority, process]) => {
                let shown = admit::Shown { certificate, submitter, authority, process };
                admit::admit(ctx, &evidence_id(id)?, &shown)
            }
            (directory::GET, [id]) => {
                Ok(ctx.get(&directory::entry_key(&evidence_id(id)?))?.unwrap_or_default())
            }
            (directory::LIST, [cursor, limit]) => list(ctx, cursor, limit),
            (_, args) => {
                let message = format!("no function of this name takes {} arguments", args.len());
                Err(refused(codes::CALL, message))
            }
        }
    }
}

/// An organisation speaks for itself only: the key holds the caller's.
fn declare(ctx: &mut dyn Context, number: &[u8]) -> Result<Vec<u8>, ContractError> {
    let number = text(number, codes::FILING_NUMBER)?;
    if !directory::is_filing_number(number) {
        return Err(refused(codes::FILING_NUMBER, "not a filing number of the usual form"));
    }
    let key = directory::filing_key(ctx.caller().msp_id);
    ctx.put(&key, number.as_bytes().to_vec())?;
    Ok(number.as_bytes().to_vec())
}

fn list(ctx: &mut dyn Context, cursor: &[u8], limit: &[u8]) -> Result<Vec<u8>, ContractError> {
    let limit: u32 = text(limit, codes::QUERY)?
        .parse()
        .ok()
        .filter(|limit| (1..=PAGE_RECORDS_MAX).contains(limit))
        .ok_or_else(|| refused(codes::QUERY, "the limit must be between 1 and 200"))?;
    let start = match text(cursor, codes::CURSOR)? {
        "" => "dir/".to_owned(),
        cursor => {
            let last: EvidenceId = cursor
                .parse()
                .map_err(|_| refused(codes::CURSOR, "the cursor is not an evidence id"))?;
            format!("{}\0", directory::entry_key(&last))
        }
    };
    let found = ctx.range(&start, "dir0", limit + 1)?;
    let mut page = DirectoryPage::default();
    for (_, value) in found.iter().take(limit as usize) {
        let entry = DirectoryEntry::from_bytes(value);
        page.entries.push(entry.map_err(|_| broken_state("an entry cannot be read"))?);
    }
    if found.len() > limit as usize {
        page.cursor = page.entries.last().map(|last| last.id.to_string()).unwrap_or_default();
    }
    Ok(page.to_bytes())
}

fn refused(code: ErrorCode, message: impl Into<String>) -> ContractError {
    ContractError::Refused {
        code: code.code.to_owned(),
        message: message.into(),
        payload: Vec::new(),
    }
}

/// State that the platform's contracts cannot have written.
fn broken_state(what: &str) -> ContractError {
    ContractError::State(format!("directory contract: {what}"))
}

fn text(argument: &[u8], code: ErrorCode) -> Result<&str, ContractError> {
    std::str::from_utf8(argument).map_err(|_| refused(code, "the argument is not UTF-8"))
}

fn evidence_id(argument: &[u8]) -> Result<EvidenceId, ContractError> {
    text(argument, codes::EVIDENCE_ID)?
        .parse()
        .map_err(|e: changbai_core::EvidenceIdError| refused(codes::EVIDENCE_ID, e.to_string()))
}
