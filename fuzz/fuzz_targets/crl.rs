//! A revocation list: one DER form, every entry found by its number, none twice; PEM gives the same back.
#![no_main]

use smkit_pki::{CRL_BYTES_MAX, CRL_ENTRIES_MAX, RevocationList};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("crl"), |data: &[u8]| {
    let Ok(list) = RevocationList::from_der(data) else { return };
    assert_eq!(list.der(), data);
    assert!(data.len() <= CRL_BYTES_MAX && list.entries().len() <= CRL_ENTRIES_MAX);
    assert!(list.this_update() <= list.next_update());
    assert!(list.entries().is_sorted_by(|one, next| one.serial < next.serial));
    for entry in list.entries() {
        assert_eq!(list.find(&entry.serial), Some(entry));
        assert!(entry.since() <= entry.revoked_at);
    }
    assert_eq!(RevocationList::from_pem(&list.to_pem()), Ok(list));
});
