//! `changbai court`: queries by case number, each of them recorded.

use serde_json::{Value, json};

use crate::{
    args::court::{Court, CourtList, CourtQuery},
    client::{Body, Call, Client, encode_query},
    error::CliError,
    evidence::evidence_id,
    messages::{Message, text},
    output,
    run::{Context, EXIT_OK},
    sm3,
};

pub(crate) fn run(command: &Court, context: &Context) -> Result<u8, CliError> {
    match command {
        Court::Query(args) => query(args, context),
        Court::List(args) => list(args, context),
    }
}

fn query(args: &CourtQuery, context: &Context) -> Result<u8, CliError> {
    let body = match &args.digest {
        Some(file) => {
            let sm3 = sm3::digest(file, context)?.sm3.to_string();
            json!({"purpose": args.purpose, "sm3": sm3})
        }
        None => {
            let ids = args.evidence.iter().map(|id| Ok(evidence_id(id)?.to_string()));
            let ids: Vec<String> = ids.collect::<Result<_, CliError>>()?;
            json!({"purpose": args.purpose, "evidence_ids": ids})
        }
    };
    let body = body.to_string();
    let call = Call {
        method: "POST",
        path: &path(&args.case),
        body: Body::Json(body.as_bytes()),
        ..Call::default()
    };
    let answer: Value = Client::court(context)?.json(&call)?;
    if args.json {
        output::json(&answer)?;
        return Ok(EXIT_OK);
    }
    for result in items(&answer, "results") {
        let agency = result.pointer("/record/agency/name").and_then(Value::as_str);
        let values = [
            ("id", field(result, "evidence_id")),
            ("agency", agency.map(output::clean).unwrap_or_default()),
            (
                "bundle",
                result
                    .pointer("/links/bundle")
                    .and_then(Value::as_str)
                    .map(output::clean)
                    .unwrap_or_default(),
            ),
        ];
        say(context, Message::CourtFound, &values)?;
    }
    for id in items(&answer, "not_found").filter_map(Value::as_str) {
        say(context, Message::CourtMissing, &[("id", output::clean(id))])?;
    }
    let noted = [
        ("case", field(&answer, "case_no")),
        ("tx", field(&answer, "query_tx_id")),
        ("salt", field(&answer, "case_salt")),
    ];
    say(context, Message::CourtNoted, &noted)?;
    Ok(EXIT_OK)
}

fn list(args: &CourtList, context: &Context) -> Result<u8, CliError> {
    let query = args.cursor.as_deref().map(|cursor| format!("cursor={}", encode_query(cursor)));
    let call = Call { path: &path(&args.case), query: query.as_deref(), ..Call::default() };
    let answer: Value = Client::court(context)?.json(&call)?;
    if args.json {
        output::json(&answer)?;
        return Ok(EXIT_OK);
    }
    for item in items(&answer, "items") {
        let names = ["at_ms", "purpose", "evidence_id", "requester_certificate_sm3", "tx_id"];
        let cells = names.map(|name| field(item, name));
        output::line(&cells.join("  "))?;
    }
    Ok(EXIT_OK)
}

/// The path of a case's queries; whether it is a case number is for the node to say.
fn path(case: &str) -> String {
    format!("/api/v1/court/cases/{}/queries", encode_query(case.trim()))
}

fn say(context: &Context, message: Message, values: &[(&str, String)]) -> Result<(), CliError> {
    let values: Vec<(&str, &str)> = values.iter().map(|(name, v)| (*name, v.as_str())).collect();
    output::line(&text(context.lang, message, &values))
}

fn items<'a>(answer: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    answer.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// A text or a number, without characters that could mislead.
pub(crate) fn field(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) => output::clean(text),
        Some(Value::Number(number)) => number.to_string(),
        _ => "-".to_owned(),
    }
}
