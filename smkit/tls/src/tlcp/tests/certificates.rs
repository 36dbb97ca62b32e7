//! Peers whose certificates do not admit them, on either side.

use std::sync::Arc;

use smkit_pki::Validity;

use super::{
    handshake::ends,
    wire::{Outcome, run},
    world::{Member, NOW, Rules, VALIDITY, World, subject, with_key_usage},
};
use crate::{
    peer::PeerAlert,
    tlcp::{
        AlertDescription, CipherSuite, ClientAuthentication, Credentials, MessageKind,
        ServerConfig, TlcpError,
        keys::Side,
        messages::{Message, put_certificate_list},
        tests::{
            wire::{Flying, run_with},
            world::{StandingClock, counters},
        },
    },
};

const EXPIRED: Validity = Validity { not_before: NOW - 1000, not_after: NOW - 1 };

/// Both sides present `member` in turn; each time the other refuses it so.
fn both_refuse(
    world: &World,
    member: impl Fn() -> Member,
    rules: impl Fn() -> Rules,
    alert: PeerAlert,
) {
    let server = ServerConfig::new(member().credentials(), ClientAuthentication::None)
        .with_clock(Arc::new(StandingClock(NOW)))
        .with_random(counters(3));
    let client = crate::tlcp::ClientConfig::new(Arc::new(rules()))
        .with_clock(Arc::new(StandingClock(NOW)))
        .with_random(counters(4));
    let (mut client, mut server) = ends(&client.into(), &server.into());
    let outcome = run(&mut client, &mut server);
    refused(&outcome, &outcome.client, &outcome.server, alert);
    for suite in CipherSuite::ALL {
        let clients = ClientAuthentication::Required(Arc::new(rules()));
        let server = world.server(clients).with_suites(&[suite]).unwrap();
        let client = world.client().with_credentials(member().credentials());
        let (mut client, mut server) = ends(&client.into(), &server.into());
        let outcome = run(&mut client, &mut server);
        refused(&outcome, &outcome.server, &outcome.client, alert);
    }
}

fn refused(
    outcome: &Outcome,
    who: &Result<(), TlcpError>,
    whom: &Result<(), TlcpError>,
    alert: PeerAlert,
) {
    assert!(
        matches!(who, Err(TlcpError::Refused(refusal)) if refusal.alert == alert),
        "{outcome:?}"
    );
    let description = AlertDescription::from(alert);
    assert_eq!(whom, &Err(TlcpError::AlertReceived { description }));
}

#[test]
fn expired_halves() {
    let world = World::new();
    let name = || subject("server.example", "NDRC");
    for (signing, encryption) in [(EXPIRED, VALIDITY), (VALIDITY, EXPIRED)] {
        let member = || world.pair(&name(), signing, &name(), encryption);
        both_refuse(&world, member, || world.rules(), PeerAlert::CertificateExpired);
    }
}

#[test]
fn revoked_halves() {
    let world = World::new();
    let member = || world.member("server.example", "NDRC");
    let halves = [member().signing.0.sm3(), member().encryption.0.sm3()];
    for revoked in halves {
        let rules = || Rules { revoked: vec![revoked], ..world.rules() };
        both_refuse(&world, member, rules, PeerAlert::CertificateRevoked);
    }
}

#[test]
fn another_unit_and_another_authority() {
    let world = World::new();
    let member = || world.member("server.example", "NDRC");
    let rules = || Rules { unit: Some("HRSS"), ..world.rules() };
    both_refuse(&world, member, rules, PeerAlert::AccessDenied);
    let stranger = || Rules { authority: member().signing.0, ..world.rules() };
    both_refuse(&world, member, stranger, PeerAlert::UnknownCa);
}

#[test]
fn another_name() {
    let world = World::new();
    let (client, server) = (world.client().into(), world.server(ClientAuthentication::None).into());
    let mut client = crate::tlcp::ClientConnection::new(client, "other.example").unwrap();
    let mut server = crate::tlcp::ServerConnection::new(server);
    let outcome = run(&mut client, &mut server);
    refused(&outcome, &outcome.client, &outcome.server, PeerAlert::CertificateUnknown);
}

