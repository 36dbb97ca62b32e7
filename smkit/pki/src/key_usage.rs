//! What a key may be used for: keyUsage and extended key usage.

use std::fmt;

use der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix;

/// What a key may be used for (RFC 5280 §4.2.1.3); a certificate without the extension may do nothing.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// Bit 0: signatures over data.
    pub const DIGITAL_SIGNATURE: Self = Self(1);
    /// Bit 1: signatures the signer must not be able to deny (content commitment).
    pub const NON_REPUDIATION: Self = Self(1 << 1);
    /// Bit 2: transport of keys.
    pub const KEY_ENCIPHERMENT: Self = Self(1 << 2);
    /// Bit 3: direct encryption of data.
    pub const DATA_ENCIPHERMENT: Self = Self(1 << 3);
    /// Bit 4: key agreement.
    pub const KEY_AGREEMENT: Self = Self(1 << 4);
    /// Bit 5: signatures on certificates.
    pub const KEY_CERT_SIGN: Self = Self(1 << 5);
    /// Bit 6: signatures on revocation lists.
    pub const CRL_SIGN: Self = Self(1 << 6);

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every use in `other` is allowed.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// May sign data.
    #[must_use]
    pub const fn digital_signature(self) -> bool {
        self.contains(Self::DIGITAL_SIGNATURE)
    }

    /// May sign undeniably.
    #[must_use]
    pub const fn non_repudiation(self) -> bool {
        self.contains(Self::NON_REPUDIATION)
    }

    /// May transport keys.
    #[must_use]
    pub const fn key_encipherment(self) -> bool {
        self.contains(Self::KEY_ENCIPHERMENT)
    }

    /// May encrypt data.
    #[must_use]
    pub const fn data_encipherment(self) -> bool {
        self.contains(Self::DATA_ENCIPHERMENT)
    }

    /// May agree on keys.
    #[must_use]
    pub const fn key_agreement(self) -> bool {
        self.contains(Self::KEY_AGREEMENT)
    }

    /// May sign certificates.
    #[must_use]
    pub const fn key_cert_sign(self) -> bool {
        self.contains(Self::KEY_CERT_SIGN)
    }

    /// May sign revocation lists.
    #[must_use]
    pub const fn crl_sign(self) -> bool {
        self.contains(Self::CRL_SIGN)
    }

    /// The names of RFC 5280 of all uses allowed, in the order of their bits.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMED.iter().filter(move |(bit, _)| self.contains(*bit)).map(|(_, name)| *name)
    }

    /// The bits, bit 0 first as in RFC 5280.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    pub(crate) fn to_asn1(self) -> pkix::KeyUsage {
        pkix::KeyUsage(der::flagset::FlagSet::new_truncated(self.0))
    }
}

impl fmt::Display for KeyUsage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.names().collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Debug for KeyUsage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.names()).finish()
    }
}

/// What a certificate is confined to (RFC 5280 §4.2.1.12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedKeyUsage {
    pub(crate) critical: bool,
    pub(crate) oids: Vec<ObjectIdentifier>,
}

impl ExtendedKeyUsage {
    /// Whether the extension is critical.
    #[must_use]
    pub const fn is_critical(&self) -> bool {
        self.critical
    }

    /// The purposes, in dotted form and in the order of the certificate.
    #[must_use]
    pub fn oids(&self) -> Vec<String> {
        self.oids.iter().map(ToString::to_string).collect()
    }

    /// Whether the list names this purpose; `anyExtendedKeyUsage` does not stand for others here.
    #[must_use]
    pub fn names(&self, purpose: KeyPurpose) -> bool {
        self.oids.contains(&purpose.oid())
    }
}

/// Purposes that this crate knows (RFC 5280 §4.2.1.12, RFC 3161 §2.3, RFC 6960 §4.2.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyPurpose {
    /// `anyExtendedKeyUsage`, 2.5.29.37.0.
    Any,
    /// `serverAuth`, 1.3.6.1.5.5.7.3.1.
    ServerAuth,
    /// `clientAuth`, 1.3.6.1.5.5.7.3.2.
    ClientAuth,
    /// `timeStamping`, 1.3.6.1.5.5.7.3.8.
    TimeStamping,
    /// `OCSPSigning`, 1.3.6.1.5.5.7.3.9.
    OcspSigning,
}

impl KeyPurpose {
    /// The name of the standard.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "anyExtendedKeyUsage",
            Self::ServerAuth => "serverAuth",
            Self::ClientAuth => "clientAuth",
            Self::TimeStamping => "timeStamping",
            Self::OcspSigning => "OCSPSigning",
        }
    }

    pub(crate) const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Any => const_oid::db::rfc5280::ANY_EXTENDED_KEY_USAGE,
            Self::ServerAuth => const_oid::db::rfc5280::ID_KP_SERVER_AUTH,
            Self::ClientAuth => const_oid::db::rfc5280::ID_KP_CLIENT_AUTH,
            Self::TimeStamping => const_oid::db::rfc5280::ID_KP_TIME_STAMPING,
            Self::OcspSigning => const_oid::db::rfc5280::ID_KP_OCSP_SIGNING,
        }
    }
}

const NAMED: [(KeyUsage, &str); 9] = [
    (KeyUsage::DIGITAL_SIGNATURE, "digitalSignature"),
    (KeyUsage::NON_REPUDIATION, "nonRepudiation"),
    (KeyUsage::KEY_ENCIPHERMENT, "keyEncipherment"),
    (KeyUsage::DATA_ENCIPHERMENT, "dataEncipherment"),
    (KeyUsage::KEY_AGREEMENT, "keyAgreement"),
    (KeyUsage::KEY_CERT_SIGN, "keyCertSign"),
    (KeyUsage::CRL_SIGN, "cRLSign"),
    (KeyUsage(1 << 7), "encipherOnly"),
    (KeyUsage(1 << 8), "decipherOnly"),
];
