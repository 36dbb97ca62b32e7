//! Tokens, and whether to believe them.

use std::{fmt, time::Duration};

use der::asn1::ObjectIdentifier;
use smkit::Sm3Digest;
use x509_cert::ext::pkix::name::GeneralName;

use super::{
    TimeStampError, TimeStampRequest,
    asn1::{AccuracyInfo, Info, SIGNING_CERTIFICATE, SigningCertificate, VERSION},
    request::read_nonce,
};
use crate::{
    Certificate, FormError, Purpose, SerialNumber, Validator, VerifiedPath,
    cms::{Message, TIME_STAMP},
    form::Form,
    limits::TIME_STAMP_BYTES_MAX,
};

/// A time-stamp token (时间戳): an authority's statement that a digest existed at a time.
///
/// Parsing proves form, not origin: see [`TimeStampToken::verify`].
#[derive(Clone, PartialEq, Eq)]
pub struct TimeStampToken {
    message: Message,
    info: Statement,
}

/// What the token states.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    policy: ObjectIdentifier,
    imprint: Sm3Digest,
    serial: Option<SerialNumber>,
    gen_time: Duration,
    accuracy: Option<Accuracy>,
    nonce: Option<Vec<u8>>,
    tsa: Option<GeneralName>,
}

/// How far the stated time may be from UTC, either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Accuracy(Duration);

impl Accuracy {
    /// Whole microseconds, rounded up: a bound must not shrink. `None` if it is zero or more than `u32::MAX` seconds.
    #[must_use]
    pub fn new(bound: Duration) -> Option<Self> {
        let micros = u64::try_from(bound.as_nanos().div_ceil(1_000)).ok()?;
        let rounded = Duration::from_micros(micros);
        (micros > 0 && u32::try_from(rounded.as_secs()).is_ok()).then_some(Self(rounded))
    }

    /// The bound.
    #[must_use]
    pub const fn bound(self) -> Duration {
        self.0
    }

    /// RFC 3161 §2.4.2: milli- and microseconds from 1 to 999.
    fn read(form: Form, info: AccuracyInfo) -> Result<Self, FormError> {
        let part = |value: Option<u16>| match value {
            None => Ok(0),
            Some(value @ 1..=999) => Ok(u64::from(value)),
            Some(_) => Err(form.malformed("an accuracy outside 1 to 999")),
        };
        let micros = Duration::from_micros(part(info.micros)?);
        let millis = Duration::from_millis(part(info.millis)?);
        let seconds = Duration::from_secs(info.seconds.unwrap_or_default().into());
        Ok(Self(seconds.saturating_add(millis).saturating_add(micros)))
    }

    pub(super) fn write(self) -> AccuracyInfo {
        let micros = self.0.subsec_micros();
        let part = |value: u32| u16::try_from(value).ok().filter(|value| *value > 0);
        AccuracyInfo {
            seconds: u32::try_from(self.0.as_secs()).ok().filter(|seconds| *seconds > 0),
            millis: part(micros / 1_000),
            micros: part(micros % 1_000),
        }
    }
}

/// A token whose signature and certificate were verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedTimeStamp {
    /// The time stated, since 1970 in UTC.
    pub gen_time: Duration,
    /// How far it may be off, if stated.
    pub accuracy: Option<Accuracy>,
    /// The authority's serial number of this token; `None` if it is zero or longer than 20 bytes.
    pub serial: Option<SerialNumber>,
    /// The authority's policy, in dotted form.
    pub policy: String,
    /// From the authority's certificate to the anchor.
    pub path: VerifiedPath,
}

impl TimeStampToken {
    /// Parses DER strictly.
    ///
    /// # Errors
    /// See [`FormError`]; imprints with another digest than SM3 and signatures other than SM2-with-SM3 are refused by
    /// name.
    pub fn from_der(der: &[u8]) -> Result<Self, FormError> {
        if der.len() > TIME_STAMP_BYTES_MAX {
            return Err(FORM.too_large(der.len()));
        }
        let message = Message::from_der(&TIME_STAMP, der)?;
        let content = message.content.as_deref();
        let info = content.ok_or_else(|| FORM.malformed("no content"))?;
        let info = Statement::read(FORM.strict(info)?)?;
        if message.signers.len() != 1 {
            return Err(FORM.malformed("not exactly one signer"));
        }
        Ok(Self { message, info })
    }

