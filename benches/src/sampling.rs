//! Samples on one pinned core, in CPU time of this thread: a neighbour's load then costs noise, not time.

use rustix::thread::{CpuSet, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

/// Keeps this thread, and the peers it starts, on the first core it may use.
pub(crate) fn pin() {
    let Ok(allowed) = rustix::thread::sched_getaffinity(None) else { return };
    if let Some(core) = (0..CpuSet::MAX_CPU).rev().find(|core| allowed.is_set(*core)) {
        let mut one = CpuSet::new();
        one.set(core);
        if sched_setaffinity(None, &one).is_err() {
            eprintln!("not pinned: the system refused");
        }
    }
}

/// Units a second: the median over samples that together take `seconds`. Each sample's input is made
/// outside the clock, so that keys that must be new can be.
pub(crate) fn median_rate<T>(
    seconds: f64,
    units: usize,
    mut prepare: impl FnMut() -> T,
    mut run: impl FnMut(T),
) -> f64 {
    for _ in 0..WARM_UP {
        run(prepare());
    }
    let mut rates = Vec::new();
    let mut total = 0.0;
    while total < seconds || rates.len() < SAMPLES_MIN {
        let input = prepare();
        let started = cpu_seconds();
        run(input);
        let took = cpu_seconds() - started;
        total += took;
        rates.push(units as f64 / took);
    }
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(f64::NAN)
}

/// CPU seconds of this thread.
pub(crate) fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

const WARM_UP: usize = 3;
const SAMPLES_MIN: usize = 11;
