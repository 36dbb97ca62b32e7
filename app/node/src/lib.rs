//! Starts and stops a node: configuration, identities, wiring, tasks.
//!
//! It holds no rule of the ledger or of evidence: it only brings the parts together, gives them
//! clock, randomness and files, owns their tasks, and takes them down in order.
//!
//! # Model
//! [`start`] takes a data directory and returns when the node serves. The first start creates an
//! agency's root, a node and an operator certificate, the genesis block and `changbai.toml`; later
//! starts check and resume. One thread drives ordering; the runtime's threads serve REST.
//!
//! **Invariants**
//! - One process a directory: a lock that dies with the process.
//! - Every task is joined by [`RunningNode::shutdown`].
//! - REST without GM TLS listens on loopback only.
//! - Damage to anything that cannot be derived again refuses the start and names the file.

pub mod alarm;
pub mod archive;
mod authority;
pub mod change;
pub mod channel_file;
mod channels;
mod clock;
mod clock_watch;
pub mod config;
mod configurations;
pub mod consortium;
mod court;
pub mod custody;
mod directory;
mod documents;
mod embedded;
mod error;
pub mod facts;
mod first_start;
pub mod genesis;
mod health;
mod identity;
mod links;
mod listeners;
mod metrics;
mod monitor;
mod observer;
mod operations;
mod process_log;
mod readiness;
mod renewal;
mod start;
mod supervisor;
mod time;
mod time_rule;
mod time_stamps;
mod tls_files;
mod transparency;
mod transport;
mod verdicts;
mod wiring;
mod witness;

pub use authority::{AuthorityConfig, serve_authority};
pub use clock::LocalClock;
pub use config::{Config, ConfigError};
pub use directory::{Process, process_of};
pub use error::{StartError, StopError};
pub use monitor::{LogMonitor, MonitorConfig, Seen, Sight, judge_misbehaviour};
pub use renewal::RenewalStatus;
pub use start::{RunningNode, Surroundings, start, start_in};
pub use supervisor::Supervisor;
pub use witness::{KnownLog, WitnessFile, serve_witness, witness_key};

/// Whether a data directory holds the certificates of a node, so that a start makes nothing.
#[must_use]
pub fn is_prepared(dir: &std::path::Path) -> bool {
    !first_start::is_due(&directory::Directory { root: dir.to_owned() })
}
