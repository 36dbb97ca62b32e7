//! SM2: the examples of GB/T 32918.5-2017, and what must be refused.

use alloc::vec::Vec;

use super::{Case, Replay, decode};
use crate::sm2::{
    Ciphertext, Initiator, PrivateKey, PublicKey, Responder, Signature, SignerId, SigningKey,
    Unverified, VerifyingKey, sign_many, verify_many,
};

pub(super) const CASES: &[Case] = &[
    ("signature verified, GB/T 32918.5-2017 A.2", verify),
    ("signature made, RFC 6979 over SM3", sign),
    ("signatures many at a time", many),
    ("encryption and decryption, GB/T 32918.5-2017 C.2", encrypt),
    ("key exchange, GB/T 32918.5-2017 B.2", exchange),
];

fn verify() -> Option<bool> {
    let (key, signature) = (verifying_key()?, standard_signature()?);
    let other_id = VerifyingKey::new(key.public_key().clone(), SignerId::TLS13).ok()?;
    Some(
        key.verify(MESSAGE, &signature).is_ok()
            && key.verify(b"message digesT", &signature).is_err()
            && other_id.verify(MESSAGE, &signature).is_err()
            && Signature::from_bytes([0; 64]).is_err()
            && Signature::from_der(&signature.to_der()) == Ok(signature),
    )
}

fn sign() -> Option<bool> {
    let (signing, verifying) = (signing_key()?, verifying_key()?);
    let signature = signing.sign(MESSAGE);
    Some(
        signing.verifying_key() == &verifying
            && signature.to_bytes() == decode(DETERMINISTIC)?
            && verifying.verify(MESSAGE, &signature).is_ok(),
    )
}

fn many() -> Option<bool> {
    let (key, verifying) = (signing_key()?, verifying_key()?);
    let messages = [MESSAGE; 9];
    let signatures = sign_many(&key, &messages);
    let known = decode(DETERMINISTIC)?;
    let signed = signatures.iter().all(|signature| signature.to_bytes() == known);
    // The fourth claim is about another message, and the verdicts say so.
    let claim = |(at, signature)| {
        let message: &[u8] = if at == 3 { b"another" } else { MESSAGE };
        Unverified { key: &verifying, message, signature }
    };
    let claims: Vec<_> = signatures.iter().enumerate().map(claim).collect();
    let verdicts = verify_many(&claims);
    let named = verdicts.iter().enumerate().all(|(at, verdict)| verdict.is_ok() == (at != 3));
    Some(signed && named && verdicts.len() == messages.len())
}

fn encrypt() -> Option<bool> {
    let private = PrivateKey::from_bytes(&decode(PRIVATE)?).ok()?;
    let k = decode::<32>(K)?;
    let made = private.public_key().encrypt(PLAIN, &mut Replay(&k)).ok()?;
    let mut known = decode::<116>(CIPHERTEXT)?;
    let same = made.to_c1c3c2() == known;
    let opened = private.decrypt(&Ciphertext::from_c1c3c2(&known).ok()?).ok()?;
    *known.last_mut()? ^= 1;
    let refused = private.decrypt(&Ciphertext::from_c1c3c2(&known).ok()?).is_err();
    Some(same && opened.as_slice() == PLAIN && refused)
}

fn exchange() -> Option<bool> {
    let [a, b] = [EXCHANGE_D_A, EXCHANGE_D_B].map(|d| PrivateKey::from_bytes(&decode(d)?).ok());
    let (a, b) = (a?, b?);
    let public =
        |key: &PrivateKey| VerifyingKey::new(key.public_key().clone(), SignerId::DEFAULT).ok();
    let [r_a, r_b] = [decode::<32>(EXCHANGE_R_A)?, decode::<32>(EXCHANGE_R_B)?];
    let initiator = || Initiator::new(&a, SignerId::DEFAULT, public(&b)?, &mut Replay(&r_a)).ok();
    let first = initiator()?.ephemeral().clone();
    let random = &mut Replay(&r_b);
    let responder = Responder::new(&b, SignerId::DEFAULT, &public(&a)?, &first, 16, random).ok()?;
    let (second, s_b) = (responder.ephemeral().clone(), *responder.confirmation());
    let mut wrong = s_b;
    *wrong.first_mut()? ^= 1;
    let refused = initiator()?.confirm(&second, &wrong, 16).is_err();
    let (key, s_a) = initiator()?.confirm(&second, &s_b, 16).ok()?;
    let known = s_b == decode(EXCHANGE_S_B)?
        && s_a == decode(EXCHANGE_S_A)?
        && key.as_slice() == decode::<16>(EXCHANGE_KEY)?;
    Some(known && refused && responder.confirm(&s_a).ok()? == key)
}

fn verifying_key() -> Option<VerifyingKey> {
    let public = PublicKey::from_sec1(&decode::<65>(PUBLIC)?).ok()?;
    VerifyingKey::new(public, SignerId::DEFAULT).ok()
}

fn signing_key() -> Option<SigningKey> {
    let private = PrivateKey::from_bytes(&decode(PRIVATE)?).ok()?;
    SigningKey::new(private, SignerId::DEFAULT).ok()
}

fn standard_signature() -> Option<Signature> {
    Signature::from_bytes(decode(SIGNATURE)?).ok()
}

const MESSAGE: &[u8] = b"message digest";
const PRIVATE: &str = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8";
const PUBLIC: &str = "\
    0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775\
    a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";
const SIGNATURE: &str = "\
    f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3b1b6aa29df212fd8\
    763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";
/// What RustCrypto's `sm2` signs with the same key, identity and message.
const DETERMINISTIC: &str = "\
    24858ee71d63e687feefe41f5af80a59f0791eb1dabc2bbe71daf0e57f06c3673d15550de52785a4\
    35004c937256ac715c0e04176ac57062c6722fa692f7a491";
const K: &str = "59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21";
const PLAIN: &[u8] = b"encryption standard";
const CIPHERTEXT: &str = "\
    0404ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73e858f9d81e5430\
    a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df059983c18f809e262923c53aec295d3\
    0383b54e39d609d160afcb1908d0bd876621886ca989ca9c7d58087307ca93092d651efa";
const EXCHANGE_D_A: &str = "81eb26e941bb5af16df116495f90695272ae2cd63d6c4ae1678418be48230029";
const EXCHANGE_D_B: &str = "785129917d45a9ea5437a59356b82338eaadda6ceb199088f14ae10defa229b5";
const EXCHANGE_R_A: &str = "d4de15474db74d06491c440d305e012400990f3e390c7e87153c12db2ea60bb3";
const EXCHANGE_R_B: &str = "7e07124814b309489125eaed101113164ebf0f3458c5bd88335c1f9d596243d6";
const EXCHANGE_KEY: &str = "6c89347354de2484c60b4ab1fde4c6e5";
const EXCHANGE_S_B: &str = "d3a0fe15dee185ceae907a6b595cc32a266ed7b3367e9983a896dc32fa20f8eb";
const EXCHANGE_S_A: &str = "18c7894b3816df16cf07b05c5ec0bef5d655d58f779cc1b400a4f3884644db88";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use ::sm2::dsa::signature::Signer;

    use super::*;

    #[test]
    fn the_known_deterministic_signature_is_rustcryptos() {
        let d = decode::<32>(PRIVATE).unwrap();
        let key = ::sm2::dsa::SigningKey::from_slice("1234567812345678", &d).unwrap();
        let signature: ::sm2::dsa::Signature = key.sign(MESSAGE);
        assert_eq!(hex::encode(signature.to_bytes()), DETERMINISTIC);
    }
}
