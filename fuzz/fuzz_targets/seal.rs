//! Electronic seals and signatures with them: one DER form; whoever changes what was signed signs with another key.
#![no_main]

use smkit_pki::{Seal, SealPolicy, SealSignature};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("seal"), |data: &[u8]| {
    if let Ok(seal) = Seal::from_der(data) {
        assert_eq!(seal.der(), data);
        let _ = seal.verify_signature();
    }
    if let Ok(signature) = SealSignature::from_der(data) {
        assert_eq!(signature.der(), data);
        assert_eq!(Seal::from_der(signature.seal().der()).as_ref(), Ok(signature.seal()));
        let validator = changbai_fuzz::pki::validator();
        let policy = SealPolicy {
            seals: validator,
            time_stamps: validator,
            now_unix_seconds: changbai_fuzz::pki::NOW,
        };
        // The seeds' certificates lead to another root.
        assert!(signature.verify(changbai_fuzz::pki::CONTENT, &policy).is_err());
    }
});
