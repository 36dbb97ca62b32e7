#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::testing::{NOW, leaf, root};

fn revocation(serial: SerialNumber, reason: RevocationReason) -> RevokedCertificate {
    RevokedCertificate { serial, revoked_at: NOW, reason, invalid_since: None }
}

#[test]
fn from_issue_to_list() {
    let root = root(1);
    let leaf = leaf(&root);
    let serial = leaf.serial();
    let mut register = Register::new();
    let unknown = register.revoke(revocation(serial, RevocationReason::Superseded));
    assert_eq!(unknown, Err(RegisterError::Unknown { serial }));
    assert_eq!(register.record(&leaf).unwrap().sm3, leaf.sm3());
    assert_eq!(register.record(&leaf), Err(RegisterError::Duplicate { serial }));

    let first = register.revocation_list(&root, NOW, NOW + 10).unwrap();
    assert_eq!((first.entries().len(), first.number().unwrap().to_string()), (0, "01".into()));
    register.revoke(revocation(serial, RevocationReason::CertificateHold)).unwrap();
    register.release(serial).unwrap();
    assert_eq!(register.release(serial), Err(RegisterError::NotOnHold { serial }));
    register.revoke(revocation(serial, RevocationReason::CertificateHold)).unwrap();
    register.revoke(revocation(serial, RevocationReason::KeyCompromise)).unwrap();
    let again = register.revoke(revocation(serial, RevocationReason::Superseded));
    assert_eq!(again, Err(RegisterError::AlreadyRevoked { serial }));
    assert_eq!(register.release(serial), Err(RegisterError::NotOnHold { serial }));

    assert!(register.revocation_list(&root, NOW, NOW).is_err());
    let second = register.revocation_list(&root, NOW, NOW + 10).unwrap();
    assert_eq!(second.number().unwrap().to_string(), "02");
    assert_eq!(second.find(&serial).unwrap().reason, RevocationReason::KeyCompromise);
    assert!(second.covers(0));

    let entries: Vec<_> = register.iter().cloned().collect();
    assert_eq!(Register::restore(entries.clone(), register.lists()), Ok(register));
    let twice = entries.iter().chain(&entries).cloned();
    assert_eq!(Register::restore(twice, 0), Err(RegisterError::Duplicate { serial }));
}
