//! SM2 digital signatures over SM3 (GB/T 32918.2-2016 on the curve of GB/T 32918.5-2017).

mod batch;
mod id;
mod private;
mod public;
mod signature;
mod signing;
mod table;
mod verifying;

pub use batch::{Unverified, sign_many, verify_many};
pub use id::{SignerId, SignerIdTooLong};
pub use private::{PrivateKey, PrivateKeyError};
pub use public::{PublicKey, PublicKeyError};
pub use signature::{Signature, SignatureError};
pub use signing::SigningKey;
pub use verifying::{InvalidSignature, VerifyingKey};

#[cfg(test)]
mod tests;
