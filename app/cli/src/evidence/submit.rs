//! `changbai evidence submit`: one record from one or more files.

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};

use changbai_core::{BusinessType, EvidenceId};
use serde::{Deserialize, Serialize};
use smkit::Sm3Digest;

use super::{EVIDENCE, bundle, business_type, evidence_id};
use crate::{
    args,
    client::{self, Body, Call, Client, Multipart, Part, Upload},
    error::CliError,
    lang::Lang,
    limits,
    media::{self, media_type},
    messages::{Message, labelled, text, word},
    output,
    run::{Context, EXIT_FAILED, EXIT_OK},
    sm3,
    stream::{self, AtomicFile},
};

/// Submits, and prints what was recorded. Everything that can be wrong is looked for before a byte is sent.
pub(crate) fn run(args: &args::Submit, context: &Context) -> Result<u8, CliError> {
    let metadata = metadata(&args.business, &args.fields, args.previous.as_deref())?;
    if args.files.len() > limits::ORIGINALS_MAX {
        let given = args.files.len();
        return Err(CliError::TooManyFiles { given, limit: limits::ORIGINALS_MAX });
    }
    let files = args.files.iter().map(|path| describe(path)).collect::<Result<Vec<_>, _>>()?;
    let client = Client::signing(context)?;
    let bundle_file = args.bundle.as_deref().map(AtomicFile::create).transpose()?;

    let key = client::idempotency_key()?;
    let answer = if args.digest_only {
        submit_digests(&client, &key, &metadata, &files, context)?
    } else {
        submit_files(&client, &key, &metadata, files, context)?
    };

    let Some(file) = bundle_file else {
        print(&answer, None, args.json, context.lang)?;
        return Ok(EXIT_OK);
    };
    let id = evidence_id(&answer.evidence_id)?;
    match bundle::fetch(&client, &id, true, file, context.lang) {
        Ok(saved) => {
            print(&answer, Some(&saved), args.json, context.lang)?;
            Ok(EXIT_OK)
        }
        // The record exists all the same: its id must not be lost with the bundle.
        Err(error) => {
            print(&answer, None, args.json, context.lang)?;
            error.report(context.lang, args.json);
            Ok(EXIT_FAILED)
        }
    }
}

/// What a submission says besides its originals.
#[derive(Debug, Serialize)]
pub(super) struct Metadata {
    business_type: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    collection: Collection,
}

/// How the originals came to the platform.
#[derive(Debug, Clone, Copy, Serialize)]
struct Collection {
    method: &'static str,
    source: &'static str,
}

/// A submission of digests: the metadata with the originals.
#[derive(Debug, Serialize)]
struct DigestSubmission<'a> {
    #[serde(flatten)]
    metadata: &'a Metadata,
    originals: Vec<Digested>,
}

#[derive(Debug, Serialize)]
struct Digested {
    sm3: String,
    size_bytes: u64,
    media_type: &'static str,
}

/// A file and what its name and first bytes say.
#[derive(Debug)]
struct Described {
    path: PathBuf,
    media_type: &'static str,
}

/// The node's answer to a submission.
#[derive(Debug, Deserialize)]
struct Answer {
    evidence_id: String,
    tx_id: String,
    block_number: u64,
    #[serde(default)]
    duplicate: bool,
    originals: Vec<Recorded>,
}

/// One original as recorded.
#[derive(Debug, Serialize, Deserialize)]
struct Recorded {
    sm3: String,
    size_bytes: u64,
    media_type: String,
    custody: String,
}

/// The command's result as JSON.
#[derive(Debug, Serialize)]
struct Printed<'a> {
    evidence_id: &'a str,
    tx_id: &'a str,
    block_number: u64,
    /// Of the first original.
    sm3: Option<&'a str>,
    originals: &'a [Recorded],
    duplicate: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<&'a str>,
}

/// What the options say, checked by the node's own rules.
pub(super) fn metadata(
    business: &str,
    given: &[String],
    previous: Option<&str>,
) -> Result<Metadata, CliError> {
    let business = business_type(business)?;
    let fields = fields(given)?;
    // The node checks again; here it costs no upload.
    BusinessType::check(&business, &fields)?;
    let previous = previous.map(evidence_id).transpose()?;
    Ok(Metadata {
        business_type: business.code(),
        fields,
        previous: previous.map(|id: EvidenceId| id.to_string()),
        collection: Collection { method: "upload", source: "cli" },
    })
}

fn fields(given: &[String]) -> Result<BTreeMap<String, String>, CliError> {
    let mut fields = BTreeMap::new();
    for field in given {
        let shape = || CliError::FieldShape { given: field.clone() };
        let (name, value) = field.split_once('=').ok_or_else(shape)?;
        let name = name.trim();
        if name.is_empty() {
            return Err(shape());
        }
        if fields.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(CliError::FieldTwice { name: name.to_owned() });
        }
    }
    Ok(fields)
}

