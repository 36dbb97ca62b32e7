//! Sources of tokens: our own authority, and others whose answers are doubted.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use changbai_time::{
    QueryTransport, Retry, TokenError, TokenSource, TokenSources, TransportError, TsaClient,
};
use changbai_wire::time::{Clock, TimeReading, UnixMillis};
use proptest::prelude::*;
use smkit::{Sm3Digest, sm3};
use smkit_pki::{TimeStampError, TimeStampFailure, TimeStampRequest};

use crate::stamp::{NOW_S, POLICY, World};

type Answer = dyn Fn(&[u8]) -> Result<Vec<u8>, TransportError> + Send + Sync;

/// An authority's HTTP server, without HTTP.
struct Wire {
    answer: Box<Answer>,
    asked: Arc<AtomicU32>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Wire")
    }
}

impl QueryTransport for Wire {
    fn post(&self, query: &[u8]) -> Result<Vec<u8>, TransportError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        (self.answer)(query)
    }
}

/// A clock some milliseconds off the authority's.
struct Off(i64, Option<u32>);

impl Clock for Off {
    fn now(&self) -> TimeReading {
        let at = u64::try_from(NOW_S * 1_000 + 123 + self.0).unwrap();
        TimeReading { at: UnixMillis(at), bound_us: self.1 }
    }
}

const SYNCHRONISED: Off = Off(0, Some(2_000));

struct Client {
    client: TsaClient,
    asked: Arc<AtomicU32>,
}

fn client(world: &World, clock: Off, answer: Box<Answer>) -> Client {
    let asked = Arc::new(AtomicU32::new(0));
    let wire = Wire { answer, asked: Arc::clone(&asked) };
    let retry = Retry { attempts: 3, pause: Duration::ZERO };
    let name = "http://tsa.example".to_owned();
    let client = TsaClient::new(name, Box::new(wire), world.validator(), Arc::new(clock));
    Client { client: client.with_retry(retry), asked }
}

fn honest(world: &World) -> Box<Answer> {
    let stamper = world.stamper(true);
    Box::new(move |query| Ok(stamper.answer(query)))
}

/// The nonce that was sent, with the leading zeros that DER leaves out.
fn nonce(query: &TimeStampRequest) -> [u8; 16] {
    let (mut nonce, sent) = ([0; 16], query.nonce().unwrap());
    nonce[16 - sent.len()..].copy_from_slice(sent);
    nonce
}

fn deed() -> Sm3Digest {
    sm3(b"a deed")
}

#[test]
fn our_own_authority_is_a_source() {
    let world = World::new();
    let stamper = world.stamper(true);
    let token = stamper.token(&deed()).unwrap();
    assert_eq!((token.source(), token.token().imprint()), ("own", &deed()));
    assert!(token.token().verify(&deed(), &world.validator(), &[]).is_ok());
    *world.clock.0.lock().unwrap() = None;
    let Err(TokenError::Refused { failure, .. }) = stamper.token(&deed()) else { panic!() };
    assert_eq!(failure, Some(TimeStampFailure::TimeNotAvailable));
}

#[test]
fn another_authority_is_a_source_once_its_token_verifies() {
    let world = World::new();
    let asked = client(&world, SYNCHRONISED, honest(&world));
    let token = asked.client.token(&deed()).unwrap();
    assert_eq!(token.source(), "http://tsa.example");
    assert_eq!(token.gen_time(), Duration::from_millis(1_795_000_000_123));
    assert_eq!(token.token().accuracy().unwrap().bound(), Duration::from_micros(1_500));
    assert_eq!(token.token().policy(), POLICY);
    assert!(token.token().serial().is_some());
}

/// What comes of an answer that was tampered with.
fn refusal(asked: &Client) -> TokenError {
    let error = asked.client.token(&deed()).unwrap_err();
    assert!(!error.zh().contains('{') && !error.en().contains('{'), "{error}");
    error
}

#[test]
fn an_answer_to_something_else_is_refused() {
    let world = World::new();
    let other = |change: fn(&TimeStampRequest) -> TimeStampRequest| {
        let stamper = world.stamper(true);
        let answer = move |query: &[u8]| {
            let query = TimeStampRequest::from_der(query).unwrap();
            Ok(stamper.answer(change(&query).der()))
        };
        let asked = client(&world, SYNCHRONISED, Box::new(answer));
        let TokenError::Untrusted { error, .. } = refusal(&asked) else { panic!() };
        assert_eq!(asked.asked.load(Ordering::SeqCst), 1, "asking again would not help");
        error
    };
    let replayed = other(|q| TimeStampRequest::new(q.imprint(), &[1; 16], None).unwrap());
    assert_eq!(replayed, TimeStampError::Nonce);
    let imprint = other(|q| TimeStampRequest::new(&sm3(b"another deed"), &nonce(q), None).unwrap());
    assert_eq!(imprint, TimeStampError::Imprint);
}

