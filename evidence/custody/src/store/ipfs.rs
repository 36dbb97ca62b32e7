//! Objects in an IPFS node of the own network, through its HTTP API (`/api/v0`).
//!
//! A node takes the sealed bytes (`add`) and gives them its own name, under SHA-256: nodes refuse `sm3-256`, which is
//! not among the functions that they can compute. Our name becomes a name in the node's own file system
//! (`files/cp`), which makes it durable, keeps it from collection, and refuses what is there already. Nothing is
//! announced by us; that the node is a private one (a swarm key, no bootstrap nodes) is its operator's to see to.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use http_body_util::{BodyExt, Empty, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::{Request, Response, StatusCode};
use serde::Deserialize;

use super::http::{Body, Http, HttpFailure, Patience, Secure, Waiting, broken};
use super::location::IpfsLocation;
use super::{Object, SealedDraft, Store, StoreError};
use crate::cid::Cid;
use crate::limits::READ_AHEAD_BYTES;

/// An IPFS node.
#[derive(Debug)]
pub struct IpfsStore {
    location: IpfsLocation,
    api: Arc<Api>,
}

#[derive(Debug)]
struct Api {
    http: Http,
    waiting: Waiting,
    retries: usize,
}

/// Answer to `add`.
#[derive(Debug, Deserialize)]
struct Added {
    #[serde(rename = "Hash")]
    hash: String,
}

/// Answer to `files/stat`.
#[derive(Debug, Deserialize)]
struct Stat {
    #[serde(rename = "Size")]
    size: u64,
}

/// Any error.
#[derive(Debug, Deserialize)]
struct Failure {
    #[serde(rename = "Message")]
    message: String,
}

impl IpfsStore {
    /// Nothing is dialled yet.
    ///
    /// # Errors
    /// [`StoreError`], when no client can be made.
    pub fn new(
        location: IpfsLocation,
        secure: Option<Arc<dyn Secure>>,
        patience: Patience,
    ) -> Result<Self, StoreError> {
        let waiting = Waiting::start().map_err(StoreError::io("start a thread"))?;
        let http = Http::new(location.endpoint.clone(), secure, patience);
        Ok(Self { location, api: Arc::new(Api { http, waiting, retries: patience.retries }) })
    }

    fn path(&self, name: &Cid) -> String {
        format!("/{}/{name}", self.location.prefix)
    }

    fn stat(&self, path: &str) -> Result<Option<u64>, StoreError> {
        match self.api.ask(&format!("files/stat?arg={path}"))? {
            Answer::Is(body) => {
                let stat: Stat = parse(&body)?;
                Ok(Some(stat.size))
            }
            Answer::Failed(message) if message.contains("does not exist") => Ok(None),
            Answer::Failed(message) => Err(StoreError::Refused(message)),
        }
    }
}

impl Store for IpfsStore {
    fn put(&self, name: &Cid, draft: &SealedDraft<'_>) -> Result<(), StoreError> {
        let path = self.path(name);
        if let Some(size) = self.stat(&path)? {
            return if size == draft.size_bytes { Ok(()) } else { Err(StoreError::Occupied) };
        }
        let added: Added = match self.api.upload(ADD, draft)? {
            Answer::Is(body) => parse(&body)?,
            Answer::Failed(message) => return Err(StoreError::Refused(message)),
        };
        if !added.hash.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(StoreError::Refused("a name that is none".to_owned()));
        }
        let linked =
            self.api.ask(&format!("files/cp?arg=/ipfs/{}&arg={path}&parents=true", added.hash));
        if let Ok(Answer::Is(_)) = linked
            && let Answer::Is(_) = self.api.ask(&format!("files/flush?arg={path}"))?
        {
            return Ok(());
        }
        // The answer to an earlier try may have been lost: then it is there.
        match (self.stat(&path)?, linked?) {
            (Some(size), _) if size == draft.size_bytes => Ok(()),
            (Some(_), _) => Err(StoreError::Occupied),
            (None, Answer::Failed(message)) => Err(StoreError::Refused(message)),
            (None, Answer::Is(_)) => Err(StoreError::Refused("the object is not there".to_owned())),
        }
    }

    fn open(&self, name: &Cid) -> Result<Option<Box<dyn Object>>, StoreError> {
        let path = self.path(name);
        let Some(size_bytes) = self.stat(&path)? else { return Ok(None) };
        let (ahead, api) = (Vec::new(), Arc::clone(&self.api));
        Ok(Some(Box::new(IpfsObject { api, path, size_bytes, ahead, ahead_at: 0 })))
    }

    fn remove(&self, name: &Cid) -> Result<(), StoreError> {
        match self.api.ask(&format!("files/rm?arg={}", self.path(name)))? {
            Answer::Is(_) => Ok(()),
            Answer::Failed(message) if message.contains("does not exist") => Ok(()),
            Answer::Failed(message) => Err(StoreError::Refused(message)),
        }
    }

    fn place(&self, name: &Cid) -> String {
        format!("ipfs:/{}", self.path(name))
    }
}

struct IpfsObject {
    api: Arc<Api>,
    path: String,
    size_bytes: u64,
    ahead: Vec<u8>,
    ahead_at: u64,
}

