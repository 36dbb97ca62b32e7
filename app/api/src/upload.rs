//! The blocking half of multipart requests: parts into custody or through SM3, in constant memory.

use std::io::{self, Read};

use changbai_certificate::{Format, SNIFF_BYTES, sniff};
use changbai_core::{CustodyMode, EvidenceId, OriginalRef, codes};
use changbai_custody::Custody;
use changbai_receipt::limits::CERTIFICATE_BYTES_MAX;
use changbai_receipt::{Bundle, BundleError, HashedOriginal, hash_original, read_bundle};
use smkit::sm3::{Sm3, Sm3Digest};
use tokio::sync::oneshot;

use crate::domain::{of_code, of_custody};
use crate::limits::METADATA_BYTES_MAX;
use crate::multipart::{Multipart, MultipartError};
use crate::problem::{Code, Problem};
use crate::submission::{
    MEDIA_TYPE_DEFAULT, Metadata, check_originals, evidence_id, parse_metadata,
};

/// A multipart submission, its originals in custody.
#[derive(Debug)]
pub(crate) struct Uploaded {
    pub(crate) metadata: Metadata,
    pub(crate) originals: Vec<OriginalRef>,
}

/// Receives `metadata` and the `original` parts. The originals enter custody only after `go`, which the
/// asynchronous side gives once the body's digest is the signed one; until then, and on any error, they
/// are temporary files that disappear.
pub(crate) fn receive(
    source: impl Read,
    boundary: &str,
    custody: &Custody,
    original_bytes_max: u64,
    go: oneshot::Receiver<()>,
) -> Result<Uploaded, Problem> {
    let mut parts = Multipart::new(source, boundary);
    let metadata = first_part(&mut parts)?;
    let mut ingests = Vec::new();
    while let Some(head) = parts.next_part().map_err(problem)? {
        if head.name != "original" {
            return Err(Problem::new(Code::Malformed)
                .technical("after metadata only parts named original are expected"));
        }
        let media_type = head.media_type.unwrap_or_else(|| MEDIA_TYPE_DEFAULT.to_owned());
        check_media_type(&media_type, ingests.len())?;
        let ingest = custody.ingest_as(&media_type, original_bytes_max);
        let mut ingest = ingest.map_err(|error| of_custody(&error))?;
        while let Some(bytes) = parts.read().map_err(problem)? {
            ingest.write(bytes).map_err(|error| of_custody(&error))?;
        }
        ingests.push((ingest, media_type));
    }
    if ingests.is_empty() {
        return Err(of_code(&codes::ORIGINALS).at("/originals", "no part named original"));
    }
    if go.blocking_recv().is_err() {
        return Err(Problem::new(Code::Malformed).technical("the body broke off"));
    }
    let mut originals = Vec::with_capacity(ingests.len());
    for (ingest, media_type) in ingests {
        let stored = ingest.finish().map_err(|error| of_custody(&error))?;
        let (sm3, size_bytes) = (stored.sm3, stored.size_bytes);
        originals.push(OriginalRef { sm3, size_bytes, media_type, custody: CustodyMode::Platform });
    }
    check_originals(&originals)?;
    Ok(Uploaded { metadata, originals })
}

/// Reads the first part, which must be `metadata`: an entry point for fuzzing, with [`Multipart`].
fn first_part(parts: &mut Multipart<impl Read>) -> Result<Metadata, Problem> {
    let head = parts.next_part().map_err(problem)?;
    if head.is_none_or(|head| head.name != "metadata") {
        return Err(Problem::new(Code::Malformed).technical("the first part must be metadata"));
    }
    parse_metadata(&text_part(parts, METADATA_BYTES_MAX)?)
}

/// Parses a whole multipart submission from memory, without storing anything: an entry point for fuzzing.
///
/// # Errors
/// The problem that the client would see.
pub fn parse_multipart_submission(body: &[u8], boundary: &str) -> Result<(Metadata, u64), Problem> {
    let mut parts = Multipart::new(body, boundary);
    let metadata = first_part(&mut parts)?;
    let mut bytes = 0_u64;
    while parts.next_part().map_err(problem)?.is_some() {
        while let Some(data) = parts.read().map_err(problem)? {
            bytes = bytes.saturating_add(data.len() as u64);
        }
    }
    Ok((metadata, bytes))
}

/// What somebody sent to be verified.
#[derive(Debug, Default)]
pub(crate) struct ToCheck {
    pub(crate) originals: Vec<HashedOriginal>,
    pub(crate) bundle: Option<ToJudge>,
    pub(crate) certificate: Option<(Format, Vec<u8>)>,
    pub(crate) evidence_id: Option<EvidenceId>,
    /// A digest instead of a file: its size is whatever the record says.
    pub(crate) digest: Option<Sm3Digest>,
}

