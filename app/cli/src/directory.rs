//! `changbai directory`: the judicial directory.

use serde_json::{Value, json};

use crate::{
    args::court::{Admit, Directory, DirectoryList, Show},
    client::{Body, Call, Client, encode_query},
    court::field,
    error::CliError,
    evidence::evidence_id,
    messages::{Message, text},
    output,
    run::{Context, EXIT_OK},
    sm3,
};

pub(crate) fn run(command: &Directory, context: &Context) -> Result<u8, CliError> {
    match command {
        Directory::Admit(args) => admit(args, context),
        Directory::List(args) => list(args, context),
        Directory::Show(args) => show(args, context),
    }
}

fn admit(args: &Admit, context: &Context) -> Result<u8, CliError> {
    let id = evidence_id(&args.id)?.to_string();
    let certificate_sm3 = sm3::digest(&args.certificate, context)?.sm3.to_string();
    let body = json!({"evidence_id": id, "certificate_sm3": certificate_sm3}).to_string();
    let call = Call {
        method: "POST",
        path: DIRECTORY,
        body: Body::Json(body.as_bytes()),
        ..Call::default()
    };
    let entry: Value = Client::signing(context)?.json(&call)?;
    if args.json {
        output::json(&entry)?;
        return Ok(EXIT_OK);
    }
    let (id, tx) = (field(&entry, "evidence_id"), field(&entry, "tx_id"));
    output::line(&text(context.lang, Message::DirectoryAdmitted, &[("id", &id), ("tx", &tx)]))?;
    Ok(EXIT_OK)
}

fn list(args: &DirectoryList, context: &Context) -> Result<u8, CliError> {
    let query = args.cursor.as_deref().map(|cursor| format!("cursor={}", encode_query(cursor)));
    let call = Call { path: DIRECTORY, query: query.as_deref(), ..Call::default() };
    let answer: Value = Client::anonymous(context)?.json(&call)?;
    if args.json {
        output::json(&answer)?;
        return Ok(EXIT_OK);
    }
    for entry in answer.get("items").and_then(Value::as_array).into_iter().flatten() {
        let names = ["evidence_id", "msp_id", "filing_number", "admitted_at_ms"];
        output::line(&names.map(|name| field(entry, name)).join("  "))?;
    }
    Ok(EXIT_OK)
}

fn show(args: &Show, context: &Context) -> Result<u8, CliError> {
    let path = format!("{DIRECTORY}/{}", evidence_id(&args.id)?);
    let entry: Value =
        Client::anonymous(context)?.json(&Call { path: &path, ..Call::default() })?;
    if args.json {
        output::json(&entry)?;
        return Ok(EXIT_OK);
    }
    for (name, _) in entry.as_object().into_iter().flatten() {
        output::line(&format!("{}  {}", output::clean(name), field(&entry, name)))?;
    }
    Ok(EXIT_OK)
}

const DIRECTORY: &str = "/api/v1/directory";
