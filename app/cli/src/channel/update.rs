//! `changbai channel update`: one agency computes a change, each signs it, one submits it.

use std::path::Path;

use changbai_node::{
    StartError,
    change::{Administrator, Change, ChangeError, Difference},
    channel_file,
};
use serde_json::{Value, json};

use super::{channel_path, chosen, in_force, wrong_file};
use crate::{
    args::channel::Update,
    client::{Body, Call, Client},
    error::CliError,
    lang::Lang,
    messages::{Message, text, word},
    output::{self, Table},
    refusal,
    run::{Context, EXIT_OK},
    stream,
};

pub(super) fn run(args: &Update, context: &Context) -> Result<u8, CliError> {
    let client = Client::administrator(context)?;
    let mut change = match &args.input {
        Some(file) => Some(read(file)?),
        None => None,
    };
    let id = match (&change, &args.id) {
        (Some(change), Some(id)) if change.channel() != id => {
            let values = [("given", id.as_str()), ("channel", change.channel())];
            return Err(CliError::said(Message::ChannelOther, None, &values));
        }
        (Some(change), _) => change.channel().to_owned(),
        (None, id) => chosen(id.as_ref(), &client)?,
    };
    let current = in_force(&id, &client)?;
    if let Some(file) = &args.config {
        let refused = |error: StartError| refusal::of_start(error, &context.dir);
        let new = channel_file::read(file).map_err(refused)?;
        change = Some(Change::between(&current, &new).map_err(|error| wrong(&error))?);
    }
    let Some(mut change) = change else { return Ok(EXIT_OK) };
    for dir in &args.sign_with {
        let administrator = Administrator::read(dir);
        let administrator = administrator.map_err(|error| refusal::of_start(error, dir))?;
        change.sign(&administrator).map_err(|error| wrong(&error))?;
    }
    let differences = change.differences(&current).map_err(|error| wrong(&error))?;
    let missing = change.missing(&current).map_err(|error| wrong(&error))?;
    if let Some(file) = &args.out {
        stream::write_whole(file, &change.to_bytes())?;
    }
    let mut answer = None;
    // What is missing is said before the ledger has to say it.
    if args.submit && missing.is_empty() {
        let administrator = Administrator::read(&context.dir);
        let administrator =
            administrator.map_err(|error| refusal::of_start(error, &context.dir))?;
        let envelope = change.to_envelope(&administrator).map_err(|error| wrong(&error))?;
        let path = channel_path(&id, "/updates")?;
        let body = Body::Bytes(&envelope);
        let call = Call { method: "POST", path: &path, body, ..Call::default() };
        answer = Some(client.json::<Value>(&call)?);
    }
    let missing: Vec<Missing> = missing.iter().map(Missing::of).collect();
    let report = Report { id: &id, change: &change, differences: &differences, missing: &missing };
    if args.json {
        output::json(&report.json(answer.as_ref(), context.lang))?;
    } else {
        output::line(&report.render(context.lang))?;
        report.say_next(args, answer.as_ref(), context)?;
    }
    if args.submit && answer.is_none() {
        return Err(CliError::said(
            Message::ChangeLacks,
            Message::NextChangeLacks,
            &[("missing", &missing.iter().map(|m| m.of.join(" ")).collect::<Vec<_>>().join("; "))],
        ));
    }
    Ok(EXIT_OK)
}

/// What a policy still lacks, in texts.
struct Missing {
    policy: String,
    more: usize,
    of: Vec<String>,
}

impl Missing {
    fn of(missing: &changbai_node::change::MissingConsent) -> Self {
        let of = missing.of.iter().map(ToString::to_string).collect();
        Self { policy: missing.policy.clone(), more: missing.more, of }
    }
}

struct Report<'a> {
    id: &'a str,
    change: &'a Change,
    differences: &'a [Difference],
    missing: &'a [Missing],
}

