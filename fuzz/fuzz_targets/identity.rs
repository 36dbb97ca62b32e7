//! A serialized identity: kept as given, bounded, never an authority's.
#![no_main]

use changbai_msp::{Identity, is_msp_id, limits::IDENTITY_BYTES_MAX, serialize_identity};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("identity"), |data: &[u8]| {
    let Ok(identity) = Identity::parse(data) else { return };
    assert!(data.len() <= IDENTITY_BYTES_MAX && is_msp_id(&identity.msp_id));
    assert!(!identity.certificate.is_ca());
    assert_eq!(identity.as_bytes(), data);
    let ours = serialize_identity(&identity.msp_id, &identity.certificate);
    let ours = Identity::parse(&ours).expect("our own form");
    assert_eq!((ours.certificate, ours.roles), (identity.certificate, identity.roles));
});
