//! Configuration: defaults, then `changbai.toml` in the data directory, then environment, then
//! flags. Parsed once into a form that needs no further checks.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use changbai_core::Uscc;
use serde::{Deserialize, Serialize};

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
    /// The agency that runs the node. Read at the first start; the certificates then carry it.
    pub agency: AgencySettings,
    /// The platform as the public sees it.
    pub platform: PlatformSettings,
}

/// `[node]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NodeSettings {
    /// Address of REST. Only loopback is served without GM TLS.
    pub listen: String,
    /// Largest upload in bytes, all originals of one submission together.
    pub upload_bytes_max: u64,
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

/// `[platform]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct PlatformSettings {
    /// Filing number of the blockchain information service (备案编号); shown by `/health`.
    pub filing_number: Option<String>,
}

impl Default for NodeSettings {
    fn default() -> Self {
        Self { listen: "127.0.0.1:8080".to_owned(), upload_bytes_max: 8 << 30 }
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

/// What the caller decides: directory, and whatever the command line overrides.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data directory; created at the first start.
    pub dir: PathBuf,
    /// `--listen`, above the file and the environment.
    pub listen: Option<String>,
    /// Environment variables with [`ENVIRONMENT_PREFIX`], as the command line collected them.
    pub environment: Vec<(String, String)>,
}

/// Settings after every check.
#[derive(Debug, Clone)]
pub struct ValidConfig {
    /// The data directory.
    pub dir: PathBuf,
    /// Where REST listens.
    pub listen: SocketAddr,
    /// The settings themselves.
    pub settings: Settings,
    /// The agency's code, checked.
    pub agency_code: Uscc,
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
    /// Reads and checks everything.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], the first one found.
    pub fn load(self) -> Result<ValidConfig, ConfigError> {
        let mut settings = read(&self.dir.join(FILE))?;
        for (name, value) in &self.environment {
            override_one(&mut settings, name, value)?;
        }
        if let Some(listen) = self.listen {
            settings.node.listen = listen;
        }
        validate(self.dir, settings)
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
        "node__listen" => settings.node.listen = value,
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
        "platform__filing_number" => settings.platform.filing_number = Some(value),
        _ => return Err(ConfigError::Environment(name.to_owned())),
    }
    Ok(())
}

fn validate(dir: PathBuf, settings: Settings) -> Result<ValidConfig, ConfigError> {
    let refuse =
        |key, value: &str, reason| Err(ConfigError::Value { key, value: value.to_owned(), reason });
    let listen = &settings.node.listen;
    let Ok(address) = listen.parse::<SocketAddr>() else {
        return refuse("node.listen", listen, "an address and port such as 127.0.0.1:8080");
    };
    // Without GM TLS everything else on the network could read and alter what is said.
    if !address.ip().is_loopback() {
        return refuse("node.listen", listen, "REST without GM TLS is served on loopback only");
    }
    let region = &settings.agency.region;
    if region.len() != 6 || !region.bytes().all(|b| b.is_ascii_digit()) {
        return refuse("agency.region", region, "six digits (GB/T 2260)");
    }
    let code = &settings.agency.code;
    let Ok(agency_code) = code.parse::<Uscc>() else {
        return refuse(
            "agency.code",
            code,
            "18 characters with a right check character (GB 32100)",
        );
    };
    let name = &settings.agency.name;
    if name.is_empty() || name.chars().count() > 100 {
        return refuse("agency.name", name, "1 to 100 characters");
    }
    let msp_id = &settings.agency.msp_id;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    if msp_id.is_empty() || msp_id.len() > 64 || !msp_id.bytes().all(plain) {
        return refuse("agency.msp_id", msp_id, "1 to 64 letters, digits, '-' or '.'");
    }
    Ok(ValidConfig { dir, listen: address, settings, agency_code })
}

#[cfg(test)]
mod tests {
    use super::{Config, ConfigError, FILE, Settings};

    fn config(dir: &std::path::Path) -> Config {
        Config { dir: dir.to_owned(), listen: None, environment: Vec::new() }
    }

    #[test]
    fn defaults_hold_without_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let valid = config(dir.path()).load().unwrap();
        assert_eq!(valid.settings, Settings::default());
        assert_eq!(valid.listen.to_string(), "127.0.0.1:8080");
    }

    #[test]
    fn flag_beats_environment_beats_file() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), "[node]\nlisten = \"127.0.0.1:1\"\n").unwrap();
        let mut config = config(dir.path());
        assert_eq!(config.clone().load().unwrap().listen.port(), 1);
        config.environment = vec![("CHANGBAI__NODE__LISTEN".into(), "127.0.0.1:2".into())];
        assert_eq!(config.clone().load().unwrap().listen.port(), 2);
        config.listen = Some("[::1]:3".into());
        assert_eq!(config.load().unwrap().listen.port(), 3);
    }

    #[test]
    fn mistakes_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        std::fs::write(&file, "[node]\nlissen = \"127.0.0.1:1\"\n").unwrap();
        let error = config(dir.path()).load().unwrap_err();
        assert!(matches!(&error, ConfigError::Syntax { reason, .. } if reason.contains("lissen")));
        for (text, key) in [
            ("[node]\nlisten = \"0.0.0.0:8080\"", "node.listen"),
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
