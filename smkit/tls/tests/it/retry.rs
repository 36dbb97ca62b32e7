//! `HelloRetryRequest`, and clients with nothing that we have.

use std::sync::Arc;

use rustls::{
    AlertDescription, CipherSuite, Error, HandshakeKind, NamedGroup, PeerIncompatible,
    SupportedCipherSuite, Tls13CipherSuite,
    crypto::{ActiveKeyExchange, CryptoProvider, SharedSecret, SupportedKxGroup},
    ffdhe_groups::FfdheGroup,
};
use smkit_tls::rfc8998::{CURVE_SM2, TLS_SM4_GCM_SM3, provider};

use crate::{
    authority::TestCa,
    pair::{Pair, Setting},
};

/// A client of `setting` with another provider.
fn with_provider(setting: &Setting, ca: &TestCa, provider: CryptoProvider) -> Pair {
    let client = ca.client();
    let chain = client.chain.iter().map(|one| one.der().to_vec().into()).collect();
    let key = client.key.to_pkcs8_der().unwrap().to_vec();
    let config =
        rustls::ClientConfig::builder_with_details(Arc::new(provider), setting.time.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(setting.servers.clone())
            .with_client_auth_cert(chain, rustls::pki_types::PrivateKeyDer::Pkcs8(key.into()))
            .unwrap();
    Pair::new(config, setting.server.clone(), setting.name)
}

/// A group that our server does not have: x25519's code point with bytes of its length.
#[derive(Debug)]
struct Foreign;

impl SupportedKxGroup for Foreign {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Ok(Box::new(ForeignShare))
    }
    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }
    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

struct ForeignShare;

impl ActiveKeyExchange for ForeignShare {
    fn complete(self: Box<Self>, _: &[u8]) -> Result<SharedSecret, Error> {
        Err(Error::General("nobody has this group".into()))
    }
    fn pub_key(&self) -> &[u8] {
        &[9; 32]
    }
    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

#[test]
fn a_share_of_another_group_is_asked_for_again_on_curve_sm2() {
    let ca = TestCa::new();
    let setting = Setting::with(&ca, &ca.server(), None);
    let groups = vec![&Foreign as &dyn SupportedKxGroup, CURVE_SM2];
    let mut pair = with_provider(&setting, &ca, CryptoProvider { kx_groups: groups, ..provider() });
    pair.shake();
    let kind = Some(HandshakeKind::FullWithHelloRetryRequest);
    assert_eq!((pair.client.handshake_kind(), pair.server.handshake_kind()), (kind, kind));
    assert_eq!(pair.client_says(b"after a retry"), b"after a retry");
}

#[test]
fn a_client_without_curve_sm2_is_refused() {
    let ca = TestCa::new();
    let setting = Setting::with(&ca, &ca.server(), None);
    let groups = vec![&Foreign as &dyn SupportedKxGroup];
    let mut pair = with_provider(&setting, &ca, CryptoProvider { kx_groups: groups, ..provider() });
    let ended = pair.run();
    let none = PeerIncompatible::NoKxGroupsInCommon;
    assert_eq!(ended.server, Err(Error::PeerIncompatible(none)));
    assert_eq!(ended.client, Err(Error::AlertReceived(AlertDescription::HandshakeFailure)));
}

#[test]
fn a_client_without_our_suites_is_refused() {
    let ca = TestCa::new();
    let setting = Setting::with(&ca, &ca.server(), None);
    let SupportedCipherSuite::Tls13(ours) = TLS_SM4_GCM_SM3;
    let mut common = rustls::crypto::CipherSuiteCommon {
        suite: CipherSuite::TLS13_AES_128_GCM_SHA256,
        hash_provider: ours.common.hash_provider,
        confidentiality_limit: ours.common.confidentiality_limit,
    };
    common.suite = CipherSuite::TLS13_AES_128_GCM_SHA256;
    let other: &'static Tls13CipherSuite = Box::leak(Box::new(Tls13CipherSuite {
        common,
        hkdf_provider: ours.hkdf_provider,
        aead_alg: ours.aead_alg,
        quic: None,
    }));
    let suites = vec![SupportedCipherSuite::Tls13(other)];
    let mut pair =
        with_provider(&setting, &ca, CryptoProvider { cipher_suites: suites, ..provider() });
    let ended = pair.run();
    let none = PeerIncompatible::NoCipherSuitesInCommon;
    assert_eq!(ended.server, Err(Error::PeerIncompatible(none)));
    assert_eq!(ended.client, Err(Error::AlertReceived(AlertDescription::HandshakeFailure)));
}
