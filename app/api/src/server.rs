//! The listeners: bounded connections, bounded waits for request heads, an orderly end.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use smkit_tls::link::Acceptor;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::limits::{ACCEPT_PAUSE, HEAD_BYTES_MAX, HEADERS_MAX, Limits};
use crate::transport::Transport;

/// A socket with what is spoken there.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    tls: Option<Arc<Acceptor>>,
}

impl Listener {
    /// HTTP without protection: for loopback.
    #[must_use]
    pub const fn plain(socket: TcpListener) -> Self {
        Self { socket, tls: None }
    }

    /// HTTP over GM TLS. Whoever replaces the acceptor's credentials replaces them for the next connection.
    #[must_use]
    pub const fn gm_tls(socket: TcpListener, acceptor: Arc<Acceptor>) -> Self {
        Self { socket, tls: Some(acceptor) }
    }
}

/// Serves `router` until `stop` resolves; then takes no more connections, lets open requests end for at most `grace`,
/// and breaks off what is left. Each request carries a [`Transport`] in its extensions.
///
/// With `connections_max` open connections a further one waits in the system's backlog. A connection that does not
/// complete its handshake or a request head in time is closed, an idle one too.
pub async fn serve(
    listeners: Vec<Listener>,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
    grace: Duration,
) {
    let graceful = Arc::new(GracefulShutdown::new());
    let (end, ended) = watch::channel(false);
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let mut accepting = JoinSet::new();
    for listener in listeners {
        let entrance = Entrance {
            listener,
            service: TowerToHyperService::new(router.clone()),
            head_wait_max: limits.head_wait_max,
            places: Arc::clone(&places),
            ended: ended.clone(),
            graceful: Arc::clone(&graceful),
        };
        accepting.spawn(entrance.accept());
    }
    drop(ended);
    stop.await;
    // Nobody listens any more when every entrance has ended by itself: a defect, and an end all the same.
    let _ = end.send(true);
    let mut connections = Vec::new();
    while let Some(entrance) = accepting.join_next().await {
        connections.extend(entrance);
    }
    // The entrances are gone, and with them every other handle.
    let Some(graceful) = Arc::into_inner(graceful) else { return };
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("api::serve breaks off requests that did not end in time");
    }
    for mut set in connections {
        set.shutdown().await;
    }
}

/// One listener at work.
struct Entrance {
    listener: Listener,
    service: TowerToHyperService<Router>,
    head_wait_max: Duration,
    places: Arc<Semaphore>,
    ended: watch::Receiver<bool>,
    graceful: Arc<GracefulShutdown>,
}

impl Entrance {
    /// Takes connections until the end, and hands over those still open.
    async fn accept(mut self) -> JoinSet<()> {
        let mut connections = JoinSet::new();
        loop {
            let accepted = async {
                let place = Arc::clone(&self.places).acquire_owned().await;
                (place, self.listener.socket.accept().await)
            };
            let (place, stream) = tokio::select! {
                accepted = accepted => accepted,
                _ = self.ended.wait_for(|ended| *ended) => return connections,
            };
            while connections.try_join_next().is_some() {}
            match (place, stream) {
                (Ok(place), Ok((stream, remote))) => {
                    let connection = self.connection(stream, remote, self.graceful.watcher());
                    connections.spawn(held(place, connection));
                }
                // Out of file descriptors, most likely: they come back as connections end.
                _ => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    fn connection(
        &self,
        stream: TcpStream,
        remote: SocketAddr,
        watcher: Watcher,
    ) -> impl Future<Output = ()> + Send + use<> {
        // Answers are small: waiting for more to send with them only costs time.
        drop(stream.set_nodelay(true));
        let (tls, service) = (self.listener.tls.clone(), self.service.clone());
        let (head_wait_max, mut ended) = (self.head_wait_max, self.ended.clone());
        async move {
            let Some(acceptor) = tls else {
                let transport = Transport { remote, certificates: Vec::new() };
                return serve_http(stream, transport, service, head_wait_max, watcher).await;
            };
            let shaken = tokio::select! {
                shaken = Box::pin(acceptor.accept(stream)) => shaken,
                _ = ended.wait_for(|ended| *ended) => return,
            };
            match shaken {
                Ok(link) => {
                    let certificates = link.peer().map(|peer| peer.chain().to_vec());
                    let transport =
                        Transport { remote, certificates: certificates.unwrap_or_default() };
                    serve_http(link, transport, service, head_wait_max, watcher).await;
                }
                Err(error) => tracing::info!(%remote, %error, "api::handshake_failed"),
            }
        }
    }
}

async fn held(place: OwnedSemaphorePermit, connection: impl Future<Output = ()>) {
    connection.await;
    drop(place);
}

async fn serve_http<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    transport: Transport,
    service: TowerToHyperService<Router>,
    head_wait_max: Duration,
    watcher: Watcher,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(transport.clone());
        service.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_wait_max)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    // A client that breaks off is nobody's failure.
    drop(watcher.watch(connection).await);
}
