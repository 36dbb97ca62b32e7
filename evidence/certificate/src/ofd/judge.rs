//! Judging an OFD: every byte of it is covered by the signature, or is what the format prescribes.

use changbai_receipt::{Bundle, Report, Trust};
use smkit::sm3;
use smkit_pki::{
    Certificate as PkiCertificate, PathError, Purpose, RefusalKind, Revocation, RevocationMode,
    SEAL_CLOCK_LEEWAY_S, SealError, SealPolicy, SealSignature, SignedData, Validator,
};

use super::{
    members, pack,
    package::{self, Member},
    sign::{covered, name, signature_xml},
    signature_xml::{Listed, Read, read, read_list},
    xml::Node,
};
use crate::{
    Certificate, CertificateFacts, FontSource, Format, Originals,
    issuance::{Issuance, LAYOUT},
    judge::*,
    limits::SIGNATURE_XML_BYTES_MAX,
    time::ChinaTime,
};

/// Judges an OFD that is, or claims to be, a certificate of an evidence: container, digests, signature, seal,
/// certificates, time stamp; then record and receipt inside, and the pages against those made anew from them.
pub fn judge_ofd(bytes: &[u8], grounds: &Grounds<'_>) -> DocumentReport {
    let mut findings = Findings::default();
    let members = match package::read(bytes) {
        Ok(members) => members,
        Err(error) => {
            findings.document = Finding::new(DOCUMENT_MALFORMED).with(error);
            return DocumentReport::new(Format::Ofd, findings, None, None);
        }
    };
    let signed = match find_signature(&members) {
        Ok(signed) => signed,
        Err(Stop(finding)) => {
            findings.document = finding;
            None
        }
    };
    let mut signatory = None;
    let mut seal_signature = None;
    match &signed {
        None if findings.document.is_unchecked() => unsigned(&mut findings),
        None => {}
        Some(signed) => {
            findings.document = check_coverage(&members, signed);
            match on_value(signed, grounds, &mut findings) {
                Value::Sealed(signature, who) => {
                    seal_signature = Some(*signature);
                    signatory = Some(who);
                }
                Value::Signed(who) => signatory = Some(who),
                Value::Unusable => {}
            }
        }
    }
    let evidence = on_facts(bytes, &members, seal_signature.as_ref(), grounds, &mut findings);
    DocumentReport::new(Format::Ofd, findings, evidence, signatory)
}

/// A finding that ends the search.
struct Stop(Finding);

/// The one signature of a package.
struct Signed<'a> {
    sealed: bool,
    path: String,
    xml: &'a [u8],
    read: Read,
    value: &'a [u8],
}

fn unsigned(findings: &mut Findings) {
    findings.document = Finding::new(DOCUMENT_UNSIGNED);
    findings.signature = Finding::new(SIGNATURE_ABSENT);
    findings.seal = Finding::new(SEAL_ABSENT);
    findings.chain = Finding::new(CHAIN_ABSENT);
    findings.revocation = Finding::new(REVOCATION_NO_CERTIFICATE);
    findings.time_token = Finding::new(TIME_TOKEN_ABSENT);
}

fn find<'a>(members: &'a [Member], name: &str) -> Result<&'a [u8], Stop> {
    let found = members.iter().find(|(known, _)| known == name);
    let bytes = found.map(|(_, bytes)| bytes.as_slice());
    bytes.ok_or_else(|| Stop(Finding::new(DOCUMENT_MISSING).with(shown(name))))
}

