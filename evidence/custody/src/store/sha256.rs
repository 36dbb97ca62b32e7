//! What `object_store` asks of cryptography: SHA-256 and HMAC-SHA256, for the signature of requests (AWS Signature Version 4).

use object_store::client::{
    CryptoProvider, DigestAlgorithm, DigestContext, HmacContext, Signer, SigningAlgorithm,
};
use sha2::{Digest as _, Sha256};

/// SHA-256 for requests to S3-compatible services, and nothing else.
#[derive(Debug)]
pub(crate) struct Sha256Only;

impl CryptoProvider for Sha256Only {
    fn digest(&self, algorithm: DigestAlgorithm) -> object_store::Result<Box<dyn DigestContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => Ok(Box::new(Context(Sha256::new(), [0; 32]))),
            _ => Err(unsupported()),
        }
    }

    fn hmac(
        &self,
        algorithm: DigestAlgorithm,
        secret: &[u8],
    ) -> object_store::Result<Box<dyn HmacContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => Ok(Box::new(Mac::new(secret))),
            _ => Err(unsupported()),
        }
    }

    fn sign(&self, _: SigningAlgorithm, _: &[u8]) -> object_store::Result<Box<dyn Signer>> {
        Err(unsupported())
    }
}

struct Context(Sha256, [u8; 32]);

impl DigestContext for Context {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finish(&mut self) -> object_store::Result<&[u8]> {
        self.1 = self.0.finalize_reset().into();
        Ok(&self.1)
    }
}

/// RFC 2104.
struct Mac {
    inner: Sha256,
    outer: Sha256,
    tag: [u8; 32],
}

impl Mac {
    fn new(secret: &[u8]) -> Self {
        let mut key = zeroize::Zeroizing::new([0_u8; 64]);
        if secret.len() > key.len() {
            key.iter_mut().zip(Sha256::digest(secret)).for_each(|(to, from)| *to = from);
        } else {
            key.iter_mut().zip(secret).for_each(|(to, from)| *to = *from);
        }
        let padded = |pad: u8| {
            let block = zeroize::Zeroizing::new(key.map(|byte| byte ^ pad));
            Sha256::new_with_prefix(block.as_slice())
        };
        Self { inner: padded(0x36), outer: padded(0x5c), tag: [0; 32] }
    }
}

impl HmacContext for Mac {
    fn update(&mut self, data: &[u8]) {
        self.inner.update(data);
    }

    fn finish(&mut self) -> object_store::Result<&[u8]> {
        let inner = self.inner.finalize_reset();
        self.outer.update(inner);
        self.tag = self.outer.finalize_reset().into();
        Ok(&self.tag)
    }
}

fn unsupported() -> object_store::Error {
    object_store::Error::NotImplemented {
        operation: "another algorithm than SHA-256".to_owned(),
        implementer: "custody".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use object_store::client::{CryptoProvider as _, DigestAlgorithm};

    use super::Sha256Only;

    fn hmac(secret: &[u8], parts: &[&[u8]]) -> String {
        let mut mac = Sha256Only.hmac(DigestAlgorithm::Sha256, secret).unwrap();
        parts.iter().for_each(|part| mac.update(part));
        mac.finish().unwrap().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// RFC 4231, test cases 2 and 6.
    #[test]
    fn hmac_is_that_of_the_rfc() {
        assert_eq!(
            hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"]),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hmac(&[0xaa; 131], &[b"Test Using Larger Than Block-Size Key - Hash Key First"]),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }
}
