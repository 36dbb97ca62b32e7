//! TLCP with Tongsuo on the other side, both ways.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use smkit_tls::tlcp::{
    CipherSuite, ClientAuthentication, ClientConfig, ServerConfig,
    stream::{TlcpStream, accept, connect},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::world::{LONG, Member, World};
use crate::peer::{Running, tongsuo};

/// Our suites under Tongsuo's names.
const SUITES: [(&str, CipherSuite); 4] = [
    ("ECC-SM2-SM4-GCM-SM3", CipherSuite::EccSm4GcmSm3),
    ("ECC-SM2-SM4-CBC-SM3", CipherSuite::EccSm4CbcSm3),
    ("ECDHE-SM2-SM4-GCM-SM3", CipherSuite::EcdheSm4GcmSm3),
    ("ECDHE-SM2-SM4-CBC-SM3", CipherSuite::EcdheSm4CbcSm3),
];

/// TLCP, and the option without which Tongsuo 8.5.0 takes version 1.1 for older than TLS 1.0 and fails to send data: it
/// would put an empty record before each.
const NTLS: [&str; 3] = ["-enable_ntls", "-ntls", "-bugs"];

/// An authority, a server and a client, with their files for the other program.
struct Stage {
    tongsuo: PathBuf,
    dir: TempDir,
    world: World,
}

impl Stage {
    fn new() -> Option<Self> {
        let tongsuo = tongsuo()?;
        let (world, dir) = (World::with_validity(LONG), tempfile::tempdir().unwrap());
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write("root.pem", &world.authority.certificate().to_pem());
        for (file, name) in [("server", "server.example"), ("client", "client")] {
            let Member { signing, encryption } = world.member(name, "NDRC");
            for (half, (certificate, key)) in [("sign", signing), ("enc", encryption)] {
                write(&format!("{file}-{half}.pem"), &certificate.to_pem());
                write(&format!("{file}-{half}.key"), &key.to_pkcs8_pem().unwrap());
            }
        }
        Some(Self { tongsuo, dir, world })
    }

