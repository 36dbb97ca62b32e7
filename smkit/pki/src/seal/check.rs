//! Whether to believe a seal, and a signature with it: a fixed order, and the first failure is the reason.

use smkit::sm3;

use super::{SealError, SealVersion, ses::Seal, signature::SealSignature};
use crate::{
    Certificate, PathError, Purpose, TimeStampError, Validator, VerifiedPath, VerifiedTimeStamp,
    limits::SEAL_CLOCK_LEEWAY_S,
};

/// What seals are judged against.
#[derive(Clone, Copy, Debug)]
pub struct SealPolicy<'a> {
    /// Judges the certificates of makers and signers.
    pub seals: &'a Validator,
    /// Judges those of time-stamp authorities.
    pub time_stamps: &'a Validator,
    /// The verifier's clock, seconds since 1970.
    pub now_unix_seconds: i64,
}

/// A seal that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedSeal {
    /// From the maker's certificate to the anchor.
    pub maker: VerifiedPath,
    /// Why the maker's certificate is no longer good, though it was when the seal was made: noted, not fatal, in
    /// version 5.
    pub maker_lapsed: Option<PathError>,
    /// The time stamp of the seal.
    pub time_stamp: Option<VerifiedTimeStamp>,
}

/// A signature with a seal that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedSealSignature {
    /// From the signer's certificate to the anchor.
    pub signer: VerifiedPath,
    /// Its seal.
    pub seal: VerifiedSeal,
    /// The time stamp over the signature.
    pub time_stamp: Option<VerifiedTimeStamp>,
}

impl Seal {
    /// Verifies the seal at one moment: the maker's signature, (version 5: its date,) the maker's certificate, the
    /// seal's validity, (version 5: its time stamp).
    ///
    /// # Errors
    /// The first step that fails.
    pub fn verify(&self, policy: &SealPolicy<'_>, at: i64) -> Result<VerifiedSeal, SealError> {
        self.verify_signature()?;
        let v5 = self.version == SealVersion::V5;
        if v5 {
            let maker = self.maker.not_before()..=self.maker.not_after();
            if self.created > at || !maker.contains(&self.created) {
                return Err(SealError::Created { created: self.created });
            }
        }
        let validate = |at| path(policy.seals, &self.maker, at);
        let (maker, maker_lapsed) = match validate(at) {
            Ok(path) => (path, None),
            Err(lapsed) if v5 && has_lapsed(&lapsed) => {
                (validate(self.created).map_err(SealError::Maker)?, Some(lapsed))
            }
            Err(error) => return Err(SealError::Maker(error)),
        };
        if !(self.valid_from..=self.valid_to).contains(&at) {
            return Err(SealError::Validity { at });
        }
        let time_stamp = match &self.time_stamp {
            None => None,
            Some(token) => {
                let stamped = token
                    .verify(&self.imprint(), policy.time_stamps, &[])
                    .map_err(SealError::SealTimeStamp)?;
                if whole_seconds(&stamped) < self.created {
                    return Err(SealError::SealTimeStamp(TimeStampError::Time));
                }
                Some(stamped)
            }
        };
        Ok(VerifiedSeal { maker, maker_lapsed, time_stamp })
    }

    /// Verifies the maker's signature, and nothing about the certificate.
    ///
    /// # Errors
    /// [`SealError::MakerSignature`].
    pub fn verify_signature(&self) -> Result<(), SealError> {
        let key = self.maker.verifying_key();
        key.verify(&self.signed, &self.signature).map_err(|_| SealError::MakerSignature)
    }
}

impl SealSignature {
    /// Verifies the signature over `data`: the signature, that the seal is for the signer, the signer's certificate,
    /// the seal, the date, the time stamp, `data`. Certificates and seal are judged at the date in the signature.
    ///
    /// # Errors
    /// The first step that fails.
    pub fn verify(
        &self,
        data: &[u8],
        policy: &SealPolicy<'_>,
    ) -> Result<VerifiedSealSignature, SealError> {
        self.verify_signature()?;
        if !self.seal.is_for(&self.signer) {
            return Err(SealError::NotListed);
        }
        let signer = path(policy.seals, &self.signer, self.signed_at).map_err(SealError::Signer)?;
        let seal = self.seal.verify(policy, self.signed_at)?;
        let latest = policy.now_unix_seconds.saturating_add(SEAL_CLOCK_LEEWAY_S);
        if self.signed_at > latest {
            return Err(SealError::Future { at: self.signed_at });
        }
        let time_stamp = match &self.time_stamp {
            None => None,
            Some(token) => {
                let stamped = token
                    .verify(&self.imprint(), policy.time_stamps, &[])
                    .map_err(SealError::TimeStamp)?;
                // Whoever dates a signature after its own stamp, or stamps it in the future, has another clock.
                let at = whole_seconds(&stamped);
                if at.saturating_add(SEAL_CLOCK_LEEWAY_S) < self.signed_at || at > latest {
                    return Err(SealError::TimeStamp(TimeStampError::Time));
                }
                Some(stamped)
            }
        };
        self.verify_data(data)?;
        Ok(VerifiedSealSignature { signer, seal, time_stamp })
    }

    /// Verifies the signer's signature, and nothing about certificates or seal.
    ///
    /// # Errors
    /// [`SealError::Signature`].
    pub fn verify_signature(&self) -> Result<(), SealError> {
        let key = self.signer.verifying_key();
        key.verify(&self.signed, &self.signature).map_err(|_| SealError::Signature)
    }

    /// Verifies that `data` is what was signed.
    ///
    /// # Errors
    /// [`SealError::Data`].
    pub fn verify_data(&self, data: &[u8]) -> Result<(), SealError> {
        if sm3(data) == self.data_hash { Ok(()) } else { Err(SealError::Data) }
    }
}

fn path(validator: &Validator, leaf: &Certificate, at: i64) -> Result<VerifiedPath, PathError> {
    validator.verify(std::slice::from_ref(leaf), Purpose::Seal, at, None)
}

/// Expired or revoked, as opposed to never good.
const fn has_lapsed(error: &PathError) -> bool {
    matches!(error.kind(), crate::RefusalKind::Validity | crate::RefusalKind::Revoked)
}

fn whole_seconds(stamp: &VerifiedTimeStamp) -> i64 {
    i64::try_from(stamp.gen_time.as_secs()).unwrap_or(i64::MAX)
}
