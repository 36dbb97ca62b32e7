//! Certificates that roll over while clients come and go.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use changbai_api::enrolment_client::EnrolmentClient;
use changbai_authority::AuthorityStore;
use changbai_msp::{ChannelConfig, Organisation, ValidatorConfig};
use changbai_wire::time::{Clock, ManualClock, UnixMillis};
use smkit::OsRandom;
use smkit::sm2::PrivateKey;
use smkit_pki::{
    AlternativeNames, Authority, Certificate, Profile, Subject, Terms, TrustAnchors, Validator,
    Validity,
};
use smkit_tls::link::{ClientAuth, Connector, Credentials, KeyPair, Limits, Protocol};
use smkit_tls::peer::PathVerifier;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Authority as Source, Renewal, RenewalStatus};
use crate::authority::{AuthorityConfig, serve_authority};
use crate::config::TlsSettings;
use crate::tls_files::{TlsFiles, TlsIdentity};
use crate::transport::{NodeTime, NodeTransport};

const NOW_S: i64 = 1_795_312_800;
const HOUR_S: i64 = 3_600;

fn subject(name: &str, unit: &str) -> Subject {
    Subject {
        organisation: "agency".to_owned(),
        organisational_units: vec![unit.to_owned()],
        common_name: name.to_owned(),
        ..Subject::default()
    }
}

fn hours(count: i64) -> Validity {
    Validity { not_before: NOW_S - 300, not_after: NOW_S + count * HOUR_S }
}

fn issue(authority: &Authority, name: &str, unit: &str, profile: Profile) -> KeyPair {
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    let subject = subject(name, unit);
    let own = authority
        .issue(&subject, key.public_key(), profile, hours(1_000), None, &mut OsRandom)
        .unwrap();
    KeyPair { chain: vec![own], key }
}

struct World {
    renewal: Renewal,
    members: Authority,
    tls_root: Certificate,
    clock: Arc<ManualClock>,
    _dir: tempfile::TempDir,
}

fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let root =
        |name| Authority::create_root(&subject(name, "ca"), hours(100_000), &mut OsRandom).unwrap();
    let members = root("identity root");
    let mut store = AuthorityStore::create(
        &dir.path().join("tls-ca"),
        root("tls root"),
        &[],
        None,
        &mut OsRandom,
    )
    .unwrap();
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    let name = (&subject("node-0", "peer")).try_into().unwrap();
    let terms = Terms {
        hosts: AlternativeNames::parse(["localhost"]).unwrap(),
        ..Terms::new(name, key.public_key(), Profile::Node, hours(72))
    };
    let issued = store.issue(&terms, true, NOW_S, &mut OsRandom).unwrap();
    let identity = TlsIdentity::new(issued, key, store.chain());
    let anchors = TrustAnchors::from_certificates(vec![members.certificate().clone()]);
    let organisation = Organisation::new("AgencyMSP", "agency", anchors);
    let node = issue(&members, "node-0", "orderer", Profile::Signing).chain.remove(0);
    let validators = vec![ValidatorConfig::new("AgencyMSP", node, 0)];
    let channel = ChannelConfig::new("city", vec![organisation], validators).unwrap();
    let clock = Arc::new(ManualClock::new(UnixMillis(NOW_S as u64 * 1_000)));
    let tls_root = store.certificate().clone();
    let settings = TlsSettings::default();
    let time = Arc::clone(&clock) as Arc<dyn Clock>;
    let transport = NodeTransport::new(
        &identity,
        &settings,
        &channel,
        std::slice::from_ref(&tls_root),
        Arc::clone(&time),
    )
    .unwrap();
    let files = TlsFiles::below(dir.path());
    files.write(&identity).unwrap();
    let status = Arc::new(RenewalStatus::of(&identity));
    let renewal = Renewal {
        files,
        identity,
        authority: Source::Own(Arc::new(Mutex::new(store)), 72 * HOUR_S),
        transport: Arc::new(transport),
        hub: None,
        clock: time,
        status,
    };
    World { renewal, members, tls_root, clock, _dir: dir }
}

