//! Objects in an S3-compatible service, through `object_store`: its protocol, our connections and no cryptography but
//! the SHA-256 that the protocol signs requests with. That protects requests against strangers in the network; the
//! evidence is protected by its envelopes alone.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::header::{HeaderValue, IF_NONE_MATCH};
use hyper::{Method, Request};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore as _, ObjectStoreExt as _, PutMode, PutPayload,
    RetryConfig,
};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use super::http::{Http, HttpFailure, Patience, Secure, Waiting, broken};
use super::location::S3Location;
use super::sha256::Sha256Only;
use super::{Object, SealedDraft, Store, StoreError};
use crate::cid::Cid;
use crate::limits::{PART_BYTES, PARTS_MAX, READ_AHEAD_BYTES};

/// Who asks an S3-compatible service.
pub struct Credentials {
    /// Access key id.
    pub id: String,
    /// Secret access key.
    pub secret: Zeroizing<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A bucket, or a part of one.
pub struct S3Store {
    location: S3Location,
    waiting: Arc<Waiting>,
    bucket: Arc<AmazonS3>,
}

impl S3Store {
    /// Nothing is dialled yet.
    ///
    /// # Errors
    /// [`StoreError`], when no client can be made.
    pub fn new(
        location: S3Location,
        credentials: &Credentials,
        secure: Option<Arc<dyn Secure>>,
        patience: Patience,
    ) -> Result<Self, StoreError> {
        let waiting = Waiting::start().map_err(StoreError::io("start a thread"))?;
        let endpoint = &location.endpoint;
        let host = if endpoint.host.contains(':') {
            format!("[{}]", endpoint.host)
        } else {
            endpoint.host.clone()
        };
        let http = Arc::new(Http::new(endpoint.clone(), secure, patience));
        let bucket = AmazonS3Builder::new()
            // What goes over the connection, GM TLS or nothing, is the connector's.
            .with_endpoint(format!("http://{host}:{}", endpoint.port))
            .with_allow_http(true)
            .with_bucket_name(&location.bucket)
            .with_region(&location.region)
            .with_access_key_id(&credentials.id)
            .with_secret_access_key(credentials.secret.as_str())
            .with_disable_bulk_delete(true)
            .with_retry(RetryConfig {
                backoff: BackoffConfig { max_backoff: BACKOFF_MAX, ..BackoffConfig::default() },
                max_retries: patience.retries,
                retry_timeout: RETRY_TIMEOUT,
            })
            .with_crypto_provider(Arc::new(Sha256Only))
            .with_http_connector(Connector(http))
            .build()
            .map_err(|error| of(&error))?;
        Ok(Self { location, waiting: Arc::new(waiting), bucket: Arc::new(bucket) })
    }

    fn key(&self, name: &Cid) -> Path {
        let prefix = &self.location.prefix;
        if prefix.is_empty() {
            Path::from(name.to_string())
        } else {
            Path::from(format!("{prefix}/{name}"))
        }
    }

    fn wait<T>(
        &self,
        work: impl Future<Output = Result<T, object_store::Error>>,
    ) -> Result<T, object_store::Error> {
        self.waiting.on(work).unwrap_or(Err(object_store::Error::NotImplemented {
            operation: "a store that has ended".to_owned(),
            implementer: "custody".to_owned(),
        }))
    }

    /// Parts go out while the next one is read; two are under way at a time.
    async fn put_parts(
        &self,
        key: &Path,
        draft: &SealedDraft<'_>,
    ) -> Result<(), object_store::Error> {
        let part_bytes = PART_BYTES
            .max(usize::try_from(draft.size_bytes.div_ceil(PARTS_MAX)).unwrap_or(usize::MAX));
        let mut upload = self.bucket.put_multipart(key).await?;
        let mut under_way: VecDeque<JoinHandle<Result<(), object_store::Error>>> = VecDeque::new();
        let mut at = 0;
        let sent = loop {
            if under_way.len() >= PARTS_UNDER_WAY || at >= draft.size_bytes {
                let Some(first) = under_way.pop_front() else { break Ok(()) };
                let sent = first
                    .await
                    .unwrap_or_else(|error| Err(object_store::Error::JoinError { source: error }));
                if sent.is_err() {
                    break sent;
                }
                continue;
            }
            let left = usize::try_from(draft.size_bytes - at).unwrap_or(usize::MAX);
            let part = match read_part(draft.file, at, part_bytes.min(left)) {
                Ok(part) => part,
                Err(error) => break Err(local(error)),
            };
            at = at.saturating_add(part.len() as u64);
            let sending = upload.put_part(PutPayload::from_bytes(part));
            #[expect(clippy::disallowed_methods, reason = "a task of the store's own runtime")]
            under_way.push_back(tokio::spawn(sending));
        };
        for task in under_way {
            task.abort();
        }
        match sent {
            Ok(()) => upload.complete().await.map(drop),
            Err(error) => {
                // What is left of it is the bucket's life-cycle rule's to remove.
                drop(upload.abort().await);
                Err(error)
            }
        }
    }
}

impl Store for S3Store {
    fn put(&self, name: &Cid, draft: &SealedDraft<'_>) -> Result<(), StoreError> {
        let key = self.key(name);
        let put = self.wait(async {
            if draft.size_bytes > PART_BYTES as u64 {
                return self.put_parts(&key, draft).await;
            }
            let length = usize::try_from(draft.size_bytes).unwrap_or(usize::MAX);
            let bytes = read_part(draft.file, 0, length).map_err(local)?;
            let create = PutMode::Create.into();
            self.bucket.put_opts(&key, PutPayload::from_bytes(bytes), create).await.map(drop)
        });
        let failure = match put {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        // The answer to an earlier try may have been lost: then it is there. Names are digests of what lies there.
        match self.wait(self.bucket.head(&key)) {
            Ok(meta) if meta.size == draft.size_bytes => Ok(()),
            Ok(_) => Err(StoreError::Occupied),
            Err(_) => Err(of(&failure)),
        }
    }

    fn open(&self, name: &Cid) -> Result<Option<Box<dyn Object>>, StoreError> {
        let key = self.key(name);
        match self.wait(self.bucket.head(&key)) {
            Ok(meta) => Ok(Some(Box::new(S3Object {
                bucket: Arc::clone(&self.bucket),
                waiting: Arc::clone(&self.waiting),
                key,
                size_bytes: meta.size,
                ahead: Bytes::new(),
                ahead_at: 0,
            }))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(of(&error)),
        }
    }

    fn remove(&self, name: &Cid) -> Result<(), StoreError> {
        match self.wait(self.bucket.delete(&self.key(name))) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(of(&error)),
        }
    }

    fn place(&self, name: &Cid) -> String {
        format!("s3://{}/{}", self.location.bucket, self.key(name))
    }
}

impl fmt::Debug for S3Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Store").field("location", &self.location).finish_non_exhaustive()
    }
}