/// A bundle as received, and the SM3 of all of it.
#[derive(Debug)]
pub(crate) struct ToJudge {
    pub(crate) read: Result<Bundle, BundleError>,
    pub(crate) sm3: Sm3Digest,
}

/// Receives the parts `original`, `bundle`, `certificate` and `evidence_id` of a verification.
pub(crate) fn receive_to_check(source: impl Read, boundary: &str) -> Result<ToCheck, Problem> {
    let mut parts = Multipart::new(source, boundary);
    let mut to_check = ToCheck::default();
    while let Some(head) = parts.next_part().map_err(problem)? {
        match head.name.as_str() {
            "original" => {
                let name = format!("original {}", to_check.originals.len() + 1);
                let hashed = hash_original(&name, &mut PartReader(&mut parts));
                to_check.originals.push(hashed.map_err(|error| source_problem(&error))?);
            }
            "bundle" if to_check.bundle.is_none() => {
                to_check.bundle = Some(bundle(&mut PartReader(&mut parts))?);
            }
            "certificate" if to_check.certificate.is_none() => {
                to_check.certificate = Some(certificate(&mut PartReader(&mut parts))?);
            }
            "evidence_id" if to_check.evidence_id.is_none() => {
                let text = text_part(&mut parts, 256)?;
                let text = String::from_utf8_lossy(&text);
                to_check.evidence_id = Some(evidence_id(text.trim(), "/evidence_id")?);
            }
            _ => {
                return Err(Problem::new(Code::Malformed).technical(
                    "only the parts original, bundle, certificate and evidence_id are expected",
                ));
            }
        }
    }
    Ok(to_check)
}

/// Reads a bundle to its end; a source that fails is a problem, a bundle that is wrong is an answer.
pub(crate) fn bundle(source: &mut dyn Read) -> Result<ToJudge, Problem> {
    let mut source = Digesting { inner: source, sm3: Sm3::new() };
    let read = match read_bundle(&mut source) {
        Err(BundleError::Read(error)) => return Err(source_problem(&error)),
        other => other,
    };
    // What follows in a bundle that is wrong belongs to what was judged.
    io::copy(&mut source, &mut io::sink()).map_err(|error| source_problem(&error))?;
    Ok(ToJudge { read, sm3: source.sm3.finalize() })
}

/// Reads a certificate document whole, and tells its format by its first bytes.
pub(crate) fn certificate(source: &mut dyn Read) -> Result<(Format, Vec<u8>), Problem> {
    let mut bytes = Vec::new();
    let read = source.take(CERTIFICATE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| source_problem(&error))?;
    if bytes.len() as u64 > CERTIFICATE_BYTES_MAX {
        return Err(Problem::new(Code::TooLarge).technical("a certificate has at most 16 MiB"));
    }
    let head = bytes.get(..SNIFF_BYTES).unwrap_or(&bytes);
    match sniff(head) {
        Some(format) => Ok((format, bytes)),
        None => {
            Err(Problem::new(Code::Malformed).technical("the certificate is no PDF and no OFD"))
        }
    }
}

/// Hashes what is read through it.
struct Digesting<'a> {
    inner: &'a mut dyn Read,
    sm3: Sm3,
}

impl Read for Digesting<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.sm3.update(into.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// One part of a multipart body as a reader.
struct PartReader<'a, R>(&'a mut Multipart<R>);

impl<R: Read> Read for PartReader<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read_into(into).map_err(io::Error::other)
    }
}

fn text_part(parts: &mut Multipart<impl Read>, bytes_max: usize) -> Result<Vec<u8>, Problem> {
    let mut text = Vec::new();
    while let Some(bytes) = parts.read().map_err(problem)? {
        if text.len() + bytes.len() > bytes_max {
            return Err(Problem::new(Code::TooLarge).technical("a text part is too large"));
        }
        text.extend_from_slice(bytes);
    }
    Ok(text)
}

fn check_media_type(media_type: &str, index: usize) -> Result<(), Problem> {
    let probe = OriginalRef {
        sm3: Sm3Digest::new([0; 32]),
        size_bytes: 1,
        media_type: media_type.to_owned(),
        custody: CustodyMode::Platform,
    };
    probe.check().map_err(|error| {
        of_code(&codes::ORIGINALS).at(format!("/originals/{index}/media_type"), error.to_string())
    })
}

fn problem(error: MultipartError) -> Problem {
    match error {
        MultipartError::Source(source) => source_problem(&source),
        other => Problem::new(Code::Malformed).technical(other),
    }
}

fn source_problem(error: &io::Error) -> Problem {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<MultipartError>());
    match inner {
        Some(MultipartError::Source(_)) | None => {
            Problem::new(Code::Malformed).detail("正文传输中断", "the body broke off")
        }
        Some(other) => Problem::new(Code::Malformed).technical(other),
    }
}