impl Report<'_> {
    fn json(&self, answer: Option<&Value>, lang: Lang) -> Value {
        let missing = self.missing.iter().map(
            |missing| json!({ "policy": missing.policy, "more": missing.more, "of": missing.of }),
        );
        json!({
            "channel": self.id,
            "changes": self.differences.iter().map(|d| worded(d, lang)).collect::<Vec<_>>(),
            "signed_by": self.change.signed_by(),
            "missing": missing.collect::<Vec<_>>(),
            "submitted": answer,
        })
    }

    fn render(&self, lang: Lang) -> String {
        let mut table = Table::default();
        table.row([word(lang, Message::Channel), self.id]);
        for difference in self.differences {
            table.row([word(lang, Message::ChangeLabel).to_owned(), worded(difference, lang)]);
        }
        for msp_id in self.change.signed_by() {
            table.row([word(lang, Message::ChangeSigned).to_owned(), msp_id]);
        }
        for missing in self.missing {
            let values = [
                ("policy", missing.policy.as_str()),
                ("more", &missing.more.to_string()),
                ("of", &missing.of.join(" ")),
            ];
            let line = text(lang, Message::ChangeMissing, &values);
            table.row([word(lang, Message::ChangeMissingLabel).to_owned(), line]);
        }
        table.render()
    }

    fn say_next(
        &self,
        args: &Update,
        answer: Option<&Value>,
        context: &Context,
    ) -> Result<(), CliError> {
        if let Some(file) = &args.out {
            let values = [("path", &*file.display().to_string())];
            output::line(&text(context.lang, Message::ChangeWritten, &values))?;
        }
        let number = |name| {
            let number = answer.and_then(|answer| answer.get(name)?.as_u64());
            number.unwrap_or_default().to_string()
        };
        if answer.is_some() {
            let (block, sequence) = (number("block_number"), number("config_sequence"));
            let values = [("block", block.as_str()), ("sequence", &sequence)];
            output::line(&text(context.lang, Message::ChangeInForce, &values))?;
        } else if !args.submit {
            let file = args.out.as_ref().or(args.input.as_ref());
            let file = file.map_or_else(|| "update.pb".to_owned(), |f| f.display().to_string());
            let next =
                if self.missing.is_empty() { Message::ChangeSubmit } else { Message::ChangeHandOn };
            let dir = context.dir.display().to_string();
            let values = [("file", file.as_str()), ("dir", &dir)];
            output::line(&text(context.lang, next, &values))?;
        }
        Ok(())
    }
}

fn worded(difference: &Difference, lang: Lang) -> String {
    let say = |message, values: &[(&str, &str)]| text(lang, message, values);
    let who = |message, msp_id: &str, address: &str| {
        say(message, &[("msp_id", msp_id), ("address", address)])
    };
    let words = match difference {
        Difference::OrganisationAdded { msp_id, name } => {
            say(Message::DifferenceOrgAdded, &[("msp_id", msp_id), ("name", name)])
        }
        Difference::OrganisationRemoved { msp_id } => {
            say(Message::DifferenceOrgRemoved, &[("msp_id", msp_id)])
        }
        Difference::OrganisationChanged { msp_id, keys } => {
            let values = [("msp_id", msp_id.as_str()), ("keys", &keys.join(" "))];
            say(Message::DifferenceOrgChanged, &values)
        }
        Difference::ValidatorAdded { msp_id, address } => {
            who(Message::DifferenceValidatorAdded, msp_id, address)
        }
        Difference::ValidatorRemoved { msp_id, address } => {
            who(Message::DifferenceValidatorRemoved, msp_id, address)
        }
        Difference::ValidatorChanged { msp_id, address } => {
            who(Message::DifferenceValidatorChanged, msp_id, address)
        }
        Difference::Value { key, before, after } => {
            say(Message::DifferenceValue, &[("key", key), ("before", before), ("after", after)])
        }
        _ => word(lang, Message::DifferenceGuards).to_owned(),
    };
    output::clean(&words)
}

fn read(file: &Path) -> Result<Change, CliError> {
    let bytes = stream::read_bytes(file)?;
    Change::read(&bytes).map_err(|error| wrong_file(file, &error.to_string()))
}

fn wrong(error: &ChangeError) -> CliError {
    let reason = error.to_string();
    CliError::said(Message::ChangeRefused, Message::NextChangeRefused, &[("reason", &reason)])
}
