//! Load: a closed loop of clients that each wait for their answer, and an open loop at a rate.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::report::cpu_ms;

/// What a run gave.
pub(crate) struct Run {
    pub(crate) done: u64,
    pub(crate) seconds: f64,
    pub(crate) cpu_ms: f64,
    /// Milliseconds, sorted.
    pub(crate) latencies: Vec<f64>,
}

impl Run {
    pub(crate) fn per_second(&self) -> f64 {
        self.done as f64 / self.seconds
    }

    pub(crate) fn cpu_ms_each(&self) -> f64 {
        self.cpu_ms / self.done as f64
    }
}

/// `clients` threads call `submit` with distinct numbers, one after the other, until the time is
/// over. `make` gives each thread its own client.
pub(crate) fn closed<C>(
    clients: usize,
    time: Duration,
    make: &(impl Fn() -> C + Sync),
    submit: &(impl Fn(&mut C, u64) + Sync),
) -> Run {
    let next = AtomicU64::new(0);
    run(clients, make, &|client, started, latencies| {
        while started.elapsed() < time {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let sent = Instant::now();
            submit(client, number);
            latencies.push(sent.elapsed().as_secs_f64() * 1_000.0);
        }
    })
}

/// `per_second` submissions at fixed moments, whether or not earlier ones are answered; a latency
/// counts from the moment at which the submission was due.
pub(crate) fn open<C>(
    clients: usize,
    per_second: u64,
    total: u64,
    make: &(impl Fn() -> C + Sync),
    submit: &(impl Fn(&mut C, u64) + Sync),
) -> Run {
    let next = AtomicU64::new(0);
    run(clients, make, &|client, started, latencies| {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= total {
                return;
            }
            let due = started + Duration::from_micros(number * 1_000_000 / per_second);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            submit(client, number);
            latencies.push(due.elapsed().as_secs_f64() * 1_000.0);
        }
    })
}

fn run<C>(
    clients: usize,
    make: &(impl Fn() -> C + Sync),
    work: &(impl Fn(&mut C, Instant, &mut Vec<f64>) + Sync),
) -> Run {
    let all = Mutex::new(Vec::new());
    let started = Instant::now();
    let cpu = cpu_ms();
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                let mut client = make();
                let mut latencies = Vec::new();
                work(&mut client, started, &mut latencies);
                all.lock().expect("no client panicked").extend(latencies);
            });
        }
    });
    let seconds = started.elapsed().as_secs_f64();
    let cpu_ms = cpu_ms() - cpu;
    let mut latencies = all.into_inner().expect("no client panicked");
    latencies.sort_by(f64::total_cmp);
    Run { done: latencies.len() as u64, seconds, cpu_ms, latencies }
}
