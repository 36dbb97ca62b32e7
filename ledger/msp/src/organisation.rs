//! Organisations: who vouches for whom.

use smkit_pki::{Certificate, PathError, Purpose, TrustAnchors, verify_chain};

use crate::limits::NAME_BYTES_MAX;

/// An organisation of a channel (组织): its id, its name and the authorities it trusts.
#[derive(Clone, Debug)]
pub struct Organisation {
    /// The MSP id, as in identities and policies: letters, digits, `.` and `-`.
    pub msp_id: String,
    /// The name people read, unique in the channel; any script.
    pub name: String,
    /// The roots the organisation's certificates chain to.
    pub roots: TrustAnchors,
    /// Authorities between the roots and the certificates.
    pub intermediates: Vec<Certificate>,
}

impl Organisation {
    /// Verifies that the organisation vouches for `certificate` at that moment (Unix seconds), and
    /// returns the root it chains to.
    ///
    /// # Errors
    /// [`PathError`].
    pub fn verify(
        &self,
        certificate: &Certificate,
        at_unix_s: i64,
    ) -> Result<Certificate, PathError> {
        verify_chain(certificate, &self.intermediates, &self.roots, at_unix_s, Purpose::Signing)
    }
}

/// Whether `text` may be an MSP id: ASCII letters, digits, `.` and `-`, bounded; so that policies can
/// name it (Fabric's rule for principals).
#[must_use]
pub fn is_msp_id(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
}
