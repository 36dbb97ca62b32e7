#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy)]
struct Named(&'static str, &'static str);

impl Contract for Named {
    fn name(&self) -> &'static str {
        self.0
    }

    fn version(&self) -> &'static str {
        self.1
    }

    fn invoke(&self, ctx: &mut dyn Context) -> Result<Vec<u8>, ContractError> {
        match ctx.function() {
            "panic" => panic!("a bug"),
            "large" => Ok(vec![0; limits::VALUE_BYTES_MAX + 1]),
            "refuse" => {
                ctx.put("k", b"refused".to_vec())?;
                Err(ContractError::refused("CT-4000", "no"))
            }
            "own" => {
                ctx.put("k", b"new".to_vec())?;
                Ok(ctx.get("k")?.unwrap_or_default())
            }
            other => Ok(other.as_bytes().to_vec()),
        }
    }
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.register(Arc::new(Named("evidence", "1.0"))).unwrap();
    registry
}

#[test]
fn registry_refuses_bad_names_and_versions() {
    let mut registry = registry();
    for name in ["", "-a", "a--b", "a_", "a b", "国", "qscc", "a.b"] {
        assert_eq!(registry.register(Arc::new(Named(name, "1"))), Err(RegistryError::Name(name)));
    }
    for version in ["", "1 0", "一"] {
        let refused = registry.register(Arc::new(Named("x", version)));
        assert_eq!(refused, Err(RegistryError::Version { name: "x", version }));
    }
    let taken = registry.register(Arc::new(Named("evidence", "2.0")));
    assert_eq!(taken, Err(RegistryError::Taken("evidence")));
    assert_eq!(registry.contract("evidence").unwrap().version(), "1.0");
    assert_eq!(registry.iter().count(), 1);
    assert_eq!(format!("{registry:?}"), r#"{"evidence": "1.0"}"#);
}

#[test]
fn registry_contains_failures() {
    let registry = registry();
    let run = |name: &str, function: &str| {
        registry.invoke(name, &mut MockContext::new().with_function(function, &[]))
    };
    assert_eq!(run("evidence", "hello").unwrap(), b"hello");
    assert_eq!(run("other", "hello"), Err(ContractError::Unknown("other".to_owned())));
    assert_eq!(run("evidence", "panic"), Err(ContractError::Panicked("evidence")));
    assert!(matches!(run("evidence", "large"), Err(ContractError::Limit { .. })));
    assert!(matches!(run("evidence", "refuse"), Err(ContractError::Refused { .. })));
}

#[test]
fn own_writes_are_not_read_and_refusals_write_nothing() {
    let contract = Named("c", "1");
    let mut ledger = MockContext::new().with_state("k", b"old");
    assert_eq!(ledger.call(&contract, "own", &[]).unwrap(), b"old");
    assert_eq!(ledger.state()["k"], b"new");
    assert!(ledger.call(&contract, "refuse", &[]).is_err());
    assert_eq!(ledger.state()["k"], b"new");
    let first = ledger.tx_id().to_owned();
    assert_eq!(ledger.call(&contract, "own", &[]).unwrap(), b"new");
    assert_ne!(ledger.tx_id(), first, "each call is a transaction of its own");
}

#[test]
fn ranges_are_half_open_bounded_and_skip_composite_keys() {
    let mut ctx = MockContext::new();
    for key in ["a", "b", "c"] {
        ctx = ctx.with_state(key, key.as_bytes());
    }
    let hidden = composite_key("kind", &["x"]).unwrap();
    ctx = ctx.with_state(&hidden, b"hidden");
    let keys = |ctx: &mut MockContext, start: &str, end: &str, limit| {
        let entries = ctx.range(start, end, limit).unwrap();
        entries.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(keys(&mut ctx, "", "", 10), ["a", "b", "c"]);
    assert_eq!(keys(&mut ctx, "a", "c", 10), ["a", "b"]);
    assert_eq!(keys(&mut ctx, "", "", 1), ["a"]);
    assert_eq!(keys(&mut ctx, "z", "a", 1), [""; 0]);
    let (start, end) = composite_prefix_range("kind", &[]).unwrap();
    assert_eq!(keys(&mut ctx, &start, &end, 10), [hidden]);
    for limit in [0, limits::RANGE_ENTRIES_MAX + 1] {
        assert!(matches!(ctx.range("", "", limit), Err(ContractError::Limit { .. })));
    }
}

#[test]
fn limits_hold() {
    let mut ctx = MockContext::new();
    assert_eq!(ctx.put("", vec![]), Err(KeyError::Empty.into()));
    assert_eq!(ctx.get("\u{0}x"), Err(KeyError::Reserved.into()));
    let long = "k".repeat(limits::KEY_BYTES_MAX + 1);
    assert_eq!(ctx.get(&long), Err(KeyError::TooLong { bytes: long.len() }.into()));
    assert!(ctx.put("k", vec![0; limits::VALUE_BYTES_MAX]).is_ok());
    assert!(ctx.put("k", vec![0; limits::VALUE_BYTES_MAX + 1]).is_err());
    for i in 1..limits::WRITES_MAX {
        ctx.put(&format!("w{i}"), vec![]).unwrap();
    }
    ctx.put("k", vec![]).expect("a key counts once");
    assert!(matches!(ctx.delete("one more"), Err(ContractError::Limit { limit: 1_000, .. })));
    assert!(ctx.emit("", vec![]).is_err());
    ctx.emit("first", vec![1]).unwrap();
    ctx.emit("second", vec![2]).unwrap();
    assert_eq!(ctx.event(), Some(("second", &[2][..])));
    ctx.set_state_failure(Some("disk"));
    assert_eq!(ctx.get("k"), Err(ContractError::State("disk".to_owned())));
}

#[test]
fn composite_keys_have_fabrics_form() {
    assert_eq!(composite_key("t", &["a", "b"]).unwrap(), "\0t\0a\0b\0");
    assert_eq!(composite_key("", &[]), Err(KeyError::Empty));
    assert_eq!(composite_key("t", &["\0"]), Err(KeyError::Reserved));
    assert_eq!(composite_key("t", &["\u{10FFFF}"]), Err(KeyError::Reserved));
    assert!(matches!(composite_key("t", &[&"x".repeat(2_000)]), Err(KeyError::TooLong { .. })));
    for key in ["", "\0", "\0\0", "a\0", "\0\0a\0", "plain"] {
        assert_eq!(split_composite_key(key), None, "{key:?}");
    }
}

proptest! {
    #[test]
    fn composite_keys_round_trip_and_stay_in_their_range(
        kind in "[^\u{0}\u{10FFFF}]{1,8}",
        parts in proptest::collection::vec("[^\u{0}\u{10FFFF}]{0,8}", 0..5),
        keep in 0usize..5,
    ) {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let key = composite_key(&kind, &parts).unwrap();
        prop_assert_eq!(split_composite_key(&key), Some((kind.as_str(), parts.clone())));
        prop_assert!(limits::check_key(&key).is_ok());
        let prefix = &parts[..keep.min(parts.len())];
        let (start, end) = composite_prefix_range(&kind, prefix).unwrap();
        prop_assert!(start <= key && key < end);
    }

    #[test]
    fn key_checks_never_panic(key in any::<String>()) {
        let _ = limits::check_key(&key);
        let _ = split_composite_key(&key);
    }
}
