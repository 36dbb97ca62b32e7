//! Keep a certificate authority in a directory, and decide whom it certifies.
//!
//! It does not parse or sign anything itself (`smkit-pki` does), speak HTTP (`changbai-api` does) or read a clock.
//!
//! # Model
//! [`AuthorityStore`] is a directory with the authority's certificate, the certificates above it, its private key and a
//! **register**: one line for each certificate issued, each revocation and each list. A line is durable before what it
//! records leaves the process, so no certificate exists that the register does not know, and no revocation is forgotten.
//! [`AuthorityStore::enrol`] answers a certification request (PKCS#10) of somebody who is already authenticated by a
//! certificate of this authority: a node renews itself, and nobody becomes somebody else.
//!
//! # Invariants
//! * One process a directory: a lock that dies with the process.
//! * The register only grows, each line chained to the one before. A torn last line was never acted upon and is cut; any
//!   other damage is refused by line.
//! * Enrolment never widens: subject, hosts and profile are those of the certificate shown.
//! * The private key is in the directory, encrypted where a passphrase is given; it is never in a log or an error.
//!
//! # Standards
//! GM/T 0015-2023 (certificates), GM/T 0092-2020 (requests and answers), GM/T 0091-2020 (password encryption of keys),
//! RFC 5280 §5 (revocation lists).

mod directory;
mod enrolment;
mod error;
pub mod limits;
mod line;
mod log;
mod store;

pub use enrolment::EnrolmentRefusal;
pub use error::AuthorityStoreError;
pub use store::{AuthorityStore, Issued};
