//! Online certificate status (OCSP, RFC 6960, GM/T 0014-2012) with SM3 and SM2.
//!
//! Requests and responses as bytes; how they travel is the caller's business. A response counts if the issuer itself
//! signed it, or a responder whom that issuer gave `OCSPSigning` and whose certificate lies in the response.

mod asn1;
mod error;
mod id;
mod request;
mod responder;
mod response;
#[cfg(test)]
mod tests;

pub use error::OcspError;
pub use id::CertificateId;
pub use request::OcspRequest;
pub use responder::OcspResponder;
pub use response::{CertificateStatus, OcspAnswer, OcspFailure, OcspResponse};
