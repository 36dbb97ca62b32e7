//! Programs of other makers that the tests talk to, built once into `target/peers`.
//!
//! Tongsuo speaks RFC 8998 and TLCP; no package brings it. Its source comes as a crate, pinned by the lock file of
//! `xtask/peers`, and only its command line is built, without what no test needs. ofd-core reads, checks and draws OFD;
//! the small program around it is `xtask/peers/ofd`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::succeeds_program;

/// Builds what is missing. What cannot be built is a printed skip, or an error under `CHANGBAI_REQUIRE_PEERS=1`.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let peers: [(&str, Build); 2] = [("Tongsuo", tongsuo), ("ofd-core", ofd_core)];
    for (name, build) in peers {
        match build(root) {
            Ok(program) => println!("{name}: {}", program.display()),
            Err(reason) if required() => return Err(format!("{name} is required: {reason}")),
            Err(reason) => println!("skipped: {name}: {reason}"),
        }
    }
    Ok(())
}

/// Builds one below the root and says where its program is, or why there is none.
type Build = fn(&Path) -> Result<PathBuf, String>;

/// The program `target/peers/ofd/ofd`: a reader of OFD by ofd-core, of `xtask/peers/ofd` and its lock file.
fn ofd_core(root: &Path) -> Result<PathBuf, String> {
    let (target, program) =
        (root.join("target/peers/ofd-build"), root.join("target/peers/ofd/ofd"));
    let output = Command::new("cargo")
        .args(["build", "--quiet", "--release", "--locked"])
        .args(["--manifest-path", "xtask/peers/ofd/Cargo.toml"])
        .env("CARGO_TARGET_DIR", &target)
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(format!("it cannot be built: {}", reason.trim()));
    }
    let built = target.join("release/changbai-peer-ofd");
    install(&built, &program).map_err(|error| error.to_string())?;
    Ok(program)
}

/// The program `target/peers/tongsuo/bin/tongsuo`.
fn tongsuo(root: &Path) -> Result<PathBuf, String> {
    let peers = root.join("target/peers");
    let (program, made_with) = (peers.join("tongsuo/bin/tongsuo"), peers.join("tongsuo/options"));
    let options = CONFIGURE.join("\n");
    let current = std::fs::read_to_string(&made_with).is_ok_and(|made| made == options);
    if current && succeeds_program(&program.to_string_lossy(), &["version"]) {
        return Ok(program);
    }
    for tool in ["perl", "make", "cc", "timeout"] {
        if !succeeds_program(tool, &["--version"]) {
            return Err(format!("{tool} is not installed"));
        }
    }
    let source = source(root, &peers)?;
    let build = peers.join("tongsuo-build");
    if build.exists() {
        std::fs::remove_dir_all(&build).map_err(|error| error.to_string())?;
    }
    std::fs::create_dir_all(&build).map_err(|error| error.to_string())?;
    println!("building Tongsuo (once, two to five minutes) from {}", source.display());
    let configure = source.join("Configure");
    bounded(&build, "perl", &[&[configure.as_os_str()], CONFIGURE.map(OsStr::new).as_slice()])?;
    bounded(&build, "make", &[["-j2", "-s", "build_generated"].map(OsStr::new).as_slice()])?;
    bounded(&build, "make", &[["-j2", "-s", "apps/openssl"].map(OsStr::new).as_slice()])?;
    install(&build.join("apps/openssl"), &program).map_err(|error| error.to_string())?;
    std::fs::write(&made_with, options).map_err(|error| error.to_string())?;
    // 150 MB of objects.
    std::fs::remove_dir_all(&build).map_err(|error| error.to_string())?;
    Ok(program)
}

/// Where cargo put the source, fetched and checked against the lock file.
fn source(root: &Path, peers: &Path) -> Result<PathBuf, String> {
    let output = Command::new("cargo")
        .args(["run", "--quiet", "--locked", "--manifest-path", "xtask/peers/Cargo.toml"])
        .env("CARGO_TARGET_DIR", peers.join("helper"))
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(format!("its source cannot be fetched: {}", reason.trim()));
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

/// Runs a step of the build; a machine on which it takes longer does without.
fn bounded(dir: &Path, program: &str, arguments: &[&[&OsStr]]) -> Result<(), String> {
    let log = dir.join("log");
    let log = |name: &str| {
        std::fs::File::create(log.with_extension(name)).map_err(|error| error.to_string())
    };
    let status = Command::new("timeout")
        .args([STEP_SECONDS_MAX, program])
        .args(arguments.concat())
        .current_dir(dir)
        .stdout(log("out")?)
        .stderr(log("err")?)
        .status()
        .map_err(|error| format!("{program} does not start: {error}"))?;
    if status.success() {
        return Ok(());
    }
    let said = std::fs::read_to_string(dir.join("log.err")).unwrap_or_default();
    let last: Vec<&str> = said.lines().rev().take(5).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    Err(format!("{program}: {status}: {}", last.join(" / ")))
}

/// In one step, so that no test finds half a program.
fn install(built: &Path, program: &Path) -> std::io::Result<()> {
    let parent = program.parent().unwrap_or(program);
    std::fs::create_dir_all(parent)?;
    let part = program.with_extension("part");
    std::fs::copy(built, &part)?;
    std::fs::rename(part, program)
}

fn required() -> bool {
    std::env::var_os("CHANGBAI_REQUIRE_PEERS").is_some_and(|value| value == "1")
}

/// Seconds for one step.
const STEP_SECONDS_MAX: &str = "1500";

/// One static program. Off: what neither protocol needs. On: TLCP (`ntls`) and the fast SM2 field, which a fair benchmark
/// wants. The names of the folders end up in the program, so they are nobody's. Never `no-comp`: without room for compression
/// Tongsuo 8.5.0 has none for the empty records that it sends before TLCP data, and fails at its first byte.
const CONFIGURE: [&str; 33] = [
    "--prefix=/nonexistent",
    "--openssldir=/nonexistent",
    "--libdir=lib",
    "no-shared",
    "no-module",
    "no-tests",
    "no-dso",
    "no-engine",
    "no-static-engine",
    "no-legacy",
    "no-quic",
    "no-dtls",
    "no-cmp",
    "no-cms",
    "no-ct",
    "no-ts",
    "no-srp",
    "no-srtp",
    "no-ml-kem",
    "no-rc4",
    "no-chacha",
    "no-poly1305",
    "no-siphash",
    "no-siv",
    "no-scrypt",
    "no-zuc",
    "no-rfc3779",
    "no-ocb",
    "no-ec2m",
    "no-thread-pool",
    "no-default-thread-pool",
    "enable-ntls",
    "enable-ec_sm2p_64_gcc_128",
];
