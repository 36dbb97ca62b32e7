//! `changbai tls probe`: what a server offers, for the operator who debugs a link.
//!
//! Each protocol is tried on a connection of its own. The server's certificates are shown whatever they are worth, and
//! then judged: against `--trust`, or else only described.

use std::fmt;
use std::net::ToSocketAddrs as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use serde_json::{Value, json};
use smkit_pki::{Certificate, PathError, Purpose, TrustAnchors, Validator};
use smkit_tls::link::{
    ClientAuth, Connector, Credentials, KeyPair, Limits, LinkError, Protocol, alert_received,
};
use smkit_tls::peer::{PeerRefusal, PeerRole, PeerVerifier};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::args::pki as args;
use crate::error::{CliError, chain};
use crate::messages::{Message, labelled, text, word};
use crate::output;
use crate::pki::{describe, private_key, read_certificates, render, verdict};
use crate::run::{Context, EXIT_FAILED, EXIT_OK};
use crate::time;

/// A server that refuses our certificate says so within this time after a TLS 1.3 handshake.
const AFTERWARDS: Duration = Duration::from_millis(500);
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Probes with both protocols.
pub(crate) fn probe(args: &args::Probe, context: &Context) -> Result<u8, CliError> {
    let (host, _) = args
        .address
        .rsplit_once(':')
        .ok_or_else(|| CliError::Address { given: args.address.clone() })?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let signing = pair(args.cert.as_deref(), args.key.as_deref())?;
    let encryption = pair(args.enc_cert.as_deref(), args.enc_key.as_deref())?;
    let anchors = args.trust.as_deref().map(read_certificates).transpose()?;
    let validator =
        anchors.map(|roots| Validator::admitting_all(TrustAnchors::from_certificates(roots)));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::Pki { reason: chain(&error) })?;
    let mut results = Vec::new();
    for protocol in [Protocol::Tls13, Protocol::Tlcp] {
        let found =
            runtime.block_on(try_one(&args.address, &host, protocol, [&signing, &encryption]));
        results.push((protocol, found));
    }
    let judge = |chain: &[Certificate]| {
        let at = i64::try_from(time::unix_ms() / 1_000).unwrap_or(i64::MAX);
        validator
            .as_ref()
            .map(|validator| validator.verify(chain, Purpose::TlsServer, at, Some(&host)).map(drop))
    };
    let well = results.iter().any(|(_, found)| {
        found.failure.is_none() && judge(&found.chain).is_none_or(|judged| judged.is_ok())
    });
    if args.json {
        let answers: Vec<Value> =
            results.iter().map(|(protocol, found)| found.json(*protocol, &judge)).collect();
        output::json(&answers)?;
    } else {
        let answers: Vec<String> = results
            .iter()
            .map(|(protocol, found)| found.words(*protocol, &judge, context))
            .collect();
        output::line(&answers.join("\n\n"))?;
    }
    Ok(if well { EXIT_OK } else { EXIT_FAILED })
}

fn pair(cert: Option<&Path>, key: Option<&Path>) -> Result<Option<KeyPair>, CliError> {
    let (Some(cert), Some(key)) = (cert, key) else { return Ok(None) };
    Ok(Some(KeyPair { chain: read_certificates(cert)?, key: private_key(key)? }))
}

/// What one protocol gave.
#[derive(Debug, Default)]
struct Found {
    suite: Option<u16>,
    alpn: Option<String>,
    /// Leaf first; also there when the handshake failed afterwards.
    chain: Vec<Certificate>,
    failure: Option<String>,
}

/// What we may show: the signing pair, and for TLCP the encryption pair.
type Own<'a> = [&'a Option<KeyPair>; 2];

type Judge<'a> = dyn Fn(&[Certificate]) -> Option<Result<(), PathError>> + 'a;

async fn try_one(address: &str, host: &str, protocol: Protocol, own: Own<'_>) -> Found {
    let seen = Arc::new(Witness::default());
    let mut found = match connect(address, host, protocol, own, &seen).await {
        Ok(found) => found,
        Err(failure) => Found { failure: Some(failure), ..Found::default() },
    };
    let chain = seen.chain.lock().unwrap_or_else(PoisonError::into_inner);
    found.chain.clone_from(&chain);
    found
}