/// The package's signature; `None` if it has none.
fn find_signature(members: &[Member]) -> Result<Option<Signed<'_>>, Stop> {
    let malformed = |reason: &str| Stop(Finding::new(DOCUMENT_MALFORMED).with(reason));
    let parse = |path: &str| {
        let bytes = find(members, path)?;
        if bytes.len() > SIGNATURE_XML_BYTES_MAX {
            return Err(malformed("an XML file that is too large"));
        }
        Ok((bytes, Node::parse(bytes).map_err(malformed)?))
    };
    let (_, entry) = parse("OFD.xml")?;
    let body = entry.child("DocBody").ok_or_else(|| malformed("not exactly one document"))?;
    let Some(list) = body.child("Signatures") else { return Ok(None) };
    let list_path = resolve("OFD.xml", list.text.trim());
    let (_, list) = parse(&list_path)?;
    let mut listed = read_list(&list).map_err(malformed)?.into_iter();
    let (first, further) = (listed.next(), listed.next());
    let Listed { sealed, path } = match (first, further) {
        (Some(one), None) => one,
        (Some(_), Some(_)) => return Err(malformed("several signatures")),
        (None, _) => return Err(malformed("a list of signatures without one")),
    };
    let path = resolve(&list_path, &path);
    let (xml, root) = parse(&path)?;
    let read = read(&root).map_err(malformed)?;
    let value = find(members, &resolve(&path, &read.signed_value))?;
    Ok(Some(Signed { sealed, path, xml, read, value }))
}

/// Whether each member is what its digest says, and has one.
fn check_coverage(members: &[Member], signed: &Signed<'_>) -> Finding {
    let mut covered = Vec::new();
    for (path, digest) in &signed.read.references {
        let path = resolve(&signed.path, path);
        if covered.contains(&path) {
            let reason = format!("two digests of {}", shown(&path));
            return Finding::new(DOCUMENT_MALFORMED).with(reason);
        }
        match find(members, &path) {
            Err(Stop(missing)) => return missing,
            Ok(bytes) if sm3(bytes) != *digest => {
                return Finding::new(DOCUMENT_DIGEST).with(shown(&path));
            }
            Ok(_) => covered.push(path),
        }
    }
    let value = resolve(&signed.path, &signed.read.signed_value);
    let bare = members.iter().map(|(name, _)| name);
    let mut bare =
        bare.filter(|name| **name != signed.path && **name != value && !covered.contains(name));
    match bare.next() {
        Some(name) => Finding::new(DOCUMENT_UNCOVERED).with(shown(name)),
        None => match signed.read.seal.as_deref().map(|path| resolve(&signed.path, path)) {
            Some(path) if !covered.contains(&path) => {
                Finding::new(DOCUMENT_UNCOVERED).with(shown(&path))
            }
            _ => Finding::new(DOCUMENT_PROVEN),
        },
    }
}

/// What `SignedValue.dat` turned out to be.
enum Value {
    Sealed(Box<SealSignature>, Signatory),
    Signed(Signatory),
    Unusable,
}

fn on_value(signed: &Signed<'_>, grounds: &Grounds<'_>, findings: &mut Findings) -> Value {
    if !signed.sealed {
        return on_bare(signed, grounds, findings);
    }
    match SealSignature::from_der(signed.value) {
        Err(error) => {
            findings.signature = refused(SIGNATURE_INVALID, &SealError::Form(error));
            Value::Unusable
        }
        Ok(signature) => {
            let mut who = Signatory {
                subject: signature.signer().subject(),
                certificate_sm3: signature.signer().sm3().to_string(),
                signed_at: Some(signature.signed_at()),
                seal_id: Some(signature.seal().id().to_owned()),
                seal_name: Some(signature.seal().name().to_owned()),
                seal_maker: Some(signature.seal().maker().subject()),
                stamped_at: None,
            };
            on_seal(signed, &signature, grounds, findings, &mut who);
            Value::Sealed(Box::new(signature), who)
        }
    }
}

