//! `[platform]`: what the platform says about itself, on its health page and on certificates.

use changbai_certificate::{FilingNumber, Issuer, IssuerError};
use serde::{Deserialize, Serialize};

use super::{ConfigError, wrong};

/// `[platform]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct PlatformSettings {
    /// Name on certificates; empty: the agency's.
    pub name: String,
    /// Who runs it (运营单位); empty: not printed.
    pub operator: String,
    /// Filing number of the blockchain information service (备案编号); shown by `/health` and on certificates.
    pub filing_number: Option<String>,
    /// Level under the multi-level protection scheme (等级保护), 1 to 5; 0: not printed.
    pub mlps_level: u8,
    /// Number of that filing; with a level only.
    pub mlps_number: String,
    /// Number of the cryptographic assessment (密评); empty: not printed.
    pub cipher_assessment: String,
    /// Where evidence is verified, for the QR code; `/` and the evidence id are appended. Empty: the QR code holds id
    /// and digest.
    pub verification_url: String,
    /// A font (OpenType, with outlines) for characters that the built-in one lacks, relative to this file; empty: none.
    pub font: String,
}

impl PlatformSettings {
    /// Sets one key from the environment; `None`: there is no such key.
    pub(super) fn set(&mut self, key: &str, value: String) -> Option<Result<(), ConfigError>> {
        match key {
            "name" => self.name = value,
            "operator" => self.operator = value,
            "filing_number" => self.filing_number = Some(value),
            "mlps_level" => match value.parse() {
                Ok(level) => self.mlps_level = level,
                Err(_) => return Some(Err(wrong("platform.mlps_level", &value, "1 to 5"))),
            },
            "mlps_number" => self.mlps_number = value,
            "cipher_assessment" => self.cipher_assessment = value,
            "font" => self.font = value,
            "verification_url" => self.verification_url = value,
            _ => return None,
        }
        Some(Ok(()))
    }

    /// The issuer of certificates.
    ///
    /// # Errors
    /// What cannot be printed, by key.
    pub(crate) fn issuer(&self, agency: &str) -> Result<Issuer, ConfigError> {
        self.build(agency).map_err(|IssuerError { setting, expected }| {
            let value = match setting {
                "platform.operator" => self.operator.clone(),
                "platform.filing_number" => self.filing_number.clone().unwrap_or_default(),
                "platform.mlps_level" => self.mlps_level.to_string(),
                "platform.mlps_number" => self.mlps_number.clone(),
                "platform.cipher_assessment" => self.cipher_assessment.clone(),
                "platform.verification_url" => self.verification_url.clone(),
                _ => self.name.clone(),
            };
            wrong(setting, &value, expected)
        })
    }

    fn build(&self, agency: &str) -> Result<Issuer, IssuerError> {
        let name = if self.name.is_empty() { agency } else { &self.name };
        let mut issuer = Issuer::new(name)?;
        if let Some(number) = &self.filing_number {
            issuer = issuer.with_filing_number(FilingNumber::new(number)?);
        }
        if !self.operator.is_empty() {
            issuer = issuer.with_operator(&self.operator)?;
        }
        if self.mlps_level != 0 || !self.mlps_number.is_empty() {
            issuer = issuer.with_mlps(self.mlps_level, &self.mlps_number)?;
        }
        if !self.cipher_assessment.is_empty() {
            issuer = issuer.with_cipher_assessment(&self.cipher_assessment)?;
        }
        if !self.verification_url.is_empty() {
            issuer = issuer.with_verification_url(&self.verification_url)?;
        }
        Ok(issuer)
    }
}

#[cfg(test)]
mod tests {
    use super::PlatformSettings;

    #[test]
    fn what_cannot_be_printed_is_refused_by_its_key() {
        let plain = PlatformSettings::default();
        assert_eq!(plain.issuer("示例机关").unwrap().platform(), "示例机关");
        let refused = |change: fn(&mut PlatformSettings)| {
            let mut settings = PlatformSettings::default();
            change(&mut settings);
            settings.issuer("示例机关").unwrap_err().to_string()
        };
        assert!(refused(|s| s.mlps_level = 3).contains("platform.mlps_number"));
        assert!(refused(|s| s.mlps_number = "1".into()).contains("platform.mlps_level"));
        let url = refused(|s| s.verification_url = "ftp://a.cn".into());
        assert!(url.contains("platform.verification_url") && url.contains("ftp://a.cn"), "{url}");
        assert!(refused(|s| s.filing_number = Some(String::new())).contains("filing_number"));
    }
}
