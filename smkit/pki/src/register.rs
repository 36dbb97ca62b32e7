//! What an authority must remember: whom it issued to, and what it revoked.

use std::collections::BTreeMap;

use smkit::Sm3Digest;

use crate::{
    Authority, AuthorityError, Certificate, DistinguishedName, RevocationList,
    RevocationListContent, RevocationReason, RevokedCertificate, SerialNumber,
};

/// One issued certificate, as the authority remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// Its serial number.
    pub serial: SerialNumber,
    /// SM3 of its DER bytes.
    pub sm3: Sm3Digest,
    /// Whom it was issued to.
    pub subject: DistinguishedName,
    /// First valid second, in Unix seconds.
    pub not_before: i64,
    /// Last valid second, in Unix seconds.
    pub not_after: i64,
    /// Its revocation.
    pub revoked: Option<RevokedCertificate>,
}

/// The register of an authority (签发登记): every certificate issued, by serial number, and the number of the next
/// revocation list. Plain values: how they are kept is the caller's business.
///
/// Nothing leaves the register, and its lists promise to keep expired certificates: evidence is older than certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    issued: BTreeMap<SerialNumber, IssuedCertificate>,
    lists: u64,
}

impl Register {
    /// A register with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A register as it was kept: entries in any order, and how many lists have been made.
    ///
    /// # Errors
    /// A serial number twice, or an entry whose revocation is of another.
    pub fn restore(
        entries: impl IntoIterator<Item = IssuedCertificate>,
        lists: u64,
    ) -> Result<Self, RegisterError> {
        let mut issued = BTreeMap::new();
        for entry in entries {
            let serial = entry.serial;
            let other = entry.revoked.is_some_and(|revoked| revoked.serial != serial);
            if other || issued.insert(serial, entry).is_some() {
                return Err(RegisterError::Duplicate { serial });
            }
        }
        Ok(Self { issued, lists })
    }

    /// Enters a certificate that was issued.
    ///
    /// # Errors
    /// The serial number is taken: the certificate must not be handed out.
    pub fn record(
        &mut self,
        certificate: &Certificate,
    ) -> Result<&IssuedCertificate, RegisterError> {
        use std::collections::btree_map::Entry;
        let serial = certificate.serial();
        match self.issued.entry(serial) {
            Entry::Occupied(_) => Err(RegisterError::Duplicate { serial }),
            Entry::Vacant(place) => Ok(place.insert(IssuedCertificate {
                serial,
                sm3: certificate.sm3(),
                subject: certificate.subject_dn(),
                not_before: certificate.not_before(),
                not_after: certificate.not_after(),
                revoked: None,
            })),
        }
    }

    /// Revokes a certificate; one on hold may be revoked for good.
    ///
    /// # Errors
    /// It was never issued, or is revoked already.
    pub fn revoke(&mut self, revocation: RevokedCertificate) -> Result<(), RegisterError> {
        let serial = revocation.serial;
        let entry = self.issued.get_mut(&serial).ok_or(RegisterError::Unknown { serial })?;
        match &entry.revoked {
            Some(before) if before.reason != RevocationReason::CertificateHold => {
                return Err(RegisterError::AlreadyRevoked { serial });
            }
            _ => entry.revoked = Some(revocation),
        }
        Ok(())
    }

    /// Ends a hold.
    ///
    /// # Errors
    /// It is not on hold.
    pub fn release(&mut self, serial: SerialNumber) -> Result<(), RegisterError> {
        let entry = self.issued.get_mut(&serial).ok_or(RegisterError::Unknown { serial })?;
        match &entry.revoked {
            Some(revoked) if revoked.reason == RevocationReason::CertificateHold => {
                entry.revoked = None;
                Ok(())
            }
            _ => Err(RegisterError::NotOnHold { serial }),
        }
    }

    /// Signs the next list with everything revoked so far; the number rises only if this succeeds.
    ///
    /// # Errors
    /// As [`Authority::revocation_list`].
    pub fn revocation_list(
        &mut self,
        authority: &Authority,
        this_update: i64,
        next_update: i64,
    ) -> Result<RevocationList, AuthorityError> {
        let number = self.lists.checked_add(1);
        let number = number.ok_or(AuthorityError::ListNumber)?;
        let revoked: Vec<_> = self.revoked().collect();
        let list = authority.revocation_list(&RevocationListContent {
            number: SerialNumber::from_bytes(&number.to_be_bytes())
                .ok_or(AuthorityError::ListNumber)?,
            this_update,
            next_update,
            keeps_expired_since: Some(0),
            revoked: &revoked,
        })?;
        self.lists = number;
        Ok(list)
    }

    /// The entry of a serial number.
    #[must_use]
    pub fn find(&self, serial: &SerialNumber) -> Option<&IssuedCertificate> {
        self.issued.get(serial)
    }

    /// Every entry in the order of serial numbers.
    pub fn iter(&self) -> impl Iterator<Item = &IssuedCertificate> {
        self.issued.values()
    }

    /// Everything revoked, in the order of serial numbers.
    pub fn revoked(&self) -> impl Iterator<Item = RevokedCertificate> {
        self.issued.values().filter_map(|entry| entry.revoked)
    }

    /// How many lists have been made.
    #[must_use]
    pub const fn lists(&self) -> u64 {
        self.lists
    }
}

/// Why the register was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// The serial number is taken.
    #[error("serial number {serial} is taken")]
    Duplicate {
        /// Which.
        serial: SerialNumber,
    },
    /// No certificate has this serial number.
    #[error("no certificate with serial number {serial} was issued")]
    Unknown {
        /// Which.
        serial: SerialNumber,
    },
    /// A revocation is for good.
    #[error("the certificate with serial number {serial} is revoked already")]
    AlreadyRevoked {
        /// Which.
        serial: SerialNumber,
    },
    /// Only a hold ends.
    #[error("the certificate with serial number {serial} is not on hold")]
    NotOnHold {
        /// Which.
        serial: SerialNumber,
    },
}

#[cfg(test)]
mod tests;