    /// The exact bytes parsed.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.message.der
    }

    /// The digest that was stamped.
    #[must_use]
    pub const fn imprint(&self) -> &Sm3Digest {
        &self.info.imprint
    }

    /// The time stated, since 1970 in UTC.
    #[must_use]
    pub const fn gen_time(&self) -> Duration {
        self.info.gen_time
    }

    /// How far the stated time may be off, if stated.
    #[must_use]
    pub const fn accuracy(&self) -> Option<Accuracy> {
        self.info.accuracy
    }

    /// The authority's serial number of this token; `None` if it is zero or longer than 20 bytes.
    #[must_use]
    pub const fn serial(&self) -> Option<SerialNumber> {
        self.info.serial
    }

    /// The authority's policy, in dotted form.
    #[must_use]
    pub fn policy(&self) -> String {
        self.info.policy.to_string()
    }

    /// The certificates sent along.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.message.certificates
    }

    /// Verifies that the token is over `imprint`, signed by the certificate it names, and that this certificate was valid
    /// for [`Purpose::TimeStamping`] at the time stated. `known` are certificates that need not be in the token.
    ///
    /// # Errors
    /// See [`TimeStampError`].
    pub fn verify(
        &self,
        imprint: &Sm3Digest,
        validator: &Validator,
        known: &[Certificate],
    ) -> Result<VerifiedTimeStamp, TimeStampError> {
        if self.info.imprint != *imprint {
            return Err(TimeStampError::Imprint);
        }
        let (Some(signer), Some(content)) =
            (self.message.signers.first(), self.message.content.as_deref())
        else {
            return Err(FORM.malformed("not exactly one signer").into());
        };
        let certificate = self.message.verify_signer(signer, content, known)?;
        let attributes = signer.attributes.as_ref().ok_or(TimeStampError::SigningCertificate)?;
        let named = attributes.value::<SigningCertificate>(FORM, SIGNING_CERTIFICATE)?;
        named
            .filter(|named| names(named, certificate))
            .ok_or(TimeStampError::SigningCertificate)?;
        if self.info.tsa.as_ref().is_some_and(|tsa| !is_name_of(tsa, certificate)) {
            return Err(TimeStampError::Authority);
        }
        let others = self.message.certificates.iter().chain(known);
        let others = others.filter(|other| *other != certificate);
        let chain: Vec<_> = std::iter::once(certificate).chain(others).cloned().collect();
        let at = i64::try_from(self.info.gen_time.as_secs()).map_err(|_| TimeStampError::Time)?;
        let path = validator
            .verify(&chain, Purpose::TimeStamping, at, None)
            .map_err(TimeStampError::Path)?;
        Ok(VerifiedTimeStamp {
            gen_time: self.info.gen_time,
            accuracy: self.info.accuracy,
            serial: self.info.serial,
            policy: self.info.policy.to_string(),
            path,
        })
    }

    /// [`TimeStampToken::verify`], and that the token answers `request`: its nonce and its policy.
    ///
    /// # Errors
    /// See [`TimeStampError`].
    pub fn verify_for(
        &self,
        request: &TimeStampRequest,
        validator: &Validator,
        known: &[Certificate],
    ) -> Result<VerifiedTimeStamp, TimeStampError> {
        if request.nonce() != self.info.nonce.as_deref() {
            return Err(TimeStampError::Nonce);
        }
        if request.policy_oid().is_some_and(|policy| policy != self.info.policy) {
            return Err(TimeStampError::Policy);
        }
        self.verify(request.imprint(), validator, known)
    }
}

impl fmt::Debug for TimeStampToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TimeStampToken").field("info", &self.info).finish_non_exhaustive()
    }
}

impl Statement {
    fn read(info: Info) -> Result<Self, FormError> {
        if info.version != VERSION {
            return Err(FORM.malformed("not version 1"));
        }
        for extension in FORM.extensions(info.extensions.as_deref())? {
            FORM.pass_over(extension)?;
        }
        Ok(Self {
            policy: info.policy,
            imprint: info.imprint.read(FORM)?,
            serial: SerialNumber::from_asn1(&info.serial),
            gen_time: info.gen_time.since_1970(),
            accuracy: info.accuracy.map(|accuracy| Accuracy::read(FORM, accuracy)).transpose()?,
            nonce: read_nonce(FORM, info.nonce.as_ref())?,
            tsa: info.tsa,
        })
    }
}

/// RFC 5035 §5.4: the first digest is that of the signer's certificate, which keeps another certificate of the same key
/// from taking its place.
fn names(named: &SigningCertificate, certificate: &Certificate) -> bool {
    let Some(first) = named.certificates.first() else { return false };
    let sm3 = first.algorithm.as_ref().is_some_and(|algorithm| FORM.sm3(algorithm).is_ok());
    let same_issuer = first.issuer_serial.as_ref().is_none_or(|other| {
        other.serial.as_bytes() == certificate.serial().as_bytes()
            && matches!(other.issuer.as_slice(), [GeneralName::DirectoryName(name)]
                if name.iter_rdn().eq(certificate.issuer_name().iter()))
    });
    sm3 && same_issuer && first.digest.as_bytes() == certificate.sm3().as_bytes()
}

/// RFC 3161 §2.4.2: the name of the authority must be one of its certificate; of other kinds nothing can be said.
fn is_name_of(tsa: &GeneralName, certificate: &Certificate) -> bool {
    match tsa {
        GeneralName::DirectoryName(name) => name.iter_rdn().eq(certificate.subject_name().iter()),
        _ => true,
    }
}

pub(super) const FORM: Form = Form("time-stamp token");
