use super::*;

fn answer() -> Answer {
    Answer {
        evidence_id: "CC1".to_owned(),
        tx_id: "ab".to_owned(),
        block_number: 7,
        duplicate: false,
        originals: vec![Recorded {
            sm3: smkit::sm3(b"one").to_string(),
            size_bytes: 3,
            media_type: "text/plain".to_owned(),
            custody: "platform".to_owned(),
        }],
    }
}

#[test]
fn fields_split_at_the_first_equals_sign() {
    let given = ["note=a=b".to_owned(), " 案号 = 1".to_owned(), "title=".to_owned()];
    let fields = fields(&given).unwrap();
    assert_eq!(fields["note"], "a=b");
    assert_eq!(fields["案号"], " 1");
    assert_eq!(fields["title"], "");
    assert!(matches!(super::fields(&["x".to_owned()]), Err(CliError::FieldShape { .. })));
    assert!(matches!(super::fields(&["=x".to_owned()]), Err(CliError::FieldShape { .. })));
    let twice = ["a=1".to_owned(), "a=2".to_owned()];
    assert!(matches!(super::fields(&twice), Err(CliError::FieldTwice { .. })));
}

#[test]
fn an_answer_about_other_files_is_refused() {
    let path = Path::new("one.txt");
    let right = [(path, smkit::sm3(b"one"))];
    assert!(compare(answer(), right.into_iter()).is_ok());
    let wrong = [(path, smkit::sm3(b"two"))];
    assert!(matches!(compare(answer(), wrong.into_iter()), Err(CliError::RecordedOther { .. })));
    let more = [(path, smkit::sm3(b"one")), (path, smkit::sm3(b"two"))];
    assert!(matches!(compare(answer(), more.into_iter()), Err(CliError::RecordedOther { .. })));
    assert!(matches!(compare(answer(), [].into_iter()), Err(CliError::Answer { .. })));
}

#[test]
fn people_see_what_was_recorded() {
    let sm3 = smkit::sm3(b"one");
    assert_eq!(
        render(&answer(), Lang::En),
        format!(
            "recorded\nevidence id: CC1\ntransaction: ab\nblock: 7\n\
             original: SM3 {sm3}  3 bytes  text/plain"
        )
    );
    let again = Answer { duplicate: true, ..answer() };
    let zh = render(&again, Lang::Zh);
    assert!(zh.starts_with("该材料此前已由同一提交者存证"), "{zh}");
    assert!(zh.contains("存证编号：CC1"), "{zh}");
}

#[test]
fn metadata_has_the_shape_of_the_api() {
    let metadata = Metadata {
        business_type: "general",
        fields: BTreeMap::from([("title".to_owned(), "合同".to_owned())]),
        previous: None,
        collection: Collection { method: "upload", source: "cli" },
    };
    let originals =
        vec![Digested { sm3: "00".to_owned(), size_bytes: 1, media_type: "text/plain" }];
    let body = json_bytes(&DigestSubmission { metadata: &metadata, originals }).unwrap();
    assert_eq!(
        String::from_utf8(body).unwrap(),
        r#"{"business_type":"general","fields":{"title":"合同"},"collection":{"method":"upload","source":"cli"},"originals":[{"sm3":"00","size_bytes":1,"media_type":"text/plain"}]}"#
    );
}