    fn file(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// Tongsuo's options for a pair.
    fn pair(&self, name: &str) -> Vec<String> {
        let parts = [
            ("sign", "pem", "cert"),
            ("sign", "key", "key"),
            ("enc", "pem", "cert"),
            ("enc", "key", "key"),
        ];
        parts
            .into_iter()
            .flat_map(|(half, file, option)| {
                [format!("-{half}_{option}"), self.file(&format!("{name}-{half}.{file}"))]
            })
            .collect()
    }

    /// `s_server` that answers each line with the line reversed, and its port.
    fn s_server(&self, more: &[&str]) -> (Running, u16) {
        let pair = self.pair("server");
        let base = ["s_server", "-accept", "127.0.0.1:0", "-rev"];
        let pair = pair.iter().map(String::as_str);
        let arguments: Vec<&str> = base.into_iter().chain(NTLS).chain(pair).collect();
        let mut running = Running::start(&self.tongsuo, &[&arguments, more].concat());
        let line = running.wait_for("ACCEPT ");
        let port = line.rsplit(':').next().and_then(|port| port.parse().ok());
        (running, port.unwrap())
    }

    fn s_client(&self, port: u16, more: &[&str]) -> Running {
        let (address, root) = (format!("127.0.0.1:{port}"), self.file("root.pem"));
        let base = ["s_client", "-connect", &address, "-CAfile", &root];
        let strict = ["-verify_return_error", "-servername", "server.example"];
        Running::start(&self.tongsuo, &[base.as_slice(), &NTLS, &strict, more].concat())
    }

    fn client(&self, suite: CipherSuite, own: bool) -> Arc<ClientConfig> {
        let client = ClientConfig::new(Arc::new(self.world.rules()));
        let client = client.with_suites(&[suite]).unwrap();
        let member = || self.world.member("client", "NDRC").credentials();
        Arc::new(if own { client.with_credentials(member()) } else { client })
    }

    fn server(&self, clients: ClientAuthentication) -> Arc<ServerConfig> {
        let member = self.world.member("server.example", "NDRC");
        Arc::new(ServerConfig::new(member.credentials(), clients))
    }
}

/// Sends a line and gives the answer.
async fn ask(stream: &mut TlcpStream<TcpStream>, line: &str) -> String {
    stream.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await.unwrap();
    answer.trim_end().to_owned()
}

/// Every suite, with and without our certificates, whole and resumed.
#[tokio::test]
async fn our_client() {
    let Some(stage) = Stage::new() else { return };
    let root = stage.file("root.pem");
    for (name, suite) in SUITES {
        for own in [false, true] {
            if !own && name.starts_with("ECDHE") {
                continue;
            }
            let mut more = vec!["-cipher", name, "-CAfile", &root];
            if own {
                more.extend(["-Verify", "3", "-verify_return_error"]);
            }
            let (_running, port) = stage.s_server(&more);
            let client = stage.client(suite, own);
            for resumed in [false, true, true] {
                let transport = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let stream = connect(client.clone(), "server.example", transport);
                let mut stream = timeout(PATIENCE, stream).await.unwrap().unwrap();
                let connection = stream.connection();
                assert_eq!(connection.negotiated_suite(), Some(suite));
                assert_eq!(connection.is_resumed(), resumed, "{name} {own}");
                // Its root may follow.
                let [signing, encryption, ..] = connection.peer_certificates() else {
                    panic!("a pair")
                };
                assert!(signing.key_usage().digital_signature());
                assert!(encryption.key_usage().key_encipherment());
                assert_eq!(ask(&mut stream, "changbai").await, "iabgnahc");
                let long = "0123456789".repeat(1_600);
                let reversed: String = long.chars().rev().collect();
                for _ in 0..5 {
                    assert_eq!(ask(&mut stream, &long).await, reversed);
                }
                stream.shutdown().await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn our_client_without_the_certificates_that_tongsuo_wants() {
    let Some(stage) = Stage::new() else { return };
    let root = stage.file("root.pem");
    let more = ["-cipher", "ECC-SM2-SM4-GCM-SM3", "-CAfile", &root, "-Verify", "3"];
    let (_running, port) = stage.s_server(&more);
    let transport = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let client = stage.client(CipherSuite::EccSm4GcmSm3, false);
    let refused = connect(client, "server.example", transport).await;
    let text = format!("{:?}", refused.map(drop).unwrap_err());
    assert!(text.contains("AlertReceived"), "{text}");
}

/// Every suite, with and without Tongsuo's certificates.
#[tokio::test]
async fn our_server() {
    let Some(stage) = Stage::new() else { return };
    let own = stage.pair("client");
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    for (name, suite) in SUITES {
        for shows in [false, true] {
            if !shows && name.starts_with("ECDHE") {
                continue;
            }
            // Both forms of ClientKeyExchange; they differ under ECDHE only.
            for strict in [false, true] {
                let rules = Arc::new(stage.world.rules());
                let clients = if shows {
                    ClientAuthentication::Required(rules)
                } else {
                    ClientAuthentication::Optional(rules)
                };
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let mut more = vec!["-cipher", name];
                if shows {
                    more.extend(&own);
                }
                if strict {
                    more.push("-enable_ntls_strict_ecdhe_cke");
                }
                let mut peer = stage.s_client(listener.local_addr().unwrap().port(), &more);
                let server = stage.server(clients);
                let mut stream = timeout(PATIENCE, serve(&listener, &server)).await.unwrap();
                let connection = stream.connection();
                assert_eq!(connection.negotiated_suite(), Some(suite));
                assert_eq!(connection.server_name(), Some("server.example"));
                assert_eq!(connection.peer_certificates().len() >= 2, shows);
                peer.say("from tongsuo\n");
                let mut line = String::new();
                let read = BufReader::new(&mut stream).read_line(&mut line).await;
                assert!(read.is_ok(), "{name} {shows}: {read:?}\n{}", peer.rest());
                assert_eq!(line, "from tongsuo\n");
                stream.write_all(b"from changbai\n").await.unwrap();
                stream.flush().await.unwrap();
                peer.wait_for("from changbai");
                stream.shutdown().await.unwrap();
                let said = peer.rest();
                assert!(said.contains("Verify return code: 0"), "{said}");
            }
        }
    }
}

async fn serve(listener: &TcpListener, config: &Arc<ServerConfig>) -> TlcpStream<TcpStream> {
    let (transport, _) = listener.accept().await.unwrap();
    accept(config.clone(), transport).await.unwrap()
}

/// `-reconnect` comes back five times with its session.
#[tokio::test]
async fn our_server_resumes_tongsuos_sessions() {
    let Some(stage) = Stage::new() else { return };
    let own = stage.pair("client");
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    for (name, suite) in SUITES {
        let server = stage.server(ClientAuthentication::Required(Arc::new(stage.world.rules())));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let more = [&["-cipher", name, "-reconnect"], own.as_slice()].concat();
        let peer = stage.s_client(listener.local_addr().unwrap().port(), &more);
        for round in 0..6 {
            let mut stream = timeout(PATIENCE, serve(&listener, &server)).await.unwrap();
            assert_eq!(stream.connection().is_resumed(), round > 0, "{name}, round {round}");
            assert_eq!(stream.connection().negotiated_suite(), Some(suite));
            assert!(stream.connection().peer_certificates().len() >= 2);
            if round < 5 {
                // Tongsuo hangs up by itself, politely or not.
                let _ = stream.read(&mut [0; 1]).await;
            }
        }
        drop(peer);
    }
}

const PATIENCE: Duration = Duration::from_secs(30);
