//! The little DER that SM2 keys and ciphertexts need, read in the one form X.690 §10 allows.

use alloc::vec::Vec;

use zeroize::Zeroizing;

/// What is left of an element's content; every read either takes a whole element or fails.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads the content of the one SEQUENCE that `der` consists of.
    pub(crate) fn of_sequence(der: &'a [u8]) -> Option<Self> {
        let mut outer = Self(der);
        let inner = outer.sequence()?;
        outer.end()?;
        Some(inner)
    }

    /// The content of the next element, which must have this tag.
    pub(crate) fn element(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_first()?;
        if *first != tag {
            return None;
        }
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }

    /// The next element if it has this tag; absent elements consume nothing.
    pub(crate) fn optional(&mut self, tag: u8) -> Option<Option<&'a [u8]>> {
        if self.0.first() == Some(&tag) { self.element(tag).map(Some) } else { Some(None) }
    }

    pub(crate) fn sequence(&mut self) -> Option<Self> {
        self.element(SEQUENCE).map(Self)
    }

    pub(crate) fn octets(&mut self) -> Option<&'a [u8]> {
        self.element(OCTET_STRING)
    }

    /// The next OBJECT IDENTIFIER must be this one.
    pub(crate) fn oid(&mut self, expected: &[u8]) -> Option<()> {
        (self.element(OID)? == expected).then_some(())
    }

    /// A BIT STRING of whole bytes.
    pub(crate) fn bits(&mut self) -> Option<&'a [u8]> {
        self.element(BIT_STRING)?.strip_prefix(&[0])
    }

    /// A non-negative INTEGER of at most 32 significant bytes, padded on the left.
    pub(crate) fn unsigned(&mut self) -> Option<[u8; 32]> {
        let content = self.element(INTEGER)?;
        // Negative, empty, or padded: a leading zero is there only to keep the number non-negative.
        if matches!(content, [] | [0x80..=0xff, ..] | [0, 0..=0x7f, ..]) {
            return None;
        }
        let digits = match content {
            [0, rest @ ..] if !rest.is_empty() => rest,
            all => all,
        };
        let mut out = [0; 32];
        let start = out.len().checked_sub(digits.len())?;
        out.get_mut(start..)?.copy_from_slice(digits);
        Some(out)
    }

    /// A non-negative INTEGER below 2^32.
    pub(crate) fn small(&mut self) -> Option<u32> {
        let number = self.unsigned()?;
        let (high, low) = number.split_last_chunk::<4>()?;
        high.iter().all(|byte| *byte == 0).then(|| u32::from_be_bytes(*low))
    }

    /// `AlgorithmIdentifier` parameters that are absent or NULL.
    pub(crate) fn no_parameters(&mut self) -> Option<()> {
        if let Some(content) = self.optional(NULL)?
            && !content.is_empty()
        {
            return None;
        }
        self.end()
    }

    pub(crate) fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    pub(crate) const fn of_content(content: &'a [u8]) -> Self {
        Self(content)
    }
}

/// Splits off a DER length: short form, or the shortest long form of at most four bytes.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    match *first {
        short @ 0..=0x7f => Some((usize::from(short), rest)),
        form @ 0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(form & 0x7f))?;
            let value = digits.iter().fold(0u64, |value, digit| value << 8 | u64::from(*digit));
            let minimal = digits.first() != Some(&0) && value >= 0x80;
            minimal.then_some((usize::try_from(value).ok()?, rest))
        }
        _ => None,
    }
}

/// One element around the concatenation of `parts`. The buffer has its final size from the start and is wiped when
/// dropped: most of what is written here holds a private key.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let content: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(content.saturating_add(6)));
    out.push(tag);
    let digits = content.to_be_bytes();
    let leading = digits.iter().take_while(|digit| **digit == 0).count();
    match u8::try_from(content) {
        Ok(short @ 0..=0x7f) => out.push(short),
        _ => {
            let digits = digits.get(leading..).unwrap_or_default();
            out.push(0x80 | u8::try_from(digits.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(digits);
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// A non-negative INTEGER in its shortest form.
pub(crate) fn unsigned(number: &[u8]) -> Zeroizing<Vec<u8>> {
    let leading = number.iter().take_while(|byte| **byte == 0).count();
    let digits = number.get(leading..).unwrap_or_default();
    let sign: &[u8] = if digits.first().is_none_or(|byte| *byte >= 0x80) { &[0] } else { &[] };
    element(INTEGER, &[sign, digits])
}

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// 1.2.156.10197.1.301, content bytes.
pub(crate) const SM2_CURVE: &[u8] = &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d];
