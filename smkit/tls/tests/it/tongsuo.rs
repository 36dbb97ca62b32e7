//! RFC 8998 with Tongsuo on the other side, both ways.

use std::{fs, path::Path, path::PathBuf};

use smkit_tls::link::{
    Acceptor, ClientAuth, Connector, Credentials, Limits, Link, LinkError, Protocol,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::{
    authority::{Holder, LONG_AGO, TestCa, Wanted},
    link::{acceptor, connector, credentials},
    peer::{Running, tongsuo},
};

/// An authority, a server and a client, with their files for the other program.
struct Stage {
    tongsuo: PathBuf,
    dir: TempDir,
    ca: TestCa,
    server: Holder,
    client: Holder,
}

impl Stage {
    fn new() -> Option<Self> {
        let tongsuo = tongsuo()?;
        let ca = TestCa::new();
        let server = ca.issue_below(&Wanted { not_before: LONG_AGO, ..Wanted::server() });
        let client = ca.issue_below(&Wanted { not_before: LONG_AGO, ..Wanted::client() });
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| fs::write(dir.path().join(name), text).unwrap();
        write("root.pem", ca.root().to_pem());
        write("above.pem", server.chain[1].to_pem());
        for (name, holder) in [("server", &server), ("client", &client)] {
            write(&format!("{name}.pem"), holder.certificate().to_pem());
            write(&format!("{name}.key"), holder.key.to_pkcs8_pem().unwrap().to_string());
        }
        Some(Self { tongsuo, dir, ca, server, client })
    }

    fn file(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn acceptor(&self, clients: ClientAuth) -> Acceptor {
        let own = credentials(Some(&self.server), self.ca.verifier());
        let credentials = Credentials { clients, alpn: Vec::new(), ..own };
        acceptor(&credentials, Limits::default())
    }

    fn connector(&self, own: Option<&Holder>) -> Connector {
        let credentials = credentials(own, self.ca.verifier());
        connector(&Credentials { alpn: Vec::new(), ..credentials })
    }

    /// `s_server` that answers each line with the line reversed, and its port.
    fn s_server(&self, more: &[&str]) -> (Running, u16) {
        let (certificate, key) = (self.file("server.pem"), self.file("server.key"));
        let chain = self.file("above.pem");
        let base = [
            "s_server",
            "-accept",
            "127.0.0.1:0",
            "-tls1_3",
            "-enable_sm_tls13_strict",
            "-rev",
            "-cert",
            &certificate,
            "-cert_chain",
            &chain,
            "-key",
            &key,
        ];
        let mut running = Running::start(&self.tongsuo, &[&base, more].concat());
        let line = running.wait_for("ACCEPT ");
        let port = line.rsplit(':').next().and_then(|port| port.parse().ok());
        (running, port.unwrap())
    }

    fn s_client(&self, port: u16, more: &[&str]) -> Running {
        let (address, root) = (format!("127.0.0.1:{port}"), self.file("root.pem"));
        let base = [
            "s_client",
            "-connect",
            &address,
            "-tls1_3",
            "-enable_sm_tls13_strict",
            "-CAfile",
            &root,
            "-verify_return_error",
            "-servername",
            "localhost",
            "-verify_hostname",
            "node.example",
        ];
        Running::start(&self.tongsuo, &[&base, more].concat())
    }
}

/// Sends a line and gives the answer.
async fn ask(link: &mut Link<TcpStream>, line: &str) -> String {
    link.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    link.flush().await.unwrap();
    let mut answer = String::new();
    let mut reader = BufReader::new(link);
    reader.read_line(&mut answer).await.unwrap();
    answer.trim_end().to_owned()
}

const SUITES: [(&str, u16); 2] = [("TLS_SM4_GCM_SM3", 0x00c6), ("TLS_SM4_CCM_SM3", 0x00c7)];

#[tokio::test]
async fn our_client_with_and_without_certificate() {
    let Some(stage) = Stage::new() else { return };
    let root = stage.file("root.pem");
    for (suite, number) in SUITES {
        for own in [None, Some(&stage.client)] {
            let mut more = vec!["-ciphersuites", suite, "-CAfile", &root];
            if own.is_some() {
                more.extend(["-Verify", "3", "-verify_return_error"]);
            }
            let (_running, port) = stage.s_server(&more);
            let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let connector = stage.connector(own);
            let link = connector.connect(stream, "localhost", Protocol::Tls13).await;
            let mut link = link.unwrap();
            assert_eq!(link.info().suite, number);
            assert_eq!(link.peer().unwrap().leaf(), stage.server.certificate());
            assert_eq!(ask(&mut link, "changbai").await, "iabgnahc");
            // The longest line that it reverses at once.
            let long = "0123456789".repeat(1_600);
            let reversed: String = long.chars().rev().collect();
            for _ in 0..5 {
                assert_eq!(ask(&mut link, &long).await, reversed);
            }
        }
    }
}

#[tokio::test]
async fn our_client_is_refused_without_the_certificate_that_tongsuo_wants() {
    let Some(stage) = Stage::new() else { return };
    let root = stage.file("root.pem");
    let more = ["-ciphersuites", "TLS_SM4_GCM_SM3", "-CAfile", &root, "-Verify", "3"];
    let (_running, port) = stage.s_server(&more);
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let link = stage.connector(None).connect(stream, "localhost", Protocol::Tls13).await;
    let error = link.unwrap().read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(smkit_tls::link::alert_received(&error), Some(116), "{error}");
}

#[tokio::test]
async fn our_client_resumes_with_tongsuos_tickets() {
    let Some(stage) = Stage::new() else { return };
    let root = stage.file("root.pem");
    let more = ["-ciphersuites", "TLS_SM4_GCM_SM3", "-CAfile", &root, "-Verify", "3"];
    let (_running, port) = stage.s_server(&more);
    let connector = stage.connector(Some(&stage.client));
    for round in 0..3 {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut link = connector.connect(stream, "localhost", Protocol::Tls13).await.unwrap();
        assert_eq!(link.info().resumed, round > 0, "round {round}");
        assert_eq!(ask(&mut link, "again").await, "niaga");
        link.shutdown().await.unwrap();
    }
}

/// What our server does for one connection of Tongsuo's client: answers a line in capitals.
async fn serve(listener: &TcpListener, acceptor: &Acceptor) -> Result<Link<TcpStream>, LinkError> {
    let (stream, _) = listener.accept().await.unwrap();
    let mut link = acceptor.accept(stream).await?;
    let mut line = String::new();
    BufReader::new(&mut link).read_line(&mut line).await.unwrap();
    link.write_all(line.to_uppercase().as_bytes()).await.unwrap();
    link.shutdown().await.unwrap();
    Ok(link)
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[tokio::test]
async fn tongsuos_client_with_and_without_certificate() {
    let Some(stage) = Stage::new() else { return };
    let (certificate, key) = (stage.file("client.pem"), stage.file("client.key"));
    let above = stage.file("above.pem");
    for (suite, number) in SUITES {
        for mutual in [false, true] {
            let acceptor = stage.acceptor(ClientAuth::Optional);
            let (listener, port) = listen().await;
            let mut more = vec!["-ciphersuites", suite, "-groups", "SM2", "-ign_eof"];
            if mutual {
                let chain = ["-cert", &certificate, "-cert_chain", &above, "-key", &key];
                more.extend(chain);
            }
            let mut running = stage.s_client(port, &more);
            running.say("evidence\n");
            let link = serve(&listener, &acceptor).await.unwrap();
            assert_eq!(link.info().suite, number);
            let peer = link.peer().map(|peer| peer.leaf().clone());
            assert_eq!(peer.as_ref(), mutual.then_some(stage.client.certificate()));
            let said = running.rest();
            assert!(said.contains("EVIDENCE"), "{said}");
            assert!(said.contains("Verification: OK"), "{said}");
        }
    }
}

#[tokio::test]
async fn tongsuos_client_without_the_certificate_we_want() {
    let Some(stage) = Stage::new() else { return };
    let acceptor = stage.acceptor(ClientAuth::Required);
    let (listener, port) = listen().await;
    let more = ["-ciphersuites", "TLS_SM4_GCM_SM3", "-groups", "SM2", "-ign_eof"];
    let mut running = stage.s_client(port, &more);
    let refused = serve(&listener, &acceptor).await;
    assert!(matches!(refused, Err(LinkError::Refused(_))), "{refused:?}");
    let said = running.rest();
    assert!(said.contains("alert certificate required"), "{said}");
}

#[tokio::test]
async fn tongsuos_client_resumes_with_our_ticket() {
    let Some(stage) = Stage::new() else { return };
    let (certificate, key) = (stage.file("client.pem"), stage.file("client.key"));
    let above = stage.file("above.pem");
    let session = stage.file("session");
    let acceptor = stage.acceptor(ClientAuth::Required);
    for (round, option) in ["-sess_out", "-sess_in"].into_iter().enumerate() {
        let (listener, port) = listen().await;
        let more = [
            "-ciphersuites",
            "TLS_SM4_GCM_SM3",
            "-groups",
            "SM2",
            "-ign_eof",
            "-cert",
            &certificate,
            "-cert_chain",
            &above,
            "-key",
            &key,
            option,
            &session,
        ];
        let mut running = stage.s_client(port, &more);
        running.say("evidence\n");
        let link = serve(&listener, &acceptor).await.unwrap();
        assert_eq!(link.info().resumed, round == 1);
        assert_eq!(link.peer().unwrap().leaf(), stage.client.certificate());
        let said = running.rest();
        assert!(said.contains(if round == 1 { "Reused, TLSv1.3" } else { "New, TLSv1.3" }));
        assert!(Path::new(&session).is_file(), "{said}");
    }
}

#[tokio::test]
async fn tongsuos_client_is_asked_for_a_share_on_our_group() {
    let Some(stage) = Stage::new() else { return };
    let acceptor = stage.acceptor(ClientAuth::None);
    let (listener, port) = listen().await;
    // It sends a share for its first group.
    let more = ["-ciphersuites", "TLS_SM4_GCM_SM3", "-groups", "P-256:SM2", "-ign_eof"];
    let mut running = stage.s_client(port, &more);
    running.say("evidence\n");
    serve(&listener, &acceptor).await.unwrap();
    let said = running.rest();
    assert!(said.contains("EVIDENCE"), "{said}");
}

#[tokio::test]
async fn tongsuos_client_updates_its_keys() {
    let Some(stage) = Stage::new() else { return };
    let acceptor = stage.acceptor(ClientAuth::None);
    let (listener, port) = listen().await;
    let more = ["-ciphersuites", "TLS_SM4_GCM_SM3", "-groups", "SM2"];
    let mut running = stage.s_client(port, &more);
    let serving = async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut link = acceptor.accept(stream).await.unwrap();
        link.write_all(b"ready\n").await.unwrap();
        link.flush().await.unwrap();
        let mut lines = BufReader::new(&mut link).lines();
        let line = lines.next_line().await.unwrap().unwrap();
        link.write_all(line.to_uppercase().as_bytes()).await.unwrap();
        link.shutdown().await.unwrap();
        line
    };
    let typing = tokio::task::spawn_blocking(move || {
        running.wait_for("ready");
        // A line that begins with K updates both sides' keys.
        running.say("K\n");
        running.wait_for("KEYUPDATE");
        running.say("after the update\n");
        running.wait_for("AFTER THE UPDATE")
    });
    let (line, answered) = tokio::join!(serving, typing);
    assert_eq!(line, "after the update");
    answered.unwrap();
}

#[tokio::test]
async fn a_client_without_sm_suites_is_refused() {
    let Some(stage) = Stage::new() else { return };
    let acceptor = stage.acceptor(ClientAuth::None);
    for (version, more, number) in [
        ("-tls1_3", ["-ciphersuites", "TLS_AES_128_GCM_SHA256"], "handshake failure"),
        ("-tls1_2", ["-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], "protocol version"),
    ] {
        let (listener, port) = listen().await;
        let address = format!("127.0.0.1:{port}");
        let base = ["s_client", "-connect", &address, version];
        let mut running = Running::start(&stage.tongsuo, &[base.as_slice(), &more].concat());
        let refused = serve(&listener, &acceptor).await;
        assert!(matches!(refused, Err(LinkError::Tls(_))), "{refused:?}");
        let said = running.rest();
        assert!(said.contains(number), "{said}");
    }
}
