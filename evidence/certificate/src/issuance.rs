//! `issuance.json`: what the pages say besides what record and receipt prove, so that the pages can be made anew from
//! what is attached and compared.

use changbai_core::canonical;
use serde::{Deserialize, Serialize};

use crate::{FilingNumber, Issuer, IssuerError, limits::ISSUANCE_BYTES_MAX};

/// The issuer's own statements, attached to every document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issuance {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) filing_number: Option<String>,
    /// SM3 of the font, lower-case hex.
    pub(crate) font_sm3: String,
    /// Which layout drew the pages; another one cannot be compared byte for byte.
    pub(crate) layout: u32,
    /// Whether the originals were compared when the document was made.
    pub(crate) originals_compared: bool,
    pub(crate) platform: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verification_url: Option<String>,
}

impl Issuance {
    /// Canonical JSON.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        // Strings, a number and a boolean: writing them cannot fail.
        canonical::to_bytes(self).unwrap_or_default()
    }

    /// Reads canonical JSON; `None` for anything else.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        canonical::from_bytes(bytes, ISSUANCE_BYTES_MAX).ok()
    }

    pub(crate) fn issuer(&self) -> Result<Issuer, IssuerError> {
        let mut issuer = Issuer::new(&self.platform)?;
        if let Some(number) = &self.filing_number {
            issuer = issuer.with_filing_number(FilingNumber::new(number)?);
        }
        match &self.verification_url {
            Some(url) => issuer.with_verification_url(url),
            None => Ok(issuer),
        }
    }
}

/// Changes with anything that changes a byte of the pages: layout, wording, writer, built-in font.
pub(crate) const LAYOUT: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_and_nothing_else() {
        let issuance = Issuance {
            layout: LAYOUT,
            platform: "长春市存证平台".into(),
            filing_number: None,
            verification_url: Some("https://a.cn".into()),
            originals_compared: false,
            font_sm3: "00".into(),
        };
        let bytes = issuance.to_bytes();
        assert_eq!(Issuance::from_bytes(&bytes), Some(issuance));
        let spaced = [bytes.as_slice(), b" "].concat();
        assert_eq!(Issuance::from_bytes(&spaced), None);
        assert_eq!(Issuance::from_bytes(b"{}"), None);
    }
}
