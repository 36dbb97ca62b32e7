//! What kinds of certificates a CA issues.

use der::asn1::ObjectIdentifier;

use crate::{ExtendedKeyUsage, KeyPurpose, KeyUsage, extensions::Extensions};

/// What a certificate to be issued is for.
///
/// No leaf gets basicConstraints: absent means the same as `CA:FALSE`, and GmSSL refuses the latter. Extended key usage
/// follows RFC 5280 §4.2.1.12; it is critical for time stamps alone (RFC 3161 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// A CA: basicConstraints cA, keyUsage keyCertSign and cRLSign. Self-signed by [`crate::Authority::create_root`];
    /// below another CA when passed to [`crate::Authority::issue`].
    RootCa {
        /// Most intermediates below it; `None` is no limit.
        path_length: Option<u8>,
    },
    /// A CA below another one that issues to end entities only: path length 0.
    IntermediateCa,
    /// The signing half of a pair (双证书): keyUsage digitalSignature and nonRepudiation, critical.
    Signing,
    /// The encryption half of a pair: keyUsage keyEncipherment, dataEncipherment and keyAgreement.
    Encryption,
    /// A TLS server: as [`Profile::Signing`], with `serverAuth` and the hosts it is for.
    Server,
    /// A TLS client: as [`Profile::Signing`], with `clientAuth`.
    Client,
    /// A node, which dials and is dialled: `serverAuth`, `clientAuth` and the hosts it is for.
    Node,
    /// A person who operates the platform: as [`Profile::Client`].
    Operator,
    /// A time-stamp authority (时间戳服务机构): `timeStamping` alone and critical.
    TimeStampAuthority,
    /// The maker or holder of an electronic seal (电子印章): as [`Profile::Signing`].
    Seal,
    /// Answers OCSP requests for the issuer: keyUsage digitalSignature, `OCSPSigning` and id-pkix-ocsp-nocheck, so it
    /// should be short-lived.
    OcspResponder,
}

/// Which certificate of a pair.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Signing,
    Encryption,
}

impl Profile {
    /// Whether it may have an encryption certificate beside the signing certificate.
    pub(super) const fn has_pair(self) -> bool {
        matches!(
            self,
            Self::Signing | Self::Server | Self::Client | Self::Node | Self::Operator | Self::Seal
        )
    }

    /// Whether nobody could reach it without a host name.
    pub(super) const fn needs_hosts(self) -> bool {
        matches!(self, Self::Server | Self::Node)
    }

    /// The extensions that depend on the profile.
    pub(super) fn extensions(self, half: Half) -> Extensions {
        let (ca, path_length) = match self {
            Self::RootCa { path_length } => (true, path_length),
            Self::IntermediateCa => (true, Some(0)),
            _ => (false, None),
        };
        Extensions {
            ca,
            path_length,
            key_usage: self.key_usage(half),
            extended_key_usage: self.extended_key_usage(),
            ocsp_no_check: self == Self::OcspResponder,
            ..Extensions::default()
        }
    }

    fn key_usage(self, half: Half) -> KeyUsage {
        match (self, half) {
            (Self::RootCa { .. } | Self::IntermediateCa, _) => {
                KeyUsage::KEY_CERT_SIGN.union(KeyUsage::CRL_SIGN)
            }
            (Self::OcspResponder, _) => KeyUsage::DIGITAL_SIGNATURE,
            (Self::Encryption, _) | (_, Half::Encryption) => KeyUsage::KEY_ENCIPHERMENT
                .union(KeyUsage::DATA_ENCIPHERMENT)
                .union(KeyUsage::KEY_AGREEMENT),
            _ => KeyUsage::DIGITAL_SIGNATURE.union(KeyUsage::NON_REPUDIATION),
        }
    }

    fn extended_key_usage(self) -> Option<ExtendedKeyUsage> {
        let purposes: &[KeyPurpose] = match self {
            Self::Server => &[KeyPurpose::ServerAuth],
            Self::Client | Self::Operator => &[KeyPurpose::ClientAuth],
            Self::Node => &[KeyPurpose::ServerAuth, KeyPurpose::ClientAuth],
            Self::TimeStampAuthority => &[KeyPurpose::TimeStamping],
            Self::OcspResponder => &[KeyPurpose::OcspSigning],
            Self::RootCa { .. }
            | Self::IntermediateCa
            | Self::Signing
            | Self::Encryption
            | Self::Seal => return None,
        };
        let oids: Vec<ObjectIdentifier> = purposes.iter().map(|purpose| purpose.oid()).collect();
        Some(ExtendedKeyUsage { critical: self == Self::TimeStampAuthority, oids })
    }
}
