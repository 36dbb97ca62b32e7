//! Digests and what is derived by them.

use proptest::{collection::vec, prelude::*};
use smkit::{
    Sm3, Sm3Digest, hmac_sm3, sm3, sm3_many, sm3_many_joined, sm3_pairs, sm3_parts, verify_hmac_sm3,
};

use super::bytes;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_bytes(messages in vec(bytes(), 0..20), key in bytes(), lengths in prop::array::uniform3(0_usize..9_000)) {
        let borrowed: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let digests = sm3_many(&borrowed);
        let mut all = Sm3::new();
        for (message, digest) in messages.iter().zip(&digests) {
            all.update(message);
            prop_assert_eq!(&sm3(message), digest);
            prop_assert!(verify_hmac_sm3(&key, &[message], &hmac_sm3(&key, &[message])));
            prop_assert_eq!(Sm3Digest::from_slice(message).is_ok(), message.len() == 32);
            let text = String::from_utf8_lossy(message);
            if let Ok(digest) = text.parse::<Sm3Digest>() {
                prop_assert_eq!(digest.to_string(), text.to_lowercase());
            }
            let _ = serde_json::from_slice::<Sm3Digest>(message);
        }
        prop_assert_eq!(all.finalize(), sm3_parts(&borrowed));
        let joined: Vec<[&[u8]; 2]> = messages.iter().map(|message| [&key[..], message]).collect();
        let expected: Vec<_> = joined.iter().map(|parts| sm3_parts(parts)).collect();
        prop_assert_eq!(sm3_many_joined(&joined), expected);
        let pairs: Vec<[Sm3Digest; 2]> = digests.iter().map(|digest| [*digest; 2]).collect();
        prop_assert_eq!(sm3_pairs(&key, &pairs).len(), pairs.len());

        for length in lengths {
            let mut out = vec![0; length];
            let expanded = sm3::kdf::hkdf_expand(&key, &key, &mut out);
            prop_assert_eq!(expanded.is_ok(), length <= 255 * 32);
            prop_assert!(sm3::kdf::gbt32918(&borrowed, &mut out).is_ok());
        }
    }
}