impl Object for IpfsObject {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<(), StoreError> {
        let from = offset.checked_sub(self.ahead_at).and_then(|from| usize::try_from(from).ok());
        let held = from.and_then(|from| self.ahead.get(from..from.checked_add(into.len())?));
        if let Some(held) = held {
            into.copy_from_slice(held);
            return Ok(());
        }
        let count = into.len().max(READ_AHEAD_BYTES);
        let call = format!("files/read?arg={}&offset={offset}&count={count}", self.path);
        let got = match self.api.read(&call, count)? {
            Answer::Is(body) => body,
            Answer::Failed(message) => return Err(StoreError::Refused(message)),
        };
        into.copy_from_slice(got.get(..into.len()).ok_or(StoreError::Short)?);
        (self.ahead, self.ahead_at) = (got.to_vec(), offset);
        Ok(())
    }
}

/// What the node says.
enum Answer {
    Is(Bytes),
    Failed(String),
}

impl Api {
    /// A call without a body. Every call here may be made twice.
    fn ask(&self, call: &str) -> Result<Answer, StoreError> {
        self.read(call, ANSWER_BYTES_MAX)
    }

    fn read(&self, call: &str, bytes_max: usize) -> Result<Answer, StoreError> {
        let mut tries = 0;
        loop {
            let none = || Empty::new().map_err(|never| match never {}).boxed();
            let answer = self.exchange(call, None, none(), bytes_max);
            tries += 1;
            match answer {
                Err(StoreError::Unreachable(_)) if tries <= self.retries => {}
                other => return other,
            }
        }
    }

    /// `multipart/form-data` with one file, streamed.
    fn upload(&self, call: &str, draft: &SealedDraft<'_>) -> Result<Answer, StoreError> {
        let file = draft.file.try_clone().map_err(StoreError::io("open the draft"))?;
        let head = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"o\"\r\n\
             content-type: application/octet-stream\r\n\r\n"
        );
        let tail = format!("\r\n--{BOUNDARY}--\r\n");
        let middle = pieces(file, draft.size_bytes);
        let whole = stream::iter([Ok(Bytes::from(head))])
            .chain(stream::iter(middle))
            .chain(stream::iter([Ok(Bytes::from(tail))]));
        let frames = whole.map(|piece| piece.map(Frame::data).map_err(Into::into));
        let body = BodyExt::boxed(StreamBody::new(frames));
        let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
        self.exchange(call, Some(media_type), body, ANSWER_BYTES_MAX)
    }

    fn exchange(
        &self,
        call: &str,
        media_type: Option<String>,
        body: Body,
        bytes_max: usize,
    ) -> Result<Answer, StoreError> {
        let mut request = Request::post(format!("/api/v0/{call}"));
        if let Some(media_type) = media_type {
            request = request.header(CONTENT_TYPE, media_type);
        }
        let request = request.body(body);
        let request = request.map_err(|error| StoreError::Refused(error.to_string()))?;
        let answered = self.waiting.on(async {
            let answer = self.http.send(request).await?;
            collect(answer, bytes_max).await
        });
        let (status, body) = answered
            .ok_or_else(|| StoreError::Unreachable("the store has ended".to_owned()))?
            .map_err(|failure| StoreError::Unreachable(failure.to_string()))?;
        if status.is_success() {
            return Ok(Answer::Is(body));
        }
        if status == StatusCode::INTERNAL_SERVER_ERROR
            && let Ok(failure) = serde_json::from_slice::<Failure>(&body)
        {
            return Ok(Answer::Failed(failure.message.chars().take(300).collect()));
        }
        if status.is_server_error() {
            return Err(StoreError::Unreachable(status.to_string()));
        }
        Err(StoreError::Refused(status.to_string()))
    }
}

/// The file in pieces, each read when the one before has gone out.
fn pieces(file: File, size_bytes: u64) -> impl Iterator<Item = io::Result<Bytes>> + Send + Sync {
    let mut at = 0;
    std::iter::from_fn(move || {
        let left = usize::try_from(size_bytes.saturating_sub(at)).unwrap_or(usize::MAX);
        if left == 0 {
            return None;
        }
        let mut piece = vec![0; left.min(PIECE_BYTES)];
        let read = file.read_exact_at(&mut piece, at);
        at = at.saturating_add(piece.len() as u64);
        Some(read.map(|()| piece.into()))
    })
}

async fn collect(
    answer: Response<Incoming>,
    bytes_max: usize,
) -> Result<(StatusCode, Bytes), HttpFailure> {
    let status = answer.status();
    let body = Limited::new(answer.into_body(), bytes_max).collect().await;
    let body = body.map_err(|error| match error.downcast::<hyper::Error>() {
        Ok(error) => broken(*error),
        Err(error) => HttpFailure::Broken(error.to_string()),
    })?;
    Ok((status, body.to_bytes()))
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, StoreError> {
    let line = body.split(|byte| *byte == b'\n').find(|line| !line.is_empty());
    serde_json::from_slice(line.unwrap_or_default())
        .map_err(|error| StoreError::Refused(format!("an answer that is none: {error}")))
}

/// Raw leaves of a mebibyte; pinned by its name in the node's file system and not besides.
const ADD: &str = "add?cid-version=1&raw-leaves=true&pin=false&progress=false&chunker=size-1048576";
const BOUNDARY: &str = "changbai-7f3c1a5e9b2d4860";
const ANSWER_BYTES_MAX: usize = 64 << 10;
const PIECE_BYTES: usize = 1 << 20;
