#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::sm2::vectors::{Counting, bytes, private_key};

fn verifying(private: &PrivateKey, id: &SignerId) -> VerifyingKey {
    VerifyingKey::new(private.public_key().clone(), id.clone()).unwrap()
}

/// GB/T 32918.5-2017 annex B, both sides.
#[test]
fn exchange_of_the_standard() {
    let vectors: Value = serde_json::from_str(include_str!("../../../testdata/sm2.json")).unwrap();
    let list = vectors["key_exchange"].as_array().unwrap();
    assert_eq!(list.len(), 1);
    for vector in list {
        let id = |name: &str| SignerId::new(bytes(&vector[name])).unwrap();
        let scalar = |name: &str| {
            Zeroizing::new(Scalar::from_bytes(&bytes(&vector[name]).try_into().unwrap()).unwrap())
        };
        let array = |name: &str| <[u8; 32]>::try_from(bytes(&vector[name])).unwrap();
        let (a, b) = (private_key(&vector["dA"]), private_key(&vector["dB"]));
        let (key_a, key_b) = (verifying(&a, &id("idA")), verifying(&b, &id("idB")));
        assert_eq!(key_a.za().as_bytes(), &array("ZA"));
        assert_eq!(key_b.za().as_bytes(), &array("ZB"));
        let length = usize::try_from(vector["klen_bytes"].as_u64().unwrap()).unwrap();

        let initiator =
            Initiator { own: Side::new(&a, id("idA"), scalar("rA")).unwrap(), peer: key_b };
        assert_eq!(initiator.ephemeral().to_sec1().to_vec(), bytes(&vector["RA"]));
        let side = Side::new(&b, id("idB"), scalar("rB")).unwrap();
        let responder = Responder::from_side(side, &key_a, initiator.ephemeral(), length).unwrap();
        assert_eq!(responder.ephemeral().to_sec1().to_vec(), bytes(&vector["RB"]));
        assert_eq!(responder.confirmation(), &array("S1_SB"));
        let u = initiator.own.shared(initiator.peer.public_key(), responder.ephemeral()).unwrap();
        assert_eq!([&[4], u[0].as_slice(), &u[1]].concat(), bytes(&vector["U_or_V"]));

        let (key, s_a) =
            initiator.confirm(responder.ephemeral(), responder.confirmation(), length).unwrap();
        assert_eq!(*key, bytes(&vector["K"]));
        assert_eq!(s_a, array("S2_SA"));
        assert_eq!(responder.confirm(&s_a).unwrap(), key);
    }
}

#[test]
fn lengths_and_identities() {
    let (a, b) =
        (PrivateKey::from_bytes(&[1; 32]).unwrap(), PrivateKey::from_bytes(&[2; 32]).unwrap());
    let run = |claimed: &SignerId, length| {
        let initiator = Initiator::new(
            &a,
            SignerId::DEFAULT,
            verifying(&b, &SignerId::DEFAULT),
            &mut Counting(1),
        )?;
        let peer = verifying(&a, claimed);
        let first = initiator.ephemeral().clone();
        let responder =
            Responder::new(&b, SignerId::DEFAULT, &peer, &first, length, &mut Counting(9))?;
        initiator.confirm(responder.ephemeral(), responder.confirmation(), length)
    };
    for length in [1, 16, 48, EXCHANGED_KEY_BYTES_MAX] {
        assert_eq!(run(&SignerId::DEFAULT, length).unwrap().0.len(), length);
    }
    for bytes in [0, EXCHANGED_KEY_BYTES_MAX + 1] {
        assert_eq!(run(&SignerId::DEFAULT, bytes).err(), Some(ExchangeError::KeyLength { bytes }));
    }
    assert_eq!(run(&SignerId::TLS13, 16).err(), Some(ExchangeError::Confirmation));
}

/// R = −P/x̄ makes P + \[x̄\]R infinity: a peer that knows its own key can do that, and must be refused.
#[test]
fn a_peer_that_cancels_itself_out_is_refused() {
    let victim = PrivateKey::from_bytes(&[1; 32]).unwrap();
    let x_bar_known = PrivateKey::from_bytes(&[3; 32]).unwrap();
    let x_bar = truncated(x_bar_known.public_key());
    let r = Scalar::from_bytes(&x_bar_known.to_bytes()).unwrap();
    let d = x_bar.mul(&r).neg();
    let malicious = PrivateKey::from_bytes(&d.to_bytes()).unwrap();
    let peer = verifying(&malicious, &SignerId::DEFAULT);
    let initiator = Initiator::new(&victim, SignerId::DEFAULT, peer, &mut Counting(1)).unwrap();
    let refused = initiator.unconfirmed(x_bar_known.public_key(), 16);
    assert_eq!(refused.err(), Some(ExchangeError::Degenerate));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn both_sides_agree_and_any_altered_confirmation_is_refused(seed: u64, bit in 0usize..256) {
        let mut random = Counting(seed);
        let a = PrivateKey::generate(&mut random).unwrap();
        let b = PrivateKey::generate(&mut random).unwrap();
        let (id_a, id_b) = (SignerId::DEFAULT, SignerId::TLS13);
        let initiator =
            Initiator::new(&a, id_a.clone(), verifying(&b, &id_b), &mut random).unwrap();
        let first = initiator.ephemeral().clone();
        let start = |random: &mut Counting| {
            Responder::new(&b, id_b.clone(), &verifying(&a, &id_a), &first, 32, random).unwrap()
        };
        let twin = start(&mut Counting(seed ^ 1));
        let responder = start(&mut Counting(seed ^ 1));
        let (key, mut s_a) =
            initiator.confirm(responder.ephemeral(), responder.confirmation(), 32).unwrap();
        prop_assert_eq!(responder.confirm(&s_a).unwrap(), key);
        s_a[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(twin.confirm(&s_a).is_err());
    }
}

#[test]
fn an_initiator_may_open_before_it_knows_its_peer() {
    let random = &mut Counting(9);
    let [alice, bob] = [1, 2].map(|seed| PrivateKey::generate(&mut Counting(seed)).unwrap());
    let [alice_key, bob_key] = [&alice, &bob].map(|key| verifying(key, &SignerId::DEFAULT));
    let opening = Opening::new(&alice, SignerId::DEFAULT, random).unwrap();
    let first = opening.ephemeral().clone();
    let responder =
        Responder::new(&bob, SignerId::DEFAULT, &alice_key, &first, 48, random).unwrap();
    let second = responder.ephemeral().clone();
    let initiator = opening.with_peer(bob_key);
    assert_eq!(initiator.ephemeral(), &first);
    assert_eq!(initiator.unconfirmed(&second, 48).unwrap(), responder.unconfirmed());
}
