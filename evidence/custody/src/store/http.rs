//! An HTTP/1.1 client for stores in the own network: one runtime thread, a few connections, bounds on every wait.
//!
//! Each address is judged before it is dialled, whatever name it was found under; a redirect is not followed.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::location::{Endpoint, is_private};

/// What goes over a connection.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A future of a connection.
pub type Securing<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send + 'a>>;

/// Puts GM TLS around a connection: the node's to give, for it has the certificates.
pub trait Secure: fmt::Debug + Send + Sync {
    /// Does the handshake with the server that was dialled as `host`.
    fn secure<'a>(&'a self, stream: TcpStream, host: &'a str) -> Securing<'a>;
}

/// How long a remote store may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection, GM TLS included.
    pub connect: Duration,
    /// Without a byte in either direction.
    pub idle: Duration,
    /// How often a request that failed for no reason of its own is tried again.
    pub retries: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), idle: Duration::from_secs(30), retries: 3 }
    }
}

/// A body on its way out.
pub(crate) type Body = BoxBody<Bytes, Box<dyn Error + Send + Sync>>;

/// The client of one server.
pub(crate) struct Http {
    endpoint: Endpoint,
    secure: Option<Arc<dyn Secure>>,
    patience: Patience,
    idle: Mutex<Vec<SendRequest<Body>>>,
}

/// Why an exchange failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpFailure {
    #[error("{0} is no address of a private network")]
    Public(SocketAddr),
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    #[error("nothing came for too long")]
    Stalled,
    #[error("the exchange broke off: {0}")]
    Broken(String),
}

impl Http {
    pub(crate) fn new(
        endpoint: Endpoint,
        secure: Option<Arc<dyn Secure>>,
        patience: Patience,
    ) -> Self {
        Self { endpoint, secure, patience, idle: Mutex::default() }
    }

    /// Sends one request, its URI in origin form or absolute; the connection is used again once its body is read.
    pub(crate) async fn send(
        &self,
        mut request: Request<Body>,
    ) -> Result<Response<Incoming>, HttpFailure> {
        let Endpoint { host, port, .. } = &self.endpoint;
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = path.parse().map_err(|_| HttpFailure::Broken("a path".to_owned()))?;
        if !request.headers().contains_key(HOST) {
            let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
            let value = HeaderValue::from_str(&format!("{host}:{port}"));
            let value = value.map_err(|_| HttpFailure::Broken("a host name".to_owned()))?;
            request.headers_mut().insert(HOST, value);
        }
        let mut sender = match self.take_idle() {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let answer = sender.send_request(request).await.map_err(broken)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(sender);
        }
        Ok(answer)
    }

    /// A connection whose last body has been read.
    fn take_idle(&self) -> Option<SendRequest<Body>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|sender| !sender.is_closed());
        let ready = idle.iter().position(SendRequest::is_ready)?;
        Some(idle.swap_remove(ready))
    }

    async fn connect(&self) -> Result<SendRequest<Body>, HttpFailure> {
        let connecting = timeout(self.patience.connect, self.dial()).await;
        let stream = connecting.unwrap_or_else(|_| Err(HttpFailure::Stalled))?;
        let stream = Timed { stream, idle: self.patience.idle, deadline: None };
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
        #[expect(clippy::disallowed_methods, reason = "a task of the store's own runtime")]
        drop(tokio::spawn(async move {
            // Whoever waits for the answer is told the error.
            drop(connection.await);
        }));
        Ok(sender)
    }

    async fn dial(&self) -> Result<Box<dyn Stream>, HttpFailure> {
        let Endpoint { host, port, secure } = &self.endpoint;
        let addresses = lookup_host((host.as_str(), *port)).await.map_err(HttpFailure::Connect)?;
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in addresses {
            if !is_private(address.ip()) {
                return Err(HttpFailure::Public(address));
            }
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    drop(stream.set_nodelay(true));
                    return match (&self.secure, secure) {
                        (_, false) => Ok(Box::new(stream)),
                        (Some(tls), true) => {
                            tls.secure(stream, host).await.map_err(HttpFailure::Connect)
                        }
                        (None, true) => {
                            Err(HttpFailure::Connect(io::Error::other("no GM TLS here")))
                        }
                    };
                }
                Err(error) => last = error,
            }
        }
        Err(HttpFailure::Connect(last))
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// A hyper error in our words.
pub(crate) fn broken(error: hyper::Error) -> HttpFailure {
    let mut source: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(inner) = source {
        let io = inner.downcast_ref::<io::Error>();
        if io.is_some_and(|io| io.kind() == io::ErrorKind::TimedOut) {
            return HttpFailure::Stalled;
        }
        source = inner.source();
    }
    HttpFailure::Broken(error.to_string())
}

/// A connection on which nothing may stand still for too long.
struct Timed {
    stream: Box<dyn Stream>,
    idle: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Timed {
    /// What an operation came to, or that its time is up.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            if let Some(deadline) = &mut self.deadline {
                deadline.as_mut().reset(Instant::now() + self.idle);
            }
            return polled;
        }
        let idle = self.idle;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(idle)));
        match deadline.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Timed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, into);
        self.watch(context, polled)
    }
}

impl AsyncWrite for Timed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(context, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The runtime of a remote store: calls of [`super::Store`] wait on it.
pub(crate) struct Waiting(Option<Runtime>);

impl Waiting {
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("custody-store")
            .enable_io()
            .enable_time()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Waits for `work`. Must not be called on a thread of an async runtime.
    pub(crate) fn on<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.0.as_ref().map(|runtime| runtime.block_on(work))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // In an async context a runtime cannot wait for its threads.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waiting")
    }
}

/// Connections kept open.
const IDLE_MAX: usize = 4;
