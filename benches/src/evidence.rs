//! Suite `evidence`: what the path of an evidence costs, from the submission to the court's desk.
//!
//! One file a part, one function a file: `fn run(quick: bool, out: &mut Lines)`. A part that needs a node starts its
//! own. `cargo xtask bench evidence [--quick] [PART …]` runs all parts, or those named.

mod batch;
mod certificate;
#[path = "../../evidence/receipt/tests/it/fixture.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the receipt's tests use all of it"
)]
mod city;
mod custody;
mod receipt;
mod submissions;
mod tsa;

use std::process::ExitCode;

use crate::report::Figure;

/// Every part, in the order in which they run.
const PARTS: &[(&str, Part)] = &[
    ("receipt", receipt::run),
    ("certificate", certificate::run),
    ("submissions", submissions::run),
    ("batch", batch::run),
    ("tsa", tsa::run),
    ("custody", custody::run),
];

/// Measures and writes its lines; `quick` is for a look, not for a comparison.
type Part = fn(quick: bool, out: &mut Lines);

/// Where the parts write what they measured.
pub(crate) struct Lines {
    missed: Vec<String>,
}

/// What a figure should reach.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// This much or more.
    AtLeast(f64),
    /// This much or less.
    AtMost(f64),
}

/// Runs the suite, or the parts that `words` name.
pub(crate) fn run(words: &[&str]) -> ExitCode {
    let quick = words.contains(&"--quick");
    let asked: Vec<&str> = words.iter().copied().filter(|word| *word != "--quick").collect();
    let known = |word: &&str| PARTS.iter().any(|(name, _)| name == word);
    if !asked.iter().all(known) {
        let names: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
        eprintln!("parts of the suite evidence: {}", names.join(", "));
        return ExitCode::from(2);
    }
    let mut out = Lines { missed: Vec::new() };
    for (name, part) in PARTS {
        if asked.is_empty() || asked.contains(name) {
            part(quick, &mut out);
        }
    }
    for missed in &out.missed {
        eprintln!("missed: {missed}");
    }
    ExitCode::SUCCESS
}

impl Lines {
    /// A figure, perhaps beside its peer's.
    pub(crate) fn figure(&self, figure: &Figure<'_>) {
        figure.print_in(SUITE);
    }

    /// A figure that has a goal: the line gives the goal as its peer, and the end of the run names what was missed.
    pub(crate) fn goal(&mut self, name: &str, value: f64, unit: &str, goal: Goal, why: &str) {
        let (word, bound, reached) = match goal {
            Goal::AtLeast(bound) => ("goal: at least", bound, value >= bound),
            Goal::AtMost(bound) => ("goal: at most", bound, value <= bound),
        };
        let peer = Some((word, bound));
        Figure { name, value, unit, peer, conditions: why }.print_in(SUITE);
        if !reached {
            self.missed.push(format!("{name}: {value:.3} {unit}, {word} {bound} {unit}"));
        }
    }
}

const SUITE: &str = "evidence";