#[test]
fn a_verifier_without_pairs_refuses_all() {
    #[derive(Debug)]
    struct SigningOnly(Rules);
    impl crate::peer::PeerVerifier for SigningOnly {
        fn verify(
            &self,
            chain: &[smkit_pki::Certificate],
            role: crate::peer::PeerRole<'_>,
            at: i64,
        ) -> Result<(), crate::peer::PeerRefusal> {
            self.0.verify(chain, role, at)
        }
    }
    let world = World::new();
    let client = crate::tlcp::ClientConfig::new(Arc::new(SigningOnly(world.rules())))
        .with_clock(Arc::new(StandingClock(NOW)))
        .with_random(counters(4));
    let server = world.server(ClientAuthentication::None);
    let (mut client, mut server) = ends(&client.into(), &server.into());
    let outcome = run(&mut client, &mut server);
    refused(&outcome, &outcome.client, &outcome.server, PeerAlert::UnsupportedCertificate);
}

/// The Certificate message of `side` becomes one with these certificates.
fn with_certificates(world: &World, side: Side, suite: CipherSuite, list: &[&[u8]]) -> Outcome {
    let client = world.member_client().with_suites(&[suite]).unwrap();
    let server = world.strict_server().with_suites(&[suite]).unwrap();
    let (mut client, mut server) = ends(&client.into(), &server.into());
    run_with(&mut client, &mut server, |record| {
        if record.from != side || record.kind() != Some(MessageKind::Certificate.code()) {
            return vec![record.clone()];
        }
        let message = Message::write(MessageKind::Certificate, |out| {
            put_certificate_list(out, list.iter().copied());
        });
        message.bytes().chunks(1 << 14).map(|part| Flying::handshake(side, part)).collect()
    })
}

#[test]
fn pairs_that_are_none() {
    let world = World::new();
    let one = world.member("server.example", "NDRC");
    let other = world.member("other", "NDRC");
    let (signing, encryption) = (one.signing.0.der(), one.encryption.0.der());
    let root = world.authority.certificate().der();
    let sign_only = with_key_usage(&one.signing.0, &world.authority, [6, 0x40]);
    // A key that signs in the place of one that receives, and the other way round.
    let usage = |half| TlcpError::CertificateUsage { half };
    let mut cases: Vec<(Side, CipherSuite, Vec<&[u8]>, TlcpError)> = Vec::new();
    for side in [Side::Client, Side::Server] {
        for suite in [CipherSuite::EccSm4GcmSm3, CipherSuite::EcdheSm4CbcSm3] {
            cases.push((side, suite, vec![], TlcpError::NoCertificate));
            cases.push((side, suite, vec![encryption, signing], usage("signing")));
            cases.push((side, suite, vec![sign_only.der(), encryption], usage("signing")));
            cases.push((side, suite, vec![signing, signing], usage("encryption")));
            let mixed = vec![signing, other.encryption.0.der()];
            cases.push((side, suite, mixed, TlcpError::SubjectsDiffer));
            let many = [vec![signing, encryption], vec![root; 9]].concat();
            cases.push((side, suite, many, TlcpError::TooManyCertificates { count: 11 }));
        }
    }
    let none = TlcpError::NoEncryptionCertificate;
    for suite in CipherSuite::ALL {
        cases.push((Side::Server, suite, vec![signing], none.clone()));
        cases.push((Side::Server, suite, vec![signing, root], none.clone()));
    }
    cases.push((Side::Client, CipherSuite::EcdheSm4GcmSm3, vec![signing], none.clone()));
    cases.push((Side::Client, CipherSuite::EcdheSm4GcmSm3, vec![signing, root], none));
    for (side, suite, list, error) in cases {
        let outcome = with_certificates(&world, side, suite, &list);
        let (who, whom) = match side {
            Side::Client => (&outcome.server, &outcome.client),
            Side::Server => (&outcome.client, &outcome.server),
        };
        assert_eq!(who, &Err(error.clone()), "{side:?} {suite}");
        let (_, description) = error.alert().unwrap();
        assert_eq!(whom, &Err(TlcpError::AlertReceived { description }));
    }
}

/// Under ECC a client may have one certificate only, with or without its authority.
#[test]
fn a_client_without_encryption_certificate_under_ecc() {
    let world = World::new();
    let client = world.member("client", "HRSS");
    let (signing, root) = (client.signing.0.der(), world.authority.certificate().der());
    for list in [vec![signing], vec![signing, root]] {
        let outcome = with_certificates(&world, Side::Client, CipherSuite::EccSm4GcmSm3, &list);
        // The list is accepted; what fails is that this client signed another transcript.
        let message = MessageKind::CertificateVerify;
        assert_eq!(outcome.server, Err(TlcpError::BadSignature { message }));
    }
}

