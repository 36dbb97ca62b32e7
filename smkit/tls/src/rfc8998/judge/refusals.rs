//! The exact reason of a refusal, on its way past rustls.
//!
//! rustls derives the alert from the error it is given, and the errors with the right alerts carry no data. So the reason
//! waits here until the thread that drove the connection asks for it; a verifier runs on that thread, inside the call that
//! then fails.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    thread::{self, ThreadId},
};

use crate::peer::PeerRefusal;

#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<HashMap<ThreadId, PeerRefusal>>);

impl Refusals {
    /// A new question is being asked: an answer nobody took is none to it.
    pub(super) fn forget(&self) {
        self.take();
    }

    pub(super) fn keep(&self, refusal: PeerRefusal) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Threads that died without asking leave theirs behind.
        if waiting.len() >= WAITING_MAX {
            waiting.clear();
        }
        waiting.insert(thread::current().id(), refusal);
    }

    pub(super) fn take(&self) -> Option<PeerRefusal> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(&thread::current().id())
    }
}

/// More than any program has threads that drive connections.
const WAITING_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_given_once_and_to_its_own_thread() {
        let refusals = Refusals::default();
        refusals.keep(PeerRefusal::no_certificate());
        thread::scope(|scope| {
            let elsewhere = scope.spawn(|| refusals.take()).join();
            assert_eq!(elsewhere.unwrap(), None);
        });
        assert_eq!(refusals.take(), Some(PeerRefusal::no_certificate()));
        assert_eq!(refusals.take(), None);
    }

    #[test]
    fn a_new_question_forgets_the_old_answer() {
        let refusals = Refusals::default();
        refusals.keep(PeerRefusal::no_certificate());
        refusals.forget();
        assert_eq!(refusals.take(), None);
    }
}
