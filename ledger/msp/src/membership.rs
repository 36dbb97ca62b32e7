//! The members of a channel, and the memory of who has been verified.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, HashMap},
    fmt,
    hash::{Hash, Hasher},
    ops::RangeInclusive,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use smkit_pki::Certificate;

use crate::{
    AccessError, EffectivePolicy, Identity, IdentityError, Organisation, identity::Form,
    limits::IDENTITIES_CACHED_MAX,
};

/// Fabric's word for [`Membership`].
pub use Membership as Msp;

/// The organisations of a channel; turns serialized identities into verified ones.
///
/// Shared between threads; verification runs outside the lock.
pub struct Membership {
    orgs: BTreeMap<String, Organisation>,
    cache: Mutex<Cache>,
}

impl Membership {
    /// The members of a channel; where two organisations have one MSP id, the first counts
    /// ([`ChannelConfig`](crate::ChannelConfig) refuses such channels).
    #[must_use]
    pub fn new(orgs: Vec<Organisation>) -> Self {
        let mut by_id = BTreeMap::new();
        for org in orgs {
            by_id.entry(org.msp_id.clone()).or_insert(org);
        }
        Self { orgs: by_id, cache: Mutex::default() }
    }

    /// The organisations in order of their MSP ids.
    pub fn organisations(&self) -> impl Iterator<Item = &Organisation> {
        self.orgs.values()
    }

    /// The organisation with this MSP id.
    #[must_use]
    pub fn organisation(&self, msp_id: &str) -> Option<&Organisation> {
        self.orgs.get(msp_id)
    }

    /// Who a serialized `msp.SerializedIdentity` is, verified up to a root of its organisation at
    /// that moment (Unix seconds).
    ///
    /// Checks run in the order of [`Organisation::admit`]. Verified identities are remembered, up to a
    /// bound, by their bytes. Time is judged on each call: outside the window in which every certificate involved is valid, the
    /// chain is verified again. Refusals are not remembered.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn identify(
        &self,
        serialized: &[u8],
        at_unix_s: i64,
    ) -> Result<Arc<Identity>, IdentityError> {
        if let Some(known) = self.lock().find(serialized)
            && known.window.contains(&at_unix_s)
        {
            return Ok(known.identity);
        }
        let form = Form::read(serialized)?;
        let org = self
            .orgs
            .get(&form.msp_id)
            .ok_or_else(|| IdentityError::UnknownMsp { msp_id: form.msp_id.clone() })?;
        let admitted = org.admit(&form.certificate, &[], at_unix_s)?;
        let window = window(&form.certificate, &admitted.root, &org.intermediates, at_unix_s);
        let listed = org.is_listed(&form.certificate);
        let identity = Arc::new(form.with(admitted.roles, serialized));
        if listed {
            return Ok(identity);
        }
        self.lock().insert(Known { identity: Arc::clone(&identity), window });
        Ok(identity)
    }

    /// Whether somebody may do what a policy guards: the whole way from bytes to access.
    ///
    /// Form, organisation, issuer, revocation, units, role, policy: checked in this order, and the
    /// first that fails is the answer. Whoever calls has verified, or will verify, the signature of
    /// the identity that is returned.
    ///
    /// # Errors
    /// [`AccessError`], with the failed [`Check`](crate::Check) and a stable code.
    pub fn authorise(
        &self,
        serialized: &[u8],
        at_unix_s: i64,
        policy: &EffectivePolicy,
    ) -> Result<Arc<Identity>, AccessError> {
        let identity = self.identify(serialized, at_unix_s)?;
        if policy.evaluate(&[&identity]) { Ok(identity) } else { Err(AccessError::Policy) }
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        // The cache holds only finished entries: a panic elsewhere cannot have left half of one.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn cached(&self) -> usize {
        let cache = self.lock();
        cache.young.len() + cache.old.len()
    }
}

impl fmt::Debug for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Membership").field("orgs", &self.orgs.keys()).finish_non_exhaustive()
    }
}

/// The time around `at_unix_s` in which the chain just verified stays valid. Which intermediates it
/// used is not known, but those not valid now were not among them: the others bound the window.
fn window(
    certificate: &Certificate,
    root: &Certificate,
    intermediates: &[Certificate],
    at_unix_s: i64,
) -> RangeInclusive<i64> {
    let valid = |c: &&Certificate| (c.not_before()..=c.not_after()).contains(&at_unix_s);
    let involved = [certificate, root].into_iter().chain(intermediates.iter().filter(valid));
    let (start, end) = involved.fold((i64::MIN, i64::MAX), |(start, end), c| {
        (start.max(c.not_before()), end.min(c.not_after()))
    });
    start..=end
}

#[derive(Clone)]
struct Known {
    identity: Arc<Identity>,
    window: RangeInclusive<i64>,
}

/// Two generations: when the young one is full it becomes the old one, and the old one is dropped.
/// Entries in use move to the young generation and survive.
#[derive(Default)]
struct Cache {
    young: HashMap<Key, Known>,
    old: HashMap<Key, Known>,
}

/// An identity under its own bytes: looked up with what somebody sent, held once.
struct Key(Arc<Identity>);

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes() == other.0.as_bytes()
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // As `[u8]` does, or nothing would be found.
        self.0.as_bytes().hash(state);
    }
}

impl Cache {
    fn find(&mut self, serialized: &[u8]) -> Option<Known> {
        if let Some(known) = self.young.get(serialized) {
            return Some(known.clone());
        }
        let known = self.old.remove(serialized)?;
        self.insert(known.clone());
        Some(known)
    }

    fn insert(&mut self, known: Known) {
        let key = Key(Arc::clone(&known.identity));
        if self.young.len() >= IDENTITIES_CACHED_MAX / 2 && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, known);
    }
}
