//! Peers that are programs: OpenSSL's `speed`, and libgcrypt through a small C program.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// A peer's figures under our names: operations or megabytes (10^6) a second.
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) figures: BTreeMap<String, f64>,
}

/// `openssl speed`, one second each: user time, one process; Debian's 3.0 has no SM4-GCM.
pub(crate) fn openssl() -> Option<Peer> {
    let name = output("openssl", &["version"])?;
    let name = name.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let speed = |more: &[&str]| {
        output("openssl", &[["speed", "-mr", "-seconds", "1"].as_slice(), more].concat())
    };
    let megabytes = |bytes: &str, algorithm: &str| {
        last_number(&speed(&["-bytes", bytes, "-evp", algorithm])?, "+F:").map(|rate| rate / 1e6)
    };
    let mut found = Vec::new();
    let sm2 = speed(&["sm2"]).unwrap_or_default();
    // +F7:0:256:CurveSM2:SIGN:VERIFY
    let line = sm2.lines().find(|line| line.starts_with("+F7:")).unwrap_or_default();
    let mut rates = line.rsplit(':').map_while(|word| word.parse::<f64>().ok());
    if let (Some(verify), Some(sign)) = (rates.next(), rates.next()) {
        found.extend(VERIFY.map(|name| (name, verify)));
        found.extend(SIGN.map(|name| (name, sign)));
    }
    if let Some(rate) = megabytes("16384", "sm3") {
        found.extend([("sm3/stream-16k", rate), ("sm3/lanes-16k", rate)]);
    }
    found.extend(megabytes("64", "sm3").map(|rate| ("sm3/lanes-64b", rate)));
    found.extend(megabytes("16384", "sm4-ctr").map(|rate| ("sm4/ctr", rate)));
    Some(peer(name, found))
}

/// libgcrypt through `smkit/smkit/tests/peers/gcrypt.c`, built here.
pub(crate) fn libgcrypt() -> Option<Peer> {
    let dir = tempfile::tempdir().ok()?;
    let program = dir.path().join("gcrypt");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../smkit/smkit/tests/peers/gcrypt.c");
    output("cc", &["-O2", "-o", program.to_str()?, source.to_str()?, "-lgcrypt"])?;
    let said = output(program.to_str()?, &["speed"])?;
    let rate = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse::<f64>().ok()
    };
    let mut found = Vec::new();
    found.extend(rate("sm2/verify ").into_iter().flat_map(|rate| VERIFY.map(|name| (name, rate))));
    found.extend(rate("sm2/sign ").into_iter().flat_map(|rate| SIGN.map(|name| (name, rate))));
    for (theirs, ours) in [
        ("sm3/16k ", "sm3/stream-16k"),
        ("sm3/16k ", "sm3/lanes-16k"),
        ("sm3/64b ", "sm3/lanes-64b"),
        ("sm4/ctr ", "sm4/ctr"),
        ("sm4/gcm ", "sm4/gcm"),
    ] {
        found.extend(rate(theirs).map(|rate| (ours, rate / 1e6)));
    }
    let version = said.lines().find_map(|line| line.strip_prefix("version "))?;
    Some(peer(format!("libgcrypt {version}"), found))
}

fn peer(name: String, found: Vec<(&str, f64)>) -> Peer {
    Peer {
        name,
        figures: found.into_iter().map(|(figure, rate)| (figure.to_owned(), rate)).collect(),
    }
}

/// What a program prints, or `None` with the reason on standard error.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output();
    match output {
        Ok(output) if output.status.success() => {
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => {
            eprintln!("skipped {program}: {}", String::from_utf8_lossy(&output.stderr));
            None
        }
        Err(error) => {
            eprintln!("skipped {program}: {error}");
            None
        }
    }
}

/// The number after the last colon of the line that starts with `prefix`.
fn last_number(text: &str, prefix: &str) -> Option<f64> {
    text.lines().find(|line| line.starts_with(prefix))?.rsplit(':').next()?.parse().ok()
}

const VERIFY: [&str; 4] =
    ["sm2/verify/single", "sm2/verify/known", "sm2/verify/batch64", "sm2/verify/batch64-known"];
const SIGN: [&str; 2] = ["sm2/sign/single", "sm2/sign/batch64"];
