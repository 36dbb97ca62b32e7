//! A real node as a child process, and a clerk that talks to it.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use changbai_api::signature::{BodyToSign, RequestSigner, RequestToSign};
use rustix::process::{Pid, Signal, kill_process};
use smkit::{
    OsRandom, Random as _,
    sm2::{PrivateKey, SignerId, SigningKey},
    sm3,
};
use smkit_pki::Certificate;

/// How long a start may take before a test gives up; a bound, not an expectation.
const START_MAX: Duration = Duration::from_secs(60);

pub(crate) struct Node {
    child: Child,
    pub(crate) dir: PathBuf,
    pub(crate) address: String,
}

impl Node {
    /// Starts and waits until the node answers.
    pub(crate) fn start(dir: &Path) -> Self {
        Self::try_start(dir).unwrap_or_else(|refusal| panic!("the node does not start: {refusal}"))
    }

    /// Starts; `Err` holds what a node that refuses prints.
    pub(crate) fn try_start(dir: &Path) -> Result<Self, String> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_changbai"))
            .args(["up", "--listen", "http://127.0.0.1:0", "--listen", "gmtls://127.0.0.1:0"])
            .args(["--lang", "en", "--dir"])
            .arg(dir)
            .env_clear()
            .env("CHANGBAI__OPERATIONS__LISTEN", "http://127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = now();
        loop {
            if child.try_wait().unwrap().is_some() {
                let mut said = String::new();
                child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                return Err(said);
            }
            if let Some(address) = address(dir, child.id()) {
                // Nobody reads the pipe any more; the node must not stop for that.
                let mut stderr = child.stderr.take().unwrap();
                thread::spawn(move || drop(std::io::copy(&mut stderr, &mut std::io::sink())));
                return Ok(Self { child, dir: dir.to_owned(), address });
            }
            assert!(begun.elapsed() < START_MAX, "the node neither starts nor refuses");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a signal to the process, which others may still be talking to.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, signal).unwrap();
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: no chance to write anything.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and the exit code.
    pub(crate) fn stop(mut self) -> i32 {
        self.signal(Signal::TERM);
        self.child.wait().unwrap().code().unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let agent = agent();
        let mut answer = agent.get(format!("http://{}{path}", self.address)).call().unwrap();
        let body = answer.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
        (answer.status().as_u16(), body)
    }

    pub(crate) fn clerk(&self) -> Clerk {
        Clerk::new(&self.dir, &self.address)
    }
}

/// A directory that a test dropped with a node in it must not leave the node behind.
impl Drop for Node {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The agency's operator: signs requests with the key that the first start made.
pub(crate) struct Clerk {
    agent: ureq::Agent,
    signer: RequestSigner,
    address: String,
}

impl Clerk {
    pub(crate) fn new(dir: &Path, address: &str) -> Self {
        let read = |name: &str| fs::read_to_string(dir.join("identity").join(name)).unwrap();
        let key = PrivateKey::from_pkcs8_pem(&read("operator.key.pem")).unwrap();
        let key = SigningKey::new(key, SignerId::DEFAULT).unwrap();
        let certificate = Certificate::from_pem(&read("operator.cert.pem")).unwrap();
        let signer = RequestSigner::new(key, &certificate, &[]).unwrap();
        Self { agent: agent(), signer, address: address.to_owned() }
    }

    /// Submits an original's digest; `Err` when the node did not answer.
    pub(crate) fn submit(&self, original: &[u8]) -> Result<(u16, serde_json::Value), String> {
        self.post("/api/v1/evidence", "application/json", described(original).as_bytes())
    }

    pub(crate) fn post(
        &self,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<(u16, serde_json::Value), String> {
        let (status, answer, _) = self.post_once(path, content_type, body)?;
        Ok((status, answer))
    }

    /// Submits an original's digest; also, in how many seconds the node wants to be asked again.
    pub(crate) fn submit_once(&self, original: &[u8]) -> (u16, serde_json::Value, Option<u64>) {
        self.post_once("/api/v1/evidence", "application/json", described(original).as_bytes())
            .unwrap()
    }

    fn post_once(
        &self,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<(u16, serde_json::Value, Option<u64>), String> {
        let request = RequestToSign {
            method: "POST",
            path,
            query: None,
            body: Some(BodyToSign { sm3: sm3(body), content_type }),
            idempotency_key: None,
        };
        let mut call = self
            .agent
            .post(format!("http://{}{path}", self.address))
            .header("content-type", content_type);
        for (name, value) in self.sign(&request) {
            call = call.header(name, value);
        }
        let mut answer = call.send(body).map_err(|error| error.to_string())?;
        let retry = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let retry = retry.and_then(|seconds| seconds.parse().ok());
        let bytes = answer.body_mut().read_to_vec().map_err(|error| error.to_string())?;
        let json = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        Ok((answer.status().as_u16(), json, retry))
    }

    /// A bundle with originals and disclosures, as only the agency gets it; `None` when it is refused
    /// or breaks off.
    pub(crate) fn bundle(&self, id: &str) -> Option<Vec<u8>> {
        let path = format!("/api/v1/evidence/{id}/bundle");
        let request = RequestToSign {
            method: "GET",
            path: &path,
            query: Some("originals=true"),
            body: None,
            idempotency_key: None,
        };
        let mut call = self.agent.get(format!("http://{}{path}?originals=true", self.address));
        for (name, value) in self.sign(&request) {
            call = call.header(name, value);
        }
        let mut answer = call.call().unwrap();
        let body = answer.body_mut().with_config().limit(1 << 30).read_to_vec();
        body.ok().filter(|_| answer.status() == 200)
    }

    fn sign(&self, request: &RequestToSign<'_>) -> Vec<(&'static str, String)> {
        let mut nonce = [0; 16];
        OsRandom.fill(&mut nonce).unwrap();
        #[expect(clippy::disallowed_methods, reason = "a client's clock")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now_ms = u64::try_from(now.as_millis()).unwrap();
        self.signer.sign(request, now_ms, 60, &nonce).unwrap()
    }
}

/// The body of a submission of an original's digest.
fn described(original: &[u8]) -> String {
    let (digest, size) = (sm3(original), original.len());
    format!(
        r#"{{"business_type":"general","originals":[{{"sm3":"{digest}","size_bytes":{size},"media_type":"application/octet-stream"}}]}}"#
    )
}

/// The address in `node.json`, once the process `pid` has written it and answers there.
fn address(dir: &Path, pid: u32) -> Option<String> {
    let text = fs::read_to_string(dir.join("node.json")).ok()?;
    let file: serde_json::Value = serde_json::from_str(&text).ok()?;
    if file["pid"] != pid {
        return None;
    }
    let address = file["listen"][0].as_str()?.strip_prefix("http://")?.to_owned();
    let url = format!("http://{address}/api/v1/health");
    agent().get(url).call().ok().filter(|answer| answer.status() == 200)?;
    Some(address)
}

pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into()
}

#[expect(clippy::disallowed_methods, reason = "bounds a test")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
