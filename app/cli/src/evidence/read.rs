//! `changbai evidence get` and `list`: open to everybody, so they need no key.

use serde_json::Value;

use super::{EVIDENCE, business_type, evidence_id, view};
use crate::{
    args,
    client::{Body, Call, Client, encode_query},
    error::CliError,
    output,
    run::{Context, EXIT_OK},
    sm3, time,
};

/// Shows one record.
pub(crate) fn get(args: &args::Get, context: &Context) -> Result<u8, CliError> {
    let id = evidence_id(&args.id)?;
    let answer = ask(&Client::anonymous(context)?, &format!("{EVIDENCE}/{id}"), None)?;
    if args.json {
        output::json(&answer)?;
    } else {
        output::line(&view::record(&typed(answer)?, context.lang))?;
    }
    Ok(EXIT_OK)
}

/// Shows one page of records.
pub(crate) fn list(args: &args::List, context: &Context) -> Result<u8, CliError> {
    let query = query(args, context)?;
    let answer = ask(&Client::anonymous(context)?, EVIDENCE, Some(&query))?;
    if args.json {
        output::json(&answer)?;
    } else {
        output::line(&view::page(&typed(answer)?, context.lang))?;
    }
    Ok(EXIT_OK)
}

fn ask(client: &Client, path: &str, query: Option<&str>) -> Result<Value, CliError> {
    client.json(&Call { method: "GET", path, query, body: Body::Empty, ..Call::default() })
}

fn typed<T: serde::de::DeserializeOwned>(answer: Value) -> Result<T, CliError> {
    serde_json::from_value(answer).map_err(|error| CliError::Answer {
        address: EVIDENCE.to_owned(),
        reason: error.to_string(),
    })
}

fn query(args: &args::List, context: &Context) -> Result<String, CliError> {
    let sm3 = match (&args.sm3, &args.file) {
        (Some(given), _) => Some(digest(given)?),
        (None, Some(path)) => Some(sm3::digest(path, context)?.sm3.to_string()),
        (None, None) => None,
    };
    let business = args.business.as_deref().map(business_type).transpose()?;
    let from = args.from.as_deref().map(day_start).transpose()?;
    // The whole last day belongs to the range.
    let to = args.to.as_deref().map(day_start).transpose()?.map(|ms| ms + DAY_MS);
    let values = [
        ("sm3", sm3),
        ("business_type", business.map(|kind| kind.code().to_owned())),
        ("from", from.map(|ms| ms.to_string())),
        ("to", to.map(|ms| ms.to_string())),
        ("limit", Some(args.limit.to_string())),
        ("cursor", args.cursor.clone()),
    ];
    let pairs = values
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", encode_query(&value?))));
    Ok(pairs.collect::<Vec<_>>().join("&"))
}

/// A digest as other tools print it, in either case.
fn digest(given: &str) -> Result<String, CliError> {
    let parsed: Result<smkit::Sm3Digest, _> = given.trim().parse();
    parsed.map(|sm3| sm3.to_string()).map_err(|_| CliError::Digest { given: given.to_owned() })
}

fn day_start(given: &str) -> Result<u64, CliError> {
    time::china_day_start_ms(given).ok_or_else(|| CliError::Date { given: given.to_owned() })
}

const DAY_MS: u64 = 86_400_000;

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::lang::Lang;

    fn args() -> args::List {
        args::List {
            sm3: None,
            file: None,
            business: None,
            from: None,
            to: None,
            limit: 50,
            cursor: None,
            json: false,
        }
    }

    fn context() -> Context {
        Context { dir: PathBuf::from("d"), lang: Lang::En }
    }

    #[test]
    fn filters_become_one_encoded_query() {
        let filters = args::List {
            sm3: Some(smkit::sm3(b"").to_string().to_uppercase()),
            business: Some("行政处罚".to_owned()),
            from: Some("2024-03-01".to_owned()),
            to: Some("2024-03-01".to_owned()),
            cursor: Some("a+b/=".to_owned()),
            ..args()
        };
        assert_eq!(
            query(&filters, &context()).unwrap(),
            format!(
                "sm3={}&business_type=administrative_penalty&from=1709222400000\
                 &to=1709308800000&limit=50&cursor=a%2Bb%2F%3D",
                smkit::sm3(b"")
            )
        );
        assert_eq!(query(&args(), &context()).unwrap(), "limit=50");
    }

    #[test]
    fn wrong_filters_are_named() {
        let wrong = |args| query(&args, &context()).unwrap_err();
        let sm3 = args::List { sm3: Some("12".to_owned()), ..args() };
        assert!(matches!(wrong(sm3), CliError::Digest { .. }));
        let business = args::List { business: Some("x".to_owned()), ..args() };
        assert!(matches!(wrong(business), CliError::Business { .. }));
        let from = args::List { from: Some("yesterday".to_owned()), ..args() };
        assert!(matches!(wrong(from), CliError::Date { .. }));
    }
}
