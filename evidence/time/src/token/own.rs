//! The authority in this process.

use smkit::{OsRandom, Random as _, Sm3Digest};
use smkit_pki::TimeStampRequest;

use super::{TimeToken, TokenError, TokenSource};
use crate::stamp::TimeStamper;

impl TokenSource for TimeStamper {
    fn token(&self, imprint: &Sm3Digest) -> Result<TimeToken, TokenError> {
        let request = query(imprint, None)?;
        let response = self.stamp(&request).map_err(|failure| TokenError::Refused {
            source: OWN.to_owned(),
            failure: Some(failure),
        })?;
        Ok(TimeToken::new(response.token().clone(), OWN.to_owned()))
    }
}

/// A request with a fresh nonce.
pub(super) fn query(
    imprint: &Sm3Digest,
    policy: Option<&str>,
) -> Result<TimeStampRequest, TokenError> {
    let mut nonce = [0; 16];
    OsRandom.fill(&mut nonce).map_err(|_| TokenError::Random)?;
    TimeStampRequest::new(imprint, &nonce, policy)
        .map_err(|error| TokenError::Untrusted { source: OWN.to_owned(), error: error.into() })
}

const OWN: &str = "own";
