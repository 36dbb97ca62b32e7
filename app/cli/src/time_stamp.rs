//! `changbai time stamp`, `time verify` and `time check --tsa`: tokens of time-stamp authorities.

use std::{path::Path, sync::Arc, time::Duration};

use changbai_api::time_stamp_client::{TimeStampClient, TsaUrl, TsaUrlError};
use changbai_receipt::Trust;
use changbai_time::{
    QueryTransport, TimeToken, TokenError, TokenSource, TransportError, TsaClient,
};
use changbai_wire::time::{Clock, TimeReading, UnixMillis};
use serde_json::{Value, json};
use smkit::{OsRandom, Random as _, Sm3Digest, sm3};
use smkit_pki::{
    Certificate, TimeStampError, TimeStampResponse, TimeStampToken, TrustAnchors, Validator,
    VerifiedTimeStamp,
};
use smkit_tls::peer::PathVerifier;
use tokio::runtime::Runtime;

use crate::{
    args,
    error::CliError,
    lang::Lang,
    messages::{Message, text, word},
    output::{self, Table},
    run::{Context, EXIT_FAILED, EXIT_OK, EXIT_UNCHECKED},
    sm3::digest,
    stream, time, tls,
};

/// Has a file stamped and keeps the answer, which proves itself against the roots.
pub(crate) fn stamp(args: &args::TimeStamp, context: &Context) -> Result<u8, CliError> {
    let asker = Asker::new(&args.tsa, &args.tsa_trust, None, context)?;
    let imprint = digest(&args.file, context)?.sm3;
    let (token, found) = match asker.ask(&imprint) {
        Ok(got) => got,
        Err(error) => return refused(&error, args.json, context.lang),
    };
    let response = TimeStampResponse::granted(token.token()).map_err(|error| pki(&error))?;
    stream::write_whole(&args.out, response.der())?;
    if args.json {
        output::json(&found.json())?;
    } else {
        output::line(&found.render(context.lang))?;
    }
    Ok(EXIT_OK)
}

/// Judges a token over a file, offline.
pub(crate) fn verify(args: &args::TimeVerify, context: &Context) -> Result<u8, CliError> {
    let lang = context.lang;
    let validator = roots(args.trust.as_deref(), context)?;
    let imprint = digest(&args.file, context)?.sm3;
    let token = read(&stream::read_bytes(&args.token)?);
    let judged = token.and_then(|token| {
        let verified = token.verify(&imprint, &validator, &[])?;
        Ok(Found::of(&token, &verified, &args.token.to_string_lossy()))
    });
    match judged {
        Ok(found) => {
            if args.json {
                output::json(&found.json())?;
            } else {
                let verdict = word(lang, Message::TokenVerified);
                output::line(&format!("{verdict}\n\n{}", found.render(lang)))?;
            }
            Ok(EXIT_OK)
        }
        Err(error) => {
            let reason = if lang == Lang::Zh { error.text_zh() } else { error.to_string() };
            if args.json {
                let (zh, en) = (error.text_zh(), error.to_string());
                output::json(&failure(error.code(), &zh, &en))?;
            } else {
                let values = [("code", error.code()), ("reason", &reason)];
                output::line(&text(lang, Message::TokenFailed, &values))?;
            }
            Ok(EXIT_FAILED)
        }
    }
}

/// What `time check --tsa` found: a token over random bytes, or why there is none.
pub(crate) struct Checked(Result<Found, TokenError>);

/// Fetches a token and verifies it. `bound_us` is what this machine's clock is known to.
pub(crate) fn check(
    url: &str,
    trust: &args::TsaTrust,
    bound_us: Option<u32>,
    context: &Context,
) -> Result<Checked, CliError> {
    let asker = Asker::new(url, trust, bound_us, context)?;
    let mut bytes = [0; 32];
    let random = OsRandom.fill(&mut bytes);
    random.map_err(|error| CliError::Random { reason: error.to_string() })?;
    Ok(Checked(asker.ask(&sm3(&bytes)).map(|(_, found)| found)))
}

