use super::*;

fn fields(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn real_estate() -> BTreeMap<String, String> {
    fields(&[
        ("business_no", "2026-001"),
        ("登记类型", "转移登记"),
        ("unit_no", "220102001001GB00001F00010001"),
        ("权利人", "张三"),
        ("right_holder_id", "220102199001011234"),
    ])
}

#[test]
fn every_type_is_found_by_code_kebab_case_and_chinese_name() {
    for business_type in BusinessType::ALL {
        assert_eq!(business_type.code().parse(), Ok(business_type));
        assert_eq!(business_type.code().replace('_', "-").parse(), Ok(business_type));
        assert_eq!(business_type.chinese().parse(), Ok(business_type));
        assert_eq!(BusinessType::from_code(business_type.code()), Some(business_type));
    }
    assert_eq!("General".parse::<BusinessType>(), Err(UnknownBusinessType));
    assert_eq!(BusinessType::from_code("real-estate-registration"), None);
}

#[test]
fn names_are_unique_within_a_type_and_keys_are_plain_ascii() {
    for business_type in BusinessType::ALL {
        for field in business_type.schema() {
            assert!(field.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            let same = |f: &&FieldSpec| f.name == field.name || f.chinese == field.chinese;
            assert_eq!(business_type.schema().iter().filter(same).count(), 1, "{}", field.name);
        }
    }
}

#[test]
fn fields_are_split_into_public_and_personal() {
    let checked = BusinessType::RealEstateRegistration.check(&real_estate()).unwrap();
    assert_eq!(
        checked.public.keys().copied().collect::<Vec<_>>(),
        ["business_no", "registration_type", "unit_no"]
    );
    assert_eq!(
        checked.personal.keys().copied().collect::<Vec<_>>(),
        ["right_holder", "right_holder_id"]
    );
    let shown = format!("{checked:?}");
    assert!(!shown.contains("张三") && !shown.contains("220102199001011234"));
}

#[test]
fn each_missing_required_field_is_named() {
    for business_type in BusinessType::ALL {
        let full: BTreeMap<String, String> = business_type
            .schema()
            .iter()
            .map(|field| {
                let value = match field.rule {
                    FieldRule::Text { .. } => "x",
                    FieldRule::UnitNumber => "220102001001GB00001F00010001",
                    FieldRule::Date => "2026-11-22",
                };
                (field.name.to_owned(), value.to_owned())
            })
            .collect();
        assert!(business_type.check(&full).is_ok());
        for field in business_type.schema() {
            for absent in [None, Some("  ")] {
                let mut fewer = full.clone();
                fewer.remove(field.name);
                if let Some(blank) = absent {
                    fewer.insert(field.name.to_owned(), blank.to_owned());
                }
                let result = business_type.check(&fewer);
                if field.required {
                    assert_eq!(result, Err(field.missing(business_type)));
                } else {
                    assert!(result.is_ok());
                }
            }
        }
    }
}

#[test]
fn an_unknown_field_lists_the_known_ones() {
    let mut given = real_estate();
    given.insert("colour".to_owned(), "red".to_owned());
    let error = BusinessType::RealEstateRegistration.check(&given).unwrap_err();
    assert!(matches!(&error, FieldError::Unknown { name, .. } if name == "colour"));
    let shown = error.to_string();
    assert!(shown.contains("unit_no (不动产单元号)"), "{shown}");
    assert!(!shown.contains("red"));
}

#[test]
fn long_and_misshapen_values_are_named_apart() {
    let check = |key: &str, value: &str| {
        let mut given = real_estate();
        given.insert(key.to_owned(), value.to_owned());
        BusinessType::RealEstateRegistration.check(&given).unwrap_err()
    };
    let long = "存".repeat(101);
    assert!(matches!(
        check("business_no", &long),
        FieldError::TooLong { name: "business_no", chars_max: 100, .. }
    ));
    assert!(matches!(check("unit_no", "220102"), FieldError::Format { name: "unit_no", .. }));
    assert!(matches!(check("unit_no", &"x".repeat(28)), FieldError::Format { .. }));
    assert!(matches!(check("unit_no", &"1".repeat(29)), FieldError::TooLong { chars_max: 28, .. }));
    assert!(matches!(check("business_no", "a\nb"), FieldError::Format { name: "business_no", .. }));
    assert!(matches!(check("权利人", "张\u{202e}三"), FieldError::Format { .. }));
    assert!(matches!(check("受理编号", "2"), FieldError::Twice { name: "business_no", .. }));
    let penalty = fields(&[
        ("document_no", "1"),
        ("cause", "x"),
        ("authority", "x"),
        ("decided_on", "2026-02-30"),
        ("party", "x"),
    ]);
    assert!(matches!(
        BusinessType::AdministrativePenalty.check(&penalty),
        Err(FieldError::Format { name: "decided_on", .. })
    ));
}
