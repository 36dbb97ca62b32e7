//! `changbai network`: a whole consortium on this machine, each node a process of its own.

mod down;
pub(crate) mod foreground;
mod process;
mod status;
mod up;

use changbai_node::consortium::{self, Agency, Consortium, InitError, Plan, Ports};

use crate::{
    args::network::{Init, Network},
    error::CliError,
    messages::{Message, text, word},
    output::{self, Table},
    progress::Progress,
    refusal,
    run::{Context, EXIT_OK},
};

pub(crate) fn run(command: &Network, context: &Context) -> Result<u8, CliError> {
    match command {
        Network::Init(args) => init(args, context),
        Network::Up(args) => up::run(&args.names, context),
        Network::Down(args) => down::run(&args.names, context),
        Network::Status(args) => status::run(args, context),
    }
}

fn init(args: &Init, context: &Context) -> Result<u8, CliError> {
    let plan = Plan {
        agencies: args.agencies,
        validators: args.validators,
        channel: args.channel.clone(),
        endorsement: args.endorsement.clone(),
        hosts: args.host.clone(),
        ports: args.port_base.map_or(Ports::Usual, Ports::From),
    };
    make(&plan, context)?;
    let dir = context.dir.display();
    let next = [
        (Message::NetworkUp, format!("changbai network up --dir {dir}")),
        (Message::NetworkStatus, format!("changbai network status --dir {dir}")),
    ];
    output::line(&next_steps(&next, context))?;
    Ok(EXIT_OK)
}

/// Makes a consortium in the context's directory, and says so.
fn make(plan: &Plan, context: &Context) -> Result<Consortium, CliError> {
    let bar = Progress::steps(word(context.lang, Message::NetworkMaking), plan.agencies);
    let made = consortium::init(&context.dir, plan, &|_, _| bar.advance(1));
    bar.finish();
    let dir = context.dir.display().to_string();
    let made = made.map_err(|error| match error {
        InitError::NotEmpty { .. } => {
            CliError::said(Message::NetworkNotEmpty, Message::NextNetworkNotEmpty, &[("dir", &dir)])
        }
        InitError::Plan { key, reason } => CliError::said(
            Message::NetworkPlan,
            Message::NextNetworkPlan,
            &[("key", &key.replace('_', "-")), ("reason", &reason)],
        ),
        InitError::Start(error) => refusal::of_start(error, &context.dir),
        other => CliError::Start { dir: context.dir.clone(), reason: other.to_string() },
    })?;
    let validators = made.agencies.iter().filter(|agency| agency.validator).count().to_string();
    let agencies = made.agencies.len().to_string();
    let values = [
        ("dir", dir.as_str()),
        ("agencies", &agencies),
        ("validators", &validators),
        ("channel", &made.channel),
    ];
    output::line(&text(context.lang, Message::NetworkMade, &values))?;
    Ok(made)
}

/// The consortium of the context's directory.
fn open(context: &Context) -> Result<Consortium, CliError> {
    let found = consortium::read(&context.dir);
    let found = found.map_err(|error| refusal::of_start(error, &context.dir))?;
    let dir = context.dir.display().to_string();
    found.ok_or_else(|| {
        CliError::said(Message::NetworkNone, Message::NextNetworkNone, &[("dir", &dir)])
    })
}

/// The agencies of these names, or all.
fn choose(consortium: &Consortium, names: &[String]) -> Result<Vec<Agency>, CliError> {
    if names.is_empty() {
        return Ok(consortium.agencies.clone());
    }
    let known: Vec<&str> = consortium.agencies.iter().map(|agency| agency.name.as_str()).collect();
    let find = |name: &String| {
        let found = consortium.agencies.iter().find(|agency| agency.name == *name);
        found.cloned().ok_or_else(|| {
            let values = [("name", name.as_str()), ("known", &known.join(" "))];
            CliError::said(Message::NetworkNoAgency, Message::NextNetworkNoAgency, &values)
        })
    };
    names.iter().map(find).collect()
}

/// What can be done next, as commands to copy.
fn next_steps(steps: &[(Message, String)], context: &Context) -> String {
    let mut table = Table::default();
    for (label, command) in steps {
        table.row([word(context.lang, *label).to_owned(), command.clone()]);
    }
    let lines: Vec<String> = table.render().lines().map(|line| format!("  {line}")).collect();
    format!("{}\n{}", word(context.lang, Message::NetworkNext), lines.join("\n"))
}
