//! The cipher suites with SM2, SM3 and SM4 (GB/T 38636-2020 §6.4.5.2.1, table 2).

use std::fmt;

/// A cipher suite. The identity-based and RSA suites of the standard do not exist here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CipherSuite {
    /// 0xE011: SM2 key exchange over both sides' encryption keys; SM4-CBC with HMAC-SM3.
    EcdheSm4CbcSm3,
    /// 0xE013: pre-master secret encrypted to the server's encryption key; SM4-CBC with HMAC-SM3.
    EccSm4CbcSm3,
    /// 0xE051: SM2 key exchange; SM4-GCM.
    EcdheSm4GcmSm3,
    /// 0xE053: encrypted pre-master secret; SM4-GCM.
    EccSm4GcmSm3,
}

/// How the pre-master secret comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyExchange {
    /// The client encrypts it to the server's encryption key.
    Ecc,
    /// SM2 key exchange (GB/T 32918.3-2016): both sides need encryption certificates.
    Ecdhe,
}

/// How records are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    /// SM4-CBC over plaintext and HMAC-SM3.
    Cbc,
    /// SM4-GCM.
    Gcm,
}

impl CipherSuite {
    /// All suites, the order of preference unless configured otherwise: GCM before CBC (whose encryption is serial and
    /// whose padding needs care), keys that are forgotten before keys that are kept.
    pub const ALL: [Self; 4] =
        [Self::EcdheSm4GcmSm3, Self::EccSm4GcmSm3, Self::EcdheSm4CbcSm3, Self::EccSm4CbcSm3];

    /// The identifier on the wire.
    #[must_use]
    pub const fn id(self) -> u16 {
        match self {
            Self::EcdheSm4CbcSm3 => 0xe011,
            Self::EccSm4CbcSm3 => 0xe013,
            Self::EcdheSm4GcmSm3 => 0xe051,
            Self::EccSm4GcmSm3 => 0xe053,
        }
    }

    /// The suite with this identifier.
    #[must_use]
    pub fn from_id(id: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.id() == id)
    }

    /// The standard's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EcdheSm4CbcSm3 => "ECDHE_SM4_CBC_SM3",
            Self::EccSm4CbcSm3 => "ECC_SM4_CBC_SM3",
            Self::EcdheSm4GcmSm3 => "ECDHE_SM4_GCM_SM3",
            Self::EccSm4GcmSm3 => "ECC_SM4_GCM_SM3",
        }
    }

    pub(crate) const fn key_exchange(self) -> KeyExchange {
        match self {
            Self::EcdheSm4CbcSm3 | Self::EcdheSm4GcmSm3 => KeyExchange::Ecdhe,
            Self::EccSm4CbcSm3 | Self::EccSm4GcmSm3 => KeyExchange::Ecc,
        }
    }

    pub(crate) const fn protection(self) -> Protection {
        match self {
            Self::EcdheSm4CbcSm3 | Self::EccSm4CbcSm3 => Protection::Cbc,
            Self::EcdheSm4GcmSm3 | Self::EccSm4GcmSm3 => Protection::Gcm,
        }
    }
}

impl fmt::Display for CipherSuite {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}
