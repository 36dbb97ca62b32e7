//! Courts' access, from the configuration and a secret of the node's own.

use changbai_api::court::CourtAccess;
use changbai_core::{CaseSecret, canonical};
use smkit::{OsRandom, Random as _, Sm3Digest};

use crate::config::CourtSettings;
use crate::directory::{Directory, read_small, write_whole};
use crate::error::StartError;
use crate::identity::wrong;

/// The secret is made at the first start and stays: by it the node finds the queries of a case again.
pub(crate) fn access(
    directory: &Directory,
    settings: &CourtSettings,
) -> Result<CourtAccess, StartError> {
    let file = directory.court_secret();
    let secret = match read_small(&file)? {
        Some(bytes) => {
            let text = str::from_utf8(&bytes).unwrap_or_default();
            let secret = canonical::digest(text.trim_end());
            *secret.ok_or_else(|| wrong(&file, &"it is not what was written"))?.as_bytes()
        }
        None => {
            let mut secret = [0; 32];
            OsRandom.fill(&mut secret).map_err(|error| wrong(&file, &error))?;
            let text = zeroize::Zeroizing::new(format!("{}\n", Sm3Digest::new(secret)));
            write_whole(&file, text.as_bytes(), 0o600)?;
            secret
        }
    };
    let organisations = settings.organisations.clone();
    Ok(CourtAccess::new(organisations, settings.queries_per_minute, CaseSecret::new(secret)))
}
