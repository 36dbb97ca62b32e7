#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use changbai_core::CustodyMode;
use changbai_core::business::BusinessType;
use proptest::prelude::*;

use super::{parse_metadata, parse_submission};

const SM3: &str = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";

fn code(body: &str) -> String {
    parse_submission(body.as_bytes()).unwrap_err().code().to_owned()
}

#[test]
fn a_submission_is_read() {
    let body = format!(
        "{{\"business_type\":\"通用存证\",\"fields\":{{\"标题\":\"合同\"}},\"originals\":[{{\"sm3\":\"{SM3}\",\"size_bytes\":3,\"media_type\":\"application/pdf\"}}]}}"
    );
    let (metadata, originals) = parse_submission(body.as_bytes()).unwrap();
    assert_eq!(metadata.business_type, BusinessType::General);
    assert_eq!(originals[0].sm3.to_string(), SM3);
    assert_eq!(originals[0].custody, CustodyMode::Submitter);
    let short = format!("{{\"originals\":[{{\"sm3\":\"{SM3}\",\"size_bytes\":3}}]}}");
    assert_eq!(
        parse_submission(short.as_bytes()).unwrap().1[0].media_type,
        "application/octet-stream"
    );
    assert!(parse_metadata(b"{}").is_ok());
}

#[test]
fn each_fault_has_its_code() {
    let original = format!("{{\"sm3\":\"{SM3}\",\"size_bytes\":3}}");
    let cases = [
        (String::from("["), "RQ-4000"),
        (String::from("{}"), "RQ-4000"),
        (format!("{{\"originals\":[{original}],\"other\":1}}"), "RQ-4000"),
        (format!("{{\"originals\":[{original}],\"fields\":{{\"a\":1}}}}"), "RQ-4000"),
        (
            format!(
                "{{\"originals\":[{original}],\"fields\":{{\"title\":\"1\",\"title\":\"2\"}}}}"
            ),
            "RQ-4000",
        ),
        (String::from("{\"originals\":[]}"), "EV-4008"),
        (format!("{{\"originals\":[{original},{original}]}}"), "EV-4008"),
        (
            format!(
                "{{\"originals\":[{{\"sm3\":\"{SM3}\",\"size_bytes\":3,\"media_type\":\"x\"}}]}}"
            ),
            "EV-4008",
        ),
        (
            format!("{{\"originals\":[{{\"sm3\":\"{}\",\"size_bytes\":3}}]}}", SM3.to_uppercase()),
            "EV-4010",
        ),
        (String::from("{\"originals\":[{\"sm3\":\"12\",\"size_bytes\":3}]}"), "EV-4010"),
        (format!("{{\"originals\":[{original}],\"business_type\":\"x\"}}"), "EV-4002"),
        (format!("{{\"originals\":[{original}],\"fields\":{{\"x\":\"1\"}}}}"), "EV-4003"),
        (format!("{{\"originals\":[{original}],\"business_type\":\"行政处罚\"}}"), "EV-4004"),
        (
            format!(
                "{{\"originals\":[{original}],\"fields\":{{\"title\":\"{}\"}}}}",
                "长".repeat(2_000)
            ),
            "EV-4005",
        ),
        (
            format!("{{\"originals\":[{original}],\"fields\":{{\"title\":\"a\",\"标题\":\"b\"}}}}"),
            "EV-4007",
        ),
        (format!("{{\"originals\":[{original}],\"previous\":\"CC1\"}}"), "EV-4009"),
        (
            format!(
                "{{\"originals\":[{original}],\"collection\":{{\"method\":\"\",\"source\":\"\"}}}}"
            ),
            "EV-4013",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(code(&body), expected, "{body}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_submission(&bytes);
        let _ = parse_metadata(&bytes);
    }
}
