//! Known-answer tests run at start-up (GM/T 0028 style): a node with a broken kernel must not serve.
//!
//! Every case runs twice: on the code that [`cpu::report`] names, and on the portable code. For
//! the second run the whole process is without its kernels for some milliseconds; results stay right.

mod sm2;
mod sm3;
mod sm4;

use alloc::vec::Vec;

use crate::{
    cpu,
    random::{Random, RandomError},
};

/// Which algorithms gave the known answers; negative answers are part of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfTest {
    /// Signature, encryption and key exchange.
    pub sm2: bool,
    /// Digests, one by one and side by side, HMAC and key derivation.
    pub sm3: bool,
    /// The block cipher and every mode.
    pub sm4: bool,
}

impl SelfTest {
    /// Whether everything passed.
    #[must_use]
    pub const fn all(&self) -> bool {
        self.sm2 && self.sm3 && self.sm4
    }

    fn of(outcomes: &[Outcome]) -> Self {
        let passed = |algorithm| {
            let mut cases =
                outcomes.iter().filter(|outcome| outcome.algorithm == algorithm).peekable();
            cases.peek().is_some() && cases.all(|outcome| outcome.passed)
        };
        Self {
            sm2: passed(Algorithm::Sm2),
            sm3: passed(Algorithm::Sm3),
            sm4: passed(Algorithm::Sm4),
        }
    }
}

/// One case on one of the two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// What the case belongs to.
    pub algorithm: Algorithm,
    /// What was computed, and which clause gives the answer.
    pub case: &'static str,
    /// Whether the kernels were turned off.
    pub portable: bool,
    /// Whether every answer was the known one.
    pub passed: bool,
}

/// The three algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// GB/T 32918.
    Sm2,
    /// GB/T 32905.
    Sm3,
    /// GB/T 32907.
    Sm4,
}

/// Runs every known-answer test; some milliseconds the first time, when tables are built.
#[must_use]
pub fn run() -> SelfTest {
    SelfTest::of(&outcomes())
}

/// Runs every known-answer test and names each, for an assessor's protocol.
#[must_use]
pub fn outcomes() -> Vec<Outcome> {
    let mut outcomes = pass(false);
    outcomes.extend(cpu::portably(|| pass(true)));
    outcomes
}

fn pass(portable: bool) -> Vec<Outcome> {
    let all =
        [(Algorithm::Sm2, sm2::CASES), (Algorithm::Sm3, sm3::CASES), (Algorithm::Sm4, sm4::CASES)];
    let cases =
        all.iter().flat_map(|(algorithm, cases)| cases.iter().map(move |it| (*algorithm, it)));
    cases
        .map(|(algorithm, (case, answers))| {
            let passed = answers() == Some(true);
            Outcome { algorithm, case, portable, passed }
        })
        .collect()
}

/// A name, and a function that says whether every answer is right; `None` is wrong too.
type Case = (&'static str, fn() -> Option<bool>);

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    crate::hex::read(text)
}

/// Random bytes that are known beforehand, so that the standard's examples can be computed through the public interface.
struct Replay<'a>(&'a [u8]);

impl Random for Replay<'_> {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        let spent = || RandomError { reason: "the known bytes are spent".into() };
        let (now, later) = self.0.split_at_checked(out.len()).ok_or_else(spent)?;
        out.copy_from_slice(now);
        self.0 = later;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_passes_on_both_runs() {
        let outcomes = outcomes();
        let failed: Vec<_> = outcomes.iter().filter(|outcome| !outcome.passed).collect();
        assert!(failed.is_empty(), "{failed:?}");
        assert!(run().all());
        let portable = outcomes.iter().filter(|outcome| outcome.portable).count();
        assert_eq!(2 * portable, outcomes.len());
    }

    #[test]
    fn one_failure_fails_its_algorithm_alone() {
        for wrong in 0..outcomes().len() {
            let mut outcomes = pass(false);
            let Some(outcome) = outcomes.get_mut(wrong) else { break };
            outcome.passed = false;
            let (algorithm, result) = (outcome.algorithm, SelfTest::of(&outcomes));
            assert!(!result.all());
            assert_eq!(result.sm2, algorithm != Algorithm::Sm2);
            assert_eq!(result.sm3, algorithm != Algorithm::Sm3);
            assert_eq!(result.sm4, algorithm != Algorithm::Sm4);
        }
        assert!(!SelfTest::of(&[]).all(), "nothing tested is nothing passed");
    }
}
