use proptest::prelude::*;
use serde_json::Value;

use super::*;

const VECTORS: &str = include_str!("../../testdata/chrony_tracking.json");

fn vectors() -> Value {
    serde_json::from_str(VECTORS).unwrap()
}

fn bytes(name: &str) -> Vec<u8> {
    hex::decode(vectors()[name].as_str().unwrap()).unwrap()
}

#[test]
fn the_request_of_the_capture() {
    assert_eq!(request(0xe8e8_d36d, 0).as_slice(), bytes("request_hex"));
}

#[test]
fn a_real_answer_in_local_mode() {
    let tracking = Tracking::from_reply(&bytes("captured_reply_hex"), 0xe8e8_d36d).unwrap();
    assert!(tracking.is_local());
    assert_eq!((tracking.stratum, tracking.leap_status), (1, 0));
    assert_eq!(tracking.reference(), "local");
}

#[test]
fn the_example_of_the_manual() {
    let tracking = Tracking::from_reply(&bytes("synthetic_reply_hex"), 0x1122_3344).unwrap();
    let decoded = &vectors()["synthetic_decoded"];
    for (name, value) in [
        ("current_correction", tracking.system_offset),
        ("last_offset", tracking.last_offset),
        ("rms_offset", tracking.rms_offset),
        ("freq_ppm", tracking.frequency_ppm),
        ("resid_freq_ppm", tracking.residual_frequency_ppm),
        ("skew_ppm", tracking.skew_ppm),
        ("root_delay", tracking.root_delay),
        ("root_dispersion", tracking.root_dispersion),
        ("update_interval", tracking.update_interval),
    ] {
        assert_eq!(value.value(), decoded[name].as_f64().unwrap(), "{name}");
    }
    assert_eq!(tracking.reference_time, UnixNanos(1_485_510_557_123_456_789));
    assert_eq!((tracking.stratum, tracking.reference()), (3, "203.0.113.15".to_owned()));
    // 7926.77… microseconds.
    assert_eq!(tracking.clock_bound_us(), 7_927);
    assert_eq!(tracking.reading_bound_us(), 8_927);
}

#[test]
fn floats_of_the_capture() {
    for float in vectors()["floats"].as_array().unwrap() {
        let bits = u32::from_str_radix(float["u32"].as_str().unwrap(), 16).unwrap();
        let value = float["value"].as_f64().unwrap();
        assert_eq!(ChronyFloat(bits).value(), value);
        let nanos = (value.abs() * 1e9).ceil();
        assert!((ChronyFloat(bits).nanos_up() as f64 - nanos).abs() <= 1.0, "{value}");
    }
    assert_eq!(ChronyFloat(0x7eff_ffff).nanos_up(), u64::MAX);
}

#[test]
fn references_in_words() {
    let named = |id, source| Tracking { reference_id: id, source, ..Tracking::default() };
    assert_eq!(named(0, None).reference(), "none");
    assert_eq!(named(0x5050_5300, None).reference(), "PPS");
    assert_eq!(named(0xff00_0001, None).reference(), "FF000001");
    assert_eq!(named(1, Some(Ipv6Addr::LOCALHOST.into())).reference(), "::1");
}

#[test]
fn mistakes_are_named() {
    let good = bytes("synthetic_reply_hex");
    let read = |bytes: &[u8]| Tracking::from_reply(bytes, 0x1122_3344);
    for length in 0..good.len() {
        let cut = read(&good[..length]);
        assert!(matches!(cut, Err(ReplyError::Malformed { .. })), "{length}");
    }
    let mut long = good.clone();
    long.push(0);
    assert!(matches!(read(&long), Err(ReplyError::Malformed { at: 104, .. })));
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        read(&bytes)
    };
    assert_eq!(with(9, 2), Err(ReplyError::Status { status: 2 }));
    assert_eq!(with(19, 0x45), Err(ReplyError::Sequence { found: 0x1122_3345 }));
    for (at, byte) in [(0, 5), (1, 1), (2, 1), (5, 34), (7, 6), (27, 1), (36, 1), (49, 9), (55, 4)]
    {
        assert!(matches!(with(at, byte), Err(ReplyError::Malformed { .. })), "{at}");
    }
    // An error answer has a header alone.
    let mut refused = good[..28].to_vec();
    refused[9] = 18;
    assert_eq!(read(&refused), Err(ReplyError::Status { status: 18 }));
}

proptest! {
    #[test]
    fn no_bit_is_passed_over(bit in 0_usize..104 * 8) {
        let mut bytes = bytes("synthetic_reply_hex");
        let good = Tracking::from_reply(&bytes, 0x1122_3344).unwrap();
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert_ne!(Tracking::from_reply(&bytes, 0x1122_3344), Ok(good));
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Tracking::from_reply(&bytes, 0);
    }

    #[test]
    fn rounding_up_never_loses(bits in any::<u32>()) {
        let float = ChronyFloat(bits);
        let nanos = float.nanos_up();
        if nanos < 1 << 50 {
            let exact = float.value().abs() * 1e9;
            prop_assert!(nanos as f64 >= exact - 1e-3 && nanos as f64 <= exact + 1.001);
        }
    }

    #[test]
    fn floats_keep_their_first_24_bits(nanos in -1_000_000_000_000_i64..1_000_000_000_000) {
        let float = ChronyFloat::from_nanos(nanos);
        prop_assert_eq!(float.is_negative(), nanos < 0);
        let off = (float.value() * 1e9 - nanos as f64).abs();
        prop_assert!(off <= (nanos.abs() as f64) / f64::from(1 << 22) + 1e-3, "{off}");
    }
}
