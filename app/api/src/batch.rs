//! Batches: the lines of a body, the files that keep a batch's digests, and the reader of one digest's place.

mod lines;
mod place;
mod store;
#[cfg(test)]
mod tests;

pub use lines::{LineFault, Lines, parse_batch};
pub use place::Batch;
pub use store::{BatchError, BatchStore, Incoming};
