//! Who issues a certificate: configured, not proven by the ledger, and printed as such.

use crate::limits::ISSUER_CHARS_MAX;

/// What the operator of the platform says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issuer {
    platform: String,
    filing_number: Option<FilingNumber>,
    verification_url: Option<String>,
}

/// Filing number (备案编号) under 区块链信息服务管理规定 art. 11 and 13.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilingNumber(String);

/// Why a configured text cannot be printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting} must be {expected}")]
pub struct IssuerError {
    /// Which text.
    pub setting: &'static str,
    /// What it must be.
    pub expected: &'static str,
}

impl Issuer {
    /// A platform of this name.
    ///
    /// # Errors
    /// [`IssuerError`] for a name that is empty, too long or holds control characters.
    pub fn new(platform: &str) -> Result<Self, IssuerError> {
        Ok(Self { platform: printable("platform", platform)?, ..Self::default() })
    }

    /// With its filing number.
    #[must_use]
    pub fn with_filing_number(mut self, number: FilingNumber) -> Self {
        self.filing_number = Some(number);
        self
    }

    /// With the address where evidence can be verified; the certificate appends `/` and the evidence id.
    ///
    /// # Errors
    /// [`IssuerError`] unless it begins with `https://` or `http://`, is ASCII and no longer than 200 characters.
    pub fn with_verification_url(mut self, url: &str) -> Result<Self, IssuerError> {
        let known = url.starts_with("https://") || url.starts_with("http://");
        if !known || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            let expected = "an http or https address in ASCII";
            return Err(IssuerError { setting: "verification_url", expected });
        }
        let url = printable("verification_url", url)?;
        self.verification_url = Some(url.trim_end_matches('/').to_owned());
        Ok(self)
    }

    pub(crate) fn platform(&self) -> &str {
        &self.platform
    }

    pub(crate) fn filing_number(&self) -> Option<&FilingNumber> {
        self.filing_number.as_ref()
    }

    pub(crate) fn verification_url(&self) -> Option<&str> {
        self.verification_url.as_deref()
    }
}

impl FilingNumber {
    /// A number as the authority gave it.
    ///
    /// # Errors
    /// [`IssuerError`] for a text that cannot be printed. An unusual form is no error: see
    /// [`is_usual`](Self::is_usual).
    pub fn new(number: &str) -> Result<Self, IssuerError> {
        Ok(Self(printable("filing_number", number)?))
    }

    /// Whether it has the form seen in practice: one ideograph for the province, `网信备`, 20 digits, `号`. Nothing
    /// published fixes that form, so another one deserves a warning, not a refusal.
    pub fn is_usual(&self) -> bool {
        let mut chars = self.0.chars();
        let province = chars.next().is_some_and(|c| ('\u{4e00}'..='\u{9fa5}').contains(&c));
        let digits = chars.as_str().strip_prefix("网信备").and_then(|rest| rest.strip_suffix('号'));
        province
            && digits.is_some_and(|d| d.len() == 20 && d.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn printable(setting: &'static str, text: &str) -> Result<String, IssuerError> {
    let chars = text.chars().count();
    if chars == 0 || chars > ISSUER_CHARS_MAX || text.chars().any(char::is_control) {
        let expected = "1 to 200 characters without control characters";
        return Err(IssuerError { setting, expected });
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_filing_number_is_recognised() {
        let usual = |text: &str| FilingNumber::new(text).unwrap().is_usual();
        assert!(usual("粤网信备44030524273626860016号"));
        assert!(!usual("网信备44030524273626860016号"));
        assert!(!usual("吉网信备2203052427362686001A号"));
        assert!(!usual("吉网信备4403052427362686001号"));
        assert!(FilingNumber::new("").is_err() && FilingNumber::new("a\nb").is_err());
    }

    #[test]
    fn an_address_is_http_and_ascii() {
        let with = |url: &str| Issuer::new("长白链").unwrap().with_verification_url(url);
        assert_eq!(with("https://a.cn/v/").unwrap().verification_url(), Some("https://a.cn/v"));
        assert!(with("ftp://a.cn").is_err() && with("https://a.cn/证").is_err());
    }
}
