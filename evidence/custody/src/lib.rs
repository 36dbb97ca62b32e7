//! Keep originals (原件) and the openings of commitments with the agency, encrypted, by their content.
//!
//! It does **not** record anything on a ledger, know who may read what, or send files anywhere; it keeps bytes so
//! that they come back unchanged or not at all.
//!
//! # Model
//! - [`Custody::ingest`] takes an original piece by piece: one pass hashes (SM3, CRC-32) and seals it (SM4-GCM) into a
//!   temporary file; [`Ingest::finish`] syncs it and moves it to `objects/ab/cd/<sm3>.env`, its content's address.
//! - Every envelope has a key of its own, wrapped by the key-encryption key in `kek`. Chunks carry their place in
//!   nonce and associated data; a sealed trailer at the end states size, CRC-32 and SM3 of the whole.
//! - [`Custody::open_original`] reads the trailer first, then streams: each chunk is authenticated before a byte of it
//!   leaves, and the digest of the whole is compared at the end.
//! - Openings of a record lie in one small envelope each, bound to the record's digest.
//!
//! # Invariants
//! - An object under its final name is complete and synced; what a crash leaves lies in `incoming/` and is removed at
//!   the next start.
//! - Changed, cut, swapped, reordered or appended bytes are refused with file and offset; none of them is returned.
//! - Memory is bounded: one chunk of [`limits::CHUNK_BYTES`] for each open original.
//! - Keys are zeroised and never shown; files have mode 0600, folders 0700.
//!
//! # Cost
//! One SM4-GCM, one SM3 and one CRC-32 pass over the bytes, of which SM3 is the slowest; two syncs an original.
//!
//! # Standards
//! GB/T 32907-2016 (SM4), GB/T 17964-2021 (GCM: 96-bit nonce, 128-bit tag), GB/T 32905-2016 (SM3).
//!
//! ```
//! use std::io::Read as _;
//! use changbai_custody::Custody;
//! use smkit::OsRandom;
//!
//! let dir = tempfile::tempdir()?;
//! let custody = Custody::open(dir.path(), &mut OsRandom)?;
//! let mut ingest = custody.ingest(1 << 20)?;
//! ingest.write(b"the original")?;
//! let stored = ingest.finish()?;
//! let mut bytes = Vec::new();
//! custody.open_original(&stored.sm3)?.read_to_end(&mut bytes)?;
//! assert_eq!(bytes, b"the original");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cid;
mod custody;
mod entry;
mod envelope;
mod error;
mod files;
mod ingest;
mod key_file;
mod keys;
pub mod limits;
mod openings;
mod reader;
mod store;
#[cfg(test)]
mod tests;

pub use cid::{Cid, NotACid};
pub use custody::{Custody, Options};
pub use entry::{Entry, Erasure, Recipient, Wrap};
pub use envelope::{EnvelopeError, check_envelope};
pub use error::CustodyError;
pub use ingest::{Ingest, StoredOriginal};
pub use reader::OriginalReader;
pub use store::{
    Credentials, Endpoint, IpfsLocation, IpfsStore, LocalStore, Location, LocationError, Object,
    Patience, S3Location, S3Store, SealedDraft, SealedFile, Secure, Securing, Store, StoreError,
    Stream,
};
