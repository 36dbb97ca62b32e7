//! TLS 1.3 with SM2, SM3 and SM4 (RFC 8998) as a provider for rustls 0.23.
//!
//! [`provider`] has two suites, one group and one signature scheme, all on smkit's kernels; [`server_config`] and
//! [`client_config`] are the paved path to a rustls configuration. A program with a verifier of its own (or rustls's,
//! on webpki) takes the provider alone: certificates verify under the default signer ID, handshakes under the ID of
//! RFC 8998 §3.2.1, and neither can be mistaken for the other.

mod config;
mod digest;
mod group;
mod judge;
mod random;
mod record;
mod signature;
mod ticket;
mod verifier;

use rustls::{
    CipherSuite, NamedGroup, SignatureScheme, SupportedCipherSuite, Tls13CipherSuite,
    crypto::{
        CipherSuiteCommon, CryptoProvider, SupportedKxGroup, WebPkiSupportedAlgorithms,
        tls13::HkdfUsingHmac,
    },
};

pub use self::{
    config::{ClientAuth, ConfigError, client_config, server_config},
    signature::signing_key,
    ticket::Ticketer,
    verifier::{ClientVerifier, ServerVerifier},
};

/// A provider with the suites, group and signature scheme of RFC 8998 and nothing else.
///
/// Every field is rustls's own, so a caller may narrow it, for instance to one suite.
#[must_use]
pub fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![TLS_SM4_GCM_SM3, TLS_SM4_CCM_SM3],
        kx_groups: vec![CURVE_SM2],
        signature_verification_algorithms: ALGORITHMS,
        secure_random: &random::OsSecureRandom,
        key_provider: &signature::Keys,
    }
}

/// `TLS_SM4_GCM_SM3` (0x00C6): the suite to prefer.
pub const TLS_SM4_GCM_SM3: SupportedCipherSuite = SupportedCipherSuite::Tls13(&GCM);
/// `TLS_SM4_CCM_SM3` (0x00C7): for peers that have no GCM; its MAC is serial, so it is several times slower.
pub const TLS_SM4_CCM_SM3: SupportedCipherSuite = SupportedCipherSuite::Tls13(&CCM);
/// curveSM2, named group 41 (RFC 8998 §3.2.2): the only group the suites may be used with.
pub const CURVE_SM2: &dyn SupportedKxGroup = &group::CurveSm2;
/// Code point of [`CURVE_SM2`].
pub const CURVE_SM2_NAME: NamedGroup = NamedGroup::Unknown(41);
/// `sm2sig_sm3` (0x0708), RFC 8998 §3.2.1.
pub const SM2SIG_SM3: SignatureScheme = SignatureScheme::Unknown(0x0708);
/// For rustls's verifiers on webpki: `all` checks certificates, `mapping` checks handshakes.
pub const ALGORITHMS: WebPkiSupportedAlgorithms = signature::ALGORITHMS;

static GCM: Tls13CipherSuite = Tls13CipherSuite {
    common: CipherSuiteCommon {
        suite: CipherSuite::Unknown(0x00c6),
        hash_provider: &digest::Sm3Hash,
        // RFC 8446 §5.5 on AES-GCM; SM4 has the same block size. rustls updates its keys before that.
        confidentiality_limit: 1 << 24,
    },
    hkdf_provider: &HkdfUsingHmac(&digest::Sm3Hmac),
    aead_alg: &record::GcmRecords,
    quic: None,
};
static CCM: Tls13CipherSuite = Tls13CipherSuite {
    common: CipherSuiteCommon {
        suite: CipherSuite::Unknown(0x00c7),
        hash_provider: &digest::Sm3Hash,
        // RFC 9147 §4.5.3 on AES-CCM.
        confidentiality_limit: 1 << 23,
    },
    hkdf_provider: &HkdfUsingHmac(&digest::Sm3Hmac),
    aead_alg: &record::CcmRecords,
    quic: None,
};

#[cfg(test)]
mod tests;
