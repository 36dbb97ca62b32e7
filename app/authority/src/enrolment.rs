//! Who gets a new certificate for an old one.

use smkit_pki::{Certificate, CertificationRequest, KeyPurpose, Profile, Register};

/// Why whoever asks gets no certificate. Nothing was issued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnrolmentRefusal {
    /// The certificate shown is not one that this authority issued.
    #[error("the certificate shown was not issued by this authority")]
    NotOurs,
    /// It was revoked.
    #[error("the certificate shown is revoked")]
    Revoked,
    /// It has ended, or not begun.
    #[error("the certificate shown is not valid at this time")]
    NotValid,
    /// Somebody asks in another name.
    #[error("the request is for another subject than the certificate shown")]
    OtherSubject,
    /// The request names hosts that the certificate shown does not have.
    #[error("the request names hosts that the certificate shown is not for")]
    OtherHosts,
    /// The same key would live on.
    #[error("the request is for the key of the certificate shown: renewal takes a new key")]
    SameKey,
    /// Certificates of this kind are not renewed by their holders.
    #[error("a certificate of this kind is issued by the authority's operator only")]
    Kind,
}

/// What a renewal is issued as: everything but subject, hosts and key follows from the certificate shown.
pub(crate) fn judge(
    register: &Register,
    shown: &Certificate,
    request: &CertificationRequest,
    now_s: i64,
) -> Result<Profile, EnrolmentRefusal> {
    let entry = register.find(&shown.serial()).filter(|entry| entry.sm3 == shown.sm3());
    let entry = entry.ok_or(EnrolmentRefusal::NotOurs)?;
    if entry.revoked.is_some() {
        return Err(EnrolmentRefusal::Revoked);
    }
    if now_s < entry.not_before || now_s > entry.not_after {
        return Err(EnrolmentRefusal::NotValid);
    }
    if *request.subject() != shown.subject_dn() {
        return Err(EnrolmentRefusal::OtherSubject);
    }
    let hosts = shown.alternative_names().cloned().unwrap_or_default();
    if !request.hosts().is_empty() && *request.hosts() != hosts {
        return Err(EnrolmentRefusal::OtherHosts);
    }
    if request.public_key() == shown.public_key() {
        return Err(EnrolmentRefusal::SameKey);
    }
    profile_of(shown).ok_or(EnrolmentRefusal::Kind)
}

/// Only TLS certificates renew themselves: they are short-lived, and their extended key usage tells them apart.
fn profile_of(shown: &Certificate) -> Option<Profile> {
    let usage = shown.extended_key_usage()?;
    if shown.is_ca() || !shown.key_usage().digital_signature() {
        return None;
    }
    match (usage.names(KeyPurpose::ServerAuth), usage.names(KeyPurpose::ClientAuth)) {
        (true, true) => Some(Profile::Node),
        (true, false) => Some(Profile::Server),
        (false, true) => Some(Profile::Client),
        (false, false) => None,
    }
}
