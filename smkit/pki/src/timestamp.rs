//! Time stamps (RFC 3161, GB/T 20520) with SM3 imprints and SM2 signatures.
//!
//! Requests, responses and tokens as bytes. Where the time comes from, and how good it is, is the issuer's business:
//! [`TimeStampAuthority::grant`] takes it as given.

mod asn1;
mod authority;
mod error;
mod gen_time;
mod request;
mod response;
#[cfg(test)]
mod tests;
mod token;

pub(crate) use gen_time::GenTime;

pub use authority::{Grant, TimeStampAuthority};
pub use error::TimeStampError;
pub use request::TimeStampRequest;
pub use response::{TimeStampFailure, TimeStampResponse};
pub use token::{Accuracy, TimeStampToken, VerifiedTimeStamp};
