//! `changbai-sim [--seeds N] [--seed S] [--nodes n] [--jobs j]`: see `cargo xtask sim`.

#![expect(clippy::print_stdout, reason = "a tool for developers talks on standard output")]

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use changbai_sim::{Options, Report, Stats, run};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(command) = Command::parse(&arguments) else {
        println!("changbai-sim [--seeds N] [--from S] [--seed S [--trace]] [--nodes n] [--jobs j]");
        return ExitCode::from(2);
    };
    let (bad, total) = command.play();
    println!("{total:?}");
    if bad.is_empty() {
        return ExitCode::SUCCESS;
    }
    for report in &bad {
        let nodes = report.plan.validators;
        println!("seed {} ({nodes} validators): {:?}", report.seed, report.plan);
        if let Some(violation) = &report.violation {
            println!("  {}: {}", violation.property, violation.what);
        }
        println!("  again: cargo xtask sim --seed {} --trace", report.seed);
    }
    println!("{} seeds failed", bad.len());
    ExitCode::FAILURE
}

struct Command {
    from: u64,
    count: u64,
    jobs: usize,
    options: Options,
}

impl Command {
    fn parse(arguments: &[String]) -> Option<Self> {
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        let mut command = Self { from: 0, count: 200, jobs, options: Options::default() };
        let mut words = arguments.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "--trace" => command.options.trace = true,
                "--seeds" => command.count = words.next()?.parse().ok()?,
                "--from" => command.from = words.next()?.parse().ok()?,
                "--seed" => (command.from, command.count) = (words.next()?.parse().ok()?, 1),
                "--nodes" => command.options.validators = Some(words.next()?.parse().ok()?),
                "--jobs" => command.jobs = words.next()?.parse().ok()?,
                _ => return None,
            }
        }
        Some(command)
    }

    /// Plays all seeds on some threads; gives those that failed and the sums of the others.
    fn play(&self) -> (Vec<Report>, Stats) {
        #[expect(clippy::disallowed_methods, reason = "says how fast it was; decides nothing")]
        let started = std::time::Instant::now();
        let next = AtomicU64::new(0);
        let results = Mutex::new((Vec::new(), Stats::default()));
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.max(1) {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        if at >= self.count {
                            return;
                        }
                        let report = run(self.from + at, &self.options);
                        if let Ok(mut results) = results.lock() {
                            results.1.add(&report.stats);
                            if report.violation.is_some() {
                                println!("seed {} failed", report.seed);
                                results.0.push(report);
                            }
                        }
                    }
                });
            }
        });
        let seconds = started.elapsed().as_secs_f64();
        let rate = self.count as f64 / seconds.max(0.001);
        println!("{} seeds in {seconds:.1} s, {rate:.1} seeds/s", self.count);
        let (mut bad, total) = results.into_inner().unwrap_or_default();
        bad.sort_by_key(|report| report.seed);
        (bad, total)
    }
}
