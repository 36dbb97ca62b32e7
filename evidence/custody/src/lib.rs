//! Keep originals (原件) and the openings of commitments with the agency, encrypted, by their content.
//!
//! It does **not** record anything on a ledger or know who may read what; it keeps bytes so that they come back
//! unchanged or not at all.
//!
//! # Model
//! - [`Custody::ingest`] takes an original piece by piece: one pass hashes (SM3, CRC-32) and seals it (SM4-GCM) into a
//!   temporary file. [`Ingest::finish`] makes its key durable, puts the sealed bytes into the [`Store`], and then makes
//!   its [`Entry`].
//! - A [`Store`] is a directory, an S3-compatible service or an IPFS node ([`Location`]). It knows objects by the
//!   [`Cid`] of their sealed bytes, and nothing else.
//! - Every envelope has a key of its own; [`Entry`] holds it wrapped by SM2 for the agency and for named recipients.
//!   Chunks carry their place in nonce and associated data; a sealed trailer states size, CRC-32 and SM3 of the whole.
//! - [`Custody::open_original`] reads the trailer first, then streams: each chunk is authenticated before a byte of it
//!   leaves, and the digest of the whole is compared at the end.
//! - [`Custody::claim`] binds an original to its record and sets how long it must stay; [`Custody::erase_original`]
//!   destroys its keys; [`Custody::audit`] reads everything again. All of them write the custody log ([`Event`]).
//! - Openings of a record lie in one small envelope each, bound to the record's digest, always in the own directory.
//!
//! # Invariants
//! - An object under its name is complete and durable, and never replaced; its key is durable before it. What a crash
//!   leaves is finished at the next start, or removed.
//! - Changed, cut, swapped, reordered or appended bytes are refused with file and offset; none of them is returned.
//! - A store sees no key, no plaintext and no digest of one; destroying the keys in the own directory erases an original
//!   wherever its object is.
//! - A retention only ever gets longer.
//! - Memory is bounded: three batches of [`limits::BATCH_BYTES`] for an original on its way in, two parts of
//!   [`limits::PART_BYTES`] on its way to a remote store, one chunk of [`limits::CHUNK_BYTES`] on its way out.
//! - Keys are zeroised and never shown; files have mode 0600, folders 0700.
//!
//! # Cost
//! On the way in SM3 twice (of the original, and of the sealed bytes for their name), SM4-GCM and CRC-32 once, on three
//! threads; four syncs an original. On the way out SM4-GCM, SM3 and CRC-32 once, and one SM2 decryption.
//!
//! # Standards
//! GB/T 32907-2016 (SM4), GB/T 17964-2021 (GCM: 96-bit nonce, 128-bit tag), GB/T 32905-2016 (SM3), GB/T 32918.4-2016
//! and GB/T 35276-2017 §7.2 (SM2 encryption, `SM2Cipher`).
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

mod audit;
mod cid;
mod custody;
mod entry;
mod envelope;
mod error;
mod files;
mod holding;
mod ingest;
mod key_file;
mod keys;
mod legacy;
pub mod limits;
mod log;
mod openings;
mod reader;
mod store;
#[cfg(test)]
mod tests;

pub use audit::{AuditEnd, AuditState, Counts, Finding, Outcome};
pub use cid::{Cid, NotACid};
pub use custody::{Custody, Options};
pub use entry::{Entry, Erasure, Recipient, Wrap};
pub use envelope::{EnvelopeError, check_envelope};
pub use error::CustodyError;
pub use holding::Claim;
pub use ingest::{Ingest, StoredOriginal};
pub use legacy::{LegacyError, open_legacy, read_legacy_header};
pub use log::{Event, Line};
pub use reader::{OriginalReader, open_sealed};
pub use store::{
    Credentials, Endpoint, IpfsLocation, IpfsStore, LocalStore, Location, LocationError, Object,
    Patience, S3Location, S3Store, SealedDraft, SealedFile, Secure, Securing, Store, StoreError,
    Stream,
};