impl Checked {
    pub(crate) fn exit_code(&self) -> u8 {
        self.0.as_ref().map_or_else(exit_code, |_| EXIT_OK)
    }

    pub(crate) fn json(&self) -> Value {
        match &self.0 {
            Ok(found) => found.json(),
            Err(error) => failure(error.reason().code, &error.zh(), &error.en()),
        }
    }

    pub(crate) fn render(&self, lang: Lang) -> String {
        match &self.0 {
            Ok(found) => found.render(lang),
            Err(error) => sentence(error, lang),
        }
    }
}

/// 2 where nobody could be asked, 1 where what came is not to be relied on.
const fn exit_code(error: &TokenError) -> u8 {
    match error {
        TokenError::Unreachable { .. } => EXIT_UNCHECKED,
        _ => EXIT_FAILED,
    }
}

fn refused(error: &TokenError, as_json: bool, lang: Lang) -> Result<u8, CliError> {
    if as_json {
        output::json(&failure(error.reason().code, &error.zh(), &error.en()))?;
    } else {
        output::note(&sentence(error, lang));
    }
    Ok(exit_code(error))
}

fn sentence(error: &TokenError, lang: Lang) -> String {
    let reason = if lang == Lang::Zh { error.zh() } else { error.en() };
    text(lang, Message::TokenMissing, &[("code", error.reason().code), ("reason", &reason)])
}

fn failure(code: &str, zh: &str, en: &str) -> Value {
    json!({ "verified": false, "code": code, "reason_zh": zh, "reason_en": en })
}

/// An answer of an authority, or the bare token out of one.
fn read(der: &[u8]) -> Result<TimeStampToken, TimeStampError> {
    match TimeStampResponse::from_der(der) {
        Ok(response) => Ok(response.token().clone()),
        Err(refused @ TimeStampError::Refused { .. }) => Err(refused),
        Err(error) => TimeStampToken::from_der(der).map_err(|_| error),
    }
}

/// What a verified token states.
struct Found {
    source: String,
    imprint: Sm3Digest,
    at_ms: u64,
    accuracy_us: Option<u64>,
    policy: String,
    serial: Option<String>,
    authority: Option<String>,
}

impl Found {
    fn of(token: &TimeStampToken, verified: &VerifiedTimeStamp, source: &str) -> Self {
        let micros = |bound: Duration| u64::try_from(bound.as_micros()).unwrap_or(u64::MAX);
        Self {
            source: source.to_owned(),
            imprint: *token.imprint(),
            at_ms: u64::try_from(verified.gen_time.as_millis()).unwrap_or(u64::MAX),
            accuracy_us: verified.accuracy.map(|accuracy| micros(accuracy.bound())),
            policy: verified.policy.clone(),
            serial: verified.serial.map(|serial| serial.to_string()),
            authority: verified.path.leaf().map(Certificate::subject),
        }
    }

    fn json(&self) -> Value {
        json!({
            "verified": true,
            "source": self.source,
            "sm3": self.imprint.to_string(),
            "gen_time_ms": self.at_ms,
            "accuracy_us": self.accuracy_us,
            "policy": self.policy,
            "serial": self.serial,
            "authority": self.authority,
        })
    }

    fn render(&self, lang: Lang) -> String {
        let mut table = Table::default();
        let none = || word(lang, Message::TokenNotStated).to_owned();
        let accuracy = self.accuracy_us.map_or_else(none, |us| format!("{us} us"));
        let authority = self.authority.as_deref().map_or_else(none, output::clean);
        let serial = self.serial.clone().unwrap_or_else(none);
        for (name, value) in [
            (Message::TokenTime, time::china_time(self.at_ms, lang)),
            (Message::TokenAccuracy, accuracy),
            (Message::TokenAuthority, authority),
            (Message::TokenPolicy, self.policy.clone()),
            (Message::TokenSerial, serial),
            (Message::TokenDigest, self.imprint.to_string()),
            (Message::TokenSource, output::clean(&self.source)),
        ] {
            table.row([word(lang, name), &value]);
        }
        table.render()
    }
}

