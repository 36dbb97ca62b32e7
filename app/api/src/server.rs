//! The listener: bounded connections, bounded waits for request heads, an orderly end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::limits::{ACCEPT_PAUSE, HEAD_BYTES_MAX, HEADERS_MAX, Limits};
use crate::{ApiState, router};

/// Serves until `stop` resolves; then takes no more connections, lets open requests end for at
/// most `grace`, and breaks off what is left.
///
/// With `connections_max` open connections a further one waits in the system's backlog. A
/// connection that does not complete a request head within `head_wait_max` is closed, an idle one
/// too.
pub async fn serve(
    listener: TcpListener,
    state: ApiState,
    stop: impl Future<Output = ()>,
    grace: Duration,
) {
    let limits = state.limits().clone();
    let service = TowerToHyperService::new(router(state));
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, stream) = tokio::select! {
            (place, accepted) = accepted => (place, accepted),
            () = &mut stop => break,
        };
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = stream else {
            // Out of file descriptors, most likely: they come back as connections end.
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let connection = graceful.watch(connection(stream, &limits, service.clone()));
        connections.spawn(async move {
            let _place = place;
            // A client that breaks off is nobody's failure.
            drop(connection.await);
        });
    }
    drop(listener);
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("api::serve breaks off requests that did not end in time");
    }
    connections.shutdown().await;
}

type Connection = http1::Connection<TokioIo<TcpStream>, TowerToHyperService<axum::Router>>;

fn connection(
    stream: TcpStream,
    limits: &Limits,
    service: TowerToHyperService<axum::Router>,
) -> Connection {
    // Answers are small: waiting for more to send with them only costs time.
    drop(stream.set_nodelay(true));
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_wait_max)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
}
