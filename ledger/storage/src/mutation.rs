//! Mistakes on purpose: a simulation that does not find them is worth nothing. Compiled in with the feature
//! `mutations` alone.

use std::cell::Cell;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// The consensus log is written, but not synced.
    WalUnsynced,
    /// Blocks are written, but not synced.
    BlockUnsynced,
}

thread_local! {
    static ACTIVE: Cell<Option<Mutation>> = const { Cell::new(None) };
}

/// Lets this thread make a mistake, or none.
pub fn set(mutation: Option<Mutation>) {
    ACTIVE.set(mutation);
}

pub(crate) fn is(mutation: Mutation) -> bool {
    ACTIVE.get() == Some(mutation)
}
