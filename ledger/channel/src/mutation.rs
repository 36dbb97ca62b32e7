//! Mistakes on purpose: a simulation that does not find them is worth nothing. Compiled in with the feature
//! `mutations` alone.

use std::cell::Cell;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// Every signature of a transaction counts as valid.
    TransactionsUnverified,
    /// A configuration counts as following whatever it holds.
    ConfigurationsUnjudged,
    /// Callers are answered when their transactions are proposed.
    AnsweredEarly,
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
