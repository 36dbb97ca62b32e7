//! Objects of a PDF file as this crate and its PDF library write them (ISO 32000-1 §7.3): a strict subset, read without
//! repairing anything.

use std::ops::Range;

use super::file::Malformed;

/// An object's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// `null`, `true`, `false`.
    Word(&'a [u8]),
    /// An integer or a real, as written.
    Number(&'a [u8]),
    /// Without its solidus, escapes as written.
    Name(&'a [u8]),
    /// A literal or hexadecimal string, decoded.
    Text(Vec<u8>),
    Array(Vec<Self>),
    Dictionary(Dictionary<'a>),
    /// An indirect reference to an object of generation 0.
    Reference(u32),
}

/// A dictionary; no key is there twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Dictionary<'a>(Vec<(&'a [u8], Value<'a>)>);

impl<'a> Dictionary<'a> {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(found, _)| *found == key.as_bytes()).map(|(_, value)| value)
    }

    /// The reference under a key.
    pub(super) fn reference(&self, key: &str) -> Option<u32> {
        match self.get(key) {
            Some(Value::Reference(number)) => Some(*number),
            _ => None,
        }
    }

    /// The natural number under a key.
    pub(super) fn natural(&self, key: &str) -> Option<usize> {
        self.get(key).and_then(Value::natural)
    }

    /// The dictionary under a key.
    pub(super) fn dictionary(&self, key: &str) -> Option<&Self> {
        match self.get(key) {
            Some(Value::Dictionary(inner)) => Some(inner),
            _ => None,
        }
    }

    /// The array under a key.
    pub(super) fn array(&self, key: &str) -> Option<&[Value<'a>]> {
        match self.get(key) {
            Some(Value::Array(inner)) => Some(inner),
            _ => None,
        }
    }

    /// The string under a key.
    pub(super) fn text(&self, key: &str) -> Option<&[u8]> {
        match self.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether a key has this name as its value.
    pub(super) fn is(&self, key: &str, name: &str) -> bool {
        matches!(self.get(key), Some(Value::Name(found)) if *found == name.as_bytes())
    }
}

impl Value<'_> {
    pub(super) fn natural(&self) -> Option<usize> {
        match self {
            Value::Number(text) => natural(text),
            _ => None,
        }
    }
}

/// Decimal digits as a number.
pub(super) fn natural(digits: &[u8]) -> Option<usize> {
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    str::from_utf8(digits).ok().filter(|_| all)?.parse().ok()
}

/// Reads values from one place on.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// The next byte's place.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// Continues elsewhere.
    pub(super) const fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn fail<T>(&self, what: &'static str) -> Result<T, Malformed> {
        Err(Malformed { what, at: self.at })
    }

    /// Passes over white space. Comments are nowhere but in the head of a file.
    pub(super) fn blank(&mut self) {
        let blank = self.rest().iter().take_while(|byte| is_blank(**byte)).count();
        self.at = self.at.saturating_add(blank);
    }

    /// Passes over a keyword, white space before it included.
    pub(super) fn keyword(&mut self, word: &'static str) -> Result<(), Malformed> {
        self.blank();
        if !self.rest().starts_with(word.as_bytes()) {
            return self.fail(word);
        }
        self.at = self.at.saturating_add(word.len());
        Ok(())
    }

    /// A natural number.
    pub(super) fn natural(&mut self) -> Result<usize, Malformed> {
        self.blank();
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        natural(digits).map_or_else(|| self.fail("a number"), Ok)
    }

    /// A value of at most [`VALUE_BYTES_MAX`], and where it lies.
    pub(super) fn value(&mut self) -> Result<(Value<'a>, Range<usize>), Malformed> {
        self.blank();
        let from = self.at;
        let end = from.saturating_add(VALUE_BYTES_MAX).min(self.bytes.len());
        let mut within = Self::new(self.bytes.get(..end).unwrap_or_default(), from);
        let value = within.nested(0)?;
        self.at = within.at;
        Ok((value, from..self.at))
    }

    /// The data of a stream whose dictionary was just read; `None` if none follows.
    pub(super) fn stream(
        &mut self,
        dictionary: &Dictionary<'a>,
    ) -> Result<Option<&'a [u8]>, Malformed> {
        if self.clone().keyword("stream").is_err() {
            return Ok(None);
        }
        self.keyword("stream")?;
        // ISO 32000-1 §7.3.8.1: CR LF or LF.
        if self.rest().starts_with(b"\r") {
            self.at = self.at.saturating_add(1);
        }
        if !self.rest().starts_with(b"\n") {
            return self.fail("a stream");
        }
        self.at = self.at.saturating_add(1);
        let Some(data) = dictionary.natural("Length").and_then(|length| self.rest().get(..length))
        else {
            return self.fail("the length of a stream");
        };
        self.at = self.at.saturating_add(data.len());
        self.keyword("endstream")?;
        Ok(Some(data))
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().take_while(|byte| wanted(**byte)).count();
        self.at = self.at.saturating_add(length);
        rest.get(..length).unwrap_or_default()
    }

    fn nested(&mut self, depth: usize) -> Result<Value<'a>, Malformed> {
        if depth > DEPTH_MAX {
            return self.fail("a value nested too deeply");
        }
        self.blank();
        match self.rest() {
            [b'<', b'<', ..] => self.dictionary(depth),
            [b'<', ..] => self.hexadecimal(),
            [b'(', ..] => self.literal(),
            [b'[', ..] => self.array(depth),
            [b'/', ..] => {
                self.at = self.at.saturating_add(1);
                Ok(Value::Name(self.take_while(is_regular)))
            }
            [first, ..] if first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.') => {
                Ok(self.number())
            }
            [first, ..] if first.is_ascii_lowercase() => {
                let word = self.take_while(is_regular);
                match word {
                    b"null" | b"true" | b"false" => Ok(Value::Word(word)),
                    _ => self.fail("a value"),
                }
            }
            _ => self.fail("a value"),
        }
    }

    /// A number, or with two more tokens a reference.
    fn number(&mut self) -> Value<'a> {
        let text = self.take_while(is_regular);
        let mut ahead = self.clone();
        if let Some(number) = natural(text).and_then(|number| u32::try_from(number).ok())
            && ahead.natural() == Ok(0)
            && ahead.keyword("R").is_ok()
            && !ahead.rest().first().is_some_and(|byte| is_regular(*byte))
        {
            *self = ahead;
            return Value::Reference(number);
        }
        Value::Number(text)
    }

    fn array(&mut self, depth: usize) -> Result<Value<'a>, Malformed> {
        self.at = self.at.saturating_add(1);
        let mut items = Vec::new();
        loop {
            self.blank();
            if self.rest().starts_with(b"]") {
                self.at = self.at.saturating_add(1);
                return Ok(Value::Array(items));
            }
            items.push(self.nested(depth.saturating_add(1))?);
        }
    }

    fn dictionary(&mut self, depth: usize) -> Result<Value<'a>, Malformed> {
        self.at = self.at.saturating_add(2);
        let mut entries: Vec<(&[u8], Value<'a>)> = Vec::new();
        loop {
            self.blank();
            match self.rest() {
                [b'>', b'>', ..] => {
                    self.at = self.at.saturating_add(2);
                    return Ok(Value::Dictionary(Dictionary(entries)));
                }
                [b'/', ..] => self.at = self.at.saturating_add(1),
                _ => return self.fail("a key"),
            }
            let key = self.take_while(is_regular);
            if entries.len() >= ENTRIES_MAX || entries.iter().any(|(known, _)| *known == key) {
                return self.fail("a dictionary with few keys, each once");
            }
            let value = self.nested(depth.saturating_add(1))?;
            entries.push((key, value));
        }
    }

    fn hexadecimal(&mut self) -> Result<Value<'a>, Malformed> {
        self.at = self.at.saturating_add(1);
        let digits = self.take_while(|byte| byte.is_ascii_hexdigit());
        if !self.rest().starts_with(b">") || !digits.len().is_multiple_of(2) {
            return self.fail("a hexadecimal string");
        }
        self.at = self.at.saturating_add(1);
        let pairs = digits.chunks_exact(2).map(|pair| {
            let text = str::from_utf8(pair).unwrap_or_default();
            u8::from_str_radix(text, 16).unwrap_or_default()
        });
        Ok(Value::Text(pairs.collect()))
    }

    /// ISO 32000-1 §7.3.4.2.
    fn literal(&mut self) -> Result<Value<'a>, Malformed> {
        self.at = self.at.saturating_add(1);
        let (mut out, mut open) = (Vec::new(), 0_usize);
        loop {
            let Some(byte) = self.next() else { return self.fail("the end of a string") };
            match byte {
                b'(' => open = open.saturating_add(1),
                b')' if open == 0 => return Ok(Value::Text(out)),
                b')' => open = open.saturating_sub(1),
                b'\\' => {
                    let escaped = self.next();
                    match escaped {
                        Some(b'n') => out.push(b'\n'),
                        Some(b'r') => out.push(b'\r'),
                        Some(b't') => out.push(b'\t'),
                        Some(b'b') => out.push(8),
                        Some(b'f') => out.push(12),
                        Some(byte @ (b'(' | b')' | b'\\')) => out.push(byte),
                        Some(byte @ b'0'..=b'7') => out.push(self.octal(byte)),
                        _ => return self.fail("an escape"),
                    }
                    continue;
                }
                _ => {}
            }
            out.push(byte);
        }
    }

    fn octal(&mut self, first: u8) -> u8 {
        let mut value = u32::from(first.wrapping_sub(b'0'));
        for _ in 0..2 {
            match self.rest().first() {
                Some(digit @ b'0'..=b'7') => {
                    value = value.wrapping_mul(8).wrapping_add(u32::from(digit - b'0'));
                    self.at = self.at.saturating_add(1);
                }
                _ => break,
            }
        }
        // The standard ignores what overflows.
        value.to_le_bytes().first().copied().unwrap_or_default()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.rest().first().copied();
        self.at = self.at.saturating_add(1);
        byte
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 12 | b'\r' | b' ')
}

