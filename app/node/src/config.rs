//! Configuration: defaults, then `changbai.toml` in the data directory, then environment, then
//! flags. Parsed once into a form that needs no further checks.

mod court;
mod custody;
mod endpoint;
mod platform;
mod time;
mod transparency;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use changbai_certificate::Issuer;
use changbai_core::Uscc;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub use self::court::CourtSettings;
pub use self::custody::{CustodyPlan, CustodySettings};
pub use self::endpoint::{Endpoint, Scheme};
pub use self::platform::PlatformSettings;
pub use self::time::{Chronyd, TimeSettings, TimeSource, Tsa};
pub use self::transparency::{TransparencySettings, WitnessPeer, WitnessSettings};

/// Name of the configuration file in the data directory.
pub const FILE: &str = "changbai.toml";
/// Prefix of environment variables: `CHANGBAI__NODE__LISTEN=127.0.0.1:8081`.
pub const ENVIRONMENT_PREFIX: &str = "CHANGBAI__";

/// A node's settings as written in `changbai.toml`. Unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// This process.
    pub node: NodeSettings,
    /// Links to the other nodes of its channels.
    pub network: NetworkSettings,
    /// What operators look at.
    pub operations: OperationsSettings,
    /// Where the time comes from.
    pub time: TimeSettings,
    /// Checkpoints of the transaction logs (透明日志).
    pub transparency: TransparencySettings,
    /// GM TLS (国密传输层) of this node's listeners.
    pub tls: TlsSettings,
    /// The agency that runs the node. Read at the first start; the certificates then carry it.
    pub agency: AgencySettings,
    /// The platform as the public sees it.
    pub platform: PlatformSettings,
    /// Originals, and how they are kept.
    pub custody: CustodySettings,
    /// Courts' queries.
    pub court: CourtSettings,
}

/// `[node]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NodeSettings {
    /// Where the node keeps its data; relative to the configuration file, whose folder it is by default.
    pub data: PathBuf,
    /// The channel that evidence is recorded on.
    pub channel: String,
    /// Where REST listens, see [`Endpoint`].
    pub listen: Vec<String>,
    /// Serves plain HTTP beyond loopback, too. Everybody on the way can then read and alter what is said.
    pub insecure: bool,
    /// Networks of gateways that may pass a client's certificate on (RFC 9440).
    pub gateways: Vec<String>,
    /// Largest upload in bytes, all originals of one submission together.
    pub upload_bytes_max: u64,
    /// How the log is written.
    pub log: LogFormat,
}

/// How the log is written, to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// `[network]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkSettings {
    /// Where links of other nodes are taken, `ADDRESS:PORT`; empty for a node that is alone. Always GM TLS.
    pub listen: String,
}

/// `[operations]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OperationsSettings {
    /// Where metrics and health are served, see [`Endpoint`]; empty for nowhere.
    pub listen: String,
}

/// `[tls]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsSettings {
    /// Names and addresses that the node's TLS certificate is for.
    pub names: Vec<String>,
    /// Whether a client without a certificate is refused in the handshake.
    pub client_auth_required: bool,
    /// Where certificates are renewed: `gmtls://HOST:PORT` of an authority's enrolment service; empty while the
    /// authority's key lies in this node's own directory.
    pub enrolment: String,
    /// How long a TLS certificate lives, in hours. It is renewed at two thirds of its life.
    pub certificate_hours: u32,
}

/// `[agency]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgencySettings {
    /// Administrative division, GB/T 2260, six digits (行政区划代码).
    pub region: String,
    /// Unified social credit code, GB 32100, 18 characters (统一社会信用代码).
    pub code: String,
    /// Name for people.
    pub name: String,
    /// Membership service provider id: the agency's name in policies.
    pub msp_id: String,
}

impl Default for NodeSettings {
    fn default() -> Self {
        Self {
            data: PathBuf::from("."),
            channel: "changchun".to_owned(),
            listen: vec!["http://127.0.0.1:8080".to_owned(), "gmtls://127.0.0.1:8443".to_owned()],
            insecure: false,
            gateways: Vec::new(),
            upload_bytes_max: 8 << 30,
            log: LogFormat::default(),
        }
    }
}

