//! `changbai evidence batch`: the digests of many files under one record, and a bundle for each of them.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use changbai_api::batch::{LineFault, parse_batch};
use changbai_core::{
    BatchEntry, BatchLeaf, BatchRoot, BatchTree, codes, limits::BATCH_DIGESTS_MAX,
};
use changbai_receipt::{Bundle, BundleParts, read_bundle, write_bundle};
use serde::{Deserialize, Serialize};

use super::{EVIDENCE, evidence_id, submit};
use crate::{
    args,
    client::{self, Body, Call, Client},
    error::{CliError, Fault, Problem},
    lang::Lang,
    limits,
    media::{SNIFF_BYTES, media_type},
    messages::{Message, labelled, word},
    output,
    progress::Progress,
    run::{Context, EXIT_OK},
    sm3, stream,
};

/// Submits, and prints what was recorded. Whatever is wrong with a line is found before a byte is sent.
pub(crate) fn run(args: &args::Batch, context: &Context) -> Result<u8, CliError> {
    let (lines, names) = match &args.ndjson {
        Some(path) => (read_lines(path)?, Vec::new()),
        None => digested(args, context)?,
    };
    let leaves = leaves(&lines, context.lang)?;
    let client = Client::signing(context)?;
    if let Some(dir) = &args.out {
        fs::create_dir_all(dir).map_err(CliError::write(dir))?;
    }
    let key = client::idempotency_key()?;
    let call = Call {
        method: "POST",
        path: BATCH,
        body: Body::Lines(&lines),
        idempotency_key: Some(&key),
        ..Call::default()
    };
    let answer: Answer = client.json(&call)?;
    let tree = tree(&leaves, &answer)?;
    let bundles = match &args.out {
        Some(dir) => Some(write_bundles(&client, &answer, &leaves, &names, &tree, dir, context)?),
        None => None,
    };
    print(&answer, args.out.as_deref().zip(bundles), args.json, context.lang)?;
    Ok(EXIT_OK)
}

/// The node's answer to a batch.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    evidence_id: String,
    tx_id: String,
    block_number: u64,
    root: String,
    size: u64,
    duplicate: bool,
}

/// The command's result as JSON.
#[derive(Debug, Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    answer: &'a Answer,
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bundles: Option<usize>,
}

/// One line of the body.
#[derive(Serialize)]
struct Line<'a> {
    sm3: String,
    size_bytes: u64,
    media_type: &'a str,
}

#[derive(Serialize)]
struct Head<T> {
    batch: T,
}

fn read_lines(path: &Path) -> Result<Vec<u8>, CliError> {
    let (file, _) = stream::open(path)?;
    let mut bytes = Vec::new();
    let read = file.take(limits::BATCH_BYTES_MAX + 1).read_to_end(&mut bytes);
    match read {
        Ok(length) if length as u64 > limits::BATCH_BYTES_MAX => {
            Err(CliError::read(path)(io::ErrorKind::FileTooLarge.into()))
        }
        Ok(_) => Ok(bytes),
        Err(error) => Err(CliError::read(path)(error)),
    }
}

/// The lines of the files named, and the files' names for their bundles.
fn digested(args: &args::Batch, context: &Context) -> Result<(Vec<u8>, Vec<String>), CliError> {
    if args.files.len() > BATCH_DIGESTS_MAX {
        let given = args.files.len();
        return Err(CliError::TooManyFiles { given, limit: BATCH_DIGESTS_MAX });
    }
    let metadata = submit::metadata(&args.business, &args.fields, None)?;
    let mut lines = json_line(&Head { batch: metadata })?;
    let progress = Progress::steps(word(context.lang, Message::Hashing), args.files.len());
    let mut names = Vec::with_capacity(args.files.len());
    for path in &args.files {
        let hashed = sm3::digest(path, context)?;
        let mut head = Vec::new();
        let (file, _) = stream::open(path)?;
        file.take(SNIFF_BYTES as u64).read_to_end(&mut head).map_err(CliError::read(path))?;
        lines.extend(json_line(&Line {
            sm3: hashed.sm3.to_string(),
            size_bytes: hashed.size_bytes,
            media_type: media_type(path, &head),
        })?);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        names.push(name.unwrap_or_default());
        progress.advance(1);
    }
    progress.finish();
    Ok((lines, names))
}

fn json_line(value: &impl Serialize) -> Result<Vec<u8>, CliError> {
    let mut line = serde_json::to_vec(value)
        .map_err(|error| CliError::Output { source: io::Error::other(error) })?;
    line.push(b'\n');
    Ok(line)
}

/// The digests as the node will read them, by the node's own rules.
fn leaves(lines: &[u8], lang: Lang) -> Result<Vec<BatchLeaf>, CliError> {
    let mut leaves = Vec::new();
    let parsed = parse_batch(lines, &mut |leaf| {
        leaves.push(leaf.clone());
        Ok(())
    });
    let parsed = parsed.map_err(|problem| {
        let (zh, en) = problem.titles();
        refused(problem.code(), problem.status().as_u16(), pick(lang, &zh, &en), Vec::new())
    })?;
    if parsed.faulty == 0 {
        return Ok(leaves);
    }
    let fault = |fault: &LineFault| Fault {
        line: Some(fault.line),
        pointer: String::new(),
        code: fault.code.code.to_owned(),
        detail: pick(lang, &fault.zh, &fault.en).to_owned(),
    };
    let code = codes::BATCH_LINES;
    let faults = parsed.faults.iter().map(fault).collect();
    Err(refused(code.code, 422, pick(lang, code.zh, code.en), faults))
}

