//! Secret-key operations under Valgrind with the secrets marked undefined, and traced instruction by instruction with
//! several secrets: `smkit/ctgrind`.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::{cargo, succeeds_program};

/// Fails when a report is in a place that is not in [`ALLOWED`], when a trace differs, or when a control is not seen.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let target = root.join("target/ctgrind");
    let target = target.to_string_lossy();
    let build = ["build", "--release", "--manifest-path", "smkit/ctgrind/Cargo.toml"];
    cargo(root, &build, &[("CARGO_TARGET_DIR", &target)])?;
    let program = format!("{target}/release/smkit-ctgrind");
    let list = output(Command::new(&program).arg("list"))?.1;
    let operations: Vec<&str> = list.lines().collect();
    let mut found = Vec::new();
    if succeeds_program("valgrind", &["--version"]) {
        valgrind(&program, &operations, &mut found)?;
    } else {
        println!("skipped: valgrind is not installed");
    }
    traces(&program, &operations, &mut found)?;
    if found.is_empty() { Ok(()) } else { Err(format!("depends on a secret: {found:#?}")) }
}

/// Every operation with the kernels that Valgrind knows.
fn valgrind(program: &str, operations: &[&str], found: &mut Vec<String>) -> Result<(), String> {
    for operation in operations.iter().filter(|operation| !TRACED_ONLY.contains(operation)) {
        for path in ["avx2", "portable"] {
            let reports = reports(program, operation, path)?;
            println!("valgrind, {operation}, {path}: {} places", reports.len());
            if operation.starts_with("control") {
                if reports.is_empty() {
                    return Err("a control is not reported: the run proves nothing".to_owned());
                }
                continue;
            }
            for place in reports {
                let allowed = ALLOWED.iter().find(|(name, _)| place.contains(name));
                println!("    {place}: {}", allowed.map_or("NOT ALLOWED", |(_, why)| why));
                if allowed.is_none() {
                    found.push(format!("{operation}, {path}: {place}"));
                }
            }
        }
    }
    Ok(())
}

/// Every operation with the newest kernels of this processor: AVX-512, which Valgrind does not know.
fn traces(program: &str, operations: &[&str], found: &mut Vec<String>) -> Result<(), String> {
    for operation in operations {
        let (alike, text) = output(Command::new(program).args(["trace", operation, "newest"]))?;
        println!("trace, {operation}: {}", text.trim());
        if operation.starts_with("control") == alike {
            if alike {
                return Err("a control's traces are alike: the run proves nothing".to_owned());
            }
            found.push(format!("{operation}: {text}"));
        }
    }
    Ok(())
}

/// Whether a program succeeded, and what it said.
fn output(command: &mut Command) -> Result<(bool, String), String> {
    let output =
        command.output().map_err(|error| format!("{command:?} does not start: {error}"))?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

/// The places of all reports: of each the innermost function that is not a helper.
fn reports(program: &str, operation: &str, path: &str) -> Result<BTreeSet<String>, String> {
    let output = Command::new("valgrind")
        .args(["--quiet", "--error-limit=no", "--num-callers=16"])
        .args([program, "valgrind", operation, path])
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

/// Text in secret characters: that it has lines of 64 and which they are is public, but memcheck takes every length in it
/// for secret. Its traces are compared all the same.
const TRACED_ONLY: [&str; 1] = ["read-pkcs8-pem"];

/// Places that may branch on something computed from a secret, and why that tells nothing.
const ALLOWED: &[(&str, &str)] = &[
    (
        "PrivateKey::from_bytes (private.rs",
        "whether d is in [1, n−2]: a key out of range is refused",
    ),
    ("(nonce.rs", "whether a candidate for k is in [1, n−1]: a refused one is never used"),
    ("random_scalar (kdf.rs", "whether a candidate is in [1, n−1]: a refused one is never used"),
    ("Side::new (exchange.rs", "whether d is below n: always"),
    ("Point::to_affine (point.rs", "whether a multiple is infinity: never, its factor is in range"),
    (
        "Point::both_to_affine (point.rs",
        "whether a multiple is infinity: never, its factor is in range",
    ),
    ("EphemeralKey::", "whether the multiples are points of the curve: always"),
    ("affine_x (jacobian.rs", "whether [k]G is infinity: never, k is in range"),
    ("Affine::from_bytes (jacobian.rs", "the public point"),
    ("(public.rs", "the public point"),
    ("(sec1.rs", "whether the file's public key is the key's"),
    ("finish (signing.rs", "r = 0, r + k = n: the standard's retries, probability 2^-255"),
    (
        "Cbc::open (cbc.rs",
        "the verdict on a record, which its sender learns anyway, and after it the length of what is authentic",
    ),
    ("(signature.rs", "the finished signature"),
    ("encrypt_with (encrypt.rs", "whether the mask is all zero: then another k is drawn"),
    ("decrypt (encrypt.rs", "whether it is decrypted: the result"),
    ("Responder::confirm (exchange.rs", "whether the confirmation is right: the result"),
    ("(enveloped_key.rs", "whether the envelope is opened: the result"),
    ("open_detached (", "whether the tag is right: the result"),
    ("Cbc::decrypt (cbc.rs", "whether the padding is right, and the length: the result"),
    ("with_kernel (xts.rs", "whether the two keys are equal: then they are refused"),
    ("base64_encode (pem.rs", "whether a character of Base64 is ASCII: always"),
];
