//! The operations that hold a secret. Each is prepared, which may look at the secret too, and then run.

use std::hint::black_box;

use smkit::sm2::{
    EphemeralKey, Initiator, PrivateKey, PublicKey, Responder, SignerId, SigningKey, VerifyingKey,
    sign_many,
};
use smkit::sm3::kdf;
use smkit::sm4::{Cbc, Ccm, Ctr, Gcm, Key, Xts, XtsStandard, stream::Sealer};
use smkit::{HmacSm3, Random, RandomError, hmac_sm3, verify_hmac_sm3};

use crate::marks::show;

type Operation = Box<dyn Fn()>;

pub(crate) const ALL: [(&str, fn(&[u8; 32]) -> Operation); 24] = [
    ("control-branch", control_branch),
    ("control-address", control_address),
    ("generate", generate),
    ("sign", sign),
    ("sign-hedged", sign_hedged),
    ("sign-many", sign_several),
    ("decrypt", decrypt),
    ("encrypt", encrypt),
    ("exchange-initiator", initiator),
    ("exchange-responder", responder),
    ("agree", agree),
    ("agree-answer", answer),
    ("read-sec1", read_sec1),
    ("read-pkcs8-pem", read_pkcs8_pem),
    ("write-pkcs8-pem", write_pkcs8_pem),
    ("open-envelope", open_envelope),
    ("sm4-gcm", sm4_gcm),
    ("sm4-ccm", sm4_ccm),
    ("sm4-cbc", sm4_cbc),
    ("sm4-ctr", sm4_ctr),
    ("sm4-xts", sm4_xts),
    ("sm4-stream", sm4_stream),
    ("hmac", hmac),
    ("kdf", derivations),
    ("mac-prefix", mac_prefix),
    ("tlcp-cbc", tlcp_cbc),
];

/// An operation on this secret.
pub(crate) fn prepare(name: &str, secret: &[u8; 32]) -> Operation {
    let (_, prepare) = ALL.iter().find(|(known, _)| *known == name).expect("a known operation");
    prepare(secret)
}

/// Must be reported: a branch on a secret.
fn control_branch(secret: &[u8; 32]) -> Operation {
    let secret = *secret;
    Box::new(move || {
        if black_box(&secret)[3] & 1 == 1 {
            black_box(sum(&secret));
        }
    })
}

/// Must be reported: a table read at a secret place.
fn control_address(secret: &[u8; 32]) -> Operation {
    let secret = *secret;
    let table: Vec<u8> = (0..=255).collect();
    Box::new(move || {
        black_box(table[usize::from(black_box(&secret)[3])]);
    })
}

#[inline(never)]
fn sum(bytes: &[u8; 32]) -> u32 {
    bytes.iter().map(|byte| u32::from(*byte)).sum()
}

fn private_key(secret: &[u8; 32]) -> PrivateKey {
    let key = PrivateKey::from_bytes(secret).expect("in range");
    show(key.public_key().as_sec1());
    key
}

fn signing_key(secret: &[u8; 32]) -> SigningKey {
    SigningKey::new(private_key(secret), SignerId::DEFAULT).expect("default ID")
}

/// The other side: its secrets are not under test.
fn peer() -> PublicKey {
    PrivateKey::from_bytes(&[3; 32]).expect("in range").public_key().clone()
}

fn generate(secret: &[u8; 32]) -> Operation {
    let secret = *secret;
    Box::new(move || {
        let key = PrivateKey::generate(&mut Given(secret)).expect("given");
        show(key.public_key().as_sec1());
    })
}

fn sign(secret: &[u8; 32]) -> Operation {
    let key = signing_key(secret);
    Box::new(move || show(&key.sign(b"message").to_bytes()))
}

fn sign_hedged(secret: &[u8; 32]) -> Operation {
    let (key, secret) = (signing_key(secret), *secret);
    Box::new(move || {
        let signature = key.sign_hedged(b"message", &mut Given(secret)).expect("given");
        show(&signature.to_bytes());
    })
}

