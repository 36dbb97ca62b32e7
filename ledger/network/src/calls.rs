//! Questions to a peer and their answers, on a stream of their own.

mod codec;

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use changbai_msp::Identity;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use self::codec::{CallMalformed, CallMessage};
use crate::codes::Reason;
use crate::limits::{
    CALL_BYTES_MAX, CALL_DEADLINE_MAX, CALLS_ANSWERS_BYTES_MAX, CALLS_PENDING_MAX, CALLS_SERVED_MAX,
};
use crate::stream::Stream;

/// Answers what peers ask. Whoever asks is a verified node of the channel; what it may ask is decided
/// here.
pub trait CallHandler: Send + Sync {
    /// Begins to work on a call. The future is dropped at the call's deadline, and when the link ends.
    fn call(&self, caller: Arc<Identity>, call: Call) -> Answering;
}

/// A future answer.
pub type Answering = Pin<Box<dyn Future<Output = Result<Bytes, CallRefusal>> + Send>>;

/// What a peer asks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Call {
    /// The channel whose link it came on.
    pub channel: String,
    /// What is asked; the meaning is the floors' above.
    pub method: u8,
    /// The question, at most [`CALL_BYTES_MAX`] bytes.
    pub request: Bytes,
    /// How long the caller still waits, as it says, at most [`CALL_DEADLINE_MAX`].
    pub deadline: Duration,
}

/// A question that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {text}")]
pub struct CallRefusal {
    /// A stable code.
    pub code: String,
    /// For people.
    pub text: String,
}

impl From<Reason> for CallRefusal {
    fn from(reason: Reason) -> Self {
        Self { code: reason.code().to_owned(), text: reason.en().to_owned() }
    }
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Too much is under way, here or there: later, perhaps.
    #[error("too many calls are under way")]
    Busy,
    /// The peer refuses.
    #[error(transparent)]
    Refused(#[from] CallRefusal),
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// There is no link to the peer, or it ended before the answer.
    #[error("the peer is not connected")]
    Disconnected,
    /// The question is longer than [`CALL_BYTES_MAX`].
    #[error("a call of {bytes} bytes: {CALL_BYTES_MAX} are allowed")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
}

/// The calls of one link, in both directions.
pub(crate) struct Calls {
    channel: String,
    handler: Option<Arc<dyn CallHandler>>,
    caller: Arc<Identity>,
    served: Arc<Semaphore>,
    tasks: Mutex<JoinSet<()>>,
    open: Mutex<Open>,
}

/// Calls of this node that wait for their answers.
#[derive(Default)]
struct Open {
    next: u32,
    waiting: HashMap<u32, oneshot::Sender<Result<Bytes, CallError>>>,
    closed: bool,
}

impl Calls {
    pub(crate) fn new(
        channel: String,
        handler: Option<Arc<dyn CallHandler>>,
        caller: Arc<Identity>,
    ) -> Self {
        Self {
            channel,
            handler,
            caller,
            served: Arc::new(Semaphore::new(CALLS_SERVED_MAX)),
            tasks: Mutex::default(),
            open: Mutex::default(),
        }
    }

    /// Takes a message of the peer.
    pub(crate) fn receive(&self, stream: &Arc<Stream>, bytes: Bytes) -> Result<(), CallMalformed> {
        match CallMessage::decode(bytes)? {
            CallMessage::Request { id, method, deadline_ms, request } => {
                let deadline = Duration::from_millis(deadline_ms.into()).min(CALL_DEADLINE_MAX);
                let channel = self.channel.clone();
                self.serve(stream, id, Call { channel, method, request, deadline });
            }
            CallMessage::Answer { id, answer } => self.finish(id, Ok(answer)),
            CallMessage::Refused { id, refusal } => self.finish(id, Err(refusal.into())),
            CallMessage::Busy { id } => self.finish(id, Err(CallError::Busy)),
        }
        Ok(())
    }

