//! Help, versions and wrong usage.

use crate::{changbai, outcome, run};

#[test]
fn help_and_version_are_results() {
    let dir = tempfile::tempdir().unwrap();
    let (code, zh, _) = run(dir.path(), &["--help"]);
    assert_eq!(code, 0);
    assert!(zh.contains("用法：changbai") && zh.contains("离线核验证据包"), "{zh}");
    let (code, en, _) = run(dir.path(), &["evidence", "submit", "--help", "--lang", "en"]);
    assert_eq!(code, 0);
    assert!(en.contains("Usage: changbai evidence submit") && en.contains("--digest-only"), "{en}");
    let (code, version, _) = run(dir.path(), &["--version"]);
    assert_eq!((code, version), (0, format!("changbai {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn wrong_usage_is_code_2_on_standard_error() {
    let dir = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = run(dir.path(), &["verify"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.starts_with("错误：缺少必需的参数"), "{stderr}");
    let (code, _, stderr) = run(dir.path(), &["fly", "--lang", "en"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("fly") && !stderr.contains("错误"), "{stderr}");
}

#[test]
fn the_locale_chooses_the_language() {
    let dir = tempfile::tempdir().unwrap();
    let output = changbai(dir.path(), &["health"]).env("LANG", "en_GB.UTF-8").output().unwrap();
    let (code, _, stderr) = outcome(output);
    assert_eq!(code, 1);
    assert!(stderr.starts_with("error: no node is running"), "{stderr}");
}

#[test]
fn a_wrong_address_is_refused_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let (code, _, stderr) = run(dir.path(), &["up", "--listen", "nowhere", "--lang", "en"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("\"nowhere\" is not an address"), "{stderr}");
    assert!(!dir.path().join("changbai-data").exists());
}
