//! Signatures: what rustls signs handshakes with, and what webpki verifies with.

use std::sync::Arc;

use rustls::{
    Error, SignatureAlgorithm, SignatureScheme,
    crypto::{KeyProvider, WebPkiSupportedAlgorithms},
    pki_types::{
        AlgorithmIdentifier, InvalidSignature, PrivateKeyDer, SignatureVerificationAlgorithm,
        SubjectPublicKeyInfoDer,
    },
    sign,
};
use smkit::sm2::{PrivateKey, PublicKey, Signature, SignerId, SigningKey, VerifyingKey};

use super::SM2SIG_SM3;

/// A private key as rustls signs handshakes with it: `sm2sig_sm3` under the ID of RFC 8998 §3.2.1, nothing else.
///
/// # Errors
/// None in practice: that ID is short enough.
pub fn signing_key(private: &PrivateKey) -> Result<Arc<dyn sign::SigningKey>, Error> {
    let key = SigningKey::new(private.clone(), SignerId::TLS13)
        .map_err(|error| Error::General(error.to_string()))?;
    Ok(Arc::new(HandshakeKey { key, spki: spki(private.public_key()).into() }))
}

/// Reads the private keys that rustls's builders are given: unencrypted PKCS#8 or SEC 1.
#[derive(Debug)]
pub(super) struct Keys;

impl KeyProvider for Keys {
    fn load_private_key(
        &self,
        der: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn sign::SigningKey>, Error> {
        let private = match &der {
            PrivateKeyDer::Pkcs8(der) => PrivateKey::from_pkcs8_der(der.secret_pkcs8_der()).ok(),
            PrivateKeyDer::Sec1(der) => PrivateKey::from_sec1_der(der.secret_sec1_der()).ok(),
            _ => None,
        };
        let private = private.ok_or_else(|| Error::General("not an SM2 private key".into()))?;
        signing_key(&private)
    }
}

#[derive(Clone, Debug)]
struct HandshakeKey {
    key: SigningKey,
    spki: Arc<[u8]>,
}

impl sign::SigningKey for HandshakeKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn sign::Signer>> {
        offered.contains(&SM2SIG_SM3).then(|| Box::new(self.clone()) as Box<dyn sign::Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(self.spki.as_ref()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        // The low byte of 0x0708.
        SignatureAlgorithm::Unknown(8)
    }
}

impl sign::Signer for HandshakeKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.key.sign(message).to_der())
    }

    fn scheme(&self) -> SignatureScheme {
        SM2SIG_SM3
    }
}

/// SM2 with SM3 for webpki, under one signer ID and one of the two identifiers in use.
#[derive(Debug)]
struct Sm2Verification {
    id: SignerId,
    identifier: &'static [u8],
}

impl SignatureVerificationAlgorithm for Sm2Verification {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let public = PublicKey::from_sec1(public_key).map_err(|_| InvalidSignature)?;
        let signature = Signature::from_der(signature).map_err(|_| InvalidSignature)?;
        let key = VerifyingKey::new(public, self.id.clone()).map_err(|_| InvalidSignature)?;
        key.verify(message, &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        AlgorithmIdentifier::from_slice(PUBLIC_KEY)
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        AlgorithmIdentifier::from_slice(self.identifier)
    }
}

pub(super) const ALGORITHMS: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[&CERTIFICATE, &CERTIFICATE_NULL],
    mapping: &[(SM2SIG_SM3, &[&HANDSHAKE])],
};

static CERTIFICATE: Sm2Verification =
    Sm2Verification { id: SignerId::DEFAULT, identifier: SM2_WITH_SM3 };
/// Some authorities write NULL parameters.
static CERTIFICATE_NULL: Sm2Verification =
    Sm2Verification { id: SignerId::DEFAULT, identifier: SM2_WITH_SM3_NULL };
static HANDSHAKE: Sm2Verification =
    Sm2Verification { id: SignerId::TLS13, identifier: SM2_WITH_SM3 };

/// `SubjectPublicKeyInfo`: its two lengths never vary.
fn spki(public: &PublicKey) -> Vec<u8> {
    [&[0x30, 0x59, 0x30, 0x13], PUBLIC_KEY, &[0x03, 0x42, 0x00], public.as_sec1()].concat()
}

/// id-ecPublicKey, curve 1.2.156.10197.1.301; webpki compares without the outer SEQUENCE.
const PUBLIC_KEY: &[u8] =
    b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x81\x1c\xcf\x55\x01\x82\x2d";
/// 1.2.156.10197.1.501, parameters absent.
const SM2_WITH_SM3: &[u8] = b"\x06\x08\x2a\x81\x1c\xcf\x55\x01\x83\x75";
/// 1.2.156.10197.1.501, parameters NULL.
const SM2_WITH_SM3_NULL: &[u8] = b"\x06\x08\x2a\x81\x1c\xcf\x55\x01\x83\x75\x05\x00";
