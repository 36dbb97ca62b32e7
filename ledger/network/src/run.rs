//! Runs a link until it ends: reads, writes, and watches that both go on.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::codes::{Reason, Refusal};
use crate::frame::{self, Control, Frame, FrameError};
use crate::inbound::Arrived;
use crate::limits::{READ_BYTES, WRITE_BATCH_BYTES, inbound_bytes};
use crate::opening::Opened;
use crate::room::Room;
use crate::stream::Stream;

/// How long the last words of a link may take.
const BYE: Duration = Duration::from_millis(200);

/// Runs an opened link as a task of its room.
pub(crate) fn start(opened: Opened) {
    let room = Arc::clone(&opened.place.room);
    room.spawn(Box::pin(run(opened)));
}

async fn run(opened: Opened) {
    let Opened { link, mut place } = opened;
    let (room, stream) = (Arc::clone(&place.room), Arc::clone(&place.stream));
    let (reader, writer) = tokio::io::split(link);
    let mut writing = Box::pin(write(&room, &stream, writer));
    let (refusal, written) = tokio::select! {
        refusal = Box::pin(read(&room, &stream, place.connected.clone(), reader)) => (refusal, false),
        refusal = &mut writing => (refusal, true),
        refusal = watch(&room, &stream) => (refusal, false),
        refusal = stream.ended() => (refusal, false),
    };
    if !written && !refusal.by_peer && refusal.reason != Reason::Lost {
        stream.queue.control(Control::Bye(refusal.reason.told().number()));
        drop(timeout(BYE, writing).await);
    }
    place.refusal = Some(refusal);
}

async fn read(
    room: &Room,
    stream: &Arc<Stream>,
    mut connected: watch::Receiver<bool>,
    mut reader: impl AsyncRead + Unpin,
) -> Refusal {
    let bytes_max = stream.kind.message_bytes_max();
    let mut buffer = BytesMut::new();
    loop {
        match frame::read(&mut buffer, bytes_max) {
            Ok(Some(Frame::Message(message))) => {
                if let Err(refusal) = receive(room, stream, &mut connected, message).await {
                    return refusal;
                }
                continue;
            }
            Ok(Some(Frame::Control(Control::Ping(number)))) => {
                stream.queue.control(Control::Pong(number));
                continue;
            }
            Ok(Some(Frame::Control(Control::Pong(number)))) => {
                stream.answered(number);
                continue;
            }
            Ok(Some(Frame::Control(Control::Bye(number)))) => return Refusal::by_peer(number),
            Ok(None) => {}
            Err(error @ FrameError::TooLong { .. }) => {
                return Refusal::new(Reason::FrameTooLong, error.to_string());
            }
            Err(error) => return Refusal::new(Reason::FrameMalformed, error.to_string()),
        }
        buffer.reserve(READ_BYTES);
        match reader.read_buf(&mut buffer).await {
            Ok(0) => return Refusal::new(Reason::Lost, "the peer closed it"),
            Ok(_) => stream.hear(),
            Err(error) => return Refusal::new(Reason::Lost, error.to_string()),
        }
    }
}

/// Hands a message on; waits while there is no room for it.
async fn receive(
    room: &Room,
    stream: &Arc<Stream>,
    connected: &mut watch::Receiver<bool>,
    bytes: Bytes,
) -> Result<(), Refusal> {
    let counters = room.counters.of(stream.kind);
    counters.messages_in.add(1);
    counters.bytes_in.add(bytes.len() as u64);
    let Some(class) = stream.kind.class() else {
        let Some(calls) = &stream.calls else { return Ok(()) };
        return calls.receive(stream, bytes).map_err(|_| Reason::CallMalformed.into());
    };
    let is_connected = *connected.borrow_and_update();
    if !is_connected {
        // The orderer hears a peer only once all its streams are up.
        stream.set_held(true);
        let complete = timeout(room.limits.incomplete, connected.wait_for(|up| *up)).await;
        stream.set_held(false);
        if !matches!(complete, Ok(Ok(_))) {
            return Err(Reason::Incomplete.into());
        }
    }
    let wanted = bytes.len().clamp(1, inbound_bytes(stream.kind));
    let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
    let free = Arc::clone(&stream.room);
    let permit = match Arc::clone(&free).try_acquire_many_owned(wanted) {
        Ok(permit) => permit,
        Err(_) => {
            stream.set_held(true);
            let permit = free.acquire_many_owned(wanted).await;
            stream.set_held(false);
            permit.map_err(|_| Reason::Stopping)?
        }
    };
    room.inbound.push(class, Arrived { from: stream.remote.peer, bytes, room: permit });
    Ok(())
}

async fn write(room: &Room, stream: &Stream, mut writer: impl AsyncWrite + Unpin) -> Refusal {
    let mut buffer = BytesMut::with_capacity(4 << 10);
    let counters = room.counters.of(stream.kind);
    loop {
        let batch = stream.queue.take(WRITE_BATCH_BYTES).await;
        let bytes: usize = batch.messages.iter().map(Bytes::len).sum();
        let last = batch.last;
        let written = async {
            for control in batch.controls {
                frame::write_control(&mut buffer, control);
            }
            for message in &batch.messages {
                frame::write_header(&mut buffer, message);
                if buffer.len() + message.len() <= WRITE_BATCH_BYTES {
                    buffer.extend_from_slice(message);
                } else {
                    writer.write_all_buf(&mut buffer).await?;
                    writer.write_all(message).await?;
                }
            }
            writer.write_all_buf(&mut buffer).await?;
            writer.flush().await
        };
        match timeout(room.limits.write_stall, written).await {
            Ok(Ok(())) => {
                counters.messages_out.add(batch.messages.len() as u64);
                counters.bytes_out.add(bytes as u64);
            }
            Ok(Err(error)) => return Refusal::new(Reason::Lost, error.to_string()),
            Err(_) => return Reason::Stalled.into(),
        }
        if last {
            drop(writer.shutdown().await);
            return Reason::Lost.into();
        }
    }
}

async fn watch(room: &Room, stream: &Stream) -> Refusal {
    let mut ticks = interval(room.limits.ping);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = Instant::now();
    loop {
        ticks.tick().await;
        if last.elapsed() > room.limits.ping.saturating_mul(3) {
            // This process did not run: whatever the peer said meanwhile has yet to be read.
            stream.hear();
        }
        last = Instant::now();
        if stream.silence() >= room.limits.silence {
            return Reason::Silence.into();
        }
        stream.queue.control(Control::Ping(stream.age_us()));
    }
}
