//! A monitor (监测): looks at what nodes and witnesses show of one log, again and again, and keeps what contradicts.
//!
//! Its directory holds `monitor.json`, the newest state that was seen with the keys that sign it, and a file for each
//! contradiction.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use changbai_api::log_client::{Answer, LogClient, Tls};
use changbai_api::logs::{ConsistencyAnswer, LogDescription};
use changbai_core::{canonical, log_origin};
use changbai_merkle::{Checkpoint, ConsistencyProof, NOTE_BYTES_MAX, Note, Signed, VerifierKey};
use changbai_receipt::Trust;
use changbai_wire::time::Clock;
use changbai_witness::{Contradiction, Misbehaviour, Monitor, Observation};
use serde::{Deserialize, Serialize};
use smkit::{Sm3Digest, sm3};
use smkit_pki::{Certificate, Purpose, TrustAnchors, Validator, verify_chain};
use smkit_tls::peer::PathVerifier;

use crate::directory::{read_small, write_whole};
use crate::error::StartError;
use crate::identity::wrong;
use crate::transport::NodeTime;

/// Whom to look at, and whom to believe.
#[derive(Debug)]
pub struct MonitorConfig {
    /// Where state and contradictions are kept.
    pub dir: PathBuf,
    /// The channel.
    pub channel: String,
    /// `http://HOST:PORT` or `gmtls://HOST:PORT` of nodes.
    pub nodes: Vec<String>,
    /// The same of witnesses.
    pub witnesses: Vec<String>,
    /// Keys of the log that are believed.
    pub keys: Vec<VerifierKey>,
    /// A trust file that names the channel: keys are believed whose certificates lead to its roots.
    pub trust: Option<Trust>,
    /// Roots of `gmtls://` servers.
    pub tls_roots: Vec<Certificate>,
}

/// What was seen at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// The place.
    pub source: String,
    /// What it shows.
    pub seen: Seen,
}

/// What a place shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seen {
    /// The log as far as it is known.
    Consistent {
        /// Leaves that it shows.
        size: u64,
        /// How many of them are new.
        grown: u64,
        /// How many it is behind.
        behind: u64,
    },
    /// Nothing that could be judged.
    Unchecked(String),
    /// What contradicts what is known.
    Contradicts {
        /// `same_size`, `other_beginning`, `rollback` or `unproven`.
        kind: &'static str,
        /// Whether the file convicts the log without anybody's word.
        proven: bool,
        /// Where both notes are kept.
        file: PathBuf,
    },
}

/// A monitor of one log.
pub struct LogMonitor {
    config: MonitorConfig,
    places: Vec<Place>,
    monitor: Monitor,
    /// What each place showed last.
    shown: BTreeMap<String, Note>,
    clock: Arc<dyn Clock>,
}

struct Place {
    client: LogClient,
    is_node: bool,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    keys: Vec<String>,
    last: Option<String>,
    shown: BTreeMap<String, String>,
}

impl LogMonitor {
    /// Goes on where the directory's state ends.
    ///
    /// # Errors
    /// [`StartError`]: a wrong address, or a state that is not what was written.
    pub fn open(config: MonitorConfig, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let tls = (!config.tls_roots.is_empty()).then(|| {
            let anchors = TrustAnchors::from_certificates(config.tls_roots.clone());
            let verifier = Arc::new(PathVerifier::of(Validator::admitting_all(anchors)));
            Tls { verifier, time: Arc::new(NodeTime(Arc::clone(&clock))) }
        });
        let place = |is_node| {
            let tls = tls.clone();
            move |url: &String| {
                let client = LogClient::new(url, tls.clone(), WAIT_MAX);
                let client = client.map_err(|e| StartError::Wiring(e.to_string()))?;
                Ok(Place { client, is_node })
            }
        };
        let nodes = config.nodes.iter().map(place(true));
        let places = nodes.chain(config.witnesses.iter().map(place(false)));
        let places = places.collect::<Result<_, StartError>>()?;
        let file = config.dir.join(STATE);
        let state: State = match read_small(&file)? {
            None => State::default(),
            Some(bytes) => {
                canonical::from_bytes(&bytes, STATE_BYTES_MAX).map_err(|e| wrong(&file, &e))?
            }
        };
        let damaged = || wrong(&file, &"it is not what was written");
        let note = |text: &String| Note::from_bytes(text.as_bytes()).map_err(|_| damaged());
        let mut keys = config.keys.clone();
        for key in &state.keys {
            keys.push(VerifierKey::from_text(key).map_err(|_| damaged())?);
        }
        let last = state.last.as_ref().map(note).transpose()?;
        let monitor = Monitor::new(keys, last).ok_or_else(damaged)?;
        let shown = state.shown.iter().map(|(place, text)| Ok((place.clone(), note(text)?)));
        let shown = shown.collect::<Result<_, StartError>>()?;
        Ok(Self { config, places, monitor, shown, clock })
    }

