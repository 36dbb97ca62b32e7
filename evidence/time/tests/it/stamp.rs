//! A time-stamp authority on a clock that a test moves.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use changbai_time::{SerialStore, TimeStamper};
use changbai_wire::time::{Clock, TimeReading, UnixMillis};
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit::{OsRandom, sm3};
use smkit_pki::{
    Admission, Authority, Profile, Subject, TimeStampAuthority, TimeStampError, TimeStampFailure,
    TimeStampRequest, TimeStampResponse, TrustAnchors, Validator, Validity, VerifiedTimeStamp,
};

pub(crate) const NOW_S: i64 = 1_795_000_000;
pub(crate) const POLICY: &str = "1.3.6.1.4.1.32473.3161";

pub(crate) struct Stopped(pub(crate) Mutex<Option<u32>>);

impl Clock for Stopped {
    fn now(&self) -> TimeReading {
        TimeReading { at: UnixMillis(1_795_000_000_123), bound_us: *self.0.lock().unwrap() }
    }
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<(u64, bool)>>);

impl SerialStore for Memory {
    fn keep(&mut self, end: u64) -> io::Result<()> {
        let mut kept = self.0.lock().unwrap();
        if kept.1 {
            return Err(io::Error::other("disk full"));
        }
        kept.0 = end;
        Ok(())
    }
}

pub(crate) struct World {
    authority: TimeStampAuthority,
    root: Authority,
    pub(crate) clock: Arc<Stopped>,
    memory: Memory,
}

impl World {
    pub(crate) fn new() -> Self {
        let subject = |name: &str| Subject { common_name: name.to_owned(), ..Subject::default() };
        let validity = Validity { not_before: NOW_S - 10, not_after: NOW_S + 1_000_000 };
        let root = Authority::create_root(&subject("root"), validity, &mut OsRandom).unwrap();
        let key = PrivateKey::generate(&mut OsRandom).unwrap();
        let certificate = root
            .issue(
                &subject("tsa"),
                key.public_key(),
                Profile::TimeStampAuthority,
                validity,
                None,
                &mut OsRandom,
            )
            .unwrap();
        let key = SigningKey::new(key, SignerId::DEFAULT).unwrap();
        let authority = TimeStampAuthority::new(certificate, key, POLICY, Vec::new()).unwrap();
        let clock = Arc::new(Stopped(Mutex::new(Some(1_500))));
        Self { authority, root, clock, memory: Memory::default() }
    }

    pub(crate) fn stamper(&self, bound_required: bool) -> TimeStamper {
        let next = self.memory.0.lock().unwrap().0;
        let (clock, store) = (Arc::clone(&self.clock) as _, Box::new(self.memory.clone()));
        TimeStamper::new(self.authority.clone(), clock, bound_required, next, store)
    }

    /// Trusts this world's root alone.
    pub(crate) fn validator(&self) -> Validator {
        let root = self.root.certificate();
        let anchors = TrustAnchors::from_certificates(vec![root.clone()]);
        Validator::new(anchors, vec![Admission::under(root.sm3())])
    }
}

fn request() -> TimeStampRequest {
    TimeStampRequest::new(&sm3(b"a deed"), &[7; 16], None).unwrap()
}

fn verified(world: &World, answer: &[u8]) -> VerifiedTimeStamp {
    let response = TimeStampResponse::from_der(answer).unwrap();
    response.token().verify(request().imprint(), &world.validator(), &[]).unwrap()
}

fn failure(answer: &[u8]) -> TimeStampFailure {
    match TimeStampResponse::from_der(answer) {
        Err(TimeStampError::Refused { failure: Some(failure) }) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_states_time_and_bound() {
    let world = World::new();
    let answer = world.stamper(true).answer(request().der());
    let verified = verified(&world, &answer);
    assert_eq!(verified.gen_time, Duration::from_millis(1_795_000_000_123));
    assert_eq!(verified.accuracy.unwrap().bound(), Duration::from_micros(1_500));
}

#[test]
fn without_a_bound_no_token_where_one_is_required() {
    let world = World::new();
    *world.clock.0.lock().unwrap() = None;
    let answer = world.stamper(true).answer(request().der());
    assert_eq!(failure(&answer), TimeStampFailure::TimeNotAvailable);
    let answer = world.stamper(false).answer(request().der());
    assert_eq!(verified(&world, &answer).accuracy, None);
}

#[test]
fn serials_never_come_twice_also_after_restarts() {
    let world = World::new();
    let mut seen = BTreeSet::new();
    for _ in 0..4 {
        let stamper = world.stamper(true);
        for _ in 0..3 {
            let answer = stamper.answer(request().der());
            let serial = verified(&world, &answer).serial.unwrap();
            assert!(seen.last().is_none_or(|last| *last < serial), "they grow");
            seen.insert(serial);
        }
    }
    assert_eq!(seen.len(), 12);
    let stamper = world.stamper(true);
    world.memory.0.lock().unwrap().1 = true;
    let answer = stamper.answer(request().der());
    assert_eq!(failure(&answer), TimeStampFailure::SystemFailure);
}

#[test]
fn what_is_no_request_is_refused() {
    let world = World::new();
    let stamper = world.stamper(true);
    for bytes in [&b""[..], b"\x30\x00", &[0x30; 5_000]] {
        assert_eq!(failure(&stamper.answer(bytes)), TimeStampFailure::BadDataFormat);
    }
    let foreign = TimeStampRequest::new(&sm3(b"x"), &[1; 16], Some("1.2.3.4")).unwrap();
    let answer = stamper.answer(foreign.der());
    assert_eq!(failure(&answer), TimeStampFailure::UnacceptedPolicy);
}
