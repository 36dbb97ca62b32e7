use super::*;

fn parsed(line: &str) -> Cli {
    try_parse(line).unwrap()
}

fn try_parse(line: &str) -> Result<Cli, clap::Error> {
    parse(line.split_whitespace().map(OsString::from).collect(), Lang::En)
}

#[test]
fn the_command_tree_is_sound() {
    command(Lang::En).debug_assert();
    command(Lang::Zh).debug_assert();
}

#[test]
fn a_submission_is_parsed_as_documented() {
    let cli = parsed(
        "changbai evidence submit a.pdf b.pdf --business real-estate-registration --field k=v \
         --field x=y --bundle out.zip --json --dir /srv/d",
    );
    assert_eq!(cli.global.dir, Some(PathBuf::from("/srv/d")));
    assert!(cli.command.wants_json());
    let Command::Evidence(Evidence::Submit(submit)) = cli.command else { panic!("submit") };
    assert_eq!(submit.files, [PathBuf::from("a.pdf"), PathBuf::from("b.pdf")]);
    assert_eq!(submit.fields, ["k=v", "x=y"]);
    assert_eq!(submit.bundle, Some(PathBuf::from("out.zip")));
    assert!(!submit.digest_only);
}

#[test]
fn verify_takes_a_bundle_and_any_number_of_originals() {
    let Command::Verify(verify) = parsed("changbai verify b.zip --trust r.pem").command else {
        panic!("verify")
    };
    assert!(verify.originals.is_empty());
    assert_eq!(verify.trust, Some(PathBuf::from("r.pem")));
    let line = "changbai verify b.zip one two --json";
    let Command::Verify(verify) = parsed(line).command else { panic!("verify") };
    assert_eq!(verify.originals.len(), 2);
    assert!(verify.json);
}

#[test]
fn global_options_stand_anywhere() {
    assert_eq!(parsed("changbai --dir a health").global.dir, Some(PathBuf::from("a")));
    assert_eq!(parsed("changbai health --dir a").global.dir, Some(PathBuf::from("a")));
    assert_eq!(parsed("changbai health --lang zh").global.lang, Some(Lang::Zh));
}

#[test]
fn a_consortium_has_a_directory_of_its_own() {
    for (line, dir) in [
        ("changbai up", "./changbai-data"),
        ("changbai up --agencies 4", "./changbai-network"),
        ("changbai network status", "./changbai-network"),
        ("changbai health", "./changbai-data"),
    ] {
        assert_eq!(parsed(line).command.usual_dir(), dir, "{line}");
    }
}

#[test]
fn standard_input_is_a_file_for_sm3() {
    let Command::Sm3(sm3) = parsed("changbai sm3 - a").command else { panic!("sm3") };
    assert_eq!(sm3.files, [PathBuf::from("-"), PathBuf::from("a")]);
}

#[test]
fn wrong_usage_is_refused() {
    for line in [
        "changbai",
        "changbai evidence",
        "changbai evidence submit",
        "changbai verify",
        "changbai sm3",
        "changbai up --port 1",
        "changbai up --agencies 4 --listen 127.0.0.1:1",
        "changbai network",
        "changbai channel update changchun",
        "changbai channel update --in a --config b",
        "changbai channel genesis --config a",
        "changbai node run",
        "changbai node run --config a --attached --detached",
        "changbai evidence list --limit 0",
        "changbai evidence list --limit 201",
        "changbai evidence list --sm3 00 --file a",
        "changbai health --lang fr",
    ] {
        assert!(try_parse(line).is_err(), "{line}");
    }
}
