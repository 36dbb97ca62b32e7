//! Why a chain was refused.

use crate::{
    CHAIN_DEPTH_MAX, KeyUsage, RevocationReason,
    key_usage::KeyPurpose,
    reasons::{self, Reason, speak},
};

/// Why a chain was refused; every variant is a verdict on the certificates, not on the verifier.
///
/// Subjects and issuers are text by RFC 4514, times Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathError {
    /// No anchor or intermediate bears the issuer's name and key identifier.
    UnknownIssuer {
        /// The issuer sought.
        issuer: String,
    },
    /// The signature on a certificate is not its issuer's.
    BadSignature {
        /// Whose certificate.
        subject: String,
    },
    /// The path has more than [`crate::CHAIN_DEPTH_MAX`] certificates.
    TooDeep,
    /// More than [`crate::INTERMEDIATES_MAX`] intermediates were offered.
    TooManyIntermediates {
        /// How many.
        count: usize,
    },
    /// The search met its bound of signatures: the certificates were made to waste time.
    TooManyPaths,
    /// The chain is empty.
    NoCertificate,
    /// A certificate had ended.
    Expired {
        /// Whose certificate.
        subject: String,
        /// Its last valid second.
        not_after: i64,
    },
    /// A certificate had not begun.
    NotYetValid {
        /// Whose certificate.
        subject: String,
        /// Its first valid second.
        not_before: i64,
    },
    /// An issuer, or a leaf used to sign certificates, is not a CA.
    NotACa {
        /// Whose certificate.
        subject: String,
    },
    /// More intermediates below a CA than it allows.
    PathLength {
        /// Which CA.
        subject: String,
        /// Its bound.
        path_length: u8,
    },
    /// A critical extension this crate does not evaluate.
    UnknownCriticalExtension {
        /// Whose certificate.
        subject: String,
        /// Which extension.
        oid: String,
    },
    /// keyUsage does not allow what the key was used for.
    KeyUsage {
        /// Whose certificate.
        subject: String,
        /// What is missing.
        required: KeyUsage,
    },
    /// The extended key usage confines the certificate to other purposes, or does not grant one that must be granted.
    ExtendedKeyUsage {
        /// Whose certificate.
        subject: String,
        /// What is missing; [`KeyPurpose::Any`] for a general signature.
        required: KeyPurpose,
    },
    /// The extended key usage grants the purpose, but not in the form required for it.
    ExtendedKeyUsageForm {
        /// Whose certificate.
        subject: String,
        /// The purpose that must be critical and alone.
        required: KeyPurpose,
    },
    /// The certificate had been revoked by then.
    Revoked {
        /// Whose certificate.
        subject: String,
        /// Since when it must not be relied on.
        since: i64,
        /// Why.
        reason: RevocationReason,
    },
    /// Revocation information is required, and there is none.
    NoRevocationInformation {
        /// Whose certificate.
        subject: String,
    },
    /// Revocation information is required, and what there is was out of date.
    StaleRevocationInformation {
        /// Whose certificate.
        subject: String,
        /// Until when it was to be used.
        next_update: i64,
    },
    /// Revocation information is required, and what there is is not its issuer's.
    BadRevocationInformation {
        /// Whose certificate.
        subject: String,
    },
    /// The server's certificate is for other hosts.
    NameMismatch {
        /// The host that was dialled.
        name: String,
    },
    /// The server's certificate names no host.
    NoNames {
        /// The host that was dialled.
        name: String,
    },
    /// What was dialled is no host name.
    NameForm {
        /// The name given.
        name: String,
    },
    /// The chain does not run through an admitted authority.
    IssuerNotAdmitted {
        /// Whose certificate.
        subject: String,
    },
    /// The subject does not match any rule of the authority it was issued under.
    SubjectNotAdmitted {
        /// Whose certificate.
        subject: String,
        /// The first rule it fails.
        rule: String,
    },
    /// An attribute that a rule is about stands in a multi-valued RDN.
    SubjectAmbiguous {
        /// Whose certificate.
        subject: String,
        /// Which attribute.
        attribute: &'static str,
    },
    /// Signing and encryption certificate do not belong together.
    PairSubjects {
        /// Holder of the signing certificate.
        signing: String,
        /// Holder of the encryption certificate.
        encryption: String,
    },
}

