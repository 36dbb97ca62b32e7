use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use changbai_core::{
    AgencyProfile, BusinessType, Collection, EvidenceId, EvidenceService, Kind, LedgerError, Query,
    QueryError, Record, Submission, SubmitError, Submitted, Submitter,
};
use changbai_wire::time::{Clock, ManualClock, TimeReading, UnixMillis};
use smkit::{OsRandom, Random, RandomError, sm3};

use crate::{
    ledger::{Fault, TestLedger, TestOpenings, shared},
    support::{AT_MS, MSP, code, original, parts, record},
};

struct Bounded(u32);

impl Clock for Bounded {
    fn now(&self) -> TimeReading {
        TimeReading { at: UnixMillis(AT_MS), bound_us: Some(self.0) }
    }
}

fn agency() -> AgencyProfile {
    AgencyProfile {
        region: "220100".to_owned(),
        code: code(),
        msp_id: MSP.to_owned(),
        name: "长春市不动产登记中心".to_owned(),
    }
}

fn service_with(
    ledger: &Arc<TestLedger>,
    openings: &Arc<TestOpenings>,
    clock: Arc<dyn Clock>,
) -> Arc<EvidenceService> {
    let random = Arc::new(Mutex::new(OsRandom));
    let service =
        EvidenceService::new(ledger.clone(), openings.clone(), clock, random, agency()).unwrap();
    Arc::new(service.with_offload(Arc::new(|job: Box<dyn FnOnce() + Send>| {
        tokio::task::spawn_blocking(job);
    })))
}

fn service(ledger: &Arc<TestLedger>, openings: &Arc<TestOpenings>) -> Arc<EvidenceService> {
    service_with(ledger, openings, Arc::new(ManualClock::new(UnixMillis(AT_MS))))
}

fn submitter() -> Submitter {
    Submitter {
        certificate_sm3: sm3(b"certificate"),
        subject: "CN=operator".to_owned(),
        msp_id: MSP.to_owned(),
    }
}

