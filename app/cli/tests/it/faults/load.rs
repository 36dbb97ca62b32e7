//! Clerks of several agencies who submit all the time, and what they hold against the nodes afterwards.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use changbai_receipt::{Trust, Verdict, hash_original};

use crate::{
    consortium::{Consortium, WAIT_MAX},
    judge,
    node::now,
};

/// How long a clerk rests between two records: the nodes share the machine with the test.
const PAUSE: Duration = Duration::from_millis(40);

/// What was acknowledged, and how it went.
#[derive(Default)]
pub(crate) struct Load {
    ended: AtomicBool,
    /// A clerk has seen what must not be.
    failed: AtomicBool,
    acknowledged: Mutex<Vec<(Vec<u8>, String)>>,
    refusals: AtomicU64,
    /// When the last acknowledgement came, and the longest time without one.
    gaps: Mutex<(Option<Instant>, Duration)>,
    /// A gateway was killed or stopped so often: its callers may be left without an answer.
    downs: AtomicU64,
}

impl Load {
    /// Lets clerks of `gateways` submit while `disturb` is at work.
    pub(crate) fn during<T>(
        &self,
        consortium: &Consortium,
        gateways: &[&str],
        disturb: impl FnOnce() -> T,
    ) -> T {
        self.ended.store(false, Ordering::SeqCst);
        thread::scope(|scope| {
            for gateway in gateways {
                scope.spawn(move || {
                    let failed = Fails(&self.failed);
                    self.submit(consortium, gateway);
                    std::mem::forget(failed);
                });
            }
            // Whatever happens in there, the clerks go home.
            let ends = Ends(&self.ended);
            let outcome = disturb();
            drop(ends);
            outcome
        })
    }

    /// What is called while a node is about to go, and once it is back.
    pub(crate) fn excuse(&self) {
        self.downs.fetch_add(1, Ordering::SeqCst);
    }

    /// How many records were acknowledged.
    pub(crate) fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Waits until `more` records are acknowledged from now on: the service goes on.
    pub(crate) fn goes_on(&self, consortium: &Consortium, more: usize) {
        let wanted = self.count() + more;
        let failed = || self.failed.load(Ordering::SeqCst);
        consortium.wait_for("the service does not go on", || self.count() >= wanted || failed());
        assert!(!failed(), "a clerk gave up");
    }

    /// What is printed of a run; no figure is judged.
    pub(crate) fn report(&self, what: &str) {
        let (_, longest) = *self.gaps.lock().unwrap();
        let (count, refusals) = (self.count(), self.refusals.load(Ordering::SeqCst));
        eprintln!(
            "{what}: {count} records, {refusals} asked to come again, longest gap {} ms",
            longest.as_millis()
        );
    }

    /// Every acknowledged record is at every node with a bundle that proves it by the consortium's trust
    /// file, and at each height all nodes have the same block.
    pub(crate) fn check(&self, consortium: &Consortium, names: &[&str]) {
        consortium.settle(names);
        let mut chains = names.iter().map(|name| (name, consortium.hashes(name)));
        let (_, first) = chains.next().unwrap();
        for (name, chain) in chains {
            assert!(chain == first, "{name} has another chain: {chain:?}, not {first:?}");
        }
        let trust = std::fs::read_to_string(consortium.dir().join("trust.pem")).unwrap();
        let trust = Trust::parse(&trust).unwrap();
        let acknowledged = self.acknowledged.lock().unwrap();
        assert!(!acknowledged.is_empty(), "the load was too small to mean anything");
        thread::scope(|scope| {
            for name in names {
                let (acknowledged, trust) = (&*acknowledged, &trust);
                scope.spawn(move || {
                    for (original, id) in acknowledged {
                        proves(consortium, name, original, id, trust);
                    }
                });
            }
        });
    }

    fn submit(&self, consortium: &Consortium, gateway: &str) {
        for number in 0.. {
            if self.ended.load(Ordering::SeqCst) {
                return;
            }
            let tag = self.count();
            let original = format!("{gateway} {number} after {tag}").into_bytes();
            let id = self.insist(consortium, gateway, &original);
            self.acknowledged.lock().unwrap().push((original, id));
            let mut gaps = self.gaps.lock().unwrap();
            let at = now();
            let gap = gaps.0.map_or(Duration::ZERO, |before| at.duration_since(before));
            *gaps = (Some(at), gap.max(gaps.1));
            drop(gaps);
            thread::sleep(PAUSE);
        }
    }

    /// Asks until the record is acknowledged. Nothing goes unanswered but by a gateway that went down.
    fn insist(&self, consortium: &Consortium, gateway: &str, original: &[u8]) -> String {
        let begun = now();
        loop {
            let downs = self.downs.load(Ordering::SeqCst);
            let said = if consortium.is_up(gateway) {
                consortium.at(gateway, || consortium.clerk(gateway).submit(original))
            } else {
                Err("it is down".to_owned())
            };
            match said {
                Ok((200 | 201, answer)) => {
                    return answer["evidence_id"].as_str().unwrap().to_owned();
                }
                Ok((429 | 503 | 504, _)) => {
                    self.refusals.fetch_add(1, Ordering::SeqCst);
                }
                Ok((status, answer)) => panic!("{gateway}: {status} {answer}"),
                Err(error) => {
                    let excused = downs % 2 == 1 || self.downs.load(Ordering::SeqCst) != downs;
                    assert!(excused, "{gateway} does not answer: {error}{}", consortium.logs());
                }
            }
            assert!(begun.elapsed() < WAIT_MAX, "no service at {gateway}{}", consortium.logs());
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn proves(consortium: &Consortium, name: &str, original: &[u8], id: &str, trust: &Trust) {
    let (status, bundle) = consortium.get(name, &format!("/api/v1/evidence/{id}/bundle"));
    assert_eq!(status, 200, "{name} lacks {id}: {}", String::from_utf8_lossy(&bundle));
    let supplied = hash_original("original", &mut &*original).unwrap();
    let report = judge(&bundle, &[supplied], trust);
    assert_eq!(report.verdict, Verdict::Verified, "{name} {id}: {}", report.to_json());
}

/// Tells that a clerk has panicked.
struct Fails<'a>(&'a AtomicBool);

impl Drop for Fails<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Ends the load.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
