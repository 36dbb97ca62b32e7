//! Certificates for tests, well-formed and otherwise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use der::{Decode, Encode, asn1::BitString};
use smkit::{
    Random, RandomError,
    sm2::{PrivateKey, SignerId, SigningKey},
};

use crate::{
    Authority, Certificate, Profile, Subject, Validity,
    asn1::{SignedCertificate, TbsCertificate},
};

pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const VALIDITY: Validity = Validity { not_before: NOW - 1000, not_after: NOW + 1000 };

/// Reproducible bytes: a counter under SM3.
pub(crate) struct Counter(pub(crate) u64);

impl Random for Counter {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&smkit::sm3(&self.0.to_be_bytes()).as_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

pub(crate) fn subject(common_name: &str) -> Subject {
    Subject { common_name: common_name.into(), ..Subject::default() }
}

pub(crate) fn root(seed: u64) -> Authority {
    Authority::create_root(&subject("root"), VALIDITY, &mut Counter(seed << 32)).unwrap()
}

/// A CA below another one.
pub(crate) fn below(parent: &Authority, name: &str, path_length: Option<u8>) -> Authority {
    let random = &mut Counter(u64::from(name.as_bytes()[0]) << 40);
    let key = PrivateKey::generate(random).unwrap();
    let profile = Profile::RootCa { path_length };
    let certificate =
        parent.issue(&subject(name), key.public_key(), profile, VALIDITY, None, random).unwrap();
    Authority::new(certificate, key).unwrap()
}

pub(crate) fn leaf(parent: &Authority) -> Certificate {
    let random = &mut Counter(7);
    let key = PrivateKey::generate(random).unwrap();
    let profile = Profile::Signing;
    parent.issue(&subject("leaf"), key.public_key(), profile, VALIDITY, None, random).unwrap()
}

/// Alters a certificate and signs it again with `signer`: what a careless or hostile CA could issue.
pub(crate) fn forge(
    template: &Certificate,
    signer: &Authority,
    edit: impl FnOnce(&mut SignedCertificate),
) -> Vec<u8> {
    let mut parts = SignedCertificate::from_der(template.der()).unwrap();
    edit(&mut parts);
    let key = SigningKey::new(signer.key().clone(), SignerId::DEFAULT).unwrap();
    let signature = key.sign(&parts.tbs.to_der().unwrap()).to_der();
    parts.signature = BitString::from_bytes(&signature).unwrap();
    parts.to_der().unwrap()
}

/// [`forge`] for the part that is signed.
pub(crate) fn forge_tbs(
    template: &Certificate,
    signer: &Authority,
    edit: impl FnOnce(&mut TbsCertificate),
) -> Certificate {
    Certificate::from_der(&forge(template, signer, |parts| edit(&mut parts.tbs))).unwrap()
}
