//! The node's time-stamp authority: its certificate, key and serial numbers below `identity/`.

mod external;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use changbai_api::time_stamps::TimeStamping;
use changbai_time::{SerialStore, TimeStamper, TokenSources};
use smkit::sm2::{SignerId, SigningKey};
use smkit::sm3;
use smkit_pki::{TimeStampAuthority, TimeStampError};

use crate::config::ValidConfig;
use crate::directory::{Directory, read_small, write_whole};
use crate::error::StartError;
use crate::identity::{self, wrong};
use crate::time::NodeTime;

/// What this node has to do with time stamps.
#[derive(Clone, Default)]
pub(crate) struct TimeStamps {
    /// Its authority, if it is one: answers `POST /tsa`.
    pub(crate) service: Option<Arc<dyn TimeStamping>>,
    /// Whom it asks for tokens itself, if anybody.
    pub(crate) source: Option<Arc<TokenSources>>,
}

impl TimeStamps {
    /// The authority, with a certificate of the agency's own where it keeps its roots here; none where it has neither.
    /// And whom the configuration names as sources of tokens.
    pub(crate) fn open(
        directory: &Directory,
        config: &ValidConfig,
        time: &NodeTime,
    ) -> Result<Self, StartError> {
        let own = open_own(directory, config, time)?.map(Arc::new);
        let sources = external::sources(config, time, own.clone())?;
        let source = (!sources.is_empty()).then(|| Arc::new(TokenSources::new(sources)));
        Ok(Self { service: own.map(|own| Arc::new(Service(own)) as _), source })
    }
}

struct Service(Arc<TimeStamper>);

impl TimeStamping for Service {
    fn answer(&self, request: &[u8]) -> Vec<u8> {
        self.0.answer(request)
    }
}

fn open_own(
    directory: &Directory,
    config: &ValidConfig,
    time: &NodeTime,
) -> Result<Option<TimeStamper>, StartError> {
    let Some(policy) = config.settings.time.policy() else { return Ok(None) };
    let (dir, clock) = (directory.identity(), time.clock());
    let now_s = clock.now().at.seconds();
    let Some((certificate, key)) =
        identity::service(&dir, config, now_s, identity::Service::TimeStamps)?
    else {
        return Ok(None);
    };
    let key = SigningKey::new(key, SignerId::DEFAULT).map_err(|e| wrong(&dir, &e))?;
    let authority = TimeStampAuthority::new(certificate, key, policy, Vec::new()).map_err(
        |error| match error {
            TimeStampError::Policy => config.settings.time.wrong_policy().into(),
            other => wrong(&dir.join("tsa.cert.pem"), &other),
        },
    )?;
    let file = dir.join("tsa.serial");
    let next = read(&file)?;
    let store = Box::new(SerialFile(file));
    Ok(Some(TimeStamper::new(authority, clock, time.is_bounded(), next, store)))
}

/// One number and its digest, so that damage is noticed instead of numbers coming twice.
struct SerialFile(PathBuf);

impl SerialStore for SerialFile {
    fn keep(&mut self, end: u64) -> io::Result<()> {
        write_whole(&self.0, line(end).as_bytes(), 0o600).map_err(io::Error::other)
    }
}

fn read(file: &Path) -> Result<u64, StartError> {
    let Some(bytes) = read_small(file)? else { return Ok(0) };
    let text = str::from_utf8(&bytes).unwrap_or_default();
    let number = text.split(' ').next().and_then(|number| number.parse().ok());
    number
        .filter(|number| line(*number) == text)
        .ok_or_else(|| wrong(file, &"it is not what was written"))
}

fn line(end: u64) -> String {
    format!("{end} {}\n", sm3(end.to_string().as_bytes()))
}