fn refused(code: &str, status: u16, title: &str, errors: Vec<Fault>) -> CliError {
    let (code, title) = (code.to_owned(), title.to_owned());
    CliError::Refused(Box::new(Problem { code, status, title, errors, ..Problem::default() }))
}

fn pick<'a>(lang: Lang, zh: &'a str, en: &'a str) -> &'a str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

/// The tree over our own digests, which must be the one that was recorded.
fn tree(leaves: &[BatchLeaf], answer: &Answer) -> Result<BatchTree, CliError> {
    let wrong =
        |reason: &str| CliError::Answer { address: BATCH.to_owned(), reason: reason.to_owned() };
    let hashes: Vec<_> = leaves.iter().map(BatchLeaf::hash).collect();
    let tree = BatchTree::new(&hashes).ok_or_else(|| wrong("the batch is empty"))?;
    let BatchRoot { root, size } = tree.root();
    if root.to_string() != answer.root || size != answer.size {
        return Err(wrong("the node recorded another root than that of these digests"));
    }
    Ok(tree)
}

/// A bundle for each digest, from one download: only the place in the batch differs.
fn write_bundles(
    client: &Client,
    answer: &Answer,
    leaves: &[BatchLeaf],
    names: &[String],
    tree: &BatchTree,
    dir: &Path,
    context: &Context,
) -> Result<usize, CliError> {
    let id = evidence_id(&answer.evidence_id)?;
    let path = format!("{EVIDENCE}/{id}/bundle");
    let call = Call { path: &path, ..Call::default() };
    let wrong = |reason: String| CliError::Answer { address: path.clone(), reason };
    let bytes = client.bytes(&call, limits::BUNDLE_BYTES_MAX)?;
    let whole = read_bundle(&mut bytes.as_slice()).map_err(|error| wrong(error.to_string()))?;
    let progress = Progress::steps(word(context.lang, Message::WritingBundles), leaves.len());
    for (index, leaf) in (0_u64..).zip(leaves) {
        let inclusion = tree.path(index).ok_or_else(|| wrong("a path is missing".to_owned()))?;
        let entry = BatchEntry { leaf: leaf.clone(), inclusion };
        let document = entry.to_bytes().map_err(|error| wrong(error.to_string()))?;
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        let file = dir.join(file_name(index, names.get(place), leaf));
        write(&file, &parts(&whole, &document))?;
        progress.advance(1);
    }
    progress.finish();
    // The names of all files at once; each is fetched again if it should be lost.
    fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(CliError::write(dir))?;
    Ok(leaves.len())
}

fn parts<'a>(whole: &'a Bundle, document: &'a [u8]) -> BundleParts<'a> {
    BundleParts {
        record: &whole.record,
        receipt: &whole.receipt,
        disclosures: whole.disclosures.as_deref(),
        batch: Some(document),
        checkpoint: whole.checkpoint.as_deref(),
        process: whole.process.as_deref(),
        certificate_pdf: whole.certificate_pdf.as_deref(),
        certificate_ofd: whole.certificate_ofd.as_deref(),
        page: whole.page.as_deref(),
        originals: Vec::new(),
    }
}

/// Never over a file that is there.
fn write(path: &Path, parts: &BundleParts<'_>) -> Result<(), CliError> {
    let mut bytes = Vec::new();
    let none = &mut |_: &changbai_receipt::PackedOriginal| Err(io::ErrorKind::NotFound.into());
    write_bundle(&mut bytes, parts, none)
        .map_err(|error| CliError::write(path)(io::Error::other(error)))?;
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(&bytes)).map_err(CliError::write(path))
}

/// Its number from 1 with the file's name, or with the beginning of its digest.
fn file_name(index: u64, name: Option<&String>, leaf: &BatchLeaf) -> PathBuf {
    let mut end = name.cloned().unwrap_or_else(|| leaf.sm3.to_string());
    if name.is_none() {
        end.truncate(16);
    }
    PathBuf::from(format!("{:06}-{end}.zip", index.saturating_add(1)))
}

fn print(
    answer: &Answer,
    bundles: Option<(&Path, usize)>,
    json: bool,
    lang: Lang,
) -> Result<(), CliError> {
    let out = bundles.map(|(dir, _)| dir.display().to_string());
    if json {
        let bundles = bundles.map(|(_, count)| count);
        return output::json(&Printed { answer, out, bundles });
    }
    let head = if answer.duplicate { Message::BatchBefore } else { Message::BatchSubmitted };
    let mut lines = vec![
        word(lang, head).to_owned(),
        labelled(lang, Message::EvidenceId, &answer.evidence_id),
        labelled(lang, Message::Transaction, &answer.tx_id),
        labelled(lang, Message::Block, &answer.block_number.to_string()),
        labelled(lang, Message::BatchDigests, &answer.size.to_string()),
        labelled(lang, Message::BatchRoot, &answer.root),
    ];
    if let Some((dir, count)) = out.zip(bundles.map(|(_, count)| count)) {
        lines.push(labelled(lang, Message::BundlesSaved, &format!("{dir}  {count}")));
    }
    let lines: Vec<_> = lines.iter().map(|line| output::clean(line)).collect();
    output::line(&lines.join("\n"))
}

const BATCH: &str = "/api/v1/evidence:batch";
