//! Samples on one pinned core, in CPU time of this thread: a neighbour's load then costs noise, not time. Cases are
//! sampled in turns, so that what noise there is hits all of them alike.

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

/// Something that is measured, and what was measured so far.
pub(crate) struct Case {
    pub(crate) name: String,
    /// Runs once and says how many CPU seconds that took.
    sample: Box<dyn FnMut() -> f64>,
    /// Operations or bytes of one sample.
    units: f64,
    rates: Vec<f64>,
    seconds: f64,
}

impl Case {
    /// Each sample's input is made outside the clock, so that keys that must be new can be.
    pub(crate) fn new<T>(
        name: &str,
        units: usize,
        mut prepare: impl FnMut() -> T + 'static,
        mut run: impl FnMut(T) + 'static,
    ) -> Self {
        let sample = move || {
            let input = prepare();
            let started = cpu_seconds();
            run(input);
            cpu_seconds() - started
        };
        Self {
            name: name.to_owned(),
            sample: Box::new(sample),
            units: units as f64,
            rates: Vec::new(),
            seconds: 0.0,
        }
    }

    /// A case without input.
    pub(crate) fn of(name: &str, units: usize, mut run: impl FnMut() + 'static) -> Self {
        Self::new(name, units, || (), move |()| run())
    }

    /// The same under another name, with something done before each sample and undone after.
    #[cfg(feature = "portable-only")]
    pub(crate) fn within(self, suffix: &str, switch: fn(bool)) -> Self {
        let Self { name, mut sample, units, .. } = self;
        let sample = move || {
            switch(true);
            let seconds = sample();
            switch(false);
            seconds
        };
        let name = format!("{name}{suffix}");
        Self { name, sample: Box::new(sample), units, rates: Vec::new(), seconds: 0.0 }
    }

    /// Units a second, the median of all samples.
    pub(crate) fn rate(&self) -> f64 {
        median(self.rates.clone())
    }
}

/// Samples the cases in turns until each has run for so long.
pub(crate) fn interleave(cases: &mut [&mut Case], seconds: f64) {
    for case in cases.iter_mut() {
        for _ in 0..WARM_UP {
            (case.sample)();
        }
    }
    let mut left: Vec<_> = cases.iter().map(|case| case.seconds + seconds).collect();
    let mut round = 0;
    loop {
        let mut all_done = true;
        for (case, until) in cases.iter_mut().zip(&mut left) {
            if case.seconds < *until || round < SAMPLES_MIN {
                all_done = false;
                let took = (case.sample)();
                case.seconds += took;
                case.rates.push(case.units / took);
            }
        }
        if all_done {
            return;
        }
        round += 1;
    }
}

/// Units a second of work that is measured alone: the median over samples that together take `seconds`.
pub(crate) fn median_rate(seconds: f64, units: usize, mut run: impl FnMut()) -> f64 {
    run();
    let (mut rates, mut total) = (Vec::new(), 0.0);
    while total < seconds || rates.len() < SAMPLES_MIN {
        let started = cpu_seconds();
        run();
        let took = cpu_seconds() - started;
        total += took;
        rates.push(units as f64 / took);
    }
    median(rates)
}

/// The median; not a number for none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// CPU seconds of this thread.
pub(crate) fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

const WARM_UP: usize = 2;
const SAMPLES_MIN: usize = 5;
