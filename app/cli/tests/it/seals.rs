//! `changbai seal`: makes a seal from its own authority's certificates, and says in words what it holds.

use std::fs;

use serde_json::Value;

use crate::run;

#[test]
fn a_seal_is_made_and_shown() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let done = |args: &[&str]| {
        let (code, out, error) = run(dir, args);
        assert_eq!(code, 0, "{args:?}: {out}{error}");
        out
    };
    done(&["pki", "init-ca", "--ca", "ca", "--subject", "O=示例机关,CN=根证书"]);
    for name in ["maker", "signer"] {
        let subject = format!("O=示例机关,CN={name}");
        done(&[
            "pki",
            "issue",
            "--ca",
            "ca",
            "--profile",
            "seal",
            "--subject",
            &subject,
            "--out",
            name,
        ]);
    }
    let make = [
        ["seal", "make"].as_slice(),
        &["--name", "长春市示例机关存证专用章", "--arc", "长春市示例机关", "--line", "存证专用章"],
        &[
            "--id",
            "22010400000001",
            "--maker-cert",
            "maker.cert.pem",
            "--maker-key",
            "maker.key.pem",
        ],
        &["--signer", "signer.cert.pem", "--out", "seal.esl"],
    ]
    .concat();
    done(&make);
    let text = done(&["seal", "show", "seal.esl", "--picture", "seal.png"]);
    for fact in [
        "长春市示例机关存证专用章",
        "22010400000001",
        "CN=maker",
        "CN=signer",
        "单位印章",
        "PNG 40×40 mm",
    ] {
        assert!(text.contains(fact), "{fact}: {text}");
    }
    let english = done(&["seal", "show", "seal.esl", "--lang", "en"]);
    assert!(english.contains("an organisation's") && english.contains("valid from"), "{english}");
    let facts: Value =
        serde_json::from_str(&done(&["seal", "show", "seal.esl", "--json"])).unwrap();
    assert_eq!((&facts["version"], &facts["signatures"]), (&4.into(), &"right".into()));

    // From the picture that was drawn; version 5 by explicit choice.
    let from_picture = [
        ["seal", "make", "--name", "乙章", "--id", "22010400000002", "--v5", "--digests"]
            .as_slice(),
        &["--maker-cert", "maker.cert.pem", "--maker-key", "maker.key.pem"],
        &[
            "--signer",
            "signer.cert.pem",
            "--picture",
            "seal.png",
            "--width-mm",
            "42",
            "--out",
            "b.esl",
        ],
    ]
    .concat();
    done(&from_picture);
    let facts: Value = serde_json::from_str(&done(&["seal", "show", "b.esl", "--json"])).unwrap();
    assert_eq!((&facts["version"], &facts["signers_as"]), (&5.into(), &"digests".into()));
    assert_eq!(facts["picture"], "PNG 42×42 mm");

    // What does not belong together, cannot be drawn, or was altered.
    let crossed =
        make.iter().map(|arg| if *arg == "maker.key.pem" { "signer.key.pem" } else { arg });
    let (code, _, error) = run(dir, &crossed.collect::<Vec<_>>());
    assert!(code == 1 && error.contains("the key is not the certificate's"), "{error}");
    let missing: Vec<_> =
        make.iter().map(|arg| if *arg == "长春市示例机关" { "龘" } else { arg }).collect();
    let (code, _, error) = run(dir, &missing);
    assert!(code == 1 && error.contains("U+9F98"), "{error}");
    let mut altered = fs::read(dir.join("seal.esl")).unwrap();
    let at = altered.windows(4).position(|four| four == b"2201").unwrap();
    altered[at] = b'3';
    fs::write(dir.join("altered.esl"), altered).unwrap();
    let (code, out, _) = run(dir, &["seal", "show", "altered.esl", "--json"]);
    assert!(code == 1 && out.contains("PK-2601"), "{out}");
    // Nothing is overwritten.
    assert_eq!(run(dir, &make).0, 1);
}
