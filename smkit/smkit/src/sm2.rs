//! SM2: signatures, key exchange and encryption (GB/T 32918.2-2016, .3, .4 on the curve of GB/T 32918.5-2017), and their
//! key files.

mod agreement;
mod asn1;
mod batch;
mod compressed;
mod encrypt;
mod enveloped_key;
mod exchange;
mod group;
mod id;
mod kdf;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod nonce;
mod pem;
mod pkcs8;
mod pkcs8_encrypted;
mod private;
mod public;
mod sec1;
mod signature;
mod signing;
mod table;
#[cfg(feature = "signature")]
mod traits;
mod verifying;

use crate::cpu::{self, Path};

pub use agreement::{AgreementError, EphemeralKey, SharedPoint};
pub use batch::{Unverified, sign_many, verify_many};
pub use compressed::CompressedKeyError;
pub use encrypt::{Ciphertext, DecryptError, EncryptError};
pub use enveloped_key::EnvelopedKeyError;
pub use exchange::{EXCHANGED_KEY_BYTES_MAX, ExchangeError, Initiator, Opening, Responder};
pub use id::{SignerId, SignerIdTooLong};
pub use pkcs8_encrypted::{PBKDF2_ROUNDS, PBKDF2_ROUNDS_MAX};
pub use private::{PrivateKey, PrivateKeyError};
pub use public::{PublicKey, PublicKeyError};
pub use sec1::KeyFileError;
pub use signature::{Signature, SignatureError};
pub use signing::SigningKey;
pub use verifying::{InvalidSignature, VerifyingKey};

/// What computes one operation.
pub(crate) fn path() -> Path {
    if cpu::has_bmi2_adx() { Path::Bmi2Adx } else { Path::Portable }
}

/// What computes many.
pub(crate) fn path_many() -> Path {
    #[cfg(target_arch = "x86_64")]
    if lanes::available() {
        return Path::Avx512Ifma;
    }
    path()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
