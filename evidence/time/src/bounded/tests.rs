use proptest::prelude::*;

use super::*;
use crate::chrony::ChronyFloat;

const START_NS: u64 = 1_795_000_000_000_000_000;
const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

/// Two clocks that a test moves.
#[derive(Default)]
struct Machine(Mutex<RawReading>);

impl Machine {
    fn pass(&self, ns: u64) {
        let mut now = self.0.lock().unwrap();
        now.wall.0 += ns;
        now.monotonic_ns += ns;
    }

    fn step(&self, ns: i64) {
        let mut now = self.0.lock().unwrap();
        now.wall.0 = now.wall.0.checked_add_signed(ns).unwrap();
    }
}

impl RawClock for Machine {
    fn read(&self) -> RawReading {
        *self.0.lock().unwrap()
    }
}

fn world() -> (Arc<Machine>, BoundedClock) {
    let machine = Arc::new(Machine::default());
    machine.pass(START_NS);
    let clock = BoundedClock::new(Arc::clone(&machine) as _, Policy::default());
    (machine, clock)
}

/// Followed, 1 ms off at most, measured at `measured_ns`.
fn answer(measured_ns: u64) -> Tracking {
    Tracking {
        reference_id: 0xcb00_710f,
        stratum: 2,
        reference_time: UnixNanos(measured_ns),
        root_dispersion: ChronyFloat::from_nanos(1_000_000),
        ..Tracking::default()
    }
}

fn code(clock: &BoundedClock) -> &'static str {
    clock.standing().refusal().map_or("-", |refusal| refusal.reason().code)
}

#[test]
fn no_answer_no_bound() {
    let (_, clock) = world();
    assert_eq!((clock.now().bound_us, code(&clock)), (None, "TM-1000"));
    clock.learn(Err(Refusal::NoReply), clock.raw());
    assert_eq!((clock.now().bound_us, code(&clock)), (None, "TM-1002"));
}

#[test]
fn the_bound_grows_until_the_answer_is_too_old() {
    let (machine, clock) = world();
    clock.learn(Ok(answer(START_NS)), clock.raw());
    let first = clock.now();
    assert_eq!(first.at, UnixMillis(START_NS / MS));
    let first = first.bound_us.unwrap();
    machine.pass(2 * SECOND);
    assert_eq!(clock.now().bound_us, Some(first + 100), "50 ppm of two seconds");
    clock.learn(Err(Refusal::NoReply), clock.raw());
    machine.pass(3 * SECOND);
    assert_eq!(clock.now().bound_us, Some(first + 250), "an answer may be lost");
    machine.pass(MS);
    assert_eq!((clock.now().bound_us, code(&clock)), (None, "TM-1002"));
    clock.learn(Ok(answer(START_NS + SECOND)), clock.raw());
    assert_eq!(clock.now().bound_us, Some(first));
}

#[test]
fn drift_alone_can_pass_the_limit() {
    let (machine, clock) = world();
    let worst =
        Tracking { root_dispersion: ChronyFloat::from_nanos(8_990_000), ..answer(START_NS) };
    clock.learn(Ok(worst), clock.raw());
    assert_eq!(code(&clock), "-");
    machine.pass(SECOND);
    assert_eq!((clock.now().bound_us, code(&clock)), (None, "TM-2007"));
}

#[test]
fn a_wrong_answer_ends_the_standing_at_once() {
    for refusal in [Refusal::Malformed { at: 0, what: "x" }, Refusal::Sequence, Refusal::Replayed] {
        let (_, clock) = world();
        clock.learn(Ok(answer(START_NS)), clock.raw());
        assert_eq!(code(&clock), "-");
        let code_of_it = refusal.reason().code;
        clock.learn(Err(refusal), clock.raw());
        assert_eq!((clock.now().bound_us, code(&clock)), (None, code_of_it));
    }
}

#[test]
fn a_step_ends_it_until_the_clock_is_measured_anew() {
    for by in [-3_600_i64, -1, 1, 3_600].map(|s| s * 1_000_000_000).into_iter().chain([3_000_000]) {
        let (machine, clock) = world();
        clock.learn(Ok(answer(START_NS)), clock.raw());
        machine.pass(MS);
        machine.step(by);
        assert_eq!((clock.now().bound_us, code(&clock)), (None, "TM-3001"), "{by}");
        // chronyd knows nothing of it and says the same as before, however often it is asked.
        for _ in 0..3 {
            machine.pass(SECOND);
            clock.learn(Ok(answer(START_NS)), clock.raw());
            assert_eq!(code(&clock), "TM-3001");
        }
        let now = machine.read().wall.0;
        clock.learn(Ok(answer(now)), clock.raw());
        assert_eq!(code(&clock), "-", "{by}");
    }
}

#[test]
fn a_measurement_before_the_step_does_not_end_the_refusal() {
    let (machine, clock) = world();
    clock.learn(Ok(answer(START_NS)), clock.raw());
    // Measured, then set, then asked: a new measurement, and yet an old one.
    machine.pass(SECOND);
    machine.step(500_000_000);
    assert_eq!(code(&clock), "TM-3001");
    clock.learn(Ok(answer(START_NS + SECOND)), clock.raw());
    assert_eq!(code(&clock), "TM-3001");
    // A question under way when the clock was set.
    let asked = clock.raw();
    machine.pass(MS);
    machine.step(500_000_000);
    clock.learn(Ok(answer(START_NS + 2 * SECOND)), asked);
    assert_eq!(code(&clock), "TM-3001");
}

#[test]
fn a_small_step_is_added_to_the_bound() {
    let (machine, clock) = world();
    clock.learn(Ok(answer(START_NS)), clock.raw());
    let before = clock.now().bound_us.unwrap();
    machine.step(-1_500_000);
    assert_eq!(clock.now().bound_us, Some(before + 1_500));
}

proptest! {
    #[test]
    fn a_bound_covers_the_truth(
        offset_ns in -3_000_000_i64..3_000_000,
        passes in prop::collection::vec((1_u64..900 * MS, -1_900_000_i64..1_900_000), 1..6),
    ) {
        let (machine, clock) = world();
        let told = Tracking { system_offset: ChronyFloat::from_nanos(offset_ns), ..answer(START_NS) };
        let mut truth_ns = i128::from(START_NS) + i128::from(offset_ns);
        clock.learn(Ok(told), clock.raw());
        for (pass, step) in passes {
            machine.pass(pass);
            machine.step(step);
            truth_ns += i128::from(pass);
            let reading = clock.now();
            if let Some(bound_us) = reading.bound_us {
                prop_assert!(bound_us <= Policy::default().bound_us_max);
                let off_ns = (i128::from(reading.at.0) * i128::from(MS) - truth_ns).unsigned_abs();
                prop_assert!(off_ns <= u128::from(bound_us) * 1_000, "{off_ns} ns, {bound_us} us");
            }
        }
    }
}
