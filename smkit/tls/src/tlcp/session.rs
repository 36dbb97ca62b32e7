//! Sessions that can be resumed, and the bounded memory for them.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{keys::MasterSecret, messages::SessionId, pair::Pair, suite::CipherSuite};

/// What a full handshake established and a later one may build on (会话重用).
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) suite: CipherSuite,
    pub(crate) master: MasterSecret,
    pub(crate) peer: Option<Pair>,
    /// The name under which the server was asked for (RFC 6066 §3: another name, another session).
    pub(crate) server_name: Option<String>,
    /// From this second on it is forgotten.
    pub(crate) ends_at: i64,
}

impl Session {
    /// The end of a session that begins at `now`: its peer's certificates limit it as well, for they are not judged again.
    pub(crate) fn end(now: i64, lifetime_seconds: u32, peer: Option<&Pair>) -> i64 {
        let end = now.saturating_add(lifetime_seconds.into());
        peer.map_or(end, |peer| end.min(peer.not_after()))
    }
}

/// Sessions by server name (a client's) or by id (a server's). When it is full the oldest goes. Belongs to one
/// configuration: a session established under one policy is never resumed under another.
pub(crate) struct Sessions<K> {
    capacity: usize,
    pub(crate) lifetime_seconds: u32,
    entries: Mutex<Entries<K>>,
}

struct Entries<K> {
    by_key: HashMap<K, (u64, Session)>,
    by_age: BTreeMap<u64, K>,
    next: u64,
}

impl<K: Clone + Eq + Hash> Sessions<K> {
    pub(crate) fn new(capacity: usize, lifetime_seconds: u32) -> Self {
        let entries = Entries { by_key: HashMap::new(), by_age: BTreeMap::new(), next: 0 };
        Self { capacity, lifetime_seconds, entries: Mutex::new(entries) }
    }

    pub(crate) const fn is_enabled(&self) -> bool {
        self.capacity > 0
    }

    pub(crate) fn get(&self, key: &K, now: i64) -> Option<Session> {
        let mut entries = self.lock();
        let (_, session) = entries.by_key.get(key)?;
        if now < session.ends_at {
            return Some(session.clone());
        }
        entries.remove(key);
        None
    }

    pub(crate) fn put(&self, key: K, session: Session) {
        if !self.is_enabled() {
            return;
        }
        let mut entries = self.lock();
        entries.remove(&key);
        while entries.by_key.len() >= self.capacity {
            let Some((_, oldest)) = entries.by_age.pop_first() else { break };
            entries.by_key.remove(&oldest);
        }
        let age = entries.next;
        entries.next = age.wrapping_add(1);
        entries.by_age.insert(age, key.clone());
        entries.by_key.insert(key, (age, session));
    }

    pub(crate) fn remove(&self, key: &K) {
        self.lock().remove(key);
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().by_key.len()
    }

    /// A panic elsewhere leaves the map whole: no operation here stops halfway.
    fn lock(&self) -> MutexGuard<'_, Entries<K>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Entries<K> {
    fn remove(&mut self, key: &K) {
        if let Some((age, _)) = self.by_key.remove(key) {
            self.by_age.remove(&age);
        }
    }
}

impl<K: Clone + Eq + Hash> fmt::Debug for Sessions<K> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Sessions").field("count", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlcp::keys::Randoms;

    fn session(ends_at: i64) -> Session {
        let randoms = Randoms { client: [1; 32], server: [2; 32] };
        let master = MasterSecret::new(&[3; 48], &randoms);
        let (id, suite) = (SessionId::new([4; 32]), CipherSuite::EccSm4GcmSm3);
        Session { id, suite, master, peer: None, server_name: None, ends_at }
    }

    #[test]
    fn the_oldest_goes_when_it_is_full() {
        let sessions = Sessions::new(2, 60);
        for key in [1, 2, 1, 3] {
            sessions.put(key, session(100));
        }
        assert_eq!(sessions.len(), 2);
        assert!(sessions.get(&2, 0).is_none(), "1 was renewed after 2");
        assert!(sessions.get(&1, 0).is_some() && sessions.get(&3, 0).is_some());
    }

    #[test]
    fn a_session_ends_and_is_forgotten() {
        let sessions = Sessions::new(2, 60);
        sessions.put(1, session(100));
        assert!(sessions.get(&1, 99).is_some());
        assert!(sessions.get(&1, 100).is_none());
        assert_eq!(sessions.len(), 0);
        sessions.put(1, session(100));
        sessions.remove(&1);
        assert_eq!(sessions.len(), 0);
    }

    #[test]
    fn without_capacity_nothing_is_kept() {
        let sessions = Sessions::new(0, 60);
        sessions.put(1, session(100));
        assert_eq!(sessions.len(), 0);
        assert!(!format!("{sessions:?}").contains('3'));
    }
}
