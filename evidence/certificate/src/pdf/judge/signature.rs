//! The signature of a PDF: what it covers, whose it is, when it was made.

use changbai_receipt::Trust;
use smkit_pki::{
    Certificate, PathError, Purpose, Revocation, RevocationMode, SignedData, Signer,
    TimeStampToken, Validator,
};

use super::{
    super::{
        file::Table,
        object::{Dictionary, Value},
        update::CONTENTS_BYTES,
    },
    File, malformed,
};
use crate::{
    judge::{
        CHAIN_PROVEN, CHAIN_REFUSED, CHAIN_UNCHECKED, DOCUMENT_MISSING, DOCUMENT_UNCOVERED,
        Finding, Findings, Grounds, REVOCATION_NO_LIST, REVOCATION_PROVEN, REVOCATION_REVOKED,
        REVOCATION_UNCHECKED, SIGNATURE_DATE, SIGNATURE_INVALID, SIGNATURE_MANY, SIGNATURE_PROVEN,
        Signatory, TIME_TOKEN_ABSENT, TIME_TOKEN_INVALID, TIME_TOKEN_PROVEN, TIME_TOKEN_UNCHECKED,
    },
    time::ChinaTime,
};

/// The signature in the file.
pub(super) struct Found {
    pub(super) message: SignedData,
    signers: Vec<Signer>,
    /// The place of the string, brackets included.
    hole: std::ops::Range<usize>,
}

impl Found {
    /// The signer's certificate, by the message's own account.
    pub(super) fn certificate(&self) -> Option<&Certificate> {
        let signer = self.signers.first()?;
        self.message.certificates().iter().find(|certificate| {
            Some(certificate.serial()) == signer.serial
                && certificate.issuer() == signer.issuer.to_string()
        })
    }

    /// When it says to have been made.
    pub(super) fn signed_at(&self) -> Option<i64> {
        self.signers.first()?.signing_time
    }
}

/// Takes the signature out, if it covers the whole file.
pub(super) fn find(bytes: &[u8], file: &File<'_>, update: &Table<'_>) -> Result<Found, Finding> {
    let number = file.revision.table.size().map_err(malformed)?;
    let object = update.object(bytes, number).map_err(malformed)?.value;
    let uncovered = |what: &str| Finding::new(DOCUMENT_UNCOVERED).with(what);
    if !object.is("Type", "Sig") || !object.is("SubFilter", "changbai.gbt35275.detached") {
        return Err(Finding::new(DOCUMENT_MISSING).with("/Sig"));
    }
    let hole = hole(bytes, &object).ok_or_else(|| uncovered("/ByteRange"))?;
    let contents = object.text("Contents").unwrap_or_default();
    let length = message_length(contents).ok_or_else(|| uncovered("/Contents"))?;
    let der = contents.get(..length).unwrap_or_default();
    let rest = contents.get(length..).unwrap_or_default();
    if rest.iter().any(|byte| *byte != 0) {
        return Err(uncovered("/Contents"));
    }
    let message = SignedData::from_der(der)
        .map_err(|error| Finding::new(DOCUMENT_MISSING).with(format!("/Contents: {error}")))?;
    let signers = message.signers();
    Ok(Found { message, signers, hole })
}

/// Judges the signature and everything about its signer.
pub(super) fn judge(
    bytes: &[u8],
    found: &Found,
    grounds: &Grounds<'_>,
    findings: &mut Findings,
) -> Option<Signatory> {
    let invalid = |reason: &dyn std::fmt::Display| Finding::new(SIGNATURE_INVALID).with(reason);
    let [signer] = found.signers.as_slice() else {
        findings.signature = Finding::new(SIGNATURE_MANY);
        return None;
    };
    let before = bytes.get(..found.hole.start).unwrap_or_default();
    let after = bytes.get(found.hole.end..).unwrap_or_default();
    let covered = [before, after].concat();
    let leaf = match found.message.verify_signatures(Some(&covered), &[]).as_deref() {
        Ok([leaf]) => *leaf,
        Ok(_) => return None,
        Err(error) => {
            findings.signature = invalid(error);
            return None;
        }
    };
    // What no signature covers must not be there, a time stamp aside.
    let stamps = usize::from(signer.time_stamp_token.is_some());
    let bare = found.message.content().is_none() && found.message.revocation_lists().is_empty();
    if signer.unsigned_attributes != stamps || !bare {
        findings.signature = invalid(&"more than one signature and its time stamp");
        return None;
    }
    let Some(signed_at) = signer.signing_time else {
        findings.signature = invalid(&"no date");
        return None;
    };
    let mut signatory = Signatory {
        subject: leaf.subject(),
        certificate_sm3: leaf.sm3().to_string(),
        signed_at: Some(signed_at),
        ..Signatory::default()
    };
    findings.signature = if signed_at > grounds.now_unix_seconds.saturating_add(LEEWAY_S) {
        Finding::new(SIGNATURE_DATE).in_words(zh(signed_at), en(signed_at))
    } else {
        Finding::new(SIGNATURE_PROVEN).with(leaf.subject()).in_words(zh(signed_at), en(signed_at))
    };
    let stamped = stamp(signer, grounds, findings);
    signatory.stamped_at = stamped;
    if stamped.is_some_and(|stamped| signed_at > stamped.saturating_add(LEEWAY_S)) {
        findings.signature = Finding::new(SIGNATURE_DATE).in_words(zh(signed_at), en(signed_at));
    }
    match grounds.trust {
        None => findings.chain = Finding::new(CHAIN_UNCHECKED),
        Some(trust) => {
            chain(found, leaf, stamped.unwrap_or(signed_at), trust, findings);
            revocation(found, leaf, stamped, trust, grounds, findings);
        }
    }
    Some(signatory)
}

