//! The log: to standard error, as text or as JSON lines, through a filter that can be changed while the process runs.

use std::fmt;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use changbai_api::operations::LogControl;
use changbai_node::config::LogFormat;
use tracing_subscriber::layer::{Layered, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt as lines, reload};

type Writer = Box<dyn Layer<Registry> + Send + Sync>;
type Written = Layered<reload::Layer<Writer, Registry>, Registry>;

/// The log of this process.
pub(crate) struct Logging {
    writer: reload::Handle<Writer, Registry>,
    filter: reload::Handle<EnvFilter, Written>,
    spec: Mutex<String>,
}

impl Logging {
    /// Starts to log as text. `spec` comes from the environment; one that is no filter is not worth a failure, and
    /// `default` holds. Once a process: later calls give the log that was started first.
    pub(crate) fn start(spec: Option<String>, default: &str) -> Arc<Self> {
        Arc::clone(STARTED.get_or_init(|| Arc::new(Self::install(spec, default))))
    }

    /// The log of this process, once it was started.
    pub(crate) fn started() -> Option<Arc<Self>> {
        STARTED.get().cloned()
    }

    fn install(spec: Option<String>, default: &str) -> Self {
        let spec = spec.filter(|spec| parse(spec).is_ok()).unwrap_or_else(|| default.to_owned());
        let (writer, writing) = reload::Layer::new(writer(LogFormat::Text));
        let (filter, filtering) = reload::Layer::new(EnvFilter::new(&spec));
        let subscriber = tracing_subscriber::registry().with(writer).with(filter);
        // Only fails when a subscriber is set already, and this is the only place that sets one.
        let _ = subscriber.try_init();
        Self { writer: writing, filter: filtering, spec: Mutex::new(spec) }
    }

    /// Writes in this format from now on.
    pub(crate) fn format(&self, format: LogFormat) {
        // Fails only when the subscriber is gone, and then nothing is written anyway.
        let _ = self.writer.reload(writer(format));
    }
}

impl LogControl for Logging {
    fn spec(&self) -> String {
        self.spec.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, spec: &str) -> Result<(), String> {
        let filter = parse(spec)?;
        let mut kept = self.spec.lock().unwrap_or_else(PoisonError::into_inner);
        self.filter.reload(filter).map_err(|error| error.to_string())?;
        spec.clone_into(&mut kept);
        Ok(())
    }
}

impl fmt::Debug for Logging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logging").field("spec", &self.spec).finish_non_exhaustive()
    }
}

/// Belongs to the subscriber, of which there is one in a process.
static STARTED: OnceLock<Arc<Logging>> = OnceLock::new();

/// An empty filter would silence the log: that is said with `off`.
fn parse(spec: &str) -> Result<EnvFilter, String> {
    if spec.trim().is_empty() {
        return Err("an empty filter; `off` silences the log".to_owned());
    }
    EnvFilter::try_new(spec).map_err(|error| error.to_string())
}

fn writer(format: LogFormat) -> Writer {
    let layer = lines::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Text => Box::new(layer.with_ansi(std::io::stderr().is_terminal())),
        LogFormat::Json => Box::new(layer.json().with_span_list(false)),
    }
}

#[cfg(test)]
mod tests {
    use super::{LogControl as _, LogFormat, Logging};

    #[test]
    fn a_filter_that_is_none_leaves_the_old_one() {
        let logging = Logging::start(Some("changbai=nonsense=".to_owned()), "warn");
        assert_eq!(logging.spec(), "warn");
        logging.set("warn,changbai=debug").unwrap();
        for wrong in ["", " ", "changbai=loud", "a=b=c"] {
            assert!(logging.set(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(logging.spec(), "warn,changbai=debug");
        assert!(tracing::enabled!(target: "changbai_node", tracing::Level::DEBUG));
        logging.set("off").unwrap();
        assert!(!tracing::enabled!(target: "changbai_node", tracing::Level::ERROR));
        logging.format(LogFormat::Json);
    }
}
