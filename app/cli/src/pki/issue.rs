//! The commands that make something.

use std::path::Path;

use changbai_authority::{AuthorityStore, Issued};
use serde_json::json;
use smkit::OsRandom;
use smkit::sm2::{PrivateKey, PublicKey, SignerId, SigningKey};
use smkit_pki::{
    AlternativeNames, Authority, Certificate, CertificationRequest, CertificationResponse,
    DistinguishedName, Profile, Purpose, RevocationReason, RevokedCertificate, Terms, TrustAnchors,
    Validator, Validity,
};

use super::files::{
    authority, beside, certificates, create, create_chain, create_key, failed, passphrase,
    private_key, wrong,
};
use super::subject;
use crate::args::pki as args;
use crate::error::CliError;
use crate::messages::{Message, text};
use crate::output;
use crate::run::{Context, EXIT_OK};
use crate::{stream, time};

const HOUR_S: i64 = 3_600;
/// Certificates begin a little in the past: the clock of whoever checks them may be behind.
const LEEWAY_S: i64 = 300;

pub(super) fn init_ca(args: &args::InitCa, context: &Context) -> Result<u8, CliError> {
    let subject = subject(&args.subject)?;
    let hours = i64::from(args.days).saturating_mul(24);
    let secret = passphrase(args.common.passphrase_file.as_deref())?;
    let (own, chain) = match &args.below {
        None => {
            let own = Authority::create_root(&subject, validity(hours), &mut OsRandom);
            (own.map_err(|e| failed(&e))?, Vec::new())
        }
        Some(parent) => below(parent, args, &subject, hours)?,
    };
    let secret = secret.as_deref().map(String::as_str);
    let store = AuthorityStore::create(&args.common.ca, own, &chain, secret, &mut OsRandom)
        .map_err(|e| failed(&e))?;
    let certificate = store.certificate();
    if args.common.json {
        output::json(&facts(certificate))?;
    } else {
        let dir = args.common.ca.display().to_string();
        let values = [("dir", dir.as_str()), ("subject", &certificate.subject())];
        output::line(&text(context.lang, Message::PkiCaCreated, &values))?;
    }
    Ok(EXIT_OK)
}

/// An authority below another one of this machine.
fn below(
    parent: &Path,
    args: &args::InitCa,
    subject: &smkit_pki::Subject,
    hours: i64,
) -> Result<(Authority, Vec<Certificate>), CliError> {
    let secret = passphrase(args.below_passphrase_file.as_deref())?;
    let mut parent = AuthorityStore::open(parent, secret.as_deref().map(String::as_str))
        .map_err(|e| failed(&e))?;
    let key = PrivateKey::generate(&mut OsRandom).map_err(|e| failed(&e))?;
    let name: DistinguishedName = subject.try_into().map_err(|e| failed(&e))?;
    let terms = Terms::new(name, key.public_key(), Profile::IntermediateCa, validity(hours));
    let issued =
        parent.issue(&terms, false, now_s(), &mut OsRandom).map_err(|e| failed(&e))?.signing;
    let chain = above(&parent);
    let own = Authority::new(issued, key).map_err(|e| failed(&e))?;
    Ok((own, chain))
}

pub(super) fn issue(args: &args::Issue, context: &Context) -> Result<u8, CliError> {
    let mut store = authority(&args.common)?;
    let name: DistinguishedName =
        (&subject(&args.subject)?).try_into().map_err(|e: smkit_pki::SubjectError| failed(&e))?;
    let key = PrivateKey::generate(&mut OsRandom).map_err(|e| failed(&e))?;
    create_key(&beside(&args.out, "key.pem"), &key)?;
    let issued = certify(&mut store, &args.terms, name, key.public_key(), None)?;
    write_issued(&args.out, &issued, &above(&store))?;
    report(&issued, args.common.json, &args.out, context)
}

