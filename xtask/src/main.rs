//! Tasks of the house, each a command of `cargo xtask`.

#![expect(clippy::print_stdout, reason = "a tool for developers talks on standard output")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

mod ctgrind;
#[cfg(test)]
mod deploy;
mod r#gen;
mod layers;
mod nostd;
mod peers;
mod sim;

const HELP: &str = "\
cargo xtask test             everything that must hold before a change lands (what CI runs)
cargo xtask layers           dependencies point down only
cargo xtask gen [--check]    protobuf code from ledger/wire/proto (--check: fail on drift)
cargo xtask bench SUITE      benchmarks, one JSON object a line (SUITE: main, evidence, smkit, pki or tls, and --quick)
cargo xtask peers            programs of other makers that the tests talk to, built once into target/peers
cargo xtask timing [--quick] does the time of secret-key operations depend on the secret? docs/constant-time.md
cargo xtask nostd            smkit without the standard library: here, and for wasm32 and aarch64 if installed
cargo xtask ctgrind          does a branch or address of secret-key operations depend on the secret? (Valgrind, traces)
cargo xtask fuzz [SECONDS]   every fuzz target for so long (default 60 s each)
cargo xtask sim [--seeds N] [--from S] [--seed S [--trace]] [--nodes n] | --mutations
                             networks on one thread from seeds, with every fault (default 100000 seeds)
