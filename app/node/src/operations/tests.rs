use std::sync::atomic::{AtomicBool, Ordering};

use changbai_wire::time::{ManualClock, UnixMillis};
use smkit::OsRandom;
use smkit::sm2::PrivateKey;
use smkit_pki::{Authority, Profile, Subject, Validity};

use super::*;

const NOW_MS: u64 = 1_800_000_000_000;

fn certificate() -> Certificate {
    let now_s = (NOW_MS / 1_000) as i64;
    let subject = Subject { common_name: "node".to_owned(), ..Subject::default() };
    let validity = Validity { not_before: now_s - 60, not_after: now_s + 365 * 86_400 };
    let root = Authority::create_root(&subject, validity, &mut OsRandom).unwrap();
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    let issued =
        root.issue(&subject, key.public_key(), Profile::Signing, validity, None, &mut OsRandom);
    issued.unwrap()
}

struct Fixture {
    operations: Operations,
    clock: Arc<ManualClock>,
    halted: Arc<AtomicBool>,
    _dir: tempfile::TempDir,
}

fn fixture(insecure: bool) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(UnixMillis(NOW_MS)));
    let (uptime, identity) = (Uptime::start(), certificate());
    let (halted, own) = (Arc::new(AtomicBool::new(false)), identity.clone());
    let halts = Arc::clone(&halted);
    let channel = move || ChannelFacts {
        channel: "changchun".to_owned(),
        height: 5,
        validators: 1,
        validator: true,
        halted: halts.load(Ordering::Relaxed).then(|| "disk gone".to_owned()),
        ..ChannelFacts::default()
    };
    let parts = Parts {
        clock: Arc::clone(&clock) as _,
        time: NodeTime::default(),
        tokens: None,
        uptime,
        metrics: Arc::new(NodeMetrics::new(uptime)),
        tls: Arc::new(RenewalStatus::until((NOW_MS / 1_000) as i64 + 86_400)),
        identity,
        dir: dir.path().to_owned(),
        disk_reserve_bytes: 0,
        channels: Box::new(move || vec![channel()]),
        own_agency: Box::new(move |chain, _| chain.first() == Some(&own)),
        insecure,
        log: None,
        custody: Box::new(Default::default),
        supervisor: Supervisor::default(),
    };
    Fixture { operations: Operations::new(parts), clock, halted, _dir: dir }
}

#[test]
fn a_halted_channel_shows_everywhere() {
    let Fixture { operations, halted, .. } = fixture(false);
    assert_eq!(operations.look(), []);
    assert_eq!(operations.health().status, "OK");
    assert!(operations.readiness()[0].ready);
    assert!(operations.metrics().contains("\nchangbai_channel_ready{channel=\"changchun\"} 1\n"));

    halted.store(true, Ordering::Relaxed);
    assert!(matches!(operations.look().as_slice(), [Change::Raised(_)]));
    let failed = operations.health().failed_checks;
    assert_eq!(failed.len(), 1);
    assert_eq!(
        (failed[0].component.as_str(), failed[0].reason.as_str()),
        ("channel/changchun", "disk gone")
    );
    assert_eq!(operations.readiness()[0].reasons, ["ordering has halted: disk gone"]);
    let alarms = operations.alarms();
    assert_eq!((alarms[0].code, alarms[0].since_ms), ("OP-1001", NOW_MS));
    let page = operations.metrics();
    for line in [
        "changbai_alarm{code=\"OP-1001\",severity=\"critical\",channel=\"changchun\"} 1",
        "changbai_alarms_raised_total{code=\"OP-1001\"} 1",
        "changbai_channel_halted{channel=\"changchun\"} 1",
        "changbai_channel_ready{channel=\"changchun\"} 0",
    ] {
        assert!(page.lines().any(|l| l == line), "{line}");
    }
    halted.store(false, Ordering::Relaxed);
    assert!(matches!(operations.look().as_slice(), [Change::Cleared(_)]));
    assert!(operations.alarms().is_empty());
}

#[test]
fn a_clock_set_back_an_hour_is_an_alarm_and_no_obstacle_for_long() {
    let Fixture { operations, clock, .. } = fixture(false);
    operations.look();
    clock.set(UnixMillis(NOW_MS - 3_600_000));
    operations.look();
    assert_eq!(operations.alarms()[0].code, "OP-3001");
    assert!(!operations.readiness()[0].ready);
    let facts = operations.facts();
    assert_eq!(facts.clock.jumps, 1);
    assert!(facts.clock.last_jump_ms <= -3_600_000 && facts.clock.last_jump_ms > -3_700_000);
}

#[test]
fn this_machine_and_the_agency_may_ask() {
    let Fixture { operations, .. } = fixture(false);
    let own = operations.parts.identity.clone();
    let from = |remote: &str, certificates: Vec<Certificate>| Transport {
        remote: remote.parse().unwrap(),
        certificates,
    };
    for admitted in [
        from("127.0.0.1:1", vec![]),
        from("[::1]:1", vec![]),
        from("[::ffff:127.0.0.1]:1", vec![]),
        from("192.0.2.1:1", vec![own.clone()]),
    ] {
        assert!(operations.admits(&admitted), "{admitted:?}");
    }
    let stranger = from("192.0.2.1:1", vec![certificate(), own]);
    assert!(!operations.admits(&stranger));
    assert!(!operations.admits(&from("192.0.2.1:1", vec![])));
    // Whoever says insecure is answered by it; a certificate still has to be the agency's.
    let Fixture { operations, .. } = fixture(true);
    assert!(operations.admits(&from("192.0.2.1:1", vec![])));
    assert!(!operations.admits(&stranger));
}
