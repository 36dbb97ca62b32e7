//! What is written to `docs/constant-time.md`.

use std::fmt::Write as _;

use super::statistics::{CROPPINGS, DOUBT, LEAK, Outcome};

/// Processes that were ready to run on average, in the last minute and in the last five.
pub(super) fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').take(2).collect::<Vec<_>>().join(" and ")
}

pub(super) fn report(outcomes: &[Outcome], load_before: &str) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let cpu = |name: &str| {
        let line = cpu.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(": ")).map_or("?", |(_, value)| value).to_owned()
    };
    let mut text = format!(
        "# Does smkit take the same time for every secret?\n\n\
         Written by `cargo xtask timing`; do not edit.\n\n\
         ## Measured\n\n\
         Method: dudect (Welch's t between a class of one fixed secret with few bits and a class of random ones, cropped at\n\
         {CROPPINGS} percentiles, largest |t|). Below {DOUBT} no difference was found; from {LEAK} on the run fails. With the\n\
         rows of this table one |t| above {DOUBT} by chance is rare but possible: measure that row again before believing it.\n\
         That nothing was found is evidence for this build on this processor, not proof.\n\n\
         Processor: {}, family {}, model {}, {cores} cores; CPU time of one pinned thread; load averages over one and five\n\
         minutes {load_before} before, {} after. Others' work costs cold caches and wider distributions, which make small\n\
         differences harder to see: what must be believed is measured again on an idle machine.\n\n\
         Kernels: “newest” is what this processor runs by itself (here AVX-512 with IFMA and GFNI where it has them, MULX and\n\
         ADX for the scalar field), “AVX2” hides AVX-512 and GFNI, “portable” hides everything.\n\n\
         | Operation, and what is fixed or random | kernels | median fixed, ns | median random, ns | measured | largest \\|t\\| | difference |\n\
         |---|---|---:|---:|---:|---:|---|\n",
        cpu("model name"),
        cpu("cpu family"),
        cpu("model\t"),
        load(),
    );
    for outcome in outcomes {
        let Outcome { operation, path, t, medians: [fixed, random], measurements, .. } = outcome;
        let verdict = outcome.verdict();
        let _ = writeln!(
            text,
            "| {operation} | {path} | {fixed:.0} | {random:.0} | {measurements} | {t:.2} | {verdict} |",
        );
    }
    text.push_str(GENERATED_CODE);
    text
}

const GENERATED_CODE: &str = include_str!("generated_code.md");
