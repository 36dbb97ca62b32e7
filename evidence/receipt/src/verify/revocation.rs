//! Element `revocation`: whether a signer's certificate had been revoked when it signed, by the lists the reader has.

use changbai_core::CivilDate;
use changbai_wire::time::UnixMillis;
use smkit_pki::{PathError, Purpose, Revocation, RevocationMode, Validator};

use super::{certificates::signers, transaction::Opened};
use crate::{reasons, receipt::Receipt, report::Finding, trust::Trust};

/// Validators', submitter's and endorsers' certificates, and all above them but roots, at the header's time. A
/// revocation after it does not reach back.
pub(super) fn check(receipt: &Receipt, opened: Option<&Opened>, trust: Option<&Trust>) -> Finding {
    let Some(trust) = trust.filter(|trust| !trust.revocation_lists().is_empty()) else {
        return Finding::new(reasons::REVOCATION_ABSENT);
    };
    let Some(opened) = opened else { return Finding::new(reasons::REVOCATION_UNCHECKED) };
    let lists = trust.revocation_lists().to_vec();
    let validator = Validator::admitting_all(trust.roots().clone())
        .with_intermediates(receipt.intermediates.clone())
        .with_revocation(Revocation::new(RevocationMode::Required, lists));
    let at_unix_seconds = i64::try_from(receipt.header.time_ms / 1_000).unwrap_or(i64::MAX);
    let signers = signers(receipt, opened);
    let mut unknown = None;
    for certificate in &signers {
        let chain = std::slice::from_ref(certificate);
        match validator.verify(chain, Purpose::Signing, at_unix_seconds, None) {
            Ok(_) => {}
            Err(PathError::Revoked { subject, since, reason }) => {
                return Finding::new(reasons::REVOCATION_REVOKED)
                    .with(subject)
                    .with(day(since))
                    .with(reason.name());
            }
            Err(PathError::BadRevocationInformation { .. }) => {
                unknown.get_or_insert((reasons::REVOCATION_FORGED, certificate));
            }
            // A chain that fails is the element `certificates`' matter; here it only means: not known.
            Err(_) => {
                unknown.get_or_insert((reasons::REVOCATION_UNKNOWN, certificate));
            }
        }
    }
    match unknown {
        Some((reason, certificate)) => Finding::new(reason).with(certificate.subject()),
        None => Finding::new(reasons::REVOCATION_PROVEN).with(signers.len()),
    }
}

/// The day at UTC+8, `yyyy-MM-dd`.
fn day(unix_seconds: i64) -> String {
    let at_ms = u64::try_from(unix_seconds).unwrap_or_default().saturating_mul(1_000);
    let day = CivilDate::in_china(UnixMillis(at_ms)).map(|day| day.to_string()).unwrap_or_default();
    match (day.get(..4), day.get(4..6), day.get(6..)) {
        (Some(year), Some(month), Some(day)) => format!("{year}-{month}-{day}"),
        _ => day,
    }
}
