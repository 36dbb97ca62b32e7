//! Bounds of one invocation, and the checks that every [`Context`](crate::Context) makes.

use crate::{ContractError, KeyError, key::SEPARATOR, split_composite_key};

/// Longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 1 << 10;
/// Longest value, in bytes; also of a response and an event's payload.
pub const VALUE_BYTES_MAX: usize = 1 << 20;
/// Most keys written or deleted by one invocation.
pub const WRITES_MAX: usize = 1_000;
/// Most entries one range read returns.
pub const RANGE_ENTRIES_MAX: u32 = 1_000;
/// Longest name of an event, in bytes.
pub const EVENT_NAME_BYTES_MAX: usize = 128;

/// Checks a key: not empty, bounded, and either a well-formed composite key or without a leading
/// U+0000.
///
/// # Errors
/// [`KeyError`].
pub fn check_key(key: &str) -> Result<(), KeyError> {
    if key.is_empty() {
        return Err(KeyError::Empty);
    }
    if key.len() > KEY_BYTES_MAX {
        return Err(KeyError::TooLong { bytes: key.len() });
    }
    if key.starts_with(SEPARATOR) && split_composite_key(key).is_none() {
        return Err(KeyError::Reserved);
    }
    Ok(())
}

/// Checks the length of a value, response or event payload.
///
/// # Errors
/// [`ContractError::Limit`].
pub fn check_value(value: &[u8]) -> Result<(), ContractError> {
    check("bytes of a value", value.len(), VALUE_BYTES_MAX)
}

/// Checks the number of distinct keys written so far.
///
/// # Errors
/// [`ContractError::Limit`].
pub fn check_writes(writes: usize) -> Result<(), ContractError> {
    check("keys written", writes, WRITES_MAX)
}

/// Checks the limit of a range read: 1 to [`RANGE_ENTRIES_MAX`].
///
/// # Errors
/// [`ContractError::Limit`].
pub fn check_range(limit: u32) -> Result<(), ContractError> {
    if limit == 0 || limit > RANGE_ENTRIES_MAX {
        return Err(ContractError::Limit {
            what: "entries of a range read",
            limit: RANGE_ENTRIES_MAX.into(),
            found: limit.into(),
        });
    }
    Ok(())
}

/// Checks an event's name and payload.
///
/// # Errors
/// [`ContractError::Limit`] or, for an empty name, [`ContractError::Key`].
pub fn check_event(name: &str, payload: &[u8]) -> Result<(), ContractError> {
    if name.is_empty() {
        return Err(KeyError::Empty.into());
    }
    check("bytes of an event's name", name.len(), EVENT_NAME_BYTES_MAX)?;
    check_value(payload)
}

/// Where a range read begins: an empty start skips the composite keys (Fabric sends U+0001).
#[must_use]
pub fn range_start(start: &str) -> &str {
    if start.is_empty() { "\u{1}" } else { start }
}

fn check(what: &'static str, found: usize, limit: usize) -> Result<(), ContractError> {
    if found <= limit {
        return Ok(());
    }
    let wide = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Err(ContractError::Limit { what, limit: wide(limit), found: wide(found) })
}
