//! What can go wrong, each with its stable code.

use super::TimeRefusal;
use crate::{
    business::FieldError,
    codes::{self, ErrorCode},
    contract::DecodeError,
    evidence_id::EvidenceId,
    ledger::LedgerError,
    openings::OpeningStoreError,
    process::JournalError,
    record::RecordError,
};

/// Why a submission was not recorded, or why nobody can say whether it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// A field does not follow the schema of the business type. Nothing is recorded.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The submission cannot become a record. Nothing is recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The submitter belongs to another organisation than this service's agency. Nothing is recorded.
    #[error("the submitter belongs to another organisation")]
    ForeignSubmitter,
    /// The contract refused. Nothing is recorded.
    #[error("the contract refused ({code}): {message}")]
    Refused {
        /// Its stable code.
        code: String,
        /// What it said.
        message: String,
    },
    /// The originals are recorded already, but not as a version of the record that the submission names.
    #[error("already recorded as {first}, which is not a version of {previous}")]
    RecordedElsewhere {
        /// The record there is.
        first: EvidenceId,
        /// The record that the submission names as previous.
        previous: EvidenceId,
    },
    /// Full at the moment. Nothing is recorded.
    #[error("busy; try again in {retry_after_ms} ms")]
    Busy {
        /// When to come back.
        retry_after_ms: u64,
    },
    /// Others kept being faster. Nothing is recorded.
    #[error("too many concurrent changes; {attempts} attempts were overtaken")]
    Contended {
        /// Attempts made.
        attempts: usize,
    },
    /// It may or may not have been recorded. Submitting the same again is safe and tells: the ledger records it once.
    #[error("the outcome is not known, {id} may have been recorded: {reason}")]
    OutcomeUnknown {
        /// The id that the record would have.
        id: EvidenceId,
        /// Why.
        reason: String,
    },
    /// The ledger could not be asked. Nothing is recorded.
    #[error("the ledger could not be asked")]
    Query(#[source] Box<QueryError>),
    /// The openings of personal values could not be kept. Nothing is recorded.
    #[error(transparent)]
    Openings(#[from] OpeningStoreError),
    /// The submission could not be logged. Nothing is recorded.
    #[error(transparent)]
    ProcessLog(#[from] JournalError),
    /// The random number generator failed. Nothing is recorded.
    #[error("the random number generator failed")]
    Random,
    /// The clock shows a time that no record can carry. Nothing is recorded.
    #[error("the clock shows an impossible time")]
    Clock,
    /// The clock's error has no bound, and records must carry one. Nothing is recorded.
    #[error("{}: {}", .0.code, .0.en)]
    Time(Box<TimeRefusal>),
}

/// Why a query has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// More records asked for than a page holds, or none.
    #[error("a page holds 1 to {max} records, not {asked}")]
    Limit {
        /// Records asked for.
        asked: u32,
        /// Most records of a page.
        max: u32,
    },
    /// The time range ends before it starts.
    #[error("the time range ends before it starts")]
    Range,
    /// The cursor is not one that this listing gave out.
    #[error("the cursor is not valid")]
    Cursor,
    /// The ledger did not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The process log could not be read or written.
    #[error(transparent)]
    ProcessLog(#[from] JournalError),
    /// The ledger holds a record that is none.
    #[error("the ledger holds a record that is none: {0}")]
    Record(#[from] RecordError),
    /// The ledger's answer is not what the evidence contract writes.
    #[error("the ledger's answer is malformed: {what}")]
    Malformed {
        /// Which part.
        what: &'static str,
    },
}

impl SubmitError {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Field(error) => error.code(),
            Self::Record(error) => error.code(),
            Self::ForeignSubmitter => codes::FOREIGN_AGENCY,
            Self::Refused { code, .. } => codes::find(code).copied().unwrap_or(codes::INTERNAL),
            Self::RecordedElsewhere { .. } => codes::DUPLICATE_ELSEWHERE,
            Self::Busy { .. } => codes::BUSY,
            Self::Contended { .. } => codes::CONTENDED,
            Self::OutcomeUnknown { .. } => codes::OUTCOME_UNKNOWN,
            Self::Query(error) => error.code(),
            Self::Openings(OpeningStoreError::Damaged { .. }) => codes::DAMAGED,
            Self::Openings(_) => codes::STORE,
            Self::ProcessLog(error) => error.code(),
            Self::Random => codes::RANDOM,
            Self::Clock => codes::CLOCK,
            Self::Time(_) => codes::TIME_UNBOUNDED,
        }
    }

    /// Whether it says something about the ledger, not about this one submission: then whoever waits for the same
    /// submission gets the same answer.
    pub(super) fn is_shared(&self) -> bool {
        matches!(
            self,
            Self::Busy { .. }
                | Self::Contended { .. }
                | Self::OutcomeUnknown { .. }
                | Self::Query(_)
                | Self::Openings(_)
                | Self::ProcessLog(_)
                | Self::Random
                | Self::Clock
                | Self::Time(_)
        )
    }
}

impl From<QueryError> for SubmitError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Ledger(LedgerError::Busy { retry_after_ms }) => {
                Self::Busy { retry_after_ms }
            }
            other => Self::Query(Box::new(other)),
        }
    }
}

impl QueryError {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Limit { .. } | Self::Range => codes::QUERY,
            Self::Cursor => codes::CURSOR,
            Self::Ledger(error) => error.code(),
            Self::ProcessLog(error) => error.code(),
            Self::Record(_) => codes::DAMAGED,
            Self::Malformed { .. } => codes::INTERNAL,
        }
    }
}

impl LedgerError {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Refused { code, .. } => codes::find(code).copied().unwrap_or(codes::INTERNAL),
            Self::Conflict => codes::CONTENDED,
            Self::Busy { .. } => codes::BUSY,
            Self::NotFound => codes::NOT_FOUND,
            Self::NotYetProven => codes::NOT_YET_PROVEN,
            Self::Invalid { .. } => codes::CALL,
            Self::Unavailable { .. } | Self::Halted { .. } => codes::LEDGER_UNAVAILABLE,
            Self::OutcomeUnknown { .. } => codes::OUTCOME_UNKNOWN,
            Self::Damaged { .. } => codes::DAMAGED,
        }
    }
}

impl JournalError {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Busy => codes::BUSY,
            Self::Stopped { .. } | Self::Io { .. } => codes::PROCESS_LOG,
            Self::Damaged { .. } => codes::DAMAGED,
        }
    }
}

impl From<DecodeError> for QueryError {
    fn from(error: DecodeError) -> Self {
        Self::Malformed { what: error.what }
    }
}
