//! Courts' queries (法院查询): case numbers, and how they reach the ledger.
//!
//! A case number leads to the parties: judgments are published under it. So it is treated like a personal value: the
//! ledger gets a salted commitment. The salt is derived from a secret of the answering node and the number, so that
//! the node finds all queries of a case again, others cannot try numbers out, and the court, which is told the salt,
//! can show later that a note on the ledger is about its case.

use std::fmt;
use std::str::FromStr;

use smkit::sm3::hmac_sm3;
use zeroize::Zeroizing;

use crate::{commitment::Opening, domain};

/// A case number (案号) in its one form, such as `（2026）吉0102民初1234号`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CaseNumber(String);

/// The text is not a case number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a case number reads （year）court, type and number, and ends with 号")]
pub struct NotACaseNumber;

impl CaseNumber {
    /// The number, brackets full-width.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CaseNumber {
    type Err = NotACaseNumber;

    /// 法〔2015〕137号 art. 2–4: year in brackets, the court's code, type code, number, 号; what follows 号 counts rulings
    /// within the case (之一). Half-width brackets are taken for full-width ones; spaces do not belong.
    fn from_str(text: &str) -> Result<Self, NotACaseNumber> {
        let text = text.replace('(', "（").replace(')', "）");
        let (year, rest) =
            text.strip_prefix('（').and_then(|rest| rest.split_once('）')).ok_or(NotACaseNumber)?;
        let (body, ruling) = rest.split_once('号').ok_or(NotACaseNumber)?;
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        let number = body.trim_start_matches(|c: char| !c.is_ascii_digit());
        let sound = year.len() == 4
            && digits(year)
            && (3..=CHARS_MAX).contains(&body.chars().count())
            && body.chars().next().is_some_and(han)
            && body.chars().all(|c| han(c) || c.is_ascii_digit())
            && !number.is_empty()
            && body.ends_with(|c: char| c.is_ascii_digit())
            && ruling.chars().count() <= 8
            && (ruling.is_empty() || (ruling.starts_with('之') && ruling.chars().all(han)));
        if sound { Ok(Self(text)) } else { Err(NotACaseNumber) }
    }
}

/// The number may lead to people.
impl fmt::Debug for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CaseNumber")
    }
}

/// The secret from which a node derives the salts of its cases.
pub struct CaseSecret(Zeroizing<[u8; 32]>);

impl CaseSecret {
    /// Random bytes that only this node has. Lost, old queries are no longer found by their case.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// What opens the commitment to a case number: salt = HMAC-SM3(secret, `changbai/core/case-salt/v1` ‖ number).
    pub fn opening(&self, case: &CaseNumber) -> Opening {
        let digest = hmac_sm3(&*self.0, &[domain::CASE_SALT, case.as_str().as_bytes()]);
        let salt = *digest.as_bytes();
        Opening { name: FIELD.to_owned(), value: case.as_str().to_owned(), salt }
    }
}

impl fmt::Debug for CaseSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CaseSecret")
    }
}

/// Name of the committed value.
const FIELD: &str = "case_number";
/// Most characters between year and 号.
const CHARS_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_numbers_have_one_form() {
        let full: CaseNumber = "（2026）吉0102民初1234号".parse().unwrap();
        assert_eq!("(2026)吉0102民初1234号".parse::<CaseNumber>().unwrap(), full);
        for good in ["（2026）最高法民终1号", "（2025）吉01执恢20号之一", "（2024）京73行初7号"]
        {
            assert_eq!(good.parse::<CaseNumber>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "2026吉0102民初1234号",
            "（26）吉0102民初1234号",
            "（2026）吉0102民初1234",
            "（2026）吉0102民初号",
            "（2026）0102民初1号",
            "（2026）吉 0102民初1号",
            "（2026）号",
            "（2026）吉0102民初1号附件",
            "（2026）吉<b>民初1号",
            "（二〇二六）吉0102民初1号",
        ] {
            assert_eq!(bad.parse::<CaseNumber>(), Err(NotACaseNumber), "{bad}");
        }
        assert!(format!("（2026）吉{}1号", "民".repeat(60)).parse::<CaseNumber>().is_err());
        assert!(!format!("{full:?}").contains("1234"));
    }

    #[test]
    fn a_commitment_is_the_same_for_a_case_and_different_for_every_other_secret() {
        let case: CaseNumber = "（2026）吉0102民初1234号".parse().unwrap();
        let other: CaseNumber = "（2026）吉0102民初1235号".parse().unwrap();
        let (mine, theirs) = (CaseSecret::new([1; 32]), CaseSecret::new([2; 32]));
        let commitment = |secret: &CaseSecret, case| secret.opening(case).commitment();
        assert_eq!(commitment(&mine, &case), commitment(&mine, &case));
        assert_ne!(commitment(&mine, &case), commitment(&theirs, &case));
        assert_ne!(commitment(&mine, &case), commitment(&mine, &other));
        assert_ne!(mine.opening(&case).salt, mine.opening(&other).salt);
    }
}
