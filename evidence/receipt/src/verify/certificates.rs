//! Certificates and trust: who may sign what, and under whose root.

use std::collections::{BTreeMap, BTreeSet};

use changbai_msp::{Role, Roles};
use smkit::Sm3Digest;
use smkit_pki::{Certificate, PathError, Purpose, TrustAnchors, verify_chain};

use super::transaction::Opened;
use crate::{
    identity,
    reasons::{self, Reason},
    receipt::Receipt,
    report::Finding,
};

/// Elements `certificates` and `trust`.
pub(super) fn check(
    receipt: &Receipt,
    opened: &Opened,
    trust: Option<&TrustAnchors>,
) -> (Finding, Finding) {
    let signers = signers(receipt, opened);
    let formal = roles(receipt, opened).and_then(|()| intermediates(receipt, &signers, trust));
    let named = receipt.anchors.iter().map(Sm3Digest::to_string).collect::<Vec<_>>().join(", ");
    if receipt.anchors.is_empty() || !receipt.anchors.is_sorted_by(|a, b| a < b) {
        let certificates = formal.err().unwrap_or(Finding::new(reasons::CERTIFICATES_UNCHECKED));
        return (certificates, Finding::new(reasons::TRUST_ALTERED));
    }
    let Some(trust) = trust.filter(|trust| !trust.is_empty()) else {
        let certificates = formal.err().unwrap_or(Finding::new(reasons::CERTIFICATES_UNCHECKED));
        return (certificates, Finding::new(reasons::TRUST_NONE).with(named));
    };
    let chains = formal.and_then(|()| chains(receipt, &signers, trust));
    let stranger = receipt.anchors.iter().find(|anchor| !trust.contains_sm3(anchor));
    let trusted = match (&chains, stranger) {
        (_, Some(stranger)) => Finding::new(reasons::TRUST_OTHER).with(stranger),
        (Err(_), None) => Finding::new(reasons::TRUST_UNCHECKED),
        (Ok(reached), None) if !reached.iter().eq(&receipt.anchors) => {
            Finding::new(reasons::TRUST_ALTERED)
        }
        (Ok(_), None) => Finding::new(reasons::TRUST_PROVEN).with(named),
    };
    let certificates = match chains {
        Ok(_) => Finding::new(reasons::CERTIFICATES_PROVEN).with(signers.len()),
        Err(finding) => finding,
    };
    (certificates, trusted)
}

/// Everybody who signs in this receipt, each certificate once.
pub(super) fn signers(receipt: &Receipt, opened: &Opened) -> Vec<Certificate> {
    let transaction =
        std::iter::once(&opened.creator).chain(&opened.endorsers).map(|i| &i.certificate);
    receipt
        .validators
        .iter()
        .chain(transaction)
        .map(|certificate| (certificate.sm3(), certificate.clone()))
        .collect::<BTreeMap<_, _>>()
        .into_values()
        .collect()
}

/// Validators are orderers, endorsers are peers (Fabric's `NodeOUs`).
fn roles(receipt: &Receipt, opened: &Opened) -> Result<(), Finding> {
    let orders = |certificate: &Certificate| {
        Roles::from_units(&certificate.organisational_units())
            .is_some_and(|roles| roles.contains(Role::Orderer))
    };
    if let Some(stranger) = receipt.validators.iter().find(|validator| !orders(validator)) {
        return Err(about(reasons::CERTIFICATES_VALIDATOR_ROLE, stranger));
    }
    match opened.endorsers.iter().find(|endorser| !endorser.has_role(Role::Peer)) {
        Some(stranger) => Err(about(reasons::CERTIFICATES_ENDORSER_ROLE, &stranger.certificate)),
        None => Ok(()),
    }
}

/// Intermediates are exactly those that are needed: in order, once, no roots, none beside a trusted root's key.
fn intermediates(
    receipt: &Receipt,
    signers: &[Certificate],
    trust: Option<&TrustAnchors>,
) -> Result<(), Finding> {
    let list = &receipt.intermediates;
    let needed = identity::needed(signers, list);
    let mut keys = BTreeSet::new();
    let mut last = None;
    for (certificate, needed) in list.iter().zip(needed) {
        let sm3 = certificate.sm3();
        let rises = last.is_none_or(|last| last < sm3);
        let is_root = certificate.is_self_issued()
            || trust.is_some_and(|trust| {
                trust.iter().any(|root| root.public_key() == certificate.public_key())
            });
        if !rises || !needed || is_root || !keys.insert(certificate.public_key().to_sec1()) {
            return Err(about(reasons::CERTIFICATES_UNUSED, certificate));
        }
        last = Some(sm3);
    }
    Ok(())
}

/// Verifies every chain at the header's time; the fingerprints of the roots reached.
fn chains(
    receipt: &Receipt,
    signers: &[Certificate],
    trust: &TrustAnchors,
) -> Result<BTreeSet<Sm3Digest>, Finding> {
    let at_unix_seconds = i64::try_from(receipt.header.time_ms / 1_000).unwrap_or(i64::MAX);
    let list = &receipt.intermediates;
    // Intermediates on their own as well: one that is needed by name must be what its name says.
    for certificate in list {
        verify_chain(certificate, list, trust, at_unix_seconds, Purpose::CertificateSign)
            .map_err(|error| broken(&error, certificate))?;
    }
    signers
        .iter()
        .map(|certificate| {
            verify_chain(certificate, list, trust, at_unix_seconds, Purpose::Signing)
                .map(|anchor| anchor.sm3())
                .map_err(|error| broken(&error, certificate))
        })
        .collect()
}

fn broken(error: &PathError, certificate: &Certificate) -> Finding {
    let reason = match error {
        PathError::Expired { .. } => reasons::CERTIFICATES_EXPIRED,
        PathError::NotYetValid { .. } => reasons::CERTIFICATES_TOO_EARLY,
        PathError::UnknownIssuer { .. } => reasons::CERTIFICATES_ISSUER,
        PathError::BadSignature { .. } => reasons::CERTIFICATES_SIGNATURE,
        _ => reasons::CERTIFICATES_RULES,
    };
    about(reason, certificate)
}

/// A finding about a certificate, by common name or else subject, without characters that could mislead.
fn about(reason: &'static Reason, certificate: &Certificate) -> Finding {
    let name = certificate.common_name().unwrap_or_else(|| certificate.subject());
    Finding::new(reason)
        .with(name.chars().filter(|c| !c.is_control()).take(100).collect::<String>())
}