    /// Looks at every place once.
    ///
    /// # Errors
    /// [`StartError`] if what was seen cannot be kept.
    pub async fn look(&mut self) -> Result<Vec<Sight>, StartError> {
        let mut sights = Vec::new();
        for at in 0..self.places.len() {
            let Some(place) = self.places.get(at) else { break };
            let source = place.client.url().to_owned();
            let seen = match self.note(place).await {
                Ok((note, key)) => {
                    key.into_iter().for_each(|key| self.monitor.accept(key));
                    self.judge(&source, at, note).await?
                }
                Err(reason) => Seen::Unchecked(reason),
            };
            sights.push(Sight { source, seen });
        }
        self.keep()?;
        Ok(sights)
    }

    /// What a place shows, and a key that its certificate vouches for.
    async fn note(&self, place: &Place) -> Result<(Note, Option<VerifierKey>), String> {
        let channel = &self.config.channel;
        let mut key = None;
        let path = if place.is_node {
            if let Some(trust) = &self.config.trust {
                let path = format!("/api/v1/log/{channel}");
                let answer = fetched(place.client.get(&path, DESCRIPTION_BYTES_MAX).await)?;
                let said: LogDescription =
                    serde_json::from_slice(&answer.body).map_err(|e| e.to_string())?;
                key = Some(self.vouched(&said, trust)?);
            }
            format!("/api/v1/log/{channel}/checkpoint")
        } else {
            let keys = self.monitor.keys().first();
            let origin = keys.map(VerifierKey::name).ok_or("no key of the log is known yet")?;
            format!("/checkpoint/{}", sm3(origin.as_bytes()))
        };
        let answer = fetched(place.client.get(&path, NOTE_BYTES_MAX).await)?;
        let note = Note::from_bytes(&answer.body).map_err(|e| e.to_string())?;
        Checkpoint::of(&note).map_err(|e| e.to_string())?;
        Ok((note, key))
    }

    /// The key of a description, if its certificate leads to the trust file's roots.
    fn vouched(&self, said: &LogDescription, trust: &Trust) -> Result<VerifierKey, String> {
        let channel = &self.config.channel;
        let anchor = trust.channel(channel);
        let anchor = anchor.ok_or_else(|| format!("the trust file does not name {channel}"))?;
        let pem = said.certificate.as_deref().ok_or("the log's key has no certificate")?;
        let many = Certificate::pem_many(pem).map_err(|e| e.to_string())?;
        let (leaf, above) = many.split_first().ok_or("the log's key has no certificate")?;
        let units = leaf.organisational_units();
        if !["log", "peer", "orderer"].iter().any(|unit| units.iter().any(|own| own == unit)) {
            return Err(format!("{} may not sign checkpoints", leaf.subject()));
        }
        let now_s = self.clock.now().at.seconds();
        verify_chain(leaf, above, trust.roots(), now_s, Purpose::Signing)
            .map_err(|e| e.to_string())?;
        let origin = log_origin(channel, &anchor.genesis);
        VerifierKey::new(&origin, Signed::Log, leaf.public_key()).map_err(|e| e.to_string())
    }

    async fn judge(&mut self, source: &str, at: usize, note: Note) -> Result<Seen, StartError> {
        let proof = match self.monitor.proof_needed(&note) {
            Some((old, new)) => self.proof(&note, at, old, new).await,
            None => None,
        };
        let given = proof.as_ref().map(|(root, path)| (*root, path.as_slice()));
        let size = |note: &Note| Checkpoint::of(note).map_or(0, |checkpoint| checkpoint.size);
        let now = size(&note);
        let seen = match self.monitor.observe(&note, given) {
            Observation::Foreign => {
                return Ok(Seen::Unchecked("not signed with a key that is believed".to_owned()));
            }
            Observation::Misbehaved(case) => return self.accuse(&case),
            Observation::Same => Seen::Consistent { size: now, grown: 0, behind: 0 },
            Observation::Behind { leaves } => {
                Seen::Consistent { size: now, grown: 0, behind: leaves }
            }
            Observation::Grown { leaves } => {
                Seen::Consistent { size: now, grown: leaves, behind: 0 }
            }
        };
        // On the same history, but shorter than this very place has shown.
        let before = self.shown.insert(source.to_owned(), note.clone());
        match before.filter(|before| size(before) > now) {
            Some(first) => {
                let contradiction = Contradiction::Rollback;
                self.accuse(&Misbehaviour { first, second: note, contradiction })
            }
            None => Ok(seen),
        }
    }

