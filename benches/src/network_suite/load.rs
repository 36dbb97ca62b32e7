//! Clients of several nodes at once: a closed loop, and an open loop at a rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::client::{Answer, Client, Door};

/// What came of the submissions of a run.
#[derive(Default)]
pub(crate) struct Answers {
    /// Milliseconds from the moment a submission was due until it was committed, sorted.
    pub(crate) latencies: Vec<f64>,
    /// When each was answered as committed, in seconds since the run began, sorted.
    pub(crate) committed_s: Vec<f64>,
    /// Refusals that say when to come back.
    pub(crate) later: u64,
    /// Other answers, by status.
    pub(crate) others: Vec<u16>,
    /// Submissions without an answer.
    pub(crate) broken: u64,
    /// How long the run took.
    pub(crate) seconds: f64,
}

impl Answers {
    pub(crate) fn committed(&self) -> u64 {
        self.committed_s.len() as u64
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.committed() as f64 / self.seconds
    }

    /// The longest time without a commit, in milliseconds.
    pub(crate) fn longest_gap_ms(&self) -> f64 {
        let gaps = self.committed_s.windows(2).map(|pair| (pair[1] - pair[0]) * 1_000.0);
        gaps.fold(0.0, f64::max)
    }

    fn record(&mut self, answer: Answer, due: Instant, started: Instant) {
        match answer {
            // Known: a repetition after an answer was lost; the record is there all the same.
            Answer::Committed | Answer::Known => {
                self.latencies.push(due.elapsed().as_secs_f64() * 1_000.0);
                self.committed_s.push(started.elapsed().as_secs_f64());
            }
            Answer::Later(_) => self.later += 1,
            Answer::Status(status) => self.others.push(status),
            Answer::Broken => self.broken += 1,
        }
    }

    fn merge(mut runs: Vec<Self>, seconds: f64) -> Self {
        let mut all = Self { seconds, ..Self::default() };
        for run in &mut runs {
            all.latencies.append(&mut run.latencies);
            all.committed_s.append(&mut run.committed_s);
            all.others.append(&mut run.others);
            all.later += run.later;
            all.broken += run.broken;
        }
        all.latencies.sort_by(f64::total_cmp);
        all.committed_s.sort_by(f64::total_cmp);
        all
    }
}

/// `clients` connections, spread over `doors`, submit one after the other until the time is over. Whoever is told to
/// come back later does so after the time it was told, or when the run ends.
pub(crate) async fn closed(
    doors: &[Arc<Door>],
    clients: usize,
    time: Duration,
    seed: u64,
) -> Answers {
    let next = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..clients {
        let (door, next) = (Arc::clone(&doors[at % doors.len()]), Arc::clone(&next));
        tasks.spawn(async move {
            let (mut client, mut answers) = (Client::new(door), Answers::default());
            while started.elapsed() < time {
                let due = Instant::now();
                let answer = client.submit(seed, next.fetch_add(1, Ordering::Relaxed)).await;
                answers.record(answer, due, started);
                if let Answer::Later(ms) = answer {
                    let left = time.saturating_sub(started.elapsed());
                    tokio::time::sleep(Duration::from_millis(ms).min(left)).await;
                }
            }
            answers
        });
    }
    let runs = tasks.join_all().await;
    // What is answered after the end counts with the time it took.
    Answers::merge(runs, started.elapsed().as_secs_f64())
}

/// `per_second` submissions at fixed moments, whether or not earlier ones are answered.
pub(crate) async fn open(
    doors: &[Arc<Door>],
    clients: usize,
    per_second: u64,
    total: u64,
    seed: u64,
) -> Answers {
    let next = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..clients {
        let (door, next) = (Arc::clone(&doors[at % doors.len()]), Arc::clone(&next));
        tasks.spawn(async move {
            let (mut client, mut answers) = (Client::new(door), Answers::default());
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= total {
                    return answers;
                }
                let due = started + Duration::from_micros(number * 1_000_000 / per_second);
                tokio::time::sleep_until(due.into()).await;
                // What fails is tried again, as a clerk would; the latency goes on from the due moment.
                for _ in 0..ATTEMPTS {
                    let answer = client.submit(seed, number).await;
                    answers.record(answer, due, started);
                    if matches!(answer, Answer::Committed | Answer::Known) {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        });
    }
    let runs = tasks.join_all().await;
    Answers::merge(runs, started.elapsed().as_secs_f64())
}

/// How often a submission is tried in the open loop.
const ATTEMPTS: u32 = 50;