impl World {
    fn connector(&self, own: KeyPair) -> Connector {
        let anchors = TrustAnchors::from_certificates(vec![self.tls_root.clone()]);
        let credentials = Credentials {
            signing: Some(own),
            encryption: None,
            verifier: Arc::new(PathVerifier::of(Validator::admitting_all(anchors))),
            clients: ClientAuth::None,
            alpn: vec![b"http/1.1".to_vec()],
            tlcp_quirks: Vec::new(),
        };
        let time = Arc::new(NodeTime(Arc::clone(&self.clock) as Arc<dyn Clock>));
        Connector::new(&credentials, Limits::default(), time).unwrap()
    }

    fn client(&self, name: &str, unit: &str) -> Connector {
        self.connector(issue(&self.members, name, unit, Profile::Client))
    }
}

/// Sends back what it is sent, on every connection.
async fn serve(listener: TcpListener, transport: Arc<NodeTransport>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let acceptor = transport.acceptor();
        #[expect(clippy::disallowed_methods, reason = "a test's own task")]
        tokio::spawn(async move {
            let Ok(mut link) = acceptor.accept(stream).await else { return };
            let mut word = [0; 4];
            while link.read_exact(&mut word).await.is_ok() {
                if link.write_all(&word).await.is_err() || link.flush().await.is_err() {
                    return;
                }
            }
        });
    }
}

