//! `issuance.json`: what the pages say besides what record and receipt prove, so that the pages can be made anew from
//! what is attached and compared.

use changbai_core::canonical;
use serde::{Deserialize, Serialize};

use crate::{CertificateFacts, FontSource, Issuer, facts::Finding, limits::ISSUANCE_BYTES_MAX};

/// The issuer's own statements, attached to every document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issuance {
    // In the order of their names: canonical JSON.
    /// What further elements of the verification said when the document was made; the reader's own verification of what
    /// is attached says what they are worth.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) findings: Vec<Finding>,
    /// SM3 of the font, lower-case hex.
    pub(crate) font_sm3: String,
    pub(crate) issuer: Issuer,
    /// Which layout drew the pages; another one cannot be compared byte for byte.
    pub(crate) layout: u32,
    /// Whether the originals were compared when the document was made.
    pub(crate) originals_compared: bool,
}

impl Issuance {
    pub(crate) fn of(facts: &CertificateFacts, issuer: &Issuer, font: &FontSource) -> Self {
        Self {
            findings: facts.findings.clone(),
            font_sm3: font.sm3().to_string(),
            issuer: issuer.clone(),
            layout: LAYOUT,
            originals_compared: facts.originals_compared,
        }
    }

    /// Canonical JSON.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        // Strings, numbers and booleans: writing them cannot fail.
        canonical::to_bytes(self).unwrap_or_default()
    }

    /// Reads canonical JSON of what could have been configured; `None` for anything else.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let read: Self = canonical::from_bytes(bytes, ISSUANCE_BYTES_MAX).ok()?;
        let findings = read.findings.len() <= FINDINGS_MAX
            && read.findings.iter().all(|finding| finding.check().is_ok());
        (read.issuer.check().is_ok() && findings).then_some(read)
    }
}

/// Changes with anything that changes a byte of the pages: layout, wording, writer, built-in font.
pub(crate) const LAYOUT: u32 = 1;
/// One for each element at most.
const FINDINGS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_and_nothing_else() {
        let issuance = Issuance {
            findings: Vec::new(),
            font_sm3: "00".into(),
            issuer: Issuer::new("长春市存证平台").unwrap(),
            layout: LAYOUT,
            originals_compared: false,
        };
        let bytes = issuance.to_bytes();
        assert_eq!(Issuance::from_bytes(&bytes), Some(issuance));
        let spaced = [bytes.as_slice(), b" "].concat();
        assert_eq!(Issuance::from_bytes(&spaced), None);
        assert_eq!(Issuance::from_bytes(b"{}"), None);
        let text = String::from_utf8(bytes).unwrap().replace("长春市", "长\\n春");
        assert_eq!(Issuance::from_bytes(text.as_bytes()), None);
    }
}