    /// The link is gone: nobody waits any longer, nothing is worked on.
    pub(crate) fn close(&self) {
        let mut open = lock(&self.open);
        open.closed = true;
        open.waiting.clear();
        drop(open);
        lock(&self.tasks).abort_all();
    }

    fn serve(&self, stream: &Arc<Stream>, id: u32, call: Call) {
        let Some(handler) = &self.handler else {
            let refusal = Reason::Unserved.into();
            return reply(stream, &CallMessage::Refused { id, refusal });
        };
        // A peer that asks and does not read its answers is asked to wait as well.
        let place = Arc::clone(&self.served).try_acquire_owned().ok();
        let Some(place) = place.filter(|_| stream.queue.bytes() < CALLS_ANSWERS_BYTES_MAX) else {
            return reply(stream, &CallMessage::Busy { id });
        };
        let deadline = call.deadline;
        let answering = handler.call(Arc::clone(&self.caller), call);
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(answer(Arc::clone(stream), id, deadline, answering, place));
    }

    fn finish(&self, id: u32, result: Result<Bytes, CallError>) {
        // An answer that nobody waits for came too late.
        if let Some(waiting) = lock(&self.open).waiting.remove(&id) {
            drop(waiting.send(result));
        }
    }

    fn begin(&self) -> Result<(u32, oneshot::Receiver<Result<Bytes, CallError>>), CallError> {
        let mut open = lock(&self.open);
        if open.closed {
            return Err(CallError::Disconnected);
        }
        if open.waiting.len() >= CALLS_PENDING_MAX {
            return Err(CallError::Busy);
        }
        let (sender, receiver) = oneshot::channel();
        let mut id = open.next;
        while open.waiting.contains_key(&id) {
            id = id.wrapping_add(1);
        }
        open.next = id.wrapping_add(1);
        open.waiting.insert(id, sender);
        Ok((id, receiver))
    }
}

/// Asks the peer at the other end of a link. Dropping the future forgets the call.
pub(crate) async fn ask(
    stream: &Stream,
    method: u8,
    request: Bytes,
    deadline: Duration,
) -> Result<Bytes, CallError> {
    if request.len() > CALL_BYTES_MAX {
        return Err(CallError::TooLarge { bytes: request.len() });
    }
    let calls = stream.calls.as_ref().ok_or(CallError::Disconnected)?;
    let (id, answer) = calls.begin()?;
    let _forget = Forget { calls, id };
    let deadline_ms = u32::try_from(deadline.as_millis()).unwrap_or(u32::MAX);
    let message = CallMessage::Request { id, method, deadline_ms, request };
    if !stream.queue.push(message.encode()).taken {
        return Err(CallError::Busy);
    }
    match timeout(deadline, answer).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(CallError::Disconnected),
        Err(_) => Err(CallError::Timeout),
    }
}

/// Takes a call off the list, however it ends.
struct Forget<'a> {
    calls: &'a Calls,
    id: u32,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        lock(&self.calls.open).waiting.remove(&self.id);
    }
}

async fn answer(
    stream: Arc<Stream>,
    id: u32,
    deadline: Duration,
    answering: Answering,
    _place: OwnedSemaphorePermit,
) {
    let message = match timeout(deadline, answering).await {
        Ok(Ok(answer)) if answer.len() <= CALL_BYTES_MAX => CallMessage::Answer { id, answer },
        Ok(Ok(_)) => CallMessage::Refused { id, refusal: Reason::AnswerTooLong.into() },
        Ok(Err(refusal)) => CallMessage::Refused { id, refusal },
        Err(_) => CallMessage::Refused { id, refusal: Reason::AnswerLate.into() },
    };
    reply(&stream, &message);
}

/// What finds no room is dropped: the caller's deadline ends its wait.
fn reply(stream: &Stream, message: &CallMessage) {
    let _ = stream.queue.push(message.encode());
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Calls").field("channel", &self.channel).finish_non_exhaustive()
    }
}
