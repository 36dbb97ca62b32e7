//! X.509 v3 certificates with SM2 keys and SM2-with-SM3 signatures: parse strictly, verify chains, issue.
//!
//! It does not read CRLs, OCSP, CSRs or CMS, knows no clock (the caller says at which second a chain must hold), and
//! accepts no other algorithm: RSA, P-256 and everything else are refused while parsing.
//!
//! # Model
//! [`Certificate`] is parsed once, checked against its own re-encoding and then immutable; cloning is cheap.
//! [`verify_chain`] builds a path from a leaf over intermediates to one of the [`TrustAnchors`] and checks it at one
//! moment for one [`Purpose`]. [`Authority`] is a CA certificate with its private key; it issues what [`Profile`] names.
//!
//! # Invariants
//! * The bytes of a [`Certificate`] are the only DER form of its content; a signature covers exactly those bytes.
//! * Its key is an SM2 key, its signature algorithm is 1.2.156.10197.1.501 and its serial number is positive.
//! * A chain is refused for any critical extension this crate does not evaluate.
//! * A certificate without keyUsage may do nothing.
//! * Trust comes from the anchors the caller gives, never from what is being verified.
//!
//! # Standards
//! GM/T 0015-2023 and GB/T 20518-2018 (certificate format), RFC 5280 §4, §6 (profile, path validation), RFC 4514 (names
//! as text), RFC 7468 (PEM), GB/T 35276-2017 (signature form, default signer ID).
//!
//! # Example
//! ```
//! use smkit::{OsRandom, sm2::PrivateKey};
//! use smkit_pki::{Authority, Profile, Purpose, Subject, TrustAnchors, Validity, verify_chain};
//!
//! let validity = Validity { not_before: 1_760_000_000, not_after: 1_860_000_000 };
//! let name = |common_name: &str| Subject { common_name: common_name.into(), ..Subject::default() };
//! let root = Authority::create_root(&name("Example Root"), validity, &mut OsRandom)?;
//! let key = PrivateKey::generate(&mut OsRandom)?;
//! let leaf = root.issue(
//!     &name("signer"),
//!     key.public_key(),
//!     Profile::Signing,
//!     validity,
//!     Some("91220101MA0000000X"),
//!     &mut OsRandom,
//! )?;
//! let anchors = TrustAnchors::from_certificates(vec![root.certificate().clone()]);
//! let anchor = verify_chain(&leaf, &[], &anchors, 1_800_000_000, Purpose::Signing)?;
//! assert_eq!(anchor.sm3(), root.certificate().sm3());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod admission;
mod algorithm;
mod alternative_names;
mod anchors;
mod asn1;
mod authority;
mod certificate;
mod certification_request;
mod certification_response;
mod cms;
mod distinguished_name;
mod extensions;
mod form;
mod key_usage;
mod limits;
mod name;
mod ocsp;
mod path;
mod purpose;
pub mod reasons;
mod register;
mod revocation;
mod revocation_list;
mod serial;
#[cfg(test)]
mod testing;
mod timestamp;
mod unsorted;
mod validator;

pub use admission::{Admission, SubjectRule, SubjectRuleError};
pub use alternative_names::AlternativeNames;
pub use anchors::TrustAnchors;
pub use authority::{Authority, AuthorityError, Profile, Terms, Validity};
pub use certificate::{Certificate, CertificateError};
pub use certification_request::{CertificationRequest, CertificationRequestError};
pub use certification_response::{
    CertificationResponse, CertificationResponseError, IssuedIdentity,
};
pub use cms::{CmsError, CmsSigner, EnvelopedData, SignedData, Signer, VerifiedSigner};
pub use distinguished_name::DistinguishedName;
pub use form::FormError;
pub use key_usage::{ExtendedKeyUsage, KeyPurpose, KeyUsage};
pub use limits::{
    CERTIFICATE_BYTES_MAX, CHAIN_DEPTH_MAX, CMS_BYTES_MAX, CMS_CERTIFICATES_MAX,
    CMS_RECIPIENTS_MAX, CMS_SIGNERS_MAX, CRL_BYTES_MAX, CRL_ENTRIES_MAX, INTERMEDIATES_MAX,
    OCSP_BYTES_MAX, OCSP_CERTIFICATES_MAX, PEM_CERTIFICATES_MAX, REQUEST_BYTES_MAX,
    RESPONSE_BYTES_MAX, RESPONSE_CERTIFICATES_MAX, TIME_STAMP_BYTES_MAX,
    TIME_STAMP_REQUEST_BYTES_MAX,
};
pub use name::{NameAttribute, Subject, SubjectError};
pub use ocsp::{
    CertificateId, CertificateStatus, OcspAnswer, OcspError, OcspFailure, OcspRequest,
    OcspResponder, OcspResponse,
};
pub use path::{PathError, verify_chain};
pub use purpose::Purpose;
pub use reasons::{Reason, RefusalKind};
pub use register::{IssuedCertificate, Register, RegisterError};
pub use revocation::{Revocation, RevocationMode, RevocationReason};
pub use revocation_list::{
    RevocationList, RevocationListContent, RevocationListError, RevokedCertificate,
};
pub use serial::{SerialNumber, SerialNumberError};
pub use timestamp::{
    Accuracy, Grant, TimeStampAuthority, TimeStampError, TimeStampFailure, TimeStampRequest,
    TimeStampResponse, TimeStampToken, VerifiedTimeStamp,
};
pub use validator::{Validator, VerifiedPath};