#[test]
fn a_policy_that_was_asked_for_must_be_kept() {
    let world = World::new();
    let asked = client(&world, SYNCHRONISED, honest(&world));
    let asked = Client { client: asked.client.with_policy(Some("1.2.3".to_owned())), ..asked };
    let TokenError::Refused { failure, .. } = refusal(&asked) else { panic!() };
    assert_eq!(failure, Some(TimeStampFailure::UnacceptedPolicy));
    let asked = client(&world, SYNCHRONISED, honest(&world));
    let kept = asked.client.with_policy(Some(POLICY.to_owned()));
    assert!(kept.token(&deed()).is_ok());
    // The authority stamps under its own all the same.
    let stamper = world.stamper(true);
    let ignores = move |query: &[u8]| {
        let query = TimeStampRequest::from_der(query).unwrap();
        let plain = TimeStampRequest::new(query.imprint(), &nonce(&query), None).unwrap();
        Ok(stamper.answer(plain.der()))
    };
    let asked = client(&world, SYNCHRONISED, Box::new(ignores));
    let asked = Client { client: asked.client.with_policy(Some("1.2.3".to_owned())), ..asked };
    let TokenError::Untrusted { error, .. } = refusal(&asked) else { panic!() };
    assert_eq!(error, TimeStampError::Policy);
}

#[test]
fn a_root_that_is_not_configured_is_refused() {
    let (world, stranger) = (World::new(), World::new());
    let asked = client(&world, SYNCHRONISED, honest(&stranger));
    let TokenError::Untrusted { error: TimeStampError::Path(_), .. } = refusal(&asked) else {
        panic!()
    };
}

#[test]
fn time_must_be_ours_within_both_bounds() {
    let world = World::new();
    // 2 ms of ours, 1.5 of theirs, a second for authorities that state whole seconds.
    for (off_ms, bound_us, accepted) in [
        (0, Some(2_000), true),
        (1_003, Some(2_000), true),
        (1_004, Some(2_000), false),
        (-1_003, Some(2_000), true),
        (-1_004, Some(2_000), false),
        (3_600_000, Some(2_000), false),
        (60_000, None, true),
        (61_002, None, false),
    ] {
        let asked = client(&world, Off(off_ms, bound_us), honest(&world));
        let outcome = asked.client.token(&deed());
        assert_eq!(outcome.is_ok(), accepted, "{off_ms} {bound_us:?} {outcome:?}");
        if let Err(error) = outcome {
            let TokenError::Time { off_ms: found, .. } = error else { panic!("{error}") };
            assert_eq!(found, -off_ms);
        }
    }
}

#[test]
fn silence_is_asked_again_and_has_an_end() {
    let world = World::new();
    let failure = |again| TransportError { reason: "connection refused".to_owned(), again };
    for (again, questions) in [(true, 3), (false, 1)] {
        let asked = client(&world, SYNCHRONISED, Box::new(move |_| Err(failure(again))));
        assert!(matches!(refusal(&asked), TokenError::Unreachable { .. }));
        assert_eq!(asked.asked.load(Ordering::SeqCst), questions);
    }
    let (stamper, first) = (world.stamper(true), Mutex::new(true));
    let recovers = move |query: &[u8]| {
        let first = std::mem::take(&mut *first.lock().unwrap());
        if first { Err(failure(true)) } else { Ok(stamper.answer(query)) }
    };
    let asked = client(&world, SYNCHRONISED, Box::new(recovers));
    assert!(asked.client.token(&deed()).is_ok());
    assert_eq!(asked.asked.load(Ordering::SeqCst), 2);
}

#[test]
fn the_next_one_is_asked_when_one_fails_and_the_status_says_so() {
    let world = World::new();
    let silent = || -> Arc<dyn TokenSource> {
        let answer = |_: &[u8]| Err(TransportError { reason: "no route".to_owned(), again: false });
        Arc::new(client(&world, SYNCHRONISED, Box::new(answer)).client)
    };
    let own: Arc<dyn TokenSource> = Arc::new(world.stamper(true));
    let sources = TokenSources::new(vec![silent(), own]);
    assert_eq!(sources.token(&deed()).unwrap().source(), "own");
    let status = sources.status();
    assert_eq!((status.given, status.given_by_fallback, status.failing), (1, 1, None));
    assert_eq!(status.last_source.as_deref(), Some("own"));

    let sources = TokenSources::new(vec![silent(), silent()]);
    let error = sources.token(&deed()).unwrap_err();
    let TokenError::NoSource { failures } = &error else { panic!("{error}") };
    assert_eq!(failures.len(), 2);
    assert!(error.en().contains("TM-4002") && error.zh().contains("no route"), "{error}");
    let status = sources.status();
    assert_eq!((status.given, status.failed, status.failing), (0, 1, Some(error)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whichever bit of an answer flips: no other token comes of it. (The status is outside of the token: `granted` and
    /// `grantedWithMods` differ by one bit.)
    #[test]
    fn any_flipped_bit_is_refused(place in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let world = World::new();
        let stamper = world.stamper(true);
        let sent = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&sent);
        let flips = move |query: &[u8]| {
            let mut answer = stamper.answer(query);
            kept.lock().unwrap().clone_from(&answer);
            let at = place.index(answer.len());
            answer[at] ^= 1 << bit;
            Ok(answer)
        };
        let asked = client(&world, SYNCHRONISED, Box::new(flips));
        if let Ok(token) = asked.client.token(&deed()) {
            prop_assert!(sent.lock().unwrap().ends_with(token.der()));
        }
    }
}
