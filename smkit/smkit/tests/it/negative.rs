//! The negative sets under `testdata/`, in the manner of Wycheproof: what must be refused, beside what must not.
//!
//! Every vector runs with the newest kernels of this processor, with those for AVX2, and without any.

mod sm2;
mod sm2_batches;
mod sm4;

use serde_json::Value;
use smkit::cpu::{force_avx2, force_portable};

/// Runs `work` with each set of kernels; one caller at a time, so that each run is what it says.
fn on_every_path(work: impl Fn(&str)) {
    static SWITCH: std::sync::Mutex<()> = std::sync::Mutex::new(());
    struct BackOn;
    impl Drop for BackOn {
        fn drop(&mut self) {
            force_portable(false);
        }
    }
    let _one_at_a_time = SWITCH.lock();
    let _back_on = BackOn;
    force_portable(false);
    work("newest kernels");
    force_avx2(true);
    work("kernels for AVX2");
    force_portable(true);
    work("portable");
}

/// The cases of a file, which says how many they are.
fn cases(text: &str) -> Vec<Value> {
    let set: Value = serde_json::from_str(text).unwrap();
    let tests = set["tests"].as_array().unwrap();
    assert_eq!(u64::try_from(tests.len()).unwrap(), set["cases"].as_u64().unwrap());
    for (case, id) in tests.iter().zip(1_u64..) {
        assert_eq!(case["id"].as_u64(), Some(id), "numbered from 1");
        assert!(case["result"] == "valid" || case["result"] == "invalid", "{case}");
    }
    tests.clone()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn valid(case: &Value) -> bool {
    case["result"] == "valid"
}
