//! Messages of the key exchange: a peer's keys, identity and confirmation may be anything; nobody who does not know the
//! shared point confirms it.
#![no_main]

use std::sync::LazyLock;

use changbai_fuzz::kit::{Given, private_key};
use changbai_fuzz::pieces;
use smkit::sm2::{
    EXCHANGED_KEY_BYTES_MAX, Initiator, PrivateKey, PublicKey, Responder, SignerId, VerifyingKey,
};

static KEY: LazyLock<PrivateKey> = LazyLock::new(private_key);

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("sm2_exchange"), |data: &[u8]| {
    let pieces = pieces(data);
    let [peer, ephemeral, id, confirmation, length, ..] = pieces.as_slice() else { return };
    let (Some(peer), Some(ephemeral)) = (point(peer), point(ephemeral)) else { return };
    let Ok(id) = SignerId::new(*id) else { return };
    let peer = VerifyingKey::new(peer, id).expect("an identity of some length");
    let length = length.iter().fold(0, |length, byte| length << 8 & 0xfff | usize::from(*byte));
    let permitted = (1..=EXCHANGED_KEY_BYTES_MAX).contains(&length);
    let mut mac = [0; 32];
    mac.iter_mut().zip(*confirmation).for_each(|(to, from)| *to = *from);

    let random = || Given([9; 32]);
    let initiator =
        || Initiator::new(&KEY, SignerId::DEFAULT, peer.clone(), &mut random()).expect("random");
    assert!(initiator().confirm(&ephemeral, &mac, length).is_err(), "a forged confirmation");
    let key = initiator().unconfirmed(&ephemeral, length);
    assert!(key.as_ref().map_or(true, |key| permitted && key.len() == length));
    match Responder::new(&KEY, SignerId::DEFAULT, &peer, &ephemeral, length, &mut random()) {
        Ok(responder) => {
            assert!(permitted);
            assert!(responder.confirm(&mac).is_err(), "a forged confirmation");
        }
        // Both sides compute one point here: either both have it or none.
        Err(_) => assert!(key.is_err()),
    }
});

/// Half of the points are compressed, so that many inputs are points.
fn point(bytes: &[u8]) -> Option<PublicKey> {
    PublicKey::from_compressed(bytes).or_else(|_| PublicKey::from_sec1(bytes).map_err(drop)).ok()
}
