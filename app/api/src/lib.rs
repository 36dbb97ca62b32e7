//! Serve the evidence platform over HTTP: REST under `/api/v1`, its OpenAPI document and its problems.
//!
//! It does **not** open sockets, read configuration or own threads: the node hands it services and serves
//! its router. It decides nothing about evidence (`changbai-core`), keeps no originals itself
//! (`changbai-custody`) and judges no bundle (`changbai-receipt`).
//!
//! # Model
//!
//! [`router`] turns an [`ApiState`] into an axum router. A write carries an RFC 9421 signature
//! ([`signature`]) whose head is verified before its body is read; the body's SM3 is compared with the
//! signed `Content-Digest` before anything reaches custody or the ledger. Originals stream through a
//! bounded channel to one blocking thread each. Failures are [`problem::Problem`]s; answers to writes are
//! kept under their `Idempotency-Key` ([`idempotency`]). A batch of digests is read line by line into a file of
//! its own ([`batch`]) and becomes one record; whoever prefers it is answered 202 and asks, or listens, for the
//! outcome of a job that outlives the connection.
//!
//! # Invariants
//!
//! - This is the only crate that knows HTTP and JSON bodies.
//! - An unsigned, wrongly signed, replayed, altered, oversized or malformed request never reaches the
//!   ledger, and leaves nothing in custody.
//! - Every queue, body, wait and memory is bounded by [`limits::Limits`]; full is a refusal with
//!   `Retry-After`.
//! - No file name, personal value or key material appears in a log line or a problem.
//!
//! # Standards
//!
//! RFC 9421 (HTTP message signatures) §2.5, §3.2; RFC 9530 (`Content-Digest`); RFC 8941 (structured fields);
//! RFC 9457 (problems); RFC 7578 (multipart/form-data); RFC 8288 (`Link`); GB/T 32918 (SM2), GB/T 32905 (SM3).
//!
//! # Example
//!
//! ```
//! let document: serde_json::Value = serde_json::from_str(&changbai_api::openapi())?;
//! assert!(document["paths"]["/api/v1/evidence"]["post"].is_object());
//! # Ok::<(), serde_json::Error>(())
//! ```

pub mod access;
pub mod attachments;
pub mod authority;
pub mod batch;
mod body;
pub mod channels;
pub mod court;
pub mod documents;
mod domain;
mod dto;
pub mod enrolment_client;
pub mod health;
pub mod idempotency;
mod identity;
mod jobs;
pub mod limits;
pub mod log_client;
pub mod logs;
pub mod multipart;
pub mod operations;
mod outgoing;
pub mod problem;
mod rate;
mod request_id;
mod routes;
mod server;
pub mod signature;
mod state;
pub mod submission;
pub mod time_stamp_client;
pub mod time_stamps;
mod transport;
mod upload;
pub mod verdicts;
pub mod witness;

pub use access::observed;
pub use rate::Rate;
pub use request_id::REQUEST_ID_HEADER;
pub use routes::{openapi, router};
pub use server::{Listener, serve};
pub use state::{Anchoring, ApiParts, ApiState, ChannelView};
pub use transport::{Gateways, Transport};
pub use upload::parse_multipart_submission;
