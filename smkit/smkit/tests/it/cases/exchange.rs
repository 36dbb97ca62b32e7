//! SM2 key exchange with confirmation: the peer in either role, we in the other.

use smkit::{
    Random, RandomError,
    sm2::{Initiator, PrivateKey, Responder, SignerId, VerifyingKey},
};

use super::{Case, draw::Draw, number, shown_unless_refused};

pub(super) fn exchanges(draw: &mut Draw, count: usize, cases: &mut Vec<Case>) {
    for turn in 0..count {
        let (a, b) = (Side::new(draw), Side::new(draw));
        let length = match draw.below(4) {
            0 => [1, 16, 31, 32, 33, 48, 64][draw.below(7)],
            _ => 1 + draw.below(200),
        };
        let initiator = || {
            let peer = b.verifying.clone();
            Initiator::new(&a.private, a.id.clone(), peer, &mut Fixed::new(a.r)).unwrap()
        };
        let first = initiator().ephemeral().clone();
        let responder = {
            let random = &mut Fixed::new(b.r);
            Responder::new(&b.private, b.id.clone(), &a.verifying, &first, length, random).unwrap()
        };
        let second = responder.ephemeral().clone();
        let mut s_b = *responder.confirmation();
        let (key, s_a) = initiator().confirm(&second, &s_b, length).unwrap();
        assert_eq!(responder.confirm(&s_a).unwrap(), key, "both of our sides agree");

        let (first, second) = (first.to_sec1(), second.to_sec1());
        if turn % 2 == 0 {
            let public = a.public();
            let id = a.id.as_bytes();
            let fields = [&b.d[..], &b.r, b.id.as_bytes(), &public, &first, id, &number(length)];
            let answer = shown_unless_refused(Ok::<_, ()>([&key[..], &s_b, &s_a].concat()));
            cases.push(Case::new("exchange-b", &fields, answer));
            continue;
        }
        if draw.once_in(8) {
            s_b[draw.below(32)] ^= 1 << draw.below(8);
        }
        let second_key = smkit::sm2::PublicKey::from_sec1(&second).unwrap();
        let ours = initiator().confirm(&second_key, &s_b, length);
        let answer = shown_unless_refused(ours.map(|(key, s_a)| [&key[..], &s_a].concat()));
        let public = b.public();
        let id = b.id.as_bytes();
        let fields = [&a.d[..], &a.r, a.id.as_bytes(), &public, &second, id, &number(length), &s_b];
        cases.push(Case::new("exchange-a", &fields, answer));
    }
}

struct Side {
    d: [u8; 32],
    r: [u8; 32],
    private: PrivateKey,
    verifying: VerifyingKey,
    id: SignerId,
}

impl Side {
    fn new(draw: &mut Draw) -> Self {
        let (d, r) = (draw.scalar(), draw.scalar());
        let private = PrivateKey::from_bytes(&d).unwrap();
        let id = SignerId::new(draw.id(true, SignerId::BYTES_MAX)).unwrap();
        let verifying = VerifyingKey::new(private.public_key().clone(), id.clone()).unwrap();
        Self { d, r, private, verifying, id }
    }

    fn public(&self) -> [u8; 65] {
        self.private.public_key().to_sec1()
    }
}

/// A random source that gives 32 chosen bytes first, and digests of them afterwards.
pub(crate) struct Fixed([u8; 32]);

impl Fixed {
    pub(crate) const fn new(first: [u8; 32]) -> Self {
        Self(first)
    }
}

impl Random for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(32) {
            chunk.copy_from_slice(&self.0[..chunk.len()]);
            self.0 = *smkit::sm3(&self.0).as_bytes();
        }
        Ok(())
    }
}
