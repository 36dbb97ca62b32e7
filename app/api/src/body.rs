//! Request and response bodies between hyper's frames and blocking readers and writers: hashed, bounded
//! in bytes, in rate and in silence, with a few chunks in flight and never the whole.

use std::io::{self, Read, Write};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt as _;
use smkit::sm3::{Sm3, Sm3Digest};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use crate::limits::{Limits, STREAM_CHUNK_BYTES, STREAM_CHUNKS_MAX};
use crate::problem::{Code, Problem};

/// What was received in all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {
    pub(crate) sm3: Sm3Digest,
}

/// A request body with its bounds.
#[derive(Debug)]
pub(crate) struct Incoming {
    body: Body,
    announced: u64,
    bytes_max: u64,
    received: u64,
    started: Instant,
    idle: Duration,
    grace: Duration,
    rate_min: u64,
    waits_for_100: bool,
}

impl Incoming {
    /// Wraps a body; nothing is read yet, and nothing may be until [`limit`](Self::limit) says how much.
    pub(crate) fn new(body: Body, headers: &HeaderMap, limits: &Limits) -> Self {
        let length =
            headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
        Self {
            body,
            announced: length.unwrap_or(0),
            bytes_max: 0,
            received: 0,
            started: Instant::now(),
            idle: limits.body_idle_max,
            grace: limits.body_grace,
            rate_min: limits.body_bytes_per_second_min.max(1),
            waits_for_100: headers.contains_key(header::EXPECT),
        }
    }

    /// Allows a number of bytes; refuses at once what `Content-Length` announces as more.
    pub(crate) fn limit(&mut self, bytes_max: u64) -> Result<(), Problem> {
        self.bytes_max = bytes_max;
        if self.announced > bytes_max { Err(too_large(bytes_max)) } else { Ok(()) }
    }

    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            let allowed = Duration::from_secs(self.received / self.rate_min);
            let deadline = (self.started + self.grace + allowed).min(Instant::now() + self.idle);
            let Ok(frame) = timeout_at(deadline, self.body.frame()).await else {
                return Err(Problem::new(Code::BodyTooSlow));
            };
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|_| {
                Problem::new(Code::Malformed).detail("正文传输中断", "the body broke off")
            })?;
            let Ok(data) = frame.into_data() else { continue };
            self.received = self.received.saturating_add(data.len() as u64);
            if self.received > self.bytes_max {
                return Err(too_large(self.bytes_max));
            }
            if !data.is_empty() {
                return Ok(Some(data));
            }
        }
    }

    /// Reads a small body whole.
    pub(crate) async fn whole(&mut self) -> Result<(Bytes, Received), Problem> {
        let (mut all, mut hash) = (BytesMut::new(), Sm3::new());
        while let Some(data) = self.next().await? {
            hash.update(&data);
            all.extend_from_slice(&data);
        }
        Ok((all.freeze(), Received { sm3: hash.finalize() }))
    }

    /// Sends the body to a blocking reader and hashes it on the way. `Ok(None)` means that the reader has
    /// gone away and knows why.
    pub(crate) async fn pump(&mut self, feed: &Feed) -> Result<Option<Received>, Problem> {
        let mut hash = Sm3::new();
        while let Some(data) = self.next().await? {
            hash.update(&data);
            if feed.0.send(Message::Data(data)).await.is_err() {
                return Ok(None);
            }
        }
        let sent = feed.0.send(Message::End).await;
        Ok(sent.ok().map(|()| Received { sm3: hash.finalize() }))
    }

    /// Reads and drops a little of what is left, so that a client still writing can read its refusal
    /// before the connection closes.
    pub(crate) async fn drain(&mut self) {
        if self.waits_for_100 && self.received == 0 {
            return;
        }
        let _ = timeout(Duration::from_secs(2), async {
            let mut left = 4_u64 << 20;
            while let Some(Ok(frame)) = self.body.frame().await {
                let length = frame.data_ref().map_or(0, Bytes::len) as u64;
                match left.checked_sub(length) {
                    Some(rest) => left = rest,
                    None => return,
                }
            }
        })
        .await;
    }
}

fn too_large(bytes_max: u64) -> Problem {
    Problem::new(Code::TooLarge)
        .detail(format!("上限为 {bytes_max} 字节"), format!("the limit is {bytes_max} bytes"))
}

#[derive(Debug)]
enum Message {
    Data(Bytes),
    End,
}

/// The asynchronous end of a [`FeedReader`].
#[derive(Debug)]
pub(crate) struct Feed(mpsc::Sender<Message>);

/// A blocking `Read` over what a [`Feed`] sends. A feed dropped before its end reads as an error, never
/// as an end: half a body is not a body.
#[derive(Debug)]
pub(crate) struct FeedReader {
    messages: mpsc::Receiver<Message>,
    current: Bytes,
    ended: bool,
}

pub(crate) fn feed() -> (Feed, FeedReader) {
    let (sender, messages) = mpsc::channel(STREAM_CHUNKS_MAX);
    (Feed(sender), FeedReader { messages, current: Bytes::new(), ended: false })
}

impl Read for FeedReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() && !self.ended {
            match self.messages.blocking_recv() {
                Some(Message::Data(data)) => self.current = data,
                Some(Message::End) => self.ended = true,
                None => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
        let count = self.current.len().min(into.len());
        let (room, _) = into.split_at_mut(count);
        self.current.copy_to_slice(room);
        Ok(count)
    }
}

/// A blocking `Write` whose bytes become a response body. A client that does not read for the idle time
/// fails the write.
#[derive(Debug)]
pub(crate) struct BodyWriter {
    chunks: mpsc::Sender<io::Result<Bytes>>,
    pending: BytesMut,
    runtime: Handle,
    idle: Duration,
}

/// A writer for a blocking thread and the body that it fills. Must be called inside the runtime.
pub(crate) fn outgoing(idle: Duration) -> (BodyWriter, Body) {
    let (chunks, receiver) = mpsc::channel(STREAM_CHUNKS_MAX);
    let writer = BodyWriter { chunks, pending: BytesMut::new(), runtime: Handle::current(), idle };
    let stream = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk: io::Result<Bytes>| (chunk, receiver))
    });
    (writer, Body::from_stream(stream))
}

impl BodyWriter {
    /// Ends the body: flushes after success; after a failure breaks the connection, so that a client never
    /// takes half an answer for a whole one.
    pub(crate) fn end(mut self, result: io::Result<()>) {
        let sent = match result {
            Ok(()) => self.flush(),
            Err(error) => self.send(Err(error)),
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "api::download client left");
        }
    }

    fn send(&self, chunk: io::Result<Bytes>) -> io::Result<()> {
        let sent = self.runtime.block_on(timeout(self.idle, self.chunks.send(chunk)));
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl Write for BodyWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let room = STREAM_CHUNK_BYTES.saturating_sub(self.pending.len());
        let (now, _) = data.split_at(room.min(data.len()));
        self.pending.extend_from_slice(now);
        if self.pending.len() >= STREAM_CHUNK_BYTES {
            self.flush()?;
        }
        Ok(now.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let chunk = self.pending.split().freeze();
        self.send(Ok(chunk))
    }
}
