//! Does the time of an operation tell its secret? Welch's t over two classes of inputs, in dudect's manner.
//!
//! Reparaz, Balasch, Verbauwhede, “Dude, is my code constant time?” (DATE 2017): one class has a fixed secret, the other a
//! new one each time, in random order, prepared outside the clock and laid out alike. The t statistic is taken over all
//! times and over times below a row of percentiles, since interrupts hide small differences; the largest counts.

mod operations;
mod report;
mod statistics;

use std::process::ExitCode;
use std::time::Instant;

use smkit::{OsRandom, Random as _};

use self::operations::{OPERATIONS, Path};
use self::statistics::Outcome;
use crate::sampling::{cpu_seconds, pin};

/// How long to look.
pub(crate) struct Effort {
    /// Measurements of each operation, at most.
    measurements: usize,
    /// Seconds for each operation, inputs included, at most.
    seconds: u64,
}

impl Effort {
    pub(crate) const FULL: Self = Self { measurements: 200_000, seconds: 10 };
    pub(crate) const QUICK: Self = Self { measurements: 20_000, seconds: 2 };
}

/// Prints and writes the result; fails when a secret shows, or when the control's does not.
pub(crate) fn run(effort: &Effort) -> ExitCode {
    pin();
    let load = report::load();
    let mut outcomes = Vec::new();
    for operation in OPERATIONS {
        for path in operation.paths {
            path.take();
            let times = (operation.measure)(effort);
            let outcome = Outcome::new(operation.name, path.name(), operation.leaks, times);
            eprintln!("{outcome}");
            outcomes.push(outcome);
        }
    }
    Path::Newest.take();
    let text = report::report(&outcomes, &load);
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/constant-time.md");
    println!("{text}");
    if let Err(error) = std::fs::write(&file, &text) {
        eprintln!("{}: {error}", file.display());
        return ExitCode::FAILURE;
    }
    if outcomes.iter().all(Outcome::as_expected) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Times of the two classes, nanoseconds.
type Times = [Vec<f64>; 2];

/// Measures `work` on inputs of both classes in random order; `make` gets the class, 0 for the fixed one.
///
/// CPU time of this thread: a neighbour then costs cold caches, which meet both classes alike, and no time.
fn measure<T>(effort: &Effort, make: impl Fn(usize) -> T, work: impl Fn(&T)) -> Times {
    let mut times = [Vec::new(), Vec::new()];
    let begun = Instant::now();
    while times.iter().map(Vec::len).sum::<usize>() < effort.measurements
        && begun.elapsed().as_secs() < effort.seconds
    {
        let mut coins = [0; ROUND];
        OsRandom.fill(&mut coins).expect("randomness");
        // Both classes get memory of their own, so that the caches treat them alike.
        let inputs: Vec<(usize, T)> = coins
            .iter()
            .map(|coin| {
                let class = usize::from(coin & 1);
                (class, make(class))
            })
            .collect();
        inputs.iter().take(WARM_UP).for_each(|(_, input)| work(input));
        for (class, input) in &inputs {
            let started = cpu_seconds();
            work(input);
            let nanoseconds = (cpu_seconds() - started) * 1e9;
            if let Some(times) = times.get_mut(*class) {
                times.push(nanoseconds);
            }
        }
    }
    times
}

/// Inputs made at a time.
const ROUND: usize = 256;
const WARM_UP: usize = 16;
