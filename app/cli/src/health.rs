//! `changbai health`: the node's own answer, and an exit code that monitors can use.

use serde_json::Value;

use crate::{
    args,
    client::{Call, Client},
    error::CliError,
    lang::Lang,
    messages::{Message, text, word},
    output::{self, Table},
    run::{Context, EXIT_FAILED, EXIT_OK},
};

/// Prints the health; fails when a self-test failed or the node says that it is not well.
pub(crate) fn run(args: &args::Health, context: &Context) -> Result<u8, CliError> {
    let client = Client::anonymous(context)?;
    let call = Call {
        path: "/api/v1/health",
        // The node runs its known-answer tests for this answer.
        query: Some("selftest=true"),
        // A node that refuses writes says so with 503 and the same document.
        also_status: Some(503),
        ..Call::default()
    };
    let health: Value = client.json(&call)?;
    if args.json {
        output::json(&health)?;
    } else {
        output::line(&render(&health, context.lang))?;
    }
    Ok(if is_well(&health) { EXIT_OK } else { EXIT_FAILED })
}

/// Every self-test must say yes; an answer without self-tests is not a healthy node's.
fn is_well(health: &Value) -> bool {
    let tests = ["sm2_enabled", "sm3_enabled", "sm4_enabled"];
    let crypto = tests.iter().all(|name| {
        health.pointer(&format!("/crypto/{name}")).and_then(Value::as_bool) == Some(true)
    });
    let status = health.get("status").and_then(Value::as_str);
    crypto && matches!(status, Some("ok" | "degraded"))
}

/// The self-tests in words, and everything else as it was answered, one fact a line.
fn render(health: &Value, lang: Lang) -> String {
    let mut table = Table::default();
    if let Some(status) = health.get("status").and_then(Value::as_str) {
        table.row([word(lang, Message::HealthStatus), status]);
    }
    let mut facts = Vec::new();
    flatten("", health, &mut facts);
    for (name, value) in facts.iter().filter(|(name, _)| name != "status") {
        let test = name.strip_prefix("crypto.").and_then(|name| name.strip_suffix("_enabled"));
        match (test, *value) {
            (Some(test), Value::Bool(passed)) => {
                let label = text(lang, Message::HealthCrypto, &[("name", &test.to_uppercase())]);
                let result = if *passed { Message::Passed } else { Message::FailedWord };
                table.row([label, word(lang, result).to_owned()]);
            }
            (_, Value::String(value)) => table.row([name.clone(), output::clean(value)]),
            (_, value) => table.row([name.clone(), value.to_string()]),
        }
    }
    table.render()
}

/// Names of nested values joined with dots.
fn flatten<'a>(prefix: &str, value: &'a Value, out: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let dot = if prefix.is_empty() { "" } else { "." };
                flatten(&format!("{prefix}{dot}{name}"), value, out);
            }
        }
        other => out.push((output::clean(prefix), other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(sm2: bool, status: &str) -> Value {
        serde_json::json!({
            "status": status,
            "crypto": {"sm2_enabled": sm2, "sm3_enabled": true, "sm4_enabled": true},
            "ledger": {"height": 7},
        })
    }

    #[test]
    fn a_failed_self_test_is_not_well() {
        assert!(is_well(&health(true, "ok")));
        assert!(!is_well(&health(false, "ok")));
        assert!(!is_well(&health(true, "halted")));
        assert!(!is_well(&Value::Null));
    }

    #[test]
    fn every_fact_has_its_line() {
        let text = render(&health(false, "ok"), Lang::En);
        assert_eq!(
            text,
            "status         ok\nself-test SM2  failed\nself-test SM3  passed\n\
             self-test SM4  passed\nledger.height  7"
        );
        assert!(render(&health(true, "ok"), Lang::Zh).contains("密码自检 SM2   通过"));
    }
}
