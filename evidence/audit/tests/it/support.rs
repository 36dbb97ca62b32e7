//! A log in a directory of its own.

use std::path::{Path, PathBuf};

use changbai_audit::{ProcessLog, Signer};
use changbai_core::RecordTime;
use changbai_core::process::{Actor, ActorRole, JournalError, NewEntry, ProcessJournal, Step};
use smkit::sm2::{PrivateKey, SignerId, SigningKey, VerifyingKey};
use smkit::sm3::{Sm3Digest, sm3};

pub(crate) const CHANNEL: &str = "changchun";
pub(crate) const ID: &str = "CC22010011220100MB9999999R2026112200000000012ZU";

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::new(PrivateKey::from_bytes(&[seed; 32]).unwrap(), SignerId::DEFAULT).unwrap()
}

pub(crate) fn verifying(seed: u8) -> VerifyingKey {
    key(seed).verifying_key().clone()
}

pub(crate) fn certificate(seed: u8) -> Vec<u8> {
    vec![0x30, 1, seed]
}

pub(crate) fn open(dir: &Path) -> ProcessLog {
    open_as(dir, 7)
}

pub(crate) fn open_as(dir: &Path, seed: u8) -> ProcessLog {
    let signer = Signer { key: key(seed), certificate: certificate(seed) };
    ProcessLog::open(dir, CHANNEL, signer).unwrap()
}

pub(crate) fn file(dir: &Path) -> PathBuf {
    dir.join("process.log")
}

pub(crate) fn record(name: &str) -> Sm3Digest {
    sm3(name.as_bytes())
}

pub(crate) fn step(name: &str, step: Step, at_ms: u64) -> NewEntry {
    NewEntry {
        record: ID.parse().unwrap(),
        record_sm3: record(name),
        step,
        at: RecordTime { at_ms, bound_us: Some(1_000) },
        actor: Actor::known(sm3(b"node"), ActorRole::Node),
        detail: sm3(step.name().as_bytes()),
    }
}

pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Logs steps of one record and waits until they are durable.
pub(crate) fn log(log: &ProcessLog, name: &str, steps: &[Step]) -> Result<(), JournalError> {
    wait(log.append(steps.iter().map(|s| step(name, *s, 1_000)).collect()))
}

pub(crate) fn steps(log: &ProcessLog, name: &str) -> Vec<Step> {
    log.chain(&record(name), 1_000).unwrap().iter().map(|entry| entry.what.step).collect()
}
