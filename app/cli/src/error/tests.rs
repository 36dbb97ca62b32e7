use std::collections::BTreeMap;

use changbai_core::BusinessType;

use super::*;

#[test]
fn errors_name_the_cause_and_the_next_step() {
    let error = CliError::NotRunning { dir: "./d".into() };
    let explained = error.explain(Lang::En);
    assert_eq!(explained.what, "no node is running on the data directory ./d");
    assert_eq!(explained.next.unwrap(), "start the node first: changbai up --dir ./d");
    let zh = error.explain(Lang::Zh);
    assert_eq!(zh.what, "数据目录 ./d 的节点没有运行");
    assert!(zh.next.unwrap().contains("changbai up --dir ./d"));
}

#[test]
fn io_errors_are_worded_in_both_languages() {
    let error = CliError::read("a.pdf")(io::ErrorKind::NotFound.into());
    assert_eq!(error.explain(Lang::Zh).what, "无法读取 a.pdf：不存在");
    assert_eq!(error.explain(Lang::En).what, "cannot read a.pdf: it does not exist");
}

#[test]
fn a_problem_shows_title_detail_faults_and_code() {
    let json = r#"{"type":"/problems/EV-4004","title":"a required field is missing","status":422,"code":"EV-4004",
        "request_id":"t","errors":[{"pointer":"/fields/stage","code":"EV-4004","detail":"needed"}],"detail":"stage"}"#;
    let problem: Problem = serde_json::from_str(json).unwrap();
    let error = CliError::Refused(Box::new(problem));
    assert_eq!(
        error.explain(Lang::En).what,
        "the node refused the request: a required field is missing; stage; /fields/stage: needed (code EV-4004)"
    );
    assert!(error.explain(Lang::Zh).what.ends_with("（错误码 EV-4004）"));
}

#[test]
fn field_errors_are_worded_in_both_languages() {
    let error = BusinessType::AdministrativePenalty.check(&BTreeMap::new()).unwrap_err();
    let error = CliError::from(error);
    assert_eq!(error.explain(Lang::Zh).what, "业务类型“行政处罚”必须有字段“决定书文号”");
    assert!(error.explain(Lang::En).what.contains("document_no"));
}

#[test]
fn no_terminal_control_characters_come_through() {
    let error = CliError::Business { given: "\u{1b}[2J".to_owned(), known: String::new() };
    assert!(!error.explain(Lang::En).what.contains('\u{1b}'));
}