/// Signature, seal, certificates and stamp; `findings` keeps what could not be examined.
fn on_seal(
    signed: &Signed<'_>,
    signature: &SealSignature,
    grounds: &Grounds<'_>,
    findings: &mut Findings,
    who: &mut Signatory,
) {
    let when = date(signature.signed_at());
    let by = signature.signer().subject();
    let seal = signature.seal();
    findings.signature =
        match signature.verify_signature().and_then(|()| signature.verify_data(signed.xml)) {
            Err(error) => refused(SIGNATURE_INVALID, &error),
            Ok(()) if resolve(&signed.path, signature.property()) != signed.path => {
                refused(SIGNATURE_INVALID, &SealError::Data)
            }
            Ok(()) if signature.signed_at() > latest(grounds) => {
                refused(SIGNATURE_DATE, &SealError::Future { at: signature.signed_at() })
            }
            Ok(()) => Finding::new(SIGNATURE_PROVEN).with(by).with(when),
        };
    let at = signature.signed_at();
    findings.seal = if let Err(error) = seal.verify_signature() {
        refused(SEAL_INVALID, &error)
    } else if !seal.is_for(signature.signer()) {
        refused(SEAL_INVALID, &SealError::NotListed)
    } else if !(seal.valid_from()..=seal.valid_to()).contains(&at) {
        refused(SEAL_INVALID, &SealError::Validity { at })
    } else {
        let maker = seal.maker().subject();
        Finding::new(SEAL_PROVEN).with(shown(seal.name())).with(shown(seal.id())).with(maker)
    };
    if signature.time_stamp().is_none() {
        findings.time_token = Finding::new(TIME_TOKEN_ABSENT);
    }
    let Some(trust) = grounds.trust else { return };
    let policy = SealPolicy {
        seals: &validator(trust),
        time_stamps: &Validator::admitting_all(trust.tsa_roots().clone()),
        now_unix_seconds: grounds.now_unix_seconds,
    };
    match signature.verify(signed.xml, &policy) {
        Ok(verified) => {
            findings.chain = Finding::new(CHAIN_PROVEN);
            if let Some(stamp) = verified.time_stamp {
                let at = i64::try_from(stamp.gen_time.as_secs()).unwrap_or(i64::MAX);
                who.stamped_at = Some(at);
                let authority = stamp.path.leaf().map(PkiCertificate::subject).unwrap_or_default();
                let time = ChinaTime::of_stamp(stamp.gen_time)
                    .map_or_else(|| at.to_string(), |time| time.english());
                findings.time_token = Finding::new(TIME_TOKEN_PROVEN).with(authority).with(time);
                // A certificate that vouches for nothing could be anything.
                let path = stamp.path.certificates();
                let token = signature.time_stamp();
                if token.is_some_and(|t| t.certificates().iter().any(|c| !path.contains(c))) {
                    findings.time_token = Finding::new(TIME_TOKEN_INVALID)
                        .in_words("附有多余的证书".into(), "it has certificates to spare".into());
                }
            }
        }
        Err(error) => match &error {
            SealError::Signer(_) | SealError::Maker(_) => {
                findings.chain = refused_path(CHAIN_REFUSED, &error);
            }
            SealError::TimeStamp(_) => {
                findings.chain = Finding::new(CHAIN_PROVEN);
                findings.time_token = refused(TIME_TOKEN_INVALID, &error);
            }
            SealError::SealTimeStamp(_) | SealError::Created { .. } => {
                findings.chain = Finding::new(CHAIN_PROVEN);
                findings.seal = refused(SEAL_INVALID, &error);
            }
            // Said already, of signature or seal.
            _ => findings.chain = Finding::new(CHAIN_MOOT),
        },
    }
    let at = who.stamped_at.unwrap_or(grounds.now_unix_seconds);
    findings.revocation = on_revocation(trust, grounds, at, [signature.signer(), seal.maker()]);
}

/// Whether a certificate is revoked. Without a time stamp a date can be chosen at will, so it is asked about now.
fn on_revocation<const N: usize>(
    trust: &Trust,
    grounds: &Grounds<'_>,
    at: i64,
    certificates: [&PkiCertificate; N],
) -> Finding {
    let lists = [grounds.lists, trust.revocation_lists()].concat();
    if lists.is_empty() {
        return Finding::new(REVOCATION_NO_LIST);
    }
    let validator = Validator::admitting_all(trust.seal_roots().clone())
        .with_revocation(Revocation::new(RevocationMode::Required, lists));
    let mut worst = Finding::new(REVOCATION_PROVEN);
    for certificate in certificates {
        // The validity then is another question, and was asked.
        let at = at.clamp(certificate.not_before(), certificate.not_after());
        match validator.verify(std::slice::from_ref(certificate), Purpose::Seal, at, None) {
            Ok(_) => {}
            Err(error) if error.kind() == RefusalKind::Revoked => {
                return Finding::new(REVOCATION_REVOKED)
                    .in_words(error.text_zh(), error.to_string());
            }
            Err(PathError::NoRevocationInformation { .. }) if !worst.is_unchecked() => {
                worst = Finding::new(REVOCATION_NO_LIST);
            }
            Err(_) => worst = Finding::new(REVOCATION_UNCHECKED),
        }
    }
    worst
}

