//! smkit without the standard library: `smkit/nostd` built and run here, and built for targets that have none.

use std::path::Path;
use std::process::Command;

use crate::{cargo, succeeds_program};

/// Runs the self-tests of the `no_std` build on this machine; builds and runs them for wasm32 and compiles the kit for
/// aarch64 where the toolchain has these targets.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let target_dir = root.join("target/nostd");
    let target_dir = target_dir.to_string_lossy();
    let environment = [("CARGO_TARGET_DIR", target_dir.as_ref())];
    let manifest = ["--release", "--locked", "--manifest-path", "smkit/nostd/Cargo.toml"];
    cargo(root, &[&["run", "--quiet"], manifest.as_slice()].concat(), &environment)?;
    println!("here: every self-test passes");

    if installed(WASM) {
        let build = [&["build", "--quiet", "--target", WASM], manifest.as_slice()].concat();
        cargo(root, &build, &environment)?;
        let module = format!("{target_dir}/{WASM}/release/smkit-nostd.wasm");
        wasm(&module)?;
    }
    if installed(ARM) {
        let check = ["check", "--quiet", "--locked", "-p", "smkit", "--target", ARM];
        cargo(root, &[&check, ["--all-features"].as_slice()].concat(), &environment)?;
        println!("{ARM}: compiles");
    }
    Ok(())
}

/// Runs a module's `main` in Node.js, where there is one.
fn wasm(module: &str) -> Result<(), String> {
    if !succeeds_program("node", &["--version"]) {
        println!("{WASM}: builds; skipped: no Node.js to run it");
        return Ok(());
    }
    if succeeds_program("node", &["-e", NODE, module]) {
        println!("{WASM}: every self-test passes");
        Ok(())
    } else {
        Err(format!("a self-test fails on {WASM}"))
    }
}

/// Whether the compiler has the libraries of a target; says so when it has not.
fn installed(target: &str) -> bool {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let listing =
        Command::new(compiler).args(["--print", "target-libdir", "--target", target]).output();
    let folder =
        listing.ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let there = folder.is_some_and(|folder| Path::new(&folder).is_dir());
    if !there {
        println!("skipped: the compiler has no libraries for {target}");
    }
    there
}

const WASM: &str = "wasm32-unknown-unknown";
const ARM: &str = "aarch64-unknown-linux-gnu";
const NODE: &str = "const bytes = require('fs').readFileSync(process.argv[1]); \
     WebAssembly.instantiate(bytes, {}).then(it => process.exit(it.instance.exports.main(0, 0)))";
