//! A witness (见证人) as a program of its own: a court, a notary or another agency runs it and cosigns the checkpoints of
//! logs that it knows.
//!
//! Its directory: `witness.toml`, `witness.key.pem`, `state/` with the last note of each log, `misbehaviour/` with what
//! proves that a log showed two histories, `tls/` with certificates where it listens on GM TLS.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use changbai_api::limits::Limits as ApiLimits;
use changbai_api::witness::{WitnessAnswer, WitnessService, router};
use changbai_merkle::{AddCheckpoint, Checkpoint, CosignerKey, Note, VerifierKey};
use changbai_wire::time::Clock;
use changbai_witness::{AddError, Misbehaviour, NoteStore, Witness, WitnessedLog};
use serde::{Deserialize, Serialize};
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit::{OsRandom, sm3};
use smkit_pki::{TrustAnchors, Validator};
use smkit_tls::link::{Acceptor, ClientAuth, Credentials, Limits};
use smkit_tls::peer::PathVerifier;
use zeroize::Zeroizing;

use crate::config::{ConfigError, Endpoint};
use crate::directory::{Directory, read_small, write_whole};
use crate::error::StartError;
use crate::identity::{text, wrong};
use crate::listeners::bind;
use crate::tls_files::TlsFiles;
use crate::transport::NodeTime;

/// `witness.toml`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessFile {
    /// Name of the witness and of its key, such as a host name of the institution.
    pub name: String,
    /// Where it listens: `http://ADDRESS:PORT` on loopback, `gmtls://ADDRESS:PORT` anywhere.
    #[serde(default = "listen")]
    pub listen: Vec<String>,
    /// Serves plain HTTP beyond loopback, too.
    #[serde(default)]
    pub insecure: bool,
    /// The logs that it knows.
    #[serde(default)]
    pub logs: Vec<KnownLog>,
}

/// A log in `witness.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownLog {
    /// First line of its checkpoints.
    pub origin: String,
    /// Keys that sign them, one for each node of the channel that publishes its log.
    pub keys: Vec<String>,
}

fn listen() -> Vec<String> {
    vec!["http://127.0.0.1:8090".to_owned()]
}

/// The key of the witness in `dir`, in the form `name+id+key`. At the first call the key is made, and `witness.toml`
/// with `name`, which is needed then.
///
/// # Errors
/// [`StartError`].
pub fn witness_key(dir: &Path, name: Option<&str>) -> Result<String, StartError> {
    let file = dir.join(FILE);
    if !file.exists() {
        let name = name.filter(|name| changbai_merkle::is_key_name(name));
        let name = name.ok_or_else(|| {
            let reason = "a new witness needs a name without spaces and plus signs: --name";
            StartError::Identity { file: file.clone(), reason: reason.to_owned() }
        })?;
        let private = PrivateKey::generate(&mut OsRandom).map_err(|e| wrong(dir, &e))?;
        let pem = private.to_pkcs8_pem().map_err(|e| wrong(dir, &e))?;
        write_whole(&dir.join(KEY), pem.as_bytes(), 0o600)?;
        let settings = WitnessFile {
            name: name.to_owned(),
            listen: listen(),
            insecure: false,
            logs: Vec::new(),
        };
        let text = toml::to_string(&settings).map_err(|e| StartError::Wiring(e.to_string()))?;
        write_whole(&file, text.as_bytes(), 0o644)?;
    }
    let settings = settings(dir)?;
    Ok(cosigner(dir, &settings.name)?.verifier().to_string())
}

/// Serves until `stop` resolves. `listen` replaces the file's where it is not empty; `ready` is told the addresses once
/// the listeners are open.
///
/// # Errors
/// [`StartError`]; nothing keeps running then.
pub async fn serve_witness(
    dir: &Path,
    listen: &[String],
    clock: Arc<dyn Clock>,
    ready: impl FnOnce(&[Endpoint]),
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let settings = settings(dir)?;
    let (_, _lock) = Directory::take(dir)?;
    let listen = if listen.is_empty() { settings.listen.as_slice() } else { listen };
    let endpoints = endpoints(listen, settings.insecure)?;
    let acceptor = credentials(dir)?.map(|credentials| {
        let time = Arc::new(NodeTime(Arc::clone(&clock)));
        Acceptor::new(&credentials, Limits::default(), time).map(Arc::new)
    });
    let acceptor = acceptor.transpose().map_err(|e| StartError::Wiring(e.to_string()))?;
    let service = Service::open(dir, &settings, clock)?;
    let (listeners, bound) = bind(&endpoints, acceptor.as_ref()).await?;
    ready(&bound);
    let (router, limits) = (router(Arc::new(service)), ApiLimits::default());
    changbai_api::serve(listeners, router, limits, stop, crate::start::STOP_GRACE).await;
    Ok(())
}

struct Service {
    witness: Mutex<Witness>,
    dir: PathBuf,
    clock: Arc<dyn Clock>,
}

impl Service {
    fn open(dir: &Path, settings: &WitnessFile, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let file = dir.join(FILE);
        let mut logs = Vec::new();
        for log in &settings.logs {
            let keys = log.keys.iter().map(|key| VerifierKey::from_text(key));
            let keys = keys.collect::<Result<Vec<_>, _>>();
            let keys = keys.map_err(|e| wrong(&file, &format!("{}: {e}", log.origin)))?;
            let state = state_file(dir, &log.origin);
            let last = read_small(&state)?.map(|bytes| Note::from_bytes(&bytes)).transpose();
            let last = last.map_err(|e| wrong(&state, &e))?;
            let known = WitnessedLog::new(&log.origin, keys, last);
            logs.push(known.map_err(|e| wrong(&file, &e))?);
        }
        let key = cosigner(dir, &settings.name)?;
        let witness = Witness::new(key, logs).map_err(|e| wrong(&file, &e))?;
        Ok(Self { witness: Mutex::new(witness), dir: dir.to_owned(), clock })
    }

