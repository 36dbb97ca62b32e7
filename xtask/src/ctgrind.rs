//! Secret-key operations under Valgrind with the secrets marked undefined: `smkit/ctgrind`.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::{cargo, succeeds_program};

/// Fails when a report is in a place that is not in [`ALLOWED`], or when the control is not reported.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    if !succeeds_program("valgrind", &["--version"]) {
        println!("skipped: valgrind is not installed");
        return Ok(());
    }
    let target = root.join("target/ctgrind");
    let target = target.to_string_lossy();
    let build = ["build", "--release", "--manifest-path", "smkit/ctgrind/Cargo.toml"];
    cargo(root, &build, &[("CARGO_TARGET_DIR", &target)])?;
    let program = format!("{target}/release/smkit-ctgrind");
    if reports(&program, "control", "portable")?.is_empty() {
        return Err("the control's branch is not reported: the run proves nothing".to_owned());
    }
    let mut found = Vec::new();
    for operation in ["public-key", "sign", "sign-many", "sm4-gcm", "mac-prefix", "tlcp-cbc"] {
        for path in ["portable", "kernels"] {
            let reports = reports(&program, operation, path)?;
            println!("{operation}, {path}: {} places", reports.len());
            for place in reports {
                let allowed = ALLOWED.iter().find(|(name, _)| place.contains(name));
                println!("    {place}: {}", allowed.map_or("NOT ALLOWED", |(_, why)| why));
                if allowed.is_none() {
                    found.push(place);
                }
            }
        }
    }
    if found.is_empty() { Ok(()) } else { Err(format!("depends on a secret: {found:?}")) }
}

/// The places of all reports: of each the innermost function that is not a helper.
fn reports(program: &str, operation: &str, path: &str) -> Result<BTreeSet<String>, String> {
    let output = Command::new("valgrind")
        .args(["--quiet", "--error-limit=no", "--num-callers=12", program, operation, path])
        .output()
        .map_err(|error| format!("valgrind does not start: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        return Err(format!("{operation}, {path}: {text}"));
    }
    let mut places = BTreeSet::new();
    let mut named = true;
    for line in text.lines() {
        // ==123==    at 0x1234: function (file.rs:12), then its callers with “by” for “at”.
        let (innermost, caller) = (line.split_once("   at 0x"), line.split_once("   by 0x"));
        if innermost.is_some() {
            named = false;
        }
        let Some((_, frame)) = innermost.or(caller) else { continue };
        let frame = frame.split_once(": ").map_or(frame, |(_, frame)| frame);
        if !named && !HELPERS.iter().any(|helper| frame.contains(helper)) {
            places.insert(frame.to_owned());
            named = true;
        }
    }
    Ok(places)
}

/// The standard library and the arithmetic's predicates, which every caller answers for.
const HELPERS: [&str; 7] = [
    "(library/",
    "/libexec/valgrind/",
    "(portable.rs",
    "(scalar.rs",
    "(field.rs",
    "(src/lib.rs",
    "std::rt::",
];

/// Places that may branch on something computed from a secret, and why that tells nothing.
const ALLOWED: [(&str, &str); 8] = [
    (
        "PrivateKey::from_bytes (private.rs",
        "whether d is in [1, n−2]: a key out of range is refused",
    ),
    ("draw (nonce.rs", "whether a candidate for k is in [1, n−1]: a refused one is never used"),
    ("Point::to_affine (point.rs", "whether [k]G or [d]G is infinity: never, k and d are in range"),
    ("Affine::from_bytes (jacobian.rs", "the public point"),
    ("(public.rs", "the public point"),
    ("finish (signing.rs", "r = 0, r + k = n: the standard's retries, probability 2^-255"),
    (
        "Cbc::open (cbc.rs",
        "the verdict on a record, which its sender learns anyway, and after it the length of what is authentic",
    ),
    ("(signature.rs", "the finished signature"),
];
