use proptest::prelude::*;
use smkit::sm3::sm3;

use super::*;
use crate::Opening;

/// 2026-11-22 at UTC+8.
const AT_MS: u64 = 1_795_276_800_000 + 1;

fn parts() -> RecordParts {
    let opening =
        Opening { name: "right_holder".to_owned(), value: "张三".to_owned(), salt: [9; 32] };
    RecordParts {
        id: "CC22010011220100MB9999999R2026112200000000012ZU".parse().unwrap(),
        agency: Agency {
            code: "11220100MB9999999R".parse().unwrap(),
            msp_id: "RegistryMSP".to_owned(),
            name: "长春市不动产登记中心".to_owned(),
        },
        batch: None,
        business_type: BusinessType::RealEstateRegistration,
        collection: Collection::default(),
        fields: [
            ("business_no", "2026-001"),
            ("registration_type", "转移登记 \"首次\""),
            ("unit_no", "220102001001GB00001F00010001"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into(),
        originals: vec![
            OriginalRef {
                sm3: sm3(b"one"),
                size_bytes: 3,
                media_type: "application/pdf".to_owned(),
                custody: CustodyMode::Platform,
            },
            OriginalRef {
                sm3: sm3(b"two"),
                size_bytes: 0,
                media_type: "image/svg+xml".to_owned(),
                custody: CustodyMode::Submitter,
            },
        ],
        personal: [("right_holder".to_owned(), opening.commitment())].into(),
        previous: None,
        submitter: SubmitterRef {
            certificate_sm3: sm3(b"certificate"),
            subject: "CN=operator,OU=client,O=长春市不动产登记中心,C=CN".to_owned(),
        },
        time: RecordTime { at_ms: AT_MS, bound_us: None },
    }
}

/// The part that an error names.
fn part(change: impl FnOnce(&mut RecordParts)) -> &'static str {
    let mut parts = parts();
    change(&mut parts);
    match Record::new(parts).unwrap_err() {
        RecordError::Part { part, .. } => part,
        other => panic!("{other}"),
    }
}

#[test]
fn the_encoding_is_this() {
    let record = Record::new(parts()).unwrap();
    let commitment = record.parts().personal["right_holder"];
    let expected = format!(
        concat!(
            r#"{{"agency":{{"code":"11220100MB9999999R","msp_id":"RegistryMSP","name":"长春市不动产登记中心"}},"#,
            r#""business_type":"real_estate_registration","collection":{{"method":"upload","source":"api"}},"#,
            r#""fields":{{"business_no":"2026-001","registration_type":"转移登记 \"首次\"","#,
            r#""unit_no":"220102001001GB00001F00010001"}},"format":1,"#,
            r#""id":"CC22010011220100MB9999999R2026112200000000012ZU","originals":["#,
            r#"{{"custody":"platform","media_type":"application/pdf","size_bytes":3,"sm3":"{}"}},"#,
            r#"{{"custody":"submitter","media_type":"image/svg+xml","size_bytes":0,"sm3":"{}"}}],"#,
            r#""personal":{{"right_holder":"{}"}},"#,
            r#""submitter":{{"certificate_sm3":"{}","subject":"CN=operator,OU=client,O=长春市不动产登记中心,C=CN"}},"#,
            r#""time":{{"at_ms":1795276800001,"source":"local"}}}}"#
        ),
        sm3(b"one"),
        sm3(b"two"),
        commitment,
        sm3(b"certificate"),
    );
    assert_eq!(String::from_utf8(record.to_bytes()).unwrap(), expected);
    assert_eq!(record.digest(), sm3(expected.as_bytes()));
    assert_eq!(Record::from_bytes(expected.as_bytes()), Ok(record));
}

#[test]
fn a_bound_and_a_previous_round_trip() {
    let mut parts = parts();
    parts.time.bound_us = Some(0);
    parts.previous =
        Some(EvidenceId::compose("220100", &parts.agency.code, parts.id.date(), 7).unwrap());
    let record = Record::new(parts).unwrap();
    let text = String::from_utf8(record.to_bytes()).unwrap();
    assert!(
        text.contains(r#""time":{"at_ms":1795276800001,"bound_us":0,"source":"synchronised"}"#)
    );
    assert_eq!(Record::from_bytes(text.as_bytes()), Ok(record));
    let lie = text.replace("synchronised", "local");
    assert!(matches!(
        Record::from_bytes(lie.as_bytes()),
        Err(RecordError::Part { part: "time.source", .. })
    ));
}

#[test]
fn each_wrong_part_is_named() {
    assert_eq!(part(|p| p.time.at_ms = crate::limits::TIME_MS_MAX + 1), "time.at_ms");
    assert_eq!(part(|p| p.time.at_ms += 86_400_000), "id");
    assert_eq!(part(|p| p.agency.code = "11100000000013338W".parse().unwrap()), "id");
    assert_eq!(part(|p| p.previous = Some(p.id)), "previous");
    assert_eq!(part(|p| p.agency.msp_id = "a b".to_owned()), "agency.msp_id");
    assert_eq!(part(|p| p.agency.msp_id.clear()), "agency.msp_id");
    assert_eq!(part(|p| p.agency.name = "x".repeat(201)), "agency.name");
    assert_eq!(part(|p| p.collection.method = "a\tb".to_owned()), "collection.method");
    assert_eq!(part(|p| p.collection.source.clear()), "collection.source");
    assert_eq!(part(|p| p.submitter.subject.clear()), "submitter.subject");
    assert_eq!(part(|p| p.originals.clear()), "originals");
    assert_eq!(part(|p| p.originals[1].sm3 = p.originals[0].sm3), "originals");
    assert_eq!(part(|p| p.originals[0].size_bytes = 1 << 53), "originals[].size_bytes");
    for media_type in
        ["", "pdf", "Application/pdf", "text/plain; charset=x", "a/b/c", "/pdf", "存/证"]
    {
        let wrong = media_type.to_owned();
        assert_eq!(part(|p| p.originals[0].media_type = wrong), "originals[].media_type");
    }
    assert_eq!(
        part(|p| {
            let template = p.originals[0].clone();
            p.originals =
                (0..65_u8).map(|n| OriginalRef { sm3: sm3(&[n]), ..template.clone() }).collect();
        }),
        "originals"
    );
}

#[test]
fn fields_follow_the_schema() {
    let field = |change: &dyn Fn(&mut RecordParts)| {
        let mut parts = parts();
        change(&mut parts);
        match Record::new(parts).unwrap_err() {
            RecordError::Field(error) => error.code().code,
            other => panic!("{other}"),
        }
    };
    assert_eq!(field(&|p| drop(p.fields.remove("unit_no"))), "EV-4004");
    assert_eq!(field(&|p| p.personal.clear()), "EV-4004");
    assert_eq!(field(&|p| drop(p.fields.insert("colour".to_owned(), "red".to_owned()))), "EV-4003");
    // A personal value in clear is refused like a field that does not exist.
    assert_eq!(
        field(&|p| drop(p.fields.insert("right_holder".to_owned(), "张三".to_owned()))),
        "EV-4003"
    );
    assert_eq!(
        field(&|p| {
            let commitment = p.personal["right_holder"];
            p.personal.insert("business_no".to_owned(), commitment);
        }),
        "EV-4003"
    );
    assert_eq!(field(&|p| drop(p.fields.insert("unit_no".to_owned(), "x".to_owned()))), "EV-4006");
    assert_eq!(
        field(&|p| drop(p.fields.insert("business_no".to_owned(), "x".repeat(101)))),
        "EV-4005"
    );
    assert_eq!(
        field(&|p| drop(p.fields.insert("business_no".to_owned(), String::new()))),
        "EV-4006"
    );
}

#[test]
fn other_spellings_of_the_same_content_are_refused() {
    let text = String::from_utf8(Record::new(parts()).unwrap().to_bytes()).unwrap();
    for (from, to) in [
        ("{\"agency", " {\"agency"),
        ("\"format\":1", "\"format\": 1"),
        ("\"format\":1", "\"format\":1,\"format\":1"),
        ("\"format\":1", "\"format\":1,\"previous\":null"),
        ("\"format\":1", "\"extra\":0,\"format\":1"),
        ("\"format\":1", "\"format\":1.0"),
        ("\"business_no\":\"2026-001\"", "\"business_no\":\"\",\"business_no\":\"2026-001\""),
        ("2026-001", "2026\\u002d001"),
        ("application/pdf", "application\\/pdf"),
        ("\"fields\"", "\"\\u0066ields\""),
        ("\"source\":\"local\"}}", "\"source\":\"local\"}}\n"),
        ("\"source\":\"local\"}}", "\"source\":\"local\"}}{}"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        let error = Record::from_bytes(changed.as_bytes()).unwrap_err();
        assert_eq!(error.code().code, "EV-4001", "{changed}: {error}");
    }
    let format = text.replace("\"format\":1", "\"format\":2");
    assert_eq!(Record::from_bytes(format.as_bytes()), Err(RecordError::Format { found: 2 }));
    let padded = format!("{text}{}", " ".repeat(RECORD_BYTES_MAX));
    assert_eq!(Record::from_bytes(padded.as_bytes()).unwrap_err().code().code, "EV-4130");
}

#[test]
fn errors_show_no_content() {
    let text = String::from_utf8(Record::new(parts()).unwrap().to_bytes()).unwrap();
    let secret = text.replace("\"at_ms\":1795276800001", "\"at_ms\":\"张三 220102199001011234\"");
    let error = Record::from_bytes(secret.as_bytes()).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("张三") && !shown.contains("220102"), "{shown}");
}

#[test]
fn the_duplicate_key_covers_exactly_what_it_says() {
    let key = |change: &dyn Fn(&mut RecordParts)| {
        let mut parts = parts();
        change(&mut parts);
        Record::new(parts).unwrap().duplicate_key()
    };
    let base = key(&|_| {});
    assert_eq!(base, key(&|p| p.collection.source = "scanner".to_owned()));
    assert_eq!(base, key(&|p| drop(p.fields.insert("business_no".to_owned(), "2".to_owned()))));
    assert_eq!(base, key(&|p| p.submitter.certificate_sm3 = sm3(b"renewed")));
    assert_ne!(base, key(&|p| p.submitter.subject = "CN=other".to_owned()));
    assert_ne!(base, key(&|p| p.agency.msp_id = "OtherMSP".to_owned()));
    assert_ne!(base, key(&|p| p.originals.reverse()));
    assert_ne!(base, key(&|p| drop(p.originals.pop())));
    assert_ne!(
        base,
        key(&|p| {
            p.business_type = BusinessType::General;
            p.fields.clear();
            p.personal.clear();
        })
    );
}

proptest! {
    /// A changed byte is refused, or it is another record with another digest.
    #[test]
    fn any_flipped_bit_is_noticed(position: prop::sample::Index, bit in 0_u8..8) {
        let record = Record::new(parts()).unwrap();
        let mut bytes = record.to_bytes();
        let position = position.index(bytes.len());
        bytes[position] ^= 1 << bit;
        if let Ok(other) = Record::from_bytes(&bytes) {
            prop_assert_ne!(&other, &record);
            prop_assert_ne!(other.digest(), record.digest());
            prop_assert_eq!(other.as_bytes(), bytes.as_slice());
        }
    }

    /// Parsing and writing are inverse: two byte strings never give the same record.
    #[test]
    fn accepted_bytes_are_the_only_encoding(
        title in "\\PC{0,20}", at_ms in 0_u64..=crate::limits::TIME_MS_MAX,
        bound_us: Option<u32>, serial in 0_u64..1 << 60, size_bytes in 0_u64..1 << 53,
    ) {
        let mut parts = parts();
        parts.business_type = BusinessType::General;
        parts.personal.clear();
        parts.fields = [("title".to_owned(), title)].into();
        let day = crate::CivilDate::in_china(changbai_wire::time::UnixMillis(at_ms)).unwrap();
        parts.id = EvidenceId::compose("220100", &parts.agency.code, day, serial).unwrap();
        parts.time = RecordTime { at_ms, bound_us };
        parts.originals[0].size_bytes = size_bytes;
        if let Ok(record) = Record::new(parts.clone()) {
            let read = Record::from_bytes(record.as_bytes()).unwrap();
            prop_assert_eq!(read.parts(), &parts);
            prop_assert_eq!(read.to_bytes(), record.to_bytes());
        }
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Record::from_bytes(&bytes).is_err());
    }
}

fn batch_parts() -> RecordParts {
    RecordParts {
        batch: Some(BatchRoot { root: sm3(b"root"), size: 100_000 }),
        business_type: BusinessType::General,
        fields: BTreeMap::new(),
        originals: Vec::new(),
        personal: BTreeMap::new(),
        ..parts()
    }
}

#[test]
fn a_batch_is_format_2_and_names_no_originals() {
    let record = Record::new(batch_parts()).unwrap();
    let text = String::from_utf8(record.to_bytes()).unwrap();
    let root = sm3(b"root");
    assert!(
        text.contains(&format!(r#""batch":{{"root":"{root}","size":100000}},"business_type""#))
    );
    assert!(text.contains(r#""format":2,"#) && text.contains(r#""originals":[]"#));
    assert_eq!(Record::from_bytes(text.as_bytes()).unwrap(), record);

    let as_1 = text.replace(r#""format":2"#, r#""format":1"#);
    assert_eq!(Record::from_bytes(as_1.as_bytes()), Err(RecordError::Format { found: 1 }));
    let plain = String::from_utf8(Record::new(parts()).unwrap().to_bytes()).unwrap();
    let as_2 = plain.replace(r#""format":1"#, r#""format":2"#);
    assert_eq!(Record::from_bytes(as_2.as_bytes()), Err(RecordError::Format { found: 2 }));
}

#[test]
fn a_batch_has_1_to_100_000_digests_and_no_originals() {
    let part = |change: fn(&mut RecordParts)| {
        let mut parts = batch_parts();
        change(&mut parts);
        match Record::new(parts) {
            Err(RecordError::Part { part, .. }) => part,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(part(|p| p.batch = p.batch.map(|b| BatchRoot { size: 0, ..b })), "batch.size");
    assert_eq!(part(|p| p.batch = p.batch.map(|b| BatchRoot { size: 100_001, ..b })), "batch.size");
    assert_eq!(part(|p| p.originals = parts().originals), "originals");
}

#[test]
fn the_key_of_a_batch_is_its_root_size_and_submitter() {
    let key = |change: fn(&mut RecordParts)| {
        let mut parts = batch_parts();
        change(&mut parts);
        Record::new(parts).unwrap().duplicate_key()
    };
    let first = key(|_| ());
    assert_eq!(first, key(|p| p.collection.source = "elsewhere".to_owned()));
    for changed in [
        key(|p| p.batch = Some(BatchRoot { root: sm3(b"other"), size: 100_000 })),
        key(|p| p.batch = Some(BatchRoot { root: sm3(b"root"), size: 99_999 })),
        key(|p| p.submitter.subject.push('x')),
    ] {
        assert_ne!(first, changed);
    }
}