impl Default for OperationsSettings {
    fn default() -> Self {
        Self { listen: "http://127.0.0.1:9443".to_owned() }
    }
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            names: ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec(),
            client_auth_required: true,
            enrolment: String::new(),
            certificate_hours: 72,
        }
    }
}

impl Default for AgencySettings {
    /// A fictional agency: the code belongs to nobody.
    fn default() -> Self {
        Self {
            region: "220100".to_owned(),
            code: "11220100MB9999999R".to_owned(),
            name: "示例机关".to_owned(),
            msp_id: "DemoAgency".to_owned(),
        }
    }
}

/// What the caller decides: the configuration file, and whatever the command line overrides.
#[derive(Debug, Clone)]
pub struct Config {
    /// The configuration file; without one the defaults hold.
    pub file: PathBuf,
    /// `--listen`, above the file and the environment; empty where it was not given.
    pub listen: Vec<String>,
    /// Environment variables with [`ENVIRONMENT_PREFIX`], as the command line collected them.
    pub environment: Vec<(String, String)>,
}

/// Settings after every check.
#[derive(Debug, Clone)]
pub struct ValidConfig {
    /// The configuration file, which need not exist.
    pub file: PathBuf,
    /// The data directory; created at the first start.
    pub dir: PathBuf,
    /// Where REST listens; at least one.
    pub listen: Vec<Endpoint>,
    /// Where links of other nodes are taken.
    pub network: Option<SocketAddr>,
    /// Where metrics and health are served.
    pub operations: Option<Endpoint>,
    /// Who may pass a client's certificate on.
    pub gateways: Vec<IpNet>,
    /// The chronyd that bounds the clock's error, and how far it may be off; none for the machine's own clock.
    pub chronyd: Option<Chronyd>,
    /// Who is asked to cosign checkpoints.
    pub witnesses: Vec<WitnessPeer>,
    /// The settings themselves.
    pub settings: Settings,
    /// The agency's code, checked.
    pub agency_code: Uscc,
    /// How originals are kept.
    pub custody: CustodyPlan,
    /// Who issues certificates.
    pub issuer: Issuer,
}

/// Why the configuration is refused. Each text names the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{file}: {source}", file = .file.display())]
    Read {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not valid TOML, or has an unknown key.
    #[error("{file}: {reason}", file = .file.display())]
    Syntax {
        /// Which.
        file: PathBuf,
        /// Where and what, as the parser says it.
        reason: String,
    },
    /// A value is out of its range.
    #[error("{key} = {value:?}: {reason}")]
    Value {
        /// `section.key`.
        key: &'static str,
        /// What was given.
        value: String,
        /// What is expected.
        reason: &'static str,
    },
    /// An environment variable names no setting.
    #[error("environment variable {0} names no setting")]
    Environment(String),
}

impl Config {
    /// The file of a data directory, nothing overridden.
    #[must_use]
    pub fn below(dir: &Path) -> Self {
        Self { file: dir.join(FILE), listen: Vec::new(), environment: Vec::new() }
    }

    /// Reads and checks everything.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], the first one found.
    pub fn load(self) -> Result<ValidConfig, ConfigError> {
        let mut settings = read(&self.file)?;
        for (name, value) in &self.environment {
            override_one(&mut settings, name, value)?;
        }
        if !self.listen.is_empty() {
            settings.node.listen = self.listen;
        }
        validate(self.file, settings)
    }
}

fn read(file: &Path) -> Result<Settings, ConfigError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Settings::default());
        }
        Err(source) => return Err(ConfigError::Read { file: file.to_owned(), source }),
    };
    toml::from_str(&text)
        .map_err(|e| ConfigError::Syntax { file: file.to_owned(), reason: e.to_string() })
}

