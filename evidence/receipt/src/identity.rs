//! Who signed a transaction, and which certificates lead up from there.

use changbai_msp::{Identity, IdentityError};
use changbai_wire::decode_transaction;
use smkit_pki::Certificate;

/// The certificates of creator and endorsers of a transaction; `None` if any of it is malformed.
pub(crate) fn certificates_in(envelope: &[u8]) -> Option<Vec<Certificate>> {
    let transaction = decode_transaction(envelope).ok()?;
    std::iter::once(&transaction.creator)
        .chain(transaction.endorsements.iter().map(|(endorser, _)| endorser))
        .map(|serialized| Identity::parse(serialized).map(|identity| identity.certificate))
        .collect::<Result<_, IdentityError>>()
        .ok()
}

/// For each intermediate, whether some leaf's chain passes through it, judged by names and key ids alone.
pub(crate) fn needed(leaves: &[Certificate], intermediates: &[Certificate]) -> Vec<bool> {
    let mut needed = vec![false; intermediates.len()];
    let mut open: Vec<&Certificate> = leaves.iter().collect();
    while let Some(subject) = open.pop() {
        for (issuer, needed) in intermediates.iter().zip(&mut needed) {
            if !*needed && names_as_issuer(subject, issuer) {
                *needed = true;
                open.push(issuer);
            }
        }
    }
    needed
}

/// Whether `subject` says that `issuer` issued it.
fn names_as_issuer(subject: &Certificate, issuer: &Certificate) -> bool {
    let keys_agree = match (subject.authority_key_id(), issuer.subject_key_id()) {
        (Some(authority), Some(key)) => authority == key,
        _ => true,
    };
    subject.issuer() == issuer.subject() && keys_agree
}
