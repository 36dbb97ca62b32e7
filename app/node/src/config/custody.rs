//! `[custody]`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use changbai_core::BusinessType;
use changbai_custody::Location;
use serde::{Deserialize, Serialize};

use super::{ConfigError, wrong};

/// `[custody]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CustodySettings {
    /// Where sealed originals lie: `local`, `file:///PATH`, `s3+http://HOST:PORT/BUCKET`, `ipfs+http://HOST:PORT`; with
    /// `+gmtls` over GM TLS. Private networks only.
    pub store: String,
    /// File with the access key id of an S3-compatible service and, on its second line, the secret key.
    pub credentials: String,
    /// Who else can open every original that comes in, `NAME=PATH` of a certificate for encryption each.
    pub recipients: Vec<String>,
    /// How many days an original stays after its record's time.
    pub retention_days: u32,
    /// The same for single business types, `TYPE=DAYS` each.
    pub retention: Vec<String>,
    /// How many days an original stays that no record comes to belong to.
    pub unrecorded_days: u32,
    /// Every how many hours each original is read again; 0 for never.
    pub audit_hours: u32,
    /// How fast, in bytes a second.
    pub audit_bytes_per_s: u64,
}

/// What custody does, after every check.
#[derive(Debug, Clone)]
pub struct CustodyPlan {
    /// Where sealed originals lie.
    pub store: Location,
    /// The file with an S3-compatible service's credentials.
    pub credentials: Option<PathBuf>,
    /// Names and certificate files of further recipients.
    pub recipients: Vec<(String, PathBuf)>,
    /// Retention in milliseconds, where a business type has its own.
    pub retention_ms: BTreeMap<BusinessType, u64>,
    /// Retention of the others, in milliseconds.
    pub retention_ms_usual: u64,
    /// Retention without a record, in milliseconds.
    pub unrecorded_ms: u64,
    /// Milliseconds between audits, where there are any.
    pub audit_every_ms: Option<u64>,
    /// Bytes a second.
    pub audit_bytes_per_s: u64,
}

impl Default for CustodySettings {
    fn default() -> Self {
        Self {
            store: "local".to_owned(),
            credentials: String::new(),
            recipients: Vec::new(),
            retention_days: 3_650,
            retention: Vec::new(),
            unrecorded_days: 30,
            audit_hours: 168,
            audit_bytes_per_s: 20 << 20,
        }
    }
}

impl CustodyPlan {
    /// How long an original of this business type stays after its record's time, in milliseconds.
    #[must_use]
    pub fn retention_ms(&self, business_type: BusinessType) -> u64 {
        self.retention_ms.get(&business_type).copied().unwrap_or(self.retention_ms_usual)
    }
}

impl CustodySettings {
    /// Paths are relative to `folder`, the configuration file's.
    pub(super) fn check(&self, folder: &Path) -> Result<CustodyPlan, ConfigError> {
        let store: Location =
            self.store.parse().map_err(|error: changbai_custody::LocationError| {
                let reason = match error {
                    changbai_custody::LocationError::Public => PUBLIC,
                    _ => STORE_FORM,
                };
                wrong("custody.store", &self.store, reason)
            })?;
        let credentials = (!self.credentials.is_empty()).then(|| folder.join(&self.credentials));
        if credentials.is_none() && matches!(store, Location::S3(_)) {
            return Err(wrong("custody.credentials", "", CREDENTIALS_FORM));
        }
        let recipients = self.recipients.iter().map(|text| {
            let pair = text.split_once('=').filter(|(name, path)| {
                (1..=100).contains(&name.chars().count()) && !path.is_empty()
            });
            let (name, path) =
                pair.ok_or_else(|| wrong("custody.recipients", text, RECIPIENT_FORM))?;
            Ok((name.to_owned(), folder.join(path)))
        });
        let recipients = recipients.collect::<Result<Vec<_>, _>>()?;
        if recipients.len() > RECIPIENTS_MAX {
            return Err(wrong("custody.recipients", "", RECIPIENT_FORM));
        }
        let own = self.retention.iter().map(|text| {
            let refuse = || wrong("custody.retention", text, RETENTION_FORM);
            let (name, days) = text.split_once('=').ok_or_else(refuse)?;
            let business_type = name.parse().map_err(|_| refuse())?;
            let days = days.parse().map_err(|_| refuse())?;
            Ok((business_type, self.days("custody.retention", days)?))
        });
        if self.audit_bytes_per_s < BYTES_PER_S_MIN {
            let given = self.audit_bytes_per_s.to_string();
            return Err(wrong("custody.audit_bytes_per_s", &given, "at least 65536"));
        }
        let hours = u64::from(self.audit_hours);
        Ok(CustodyPlan {
            store,
            credentials,
            recipients,
            retention_ms: own.collect::<Result<_, ConfigError>>()?,
            retention_ms_usual: self.days("custody.retention_days", self.retention_days)?,
            unrecorded_ms: self.days("custody.unrecorded_days", self.unrecorded_days)?,
            audit_every_ms: (hours > 0).then(|| hours.saturating_mul(3_600_000)),
            audit_bytes_per_s: self.audit_bytes_per_s,
        })
    }

