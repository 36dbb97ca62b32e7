//! Answers: JSON documents, and problems (RFC 9457) told apart from what only looks like a node.

use std::io::Read;

use serde::de::DeserializeOwned;

use super::{Answer, attempt::Failed, retry_after};
use crate::{
    error::{CliError, Problem},
    limits,
};

/// Reads a successful answer's JSON document.
pub(crate) fn json<T: DeserializeOwned>(answer: Answer) -> Result<T, Failed> {
    let bytes = read(answer)?;
    serde_json::from_slice(&bytes).map_err(|error| Failed::ForGood(unexpected(error.to_string())))
}

/// Reads a successful answer's bytes.
pub(crate) fn bytes(answer: Answer, bytes_max: u64) -> Result<Vec<u8>, Failed> {
    read_bounded(answer, bytes_max)
}

/// Turns a failed answer into the failure it stands for.
pub(super) fn problem(answer: Answer) -> Failed {
    let status = answer.status().as_u16();
    let wait = retry_after(&answer);
    if !has_type(&answer, "application/problem+json") {
        return Failed::ForGood(unexpected(format!("HTTP {status}")));
    }
    let bytes = match read(answer) {
        Ok(bytes) => bytes,
        Err(failed) => return failed,
    };
    let Ok(problem) = serde_json::from_slice::<Problem>(&bytes) else {
        return Failed::ForGood(unexpected(format!("HTTP {status}")));
    };
    let passing = passes(status, &problem.code);
    let error = CliError::Refused(Box::new(Problem { status, ..problem }));
    if passing { Failed::ForNow { wait, error } } else { Failed::ForGood(error) }
}

/// True when the answer has the further status and is no problem document.
pub(super) fn is_also(answer: &Answer, also_status: Option<u16>) -> bool {
    also_status == Some(answer.status().as_u16()) && has_type(answer, "application/json")
}

fn has_type(answer: &Answer, media_type: &str) -> bool {
    let value = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
    value.and_then(|value| value.split(';').next()).is_some_and(|value| value.trim() == media_type)
}

/// True for refusals that pass by themselves and change nothing: the node is busy or starting, the same write is
/// still in progress, the proof of a fresh record is not there yet, or the signature is older than the node.
fn passes(status: u16, code: &str) -> bool {
    matches!(status, 429 | 503 | 504)
        || matches!(code, "RQ-4090" | "LG-4090" | "AU-4014" | "EV-4095")
}

fn read(answer: Answer) -> Result<Vec<u8>, Failed> {
    read_bounded(answer, limits::ANSWER_BYTES_MAX)
}

fn read_bounded(answer: Answer, bytes_max: u64) -> Result<Vec<u8>, Failed> {
    let mut bytes = Vec::new();
    let mut reader = answer.into_body().into_reader().take(bytes_max.saturating_add(1));
    reader.read_to_end(&mut bytes).map_err(|error| Failed::lost(error.to_string()))?;
    if bytes.len() as u64 > bytes_max {
        return Err(Failed::ForGood(unexpected(format!("> {bytes_max} bytes"))));
    }
    Ok(bytes)
}

/// The address is filled in by [`super::attempt`], which knows it.
fn unexpected(reason: String) -> CliError {
    CliError::Answer { address: String::new(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_passing_refusals_are_repeated() {
        for (status, code) in
            [(503, "SV-5030"), (429, "RQ-4290"), (504, "SV-5040"), (409, "LG-4090")]
        {
            assert!(passes(status, code), "{code}");
        }
        for (status, code) in
            [(400, "RQ-4000"), (401, "AU-4012"), (409, "EV-4090"), (500, "SV-5000")]
        {
            assert!(!passes(status, code), "{code}");
        }
    }
}