fn submission(content: &[u8]) -> Submission {
    Submission {
        business_type: BusinessType::General,
        batch: None,
        fields: [("标题", "公证书"), ("person", "张三")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into(),
        originals: vec![original(sm3(content))],
        previous: None,
        collection: Collection::default(),
    }
}

fn records(ledger: &TestLedger) -> Vec<Record> {
    ledger
        .state()
        .iter()
        .filter(|(key, _)| key.starts_with("rec/"))
        .map(|(_, value)| Record::from_bytes(&value[32..]).unwrap())
        .collect()
}

#[tokio::test]
async fn a_submission_becomes_a_record_that_is_found_again() {
    let (ledger, openings) = shared();
    let service = service(&ledger, &openings);
    let submitted = service.submit(submission(b"a"), &submitter()).await.unwrap();
    assert!(!submitted.duplicate);
    let record = &submitted.record;
    assert_eq!(record.id().serial(), 1);
    assert_eq!(record.id().date().to_string(), "20261122");
    assert_eq!(record.parts().fields["title"], "公证书");
    assert!(!String::from_utf8_lossy(record.as_bytes()).contains("张三"));
    assert_eq!(record.parts().time.source(), "local");

    let stored = service.get(record.id()).await.unwrap().unwrap();
    assert_eq!((&stored.record, &stored.tx_id), (record, &submitted.tx_id));
    assert_eq!(stored.block_number, submitted.block_number);
    assert_eq!(stored.committed_at_ms, submitted.committed_at_ms);

    let kept = service.openings(record).await.unwrap().unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].value, "张三");
    assert_eq!(kept[0].commitment(), record.parts().personal["person"]);
    service.erase_openings(record).await.unwrap();
    assert_eq!(service.openings(record).await.unwrap(), None);

    let absent = parts(99).id;
    assert_eq!(service.get(&absent).await.unwrap(), None);
    assert!(service.history(&absent).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_measured_bound_is_recorded() {
    let (ledger, openings) = shared();
    let service = service_with(&ledger, &openings, Arc::new(Bounded(420)));
    let time = service.submit(submission(b"a"), &submitter()).await.unwrap().record.parts().time;
    assert_eq!((time.bound_us, time.source()), (Some(420), "synchronised"));
}

#[tokio::test]
async fn the_same_submission_again_gives_the_first_record() {
    let (ledger, openings) = shared();
    let first = service(&ledger, &openings).submit(submission(b"a"), &submitter()).await.unwrap();
    // Another process, other fields: still the first record, and no openings are left of the second.
    let mut again = submission(b"a");
    again.fields.insert("person".to_owned(), "李四".to_owned());
    let second = service(&ledger, &openings).submit(again, &submitter()).await.unwrap();
    assert_eq!(second, Submitted { duplicate: true, ..first });
    assert_eq!(openings.kept.lock().unwrap().len(), 1);
    // Another submitter or another type is another submission.
    let other = Submitter { subject: "CN=other".to_owned(), ..submitter() };
    let third = service(&ledger, &openings).submit(submission(b"a"), &other).await.unwrap();
    assert!(!third.duplicate);
    assert_eq!(third.record.id().serial(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_duplicates_in_one_process_make_one_transaction() {
    let (ledger, openings) = shared();
    let service = service(&ledger, &openings);
    let pause = ledger.pause.lock().await;
    let tasks: Vec<_> = (0..100)
        .map(|n| {
            let service = service.clone();
            let content = vec![n % 5];
            #[expect(clippy::disallowed_methods, reason = "a test joins its own tasks")]
            tokio::spawn(async move { service.submit(submission(&content), &submitter()).await })
        })
        .collect();
    tokio::task::yield_now().await;
    drop(pause);
    let mut ids = BTreeMap::<EvidenceId, (usize, usize)>::new();
    for task in tasks {
        let submitted = task.await.unwrap().unwrap();
        let (all, first) = ids.entry(*submitted.record.id()).or_default();
        *all += 1;
        *first += usize::from(!submitted.duplicate);
    }
    assert_eq!(ids.len(), 5);
    assert!(ids.values().all(|&(all, first)| all == 20 && first == 1), "{ids:?}");
    assert_eq!(records(&ledger).len(), 5);
    assert_eq!(ledger.submissions.load(std::sync::atomic::Ordering::SeqCst), 5);
    assert_eq!(openings.kept.lock().unwrap().len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_never_make_two_records_for_one_key_nor_one_id() {
    let (ledger, openings) = shared();
    let services = [service(&ledger, &openings), service(&ledger, &openings)];
    // Both simulate against the same state: ids and keys collide, read conflicts sort them out.
    let pause = ledger.pause.lock().await;
    let tasks: Vec<_> = (0..40_u8)
        .map(|n| {
            let service = services[usize::from(n % 2)].clone();
            #[expect(clippy::disallowed_methods, reason = "a test joins its own tasks")]
            tokio::spawn(async move { service.submit(submission(&[n / 4]), &submitter()).await })
        })
        .collect();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    drop(pause);
    let mut ids = BTreeSet::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(submitted) => drop(ids.insert(*submitted.record.id())),
            Err(error) => assert_eq!(error.code().code, "EV-4095"),
        }
    }
    assert_eq!(ids.len(), 10);
    let records = records(&ledger);
    let keys: BTreeSet<_> = records.iter().map(Record::duplicate_key).collect();
    assert_eq!((records.len(), keys.len()), (10, 10));
    // Every recorded commitment can be opened, and nothing else is left.
    let recorded: Vec<_> = records.iter().map(Record::digest).collect();
    let kept = openings.kept.lock().unwrap();
    assert!(recorded.iter().all(|digest| kept.contains_key(digest)) && kept.len() == 10);
    assert!(ledger.conflicts.load(std::sync::atomic::Ordering::SeqCst) > 0);
}

#[tokio::test]
async fn a_taken_id_is_replaced_by_the_next_one() {
    let (ledger, openings) = shared();
    let service = service(&ledger, &openings);
    service.submit(submission(b"a"), &submitter()).await.unwrap();
    ledger.write(&record(parts(2)));
    ledger.write(&record(parts(40)));
    let next = service.submit(submission(b"b"), &submitter()).await.unwrap();
    assert_eq!(next.record.id().serial(), 41);
    assert_eq!(openings.kept.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn somebody_faster_with_the_same_originals_wins() {
    let (ledger, openings) = shared();
    let service = service(&ledger, &openings);
    let mut faster = parts(77);
    faster.originals = submission(b"a").originals;
    let id = faster.id;
    let bytes = record(faster);
    ledger.fault(Fault::Meanwhile(Box::new(move |ledger| ledger.write(&bytes))));
    let submitted = service.submit(submission(b"a"), &submitter()).await.unwrap();
    assert!(submitted.duplicate);
    assert_eq!(*submitted.record.id(), id);
    assert!(openings.kept.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_unknown_outcome_is_called_unknown_and_settled_by_trying_again() {
    let (ledger, openings) = shared();
    let service = service(&ledger, &openings);
    let mut attempts = 0;
    for (error, committed) in [
        (LedgerError::Halted { reason: "fsync failed".to_owned() }, true),
        (
            LedgerError::OutcomeUnknown { tx_id: "t".to_owned(), reason: "timeout".to_owned() },
            false,
        ),
        (LedgerError::NotYetProven, true),
    ] {
        let content = error.to_string();
        ledger.fault(if committed { Fault::CommitThenFail(error) } else { Fault::Fail(error) });
        let failed =
            service.submit(submission(content.as_bytes()), &submitter()).await.unwrap_err();
        let SubmitError::OutcomeUnknown { id, .. } = &failed else { panic!("{failed:?}") };
        assert_eq!((failed.code().code, failed.code().kind), ("EV-4501", Kind::Unknown));
        let kept = openings.kept.lock().unwrap().len();
        assert_eq!(kept, attempts + 1, "it may have been recorded");
        let again = service.submit(submission(content.as_bytes()), &submitter()).await.unwrap();
        attempts = openings.kept.lock().unwrap().len();
        assert_eq!(again.duplicate, committed);
        assert_eq!(again.record.id() == id, committed);
    }
}

#[tokio::test]
async fn a_certain_failure_leaves_nothing_behind() {
    let (ledger, openings) = shared();
    let service = service(&ledger, &openings);
    for (error, code) in [
        (LedgerError::Busy { retry_after_ms: 5 }, "EV-4290"),
        (LedgerError::Unavailable { reason: "starting".to_owned() }, "EV-4502"),
        (LedgerError::Invalid { reason: "policy".to_owned() }, "EV-4014"),
    ] {
        ledger.fault(Fault::Fail(error));
        let failed = service.submit(submission(b"a"), &submitter()).await.unwrap_err();
        assert_eq!(failed.code().code, code);
        assert!(openings.kept.lock().unwrap().is_empty());
    }
    for _ in 0..changbai_core::limits::SUBMIT_ATTEMPTS_MAX {
        ledger.fault(Fault::Fail(LedgerError::Conflict));
    }
    let failed = service.submit(submission(b"a"), &submitter()).await.unwrap_err();
    assert_eq!(failed.code().code, "EV-4095");
    assert!(openings.kept.lock().unwrap().is_empty());
    assert!(records(&ledger).is_empty());
    // One conflict is overcome.
    ledger.fault(Fault::Fail(LedgerError::Conflict));
    assert!(service.submit(submission(b"a"), &submitter()).await.is_ok());
}

#[tokio::test]
async fn nothing_is_submitted_without_openings_or_salt() {
    struct NoRandom;
    impl Random for NoRandom {
        fn fill(&mut self, _out: &mut [u8]) -> Result<(), RandomError> {
            Err(RandomError { reason: "none".to_owned() })
        }
    }
    let (ledger, openings) = shared();
    *openings.broken.lock().unwrap() = true;
    let failed = service(&ledger, &openings).submit(submission(b"a"), &submitter()).await;
    assert_eq!(failed.unwrap_err().code().code, "EV-4504");
    let clock = Arc::new(ManualClock::new(UnixMillis(AT_MS)));
    let random = Arc::new(Mutex::new(NoRandom));
    let service = EvidenceService::new(ledger.clone(), openings, clock, random, agency()).unwrap();
    let failed = service.submit(submission(b"a"), &submitter()).await;
    assert_eq!(failed, Err(SubmitError::Random));
    assert!(records(&ledger).is_empty());
}

#[tokio::test]
async fn wrong_submissions_never_reach_the_ledger() {
    let (ledger, openings) = shared();
    let service = service(&ledger, &openings);
    let refused = async |change: &dyn Fn(&mut Submission)| {
        let mut wrong = submission(b"a");
        change(&mut wrong);
        service.submit(wrong, &submitter()).await.unwrap_err().code().code
    };
    assert_eq!(
        refused(&|s| drop(s.fields.insert("x".to_owned(), "y".to_owned()))).await,
        "EV-4003"
    );
    assert_eq!(
        refused(&|s| s.business_type = BusinessType::AdministrativePenalty).await,
        "EV-4003"
    );
    assert_eq!(
        refused(&|s| {
            s.fields.clear();
            s.business_type = BusinessType::AdministrativePenalty;
        })
        .await,
        "EV-4004"
    );
    assert_eq!(
        refused(&|s| drop(s.fields.insert("note".to_owned(), "x".repeat(1_001)))).await,
        "EV-4005"
    );
    assert_eq!(
        refused(&|s| drop(s.fields.insert("note".to_owned(), "a\u{7}".to_owned()))).await,
        "EV-4006"
    );
    assert_eq!(
        refused(&|s| drop(s.fields.insert("title".to_owned(), "x".to_owned()))).await,
        "EV-4007"
    );
    assert_eq!(refused(&|s| s.originals.clear()).await, "EV-4008");
    assert_eq!(refused(&|s| s.originals[0].media_type.clear()).await, "EV-4008");
    assert_eq!(refused(&|s| s.collection.method.clear()).await, "EV-4013");
    let foreign = Submitter { msp_id: "OtherMSP".to_owned(), ..submitter() };
    let failed = service.submit(submission(b"a"), &foreign).await.unwrap_err();
    assert_eq!(failed.code().code, "EV-4030");
    assert_eq!(ledger.submissions.load(std::sync::atomic::Ordering::SeqCst), 0);
    assert!(openings.kept.lock().unwrap().is_empty());
}

#[tokio::test]
async fn versions_are_linked_and_told_apart_from_duplicates() {
    let (ledger, openings) = shared();
    let service = service(&ledger, &openings);
    let submit = async |content: &[u8], previous: Option<EvidenceId>| {
        let submission = Submission { previous, ..submission(content) };
        service.submit(submission, &submitter()).await
    };
    let first = *submit(b"a", None).await.unwrap().record.id();
    let second = submit(b"b", Some(first)).await.unwrap();
    let again = submit(b"b", Some(first)).await.unwrap();
    assert_eq!(again, Submitted { duplicate: true, ..second.clone() });
    let second = *second.record.id();
    assert_eq!(submit(b"c", Some(first)).await.unwrap_err().code().code, "EV-4092");
    assert_eq!(submit(b"d", Some(parts(50).id)).await.unwrap_err().code().code, "EV-4041");
    let elsewhere = submit(b"a", Some(second)).await.unwrap_err();
    assert_eq!(elsewhere, SubmitError::RecordedElsewhere { first, previous: second });
    let third = *submit(b"c", Some(second)).await.unwrap().record.id();
    let versions = service.history(&second).await.unwrap();
    assert_eq!(versions.iter().map(|v| v.id).collect::<Vec<_>>(), [first, second, third]);
}

#[tokio::test]
async fn listings_page_and_filter() {
    let (ledger, openings) = shared();
    let clock = Arc::new(ManualClock::new(UnixMillis(AT_MS)));
    let service = service_with(&ledger, &openings, clock.clone());
    for n in 0..120_u8 {
        clock.set(UnixMillis(AT_MS + u64::from(n)));
        let mut submission = submission(&[n]);
        submission.originals.push(original(sm3(b"shared")));
        service.submit(submission, &submitter()).await.unwrap();
    }
    let mut query = Query { limit: Some(50), from_ms: Some(AT_MS + 10), ..Query::default() };
    for sm3 in [None, Some(sm3(b"shared"))] {
        query.sm3 = sm3;
        let (mut serials, mut pages) = (Vec::new(), 0);
        loop {
            let page = service.list(&query).await.unwrap();
            assert!(page.items.len() <= 50);
            serials.extend(page.items.iter().map(|listed| listed.record.id().serial()));
            pages += 1;
            query.cursor = page.cursor;
            if query.cursor.is_none() {
                break;
            }
        }
        assert_eq!(serials, (11..=120).collect::<Vec<_>>());
        assert!(pages >= 3);
    }
    for (wrong, code) in [
        (Query { limit: Some(0), ..Query::default() }, "EV-4011"),
        (Query { limit: Some(201), ..Query::default() }, "EV-4011"),
        (Query { from_ms: Some(2), to_ms: Some(1), ..Query::default() }, "EV-4011"),
        (Query { cursor: Some("x".to_owned()), ..Query::default() }, "EV-4012"),
    ] {
        let error: QueryError = service.list(&wrong).await.unwrap_err();
        assert_eq!(error.code().code, code);
    }
}

#[tokio::test]
async fn serials_restart_each_day() {
    let (ledger, openings) = shared();
    let clock = Arc::new(ManualClock::new(UnixMillis(AT_MS)));
    let service = service_with(&ledger, &openings, clock.clone());
    let mut ids = Vec::new();
    for (n, day) in [0_u64, 0, 1, 0, 1, 2, 3, 4, 5, 0].into_iter().enumerate() {
        clock.set(UnixMillis(AT_MS + day * 86_400_000));
        let submitted = service.submit(submission(&[u8::try_from(n).unwrap()]), &submitter()).await;
        let id = *submitted.unwrap().record.id();
        ids.push((id.date().day(), id.serial()));
    }
    assert_eq!(
        ids,
        [(22, 1), (22, 2), (23, 1), (22, 3), (23, 2), (24, 1), (25, 1), (26, 1), (27, 1), (22, 4)]
    );
}