fn override_one(settings: &mut Settings, name: &str, value: &str) -> Result<(), ConfigError> {
    let key = name.strip_prefix(ENVIRONMENT_PREFIX).unwrap_or(name).to_ascii_lowercase();
    let value = value.to_owned();
    match key.as_str() {
        "node__data" => settings.node.data = PathBuf::from(value),
        "node__channel" => settings.node.channel = value,
        "node__log" => settings.node.log = log_format(&value)?,
        "network__listen" => settings.network.listen = value,
        "operations__listen" => settings.operations.listen = value,
        "node__listen" => settings.node.listen = list(&value),
        "node__insecure" => settings.node.insecure = flag("node.insecure", &value)?,
        "node__gateways" => settings.node.gateways = list(&value),
        "time__source" => settings.time.source = time::source(&value)?,
        "time__chrony" => settings.time.chrony = value,
        "time__bound_ms_max" => settings.time.bound_ms_max = time::milliseconds(&value)?,
        "time__tsa_policy" => settings.time.tsa_policy = value,
        "time__tsa" => settings.time.tsa = list(&value),
        "time__tsa_trust" => settings.time.tsa_trust = PathBuf::from(value),
        "time__tsa_tls_trust" => settings.time.tsa_tls_trust = PathBuf::from(value),
        "time__tsa_asked_policy" => settings.time.tsa_asked_policy = value,
        "time__production" => settings.time.production = flag("time.production", &value)?,
        "transparency__interval_ms" => {
            settings.transparency.interval_ms = transparency::interval(&value)?;
        }
        "tls__names" => settings.tls.names = list(&value),
        "tls__client_auth_required" => {
            settings.tls.client_auth_required = flag("tls.client_auth_required", &value)?;
        }
        "tls__enrolment" => settings.tls.enrolment = value,
        "tls__certificate_hours" => {
            let hours = value.parse();
            settings.tls.certificate_hours =
                hours.map_err(|_| wrong("tls.certificate_hours", &value, "a number of hours"))?;
        }
        "node__upload_bytes_max" => {
            settings.node.upload_bytes_max = value.parse().map_err(|_| ConfigError::Value {
                key: "node.upload_bytes_max",
                value,
                reason: "a number of bytes",
            })?;
        }
        "agency__region" => settings.agency.region = value,
        "agency__code" => settings.agency.code = value,
        "agency__name" => settings.agency.name = value,
        "agency__msp_id" => settings.agency.msp_id = value,
        key => {
            let court = key.strip_prefix("court__");
            if let Some(set) = court.and_then(|key| settings.court.set(key, &value)) {
                return set;
            }
            let custody = key.strip_prefix("custody__");
            let platform = key.strip_prefix("platform__");
            let set = custody
                .and_then(|key| settings.custody.set(key, &value))
                .or_else(|| platform.and_then(|key| settings.platform.set(key, value)));
            return set.unwrap_or_else(|| Err(ConfigError::Environment(name.to_owned())));
        }
    }
    Ok(())
}

/// A list in an environment variable: entries between commas.
fn list(value: &str) -> Vec<String> {
    value.split(',').map(|entry| entry.trim().to_owned()).filter(|e| !e.is_empty()).collect()
}

fn log_format(value: &str) -> Result<LogFormat, ConfigError> {
    match value {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(wrong("node.log", value, "text or json")),
    }
}

fn flag(key: &'static str, value: &str) -> Result<bool, ConfigError> {
    value.parse().map_err(|_| wrong(key, value, "true or false"))
}

fn validate(file: PathBuf, settings: Settings) -> Result<ValidConfig, ConfigError> {
    let folder = file.parent().unwrap_or_else(|| Path::new("."));
    let dir = if settings.node.data == Path::new(".") {
        folder.to_owned()
    } else {
        folder.join(&settings.node.data)
    };
    if !changbai_wire::is_channel_id(&settings.node.channel) {
        return Err(wrong("node.channel", &settings.node.channel, CHANNEL_FORM));
    }
    let listen = endpoints(&settings.node)?;
    let network = links(&settings.network)?;
    let operations = operations(&settings)?;
    let gateways = networks(&settings.node.gateways)?;
    check_tls(&settings.tls)?;
    let chronyd = settings.time.check()?;
    let witnesses = settings.transparency.check()?;
    let custody = settings.custody.check(folder)?;
    let agency_code = check_agency(&settings.agency)?;
    settings.court.check()?;
    let issuer = settings.platform.issuer(&settings.agency.name)?;
    Ok(ValidConfig {
        file,
        dir,
        listen,
        network,
        operations,
        gateways,
        chronyd,
        witnesses,
        settings,
        agency_code,
        custody,
        issuer,
    })
}