async fn ask<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    link: &mut S,
) -> std::io::Result<()> {
    link.write_all(b"ping").await?;
    link.flush().await?;
    let mut word = [0; 4];
    link.read_exact(&mut word).await?;
    assert_eq!(&word, b"ping");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_certificates_roll_over() {
    let mut world = world();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = AtomicBool::new(true);
    let asked: Vec<AtomicU64> = (0..3).map(|_| AtomicU64::new(0)).collect();
    let connectors: Vec<_> = (0..3).map(|n| world.client(&format!("c{n}"), "client")).collect();
    let server = serve(listener, Arc::clone(&world.renewal.transport));
    let clients = connectors.iter().zip(&asked).map(|(connector, asked)| {
        let served = &served;
        async move {
            while served.load(Ordering::Relaxed) {
                let stream = TcpStream::connect(address).await.unwrap();
                let mut link =
                    connector.connect(stream, "localhost", Protocol::Tls13).await.unwrap();
                ask(&mut link).await.unwrap();
                asked.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let rolling = async {
        // Opened before the first renewal and used after the last: an open connection keeps what it has.
        let stream = TcpStream::connect(address).await.unwrap();
        let mut early = connectors[0].connect(stream, "localhost", Protocol::Tls13).await.unwrap();
        ask(&mut early).await.unwrap();
        let first = world.renewal.identity.leaf().unwrap().serial();
        for _ in 0..10 {
            world.clock.advance(48 * 3_600_000);
            world.renewal.renew().await.unwrap();
            // Nobody's handshake takes two days: each client has come and gone twice before time goes on.
            for one in &asked {
                let before = one.load(Ordering::Relaxed);
                while one.load(Ordering::Relaxed) < before + 2 {
                    tokio::task::yield_now().await;
                }
            }
        }
        ask(&mut early).await.unwrap();
        served.store(false, Ordering::Relaxed);
        let now = world.renewal.identity.leaf().unwrap().serial();
        assert_ne!(first, now);
    };
    let clients = async {
        tokio::join!(futures_join(clients), rolling);
    };
    tokio::select! {
        () = clients => {}
        () = server => unreachable!("the server goes on"),
    }
    assert_eq!(world.renewal.status.renewed(), 10);
    let now_s = world.clock.now().at.seconds();
    assert_eq!(world.renewal.status.not_after(), now_s + 72 * HOUR_S);
    assert!(!world.renewal.status.is_alarming(now_s + 59 * HOUR_S));
    assert!(world.renewal.status.is_alarming(now_s + 61 * HOUR_S));
    let kept = world.renewal.files.read().unwrap();
    assert_eq!(kept.leaf(), world.renewal.identity.leaf());
}

async fn futures_join(futures: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut waiting: Vec<_> = futures.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        waiting.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if waiting.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_elsewhere_renews_whoever_it_has_certified() {
    let World { mut renewal, clock, tls_root, _dir, .. } = world();
    let Source::Own(store, _) = renewal.authority else { unreachable!("as made above") };
    let store = Arc::into_inner(store).unwrap().into_inner().unwrap();
    let time = Arc::clone(&clock) as Arc<dyn Clock>;
    let (told, address) = tokio::sync::oneshot::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let config = AuthorityConfig {
        listen: vec!["gmtls://127.0.0.1:0".parse().unwrap()],
        hosts: vec!["127.0.0.1".to_owned()],
        hours: 72,
    };
    let ready = move |bound: &[crate::config::Endpoint]| told.send(bound[0].to_string()).unwrap();
    let serving = serve_authority(store, config, Arc::clone(&time), ready, async {
        drop(stopped.await);
    });
    #[expect(clippy::disallowed_methods, reason = "a test's own task")]
    let serving = tokio::spawn(serving);
    let url = address.await.unwrap();
    let anchors = TrustAnchors::from_certificates(vec![tls_root]);
    let verifier = Arc::new(PathVerifier::of(Validator::admitting_all(anchors)));
    let client = EnrolmentClient::new(&url, verifier, Arc::new(NodeTime(time))).unwrap();
    renewal.authority = Source::Remote(client);

    clock.advance(48 * 3_600_000);
    let first = renewal.identity.leaf().unwrap().clone();
    renewal.renew().await.unwrap();
    let second = renewal.identity.leaf().unwrap().clone();
    assert_eq!(second.subject(), first.subject());
    assert_ne!(second.public_key(), first.public_key());
    assert!(renewal.identity.encryption.is_some(), "TLCP goes on as well");
    assert_eq!(renewal.files.read().unwrap().leaf(), Some(&second));

    // Gone: the node keeps what it has and says why.
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    assert!(renewal.renew().await.unwrap_err().contains("127.0.0.1"));
    assert_eq!(renewal.identity.leaf(), Some(&second));
}

#[tokio::test]
async fn who_is_not_admitted_is_told_why() {
    let world = world();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = world.renewal.transport.acceptor();
    let stranger =
        Authority::create_root(&subject("stranger", "ca"), hours(9_000), &mut OsRandom).unwrap();
    for (own, code, alert) in [
        (issue(&world.members, "nobody", "visitors", Profile::Client), "MS-1501", 49),
        (issue(&stranger, "somebody", "client", Profile::Client), "PK-1101", 48),
        (issue(&world.members, "tsa", "client", Profile::TimeStampAuthority), "PK-1501", 43),
    ] {
        let connector = match own.chain[0].extended_key_usage() {
            Some(_) => world.connector(own),
            None => unreachable!("every profile here has one"),
        };
        let client = async {
            let stream = TcpStream::connect(address).await.unwrap();
            match connector.connect(stream, "localhost", Protocol::Tls13).await {
                Ok(mut link) => {
                    let error = ask(&mut link).await.unwrap_err();
                    smkit_tls::link::alert_received(&error)
                }
                Err(smkit_tls::link::LinkError::Alert { number }) => Some(number),
                Err(other) => panic!("{other}"),
            }
        };
        let server = async {
            let (stream, _) = listener.accept().await.unwrap();
            acceptor.accept(stream).await.map(drop).unwrap_err()
        };
        let (told, refused) = tokio::join!(client, server);
        match refused {
            smkit_tls::link::LinkError::Refused(refusal) => assert_eq!(refusal.code, code),
            other => panic!("{code}: {other}"),
        }
        assert_eq!(told, Some(alert), "{code}");
    }
}
