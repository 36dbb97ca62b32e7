//! `changbai node verify-log`, `export`, `snapshot` and `import`: a channel's ledger as a file.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;

use changbai_node::Config;
use changbai_node::archive::{self, Error, ImportMode};

use crate::{
    args::network::{Import, Node, VerifyLog},
    error::{CliError, chain},
    messages::{Message, text, word},
    output,
    progress::Progress,
    refusal,
    run::{Context, EXIT_OK},
    stream::AtomicFile,
};

pub(crate) fn run(command: &Node, context: &Context) -> Result<u8, CliError> {
    match command {
        // A node that runs is started elsewhere.
        Node::Run(args) => crate::up::run_prepared(args, context),
        Node::VerifyLog(args) => verify_log(args, context),
        Node::Export(args) => {
            export(args.channel.as_deref(), (args.first, args.last), &args.out, context)
        }
        Node::Snapshot(args) => export(args.channel.as_deref(), (0, None), &args.out, context),
        Node::Import(args) => import(args, context),
    }
}

fn verify_log(args: &VerifyLog, context: &Context) -> Result<u8, CliError> {
    let bar = Blocks::new(Message::NodeChecking, context);
    let config = Config::below(&context.dir);
    let checked =
        archive::verify_log(config, args.channel.as_deref(), args.deep, &mut |at| bar.at(at));
    bar.finish();
    let report = checked.map_err(|error| refused(error, context))?;
    let values = [
        ("channel", report.channel_id.as_str()),
        ("last", &report.last.to_string()),
        ("transactions", &report.transactions.to_string()),
        ("valid", &report.valid.to_string()),
        ("configurations", &report.configurations.to_string()),
        ("hash", &report.last_header.to_string()),
    ];
    output::line(&text(context.lang, Message::NodeVerified, &values))?;
    if let Some(torn) = &report.torn {
        let bytes = torn.bytes.to_string();
        output::note(&text(context.lang, Message::NodeTorn, &[("bytes", &bytes)]));
    }
    Ok(EXIT_OK)
}

fn export(
    channel: Option<&str>,
    range: (u64, Option<u64>),
    target: &Path,
    context: &Context,
) -> Result<u8, CliError> {
    let bar = Blocks::new(Message::NodeExporting, context);
    let mut file = AtomicFile::create(target)?;
    let config = Config::below(&context.dir);
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, &mut file);
    let exported = archive::export(config, channel, range, &mut out, &mut |at| bar.at(at));
    let flushed = out.flush();
    drop(out);
    bar.finish();
    let exported = exported.map_err(|error| refused(error, context))?;
    flushed.map_err(CliError::write(target))?;
    file.keep()?;
    let values = [
        ("channel", exported.channel_id.as_str()),
        ("path", &target.display().to_string()),
        ("last", &exported.last.to_string()),
        ("hash", &exported.last_header.to_string()),
    ];
    output::line(&text(context.lang, Message::NodeExported, &values))?;
    Ok(EXIT_OK)
}

fn import(args: &Import, context: &Context) -> Result<u8, CliError> {
    let bar = Blocks::new(Message::NodeImporting, context);
    let file = File::open(&args.file).map_err(CliError::read(&args.file))?;
    let mut input = BufReader::with_capacity(BUFFER_BYTES, file);
    let mode = if args.snapshot { ImportMode::Proven } else { ImportMode::Validate };
    let config = Config::below(&context.dir);
    let channel = args.channel.as_deref();
    let imported = archive::import(config, channel, &mut input, mode, &mut |at| bar.at(at));
    bar.finish();
    let imported = imported.map_err(|error| refused(error, context))?;
    let values = [
        ("last", imported.last.to_string()),
        ("transactions", imported.transactions.to_string()),
        ("validated", imported.validated.to_string()),
        ("hash", imported.last_header.to_string()),
    ];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    output::line(&text(context.lang, Message::NodeImported, &values))?;
    Ok(EXIT_OK)
}

fn refused(error: Error, context: &Context) -> CliError {
    match error {
        Error::Start(error) => refusal::of_start(error, &context.dir),
        other => CliError::said(
            Message::NodeArchive,
            Message::NextNodeArchive,
            &[("reason", &chain(&other))],
        ),
    }
}

/// A bar over the blocks of a channel, drawn once their number is known.
struct Blocks {
    label: &'static str,
    bar: std::cell::RefCell<Option<Progress>>,
}

impl Blocks {
    fn new(label: Message, context: &Context) -> Self {
        Self { label: word(context.lang, label), bar: std::cell::RefCell::default() }
    }

    fn at(&self, archive::Progress { height, .. }: archive::Progress) {
        let mut bar = self.bar.borrow_mut();
        let total = usize::try_from(height).unwrap_or(usize::MAX).saturating_add(1);
        bar.get_or_insert_with(|| Progress::steps(self.label, total)).advance(1);
    }

    fn finish(&self) {
        if let Some(bar) = self.bar.borrow_mut().take() {
            bar.finish();
        }
    }
}

const BUFFER_BYTES: usize = 1 << 20;