/// Asks one authority, by what the command line says of it.
struct Asker {
    client: TsaClient,
    validator: Validator,
}

impl Asker {
    fn new(
        url: &str,
        trust: &args::TsaTrust,
        bound_us: Option<u32>,
        context: &Context,
    ) -> Result<Self, CliError> {
        let address: TsaUrl = url.parse().map_err(|error: TsaUrlError| {
            let values = [("given", url), ("reason", &error.to_string())];
            CliError::said(Message::TsaAddress, None, &values)
        })?;
        let validator = roots(trust.trust.as_deref(), context)?;
        let connections = match &trust.tls_trust {
            Some(file) => roots(Some(file), context)?,
            None => validator.clone(),
        };
        let failed = |reason: String| CliError::Pki { reason };
        let verifier = Arc::new(PathVerifier::of(connections));
        let client = TimeStampClient::new(address, verifier, Arc::new(tls::Now))
            .map_err(|error| failed(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed(error.to_string()))?;
        let (wire, clock) = (Box::new(Wire { client, runtime }), Arc::new(OwnClock { bound_us }));
        let client = TsaClient::new(url.to_owned(), wire, validator.clone(), clock)
            .with_policy(trust.policy.clone());
        Ok(Self { client, validator })
    }

    fn ask(&self, imprint: &Sm3Digest) -> Result<(TimeToken, Found), TokenError> {
        let token = self.client.token(imprint)?;
        let verified = token.token().verify(imprint, &self.validator, &[]);
        let source = token.source().to_owned();
        let verified =
            verified.map_err(|error| TokenError::Untrusted { source: source.clone(), error })?;
        let found = Found::of(token.token(), &verified, &source);
        Ok((token, found))
    }
}

/// The roots of a trust file, or the certificates of a PEM file.
fn roots(file: Option<&Path>, context: &Context) -> Result<Validator, CliError> {
    let usual = || context.dir.join("trust.pem");
    let file = file.map_or_else(usual, Path::to_path_buf);
    let text = stream::read_small(&file)?;
    let anchors = match Trust::parse(&text) {
        Ok(trust) => trust.roots().clone(),
        Err(_) => TrustAnchors::from_certificates(certificates(&file, &text)?),
    };
    Ok(Validator::admitting_all(anchors))
}

fn certificates(file: &Path, text: &str) -> Result<Vec<Certificate>, CliError> {
    let wrong = |reason: String| CliError::Identity { path: file.to_owned(), reason };
    let roots = Certificate::pem_many(text).map_err(|error| wrong(error.to_string()))?;
    if roots.is_empty() {
        return Err(wrong("no certificate in it".to_owned()));
    }
    Ok(roots)
}

fn pki(error: &TimeStampError) -> CliError {
    CliError::Pki { reason: error.to_string() }
}

/// The async client, for a command that does nothing else meanwhile.
#[derive(Debug)]
struct Wire {
    client: TimeStampClient,
    runtime: Runtime,
}

impl QueryTransport for Wire {
    fn post(&self, query: &[u8]) -> Result<Vec<u8>, TransportError> {
        let answer = self.runtime.block_on(self.client.query(query));
        answer.map_err(|error| TransportError { reason: error.reason, again: error.again })
    }
}

/// This machine's clock, with the bound that chronyd gave a moment ago.
struct OwnClock {
    bound_us: Option<u32>,
}

impl Clock for OwnClock {
    fn now(&self) -> TimeReading {
        TimeReading { at: UnixMillis(time::unix_ms()), bound_us: self.bound_us }
    }
}
