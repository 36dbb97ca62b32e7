//! Certificates with SM2 and SM3, and what stands around them: parse strictly, judge, build.
//!
//! It knows no clock (the caller says at which second something must hold), reads no file and asks no network: lists,
//! responses and tokens are bytes that the caller brings. It accepts no other algorithms: RSA, P-256, SHA and everything
//! else are refused by name while parsing. It does no name constraints, certificate policies, delta or partial revocation
//! lists; what is critical and not evaluated refuses.
//!
//! # Model
//! Every structure is parsed once, checked against its own re-encoding and then immutable: [`Certificate`],
//! [`CertificationRequest`] and its answer [`CertificationResponse`], [`RevocationList`], [`OcspRequest`] and
//! [`OcspResponse`], [`SignedData`] and [`EnvelopedData`] of GB/T 35275, [`TimeStampRequest`] and [`TimeStampToken`],
//! [`Seal`] and [`SealSignature`].
//!
//! A [`Validator`] decides whether a certificate may be relied on: it searches a path from the leaf to one of the
//! [`TrustAnchors`] and judges it at one moment for one [`Purpose`], with what is known about [`Revocation`], the host
//! that was dialled, and the [`Admission`]s: pinned authorities and rules about the subject. The order is fixed and the
//! first reason is the reason: form → signatures → validity → basic constraints and path length → key usage → extended
//! key usage → revocation → host → admission. [`verify_chain`] is the same without the last three. Refusals have a stable
//! code and two languages ([`reasons`]).
//!
//! An [`Authority`] is a CA certificate with its key; it issues what a [`Profile`] names on [`Terms`], signs revocation
//! lists, and remembers in a [`Register`]. [`OcspResponder`] and [`TimeStampAuthority`] answer from it, and for the time.
//!
//! # Invariants
//! * The bytes of a structure are the only DER form of its content; a signature covers exactly those bytes.
//! * A key is an SM2 key, a signature SM2-with-SM3 under the default signer ID, a digest SM3; a serial number is positive.
//! * A certificate or list is refused for any critical extension this crate does not evaluate.
//! * A certificate without keyUsage may do nothing. Without extended key usage it may do everything but time stamps and
//!   OCSP, which must be granted; with it, only what it names.
//! * Trust comes from the anchors the caller gives, never from what is being verified, and an anchor alone admits nobody
//!   unless the caller says so ([`Validator::admitting_all`]). The common name is never taken for a host.
//! * A revocation after a moment says nothing about that moment; an earlier date of invalidity does.
//! * A [`CertificationRequest`] that exists has proved possession of its key.
//! * What this crate builds has passed its own parser.
//! * No input panics; bytes, entries, certificates, depth and signatures are bounded by the constants at the end of this
//!   page.
//!
//! # Cost
//! Validating a leaf below a root costs one SM2 verification: the root's own signature is verified once, the answers for
//! revocation lists and OCSP responses are remembered, and a key that has verified eight signatures gets a table
//! (see [`smkit::sm2::VerifyingKey`]). So keep the [`Validator`], give it the authorities in between
//! ([`Validator::with_intermediates`]), and clone certificates instead of parsing them again. A list is searched in
//! O(log n). `cargo xtask bench pki` measures.
//!
//! # Standards
//! GM/T 0015-2023 and GB/T 20518-2018 (certificate format), RFC 5280 (profile, path validation, lists), RFC 9525 (hosts),
//! RFC 4514 (names as text), RFC 7468 (PEM), RFC 2986 and GM/T 0092-2020 (requests and answers), RFC 6960, RFC 9654 and
//! GM/T 0014-2012 (OCSP), GB/T 35275-2017 and RFC 5652 (messages), RFC 3161, RFC 5035 and GB/T 20520 (time stamps),
//! GB/T 38540-2020 and GM/T 0031 (electronic seals),
//! GB/T 35276-2017 (signature form, default signer ID, enveloped keys).
//!
//! # Example
//! A city's authority issues to an agency; a verifier admits that agency and nobody else.
//! ```
//! use smkit::{OsRandom, sm2::PrivateKey};
//! use smkit_pki::{
//!     Admission, Authority, CertificationRequest, Profile, Purpose, Register, Revocation, RevocationMode, Subject,
//!     Terms, TrustAnchors, Validator, Validity,
//! };
//! # use smkit::sm2::{SignerId, SigningKey};
//!
//! let validity = Validity { not_before: 1_760_000_000, not_after: 1_860_000_000 };
//! let now = 1_800_000_000;
//! let name = |unit: &str| Subject {
//!     organisation: "CCG".into(),
//!     organisational_units: vec![unit.into()],
//!     common_name: "node1".into(),
//!     ..Subject::default()
//! };
//! let root = Authority::create_root(&name("CA"), validity, &mut OsRandom)?;
//! let mut register = Register::new();
//!
//! // The agency asks, the authority issues.
//! let key = SigningKey::new(PrivateKey::generate(&mut OsRandom)?, SignerId::DEFAULT)?;
//! let hosts = smkit_pki::AlternativeNames::parse(["node1.cc.jl"]).ok_or("not a host")?;
//! let request = CertificationRequest::create(&(&name("NDRC")).try_into()?, &key, &hosts)?;
//! let terms = Terms::new(request.subject().clone(), request.public_key(), Profile::Node, validity);
//! let terms = Terms { hosts: request.hosts().clone(), ..terms };
//! let leaf = root.issue_on(&terms, &mut OsRandom)?;
//! register.record(&leaf)?;
//! let list = register.revocation_list(&root, now, now + 86_400)?;
//!
//! // Somebody dials it.
//! let city = Admission::under(root.certificate().sm3()).with_subject("OU=NDRC,O=CCG".parse()?);
//! let anchors = TrustAnchors::from_certificates(vec![root.certificate().clone()]);
//! let validator = Validator::new(anchors, vec![city])
//!     .with_revocation(Revocation::new(RevocationMode::Required, vec![list]));
//! let chain = [leaf];
//! validator.verify(&chain, Purpose::TlsServer, now, Some("node1.cc.jl"))?;
//! let refusal = validator.verify(&chain, Purpose::TlsServer, now, Some("node2.cc.jl")).unwrap_err();
//! assert_eq!(refusal.code(), "PK-1701");
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
mod seal;
mod serial;
mod shape;
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
    RESPONSE_BYTES_MAX, RESPONSE_CERTIFICATES_MAX, SEAL_BYTES_MAX, SEAL_CLOCK_LEEWAY_S,
    SEAL_SIGNATURE_BYTES_MAX, SEAL_SIGNERS_MAX, TIME_STAMP_BYTES_MAX, TIME_STAMP_REQUEST_BYTES_MAX,
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
pub use seal::{
    Seal, SealError, SealPicture, SealPolicy, SealSignature, SealSigners, SealSigning, SealTerms,
    SealVersion, SealedAs, VerifiedSeal, VerifiedSealSignature,
};
pub use serial::{SerialNumber, SerialNumberError};
pub use timestamp::{
    Accuracy, Grant, TimeStampAuthority, TimeStampError, TimeStampFailure, TimeStampRequest,
    TimeStampResponse, TimeStampToken, VerifiedTimeStamp,
};
pub use validator::{Validator, VerifiedPath};