    /// Keeps what convicts a log, once.
    fn accuse(&self, case: &Misbehaviour) {
        let Ok(bytes) = case.to_bytes() else { return };
        let name = sm3(&bytes);
        let file = self.dir.join("misbehaviour").join(format!("{name}.json"));
        tracing::error!(file = %file.display(), "witness::log_showed_two_histories");
        if !file.exists()
            && let Err(error) = write_whole(&file, &bytes, 0o644)
        {
            tracing::error!(%error, "witness::proof_not_kept");
        }
    }
}

impl WitnessService for Service {
    fn add_checkpoint(&self, body: &[u8]) -> WitnessAnswer {
        let asked = match AddCheckpoint::from_bytes(body) {
            Ok(asked) => asked,
            Err(error) => return WitnessAnswer::Malformed(error.to_string()),
        };
        let mut store = NoteFiles(&self.dir);
        let now_s = self.clock.now().at.0 / 1_000;
        let mut witness = self.witness.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = witness.add_checkpoint(&asked, now_s, &mut store);
        drop(witness);
        match answer {
            Ok(signature) => WitnessAnswer::Cosigned(signature.to_string()),
            Err(AddError::UnknownLog) => WitnessAnswer::UnknownLog,
            Err(AddError::Signature) => WitnessAnswer::Signature,
            Err(AddError::Stale { size }) => WitnessAnswer::Stale(size),
            Err(AddError::Split { size, proof }) => {
                self.accuse(&proof);
                WitnessAnswer::Stale(size)
            }
            Err(AddError::Proof) => WitnessAnswer::Proof,
            Err(error @ (AddError::Text(_) | AddError::Older)) => {
                WitnessAnswer::Malformed(error.to_string())
            }
            Err(error) => {
                tracing::error!(%error, "witness::failed");
                WitnessAnswer::Failed
            }
        }
    }

    fn key(&self) -> String {
        self.witness.lock().unwrap_or_else(PoisonError::into_inner).verifier().to_string()
    }

    fn last(&self, origin_sm3: &str) -> Option<String> {
        let witness = self.witness.lock().unwrap_or_else(PoisonError::into_inner);
        let mut logs = witness.logs().iter();
        let (_, log) = logs.find(|(origin, _)| sm3(origin.as_bytes()).to_string() == origin_sm3)?;
        log.last().map(ToString::to_string)
    }
}

/// One file for each log, replaced whole.
struct NoteFiles<'a>(&'a Path);

impl NoteStore for NoteFiles<'_> {
    fn keep(&mut self, note: &Note) -> io::Result<()> {
        let checkpoint = Checkpoint::of(note).map_err(io::Error::other)?;
        let file = state_file(self.0, &checkpoint.origin);
        write_whole(&file, note.to_string().as_bytes(), 0o644).map_err(io::Error::other)
    }
}

fn state_file(dir: &Path, origin: &str) -> PathBuf {
    dir.join("state").join(format!("{}.note", sm3(origin.as_bytes())))
}

fn settings(dir: &Path) -> Result<WitnessFile, StartError> {
    let file = dir.join(FILE);
    let text = text(&file)?;
    toml::from_str(&text)
        .map_err(|e| ConfigError::Syntax { file: file.clone(), reason: e.to_string() }.into())
}

fn cosigner(dir: &Path, name: &str) -> Result<CosignerKey, StartError> {
    let file = dir.join(KEY);
    let pem = Zeroizing::new(text(&file)?);
    let private = PrivateKey::from_pkcs8_pem(&pem).map_err(|e| wrong(&file, &e))?;
    let key = SigningKey::new(private, SignerId::DEFAULT).map_err(|e| wrong(&file, &e))?;
    CosignerKey::new(name, key).map_err(|e| wrong(&dir.join(FILE), &e))
}

fn endpoints(listen: &[String], insecure: bool) -> Result<Vec<Endpoint>, StartError> {
    let value = |value: &String, reason| {
        StartError::from(ConfigError::Value { key: "listen", value: value.clone(), reason })
    };
    let read = |text: &String| {
        let endpoint: Endpoint = text
            .parse()
            .map_err(|()| value(text, "http://ADDRESS:PORT or gmtls://ADDRESS:PORT"))?;
        if endpoint.is_exposed() && !insecure {
            return Err(value(text, "plain HTTP beyond loopback needs insecure = true"));
        }
        Ok(endpoint)
    };
    listen.iter().map(read).collect()
}

/// What `gmtls://` listeners show: the certificates below `tls/`, where there are any.
fn credentials(dir: &Path) -> Result<Option<Credentials>, StartError> {
    let tls = dir.join("tls");
    if !tls.exists() {
        return Ok(None);
    }
    let identity = TlsFiles::below(&tls).read()?;
    let nobody = Validator::admitting_all(TrustAnchors::default());
    Ok(Some(Credentials {
        signing: Some(identity.signing),
        encryption: identity.encryption,
        verifier: Arc::new(PathVerifier::of(nobody)),
        clients: ClientAuth::None,
        alpn: vec![b"http/1.1".to_vec()],
        tlcp_quirks: Vec::new(),
    }))
}

const FILE: &str = "witness.toml";
const KEY: &str = "witness.key.pem";
