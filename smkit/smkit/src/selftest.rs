//! Known-answer tests run at start-up (GM/T 0028 style): a node with a broken kernel must not serve.

use alloc::string::ToString;

use crate::{
    sm2::{PrivateKey, PublicKey, Signature, SignerId, SigningKey, VerifyingKey},
    sm3::{hmac_sm3, sm3},
    sm4::{Gcm, Key},
};

/// Which algorithms gave the known answers; negative answers are part of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfTest {
    /// Signature of the standard verifies, altered ones do not, and a signature of our own round-trips.
    pub sm2: bool,
    /// SM3 examples of the standard and one HMAC.
    pub sm3: bool,
    /// SM4-GCM of RFC 8998 A.1 in both directions; an altered tag is refused.
    pub sm4: bool,
}

impl SelfTest {
    /// Whether everything passed.
    #[must_use]
    pub const fn all(&self) -> bool {
        self.sm2 && self.sm3 && self.sm4
    }
}

/// Runs every known-answer test; a few milliseconds the first time, when tables are built.
#[must_use]
pub fn run() -> SelfTest {
    SelfTest {
        sm2: sm2_answers().unwrap_or(false),
        sm3: sm3_answers(),
        sm4: sm4_answers().unwrap_or(false),
    }
}

/// GB/T 32918.5-2017 annex A.
fn sm2_answers() -> Option<bool> {
    let public = PublicKey::from_sec1(&decode::<65>(SM2_PUBLIC)?).ok()?;
    let signature = Signature::from_bytes(decode(SM2_SIGNATURE)?).ok()?;
    let key = VerifyingKey::new(public.clone(), SignerId::DEFAULT).ok()?;
    let standard = key.verify(SM2_MESSAGE, &signature).is_ok();
    let altered_message = key.verify(b"message digesT", &signature).is_err();
    let other_id = VerifyingKey::new(public.clone(), SignerId::TLS13)
        .ok()?
        .verify(SM2_MESSAGE, &signature)
        .is_err();
    let out_of_range = Signature::from_bytes([0; 64]).is_err();

    let private = PrivateKey::from_bytes(&decode(SM2_PRIVATE)?).ok()?;
    let derives = *private.public_key() == public;
    let signing = SigningKey::new(private, SignerId::DEFAULT).ok()?;
    let own = signing.sign(SM2_MESSAGE);
    let round_trip = key.verify(SM2_MESSAGE, &own).is_ok() && own == signing.sign(SM2_MESSAGE);
    Some(standard && altered_message && other_id && out_of_range && derives && round_trip)
}

/// GB/T 32905-2016 A.1, A.2; GM/T 0042-2015 D.3.
fn sm3_answers() -> bool {
    sm3(b"abc").to_string() == SM3_ABC
        && sm3(&b"abcd".repeat(16)).to_string() == SM3_ABCD_16
        && hmac_sm3(b"Jefe", &[b"what do ya want ", b"for nothing?"]).to_string() == HMAC_JEFE
        && sm3(b"abd").to_string() != SM3_ABC
}

/// RFC 8998 A.1.
fn sm4_answers() -> Option<bool> {
    let gcm = Gcm::new(&Key::from_bytes(decode(SM4_KEY)?));
    let nonce = decode(SM4_NONCE)?;
    let aad = decode::<20>(SM4_AAD)?;
    let plain = decode::<64>(SM4_PLAIN)?;
    let mut data = plain.to_vec();
    gcm.seal_in_place(&nonce, &aad, &mut data).ok()?;
    let sealed = data == decode::<80>(SM4_SEALED)?;
    let mut altered = data.clone();
    *altered.last_mut()? ^= 1;
    let refused = gcm.open_in_place(&nonce, &aad, &mut altered).is_err();
    gcm.open_in_place(&nonce, &aad, &mut data).ok()?;
    Some(sealed && refused && data == plain)
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    crate::hex::read(text)
}

const SM2_MESSAGE: &[u8] = b"message digest";
const SM2_PRIVATE: &str = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8";
const SM2_PUBLIC: &str = "\
    0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775\
    a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";
const SM2_SIGNATURE: &str = "\
    f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3b1b6aa29df212fd8\
    763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";
const SM3_ABC: &str = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
const SM3_ABCD_16: &str = "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732";
const HMAC_JEFE: &str = "2e87f1d16862e6d964b50a5200bf2b10b764faa9680a296a2405f24bec39f882";
const SM4_KEY: &str = "0123456789abcdeffedcba9876543210";
const SM4_NONCE: &str = "00001234567800000000abcd";
const SM4_AAD: &str = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
const SM4_PLAIN: &str = "\
    aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccddddddddddddddddeeeeeeeeeeeeeeee\
    ffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa";
const SM4_SEALED: &str = "\
    17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0cc\
    fa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d83de3541e4c2b58177e065a9bf7b62ec";

#[cfg(test)]
mod tests {
    #[test]
    fn everything_passes() {
        assert!(super::run().all(), "{:?}", super::run());
    }
}