pub(super) fn csr(args: &args::Csr, context: &Context) -> Result<u8, CliError> {
    let name: DistinguishedName =
        (&subject(&args.subject)?).try_into().map_err(|e: smkit_pki::SubjectError| failed(&e))?;
    let key = PrivateKey::generate(&mut OsRandom).map_err(|e| failed(&e))?;
    let signer = SigningKey::new(key.clone(), SignerId::DEFAULT).map_err(|e| failed(&e))?;
    let request = CertificationRequest::create(&name, &signer, &hosts(&args.hosts)?)
        .map_err(|e| failed(&e))?;
    let path = beside(&args.out, "csr.pem");
    create_key(&beside(&args.out, "key.pem"), &key)?;
    create(&path, request.to_pem().as_bytes(), 0o644)?;
    let path = path.display().to_string();
    if args.json {
        output::json(&json!({ "csr": path, "subject": name.to_string() }))?;
    } else {
        output::line(&text(context.lang, Message::PkiCsrWritten, &[("path", &path)]))?;
    }
    Ok(EXIT_OK)
}

pub(super) fn sign_csr(args: &args::SignCsr, context: &Context) -> Result<u8, CliError> {
    let mut store = authority(&args.common)?;
    let request = CertificationRequest::from_pem(&stream::read_small(&args.request)?)
        .map_err(|e| wrong(&args.request, &e))?;
    let asked = (!request.hosts().is_empty()).then(|| request.hosts().clone());
    let name = request.subject().clone();
    let issued = certify(&mut store, &args.terms, name, request.public_key(), asked)?;
    let above = above(&store);
    let answer = match &issued.encryption {
        Some((encryption, key)) => {
            CertificationResponse::pair(&issued.signing, encryption, key, &above, &mut OsRandom)
        }
        None => {
            let signing = [std::slice::from_ref(&issued.signing), &above].concat();
            CertificationResponse::signing_only(&signing)
        }
    };
    let answer = answer.map_err(|e| failed(&e))?;
    create(&beside(&args.out, "answer.der"), answer.der(), 0o644)?;
    let chain: Vec<_> = std::iter::once(&issued.signing).chain(&above).collect();
    create_chain(&beside(&args.out, "cert.pem"), &chain)?;
    report(&issued, args.common.json, &args.out, context)
}

/// Takes an authority's answer: only what leads to the given root and belongs to the given key is written.
pub(super) fn install(args: &args::Install, context: &Context) -> Result<u8, CliError> {
    let key = private_key(&args.key)?;
    let bytes = std::fs::read(&args.answer).map_err(CliError::read(&args.answer))?;
    let answer = CertificationResponse::from_der(&bytes).map_err(|e| wrong(&args.answer, &e))?;
    let identity = answer.open(&key).map_err(|e| wrong(&args.answer, &e))?;
    let anchors = TrustAnchors::from_certificates(certificates(&args.trust)?);
    let validator = Validator::admitting_all(anchors);
    let chain = [std::slice::from_ref(&identity.signing), &identity.authorities].concat();
    validator.verify(&chain, Purpose::Signing, now_s(), None).map_err(|e| failed(&e))?;
    let above: Vec<_> =
        identity.authorities.iter().filter(|one| !one.is_self_issued()).cloned().collect();
    let encryption = identity.encryption;
    let issued = Issued { signing: identity.signing, encryption };
    write_issued(&args.out, &issued, &above)?;
    report(&issued, args.json, &args.out, context)
}

pub(super) fn revoke(args: &args::Revoke, context: &Context) -> Result<u8, CliError> {
    let mut store = authority(&args.common)?;
    let reason = RevocationReason::from_name(&args.reason).ok_or_else(|| CliError::Pki {
        reason: format!("--reason {:?}: RFC 5280 §5.3.1 has no such reason", args.reason),
    })?;
    let serial = args.serial.parse().map_err(|e: smkit_pki::SerialNumberError| failed(&e))?;
    let revocation =
        RevokedCertificate { serial, revoked_at: now_s(), reason, invalid_since: None };
    store.revoke(revocation).map_err(|e| failed(&e))?;
    if args.common.json {
        output::json(&json!({ "serial": args.serial, "reason": reason.name() }))?;
    } else {
        let values = [("serial", args.serial.as_str()), ("reason", reason.name())];
        output::line(&text(context.lang, Message::PkiRevoked, &values))?;
    }
    Ok(EXIT_OK)
}