/// An object, read ahead in a few large requests.
struct S3Object {
    bucket: Arc<AmazonS3>,
    waiting: Arc<Waiting>,
    key: Path,
    size_bytes: u64,
    ahead: Bytes,
    ahead_at: u64,
}

impl Object for S3Object {
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
        let length = into.len().max(READ_AHEAD_BYTES) as u64;
        let end = offset.saturating_add(length).min(self.size_bytes);
        let got = self.waiting.on(self.bucket.get_range(&self.key, offset..end));
        let got = got.ok_or(StoreError::Short)?.map_err(|error| of(&error))?;
        into.copy_from_slice(got.get(..into.len()).ok_or(StoreError::Short)?);
        (self.ahead, self.ahead_at) = (got, offset);
        Ok(())
    }
}

fn read_part(file: &File, at: u64, length: usize) -> std::io::Result<Bytes> {
    let mut part = vec![0; length];
    file.read_exact_at(&mut part, at)?;
    Ok(part.into())
}

fn local(source: std::io::Error) -> object_store::Error {
    object_store::Error::Generic { store: "draft", source: Box::new(source) }
}

/// An error of the service in our words; a short text, for services answer with pages.
fn of(error: &object_store::Error) -> StoreError {
    use object_store::Error as E;
    let text = |error: &E| error.to_string().chars().take(TEXT_CHARS_MAX).collect::<String>();
    match error {
        E::AlreadyExists { .. } | E::Precondition { .. } => StoreError::Occupied,
        E::PermissionDenied { .. } | E::Unauthenticated { .. } => {
            StoreError::Refused("the credentials are not accepted".to_owned())
        }
        E::NotFound { .. } => StoreError::Refused("there is no such bucket".to_owned()),
        error => StoreError::Unreachable(text(error)),
    }
}

/// Gives `object_store` our connections.
#[derive(Debug)]
struct Connector(Arc<Http>);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Service(Arc::clone(&self.0))))
    }
}

#[derive(Debug)]
struct Service(Arc<Http>);

type Answering<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>;

impl HttpService for Service {
    fn call<'life0, 'async_trait>(&'life0 self, request: HttpRequest) -> Answering<'async_trait>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            // The end of an upload in parts must not replace anything either; `object_store` has no word for it.
            let query = head.uri.query().unwrap_or_default();
            if head.method == Method::POST && query.starts_with("uploadId=") {
                head.headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"));
            }
            let body = body.map_err(Into::into).boxed();
            let answer = self.0.send(Request::from_parts(head, body)).await.map_err(failed)?;
            let (head, body) = answer.into_parts();
            let body = HttpResponseBody::new(body.map_err(|error| failed(broken(error))));
            Ok(HttpResponse::from_parts(head, body))
        })
    }
}

fn failed(failure: HttpFailure) -> HttpError {
    let kind = match failure {
        HttpFailure::Connect(_) => HttpErrorKind::Connect,
        HttpFailure::Stalled => HttpErrorKind::Timeout,
        HttpFailure::Broken(_) => HttpErrorKind::Interrupted,
        HttpFailure::Public(_) => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, failure)
}

const PARTS_UNDER_WAY: usize = 2;
const BACKOFF_MAX: Duration = Duration::from_secs(2);
const RETRY_TIMEOUT: Duration = Duration::from_secs(60);
const TEXT_CHARS_MAX: usize = 300;
