//! A whole consortium made in one go: a data directory for each agency, joined in one genesis block.
//!
//! For trials, tests and benches on one machine. Each directory is what an agency of its own would have; agencies on
//! machines of their own make theirs apart and exchange certificates, not keys.

mod agencies;
mod plan;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use changbai_channel::Block;
use changbai_msp::{ChannelConfig, Endpoint, GroupPolicy, Organisation, ValidatorConfig};
use changbai_receipt::{ChannelAnchor, Trust};
use changbai_wire::time::{Clock as _, UnixMillis};
use smkit::OsRandom;
use smkit_pki::TrustAnchors;

use self::plan::Seat;
pub use self::plan::{AGENCIES_MAX, Plan, Ports};
use crate::channel_file;
use crate::channels::keep_genesis;
use crate::clock::LocalClock;
use crate::config::{Config, FILE};
use crate::directory::{Directory, write_whole};
use crate::error::StartError;
use crate::identity;

/// The consortium's genesis block, in its folder.
pub const GENESIS: &str = "genesis.block";
/// The consortium's configuration as people read it.
pub const CHANNEL: &str = "channel.toml";
/// What verifiers of every agency's bundles need.
pub const TRUST: &str = "trust.pem";

/// A consortium below one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consortium {
    /// Its folder.
    pub dir: PathBuf,
    /// Its channel.
    pub channel: String,
    /// Its agencies, in the order in which they were set up.
    pub agencies: Vec<Agency>,
}

/// One agency's node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency {
    /// The folder's name, which commands use.
    pub name: String,
    /// Its data directory.
    pub dir: PathBuf,
    /// Its id in policies.
    pub msp_id: String,
    /// Its name for people.
    pub organisation: String,
    /// Whether it validates; the others follow.
    pub validator: bool,
    /// Where REST listens.
    pub listen: Vec<String>,
}

/// Why no consortium was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// Something is there already; nothing was touched.
    #[error("{} is not empty", .dir.display())]
    NotEmpty {
        /// The folder.
        dir: PathBuf,
    },
    /// The plan cannot be.
    #[error("{key}: {reason}")]
    Plan {
        /// Which part of it.
        key: &'static str,
        /// Why.
        reason: String,
    },
    /// A part could not be made.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Told how many agencies are done, of how many; from several threads.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// Makes a consortium below `dir`: authorities, certificates, settings and genesis block of each agency, and for all of
/// them `genesis.block`, `channel.toml` with its certificates, and `trust.pem`. Durable when this returns.
///
/// # Errors
/// [`InitError`]; what was made by then is removed again.
pub fn init(dir: &Path, plan: &Plan, progress: Progress<'_>) -> Result<Consortium, InitError> {
    let seats = plan.seats(dir)?;
    refuse_unless_empty(dir)?;
    let made = make(dir, plan, &seats, progress);
    if made.is_err() {
        for seat in &seats {
            drop(std::fs::remove_dir_all(&seat.dir));
        }
    }
    made?;
    read(dir)?.ok_or_else(|| InitError::NotEmpty { dir: dir.to_owned() })
}

/// The consortium that lies below `dir`; `None` where there is none.
///
/// # Errors
/// [`StartError`] for settings or a configuration that cannot be read.
pub fn read(dir: &Path) -> Result<Option<Consortium>, StartError> {
    let file = dir.join(CHANNEL);
    if !file.exists() || !dir.join(GENESIS).exists() {
        return Ok(None);
    }
    let config = channel_file::read(&file)?;
    let mut agencies = Vec::new();
    let entries = std::fs::read_dir(dir).map_err(|e| StartError::file(dir, e))?;
    for entry in entries {
        let entry = entry.map_err(|e| StartError::file(dir, e))?;
        let (Ok(name), dir) = (entry.file_name().into_string(), entry.path()) else { continue };
        if !dir.join(FILE).exists() {
            continue;
        }
        let valid = Config::below(&dir).load()?;
        let agency = valid.settings.agency;
        let validator = config.validators.iter().any(|v| v.msp_id == agency.msp_id);
        let ports: Vec<u16> = valid.listen.iter().map(|listen| listen.address.port()).collect();
        let listen = valid.listen.iter().map(ToString::to_string).collect();
        let (msp_id, organisation) = (agency.msp_id, agency.name);
        agencies.push((ports, Agency { name, dir, msp_id, organisation, validator, listen }));
    }
    // Ports were given out in order; names are the second thing, where somebody changed that.
    agencies.sort_by(|a, b| (&a.0, &a.1.name).cmp(&(&b.0, &b.1.name)));
    let agencies = agencies.into_iter().map(|(_, agency)| agency).collect();
    Ok(Some(Consortium { dir: dir.to_owned(), channel: config.channel_id, agencies }))
}

