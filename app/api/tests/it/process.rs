//! The process log: from a submission over REST to a bundle that proves it, and what happens when it cannot be written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use changbai_audit::ProcessLog;
use changbai_core::ledger::BoxFuture;
use changbai_core::process::{
    Entry, JournalError, NewEntry, ProcessDocument, ProcessJournal, Step,
};
use changbai_receipt::{Status, read_bundle, verify};
use smkit::sm3::{Sm3Digest, sm3};

use crate::world::{EVIDENCE, PEOPLE, Setup, World, by_digest, process_log};

fn steps(document: &ProcessDocument) -> Vec<Step> {
    document.entries.iter().map(|entry| entry.step).collect()
}

async fn submitted(world: &World, original: &[u8]) -> String {
    let answer = world.submit(by_digest(original)).await;
    assert_eq!(answer.status, 201);
    answer.json()["evidence_id"].as_str().unwrap().to_owned()
}

async fn log_of(world: &World, id: &str) -> ProcessDocument {
    let answer = world.get(&format!("{EVIDENCE}/{id}/process")).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    ProcessDocument::from_bytes(&answer.body).unwrap()
}

#[tokio::test]
async fn a_bundle_carries_the_whole_log_and_proves_it() {
    let world = World::new();
    let id = submitted(&world, b"original").await;
    let bundle = world.get(&format!("{EVIDENCE}/{id}/bundle")).await;
    let bundle = read_bundle(&mut bundle.body.as_ref()).unwrap();
    let document = ProcessDocument::from_bytes(bundle.process.as_ref().unwrap()).unwrap();
    let mut expected = Step::RECORDING.to_vec();
    expected.push(Step::Exported);
    assert_eq!(steps(&document), expected);
    assert_eq!(document.entries[0].actor.certificate_sm3, Some(PEOPLE.client.certificate.sm3()));
    assert_eq!(document.entries[5].actor.certificate_sm3, None);
    assert_eq!(document.entries[5].detail, sm3(&bundle.receipt));

    let trust = world.trust();
    let report = verify(&bundle, &[], Some(&trust));
    let element = report.element("process_log").unwrap();
    assert_eq!((element.status, element.code), (Status::Proven, "VF-2500"), "{element:?}");
    assert!(!report.elements.iter().any(|element| element.status == Status::Failed));
}

#[tokio::test]
async fn looking_exporting_and_verifying_are_logged_and_strangers_once_a_minute() {
    let world = World::new();
    let id = submitted(&world, b"original").await;
    for _ in 0..3 {
        world.get(&format!("{EVIDENCE}/{id}")).await;
        world.get(&format!("{EVIDENCE}/{id}/receipt")).await;
    }
    let client = PEOPLE.client.signer();
    for _ in 0..2 {
        let target = format!("{EVIDENCE}/{id}");
        world.send(world.signed(&client, "GET", &target, None, None)).await;
    }
    let body = format!(r#"{{"sm3":"{}","evidence_id":"{id}"}}"#, sm3(b"original"));
    let request = axum::http::Request::post("/api/v1/verify")
        .header("content-type", "application/json")
        .body(axum::body::Body::from(body))
        .unwrap();
    assert_eq!(world.send(request).await.status, 200);
    let document = log_of(&world, &id).await;
    let count = |step| steps(&document).iter().filter(|s| **s == step).count();
    assert_eq!((count(Step::Viewed), count(Step::Exported), count(Step::Verified)), (3, 1, 1));
    world.clock.advance(60_000);
    world.get(&format!("{EVIDENCE}/{id}")).await;
    let later = log_of(&world, &id).await;
    assert_eq!(steps(&later).iter().filter(|s| **s == Step::Viewed).count(), 4);
    document.check_paths().unwrap();
}

#[tokio::test]
async fn submitted_twice_it_is_logged_once() {
    let world = World::new();
    let id = submitted(&world, b"original").await;
    let again = world.submit(by_digest(b"original")).await;
    assert_eq!((again.status.as_u16(), again.json()["evidence_id"].as_str()), (200, Some(&*id)));
    assert_eq!(steps(&log_of(&world, &id).await)[..5], Step::RECORDING);
    assert_eq!(log_of(&world, &id).await.entries.len(), 6);
}

/// A log that loses what nobody waits for, and refuses everything once it is told to.
struct Failing {
    log: ProcessLog,
    forgets: AtomicBool,
    refuses: AtomicBool,
    _dir: tempfile::TempDir,
}

impl ProcessJournal for Failing {
    fn append(&self, steps: Vec<NewEntry>) -> BoxFuture<'static, Result<(), JournalError>> {
        if self.refuses.load(Ordering::SeqCst) {
            let reason = "no space left on device".to_owned();
            return Box::pin(async move { Err(JournalError::Stopped { reason }) });
        }
        self.log.append(steps)
    }

    fn note(&self, steps: Vec<NewEntry>) -> Result<(), JournalError> {
        if self.forgets.load(Ordering::SeqCst) { Ok(()) } else { self.log.note(steps) }
    }

    fn chain(&self, record_sm3: &Sm3Digest, limit: usize) -> Result<Vec<Entry>, JournalError> {
        self.log.chain(record_sm3, limit)
    }

    fn document(
        &self,
        record_sm3: &Sm3Digest,
        limit: usize,
    ) -> Result<Option<ProcessDocument>, JournalError> {
        self.log.document(record_sm3, limit)
    }
}

