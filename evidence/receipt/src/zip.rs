//! The canonical ZIP container: one byte sequence for one list of entries.
//!
//! Stored entries only, time 1980-01-01 00:00, no flags, no comments, no extra fields but ZIP64's, and those only
//! where a number does not fit. A container is therefore a function of its entries' names, sizes, checksums and
//! contents, and the reader accepts nothing else: it re-encodes what it understood and compares bytes.
//! `APPNOTE` below is PKWARE's .ZIP File Format Specification 6.3.10.

mod layout;
mod reader;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use layout::{EntryHead, Layout};
pub(crate) use reader::Reader;
pub(crate) use writer::Writer;
