//! A TLCP server that sends every line back, and a client for it.
//!
//! ```text
//! cargo run -p smkit-tls --example tlcp_echo -- serve 127.0.0.1:8443 DIR [QUIRK…]
//! cargo run -p smkit-tls --example tlcp_echo -- dial 127.0.0.1:8443 NAME DIR [QUIRK…]
//! ```
//! `DIR` holds `ca.pem`, and of this side `sign.pem`, `sign.key`, `enc.pem`, `enc.key` (PKCS#8 without password). A client
//! without these shows no certificates. The server asks for certificates and accepts clients without.
//! Quirks: `raw-transcript`, `single-certificate`, `no-extensions` (see `PeerQuirk`), `cbc` to offer SM4-CBC only,
//! `no-request` for clients that cannot decline (GmSSL).
#![expect(clippy::print_stdout, reason = "a program for people")]
#![expect(clippy::disallowed_methods, reason = "a program of its own: it owns its tasks")]

use std::{error::Error, fs, path::Path, sync::Arc};

use smkit::sm2::PrivateKey;
use smkit_pki::{Certificate, TrustAnchors, Validator};
use smkit_tls::{
    peer::PathVerifier,
    tlcp::{
        CipherSuite, ClientAuthentication, ClientConfig, Connection, Credentials, PeerQuirk,
        ServerConfig, stream,
    },
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, stdin},
    net::{TcpListener, TcpStream},
};

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve", address, dir, quirks @ ..] => serve(address, Path::new(dir), quirks).await,
        ["dial", address, name, dir, quirks @ ..] => {
            dial(address, name, Path::new(dir), quirks).await
        }
        _ => Err("serve ADDRESS DIR [QUIRK…] | dial ADDRESS NAME DIR [QUIRK…]".into()),
    }
}

async fn serve(address: &str, dir: &Path, quirks: &[&str]) -> Outcome<()> {
    let (verifier, root) = verifier(dir)?;
    let credentials = credentials(dir)?.ok_or("a server needs certificates")?;
    let clients = if quirks.contains(&"no-request") {
        ClientAuthentication::None
    } else {
        ClientAuthentication::Optional(verifier)
    };
    let mut config = ServerConfig::new(credentials, clients).with_client_authorities(&[root])?;
    if quirks.contains(&"cbc") {
        config = config.with_suites(&CBC)?;
    }
    for quirk in quirks.iter().filter_map(|word| peer_quirk(word)) {
        config = config.with_quirk(quirk);
    }
    let config = Arc::new(config);
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (transport, from) = listener.accept().await?;
        let config = Arc::clone(&config);
        tokio::spawn(async move {
            match echo(config, transport).await {
                Ok(()) => println!("{from}: closed"),
                Err(error) => println!("{from}: {error} {:?}", error.get_ref()),
            }
        });
    }
}

async fn echo(config: Arc<ServerConfig>, transport: TcpStream) -> std::io::Result<()> {
    let mut stream = stream::accept(config, transport).await?;
    describe(stream.connection());
    let mut some = vec![0; 16 * 1024];
    loop {
        let count = stream.read(&mut some).await?;
        let Some(received) = some.get(..count).filter(|received| !received.is_empty()) else {
            return stream.shutdown().await;
        };
        stream.write_all(received).await?;
        stream.flush().await?;
    }
}

async fn dial(address: &str, name: &str, dir: &Path, quirks: &[&str]) -> Outcome<()> {
    let mut config = ClientConfig::new(verifier(dir)?.0);
    if let Some(credentials) = credentials(dir)? {
        config = config.with_credentials(credentials);
    }
    if quirks.contains(&"cbc") {
        config = config.with_suites(&CBC)?;
    }
    for quirk in quirks.iter().filter_map(|word| peer_quirk(word)) {
        config = config.with_quirk(quirk);
    }
    let transport = TcpStream::connect(address).await?;
    let stream = stream::connect(Arc::new(config), name, transport).await?;
    describe(stream.connection());
    let (reading, mut writing) = tokio::io::split(stream);
    let (mut answers, mut lines) =
        (BufReader::new(reading).lines(), BufReader::new(stdin()).lines());
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                Some(line) => {
                    writing.write_all(format!("{line}\n").as_bytes()).await?;
                    writing.flush().await?;
                }
                None => {
                    writing.shutdown().await?;
                    while let Some(answer) = answers.next_line().await? {
                        println!("{answer}");
                    }
                    return Ok(());
                }
            },
            answer = answers.next_line() => match answer? {
                Some(answer) => println!("{answer}"),
                None => return Ok(()),
            },
        }
    }
}

fn describe(connection: &Connection) {
    let suite = connection.negotiated_suite().map_or("?", CipherSuite::name);
    let peer = connection.peer_certificates().first().map(Certificate::subject);
    let how = if connection.is_resumed() { "resumed" } else { "full handshake" };
    println!("{suite}, {how}, peer {}", peer.as_deref().unwrap_or("without certificate"));
}

/// Everybody below the authority in `dir` is admitted; a server must have its name in subjectAltName.
fn verifier(dir: &Path) -> Outcome<(Arc<PathVerifier>, Certificate)> {
    let root = Certificate::from_pem(&fs::read_to_string(dir.join("ca.pem"))?)?;
    let anchors = TrustAnchors::from_certificates(vec![root.clone()]);
    Ok((Arc::new(PathVerifier::of(Validator::admitting_all(anchors))), root))
}

/// The pair in `dir`, if there is one.
fn credentials(dir: &Path) -> Outcome<Option<Credentials>> {
    if !dir.join("sign.pem").exists() {
        return Ok(None);
    }
    let half = |name: &str| -> Outcome<(Certificate, PrivateKey)> {
        let certificate = fs::read_to_string(dir.join(format!("{name}.pem")))?;
        let key = fs::read_to_string(dir.join(format!("{name}.key")))?;
        Ok((Certificate::from_pem(&certificate)?, PrivateKey::from_pkcs8_pem(&key)?))
    };
    Ok(Some(Credentials::new(half("sign")?, half("enc")?, Vec::new())?))
}

const CBC: [CipherSuite; 2] = [CipherSuite::EcdheSm4CbcSm3, CipherSuite::EccSm4CbcSm3];

fn peer_quirk(word: &str) -> Option<PeerQuirk> {
    match word {
        "raw-transcript" => Some(PeerQuirk::RawTranscriptSignature),
        "single-certificate" => Some(PeerQuirk::SingleClientCertificate),
        "no-extensions" => Some(PeerQuirk::NoExtensions),
        _ => None,
    }
}