impl PathError {
    /// Code, kind and sentences of this refusal.
    #[must_use]
    pub const fn reason(&self) -> &'static Reason {
        match self {
            Self::UnknownIssuer { .. } => reasons::UNKNOWN_ISSUER,
            Self::BadSignature { .. } => reasons::BAD_SIGNATURE,
            Self::TooDeep => reasons::TOO_DEEP,
            Self::TooManyIntermediates { .. } => reasons::TOO_MANY_INTERMEDIATES,
            Self::TooManyPaths => reasons::TOO_MANY_PATHS,
            Self::NoCertificate => reasons::NO_CERTIFICATE,
            Self::Expired { .. } => reasons::EXPIRED,
            Self::NotYetValid { .. } => reasons::NOT_YET_VALID,
            Self::NotACa { .. } => reasons::NOT_A_CA,
            Self::PathLength { .. } => reasons::PATH_LENGTH,
            Self::UnknownCriticalExtension { .. } => reasons::UNKNOWN_CRITICAL,
            Self::KeyUsage { .. } => reasons::KEY_USAGE,
            Self::ExtendedKeyUsage { .. } => reasons::EXTENDED_KEY_USAGE,
            Self::ExtendedKeyUsageForm { .. } => reasons::EXTENDED_KEY_USAGE_FORM,
            Self::Revoked { .. } => reasons::REVOKED,
            Self::NoRevocationInformation { .. } => reasons::NO_REVOCATION_INFORMATION,
            Self::StaleRevocationInformation { .. } => reasons::STALE_REVOCATION_INFORMATION,
            Self::BadRevocationInformation { .. } => reasons::BAD_REVOCATION_INFORMATION,
            Self::NameMismatch { .. } => reasons::NAME_MISMATCH,
            Self::NoNames { .. } => reasons::NO_NAMES,
            Self::NameForm { .. } => reasons::NAME_FORM,
            Self::IssuerNotAdmitted { .. } => reasons::ISSUER_NOT_ADMITTED,
            Self::SubjectNotAdmitted { .. } => reasons::SUBJECT_NOT_ADMITTED,
            Self::SubjectAmbiguous { .. } => reasons::SUBJECT_AMBIGUOUS,
            Self::PairSubjects { .. } => reasons::PAIR_SUBJECTS,
        }
    }

    pub(crate) fn facts(&self) -> Vec<String> {
        match self {
            Self::TooManyPaths | Self::NoCertificate => Vec::new(),
            Self::TooDeep => vec![CHAIN_DEPTH_MAX.to_string()],
            Self::TooManyIntermediates { count } => vec![count.to_string()],
            Self::UnknownIssuer { issuer: text }
            | Self::BadSignature { subject: text }
            | Self::NotACa { subject: text }
            | Self::NoRevocationInformation { subject: text }
            | Self::BadRevocationInformation { subject: text }
            | Self::IssuerNotAdmitted { subject: text }
            | Self::NameMismatch { name: text }
            | Self::NoNames { name: text }
            | Self::NameForm { name: text } => vec![text.clone()],
            Self::Expired { subject, not_after: at }
            | Self::NotYetValid { subject, not_before: at }
            | Self::StaleRevocationInformation { subject, next_update: at } => {
                vec![subject.clone(), at.to_string()]
            }
            Self::PathLength { subject, path_length } => {
                vec![subject.clone(), path_length.to_string()]
            }
            Self::UnknownCriticalExtension { subject, oid: other }
            | Self::SubjectNotAdmitted { subject, rule: other }
            | Self::PairSubjects { signing: subject, encryption: other } => {
                vec![subject.clone(), other.clone()]
            }
            Self::KeyUsage { subject, required } => vec![subject.clone(), required.to_string()],
            Self::ExtendedKeyUsage { subject, required }
            | Self::ExtendedKeyUsageForm { subject, required } => {
                vec![subject.clone(), required.name().to_owned()]
            }
            Self::Revoked { subject, since, reason } => {
                vec![subject.clone(), since.to_string(), reason.name().to_owned()]
            }
            Self::SubjectAmbiguous { subject, attribute } => {
                vec![subject.clone(), (*attribute).to_owned()]
            }
        }
    }
}

speak!(PathError);
