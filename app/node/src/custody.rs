//! Custody as a node runs it: the store that the configuration names, retention by business type, records compared with
//! originals every minute, and the audit on its schedule.

mod secure;
mod watch;

use std::path::Path;
use std::sync::Arc;

use changbai_custody::{Credentials, Custody, Location, Options, Patience, Recipient, Store};
use changbai_wire::time::Clock;
use smkit::OsRandom;
use smkit_pki::Certificate;
use zeroize::Zeroizing;

pub(crate) use self::watch::CustodyWatch;
use crate::clock::LocalClock;
use crate::config::{Config, ValidConfig};
use crate::directory::Directory;
use crate::error::StartError;
use crate::identity::wrong;

/// Custody of the node in this configuration, for commands beside the node or in its place. It reads originals, changes
/// entries, and takes nothing in.
///
/// # Errors
/// [`StartError`].
pub fn open_beside(config: Config) -> Result<Custody, StartError> {
    let clock: Arc<dyn Clock> = Arc::new(LocalClock);
    let config = config.load()?;
    let directory = Directory { root: config.dir.clone() };
    let dir = directory.custody();
    if !dir.join("entries").is_dir() {
        let error = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(StartError::file(&dir.join("entries"), error));
    }
    let options = options(&directory, &config, &clock)?;
    Ok(Custody::open_beside(&dir, options, &mut OsRandom)?)
}

/// Opens custody for taking originals in.
pub(crate) fn open(
    directory: &Directory,
    config: &ValidConfig,
    clock: &Arc<dyn Clock>,
) -> Result<Custody, StartError> {
    let options = options(directory, config, clock)?;
    Ok(Custody::open_with(&directory.custody(), options, &mut OsRandom)?)
}

/// Asks the node that runs on this data directory for an audit at once.
///
/// # Errors
/// The system's refusal.
pub fn ask_for_audit(custody: &Path) -> std::io::Result<()> {
    std::fs::write(custody.join(AUDIT_NOW), b"")
}

/// Who else is to open originals: the holder of this certificate, PEM.
///
/// # Errors
/// What is wrong with the certificate: malformed, or not for encryption (keyUsage keyEncipherment or dataEncipherment):
/// its holder's other key could not open anything.
pub fn recipient(name: &str, pem: &str) -> Result<Recipient, String> {
    let certificate = Certificate::from_pem(pem).map_err(|error| error.to_string())?;
    let usage = certificate.key_usage();
    if usage.key_encipherment() || usage.data_encipherment() {
        Ok(Recipient { name: name.to_owned(), key: certificate.public_key().clone() })
    } else {
        Err("the certificate is not for encryption".to_owned())
    }
}

fn options(
    directory: &Directory,
    config: &ValidConfig,
    clock: &Arc<dyn Clock>,
) -> Result<Options, StartError> {
    let recipients = config.custody.recipients.iter().map(|(name, path)| {
        let text = std::fs::read_to_string(path).map_err(|e| StartError::file(path, e))?;
        recipient(name, &text).map_err(|e| wrong(path, &e))
    });
    let clock = Arc::clone(clock);
    Ok(Options {
        store: store(directory, config, &clock)?,
        owner: config.settings.agency.msp_id.clone(),
        recipients: recipients.collect::<Result<_, StartError>>()?,
        unrecorded_ms: config.custody.unrecorded_ms,
        now_ms: Arc::new(move || clock.now().at.0),
    })
}

fn store(
    directory: &Directory,
    config: &ValidConfig,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Arc<dyn Store>>, StartError> {
    let plan = &config.custody;
    let endpoint = match &plan.store {
        Location::S3(location) => Some(&location.endpoint),
        Location::Ipfs(location) => Some(&location.endpoint),
        _ => None,
    };
    let secure = match endpoint {
        Some(endpoint) if endpoint.secure => Some(secure::StoreTls::new(directory, clock)?),
        _ => None,
    };
    let credentials = plan.credentials.as_deref().map(credentials).transpose()?;
    let secure = secure.map(|secure| Arc::new(secure) as _);
    Ok(plan.store.clone().open(credentials.as_ref(), secure, Patience::default())?)
}

/// Two lines: access key id, secret key.
fn credentials(path: &Path) -> Result<Credentials, StartError> {
    let text = std::fs::read_to_string(path).map_err(|e| StartError::file(path, e))?;
    let text = Zeroizing::new(text);
    let mut lines = text.lines().map(str::trim);
    match (lines.next(), lines.next(), lines.next()) {
        (Some(id), Some(secret), None) if !id.is_empty() && !secret.is_empty() => {
            let secret = Zeroizing::new(secret.to_owned());
            Ok(Credentials { id: id.to_owned(), secret })
        }
        _ => Err(wrong(path, &"expected two lines: access key id, and secret key")),
    }
}

/// Its presence asks for an audit.
const AUDIT_NOW: &str = "audit.now";

#[cfg(test)]
mod tests {
    use smkit::{OsRandom, sm2::PrivateKey};
    use smkit_pki::{Authority, Profile, Subject, Validity};

    use super::recipient;

    #[test]
    fn a_recipient_has_a_certificate_for_encryption() {
        let random = &mut OsRandom;
        let name = |common_name: &str| Subject {
            organisation: "示例机关".to_owned(),
            common_name: common_name.to_owned(),
            ..Subject::default()
        };
        let validity = Validity { not_before: 1_700_000_000, not_after: 1_900_000_000 };
        let root = Authority::create_root(&name("root"), validity, random).unwrap();
        let key = PrivateKey::generate(random).unwrap();
        let mut pem = |profile| {
            let issued =
                root.issue(&name("archive"), key.public_key(), profile, validity, None, random);
            issued.unwrap().to_pem()
        };
        assert_eq!(recipient("档案馆", &pem(Profile::Encryption)).unwrap().name, "档案馆");
        let refused = recipient("档案馆", &pem(Profile::Signing)).unwrap_err();
        assert!(refused.contains("not for encryption"), "{refused}");
        assert!(recipient("档案馆", "no certificate").is_err());
    }
}
