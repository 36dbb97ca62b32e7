//! A whole rustls program that speaks GM TLS: a server and a client with certificates of their own, over loopback.
//!
//! `cargo run -p smkit-tls --example echo` prints who the two were to each other. Only the lines marked GM differ from
//! what a rustls program has anyway.

#![expect(clippy::print_stdout, reason = "an example talks on standard output")]

use std::{
    error::Error,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use rustls::{
    ClientConnection, ServerConnection, StreamOwned, pki_types::ServerName,
    time_provider::DefaultTimeProvider,
};
use smkit::{OsRandom, sm2::PrivateKey};
use smkit_pki::{
    AlternativeNames, Authority, Certificate, Profile, Subject, Terms, TrustAnchors, Validator,
    Validity,
};
use smkit_tls::{
    peer::PathVerifier,
    rfc8998::{ClientVerifier, ServerVerifier, client_config, server_config},
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    // Certificates: from files in a real program (`Certificate::pem_many`, `PrivateKey::from_pkcs8_pem`).
    let validity = Validity { not_before: 1_700_000_000, not_after: 2_500_000_000 };
    let authority = Authority::create_root(&named("Example Root"), validity, &mut OsRandom)?;
    let issue = |name: &str, profile: Profile| -> Outcome<(Vec<Certificate>, PrivateKey)> {
        let key = PrivateKey::generate(&mut OsRandom)?;
        let subject = (&named(name)).try_into()?;
        let hosts = AlternativeNames::parse(["localhost"]).ok_or("not a host")?;
        let terms = Terms { hosts, ..Terms::new(subject, key.public_key(), profile, validity) };
        Ok((vec![authority.issue_on(&terms, &mut OsRandom)?], key))
    };
    let (server, client) =
        (issue("a server", Profile::Server)?, issue("a clerk", Profile::Client)?);

    // GM: the rule that decides about peers. This one admits everybody whom the root vouches for; `Validator::new` takes
    // admissions such as `OU=NDRC,O=CCG`, and any `PeerVerifier` of your own will do.
    let anchors = TrustAnchors::from_certificates(vec![authority.certificate().clone()]);
    let trust = Arc::new(PathVerifier::of(Validator::admitting_all(anchors)));

    // GM: that rule as rustls asks it, and the two configurations.
    let clients = Arc::new(ClientVerifier::new(trust.clone(), true));
    let servers = Arc::new(ServerVerifier::new(trust));
    let time = Arc::new(DefaultTimeProvider);
    let server_config = server_config(&server.0, &server.1, Some(clients.clone()), time.clone())?;
    let client_config = client_config(Some((&client.0, &client.1)), servers.clone(), time)?;

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let serving = thread::spawn(move || -> Outcome<String> {
        let (stream, _) = listener.accept()?;
        let connection = ServerConnection::new(Arc::new(server_config))?;
        let mut stream = StreamOwned::new(connection, stream);
        let mut line = [0; 5];
        if let Err(error) = stream.read_exact(&mut line) {
            // GM: rustls tells the alert's kind; the exact reason is the verifier's.
            let reason = clients.take_refusal().map(|refusal| refusal.to_string());
            return Err(reason.unwrap_or_else(|| error.to_string()).into());
        }
        stream.write_all(&line)?;
        stream.conn.send_close_notify();
        stream.flush()?;
        // GM: the identity behind the connection, as smkit-pki's certificate.
        let chain = stream.conn.peer_certificates().unwrap_or_default();
        Ok(clients.identity(chain)?.leaf().subject())
    });

    let name = ServerName::try_from("localhost")?;
    let connection = ClientConnection::new(Arc::new(client_config), name)?;
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address)?);
    stream.write_all(b"hello")?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    let seen = serving.join().map_err(|_| "the server stopped")??;
    let suite = stream.conn.negotiated_cipher_suite().map(|suite| suite.suite());
    let chain = stream.conn.peer_certificates().unwrap_or_default();
    println!("answer    {:?}", String::from_utf8_lossy(&answer));
    println!("suite     {suite:?}");
    println!("server is {}", servers.identity(chain)?.leaf().subject());
    println!("client is {seen}");
    Ok(())
}

fn named(common_name: &str) -> Subject {
    Subject { common_name: common_name.into(), ..Subject::default() }
}