fn refuse_unless_empty(dir: &Path) -> Result<(), InitError> {
    std::fs::create_dir_all(dir).map_err(|e| StartError::file(dir, e))?;
    let mut entries = std::fs::read_dir(dir).map_err(|e| StartError::file(dir, e))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(InitError::NotEmpty { dir: dir.to_owned() }),
    }
}

fn make(dir: &Path, plan: &Plan, seats: &[Seat], progress: Progress<'_>) -> Result<(), InitError> {
    let now = LocalClock.now().at;
    let done = AtomicUsize::new(0);
    let organisations = on_threads(seats, |seat| {
        let made = found(seat, now);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, seats.len());
        made
    })?;
    let config = join(plan, seats, organisations)?;
    let genesis = Block::genesis(&config, config.to_genesis_envelope(), now.0);
    on_threads(seats, |seat| keep_genesis(&Directory { root: seat.dir.clone() }, &genesis))?;
    channel_file::write(&dir.join(CHANNEL), &config)?;
    write_whole(&dir.join(TRUST), trust_of(&config, &genesis).to_text().as_bytes(), 0o644)?;
    // Last: its presence means that everything is there.
    write_whole(&dir.join(GENESIS), &genesis.to_bytes(), 0o644)?;
    Ok(())
}

/// One agency: its settings, authorities, keys and certificates; as the channel will know it.
fn found(seat: &Seat, now: UnixMillis) -> Result<(Organisation, ValidatorConfig), StartError> {
    let text = toml::to_string(&seat.settings).map_err(|e| StartError::Wiring(e.to_string()))?;
    write_whole(&seat.dir.join(FILE), text.as_bytes(), 0o644)?;
    let valid = Config::below(&seat.dir).load()?;
    let folder = Directory { root: seat.dir.clone() }.identity();
    identity::create(&folder, &valid, now.seconds(), &mut OsRandom)?;
    let (root, tls_root) = identity::roots(&folder)?;
    let node = identity::node_certificate(&folder)?;
    let agency = &seat.settings.agency;
    let root = TrustAnchors::from_certificates(vec![root]);
    let mut organisation = Organisation::new(&agency.msp_id, &agency.name, root);
    organisation.tls_roots = TrustAnchors::from_certificates(vec![tls_root]);
    organisation.anchor_peers = vec![seat.links.clone()];
    let mut validator = ValidatorConfig::new(&agency.msp_id, node, seat.index);
    let endpoint = |endpoint: &Endpoint| Some(endpoint.clone());
    (validator.consensus, validator.peer) = (endpoint(&seat.links), endpoint(&seat.links));
    Ok((organisation, validator))
}

fn join(
    plan: &Plan,
    seats: &[Seat],
    organisations: Vec<(Organisation, ValidatorConfig)>,
) -> Result<ChannelConfig, InitError> {
    let (organisations, mut validators): (Vec<_>, Vec<_>) = organisations.into_iter().unzip();
    validators.truncate(seats.iter().filter(|seat| seat.validator).count());
    let wrong = |key, e: &dyn std::fmt::Display| InitError::Plan { key, reason: e.to_string() };
    let mut config = ChannelConfig::new(&plan.channel, organisations, validators)
        .map_err(|e| wrong("channel", &e))?;
    if let Some(text) = &plan.endorsement {
        config.policies.endorsement =
            GroupPolicy::parse(text).map_err(|e| wrong("endorsement", &e))?;
        config.check().map_err(|e| wrong("endorsement", &e))?;
    }
    Ok(config)
}

/// Does something for each seat on a few threads: keys take processors, and files wait for the disk.
fn on_threads<T: Send>(
    seats: &[Seat],
    work: impl Fn(&Seat) -> Result<T, StartError> + Sync,
) -> Result<Vec<T>, StartError> {
    let share = seats.len().div_ceil(THREADS_MAX).max(1);
    let shares = std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = seats
            .chunks(share)
            .map(|seats| scope.spawn(move || seats.iter().map(work).collect::<Result<Vec<_>, _>>()))
            .collect();
        let ended = || StartError::Wiring("a thread ended abnormally".to_owned());
        threads.into_iter().map(|t| t.join().map_err(|_| ended())?).collect::<Result<Vec<_>, _>>()
    })?;
    Ok(shares.into_iter().flatten().collect())
}

/// What verifiers of a new channel trust: the organisations' roots, and the channel by its genesis block.
fn trust_of(config: &ChannelConfig, genesis: &Block) -> Trust {
    let anchor = ChannelAnchor {
        channel_id: genesis.header.channel_id.clone(),
        genesis: genesis.header.hash(),
        validators: vec![genesis.header.validators_hash],
    };
    let roots = config.orgs.iter().flat_map(|org| org.roots.iter().cloned()).collect();
    Trust::new(TrustAnchors::from_certificates(roots), vec![anchor]).unwrap_or_default()
}

const THREADS_MAX: usize = 8;

#[cfg(test)]
mod tests;
