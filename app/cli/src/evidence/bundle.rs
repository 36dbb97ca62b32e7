//! `changbai evidence bundle`, and the download that `submit --bundle` shares with it.

use std::{
    io::{Read, Write},
    path::PathBuf,
};

use changbai_core::EvidenceId;
use serde::Serialize;
use smkit::{Sm3, Sm3Digest};

use super::{EVIDENCE, evidence_id};
use crate::{
    args,
    client::{Answer, Call, Client, Failed},
    error::CliError,
    lang::Lang,
    limits,
    messages::{Message, labelled, text, word},
    output,
    progress::Progress,
    run::{Context, EXIT_OK},
    stream::AtomicFile,
};

/// Fetches a bundle into a file.
pub(crate) fn run(args: &args::Bundle, context: &Context) -> Result<u8, CliError> {
    let id = evidence_id(&args.id)?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{id}.zip")));
    // Originals are for their own agency; the rest is open to everybody and needs no key.
    let client =
        if args.no_originals { Client::anonymous(context)? } else { Client::signing(context)? };
    let file = AtomicFile::create(&out)?;
    let saved = fetch(&client, &id, !args.no_originals, file, context.lang)?;
    if args.json {
        output::json(&saved)?;
    } else {
        output::line(&saved.sentence(context.lang))?;
    }
    Ok(EXIT_OK)
}

/// A bundle on disk.
#[derive(Debug, Serialize)]
pub(crate) struct Saved {
    evidence_id: String,
    /// Path of the file.
    pub(crate) bundle: String,
    size_bytes: u64,
    /// SM3 of the whole file.
    sm3: String,
}

impl Saved {
    /// Where it is, for people.
    pub(crate) fn sentence(&self, lang: Lang) -> String {
        let size = text(lang, Message::Bytes, &[("count", &self.size_bytes.to_string())]);
        let value = format!("{}  {size}  SM3 {}", self.bundle, self.sm3);
        labelled(lang, Message::BundleSaved, &output::clean(&value))
    }
}

/// Streams the bundle of `id` into `file`; the file appears only when the whole bundle is durable.
pub(crate) fn fetch(
    client: &Client,
    id: &EvidenceId,
    with_originals: bool,
    file: AtomicFile,
    lang: Lang,
) -> Result<Saved, CliError> {
    let call = Call {
        method: "GET",
        path: &format!("{EVIDENCE}/{id}/bundle"),
        query: with_originals.then_some("originals=true"),
        ..Call::default()
    };
    let (bundle, sm3, size_bytes) = download(client, &call, file, lang)?;
    Ok(Saved { evidence_id: id.to_string(), bundle, size_bytes, sm3: sm3.to_string() })
}

/// Streams an answer into `file`, which appears only when it is whole and durable: its path, digest and size.
pub(super) fn download(
    client: &Client,
    call: &Call<'_>,
    mut file: AtomicFile,
    lang: Lang,
) -> Result<(String, Sm3Digest, u64), CliError> {
    let (sm3, size_bytes) = client.send(call, &mut |answer| receive(answer, &mut file, lang))?;
    let path = file.target().display().to_string();
    file.keep()?;
    Ok((path, sm3, size_bytes))
}

fn receive(answer: Answer, file: &mut AtomicFile, lang: Lang) -> Result<(Sm3Digest, u64), Failed> {
    let target = file.target().to_owned();
    file.restart().map_err(CliError::write(&target))?;
    let progress = match answer.body().content_length() {
        Some(length) => Progress::bytes(word(lang, Message::Downloading), length),
        None => Progress::unknown(word(lang, Message::Downloading)),
    };
    let mut reader = answer.into_body().into_reader();
    let (mut digest, mut size_bytes) = (Sm3::new(), 0_u64);
    let mut chunk = vec![0; limits::CHUNK_BYTES];
    loop {
        // A body that ends early is an error here: the node announces the length.
        let count = reader.read(&mut chunk).map_err(|error| Failed::lost(error.to_string()))?;
        if count == 0 {
            break;
        }
        let bytes = chunk.get(..count).unwrap_or_default();
        file.write_all(bytes).map_err(CliError::write(&target))?;
        digest.update(bytes);
        size_bytes = size_bytes.saturating_add(count as u64);
        progress.advance(count);
    }
    progress.finish();
    Ok((digest.finalize(), size_bytes))
}
