//! The one DER form of a signature, and everything near it.

use proptest::prelude::*;

use super::*;
use crate::sm2::signature::ORDER;

fn integer(digits: &[u8]) -> Vec<u8> {
    [&[2, u8::try_from(digits.len()).unwrap()], digits].concat()
}

fn sequence(body: &[u8]) -> Vec<u8> {
    [&[0x30, u8::try_from(body.len()).unwrap()], body].concat()
}

fn order_plus(delta: i8) -> [u8; 32] {
    let mut number = ORDER;
    number[31] = number[31].checked_add_signed(delta).unwrap();
    number
}

fn small(value: u8) -> [u8; 32] {
    let mut number = [0; 32];
    number[31] = value;
    number
}

fn raw(r: [u8; 32], s: [u8; 32]) -> [u8; 64] {
    [r, s].concat().try_into().unwrap()
}

#[test]
fn numbers_at_the_edges() {
    let good = [small(1), small(0x7f), small(0x80), small(0xff), order_plus(-1), order_plus(-2)];
    let bad = [small(0), ORDER, order_plus(1), [0xff; 32]];
    for r in good {
        for s in good {
            let signature = Signature::from_bytes(raw(r, s)).unwrap();
            assert_eq!(Signature::from_der(&signature.to_der()), Ok(signature));
        }
        for s in bad {
            assert_eq!(Signature::from_bytes(raw(r, s)), Err(SignatureError::Range));
            assert_eq!(Signature::from_bytes(raw(s, r)), Err(SignatureError::Range));
            let padded = |number: [u8; 32]| match number {
                number if number == [0; 32] => integer(&[0]),
                number => integer(&[&[0], &number[..]].concat()),
            };
            let der = sequence(&[padded(s), integer(&[1])].concat());
            assert_eq!(Signature::from_der(&der), Err(SignatureError::Range));
        }
    }
}

/// Signatures with r or s at the edges parse but never verify for this key.
#[test]
fn edge_signatures_do_not_verify() {
    let key = signing_key();
    for r in [small(1), order_plus(-1)] {
        for s in [small(1), order_plus(-1)] {
            let signature = Signature::from_bytes(raw(r, s)).unwrap();
            assert_eq!(key.verifying_key().verify(b"m", &signature), Err(InvalidSignature));
        }
    }
}

#[test]
fn minimal_form_only() {
    let (one, two) = (integer(&[1]), integer(&[2]));
    let body = [&one[..], &two].concat();
    let good = sequence(&body);
    assert_eq!(Signature::from_der(&good).unwrap().to_der(), good);

    let wrong: Vec<(&str, Vec<u8>)> = vec![
        ("empty", vec![]),
        ("tag only", vec![0x30]),
        ("empty sequence", vec![0x30, 0]),
        ("long-form length", [&[0x30, 0x81, 6][..], &body].concat()),
        ("two-byte long form", [&[0x30, 0x82, 0, 6][..], &body].concat()),
        ("indefinite length", [&[0x30, 0x80][..], &body, &[0, 0]].concat()),
        ("long-form integer", sequence(&[&[2, 0x81, 1, 1][..], &two].concat())),
        ("padded integer", sequence(&[&integer(&[0, 1])[..], &two].concat())),
        ("padded zero", sequence(&[&integer(&[0, 0])[..], &two].concat())),
        ("negative integer", sequence(&[&integer(&[0x80])[..], &two].concat())),
        ("minus one", sequence(&[&integer(&[0xff])[..], &two].concat())),
        ("empty integer", sequence(&[&integer(&[])[..], &two].concat())),
        ("zero", sequence(&[&integer(&[0])[..], &two].concat())),
        ("one integer", sequence(&one)),
        ("three integers", sequence(&[&body[..], &one].concat())),
        ("trailing byte", [&good[..], &[0]].concat()),
        ("trailing byte inside", sequence(&[&body[..], &[0]].concat())),
        ("truncated", good[..good.len() - 1].to_vec()),
        ("set instead of sequence", [&[0x31, 6][..], &body].concat()),
        ("bit string instead of integer", sequence(&[&[3, 1, 1][..], &two].concat())),
        ("33 significant bytes", sequence(&[&integer(&[1; 33])[..], &two].concat())),
        (
            "34 bytes",
            sequence(&[&integer(&[&[0, 0x80][..], &[1; 32]].concat())[..], &two].concat()),
        ),
        ("raw form", signing_key().sign(b"m").to_bytes().to_vec()),
    ];
    for (why, der) in wrong {
        assert!(Signature::from_der(&der).is_err(), "{why}");
    }
}

proptest! {
    #[test]
    fn accepted_bytes_are_the_only_form(der in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(signature) = Signature::from_der(&der) {
            prop_assert_eq!(signature.to_der(), der);
        }
    }

    /// Random bytes seldom look like DER; these nearly do.
    #[test]
    fn accepted_near_misses_are_the_only_form(
        r in prop::collection::vec(any::<u8>(), 0..35),
        s in prop::collection::vec(any::<u8>(), 0..35),
    ) {
        let der = sequence(&[integer(&r), integer(&s)].concat());
        if let Ok(signature) = Signature::from_der(&der) {
            prop_assert_eq!(signature.to_der(), der);
        }
    }
}