cargo xtask faults [ROUNDS]  consortia of real processes: killed, frozen, cut off, robbed of disks (default 50)
cargo xtask kill [ROUNDS]    SIGKILL under load, longer than the test does (default 100)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = root();
    let result = match words.as_slice() {
        ["test"] => test(&root),
        ["layers"] => layers::check(&root),
        ["gen"] => r#gen::run(&root, false),
        ["gen", "--check"] => r#gen::run(&root, true),
        ["bench", "smkit" | "pki" | "tls", ..] => kit(&root, words.get(1..).unwrap_or_default()),
        ["bench", "evidence", ..] => release(&root, words.get(1..).unwrap_or_default()),
        ["bench", "network", ..] => network(&root, words.get(1..).unwrap_or_default()),
        ["bench", suite @ ..] if !suite.is_empty() => bench(&root, suite),
        ["peers"] => peers::run(&root),
        ["timing"] => kit(&root, &["timing"]),
        ["timing", "--quick"] => kit(&root, &["timing", "--quick"]),
        ["nostd"] => nostd::run(&root),
        ["ctgrind"] => ctgrind::run(&root),
        ["fuzz"] => fuzz(&root, "60"),
        ["fuzz", seconds] => fuzz(&root, seconds),
        ["sim", words @ ..] => sim::run(&root, words),
        ["faults"] => faults(&root, "50"),
        ["faults", rounds] => faults(&root, rounds),
        ["kill"] => kill(&root, "100"),
        ["kill", rounds] => kill(&root, rounds),
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// The order goes from the cheapest check to the dearest, so that a slip shows early.
fn test(root: &Path) -> Result<(), String> {
    step("format");
    cargo(root, &["fmt", "--all", "--check"], &[])?;
    step("layers");
    layers::check(root)?;
    step("generated code");
    r#gen::run(root, true)?;
    step("clippy");
    let clippy = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    cargo(root, &clippy, &[])?;
    step("peers");
    peers::run(root)?;
    step("tests");
    if succeeds(root, &["nextest", "--version"]) {
        cargo(root, &["nextest", "run", "--workspace", "--locked", "--no-fail-fast"], &[])?;
    } else {
        println!("cargo-nextest is not installed; cargo test runs the same tests");
        cargo(root, &["test", "--workspace", "--locked", "--all-targets"], &[])?;
    }
    step("networks from seeds");
    sim::run(root, &["--seeds", SEEDS])?;
    step("networks with mistakes on purpose");
    sim::run(root, &["--mutations"])?;
    step("smkit without the standard library");
    nostd::run(root)?;
    step("documentation examples");
    cargo(root, &["test", "--workspace", "--locked", "--doc"], &[])?;
    step("documentation");
    cargo(
        root,
        &["doc", "--workspace", "--no-deps", "--locked", "--quiet"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )
}

/// Networks that every run of the tests plays; `cargo xtask sim` plays as many as one likes.
const SEEDS: &str = "2000";

fn bench(root: &Path, words: &[&str]) -> Result<(), String> {
    let run = ["run", "--quiet", "--release", "-p", "changbai-bench"];
    cargo(root, &[&run, ["--"].as_slice(), words].concat(), &[])?;
    // Once more without the cost of verifying: is the pipeline around the signatures the limit?
    let stubbed = ["--features", "stub-verification", "--"];
    cargo(root, &[&run, stubbed.as_slice(), words].concat(), &[])
}

/// A suite that needs nothing but its own program.
fn release(root: &Path, words: &[&str]) -> Result<(), String> {
    let run = ["run", "--quiet", "--release", "-p", "changbai-bench", "--"];
    cargo(root, &[&run, words].concat(), &[])
}

/// The suite that runs nodes as processes of their own.
fn network(root: &Path, words: &[&str]) -> Result<(), String> {
    cargo(
        root,
        &["build", "--quiet", "--release", "-p", "changbai-cli", "-p", "changbai-bench"],
        &[],
    )?;
    release(root, words)
}

/// A suite of the kit alone, without the node it would otherwise build.
fn kit(root: &Path, words: &[&str]) -> Result<(), String> {
    let run = ["run", "--quiet", "--release", "-p", "changbai-bench", "--no-default-features"];
    let run = [&run, ["--features", "portable-only", "--"].as_slice(), words].concat();
    cargo(root, &run, &[])
}

/// The same tests as in every run, one after the other and for longer.
fn faults(root: &Path, rounds: &str) -> Result<(), String> {
    let arguments = ["test", "--release", "-p", "changbai-cli", "--test", "it", "faults", "--"];
    let arguments = [arguments.as_slice(), &["--nocapture", "--test-threads", "1"]].concat();
    cargo(root, &arguments, &[("CHANGBAI_FAULT_ROUNDS", rounds)])
}

fn kill(root: &Path, rounds: &str) -> Result<(), String> {
    let arguments = ["test", "--release", "-p", "changbai-cli", "--test", "it", "kill", "--"];
    let arguments = [arguments.as_slice(), &["--nocapture"]].concat();
    cargo(root, &arguments, &[("CHANGBAI_KILL_ROUNDS", rounds)])
}

/// libFuzzer needs two unstable compiler flags; the bootstrap switch opens them on the stable
/// toolchain, for this build alone.
fn fuzz(root: &Path, seconds: &str) -> Result<(), String> {
    if !succeeds(root, &["fuzz", "--version"]) {
        cargo(root, &["install", "--locked", "cargo-fuzz"], &[])?;
    }
    let targets = std::fs::read_dir(root.join("fuzz/fuzz_targets")).map_err(|e| e.to_string())?;
    let mut names: Vec<String> = targets
        .filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_owned))
        .collect();
    names.sort();
    let limit = format!("-max_total_time={seconds}");
    for name in names {
        step(&format!("fuzz {name}"));
        let arguments = ["fuzz", "run", "--sanitizer", "none", &name, "--", &limit];
        cargo(root, &arguments, &[("RUSTC_BOOTSTRAP", "1")])?;
    }
    Ok(())
}

fn cargo(root: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Result<(), String> {
    let status = Command::new("cargo")
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(root)
        .status()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("cargo {} failed", arguments.join(" "))) }
}

fn succeeds(root: &Path, arguments: &[&str]) -> bool {
    Command::new("cargo")
        .args(arguments)
        .current_dir(root)
        .output()
        .is_ok_and(|output| output.status.success())
}

fn succeeds_program(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn step(name: &str) {
    println!("── {name}");
}

fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}