fn failing() -> (World, Arc<Failing>) {
    let dir = tempfile::tempdir().unwrap();
    let log = process_log(dir.path());
    let failing =
        Arc::new(Failing { log, forgets: false.into(), refuses: false.into(), _dir: dir });
    let journal: Arc<dyn ProcessJournal> = failing.clone();
    (World::set_up(Setup { journal: Some(journal), ..Setup::default() }), failing)
}

#[tokio::test]
async fn an_outcome_that_was_not_logged_is_made_up_for_from_the_ledger() {
    let (world, journal) = failing();
    journal.forgets.store(true, Ordering::SeqCst);
    let id = submitted(&world, b"original").await;
    journal.forgets.store(false, Ordering::SeqCst);
    let document = log_of(&world, &id).await;
    let recording: Vec<_> = steps(&document).into_iter().filter(|s| s.is_recording()).collect();
    assert_eq!(recording, Step::RECORDING);
    // Once, however often it is asked for.
    assert_eq!(
        steps(&log_of(&world, &id).await).iter().filter(|s| **s == Step::Committed).count(),
        1
    );
}

#[tokio::test]
async fn what_cannot_be_logged_is_not_recorded_and_reads_go_on() {
    let (world, journal) = failing();
    let id = submitted(&world, b"before").await;
    journal.refuses.store(true, Ordering::SeqCst);
    let refused = world.submit(by_digest(b"original")).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (503, "EV-4509"));
    let found = world.get(&format!("{EVIDENCE}?sm3={}", sm3(b"original"))).await;
    assert_eq!(found.json()["items"].as_array().unwrap().len(), 0);
    assert_eq!(world.get(&format!("{EVIDENCE}/{id}")).await.status, 200);
    assert_eq!(world.get(&format!("{EVIDENCE}/{id}/receipt")).await.status, 200);
    assert_eq!(world.get(&format!("{EVIDENCE}/{id}/bundle")).await.code(), "EV-4509");
    assert_eq!(world.get(&format!("{EVIDENCE}/{id}/process")).await.code(), "EV-4509");
}

#[tokio::test]
async fn a_record_that_another_node_submitted_has_no_log_here() {
    let world = World::new();
    let id = submitted(&world, b"original").await;
    let other = world.beside();
    let answer = other.get(&format!("{EVIDENCE}/{id}/process")).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "EV-4046"));
    let bundle = other.get(&format!("{EVIDENCE}/{id}/bundle")).await;
    assert_eq!(read_bundle(&mut bundle.body.as_ref()).unwrap().process, None);
}
