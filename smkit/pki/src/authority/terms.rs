//! What a certificate to be issued will say.

use smkit::sm2::PublicKey;

use super::Profile;
use crate::{AlternativeNames, DistinguishedName};

/// First and last valid second, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First valid second.
    pub not_before: i64,
    /// Last valid second.
    pub not_after: i64,
}

/// Everything a certificate to be issued will say but its issuer and serial number.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    /// The subject: of a [`crate::Subject`], or as a request names it.
    pub subject: DistinguishedName,
    /// The subject's key. That they hold the private key is proven by a request
    /// ([`crate::CertificationRequest`]) or is the caller's matter.
    pub key: &'a PublicKey,
    /// What the certificate is for.
    pub profile: Profile,
    /// When it is valid.
    pub validity: Validity,
    /// The unified social credit code (统一社会信用代码), extension 1.2.156.10260.4.1.4.
    pub organisation_code: Option<&'a str>,
    /// Hosts it is for (subjectAltName).
    pub hosts: AlternativeNames,
    /// Where the issuer's revocation list is published.
    pub crl_uris: Vec<String>,
    /// Where the issuer's OCSP responder is.
    pub ocsp_uris: Vec<String>,
}

impl<'a> Terms<'a> {
    /// Terms without code, hosts and URIs.
    #[must_use]
    pub fn new(
        subject: DistinguishedName,
        key: &'a PublicKey,
        profile: Profile,
        validity: Validity,
    ) -> Self {
        Self {
            subject,
            key,
            profile,
            validity,
            organisation_code: None,
            hosts: AlternativeNames::default(),
            crl_uris: Vec::new(),
            ocsp_uris: Vec::new(),
        }
    }
}