/// Two groups of eight lanes, the second with idle ones.
fn sign_several(secret: &[u8; 32]) -> Operation {
    let key = signing_key(secret);
    Box::new(move || {
        let messages: [&[u8]; 11] =
            [b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9", b"a", b"b"];
        for signature in sign_many(&key, &messages) {
            show(&signature.to_bytes());
        }
    })
}

fn decrypt(secret: &[u8; 32]) -> Operation {
    let key = private_key(secret);
    let ciphertext = key.public_key().encrypt(&[5; 40], &mut Given([9; 32])).expect("a message");
    show(&ciphertext.to_c1c3c2());
    Box::new(move || {
        let opened = key.decrypt(&ciphertext);
        assert!(black_box(opened).is_ok());
    })
}

/// The secrets are the nonce and the message.
fn encrypt(secret: &[u8; 32]) -> Operation {
    let (peer, secret) = (peer(), *secret);
    Box::new(move || {
        let ciphertext = peer.encrypt(&secret, &mut Given(secret)).expect("a message");
        show(&ciphertext.to_c1c3c2());
    })
}

fn initiator(secret: &[u8; 32]) -> Operation {
    let (key, peer, secret) = (private_key(secret), peer(), *secret);
    let verifying = VerifyingKey::new(peer.clone(), SignerId::DEFAULT).expect("default ID");
    Box::new(move || {
        let ephemeral = &mut Given(secret.map(|byte| byte ^ 0x11));
        let initiator =
            Initiator::new(&key, SignerId::DEFAULT, verifying.clone(), ephemeral).expect("given");
        show(initiator.ephemeral().as_sec1());
        black_box(initiator.unconfirmed(&peer, 48).is_ok());
    })
}

fn responder(secret: &[u8; 32]) -> Operation {
    let (key, peer, secret) = (private_key(secret), peer(), *secret);
    let verifying = VerifyingKey::new(peer.clone(), SignerId::DEFAULT).expect("default ID");
    Box::new(move || {
        let random = &mut Given(secret.map(|byte| byte ^ 0x11));
        let responder =
            Responder::new(&key, SignerId::DEFAULT, &verifying, &peer, 48, random).expect("given");
        show(responder.ephemeral().as_sec1());
        show(responder.confirmation());
        black_box(responder.confirm(&[0; 32]).is_err());
    })
}

fn agree(secret: &[u8; 32]) -> Operation {
    let (peer, secret) = (peer(), *secret);
    Box::new(move || {
        let key = EphemeralKey::generate(&mut Given(secret)).expect("given");
        show(key.public_key().as_sec1());
        black_box(key.agree(&peer).is_ok());
    })
}

fn answer(secret: &[u8; 32]) -> Operation {
    let (peer, secret) = (peer(), *secret);
    Box::new(move || {
        let (public, shared) = EphemeralKey::answer(&peer, &mut Given(secret)).expect("given");
        show(public.as_sec1());
        black_box(shared.x());
    })
}

fn read_sec1(secret: &[u8; 32]) -> Operation {
    let der = private_key(secret).to_sec1_der();
    Box::new(move || {
        black_box(PrivateKey::from_sec1_der(&der).is_ok());
    })
}

fn read_pkcs8_pem(secret: &[u8; 32]) -> Operation {
    let pem = private_key(secret).to_pkcs8_pem().expect("a fixed size");
    Box::new(move || {
        black_box(PrivateKey::from_pkcs8_pem(&pem).is_ok());
    })
}

fn write_pkcs8_pem(secret: &[u8; 32]) -> Operation {
    let key = private_key(secret);
    Box::new(move || {
        black_box(key.to_pkcs8_pem().is_ok());
    })
}

/// The secret is the key inside; the recipient's is the same always.
fn open_envelope(secret: &[u8; 32]) -> Operation {
    let recipient = PrivateKey::from_bytes(&[3; 32]).expect("in range");
    let inner = private_key(secret);
    let envelope = inner.to_enveloped_der(recipient.public_key(), &mut Given([9; 32]));
    let envelope = envelope.expect("given");
    Box::new(move || {
        black_box(recipient.open_enveloped_der(&envelope).is_ok());
    })
}

/// The secret is how much of known data the code covers.
fn mac_prefix(secret: &[u8; 32]) -> Operation {
    let length = LENGTH_MIN + usize::from(secret[0]);
    Box::new(move || {
        let code = HmacSm3::new(b"key").finalize_prefix(&[7; 450], length, LENGTH_MIN);
        show(code.as_bytes());
    })
}

fn tlcp_cbc(secret: &[u8; 32]) -> Operation {
    let secret = *secret;
    Box::new(move || crate::tlcp::open(&secret, &mut Given([9; 32])))
}

fn sm4_key(secret: &[u8; 32]) -> Key {
    Key::from_slice(&secret[..16]).expect("16 bytes")
}

const LENGTH_MIN: usize = 150;
/// Groups of 64 blocks, a rest of many blocks, one block and a part of one.
const LENGTHS: [usize; 6] = [16, 33, 160, 1_000, 1_024, 2_500];

fn texts(work: impl Fn(&mut Vec<u8>)) {
    for length in LENGTHS {
        let mut data = Vec::with_capacity(length + 16);
        data.resize(length, 7);
        work(&mut data);
        show(&data);
    }
}

fn sm4_gcm(secret: &[u8; 32]) -> Operation {
    let key = sm4_key(secret);
    Box::new(move || {
        let gcm = Gcm::new(&key);
        texts(|data| {
            gcm.seal_in_place(&[0; 12], b"header", data).expect("a short message");
            show(data);
            gcm.open_in_place(&[0; 12], b"header", data).expect("our own");
        });
    })
}

fn sm4_ccm(secret: &[u8; 32]) -> Operation {
    let key = sm4_key(secret);
    Box::new(move || {
        let ccm = Ccm::new(&key);
        texts(|data| {
            ccm.seal_in_place(&[0; 12], b"header", data).expect("a short message");
            show(data);
            ccm.open_in_place(&[0; 12], b"header", data).expect("our own");
        });
    })
}

fn sm4_cbc(secret: &[u8; 32]) -> Operation {
    let key = sm4_key(secret);
    Box::new(move || {
        let cbc = Cbc::new(&key);
        texts(|data| {
            cbc.encrypt(&[0; 16], data);
            show(data);
            cbc.decrypt(&[0; 16], data).expect("our own");
        });
    })
}

fn sm4_ctr(secret: &[u8; 32]) -> Operation {
    let key = sm4_key(secret);
    Box::new(move || {
        let ctr = Ctr::new(&key);
        texts(|data| ctr.apply_at(&[0xff; 16], 5, data));
    })
}

fn sm4_xts(secret: &[u8; 32]) -> Operation {
    let (key, second) = (sm4_key(secret), Key::from_slice(&secret[16..]).expect("16 bytes"));
    let second = Key::from_bytes(second.expose().map(|byte| byte ^ 1));
    Box::new(move || {
        for standard in [XtsStandard::GbT17964, XtsStandard::Ieee1619] {
            let xts = Xts::new(&key, &second, standard).expect("two keys");
            texts(|data| {
                xts.encrypt(&[3; 16], data).expect("a block and more");
                show(data);
                xts.decrypt(&[3; 16], data).expect("a block and more");
            });
        }
    })
}

fn sm4_stream(secret: &[u8; 32]) -> Operation {
    let key = sm4_key(secret);
    Box::new(move || {
        let mut sealer =
            Sealer::with_chunk_log2(&key, b"", 10, &mut Given([9; 32])).expect("given");
        let mut out = Vec::with_capacity(3_000);
        sealer.update(&[7; 2_500], &mut out).expect("a short stream");
        sealer.finish(&mut out).expect("a short stream");
        show(&out);
    })
}

fn hmac(secret: &[u8; 32]) -> Operation {
    let secret = *secret;
    Box::new(move || {
        let code = hmac_sm3(&secret, &[&[7; 100]]);
        black_box(verify_hmac_sm3(&secret, &[&[7; 100]], &code));
        show(code.as_bytes());
    })
}

fn derivations(secret: &[u8; 32]) -> Operation {
    let secret = *secret;
    Box::new(move || {
        let mut out = [0; 80];
        kdf::gbt32918(&[&secret], &mut out).expect("80 bytes");
        kdf::hkdf_expand(kdf::hkdf_extract(b"salt", &secret).as_bytes(), b"info", &mut out)
            .expect("80 bytes");
        kdf::pbkdf2(&secret, b"salt", std::num::NonZeroU32::MIN, &mut out).expect("80 bytes");
        black_box(&out);
    })
}

/// A random source that gives these bytes again and again.
struct Given([u8; 32]);

impl Random for Given {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.iter_mut().zip(self.0.iter().cycle()).for_each(|(to, from)| *to = *from);
        Ok(())
    }
}
