//! Making revocation lists.

use der::{Encode, asn1::BitString};

use super::{
    RevocationList, RevokedCertificate,
    asn1::{FORM, ListExtensions, Revoked, SignedList, TbsList, VERSION_2},
};
use crate::{
    Authority, AuthorityError, FormError, SerialNumber,
    asn1::{sm2_with_sm3, to_time},
    limits::CRL_ENTRIES_MAX,
};

/// What a list is to say.
#[derive(Clone, Debug)]
pub struct RevocationListContent<'a> {
    /// The list's number: greater than that of every list before.
    pub number: SerialNumber,
    /// When it is made, in Unix seconds.
    pub this_update: i64,
    /// When the next one is due, in Unix seconds.
    pub next_update: i64,
    /// Certificates whose revocation is never dropped from the list: those that end at this Unix second or later
    /// (expiredCertsOnCRL). An evidence platform is asked about signatures of long ago; `None` makes no such promise.
    pub keeps_expired_since: Option<i64>,
    /// What is revoked, in any order, each serial number once.
    pub revoked: &'a [RevokedCertificate],
}

impl Authority {
    /// Signs a revocation list. Deterministic: the same content gives the same bytes.
    ///
    /// # Errors
    /// The CA may not sign lists, a time is out of range, there are too many entries, or one serial number twice.
    pub fn revocation_list(
        &self,
        content: &RevocationListContent<'_>,
    ) -> Result<RevocationList, AuthorityError> {
        if !self.certificate().key_usage().crl_sign() {
            return Err(AuthorityError::NotACa);
        }
        if content.revoked.len() > CRL_ENTRIES_MAX {
            return Err(FORM.too_large(content.revoked.len()).into());
        }
        let tbs = self.list(content)?;
        let der = tbs.to_der().map_err(encoding)?;
        let signature = self.signing_key().sign(&der).to_der();
        let signature = BitString::from_bytes(&signature).map_err(encoding)?;
        let signed = SignedList { tbs, algorithm: sm2_with_sm3(), signature };
        // The strict parser has the last word: what it would refuse is never published.
        Ok(RevocationList::from_der(&signed.to_der().map_err(encoding)?)?)
    }

    fn list(&self, content: &RevocationListContent<'_>) -> Result<TbsList, AuthorityError> {
        let (this, next) = (content.this_update, content.next_update);
        let out_of_range = || AuthorityError::Validity { not_before: this, not_after: next };
        let (Some(this_update), Some(next_update), true) =
            (to_time(this), to_time(next), this < next)
        else {
            return Err(out_of_range());
        };
        let mut revoked = content.revoked.to_vec();
        revoked.sort_unstable_by_key(|entry| entry.serial);
        let revoked = revoked
            .iter()
            .map(|entry| Revoked::write(entry).map_err(encoding)?.ok_or_else(out_of_range))
            .collect::<Result<Vec<_>, AuthorityError>>()?;
        let extensions = ListExtensions {
            number: Some(content.number),
            authority_key_id: self.certificate().subject_key_id().map(<[u8]>::to_vec),
            keeps_expired_since: content.keeps_expired_since,
        };
        Ok(TbsList {
            version: VERSION_2,
            signature: sm2_with_sm3(),
            issuer: self.certificate().subject_name().clone(),
            this_update,
            next_update: Some(next_update),
            // RFC 5280 §5.1.2.6: absent, not empty.
            revoked: (!revoked.is_empty()).then_some(revoked),
            extensions: Some(extensions.write().map_err(encoding)?),
        })
    }
}

fn encoding(error: der::Error) -> FormError {
    FORM.der(&error)
}
