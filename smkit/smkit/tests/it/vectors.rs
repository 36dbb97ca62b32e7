//! Every entry of the standards' vectors under `testdata/`: an entry that no code here knows fails.
//!
//! What needs the inside of the crate (signing with a given k) is in the unit tests beside it; here the files are walked
//! from their first key to their last.

mod sm2;
mod sm3;
mod sm4;

use serde_json::Value;

/// Gives every top-level entry to `assert`, which says whether it knows it.
fn walk(text: &str, assert: impl Fn(&str, &Value) -> bool) {
    let file: Value = serde_json::from_str(text).unwrap();
    for (name, entry) in file.as_object().unwrap() {
        assert!(is_text(name) || assert(name, entry), "no test asserts the entry {name}");
    }
}

/// What is said about a file or an entry.
fn is_text(name: &str) -> bool {
    ["source", "test_only", "note", "case", "why"].contains(&name)
}

/// The items of a list, none of which has a field beyond these and [`is_text`].
fn items<'a>(list: &'a Value, fields: &[&str]) -> Vec<&'a Value> {
    let items: Vec<&Value> = list.as_array().unwrap().iter().collect();
    assert!(!items.is_empty());
    items.iter().for_each(|item| only(item, fields));
    items
}

fn only(item: &Value, fields: &[&str]) {
    for name in item.as_object().unwrap().keys() {
        assert!(is_text(name) || fields.contains(&name.as_str()), "nothing reads {name}: {item}");
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}
