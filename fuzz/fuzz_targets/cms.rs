//! Signed and enveloped messages of GB/T 35275: one DER form; nothing verifies but what was signed.
#![no_main]

use std::sync::LazyLock;

use changbai_fuzz::pki;
use smkit_pki::{Certificate, EnvelopedData, SignedData};

static SIGNER: LazyLock<Certificate> = LazyLock::new(|| pki::signer().0);

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("cms"), |data: &[u8]| {
    if let Ok(signed) = SignedData::from_der(data) {
        assert_eq!(signed.der(), data);
        assert!(!signed.signers().is_empty());
        let known = [SIGNER.clone()];
        if let Ok(signers) = signed.verify_signatures(Some(pki::CONTENT), &known) {
            assert_eq!(signers.len(), signed.signers().len());
        }
        // Whoever changes the message signs with another key.
        let content = signed.content();
        if content.is_some_and(|content| content != pki::CONTENT)
            && let Ok(signers) = signed.verify_signatures(None, &known)
        {
            assert!(signers.iter().all(|signer| signer.public_key() != SIGNER.public_key()));
        }
    }
    if let Ok(enveloped) = EnvelopedData::from_der(data) {
        assert_eq!(enveloped.der(), data);
        let (certificate, key) = pki::recipient();
        let _ = enveloped.open(certificate, key);
    }
});
