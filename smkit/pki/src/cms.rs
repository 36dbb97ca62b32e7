//! Cryptographic messages: GB/T 35275-2017 `SignedData` and `EnvelopedData`, and the CMS of RFC 5652 below time stamps.
//!
//! One set of structures; a [`Dialect`] says which identifiers and versions stand in them.

mod asn1;
mod attributes;
mod dialect;
mod enveloped_data;
mod error;
mod message;
mod sign;
mod signed_data;
#[cfg(test)]
mod tests;

pub(crate) use asn1::IssuerAndSerial;
pub(crate) use attributes::{Attributes, attribute};
pub(crate) use dialect::{Dialect, TIME_STAMP};
pub use enveloped_data::EnvelopedData;
pub use error::CmsError;
pub(crate) use message::Message;
pub(crate) use sign::{Draft, sign};
pub use signed_data::{CmsSigner, SignedData, Signer, VerifiedSigner};
