//! Handshakes that succeed, and what both sides know afterwards.

use rustls::{HandshakeKind, ProtocolVersion, SupportedCipherSuite};
use smkit_tls::rfc8998::{CURVE_SM2_NAME, TLS_SM4_CCM_SM3, TLS_SM4_GCM_SM3};

use crate::{
    authority::{TestCa, Wanted},
    pair::{Pair, Setting, only},
};

const SUITES: [SupportedCipherSuite; 2] = [TLS_SM4_GCM_SM3, TLS_SM4_CCM_SM3];

/// The setting with one suite on the client's side.
fn offering(setting: &Setting, ca: &TestCa, suite: SupportedCipherSuite) -> Pair {
    let client = ca.client();
    let builder =
        rustls::ClientConfig::builder_with_details(only(suite).into(), setting.time.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(setting.servers.clone());
    let key =
        rustls::pki_types::PrivateKeyDer::Pkcs8(client.key.to_pkcs8_der().unwrap().to_vec().into());
    let chain = client.chain.iter().map(|one| one.der().to_vec().into()).collect();
    // The key provider's way in, as any rustls program takes it.
    let config = builder.with_client_auth_cert(chain, key).unwrap();
    Pair::new(config, setting.server.clone(), setting.name)
}

#[test]
fn mutual_handshake_with_each_suite() {
    let ca = TestCa::new();
    let setting = Setting::with(&ca, &ca.server(), None);
    for suite in SUITES {
        let mut pair = offering(&setting, &ca, suite);
        pair.shake();
        for side in [&*pair.client, &*pair.server] as [&rustls::CommonState; 2] {
            assert_eq!(side.protocol_version(), Some(ProtocolVersion::TLSv1_3));
            assert_eq!(side.negotiated_cipher_suite().map(|it| it.suite()), Some(suite.suite()));
            let group = side.negotiated_key_exchange_group().map(|group| group.name());
            assert_eq!(group, Some(CURVE_SM2_NAME));
            assert_eq!(side.handshake_kind(), Some(HandshakeKind::Full));
        }
        assert_eq!(pair.client_says(b"from the client"), b"from the client");
        assert_eq!(pair.server_says(b"from the server"), b"from the server");
    }
}

#[test]
fn gcm_is_preferred_when_both_are_offered() {
    let mut pair = Setting::mutual().pair();
    pair.shake();
    let suite = pair.server.negotiated_cipher_suite().map(|suite| suite.suite());
    assert_eq!(suite, Some(TLS_SM4_GCM_SM3.suite()));
}

#[test]
fn identities_are_those_of_the_certificates() {
    let ca = TestCa::new();
    let (server, client) = (ca.issue_below(&Wanted::server()), ca.issue_below(&Wanted::client()));
    let setting = Setting::with(&ca, &server, Some(&client));
    let mut pair = setting.pair();
    pair.shake();
    let seen = setting.clients.identity(pair.server.peer_certificates().unwrap()).unwrap();
    assert_eq!(seen.leaf(), client.certificate());
    assert_eq!(seen.chain(), client.chain);
    let seen = setting.servers.identity(pair.client.peer_certificates().unwrap()).unwrap();
    assert_eq!(seen.leaf(), server.certificate());
}

#[test]
fn a_client_may_stay_anonymous_where_it_is_not_asked() {
    let ca = TestCa::new();
    let server = ca.server();
    let setting = Setting::with(&ca, &server, None);
    let config =
        smkit_tls::rfc8998::server_config(&server.chain, &server.key, None, setting.time.clone());
    let mut pair = Pair::new(setting.client.clone(), config.unwrap(), setting.name);
    pair.shake();
    assert!(pair.server.peer_certificates().is_none());
}

#[test]
fn alpn_is_agreed_on() {
    let mut setting = Setting::mutual();
    setting.server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    setting.client.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut pair = setting.pair();
    pair.shake();
    assert_eq!(pair.server.alpn_protocol(), Some(b"http/1.1".as_slice()));
}

#[test]
fn keying_material_is_the_same_on_both_sides() {
    let mut pair = Setting::mutual().pair();
    pair.shake();
    let ask = |connection: &rustls::ClientConnection| {
        connection.export_keying_material([0; 32], b"label", Some(b"context")).unwrap()
    };
    let server: [u8; 32] =
        pair.server.export_keying_material([0; 32], b"label", Some(b"context")).unwrap();
    assert_eq!(ask(&pair.client), server);
    assert_ne!(server, [0; 32]);
}

#[test]
fn keys_are_updated_in_both_directions() {
    let mut pair = Setting::mutual().pair();
    pair.shake();
    for round in 0..3_u8 {
        pair.client.refresh_traffic_keys().unwrap();
        assert_eq!(pair.client_says(&[round; 100]), [round; 100]);
        pair.server.refresh_traffic_keys().unwrap();
        assert_eq!(pair.server_says(&[round; 100]), [round; 100]);
    }
}

#[test]
fn a_key_that_belongs_to_another_certificate_is_no_configuration() {
    let ca = TestCa::new();
    let (one, other) = (ca.server(), ca.server());
    let time = crate::authority::TestTime::new();
    let refused = smkit_tls::rfc8998::server_config(&one.chain, &other.key, None, time.clone());
    assert!(matches!(refused, Err(smkit_tls::rfc8998::ConfigError::KeyMismatch { .. })));
    let refused = smkit_tls::rfc8998::server_config(&[], &other.key, None, time);
    assert!(matches!(refused, Err(smkit_tls::rfc8998::ConfigError::NoCertificate)));
}
