//! `changbai channel list` and `changbai channel info`.

use changbai_node::{channel_file, genesis, process_of};
use serde_json::{Value, json};

use super::{CHANNELS, channel_path, chosen, field, in_force};
use crate::{
    args::channel::{Info, List},
    client::{Call, Client},
    error::CliError,
    lang::Lang,
    messages::{Message, text, word},
    output::{self, Table},
    refusal,
    run::{Context, EXIT_OK},
};

/// The node's channels; of a node that is down what its directory holds.
pub(super) fn list(args: &List, context: &Context) -> Result<u8, CliError> {
    let running = process_of(&context.dir).map_err(CliError::read(context.dir.join("LOCK")))?;
    let answer: Value = if running.is_some() {
        let client = Client::signing(context)?;
        client.json(&Call { path: CHANNELS, ..Call::default() })?
    } else {
        let kept = genesis::kept(&context.dir);
        let kept = kept.map_err(|error| refusal::of_start(error, &context.dir))?;
        let item = |genesis: &genesis::Genesis| {
            let role = genesis.config.validators.len();
            json!({
                "channel": genesis.config.channel_id,
                "genesis": genesis.hash(),
                "organisations": genesis.config.orgs.len(),
                "validators": role,
            })
        };
        json!({ "items": kept.iter().map(|(_, genesis)| item(genesis)).collect::<Vec<_>>() })
    };
    if args.json {
        output::json(&answer)?;
        return Ok(EXIT_OK);
    }
    let items = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut table = Table::default();
    let labels = [
        Message::Channel,
        Message::ColumnHeight,
        Message::ColumnRole,
        Message::ColumnPeers,
        Message::ChannelGenesisLabel,
    ];
    table.row(labels.map(|label| word(context.lang, label)));
    for item in &items {
        table.row([
            field(item, "channel"),
            number(item, "height"),
            role(item, context.lang),
            number(item, "peers_connected"),
            field(item, "genesis"),
        ]);
    }
    output::line(&table.render())?;
    if running.is_none() {
        let dir = [("dir", &*context.dir.display().to_string())];
        output::note(&text(context.lang, Message::NotRunning, &dir));
    }
    Ok(EXIT_OK)
}

/// One channel, as the running node sees it.
pub(super) fn info(args: &Info, context: &Context) -> Result<u8, CliError> {
    let client = Client::signing(context)?;
    let id = chosen(args.id.as_ref(), &client)?;
    let path = channel_path(&id, "")?;
    let answer: Value = client.json(&Call { path: &path, ..Call::default() })?;
    if let Some(file) = &args.config {
        let config = in_force(&id, &client)?;
        channel_file::write(file, &config)
            .map_err(|error| refusal::of_start(error, &context.dir))?;
    }
    if args.json {
        output::json(&answer)?;
        return Ok(EXIT_OK);
    }
    output::line(&render(&answer, context.lang))?;
    if let Some(file) = &args.config {
        let path = file.display().to_string();
        let values = [("path", path.as_str()), ("channel", &id)];
        output::line(&text(context.lang, Message::ChannelWritten, &values))?;
    }
    Ok(EXIT_OK)
}

fn render(state: &Value, lang: Lang) -> String {
    let mut table = Table::default();
    let mut row = |label, value: String| table.row([word(lang, label).to_owned(), value]);
    row(Message::Channel, field(state, "channel"));
    row(Message::ChannelGenesisLabel, field(state, "genesis"));
    row(Message::ColumnHeight, number(state, "height"));
    row(Message::ChannelSequence, number(state, "config_sequence"));
    row(Message::ColumnRole, role(state, lang));
    row(Message::ColumnPeers, number(state, "peers_connected"));
    let quorum = state.get("quorum").and_then(Value::as_bool) == Some(true);
    row(
        Message::ColumnQuorum,
        word(lang, if quorum { Message::Yes } else { Message::No }).to_owned(),
    );
    for name in ["halted", "suspended"] {
        if state.get(name).is_some_and(Value::is_string) {
            row(Message::ColumnRemark, field(state, name));
        }
    }
    let list = |name: &str| state.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    for org in list("organisations") {
        row(Message::Agency, org.as_str().map(output::clean).unwrap_or_default());
    }
    for validator in list("validators") {
        let parts = ["msp_id", "endpoint", "address"].map(|name| field(&validator, name));
        row(Message::RoleValidator, parts.join("  "));
    }
    for case in list("misbehaviour") {
        let place = format!("{}/{}", number(&case, "height"), number(&case, "round"));
        let text = [field(&case, "validator"), field(&case, "kind"), place].join("  ");
        row(Message::ChannelMisbehaviour, text);
    }
    table.render()
}

fn role(item: &Value, lang: Lang) -> String {
    match item.get("role").and_then(Value::as_str) {
        Some("validator") => word(lang, Message::RoleValidator).to_owned(),
        Some(_) => word(lang, Message::RoleFollower).to_owned(),
        None => "-".to_owned(),
    }
}

fn number(item: &Value, name: &str) -> String {
    item.get(name).and_then(Value::as_u64).map_or_else(|| "-".to_owned(), |n| n.to_string())
}