#[test]
fn certificates_of_other_algorithms() {
    const P256: &str = include_str!("../../../../pki/testdata/p256.pem");
    let world = World::new();
    let one = world.member("server.example", "NDRC");
    let base64: String = P256.lines().filter(|line| !line.starts_with('-')).collect();
    let p256 = decode_base64(&base64);
    for side in [Side::Client, Side::Server] {
        for list in [[p256.as_slice(), one.encryption.0.der()], [one.signing.0.der(), &p256]] {
            let outcome = with_certificates(&world, side, CipherSuite::EccSm4GcmSm3, &list);
            let who = if side == Side::Client { &outcome.server } else { &outcome.client };
            let index = usize::from(list[1] == p256);
            assert!(
                matches!(who, Err(TlcpError::Certificate { index: found, .. }) if *found == index),
                "{who:?}"
            );
        }
    }
}

fn decode_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::new();
    for group in text.as_bytes().chunks(4) {
        let digits = group.iter().filter_map(|c| ALPHABET.iter().position(|a| a == c));
        let digits: Vec<_> = digits.collect();
        let bits = digits.iter().fold(0, |all, digit| all << 6 | digit) << (6 * (4 - digits.len()));
        out.extend_from_slice(&bits.to_be_bytes()[5..5 + digits.len() - 1]);
    }
    out
}

#[test]
fn a_client_that_declines() {
    let world = World::new();
    let rules: Arc<dyn crate::peer::PeerVerifier> = Arc::new(world.rules());
    // Optional: it comes in as nobody, under a suite that needs no certificates of it.
    let server = world.server(ClientAuthentication::Optional(rules.clone()));
    let (mut client, mut server) = ends(&world.client().into(), &server.into());
    assert!(run(&mut client, &mut server).both_ok());
    assert!(server.peer_certificates().is_empty() && !server.is_handshaking());
    // One that shows its certificates is verified.
    let server = world.server(ClientAuthentication::Optional(rules.clone()));
    let (mut client, mut server) = ends(&world.member_client().into(), &server.into());
    assert!(run(&mut client, &mut server).both_ok());
    assert_eq!(server.peer_certificates().len(), 2);
    assert_eq!(server.negotiated_suite(), Some(CipherSuite::EccSm4GcmSm3));
    // Required: no.
    let server = world.server(ClientAuthentication::Required(rules));
    let (mut client, mut server) = ends(&world.client().into(), &server.into());
    let outcome = run(&mut client, &mut server);
    assert_eq!(outcome.server, Err(TlcpError::NoCertificate));
    let description = AlertDescription::HANDSHAKE_FAILURE;
    assert_eq!(outcome.client, Err(TlcpError::AlertReceived { description }));
}

#[test]
fn credentials_that_no_peer_would_accept() {
    use crate::tlcp::ConfigError;
    let world = World::new();
    let make = |edit: &dyn Fn(&mut Member)| {
        let mut member = world.member("server.example", "NDRC");
        edit(&mut member);
        Credentials::new(member.signing, member.encryption, Vec::new()).map(drop)
    };
    let other = world.member("other", "NDRC");
    assert_eq!(make(&|_| ()), Ok(()));
    let mismatch = |half| Err(ConfigError::KeyMismatch { half });
    assert_eq!(make(&|member| member.signing.1 = other.signing.1.clone()), mismatch("signing"));
    assert_eq!(
        make(&|member| member.encryption.1 = other.encryption.1.clone()),
        mismatch("encryption")
    );
    let usage = |half| Err(ConfigError::KeyUsage { half });
    assert_eq!(
        make(&|member| std::mem::swap(&mut member.signing, &mut member.encryption)),
        usage("signing")
    );
    assert_eq!(make(&|member| member.encryption = member.signing.clone()), usage("encryption"));
    assert_eq!(
        make(&|member| member.encryption = other.encryption.clone()),
        Err(ConfigError::SubjectsDiffer)
    );
    let member = world.member("server.example", "NDRC");
    let many = vec![world.authority.certificate().clone(); 9];
    let credentials = Credentials::new(member.signing, member.encryption, many);
    assert_eq!(credentials.map(drop), Err(ConfigError::ChainTooLong));
}