const fn is_regular(byte: u8) -> bool {
    !is_blank(byte)
        && !matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

/// Longest value outside a stream: the signature's has 16 kB.
const VALUE_BYTES_MAX: usize = 64 << 10;
/// Deepest nesting.
const DEPTH_MAX: usize = 16;
/// Most keys of one dictionary.
const ENTRIES_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value<'_>, Malformed> {
        Lexer::new(text.as_bytes(), 0).value().map(|(value, _)| value)
    }

    #[test]
    fn values_of_every_kind() {
        let text =
            r"<< /A [1 -2.50 3 0 R /N#20x (a\(b\)(c)\101) <00fF>] /B << /C true >> /D null >>";
        let Ok(Value::Dictionary(top)) = read(text) else { panic!("no dictionary") };
        let items = top.array("A").unwrap();
        assert_eq!(items[0].natural(), Some(1));
        assert_eq!(items[1], Value::Number(b"-2.50"));
        assert_eq!(items[2], Value::Reference(3));
        assert_eq!(items[3], Value::Name(b"N#20x"));
        assert_eq!(items[4], Value::Text(b"a(b)(c)A".to_vec()));
        assert_eq!(items[5], Value::Text(vec![0, 255]));
        assert_eq!(top.dictionary("B").unwrap().get("C"), Some(&Value::Word(b"true")));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in ["", "<<", "<< /A", "<< A 1 >>", "[1", "(a", "<0>", "<0x>", "x", "<</A 1/A 2>>"]
        {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(&"[".repeat(100_000)).is_err());
    }
}
