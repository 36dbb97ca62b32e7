#![allow(clippy::unwrap_used, reason = "tests")]

use smkit::sm3::sm3;

use super::*;
use crate::idempotency::{AnswerLog, StoredAnswer};

fn answer() -> StoredAnswer {
    StoredAnswer {
        request: sm3(b"request"),
        expires_ms: 1_000,
        status: 201,
        location: "/api/v1/evidence/1".to_owned(),
        body: b"{}".to_vec(),
    }
}

fn jobs(dir: &std::path::Path, running_max: usize) -> Arc<Jobs> {
    Arc::new(Jobs::new(Arc::new(AnswerLog::open(dir, 100).unwrap()), running_max))
}

#[tokio::test]
async fn a_job_is_found_while_it_runs_after_it_ended_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let first = jobs(dir.path(), 2);
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let (key, request) = (sm3(b"key"), sm3(b"request"));
    let work = |job: Arc<Job>| async move {
        job.step("submitted", serde_json::json!({"digests": 7}));
        let _ = wait.await;
        Ok(answer())
    };
    let place = first.place().unwrap();
    let job = first.start(place, Kind::Batch, Some((key, request)), 1, work).unwrap();
    assert!(first.under_way(&key, &sm3(b"another")).is_none());
    assert_eq!(first.under_way(&key, &request).unwrap().id, job.id);
    assert_eq!(jobs(dir.path(), 2).past(&job.id, 2), Some(Past::CutShort));
    job.more_than(0).await;
    assert!(!job.has_ended());
    go.send(()).unwrap();
    assert_eq!((*job.outcome().await).as_ref().unwrap(), &answer());
    let names: Vec<_> = job.now().0.iter().map(|event| event.name).collect();
    assert_eq!(names, ["submitted", "recorded"]);
    assert!(first.under_way(&key, &request).is_none());
    assert_eq!(first.find(&job.id).unwrap().id, job.id);
    assert_eq!(jobs(dir.path(), 2).past(&job.id, 2), Some(Past::Ended(answer())));
    assert_eq!(first.past("00", 2), None);
}

#[tokio::test]
async fn jobs_are_bounded_and_the_last_ones_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let all = jobs(dir.path(), 2);
    let held = (all.place().unwrap(), all.place().unwrap());
    assert_eq!(all.place().unwrap_err().code(), "RQ-4290");
    drop(held);
    let mut ids = Vec::new();
    for _ in 0..6 {
        let place = all.place().unwrap();
        let job = all.start(place, Kind::Evidence, None, 1, |_| async { Ok(answer()) }).unwrap();
        job.outcome().await;
        ids.push(job.id.clone());
    }
    let found: Vec<_> = ids.iter().map(|id| all.find(id).is_some()).collect();
    assert_eq!(found, [false, false, true, true, true, true]);
    assert!(ids.iter().all(|id| all.past(id, 2).is_some()));
}

#[tokio::test]
async fn the_end_waits_for_what_is_under_way() {
    let dir = tempfile::tempdir().unwrap();
    let all = jobs(dir.path(), 2);
    let place = all.place().unwrap();
    let work = |_| async {
        tokio::task::yield_now().await;
        Ok(answer())
    };
    let job = all.start(place, Kind::Evidence, None, 1, work).unwrap();
    all.end(Duration::from_secs(60)).await;
    assert!(job.has_ended());
}
