//! From the failures of the floors below to problems: one function per error family.

use axum::http::StatusCode;
use changbai_core::codes::{self, ErrorCode, Kind};
use changbai_core::ledger::LedgerError;
use changbai_core::{OpeningStoreError, QueryError, SubmitError};
use changbai_custody::CustodyError;

use crate::problem::{Code, Problem};
use crate::submission::field_problem;

/// The problem of a domain code.
pub(crate) fn of_code(code: &ErrorCode) -> Problem {
    let status = match code.kind {
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::Busy => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Unknown => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let problem = Problem::of_domain(code.code, status, code.zh, code.en);
    match code.kind {
        Kind::Busy | Kind::Unavailable => problem.retry_after_ms(1_000),
        _ => problem,
    }
}

/// The problem of a refused or failed submission.
pub(crate) fn of_submit(error: &SubmitError) -> Problem {
    match error {
        SubmitError::Field(field) => field_problem(field),
        SubmitError::Busy { retry_after_ms } => {
            of_code(&codes::BUSY).retry_after_ms(*retry_after_ms)
        }
        SubmitError::OutcomeUnknown { id, .. } => {
            tracing::warn!(%error, "api::submit outcome unknown");
            of_code(&codes::OUTCOME_UNKNOWN).technical(id).retry_after_ms(1_000)
        }
        SubmitError::Query(query) => of_query(query),
        SubmitError::Time(why) => {
            let (zh, en) =
                (format!("{}：{}", why.code, why.zh), format!("{}: {}", why.code, why.en));
            of_code(&codes::TIME_UNBOUNDED).detail(zh, en)
        }
        // Another agency's words about our clock: an operator of this one must read them.
        SubmitError::Refused { code, message } if code == codes::TIME_NOT_ENDORSED.code => {
            of_code(&codes::TIME_NOT_ENDORSED).technical(message)
        }
        other => of_failure(&other.code(), other),
    }
}

/// The problem of a query without an answer.
pub(crate) fn of_query(error: &QueryError) -> Problem {
    match error {
        QueryError::Ledger(ledger) => of_ledger(ledger),
        other => of_failure(&other.code(), other),
    }
}

/// The problem of openings that cannot be read.
pub(crate) fn of_openings(error: &OpeningStoreError) -> Problem {
    let code = match error {
        OpeningStoreError::Damaged { .. } => codes::DAMAGED,
        _ => codes::STORE,
    };
    of_failure(&code, error)
}

/// The problem of an original that cannot be stored or read.
pub(crate) fn of_custody(error: &CustodyError) -> Problem {
    let code = match error {
        CustodyError::TooLarge { .. } => codes::ORIGINAL_TOO_LARGE,
        CustodyError::NotHeld(_) | CustodyError::Erased { .. } => codes::ORIGINAL_NOT_HELD,
        CustodyError::Damaged { .. } | CustodyError::Missing { .. } => codes::DAMAGED,
        _ => codes::STORE,
    };
    of_failure(&code, error)
}

/// The client's own faults are explained to it; ours go to the log, because they may name files.
pub(crate) fn of_failure(code: &ErrorCode, error: &dyn std::error::Error) -> Problem {
    let problem = of_code(code);
    if problem.status().is_client_error() {
        return problem.technical(error);
    }
    let mut causes = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push_str(": ");
        causes.push_str(&cause.to_string());
        source = cause.source();
    }
    tracing::error!(code = code.code, causes, "api::failure");
    problem
}

/// The problem of a ledger failure outside a submission.
pub(crate) fn of_ledger(error: &LedgerError) -> Problem {
    match error {
        LedgerError::Refused { code, message, .. } => match codes::find(code) {
            Some(known) => of_code(known).technical(message),
            None => Problem::new(Code::Internal),
        },
        LedgerError::Conflict => of_code(&codes::CONTENDED),
        LedgerError::Busy { retry_after_ms } => {
            of_code(&codes::BUSY).retry_after_ms(*retry_after_ms)
        }
        LedgerError::NotFound => Problem::new(Code::LedgerNotFound),
        LedgerError::NotYetProven => of_code(&codes::NOT_YET_PROVEN),
        LedgerError::Invalid { reason } => Problem::new(Code::Malformed).technical(reason),
        LedgerError::Unavailable { .. } | LedgerError::Halted { .. } => {
            tracing::warn!(%error, "api::ledger unavailable");
            of_code(&codes::LEDGER_UNAVAILABLE)
        }
        LedgerError::OutcomeUnknown { tx_id, .. } => {
            tracing::warn!(%error, "api::ledger outcome unknown");
            Problem::new(Code::LedgerTimeout).technical(format!("transaction {tx_id}"))
        }
        _ => {
            tracing::error!(%error, "api::ledger failed");
            Problem::new(Code::Internal)
        }
    }
}