/// The time of the time stamp, if there is one that is right.
fn stamp(signer: &Signer, grounds: &Grounds<'_>, findings: &mut Findings) -> Option<i64> {
    let Some(der) = &signer.time_stamp_token else {
        findings.time_token = Finding::new(TIME_TOKEN_ABSENT);
        return None;
    };
    let Some(trust) = grounds.trust else {
        findings.time_token = Finding::new(TIME_TOKEN_UNCHECKED);
        return None;
    };
    let validator = Validator::admitting_all(trust.tsa_roots().clone());
    let verified =
        TimeStampToken::from_der(der).map_err(|error| error.to_string()).and_then(|token| {
            let verified = token
                .verify(&signer.signature_sm3, &validator, &[])
                .map_err(|error| error.to_string())?;
            let path = verified.path.certificates();
            match token.certificates().iter().all(|certificate| path.contains(certificate)) {
                true => Ok(verified),
                false => Err("a certificate that nobody needs".to_owned()),
            }
        });
    match verified {
        Ok(verified) => {
            let at = i64::try_from(verified.gen_time.as_secs()).unwrap_or(i64::MAX);
            let by = verified.path.leaf().map(Certificate::subject).unwrap_or_default();
            let time = ChinaTime::of_stamp(verified.gen_time);
            let (zh, en) = time.map_or_else(
                || (at.to_string(), at.to_string()),
                |time| (time.chinese(), time.english()),
            );
            findings.time_token = Finding::new(TIME_TOKEN_PROVEN).with(by).in_words(zh, en);
            Some(at)
        }
        Err(reason) => {
            findings.time_token = Finding::new(TIME_TOKEN_INVALID).with(reason);
            None
        }
    }
}

fn chain(found: &Found, leaf: &Certificate, at: i64, trust: &Trust, findings: &mut Findings) {
    let validator = Validator::admitting_all(trust.seal_roots().clone());
    match validator.verify(&presented(found, leaf), Purpose::Signing, at, None) {
        Ok(path) => {
            let path = path.certificates();
            let needed = |certificate| path.contains(certificate);
            findings.chain = if found.message.certificates().iter().all(needed) {
                Finding::new(CHAIN_PROVEN)
            } else {
                Finding::new(CHAIN_REFUSED).in_words(
                    "附有多余的证书".to_owned(),
                    "one is there that nobody needs".to_owned(),
                )
            };
        }
        Err(error) => {
            findings.chain =
                Finding::new(CHAIN_REFUSED).in_words(error.text_zh(), error.to_string());
        }
    }
}

/// Without a time stamp only the signer says when it was signed, so what counts is whether the certificate is revoked now.
fn revocation(
    found: &Found,
    leaf: &Certificate,
    stamped: Option<i64>,
    trust: &Trust,
    grounds: &Grounds<'_>,
    findings: &mut Findings,
) {
    let lists = [grounds.lists, trust.revocation_lists()].concat();
    if lists.is_empty() {
        findings.revocation = Finding::new(REVOCATION_NO_LIST);
        return;
    }
    let at = stamped.unwrap_or(grounds.now_unix_seconds);
    let known = Revocation::new(RevocationMode::Required, lists);
    let validator = Validator::admitting_all(trust.seal_roots().clone()).with_revocation(known);
    let judged = validator.verify(&presented(found, leaf), Purpose::Signing, at, None);
    findings.revocation = match judged {
        Ok(_) => Finding::new(REVOCATION_PROVEN),
        Err(error @ PathError::Revoked { .. }) => {
            Finding::new(REVOCATION_REVOKED).in_words(error.text_zh(), error.to_string())
        }
        Err(PathError::NoRevocationInformation { .. }) => Finding::new(REVOCATION_NO_LIST),
        Err(_) => Finding::new(REVOCATION_UNCHECKED),
    };
}

fn presented(found: &Found, leaf: &Certificate) -> Vec<Certificate> {
    let others = found.message.certificates().iter().filter(|other| *other != leaf);
    std::iter::once(leaf).chain(others).cloned().collect()
}

/// The string that the byte range leaves out, brackets included; `None` unless it is all that is left out.
fn hole(bytes: &[u8], object: &Dictionary<'_>) -> Option<std::ops::Range<usize>> {
    let range: Vec<usize> =
        object.array("ByteRange")?.iter().map(Value::natural).collect::<Option<_>>()?;
    let [0, before, from, after] = range.as_slice() else { return None };
    let whole = from.checked_add(*after)? == bytes.len();
    let digits = from.checked_sub(*before)? == 2 * CONTENTS_BYTES + 2;
    let brackets =
        bytes.get(*before) == Some(&b'<') && bytes.get(from.checked_sub(1)?) == Some(&b'>');
    (whole && digits && brackets).then_some(*before..*from)
}

/// The length of the DER at the beginning; a message has between 256 and 65,535 bytes.
fn message_length(contents: &[u8]) -> Option<usize> {
    let [0x30, 0x82, high, low, ..] = contents else { return None };
    let length = usize::from(u16::from_be_bytes([*high, *low])).checked_add(4)?;
    (length <= contents.len()).then_some(length)
}

fn zh(at: i64) -> String {
    moment(at).map_or_else(|| at.to_string(), |time| time.chinese())
}

fn en(at: i64) -> String {
    moment(at).map_or_else(|| at.to_string(), |time| time.english())
}

fn moment(at: i64) -> Option<ChinaTime> {
    ChinaTime::new(u64::try_from(at).ok()?.checked_mul(1_000)?).ok()
}

/// How far clocks may differ, in seconds.
const LEEWAY_S: i64 = 300;
