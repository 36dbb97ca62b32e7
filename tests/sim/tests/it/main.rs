//! A few seeds on every test run; thousands, and mistakes on purpose, with `cargo xtask sim`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[cfg(feature = "mutations")]
mod mutations;

use changbai_sim::{Options, run};

/// Far from the seeds of `cargo xtask sim`, so that they add to them.
const FIRST: u64 = 1 << 40;

#[test]
fn some_seeds_find_nothing() {
    for seed in FIRST..FIRST + 12 {
        let report = run(seed, &Options::default());
        assert_eq!(report.violation, None, "cargo xtask sim --seed {seed} --trace");
    }
}

#[test]
fn a_seed_is_played_the_same_again() {
    for seed in FIRST..FIRST + 3 {
        let [first, second] = [(); 2].map(|()| run(seed, &Options::default()));
        assert_eq!(format!("{first:?}"), format!("{second:?}"));
    }
}

#[test]
fn larger_networks_agree_too() {
    for validators in [2, 3, 10] {
        let options = Options { validators: Some(validators), ..Options::default() };
        let report = run(FIRST, &options);
        assert_eq!(report.violation, None, "{validators} validators");
    }
}