/// A signature without a seal: a message of GB/T 35275 whose content is SM3 of `Signature.xml`.
fn on_bare(signed: &Signed<'_>, grounds: &Grounds<'_>, findings: &mut Findings) -> Value {
    findings.seal = Finding::new(SEAL_ABSENT);
    let digest = sm3(signed.xml);
    let message = match SignedData::from_der(signed.value) {
        Ok(message) => message,
        Err(error) => {
            findings.signature =
                Finding::new(SIGNATURE_INVALID).in_words(error.text_zh(), error.to_string());
            return Value::Unusable;
        }
    };
    let leaf = match message.verify_signatures(Some(digest.as_bytes()), &[]).as_deref() {
        Ok([leaf]) => (*leaf).clone(),
        Ok(_) => {
            findings.signature = Finding::new(SIGNATURE_MANY);
            return Value::Unusable;
        }
        Err(error) => {
            findings.signature =
                Finding::new(SIGNATURE_INVALID).in_words(error.text_zh(), error.to_string());
            return Value::Unusable;
        }
    };
    let signed_at = message.signers().first().and_then(|signer| signer.signing_time);
    let at = signed_at.unwrap_or(grounds.now_unix_seconds);
    let who = Signatory {
        subject: leaf.subject(),
        certificate_sm3: leaf.sm3().to_string(),
        signed_at,
        ..Signatory::default()
    };
    findings.signature = if at > latest(grounds) {
        refused(SIGNATURE_DATE, &SealError::Future { at })
    } else {
        let when = signed_at.map_or_else(|| "—".to_owned(), date);
        Finding::new(SIGNATURE_PROVEN).with(&who.subject).with(when)
    };
    findings.time_token = Finding::new(TIME_TOKEN_ABSENT);
    if let Some(trust) = grounds.trust {
        findings.chain = match message.verify(
            Some(digest.as_bytes()),
            &validator(trust),
            Purpose::Signing,
            at,
        ) {
            Ok(_) => Finding::new(CHAIN_PROVEN),
            Err(error) => Finding::new(CHAIN_REFUSED).in_words(error.text_zh(), error.to_string()),
        };
        findings.revocation = on_revocation(trust, grounds, grounds.now_unix_seconds, [&leaf]);
    }
    Value::Signed(who)
}

/// Record and receipt inside, and whether the pages are those that they make.
fn on_facts(
    bytes: &[u8],
    members: &[Member],
    signature: Option<&SealSignature>,
    grounds: &Grounds<'_>,
    findings: &mut Findings,
) -> Option<Report> {
    let attached = |name: &str| find(members, &format!("Doc_0/Attachs/{name}")).map(<[u8]>::to_vec);
    let (Ok(record), Ok(receipt), Ok(issuance)) =
        (attached("record.json"), attached("receipt.json"), attached("issuance.json"))
    else {
        findings.facts =
            Finding::new(FACTS_ATTACHMENT).with("record.json, receipt.json, issuance.json");
        return None;
    };
    let Some(issuance) = Issuance::from_bytes(&issuance) else {
        findings.facts = Finding::new(FACTS_ATTACHMENT).with("issuance.json");
        return None;
    };
    let mut bundle = Bundle::from_parts(record, receipt, None);
    bundle.batch = attached("batch.json").ok();
    bundle.checkpoint = attached("checkpoint.json").ok();
    bundle.process = attached("process.json").ok();
    let report = changbai_receipt::verify(&bundle, grounds.originals, grounds.trust);
    let Some(trust) = grounds.trust else { return Some(report) };
    let facts = CertificateFacts::reported(&bundle, &report, trust, Originals::MayBeAbsent);
    findings.facts = match facts {
        Err(_) => Finding::new(FACTS_UNPROVEN),
        Ok(facts) => compare(bytes, members, signature, facts, &issuance, &mut findings.document),
    };
    Some(report)
}