async fn connect(
    address: &str,
    host: &str,
    protocol: Protocol,
    own: Own<'_>,
    seen: &Arc<Witness>,
) -> Result<Found, String> {
    let credentials = Credentials {
        signing: own[0].clone(),
        encryption: own[1].clone(),
        verifier: Arc::clone(seen) as _,
        clients: ClientAuth::None,
        alpn: vec![b"http/1.1".to_vec()],
        tlcp_quirks: Vec::new(),
    };
    let connector = Connector::new(&credentials, Limits::default(), Arc::new(Now))
        .map_err(|error| error.to_string())?;
    let target = address
        .to_socket_addrs()
        .map_err(|error| error.to_string())?
        .next()
        .ok_or_else(|| "no address".to_owned())?;
    let stream = timeout(CONNECT_MAX, TcpStream::connect(target))
        .await
        .map_err(|_| "no answer in time".to_owned())?
        .map_err(|error| error.to_string())?;
    let mut link = connector
        .connect(stream, host, protocol)
        .await
        .map_err(|error: LinkError| error.to_string())?;
    let mut found = Found {
        suite: Some(link.info().suite),
        alpn: link.info().alpn.as_deref().map(|name| String::from_utf8_lossy(name).into_owned()),
        ..Found::default()
    };
    let mut byte = [0];
    if let Ok(Err(error)) = timeout(AFTERWARDS, link.read(&mut byte)).await {
        found.failure = Some(match alert_received(&error) {
            Some(alert) => format!("alert {alert}"),
            None => error.to_string(),
        });
    }
    Ok(found)
}

impl Found {
    fn json(&self, protocol: Protocol, judge: &Judge<'_>) -> Value {
        let judged = judge(&self.chain).map(|judged| match judged {
            Ok(()) => json!({ "verified": true }),
            Err(error) => {
                json!({ "verified": false, "code": error.code(), "reason": error.to_string() })
            }
        });
        json!({
            "protocol": protocol.to_string(),
            "suite": self.suite.map(|suite| format!("0x{suite:04X} {}", suite_name(suite))),
            "alpn": self.alpn,
            "failure": self.failure,
            "certificates": self.chain.iter().map(describe).collect::<Vec<_>>(),
            "judged": if self.chain.is_empty() { None } else { judged },
        })
    }

    fn words(&self, protocol: Protocol, judge: &Judge<'_>, context: &Context) -> String {
        let lang = context.lang;
        let mut lines = vec![match self.suite {
            Some(suite) => {
                let suite = format!("0x{suite:04X} {}", suite_name(suite));
                let values = [("protocol", protocol.to_string()), ("suite", suite)];
                let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
                text(lang, Message::ProbeSpoken, &values)
            }
            None => text(lang, Message::ProbeNot, &[("protocol", &protocol.to_string())]),
        }];
        lines.extend(self.failure.iter().map(|why| labelled(lang, Message::ProbeFailure, why)));
        for certificate in &self.chain {
            lines.push(render(&describe(certificate), lang));
        }
        if !self.chain.is_empty() {
            lines.push(match judge(&self.chain) {
                Some(judged) => verdict(&judged, lang),
                None => word(lang, Message::ProbeUnjudged).to_owned(),
            });
        }
        lines.join("\n")
    }
}

const fn suite_name(suite: u16) -> &'static str {
    match suite {
        0x00c6 => "TLS_SM4_GCM_SM3",
        0x00c7 => "TLS_SM4_CCM_SM3",
        0xe011 => "ECDHE_SM4_CBC_SM3",
        0xe013 => "ECC_SM4_CBC_SM3",
        0xe051 => "ECDHE_SM4_GCM_SM3",
        0xe053 => "ECC_SM4_GCM_SM3",
        _ => "",
    }
}

/// Looks at the server's certificates and lets every server pass: nothing is sent to it.
#[derive(Default)]
struct Witness {
    chain: Mutex<Vec<Certificate>>,
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness").finish_non_exhaustive()
    }
}

impl PeerVerifier for Witness {
    fn verify(&self, chain: &[Certificate], _: PeerRole<'_>, _: i64) -> Result<(), PeerRefusal> {
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = chain.to_vec();
        Ok(())
    }

    fn verify_encryption(
        &self,
        _: &[Certificate],
        _: PeerRole<'_>,
        _: i64,
    ) -> Result<(), PeerRefusal> {
        Ok(())
    }
}

/// The system's clock, for certificates.
#[derive(Debug)]
pub(crate) struct Now;

impl TimeProvider for Now {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_millis(time::unix_ms())))
    }
}
