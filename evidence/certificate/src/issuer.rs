//! Who issues a certificate: configured, not proven by the ledger, and printed as such.

use serde::{Deserialize, Serialize};

use crate::{limits::ISSUER_CHARS_MAX, process::ProcessLog};

/// What the operator of the platform says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    // In the order of their names: canonical JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cipher_assessment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filing_number: Option<FilingNumber>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mlps: Option<Mlps>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    platform: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    process_log: Option<ProcessLog>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verification_url: Option<String>,
}

/// Filing number (备案编号) under 区块链信息服务管理规定 art. 11 and 13.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FilingNumber(String);

/// Level and filing number under the multi-level protection scheme (网络安全等级保护, GB/T 22239).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mlps {
    level: u8,
    number: String,
}

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
        Ok(Self { platform: printable("platform.name", platform)?, ..Self::default() })
    }

    /// With its filing number.
    #[must_use]
    pub fn with_filing_number(mut self, number: FilingNumber) -> Self {
        self.filing_number = Some(number);
        self
    }

    /// With who runs the platform (运营单位).
    ///
    /// # Errors
    /// [`IssuerError`] for a name that cannot be printed.
    pub fn with_operator(mut self, operator: &str) -> Result<Self, IssuerError> {
        self.operator = Some(printable("platform.operator", operator)?);
        Ok(self)
    }

    /// With its protection level, 1 to 5, and the number of that filing.
    ///
    /// # Errors
    /// [`IssuerError`] for another level or a number that cannot be printed.
    pub fn with_mlps(mut self, level: u8, number: &str) -> Result<Self, IssuerError> {
        if !(1..=5).contains(&level) {
            return Err(IssuerError { setting: "platform.mlps_level", expected: "1 to 5" });
        }
        self.mlps = Some(Mlps { level, number: printable("platform.mlps_number", number)? });
        Ok(self)
    }

    /// With the number of its cryptographic assessment (商用密码应用安全性评估, 密评).
    ///
    /// # Errors
    /// [`IssuerError`] for a number that cannot be printed.
    pub fn with_cipher_assessment(mut self, number: &str) -> Result<Self, IssuerError> {
        self.cipher_assessment = Some(printable("platform.cipher_assessment", number)?);
        Ok(self)
    }

    /// With the address where evidence can be verified; the certificate appends `/` and the evidence id.
    ///
    /// # Errors
    /// [`IssuerError`] unless it begins with `https://` or `http://`, is ASCII and no longer than 200 characters.
    pub fn with_verification_url(mut self, url: &str) -> Result<Self, IssuerError> {
        let known = url.starts_with("https://") || url.starts_with("http://");
        if !known || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            let expected = "an http or https address in ASCII";
            return Err(IssuerError { setting: "platform.verification_url", expected });
        }
        let url = printable("platform.verification_url", url)?;
        self.verification_url = Some(url.trim_end_matches('/').to_owned());
        Ok(self)
    }

    /// With what it logged about the evidence (全程留痕).
    #[must_use]
    pub fn with_process_log(mut self, log: ProcessLog) -> Self {
        self.process_log = Some(log);
        self
    }

    /// The platform's name.
    pub fn platform(&self) -> &str {
        &self.platform
    }

    /// Its filing number.
    pub fn filing_number(&self) -> Option<&FilingNumber> {
        self.filing_number.as_ref()
    }

    pub(crate) fn operator(&self) -> Option<&str> {
        self.operator.as_deref()
    }

    pub(crate) fn mlps(&self) -> Option<&Mlps> {
        self.mlps.as_ref()
    }

    pub(crate) fn cipher_assessment(&self) -> Option<&str> {
        self.cipher_assessment.as_deref()
    }

    pub(crate) fn process_log(&self) -> Option<&ProcessLog> {
        self.process_log.as_ref()
    }

    pub(crate) fn verification_url(&self) -> Option<&str> {
        self.verification_url.as_deref()
    }

    /// The same through the front door: what was read from a document obeys the rules for what is configured.
    pub(crate) fn check(&self) -> Result<(), IssuerError> {
        let mut same = Self::new(&self.platform)?;
        if let Some(number) = &self.filing_number {
            same = same.with_filing_number(FilingNumber::new(number.as_str())?);
        }
        if let Some(operator) = &self.operator {
            same = same.with_operator(operator)?;
        }
        if let Some(mlps) = &self.mlps {
            same = same.with_mlps(mlps.level, &mlps.number)?;
        }
        if let Some(number) = &self.cipher_assessment {
            same = same.with_cipher_assessment(number)?;
        }
        if let Some(url) = &self.verification_url {
            same = same.with_verification_url(url)?;
        }
        if let Some(log) = &self.process_log {
            log.check()?;
            same = same.with_process_log(log.clone());
        }
        let expected = "written as this crate writes it";
        if same == *self { Ok(()) } else { Err(IssuerError { setting: "the issuer", expected }) }
    }
}

impl FilingNumber {
    /// A number as the authority gave it.
    ///
    /// # Errors
    /// [`IssuerError`] for a text that cannot be printed. An unusual form is no error: see
    /// [`is_usual`](Self::is_usual).
    pub fn new(number: &str) -> Result<Self, IssuerError> {
        Ok(Self(printable("platform.filing_number", number)?))
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

impl Mlps {
    /// `第三级　备案号 …`.
    pub(crate) fn chinese(&self) -> String {
        let level = match self.level {
            1 => "一",
            2 => "二",
            3 => "三",
            4 => "四",
            _ => "五",
        };
        format!("第{level}级　备案号 {}", self.number)
    }
}

pub(crate) fn printable(setting: &'static str, text: &str) -> Result<String, IssuerError> {
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

    #[test]
    fn what_a_document_says_obeys_the_same_rules() {
        let issuer = Issuer::new("长白链").unwrap().with_mlps(3, "22010099001-00001").unwrap();
        assert_eq!(issuer.check(), Ok(()));
        assert_eq!(issuer.mlps().unwrap().chinese(), "第三级　备案号 22010099001-00001");
        assert!(Issuer::new("长白链").unwrap().with_mlps(6, "1").is_err());
        let read = |json: &str| serde_json::from_str::<Issuer>(json).unwrap().check();
        assert!(read(r#"{"platform":"长\n白"}"#).is_err());
        assert!(read(r#"{"platform":"长白","verification_url":"https://a.cn/"}"#).is_err());
        assert!(read(r#"{"mlps":{"level":9,"number":"1"},"platform":"长白"}"#).is_err());
    }
}
