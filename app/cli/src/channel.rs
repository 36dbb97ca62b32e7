//! `changbai channel`: what channels a node has, and how they change.

mod show;
mod update;

use std::path::Path;

use changbai_node::{
    Config, change, channel_file,
    genesis::{self, Genesis},
    process_of,
};
use serde_json::Value;

use crate::{
    args::channel::{self as args, Channel},
    client::{Body, Call, Client},
    error::CliError,
    limits,
    messages::{Message, text},
    output, refusal,
    run::{Context, EXIT_OK},
    stream,
};

pub(crate) fn run(command: &Channel, context: &Context) -> Result<u8, CliError> {
    match command {
        Channel::List(args) => show::list(args, context),
        Channel::Info(args) => show::info(args, context),
        Channel::Join(args) => join(args, context),
        Channel::Genesis(args) => make_genesis(args, context),
        Channel::Update(args) => update::run(args, context),
    }
}

fn join(args: &args::Join, context: &Context) -> Result<u8, CliError> {
    let id = match process_of(&context.dir).map_err(CliError::read(context.dir.join("LOCK")))? {
        None => {
            let config = Config::below(&context.dir);
            let joined = genesis::join_stopped(config, &args.genesis);
            joined.map_err(|error| refusal::of_start(error, &context.dir))?
        }
        Some(_) => {
            let genesis = stream::read_bytes(&args.genesis)?;
            let call = Call {
                method: "POST",
                path: CHANNELS,
                body: Body::Bytes(&genesis),
                ..Call::default()
            };
            let joined: Value = Client::administrator(context)?.json(&call)?;
            field(&joined, "channel")
        }
    };
    let values = [("channel", id.as_str()), ("dir", &context.dir.display().to_string())];
    output::line(&text(context.lang, Message::ChannelJoin, &values))?;
    Ok(EXIT_OK)
}

fn make_genesis(args: &args::Genesis, context: &Context) -> Result<u8, CliError> {
    let config = channel_file::read(&args.config);
    let config = config.map_err(|error| refusal::of_start(error, &context.dir))?;
    let genesis = Genesis::of(config).map_err(|reason| wrong_file(&args.config, &reason))?;
    stream::write_whole(&args.out, &genesis.to_bytes())?;
    let (path, hash) = (args.out.display().to_string(), genesis.hash());
    let values =
        [("path", path.as_str()), ("hash", &hash), ("channel", &genesis.config.channel_id)];
    output::line(&text(context.lang, Message::ChannelGenesis, &values))?;
    Ok(EXIT_OK)
}

/// The channel meant: the one named, or the node's only one.
fn chosen(id: Option<&String>, client: &Client) -> Result<String, CliError> {
    if let Some(id) = id {
        return Ok(id.clone());
    }
    let list: Value = client.json(&Call { path: CHANNELS, ..Call::default() })?;
    let ids = list.get("items").and_then(Value::as_array).into_iter().flatten();
    let ids: Vec<String> = ids.map(|item| field(item, "channel")).collect();
    match ids.as_slice() {
        [id] => Ok(id.clone()),
        _ => Err(CliError::said(
            Message::ChannelAmbiguous,
            Message::NextChannelAmbiguous,
            &[("known", &ids.join(" "))],
        )),
    }
}

/// The configuration in force, as the running node has it.
fn in_force(id: &str, client: &Client) -> Result<change::ChannelConfig, CliError> {
    let path = channel_path(id, "/config")?;
    let call = Call { path: &path, ..Call::default() };
    let bytes = client.bytes(&call, limits::CONFIG_BYTES_MAX)?;
    change::current(&bytes).map_err(|reason| CliError::Answer { address: path.clone(), reason })
}

/// The path of a channel; ids have no characters that need an escape, and nothing else is an id.
fn channel_path(id: &str, rest: &str) -> Result<String, CliError> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
    if id.is_empty() || !id.bytes().all(plain) || id.bytes().all(|b| b == b'.') {
        return Err(CliError::said(
            Message::ChannelIdWrong,
            Message::NextChannelId,
            &[("given", id)],
        ));
    }
    Ok(format!("{CHANNELS}/{id}{rest}"))
}

fn wrong_file(file: &Path, reason: &str) -> CliError {
    let values = [("file", &*file.display().to_string()), ("reason", reason)];
    CliError::said(Message::ChannelFileWrong, Message::NextChannelFile, &values)
}

fn field(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).map(output::clean).unwrap_or_default()
}

const CHANNELS: &str = "/api/v1/channels";
