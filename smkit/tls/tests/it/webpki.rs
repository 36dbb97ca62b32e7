//! The provider under rustls's own verifiers, as a program without a verifier of its own uses it.

use std::sync::Arc;

use rustls::{
    AlertDescription, CertificateError, Error, RootCertStore, client::WebPkiServerVerifier,
    server::WebPkiClientVerifier,
};
use smkit_tls::rfc8998::{client_config, provider, server_config};

use crate::{
    authority::{TestCa, TestTime, Wanted},
    pair::{Ended, Pair},
};

fn run(trusted: &TestCa, issuing: &TestCa, name: &'static str) -> (Pair, Ended) {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.root().der().to_vec().into()).unwrap();
    let (roots, provider) = (Arc::new(roots), Arc::new(provider()));
    let servers = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone());
    let clients = WebPkiClientVerifier::builder_with_provider(roots, provider);
    let (server, client) =
        (issuing.issue_below(&Wanted::server()), issuing.issue_below(&Wanted::client()));
    let time = TestTime::new();
    let client =
        client_config(Some((&client.chain, &client.key)), servers.build().unwrap(), time.clone());
    let clients = Some(clients.build().unwrap());
    let server = server_config(&server.chain, &server.key, clients, time);
    let mut pair = Pair::new(client.unwrap(), server.unwrap(), name);
    let ended = pair.run();
    (pair, ended)
}

#[test]
fn webpki_accepts_a_chain_of_sm2_certificates() {
    let ca = TestCa::new();
    let (mut pair, ended) = run(&ca, &ca, "node.example");
    assert_eq!((ended.client, ended.server), (Ok(()), Ok(())));
    assert_eq!(pair.client_says(b"over webpki"), b"over webpki");
}

#[test]
fn webpki_refuses_another_name_and_another_authority() {
    let ca = TestCa::new();
    let (_, ended) = run(&ca, &ca, "elsewhere.example");
    assert!(matches!(
        ended.client,
        Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. }))
    ));
    let (_, ended) = run(&ca, &TestCa::new(), "node.example");
    assert!(matches!(ended.client, Err(Error::InvalidCertificate(_))), "{ended:?}");
    assert!(matches!(
        ended.server,
        Err(Error::AlertReceived(AlertDescription::DecryptError | AlertDescription::UnknownCA))
    ));
}