pub(super) fn crl(args: &args::Crl, context: &Context) -> Result<u8, CliError> {
    let mut store = authority(&args.common)?;
    let lifetime_s = i64::from(args.hours).saturating_mul(HOUR_S);
    let list = store.revocation_list(lifetime_s, now_s()).map_err(|e| failed(&e))?;
    std::fs::write(&args.out, list.to_pem()).map_err(CliError::write(&args.out))?;
    let (path, count) = (args.out.display().to_string(), list.entries().len().to_string());
    if args.common.json {
        let number = list.number().map(|number| number.to_string());
        let facts = json!({ "crl": path, "entries": list.entries().len(), "number": number,
            "this_update": list.this_update(), "next_update": list.next_update() });
        output::json(&facts)?;
    } else {
        let values = [("path", path.as_str()), ("count", &count)];
        output::line(&text(context.lang, Message::PkiCrlWritten, &values))?;
    }
    Ok(EXIT_OK)
}

fn certify(
    store: &mut AuthorityStore,
    wanted: &args::Terms,
    name: DistinguishedName,
    key: &PublicKey,
    asked: Option<AlternativeNames>,
) -> Result<Issued, CliError> {
    let given = hosts(&wanted.hosts)?;
    let hosts = if given.is_empty() { asked.unwrap_or_default() } else { given };
    let terms = Terms {
        organisation_code: wanted.organisation_code.as_deref(),
        hosts,
        ..Terms::new(name, key, profile(wanted.profile), validity(i64::from(wanted.hours)))
    };
    store.issue(&terms, wanted.pair, now_s(), &mut OsRandom).map_err(|e| failed(&e))
}

fn write_issued(prefix: &Path, issued: &Issued, above: &[Certificate]) -> Result<(), CliError> {
    let chain = |own| std::iter::once(own).chain(above).collect::<Vec<_>>();
    if let Some((certificate, key)) = &issued.encryption {
        create_key(&beside(prefix, "enc.key.pem"), key)?;
        create_chain(&beside(prefix, "enc.cert.pem"), &chain(certificate))?;
    }
    create_chain(&beside(prefix, "cert.pem"), &chain(&issued.signing))
}

fn report(issued: &Issued, json: bool, prefix: &Path, context: &Context) -> Result<u8, CliError> {
    let path = beside(prefix, "cert.pem").display().to_string();
    let certificate = &issued.signing;
    if json {
        let encryption = issued.encryption.as_ref().map(|(encryption, _)| facts(encryption));
        output::json(&json!({ "signing": facts(certificate), "encryption": encryption }))?;
    } else {
        let values = [
            ("path", path.as_str()),
            ("subject", &certificate.subject()),
            ("serial", &certificate.serial_hex()),
        ];
        output::line(&text(context.lang, Message::PkiIssued, &values))?;
    }
    Ok(EXIT_OK)
}

/// What a machine wants to know of a new certificate.
fn facts(certificate: &Certificate) -> serde_json::Value {
    json!({
        "subject": certificate.subject(),
        "serial": certificate.serial_hex(),
        "sm3": certificate.sm3().to_string(),
        "not_before": certificate.not_before(),
        "not_after": certificate.not_after(),
    })
}

/// The authority and those above it, without a root.
fn above(store: &AuthorityStore) -> Vec<Certificate> {
    let own = std::iter::once(store.certificate()).chain(store.chain());
    own.filter(|certificate| !certificate.is_self_issued()).cloned().collect()
}

fn hosts(names: &[String]) -> Result<AlternativeNames, CliError> {
    AlternativeNames::parse(names.iter().map(String::as_str)).ok_or_else(|| CliError::Pki {
        reason: format!("--host {}: neither DNS names nor addresses", names.join(" ")),
    })
}

const fn profile(kind: args::Kind) -> Profile {
    match kind {
        args::Kind::Signing => Profile::Signing,
        args::Kind::Server => Profile::Server,
        args::Kind::Client => Profile::Client,
        args::Kind::Node => Profile::Node,
        args::Kind::Operator => Profile::Operator,
        args::Kind::Tsa => Profile::TimeStampAuthority,
        args::Kind::Seal => Profile::Seal,
        args::Kind::Ocsp => Profile::OcspResponder,
    }
}

fn validity(hours: i64) -> Validity {
    let now = now_s();
    Validity {
        not_before: now.saturating_sub(LEEWAY_S),
        not_after: now.saturating_add(hours.saturating_mul(HOUR_S)),
    }
}

pub(super) fn now_s() -> i64 {
    i64::try_from(time::unix_ms() / 1_000).unwrap_or(i64::MAX)
}