fn describe(path: &Path) -> Result<Described, CliError> {
    let (file, _) = stream::open(path)?;
    let mut head = Vec::new();
    file.take(media::SNIFF_BYTES as u64).read_to_end(&mut head).map_err(CliError::read(path))?;
    Ok(Described { path: path.to_owned(), media_type: media_type(path, &head) })
}

fn submit_digests(
    client: &Client,
    key: &str,
    metadata: &Metadata,
    files: &[Described],
    context: &Context,
) -> Result<Answer, CliError> {
    let (mut originals, mut digests) = (Vec::new(), Vec::new());
    for file in files {
        let hashed = sm3::digest(&file.path, context)?;
        let (sm3, size_bytes) = (hashed.sm3.to_string(), hashed.size_bytes);
        originals.push(Digested { sm3, size_bytes, media_type: file.media_type });
        digests.push(hashed.sm3);
    }
    let body = json_bytes(&DigestSubmission { metadata, originals })?;
    let answer = client.json(&call(Body::Json(&body), key))?;
    compare(answer, files.iter().map(|file| file.path.as_path()).zip(digests))
}

fn submit_files(
    client: &Client,
    key: &str,
    metadata: &Metadata,
    files: Vec<Described>,
    context: &Context,
) -> Result<Answer, CliError> {
    let paths: Vec<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
    let mut parts = vec![Part::Json { name: "metadata", bytes: json_bytes(metadata)? }];
    parts.extend(files.into_iter().map(|file| Part::File {
        name: "original",
        path: file.path,
        media_type: file.media_type,
    }));
    // One boundary for all attempts: the node compares the digest of a repeated body with the first one's.
    let multipart = Multipart::new(&format!("changbai-{key}"), parts)?;
    let upload = Upload::prepare(multipart, context.lang)?;
    let answer = client.json(&call(Body::Upload(&upload), key))?;
    let digests = match upload.sent_files() {
        Some(digests) => digests,
        // The node knew the answer without the body: an earlier attempt had arrived.
        None => paths
            .iter()
            .map(|path| sm3::digest(path, context).map(|hashed| hashed.sm3))
            .collect::<Result<_, _>>()?,
    };
    compare(answer, paths.iter().map(PathBuf::as_path).zip(digests))
}

fn call<'a>(body: Body<'a>, key: &'a str) -> Call<'a> {
    Call { method: "POST", path: EVIDENCE, body, idempotency_key: Some(key), ..Call::default() }
}

fn json_bytes(value: &impl Serialize) -> Result<Vec<u8>, CliError> {
    serde_json::to_vec(value)
        .map_err(|error| CliError::Output { source: std::io::Error::other(error) })
}

/// Refuses an answer whose digests are not those of the files as they were read here.
fn compare<'a>(
    answer: Answer,
    files: impl ExactSizeIterator<Item = (&'a Path, Sm3Digest)>,
) -> Result<Answer, CliError> {
    let recorded = answer.originals.len();
    let expected = files.len();
    for (index, (path, sm3)) in files.enumerate() {
        let ours = sm3.to_string();
        let theirs = answer.originals.get(index).map(|original| original.sm3.clone());
        if theirs.as_deref() != Some(&ours) {
            let theirs = theirs.unwrap_or_default();
            return Err(CliError::RecordedOther { path: path.to_owned(), ours, theirs });
        }
    }
    if recorded != expected {
        let reason = format!("{recorded} originals instead of {expected}");
        return Err(CliError::Answer { address: EVIDENCE.to_owned(), reason });
    }
    Ok(answer)
}

fn print(
    answer: &Answer,
    saved: Option<&bundle::Saved>,
    json: bool,
    lang: Lang,
) -> Result<(), CliError> {
    if json {
        return output::json(&Printed {
            evidence_id: &answer.evidence_id,
            tx_id: &answer.tx_id,
            block_number: answer.block_number,
            sm3: answer.originals.first().map(|original| original.sm3.as_str()),
            originals: &answer.originals,
            duplicate: answer.duplicate,
            bundle: saved.map(|saved| saved.bundle.as_str()),
        });
    }
    let mut text = render(answer, lang);
    if let Some(saved) = saved {
        text = format!("{text}\n{}", saved.sentence(lang));
    }
    output::line(&text)
}

fn render(answer: &Answer, lang: Lang) -> String {
    let head = if answer.duplicate { Message::SubmittedBefore } else { Message::Submitted };
    let mut lines = vec![
        word(lang, head).to_owned(),
        labelled(lang, Message::EvidenceId, &answer.evidence_id),
        labelled(lang, Message::Transaction, &answer.tx_id),
        labelled(lang, Message::Block, &answer.block_number.to_string()),
    ];
    for original in &answer.originals {
        let size = text(lang, Message::Bytes, &[("count", &original.size_bytes.to_string())]);
        let value = format!("SM3 {}  {size}  {}", original.sm3, original.media_type);
        lines.push(labelled(lang, Message::Original, &value));
    }
    lines.iter().map(|line| output::clean(line)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