    fn days(&self, key: &'static str, days: u32) -> Result<u64, ConfigError> {
        if !(1..=DAYS_MAX).contains(&days) {
            return Err(wrong(key, &days.to_string(), "1 to 36500 days"));
        }
        Ok(u64::from(days).saturating_mul(86_400_000))
    }
}

impl CustodySettings {
    /// Takes one environment variable; `None` for a key that is none of these.
    pub(super) fn set(&mut self, key: &str, value: &str) -> Option<Result<(), ConfigError>> {
        fn number<T: FromStr>(
            into: &mut T,
            key: &'static str,
            value: &str,
        ) -> Result<(), ConfigError> {
            *into = value.parse().map_err(|_| wrong(key, value, "a number"))?;
            Ok(())
        }
        let mut set = Ok(());
        match key {
            "store" => value.clone_into(&mut self.store),
            "credentials" => value.clone_into(&mut self.credentials),
            "recipients" => self.recipients = super::list(value),
            "retention" => self.retention = super::list(value),
            "retention_days" => {
                set = number(&mut self.retention_days, "custody.retention_days", value);
            }
            "unrecorded_days" => {
                set = number(&mut self.unrecorded_days, "custody.unrecorded_days", value);
            }
            "audit_hours" => set = number(&mut self.audit_hours, "custody.audit_hours", value),
            "audit_bytes_per_s" => {
                set = number(&mut self.audit_bytes_per_s, "custody.audit_bytes_per_s", value);
            }
            _ => return None,
        }
        Some(set)
    }
}

const DAYS_MAX: u32 = 36_500;
const BYTES_PER_S_MIN: u64 = 64 << 10;
const RECIPIENTS_MAX: usize = 32;
const PUBLIC: &str = "the store must lie in a private network";
const STORE_FORM: &str = "local, file:///PATH, s3+http://HOST:PORT/BUCKET[/PREFIX][?region=NAME] or \
    ipfs+http://HOST:PORT[/PREFIX], the latter two also with +gmtls";
const CREDENTIALS_FORM: &str = "an S3-compatible store needs a file with access key id and secret";
const RECIPIENT_FORM: &str = "at most 32 of NAME=PATH";
const RETENTION_FORM: &str = "BUSINESS_TYPE=DAYS such as administrative_penalty=10950";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use changbai_core::BusinessType;

    use super::{ConfigError, CustodySettings};

    #[test]
    fn settings_become_a_plan() {
        let settings = CustodySettings {
            retention: vec!["administrative_penalty=10950".to_owned()],
            recipients: vec!["市中级人民法院=court.pem".to_owned()],
            audit_hours: 0,
            ..CustodySettings::default()
        };
        let plan = settings.check(Path::new("/etc/changbai")).unwrap();
        let day_ms = 86_400_000;
        assert_eq!(plan.retention_ms(BusinessType::AdministrativePenalty), 10_950 * day_ms);
        assert_eq!(plan.retention_ms(BusinessType::General), 3_650 * day_ms);
        assert_eq!(plan.recipients[0].1, Path::new("/etc/changbai/court.pem"));
        assert_eq!(plan.audit_every_ms, None);
    }

    #[test]
    fn mistakes_are_named() {
        let usual = CustodySettings::default;
        let list = |text: &str| vec![text.to_owned()];
        for (settings, key) in [
            (CustodySettings { store: "s3://x".into(), ..usual() }, "custody.store"),
            (
                CustodySettings { store: "ipfs+http://8.8.8.8:5001".into(), ..usual() },
                "custody.store",
            ),
            (
                CustodySettings { store: "s3+http://10.0.0.1:9000/box".into(), ..usual() },
                "custody.credentials",
            ),
            (CustodySettings { recipients: list("court"), ..usual() }, "custody.recipients"),
            (CustodySettings { retention: list("nothing=5"), ..usual() }, "custody.retention"),
            (CustodySettings { retention: list("general=0"), ..usual() }, "custody.retention"),
            (CustodySettings { retention_days: 0, ..usual() }, "custody.retention_days"),
            (CustodySettings { unrecorded_days: 40_000, ..usual() }, "custody.unrecorded_days"),
            (CustodySettings { audit_bytes_per_s: 1, ..usual() }, "custody.audit_bytes_per_s"),
        ] {
            let error = settings.check(Path::new(".")).unwrap_err();
            assert!(matches!(error, ConfigError::Value { key: k, .. } if k == key), "{error}");
        }
    }
}
