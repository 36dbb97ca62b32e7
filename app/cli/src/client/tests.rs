use super::*;

#[test]
fn queries_are_percent_encoded() {
    assert_eq!(encode_query("a-b.c_d~9"), "a-b.c_d~9");
    assert_eq!(encode_query("a b&c=长"), "a%20b%26c%3D%E9%95%BF");
}

#[test]
fn idempotency_keys_are_fresh() {
    let (one, two) = (idempotency_key().unwrap(), idempotency_key().unwrap());
    assert_ne!(one, two);
    assert!(one.len() == 32 && one.bytes().all(|b| b.is_ascii_hexdigit()));
}
