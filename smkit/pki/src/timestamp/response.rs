//! An authority's answer.

use der::{
    Decode, Encode,
    asn1::{Any, BitString},
};

use super::{
    TimeStampError, TimeStampToken,
    asn1::{RESPONSE, Response, StatusInfo},
};
use crate::limits::TIME_STAMP_BYTES_MAX;

/// An authority's answer (media type `application/timestamp-reply`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeStampResponse {
    der: Vec<u8>,
    token: TimeStampToken,
}

/// Why an authority grants no time stamp (`PKIFailureInfo`, RFC 3161 §2.4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeStampFailure {
    /// Bit 0: an algorithm is not known or not supported.
    BadAlgorithm,
    /// Bit 2: the request is not allowed.
    BadRequest,
    /// Bit 5: the data has the wrong form.
    BadDataFormat,
    /// Bit 14: the source of time is not available.
    TimeNotAvailable,
    /// Bit 15: the policy is not supported.
    UnacceptedPolicy,
    /// Bit 16: an extension is not supported.
    UnacceptedExtension,
    /// Bit 17: additional information is not available.
    AddInfoNotAvailable,
    /// Bit 25: something broke.
    SystemFailure,
}

impl TimeStampFailure {
    /// The name of the standard.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadAlgorithm => "badAlg",
            Self::BadRequest => "badRequest",
            Self::BadDataFormat => "badDataFormat",
            Self::TimeNotAvailable => "timeNotAvailable",
            Self::UnacceptedPolicy => "unacceptedPolicy",
            Self::UnacceptedExtension => "unacceptedExtension",
            Self::AddInfoNotAvailable => "addInfoNotAvailable",
            Self::SystemFailure => "systemFailure",
        }
    }

    /// The whole response that says so, in DER; nobody signs this.
    #[must_use]
    pub fn to_der(self) -> Vec<u8> {
        let bit = self.bit();
        let (bytes, unused) = (usize::from(bit / 8) + 1, 7 - bit % 8);
        let mut bits = vec![0; bytes];
        if let Some(last) = bits.last_mut() {
            *last = 1 << unused;
        }
        let encoded = || {
            let failure = Some(BitString::new(unused, bits)?);
            let status = StatusInfo { status: REJECTION, text: None, failure };
            Response { status, token: None }.to_der()
        };
        // A dozen bytes of constant form.
        encoded().unwrap_or_default()
    }

    const fn bit(self) -> u8 {
        match self {
            Self::BadAlgorithm => 0,
            Self::BadRequest => 2,
            Self::BadDataFormat => 5,
            Self::TimeNotAvailable => 14,
            Self::UnacceptedPolicy => 15,
            Self::UnacceptedExtension => 16,
            Self::AddInfoNotAvailable => 17,
            Self::SystemFailure => 25,
        }
    }

    fn read(bits: &BitString) -> Option<Self> {
        let set = |failure: &Self| {
            let bit = failure.bit();
            let byte = bits.raw_bytes().get(usize::from(bit / 8)).copied().unwrap_or_default();
            byte & (0x80 >> (bit % 8)) != 0
        };
        ALL.into_iter().find(set)
    }
}

impl TimeStampResponse {
    /// Parses DER strictly.
    ///
    /// # Errors
    /// [`TimeStampError::Form`]; [`TimeStampError::Refused`] if it is well-formed and grants nothing.
    pub fn from_der(der: &[u8]) -> Result<Self, TimeStampError> {
        let response: Response = RESPONSE.read(der, TIME_STAMP_BYTES_MAX)?;
        let granted = matches!(response.status.status, GRANTED | GRANTED_WITH_MODIFICATIONS);
        match (granted, response.token) {
            (true, Some(token)) => {
                let token = token.to_der().map_err(|error| RESPONSE.der(&error))?;
                Ok(Self { der: der.to_vec(), token: TimeStampToken::from_der(&token)? })
            }
            (true, None) => Err(RESPONSE.malformed("granted without a token").into()),
            (false, Some(_)) => Err(RESPONSE.malformed("a token without being granted").into()),
            (false, None) => {
                let failure = response.status.failure.as_ref().and_then(TimeStampFailure::read);
                Err(TimeStampError::Refused { failure })
            }
        }
    }

    /// Wraps a token, for who keeps what was granted in the form in which it came.
    ///
    /// # Errors
    /// The response would be too large.
    pub fn granted(token: &TimeStampToken) -> Result<Self, TimeStampError> {
        let encoded = || {
            let token = Some(Any::from_der(token.der())?);
            let status = StatusInfo { status: GRANTED, text: None, failure: None };
            Response { status, token }.to_der()
        };
        Self::from_der(&encoded().map_err(|error: der::Error| RESPONSE.der(&error))?)
    }

    /// The exact bytes parsed.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The token granted.
    #[must_use]
    pub const fn token(&self) -> &TimeStampToken {
        &self.token
    }
}

const ALL: [TimeStampFailure; 8] = [
    TimeStampFailure::BadAlgorithm,
    TimeStampFailure::BadRequest,
    TimeStampFailure::BadDataFormat,
    TimeStampFailure::TimeNotAvailable,
    TimeStampFailure::UnacceptedPolicy,
    TimeStampFailure::UnacceptedExtension,
    TimeStampFailure::AddInfoNotAvailable,
    TimeStampFailure::SystemFailure,
];
const GRANTED: u8 = 0;
const GRANTED_WITH_MODIFICATIONS: u8 = 1;
const REJECTION: u8 = 2;
