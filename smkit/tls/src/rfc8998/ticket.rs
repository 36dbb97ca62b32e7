//! Session tickets (RFC 8446 §4.6.1): the server's memory, sealed with SM4-GCM and kept by the client.

use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use rustls::{server::ProducesTickets, time_provider::TimeProvider};
use smkit::{
    OsRandom, Random, RandomError,
    sm4::{Gcm, Key, NONCE_BYTES},
};

/// Seals and opens tickets under a key that only this process knows and that changes every lifetime.
///
/// A ticket opens for one to two lifetimes: while its key seals, and while the key after it does. Then the key is wiped,
/// and with it the chance to decrypt recorded handshakes of resumed sessions from their tickets. A new `Ticketer` opens
/// none of the old one's tickets: replacing it ends all resumption.
pub struct Ticketer {
    lifetime_seconds: u32,
    time: Arc<dyn TimeProvider>,
    keys: RwLock<Keys>,
}

impl Ticketer {
    /// Draws the first key. Lifetimes above [`Ticketer::LIFETIME_SECONDS_MAX`] are cut to it, 0 to 1.
    ///
    /// # Errors
    /// The random source failed.
    pub fn new(
        lifetime_seconds: u32,
        time: Arc<dyn TimeProvider>,
    ) -> Result<Arc<Self>, RandomError> {
        let lifetime_seconds = lifetime_seconds.clamp(1, Self::LIFETIME_SECONDS_MAX);
        let now = now(time.as_ref()).unwrap_or(0);
        let rotate_at = now.saturating_add(u64::from(lifetime_seconds));
        let keys = Keys { current: TicketKey::draw()?, previous: None, rotate_at };
        Ok(Arc::new(Self { lifetime_seconds, time, keys: RwLock::new(keys) }))
    }

    /// Half of the seven days that RFC 8446 §4.6.1 allows, since a ticket may live twice as long.
    pub const LIFETIME_SECONDS_MAX: u32 = 7 * 24 * 3600 / 2;

    /// Brings the keys up to date. `None` when there is no time or no randomness: no tickets then.
    fn roll(&self) -> Option<()> {
        let now = now(self.time.as_ref())?;
        let due = |keys: &Keys| now >= keys.rotate_at || keys.current.is_spent();
        if !due(&self.keys.read().unwrap_or_else(PoisonError::into_inner)) {
            return Some(());
        }
        let fresh = TicketKey::draw().ok()?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have been faster.
        if due(&keys) {
            let lifetime = u64::from(self.lifetime_seconds);
            let stale = now >= keys.rotate_at.saturating_add(lifetime);
            let last = std::mem::replace(&mut keys.current, fresh);
            keys.previous = (!stale).then_some(last);
            keys.rotate_at = now.saturating_add(lifetime);
        }
        Some(())
    }
}

impl ProducesTickets for Ticketer {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        self.lifetime_seconds
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.roll()?;
        self.keys.read().unwrap_or_else(PoisonError::into_inner).current.seal(plain)
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        self.roll()?;
        let (name, sealed) = ticket.split_first_chunk::<NAME_BYTES>()?;
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let mut candidates = std::iter::once(&keys.current).chain(&keys.previous);
        // The name is public; it only saves the attempt under the wrong key.
        candidates.find(|key| key.name == *name)?.open(sealed)
    }
}

impl fmt::Debug for Ticketer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Ticketer")
            .field("lifetime_seconds", &self.lifetime_seconds)
            .finish_non_exhaustive()
    }
}

struct Keys {
    current: TicketKey,
    /// Opens, but seals no more.
    previous: Option<TicketKey>,
    /// Unix second from which `current` seals no more.
    rotate_at: u64,
}

/// One key. Ticket: name (16) ‖ nonce (12) ‖ sealed state ‖ tag (16); the name is authenticated too.
struct TicketKey {
    name: [u8; NAME_BYTES],
    gcm: Gcm,
    /// First bytes of each nonce; the count follows.
    prefix: [u8; 4],
    sealed: AtomicU64,
}

impl TicketKey {
    fn draw() -> Result<Self, RandomError> {
        let (mut name, mut prefix) = ([0; NAME_BYTES], [0; 4]);
        OsRandom.fill(&mut name)?;
        OsRandom.fill(&mut prefix)?;
        let gcm = Gcm::new(&Key::generate(&mut OsRandom)?);
        Ok(Self { name, gcm, prefix, sealed: AtomicU64::new(0) })
    }

    fn is_spent(&self) -> bool {
        self.sealed.load(Ordering::Relaxed) >= TICKETS_PER_KEY_MAX
    }

    fn seal(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let count = self.sealed.fetch_add(1, Ordering::Relaxed);
        let mut nonce = [0; NONCE_BYTES];
        let bytes = self.prefix.into_iter().chain(count.to_be_bytes());
        nonce.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        let mut ticket = Vec::with_capacity(plain.len().saturating_add(OVERHEAD_BYTES));
        ticket.extend_from_slice(&self.name);
        ticket.extend_from_slice(&nonce);
        ticket.extend_from_slice(plain);
        let state = ticket.get_mut(NAME_BYTES + NONCE_BYTES..)?;
        let tag = self.gcm.seal_detached(&nonce, &self.name, state).ok()?;
        ticket.extend_from_slice(&tag);
        Some(ticket)
    }

    fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let mut state = sealed.to_vec();
        self.gcm.open_in_place(nonce, &self.name, &mut state).ok()?;
        Some(state)
    }
}

fn now(time: &dyn TimeProvider) -> Option<u64> {
    Some(time.current_time()?.as_secs())
}

const NAME_BYTES: usize = 16;
const OVERHEAD_BYTES: usize = NAME_BYTES + NONCE_BYTES + smkit::sm4::TAG_BYTES;
/// Far below what counted nonces allow; a busy server rotates by count rather than by time.
const TICKETS_PER_KEY_MAX: u64 = 1 << 32;

#[cfg(test)]
mod tests;
