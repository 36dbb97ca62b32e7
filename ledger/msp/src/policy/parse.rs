//! Fabric's policy texts: `AND('A.member', OutOf(1, 'B.peer', 'C.peer'))`.

use super::{Policy, PolicyError};
use crate::{
    Role,
    limits::{POLICY_BYTES_MAX, POLICY_DEPTH_MAX},
};

impl Policy {
    /// Reads a policy text: `AND(…)`, `OR(…)` and `OutOf(n, …)` over principals `'<MSP id>.<role>'` in
    /// single or double quotes. Gates are read in any case, blanks are free; a lone principal is a
    /// policy, too.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.len() > POLICY_BYTES_MAX {
            return Err(PolicyError::TooLong { bytes: text.len() });
        }
        let mut parser = Parser { text, at: 0 };
        let policy = parser.rule(POLICY_DEPTH_MAX)?;
        parser.blanks();
        if !parser.rest().is_empty() {
            return Err(parser.expected("the end"));
        }
        policy.check().map(|()| policy)
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rule(&mut self, depth: usize) -> Result<Policy, PolicyError> {
        let Some(below) = depth.checked_sub(1) else { return Err(PolicyError::TooDeep) };
        self.blanks();
        if let Some(quote) = self.rest().chars().next().filter(|c| matches!(c, '\'' | '"')) {
            return self.principal(quote);
        }
        let gate = self.take(|c| c.is_ascii_alphabetic());
        let gate = match gate.to_ascii_lowercase().as_str() {
            "and" => Gate::And,
            "or" => Gate::Or,
            "outof" => Gate::OutOf,
            _ => return Err(self.expected("AND, OR, OutOf or a quoted principal")),
        };
        self.symbol('(', "(")?;
        let count = if matches!(gate, Gate::OutOf) {
            let count = self.number()?;
            self.symbol(',', ",")?;
            Some(count)
        } else {
            None
        };
        let mut rules = vec![self.rule(below)?];
        while self.eat(',') {
            rules.push(self.rule(below)?);
        }
        self.symbol(')', ", or )")?;
        let n = match gate {
            Gate::And => u32::try_from(rules.len()).unwrap_or(u32::MAX),
            Gate::Or => 1,
            Gate::OutOf => count.unwrap_or(0),
        };
        Ok(Policy::OutOf { n, rules })
    }

    fn principal(&mut self, quote: char) -> Result<Policy, PolicyError> {
        self.symbol(quote, "a quote")?;
        let content = self.take(|c| c != quote);
        if !self.rest().starts_with(quote) {
            return Err(self.expected("the closing quote"));
        }
        self.symbol(quote, "a quote")?;
        let (msp_id, role) = content.rsplit_once('.').ok_or(PolicyError::Principal)?;
        let role: Role = role.parse().map_err(|()| PolicyError::Principal)?;
        Ok(Policy::SignedBy { msp_id: msp_id.to_owned(), role })
    }

    fn number(&mut self) -> Result<u32, PolicyError> {
        self.blanks();
        let digits = self.take(|c| c.is_ascii_digit());
        digits.parse().map_err(|_| self.expected("a number"))
    }

    fn symbol(&mut self, symbol: char, expected: &'static str) -> Result<(), PolicyError> {
        if self.eat(symbol) { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn eat(&mut self, symbol: char) -> bool {
        self.blanks();
        let found = self.rest().starts_with(symbol);
        if found {
            self.at = self.at.saturating_add(symbol.len_utf8());
        }
        found
    }

    fn blanks(&mut self) {
        self.take(|c| c.is_ascii_whitespace());
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = rest.len().saturating_sub(rest.trim_start_matches(wanted).len());
        self.at = self.at.saturating_add(taken);
        rest.get(..taken).unwrap_or_default()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    const fn expected(&self, expected: &'static str) -> PolicyError {
        PolicyError::Syntax { at: self.at, expected }
    }
}

enum Gate {
    And,
    Or,
    OutOf,
}