fn links(network: &NetworkSettings) -> Result<Option<SocketAddr>, ConfigError> {
    let text = &network.listen;
    if text.is_empty() {
        return Ok(None);
    }
    let address = text.parse().map_err(|_| wrong("network.listen", text, LINKS_FORM))?;
    Ok(Some(address))
}

fn operations(settings: &Settings) -> Result<Option<Endpoint>, ConfigError> {
    let text = &settings.operations.listen;
    if text.is_empty() {
        return Ok(None);
    }
    let endpoint: Endpoint =
        text.parse().map_err(|()| wrong("operations.listen", text, ENDPOINT_FORM))?;
    if endpoint.is_exposed() && !settings.node.insecure {
        return Err(wrong("operations.listen", text, EXPOSED));
    }
    Ok(Some(endpoint))
}

fn endpoints(node: &NodeSettings) -> Result<Vec<Endpoint>, ConfigError> {
    if node.listen.is_empty() || node.listen.len() > LISTENERS_MAX {
        return Err(wrong("node.listen", &node.listen.join(", "), "1 to 8 addresses"));
    }
    let read = |text: &String| {
        let endpoint: Endpoint =
            text.parse().map_err(|()| wrong("node.listen", text, ENDPOINT_FORM))?;
        if endpoint.is_exposed() && !node.insecure {
            return Err(wrong("node.listen", text, EXPOSED));
        }
        Ok(endpoint)
    };
    node.listen.iter().map(read).collect()
}

fn networks(texts: &[String]) -> Result<Vec<IpNet>, ConfigError> {
    let read = |text: &String| {
        let network = text.parse().ok();
        network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)).ok_or_else(|| {
            wrong("node.gateways", text, "an address or a network such as 10.3.0.0/28")
        })
    };
    texts.iter().map(read).collect()
}

fn check_tls(tls: &TlsSettings) -> Result<(), ConfigError> {
    if tls.names.is_empty() || tls.names.len() > NAMES_MAX {
        return Err(wrong("tls.names", &tls.names.join(", "), "1 to 32 names or addresses"));
    }
    if !(1..=CERTIFICATE_HOURS_MAX).contains(&tls.certificate_hours) {
        let hours = tls.certificate_hours.to_string();
        return Err(wrong("tls.certificate_hours", &hours, "1 to 8760 hours"));
    }
    Ok(())
}

fn check_agency(agency: &AgencySettings) -> Result<Uscc, ConfigError> {
    let AgencySettings { region, code, name, msp_id } = agency;
    if region.len() != 6 || !region.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong("agency.region", region, "six digits (GB/T 2260)"));
    }
    let agency_code = code.parse::<Uscc>().map_err(|_| {
        wrong("agency.code", code, "18 characters with a right check character (GB 32100)")
    })?;
    if name.is_empty() || name.chars().count() > 100 {
        return Err(wrong("agency.name", name, "1 to 100 characters"));
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    if msp_id.is_empty() || msp_id.len() > 64 || !msp_id.bytes().all(plain) {
        return Err(wrong("agency.msp_id", msp_id, "1 to 64 letters, digits, '-' or '.'"));
    }
    Ok(agency_code)
}

fn wrong(key: &'static str, value: &str, reason: &'static str) -> ConfigError {
    ConfigError::Value { key, value: value.to_owned(), reason }
}

const CHANNEL_FORM: &str = "1 to 249 of a-z, 0-9, '.' and '-', a letter first";
const LINKS_FORM: &str = "an address and port such as 0.0.0.0:7050";
const LISTENERS_MAX: usize = 8;
const NAMES_MAX: usize = 32;
const CERTIFICATE_HOURS_MAX: u32 = 8_760;
const ENDPOINT_FORM: &str =
    "an address and port such as 127.0.0.1:8080, http://127.0.0.1:8080 or gmtls://0.0.0.0:8443";
