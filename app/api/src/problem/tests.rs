use std::collections::BTreeSet;

use axum::http::{HeaderMap, HeaderValue, header};

use super::{Code, Language, Problem};

#[test]
fn codes_are_unique_and_carry_their_status() {
    let mut texts = BTreeSet::new();
    for code in Code::ALL {
        let row = code.row();
        assert!(texts.insert(row.text), "{} is used twice", row.text);
        assert!(!row.zh.is_empty() && !row.en.is_empty());
        let digits: String = row.text.chars().filter(char::is_ascii_digit).take(3).collect();
        let status = row.status.as_u16().to_string();
        assert_eq!(digits.len(), 3);
        assert_eq!(digits.chars().next(), status.chars().next(), "{}", row.text);
    }
}

#[test]
fn the_language_follows_the_header_and_is_chinese_by_default() {
    let of = |text: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_str(text).unwrap());
        Language::of(&headers)
    };
    assert_eq!(Language::of(&HeaderMap::new()), Language::Chinese);
    assert_eq!(of("en"), Language::English);
    assert_eq!(of("en-GB,zh;q=0.9"), Language::English);
    assert_eq!(of("en;q=0.5, zh-CN"), Language::Chinese);
    assert_eq!(of("fr, de;q=0.9"), Language::Chinese);
    assert_eq!(of("fr, en;q=0.1"), Language::English);
    assert_eq!(of(";;;q=,,\u{7f}".trim_end_matches('\u{7f}')), Language::Chinese);
}

#[test]
fn busy_answers_say_when_to_come_back() {
    let response = Problem::new(Code::Busy).retry_after_ms(1_500).render(Language::English, "t");
    assert_eq!(response.headers()[header::RETRY_AFTER], "2");
    let response = Problem::new(Code::Overloaded).render(Language::Chinese, "t");
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
}
