//! Peers that are refused: the alert, the typed error and the exact reason, on the side that refuses.

use rustls::{AlertDescription, CertificateError, Error};
use smkit_pki::Profile;
use smkit_tls::peer::PeerRefusal;

use crate::{
    authority::{Holder, NOW, TestCa, Wanted},
    pair::{Ended, Setting},
};

/// What the refusing side has, and what the other side hears.
struct Refused {
    error: Error,
    alert: Error,
    refusal: Option<PeerRefusal>,
}

fn client_refused(ca: &TestCa, client: &Holder) -> Refused {
    let setting = Setting::with(ca, &ca.server(), Some(client));
    let Ended { client, server } = setting.pair().run();
    Refused {
        error: server.unwrap_err(),
        alert: client.unwrap_err(),
        refusal: setting.clients.take_refusal(),
    }
}

fn server_refused(ca: &TestCa, server: &Holder, name: &'static str) -> Refused {
    let setting = Setting { name, ..Setting::with(ca, server, Some(&ca.client())) };
    let Ended { client, server } = setting.pair().run();
    Refused {
        error: client.unwrap_err(),
        alert: server.unwrap_err(),
        refusal: setting.servers.take_refusal(),
    }
}

fn check(refused: &Refused, error: CertificateError, alert: AlertDescription, code: &str) {
    assert_eq!(refused.error, Error::InvalidCertificate(error));
    assert_eq!(refused.alert, Error::AlertReceived(alert));
    assert_eq!(refused.refusal.as_ref().map(|refusal| refusal.code), Some(code));
}

/// A wrong certificate, and how it is refused.
type Case = (Wanted, CertificateError, AlertDescription, &'static str);

fn cases(right: &Wanted, other_profile: Profile) -> Vec<Case> {
    vec![
        (
            Wanted { not_after: NOW - 1, ..right.clone() },
            CertificateError::Expired,
            AlertDescription::CertificateExpired,
            "PK-1201",
        ),
        (
            Wanted { not_before: NOW + 1, ..right.clone() },
            CertificateError::Expired,
            AlertDescription::CertificateExpired,
            "PK-1202",
        ),
        (
            Wanted { profile: other_profile, hosts: vec!["localhost"], ..right.clone() },
            CertificateError::InvalidPurpose,
            AlertDescription::UnsupportedCertificate,
            "PK-1501",
        ),
        (
            Wanted { unit: "HRSS", ..right.clone() },
            CertificateError::ApplicationVerificationFailure,
            AlertDescription::AccessDenied,
            "PK-1802",
        ),
    ]
}

#[test]
fn clients_with_wrong_certificates() {
    let ca = TestCa::new();
    for (wanted, error, alert, code) in cases(&Wanted::client(), Profile::Server) {
        check(&client_refused(&ca, &ca.issue(&wanted)), error, alert, code);
    }
}

#[test]
fn servers_with_wrong_certificates() {
    let ca = TestCa::new();
    for (wanted, error, alert, code) in cases(&Wanted::server(), Profile::Client) {
        check(&server_refused(&ca, &ca.issue(&wanted), "localhost"), error, alert, code);
    }
}

#[test]
fn a_server_under_another_name() {
    let ca = TestCa::new();
    let refused = server_refused(&ca, &ca.server(), "elsewhere.example");
    // This kind carries the refusal itself.
    let Error::InvalidCertificate(CertificateError::Other(inner)) = &refused.error else {
        panic!("{:?}", refused.error)
    };
    let inner = inner.0.downcast_ref::<PeerRefusal>();
    assert_eq!(inner.map(|refusal| refusal.code), Some("PK-1701"));
    assert_eq!(inner, refused.refusal.as_ref());
    assert_eq!(refused.alert, Error::AlertReceived(AlertDescription::CertificateUnknown));
}

#[test]
fn certificates_of_another_authority() {
    let (ca, other) = (TestCa::new(), TestCa::new());
    let below = other.issue_below(&Wanted::client());
    let orphan = Holder { chain: vec![below.chain[0].clone()], ..below };
    // The two roots bear one name: their keys tell them apart.
    for stranger in [other.client(), orphan] {
        let refused = client_refused(&ca, &stranger);
        check(&refused, CertificateError::UnknownIssuer, AlertDescription::UnknownCA, "PK-1101");
    }
}

#[test]
fn a_certificate_whose_signature_is_not_the_authoritys() {
    let ca = TestCa::new();
    let client = ca.client();
    let mut der = client.certificate().der().to_vec();
    // The lowest byte of s.
    *der.last_mut().unwrap() ^= 1;
    let forged = smkit_pki::Certificate::from_der(&der).unwrap();
    let refused = client_refused(&ca, &Holder { chain: vec![forged], ..client });
    let alert = AlertDescription::BadCertificate;
    check(&refused, CertificateError::BadEncoding, alert, "PK-1102");
}

#[test]
fn a_client_without_a_certificate_where_one_is_required() {
    let ca = TestCa::new();
    let setting = Setting::with(&ca, &ca.server(), None);
    let Ended { client, server } = setting.pair().run();
    assert_eq!(server, Err(Error::NoCertificatesPresented));
    let alert = AlertDescription::CertificateRequired;
    assert_eq!(client, Err(Error::AlertReceived(alert)));
}

#[test]
fn a_client_that_does_not_hold_the_key() {
    let ca = TestCa::new();
    let mut setting = Setting::with(&ca, &ca.server(), None);
    let (shown, held) = (ca.client(), ca.client());
    let certified = rustls::sign::CertifiedKey::new(
        vec![shown.certificate().der().to_vec().into()],
        smkit_tls::rfc8998::signing_key(&held.key).unwrap(),
    );
    setting.client.client_auth_cert_resolver =
        std::sync::Arc::new(rustls::sign::SingleCertAndKey::from(certified));
    let Ended { client, server } = setting.pair().run();
    assert_eq!(server, Err(Error::InvalidCertificate(CertificateError::BadSignature)));
    assert_eq!(client, Err(Error::AlertReceived(AlertDescription::DecryptError)));
}

#[test]
fn bytes_that_are_no_sm2_certificate() {
    let ca = TestCa::new();
    let holder = ca.client();
    let mut setting = Setting::with(&ca, &ca.server(), None);
    let mut der = holder.certificate().der().to_vec();
    // The last byte of the signature algorithm's identifier: 1.2.156.10197.1.501 becomes .502.
    let at = der.windows(9).rposition(|window| window == b"\x08\x2a\x81\x1c\xcf\x55\x01\x83\x75");
    der[at.unwrap() + 8] ^= 3;
    let certified = rustls::sign::CertifiedKey::new(
        vec![der.into()],
        smkit_tls::rfc8998::signing_key(&holder.key).unwrap(),
    );
    setting.client.client_auth_cert_resolver =
        std::sync::Arc::new(rustls::sign::SingleCertAndKey::from(certified));
    let Ended { client, server } = setting.pair().run();
    // RFC 8446 §6.2: a certificate of a kind that is not supported.
    assert_eq!(server, Err(Error::InvalidCertificate(CertificateError::InvalidPurpose)));
    assert_eq!(client, Err(Error::AlertReceived(AlertDescription::UnsupportedCertificate)));
    assert_eq!(setting.clients.take_refusal().unwrap().code, "PK-1004");
}
