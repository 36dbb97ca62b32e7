use changbai_receipt::{Status, Verdict};

use super::answer::element_word;
use super::*;
use crate::run::Context;

fn context(lang: Lang) -> Context {
    Context { dir: "d".into(), lang }
}

#[test]
fn a_missing_bundle_is_unchecked_and_a_wrong_one_is_not_verified() {
    let dir = tempfile::tempdir().unwrap();
    let missing = judge(&dir.path().join("none.zip"), &[], None, Lang::En);
    assert_eq!(missing.verdict, Verdict::Unchecked);
    assert_eq!(missing.elements[0].code, UNREADABLE);
    assert!(missing.elements[0].reason.contains("none.zip"));

    let garbage = dir.path().join("garbage.zip");
    std::fs::write(&garbage, b"PK\x03\x04 not a bundle").unwrap();
    let answer = judge(&garbage, &[], None, Lang::Zh);
    assert_eq!(answer.verdict, Verdict::NotVerified);
    let rendered = answer.render(true, &context(Lang::Zh));
    assert!(rendered.starts_with("结论：核验不通过\n"), "{rendered}");
    assert!(rendered.contains("X  证据包结构"), "{rendered}");
    assert!(!rendered.contains("trust.pem"), "{rendered}");
}

#[test]
fn an_unreadable_input_never_hides_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let garbage = dir.path().join("garbage.zip");
    std::fs::write(&garbage, b"").unwrap();
    let mut answer = judge(&garbage, &[], None, Lang::En);
    let error = CliError::read("gone")(std::io::ErrorKind::NotFound.into());
    answer.could_not_read("container", &error, Lang::En);
    assert_eq!(answer.elements[0].status, Status::Failed);
    answer.could_not_read("trust", &error, Lang::En);
    assert_eq!(answer.verdict, Verdict::NotVerified);
}

#[test]
fn json_has_the_promised_shape() {
    let dir = tempfile::tempdir().unwrap();
    let answer = judge(&dir.path().join("none"), &[], None, Lang::En);
    let json = serde_json::to_value(&answer).unwrap();
    assert_eq!(json["verdict"], "unchecked");
    for element in json["elements"].as_array().unwrap() {
        for key in ["name", "status", "reason", "code"] {
            assert!(element[key].is_string(), "{element}");
        }
    }
}

#[test]
fn every_element_of_the_library_has_a_name_for_people() {
    for name in changbai_receipt::ELEMENTS {
        assert!(element_word(name).is_some(), "{name}");
    }
}