    /// A proof between two sizes that leads to the larger root: of the place itself, or of any node. The root that it
    /// names for the smaller size may be another than the one that was shown; that convicts.
    async fn proof(
        &self,
        note: &Note,
        at: usize,
        old: u64,
        new: u64,
    ) -> Option<(Sm3Digest, Vec<Sm3Digest>)> {
        let seen = Checkpoint::of(note).ok()?;
        let (last, _) = self.monitor.last()?;
        let large = if seen.size == new { seen.root } else { last.root };
        let path =
            format!("/api/v1/log/{}/proof/consistency?from={old}&to={new}", self.config.channel);
        let own = self.places.iter().skip(at).take(1);
        let others = self.places.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, p)| p);
        for place in own.chain(others).filter(|place| place.is_node) {
            let answer = fetched(place.client.get(&path, DESCRIPTION_BYTES_MAX).await);
            let Some(answer) = answer.ok() else { continue };
            let Ok(said) = serde_json::from_slice::<ConsistencyAnswer>(&answer.body) else {
                continue;
            };
            let hashes = said.path.iter().take(64).map(|hash| canonical::digest(hash));
            let (Some(path), Some(root)) =
                (hashes.collect::<Option<Vec<_>>>(), canonical::digest(&said.from_root))
            else {
                continue;
            };
            let proof = ConsistencyProof { old_size: old, new_size: new, path };
            if proof.verify(&root, &large).is_ok() {
                return Some((root, proof.path));
            }
        }
        None
    }

    /// Keeps a contradiction.
    fn accuse(&self, case: &Misbehaviour) -> Result<Seen, StartError> {
        let bytes = case.to_bytes().map_err(|e| StartError::Wiring(e.to_string()))?;
        let mut name = sm3(&bytes).to_string();
        name.truncate(16);
        let file = self.config.dir.join(format!("misbehaviour-{name}.json"));
        write_whole(&file, &bytes, 0o644)?;
        let kind = match case.contradiction {
            Contradiction::SameSize => "same_size",
            Contradiction::OtherBeginning { .. } => "other_beginning",
            Contradiction::Rollback => "rollback",
            Contradiction::Unproven => "unproven",
        };
        let proven = case.verify(self.monitor.keys()).is_ok();
        Ok(Seen::Contradicts { kind, proven, file })
    }

    fn keep(&self) -> Result<(), StartError> {
        let shown = self.shown.iter().map(|(place, note)| (place.clone(), note.to_string()));
        let state = State {
            keys: self.monitor.keys().iter().map(ToString::to_string).collect(),
            last: self.monitor.last().map(|(_, note)| note.to_string()),
            shown: shown.collect(),
        };
        let bytes = canonical::to_bytes(&state).map_err(|e| StartError::Wiring(e.to_string()))?;
        write_whole(&self.config.dir.join(STATE), &bytes, 0o644)
    }
}

impl std::fmt::Debug for LogMonitor {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("LogMonitor").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Judges a file that a monitor or a witness kept: whether it convicts a log, to somebody who believes `keys`.
///
/// # Errors
/// Why it does not.
pub fn judge_misbehaviour(
    file: &Path,
    keys: &[VerifierKey],
) -> Result<(Checkpoint, Checkpoint), StartError> {
    let bytes = read_small(file)?.ok_or_else(|| wrong(file, &"the file is missing"))?;
    let case = Misbehaviour::from_bytes(&bytes).map_err(|e| wrong(file, &e))?;
    case.verify(keys).map_err(|e| wrong(file, &e))
}

fn fetched<E: std::fmt::Display>(answer: Result<Answer, E>) -> Result<Answer, String> {
    match answer {
        Ok(answer) if answer.status == 200 => Ok(answer),
        Ok(answer) => Err(format!("status {}", answer.status)),
        Err(error) => Err(error.to_string()),
    }
}

const WAIT_MAX: Duration = Duration::from_secs(10);
const STATE: &str = "monitor.json";
const STATE_BYTES_MAX: usize = 16 << 20;
const DESCRIPTION_BYTES_MAX: usize = 65_536;