// Without GM TLS everybody on the network could read and alter what is said.
const EXPOSED: &str =
    "plain HTTP is served on loopback only, unless node.insecure is true; use gmtls://";

#[cfg(test)]
mod tests {
    use super::{Config, ConfigError, FILE, Settings};

    fn config(dir: &std::path::Path) -> Config {
        Config::below(dir)
    }

    #[test]
    fn defaults_hold_without_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let valid = config(dir.path()).load().unwrap();
        assert_eq!(valid.settings, Settings::default());
        let listen: Vec<String> = valid.listen.iter().map(ToString::to_string).collect();
        assert_eq!(listen, valid.settings.node.listen);
    }

    #[test]
    fn data_lie_beside_the_file_or_where_it_says() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(config(dir.path()).load().unwrap().dir, dir.path());
        std::fs::write(dir.path().join(FILE), "[node]\ndata = \"/var/lib/changbai\"\n").unwrap();
        let valid = config(dir.path()).load().unwrap();
        assert_eq!(valid.dir, std::path::Path::new("/var/lib/changbai"));
    }

    #[test]
    fn flag_beats_environment_beats_file() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), "[node]\nlisten = [\"127.0.0.1:1\"]\n").unwrap();
        let mut config = config(dir.path());
        assert_eq!(config.clone().load().unwrap().listen[0].address.port(), 1);
        config.environment = vec![("CHANGBAI__NODE__LISTEN".into(), "127.0.0.1:2".into())];
        assert_eq!(config.clone().load().unwrap().listen[0].address.port(), 2);
        config.listen = vec!["[::1]:3".into()];
        assert_eq!(config.load().unwrap().listen[0].address.port(), 3);
    }

    #[test]
    fn mistakes_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        std::fs::write(&file, "[node]\nlissen = \"127.0.0.1:1\"\n").unwrap();
        let error = config(dir.path()).load().unwrap_err();
        assert!(matches!(&error, ConfigError::Syntax { reason, .. } if reason.contains("lissen")));
        for (text, key) in [
            ("[node]\nlisten = [\"http://0.0.0.0:8080\"]", "node.listen"),
            ("[node]\nlisten = []", "node.listen"),
            ("[node]\nlisten = [\"https://127.0.0.1:1\"]", "node.listen"),
            ("[node]\ngateways = [\"10.0.0.0/33\"]", "node.gateways"),
            ("[node]\nchannel = \"Chang Chun\"", "node.channel"),
            ("[network]\nlisten = \"gmtls://0.0.0.0:7050\"", "network.listen"),
            ("[operations]\nlisten = \"http://0.0.0.0:9443\"", "operations.listen"),
            ("[time]\nchrony = \"10.0.0.1:323\"", "time.chrony"),
            ("[time]\nbound_ms_max = 11", "time.bound_ms_max"),
            ("[time]\nproduction = true", "time.source"),
            ("[tls]\nnames = []", "tls.names"),
            ("[tls]\ncertificate_hours = 0", "tls.certificate_hours"),
            ("[court]\nqueries_per_minute = 0", "court.queries_per_minute"),
            ("[court]\norganisations = [\"\"]", "court.organisations"),
            ("[agency]\nregion = \"2201\"", "agency.region"),
            ("[agency]\ncode = \"11220100MB99999990\"", "agency.code"),
            ("[agency]\nname = \"\"", "agency.name"),
            ("[agency]\nmsp_id = \"a b\"", "agency.msp_id"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = config(dir.path()).load().unwrap_err();
            assert!(matches!(error, ConfigError::Value { key: k, .. } if k == key), "{text}");
        }
        std::fs::write(&file, "").unwrap();
        let mut config = config(dir.path());
        config.environment = vec![("CHANGBAI__NODE__LISSEN".into(), "x".into())];
        assert!(matches!(config.load(), Err(ConfigError::Environment(_))));
    }
}