/// Makes the document anew, and compares.
fn compare(
    bytes: &[u8],
    found: &[Member],
    signature: Option<&SealSignature>,
    facts: CertificateFacts,
    issuance: &Issuance,
    document: &mut Finding,
) -> Finding {
    let font = match FontSource::built_in() {
        Ok(font) if font.sm3().to_string() == issuance.font_sm3 => font,
        _ => return Finding::new(FACTS_LAYOUT).with(shown(&issuance.font_sm3)),
    };
    if issuance.layout != LAYOUT {
        return Finding::new(FACTS_LAYOUT).with(issuance.layout);
    }
    // Statements of the issuer, as far as the receipt goes; the report says what was compared now.
    let made = Certificate::anew(facts, issuance.clone(), font);
    let expected = made.and_then(|made| match signature {
        None => members(&made),
        Some(signature) => {
            let made = made.with_seal(signature.seal().clone())?;
            let mut expected = covered(&made, signature.seal())?;
            let xml = signature_xml(&made, signature.seal(), &expected, signature.signed_at())?;
            expected.push((name(super::signature_xml::SIGNATURE), xml));
            let value = name(super::signature_xml::SIGNED_VALUE);
            expected.push((value, signature.der().to_vec()));
            Ok(expected)
        }
    });
    let Ok(expected) = expected else { return Finding::new(FACTS_DIFFER).with("—") };
    let differs = |(name, bytes): &&Member| {
        found.iter().find(|(known, _)| known == name).is_none_or(|(_, found)| found != bytes)
    };
    if let Some((name, _)) = expected.iter().find(differs) {
        return Finding::new(FACTS_DIFFER).with(name);
    }
    let spare = |(name, _): &&Member| !expected.iter().any(|(known, _)| known == name);
    if let Some((name, _)) = found.iter().find(spare) {
        return Finding::new(FACTS_DIFFER).with(shown(name));
    }
    // The members are right: what is left is how they are packed.
    if pack(&expected).is_ok_and(|packed| packed != bytes) && !document.is_failed() {
        *document = Finding::new(DOCUMENT_REWRITTEN);
    }
    Finding::new(FACTS_PROVEN)
}

/// Beyond this a date lies in the future, whatever the clocks.
const fn latest(grounds: &Grounds<'_>) -> i64 {
    grounds.now_unix_seconds.saturating_add(SEAL_CLOCK_LEEWAY_S)
}

/// Judges certificates of seals and of who signs documents.
fn validator(trust: &Trust) -> Validator {
    Validator::admitting_all(trust.seal_roots().clone())
}

fn refused(reason: &'static changbai_receipt::Reason, error: &SealError) -> Finding {
    let code = error.code();
    let (zh, en) = (format!("{}（{code}）。", error.text_zh()), format!("{error} ({code})."));
    Finding::new(reason).in_words(zh, en)
}

fn refused_path(reason: &'static changbai_receipt::Reason, error: &SealError) -> Finding {
    let path = error.path().map(|path: &PathError| (path.text_zh(), path.to_string()));
    let (zh, en) = path.unwrap_or_default();
    Finding::new(reason).in_words(format!("{}：{zh}", error.text_zh()), format!("{error}: {en}"))
}

/// A path in a file as the name of a member: from the root with `/`, else beside that file.
fn resolve(beside: &str, path: &str) -> String {
    match (path.strip_prefix('/'), beside.rsplit_once('/')) {
        (Some(from_root), _) => from_root.to_owned(),
        (None, Some((folder, _))) => format!("{folder}/{path}"),
        (None, None) => path.to_owned(),
    }
}

/// Foreign text without control characters, cut to a length that can be read.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

fn date(unix_seconds: i64) -> String {
    let at_ms = u64::try_from(unix_seconds).ok().and_then(|seconds| seconds.checked_mul(1_000));
    let time = at_ms.and_then(|at_ms| ChinaTime::new(at_ms).ok());
    time.map_or_else(|| unix_seconds.to_string(), |time| time.english())
}
