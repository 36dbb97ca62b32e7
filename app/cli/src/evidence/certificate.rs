//! `changbai evidence certificate`: the document that a clerk prints.

use std::path::PathBuf;

use serde::Serialize;

use super::{EVIDENCE, bundle::download, evidence_id};
use crate::{
    args,
    client::{Call, Client},
    error::CliError,
    messages::{Message, labelled, text},
    output,
    run::{Context, EXIT_OK},
    stream::AtomicFile,
};

/// A certificate on disk.
#[derive(Debug, Serialize)]
struct Saved {
    evidence_id: String,
    /// Path of the file.
    certificate: String,
    size_bytes: u64,
    /// SM3 of the whole file.
    sm3: String,
}

/// Fetches a certificate into a file. Open to everybody: needs no key.
pub(crate) fn run(args: &args::Certificate, context: &Context) -> Result<u8, CliError> {
    let id = evidence_id(&args.id)?;
    let extension = args.format.extension();
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{id}.{extension}")));
    let client = Client::anonymous(context)?;
    let file = AtomicFile::create(&out)?;
    let call = Call {
        method: "GET",
        path: &format!("{EVIDENCE}/{id}/certificate.{extension}"),
        ..Call::default()
    };
    let (certificate, sm3, size_bytes) = download(&client, &call, file, context.lang)?;
    let evidence_id = id.to_string();
    let saved = Saved { evidence_id, certificate, size_bytes, sm3: sm3.to_string() };
    if args.json {
        output::json(&saved)?;
    } else {
        let count = saved.size_bytes.to_string();
        let size = text(context.lang, Message::Bytes, &[("count", &count)]);
        let value = format!("{}  {size}  SM3 {}", saved.certificate, saved.sm3);
        let value = output::clean(&value);
        output::line(&labelled(context.lang, Message::CertificateSaved, &value))?;
    }
    Ok(EXIT_OK)
}
