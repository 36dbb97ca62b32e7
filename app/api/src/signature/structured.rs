//! The few shapes of RFC 8941 that signed requests use, read strictly: no optional white space, one
//! spelling for each value, known parameters only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use smkit::sm3::Sm3Digest;

use crate::limits::{
    CERTIFICATE_HEADER_BYTES_MAX, CERTIFICATES_MAX, COMPONENTS_MAX, NONCE_CHARS_MAX,
    NONCE_CHARS_MIN, SIGNATURE_BYTES_MAX, SIGNATURE_INPUT_BYTES_MAX,
};

/// Why a header field could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} at byte {offset}: {reason}")]
pub struct FieldError {
    /// The header field, in lower case.
    pub field: &'static str,
    /// Bytes read before the error.
    pub offset: usize,
    /// What was expected.
    pub reason: &'static str,
}

/// `Signature-Input` with its one member (RFC 9421 §4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureInput {
    /// The label that `Signature` must repeat, for example `sig1`.
    pub label: String,
    /// Covered component names, in signing order, without duplicates.
    pub components: Vec<String>,
    /// `created`: Unix seconds.
    pub created: u64,
    /// `expires`: Unix seconds.
    pub expires: u64,
    /// `nonce`: 16 to 64 characters of base64, base64url or hex.
    pub nonce: String,
    /// `alg`, as sent; only `sm2-sm3` is accepted, later, under its own code.
    pub alg: String,
    /// `keyid`: SM3 of the signing certificate's DER.
    pub keyid: Sm3Digest,
    /// The member's value exactly as received: the text of `@signature-params`.
    pub text: String,
}

impl SignatureInput {
    /// Reads the field's value.
    ///
    /// # Errors
    /// Anything but one inner list of plain lower-case component names followed by exactly the
    /// parameters `created`, `expires`, `nonce`, `alg` and `keyid`, in any order.
    pub fn parse(value: &str) -> Result<Self, FieldError> {
        let mut at = Cursor::new("signature-input", value, SIGNATURE_INPUT_BYTES_MAX)?;
        let label = at.key()?.to_owned();
        at.expect(b'=')?;
        let text = at.rest().to_owned();
        let components = inner_list(&mut at)?;
        let mut found = Parameters::default();
        while !at.is_empty() {
            at.expect(b';')?;
            found.read(&mut at)?;
        }
        let missing = at.error("created, expires, nonce, alg and keyid are all needed");
        let (Some(created), Some(expires), Some(nonce), Some(alg), Some(keyid)) =
            (found.created, found.expires, found.nonce, found.alg, found.keyid)
        else {
            return Err(missing);
        };
        Ok(Self { label, components, created, expires, nonce, alg, keyid, text })
    }
}

/// Serializes an inner list with our five parameters in the order of the specification page.
pub(super) fn signature_parameters(
    components: &[&str],
    created: u64,
    expires: u64,
    nonce: &str,
    keyid: &Sm3Digest,
) -> String {
    let list: Vec<String> = components.iter().map(|name| format!("\"{name}\"")).collect();
    format!(
        "({});created={created};expires={expires};nonce=\"{nonce}\";alg=\"sm2-sm3\";keyid=\"{keyid}\"",
        list.join(" ")
    )
}

/// Reads `Signature: <label>=:base64:` and gives the signature's bytes.
///
/// # Errors
/// Another label, a second member, or base64 that is not canonical.
pub(super) fn signature_member(value: &str, label: &str) -> Result<Vec<u8>, FieldError> {
    let mut at = Cursor::new("signature", value, SIGNATURE_BYTES_MAX)?;
    let error = at.error("the label is not the one of signature-input");
    if at.key()? != label {
        return Err(error);
    }
    at.expect(b'=')?;
    let bytes = at.byte_sequence()?;
    at.end()?;
    Ok(bytes)
}

/// Reads `Content-Digest: sm3=:base64:` (RFC 9530 with SM3 as the only algorithm).
///
/// # Errors
/// Another algorithm, a second member, or anything but 32 bytes.
pub(crate) fn content_digest(value: &str) -> Result<Sm3Digest, FieldError> {
    let mut at = Cursor::new("content-digest", value, 128)?;
    let error = at.error("only sm3 is accepted, once");
    if at.key()? != "sm3" {
        return Err(error);
    }
    at.expect(b'=')?;
    let bytes = at.byte_sequence()?;
    at.end()?;
    Sm3Digest::from_slice(&bytes).map_err(|_| at.error("a SM3 digest has 32 bytes"))
}

/// Writes `sm3=:base64:`.
#[must_use]
pub fn content_digest_value(digest: &Sm3Digest) -> String {
    format!("sm3=:{}:", STANDARD.encode(digest.as_bytes()))
}

/// Reads `Changbai-Certificate: :leaf:, :intermediate:` into DER byte strings, leaf first.
///
/// # Errors
/// As [`byte_sequence_list`], with at most four members.
pub(super) fn certificate_list(value: &str) -> Result<Vec<Vec<u8>>, FieldError> {
    byte_sequence_list("changbai-certificate", value, CERTIFICATES_MAX)
}

/// Reads a list of byte sequences that are certificates: `:base64:, :base64:`.
///
/// # Errors
/// An empty list, more members than `most`, or base64 that is not canonical.
pub(crate) fn byte_sequence_list(
    field: &'static str,
    value: &str,
    most: usize,
) -> Result<Vec<Vec<u8>>, FieldError> {
    let mut at = Cursor::new(field, value, CERTIFICATE_HEADER_BYTES_MAX)?;
    let mut list = vec![at.byte_sequence()?];
    while !at.is_empty() {
        at.expect(b',')?;
        at.expect(b' ')?;
        if list.len() >= most {
            return Err(at.error("too many certificates"));
        }
        list.push(at.byte_sequence()?);
    }
    Ok(list)
}

/// Writes a list of byte sequences.
pub(super) fn byte_sequences(list: &[&[u8]]) -> String {
    let members: Vec<String> =
        list.iter().map(|der| format!(":{}:", STANDARD.encode(der))).collect();
    members.join(", ")
}

fn inner_list(at: &mut Cursor<'_>) -> Result<Vec<String>, FieldError> {
    at.expect(b'(')?;
    let mut components: Vec<String> = Vec::new();
    loop {
        let name = at.string()?;
        if !is_component(name) {
            return Err(at.error("a component name is lower case, without parameters"));
        }
        if components.iter().any(|known| known == name) || components.len() >= COMPONENTS_MAX {
            return Err(at.error("a component is named twice, or too many are named"));
        }
        components.push(name.to_owned());
        match at.next()? {
            b' ' => {}
            b')' => return Ok(components),
            _ => return Err(at.error("a space or a closing bracket was expected")),
        }
    }
}

fn is_component(name: &str) -> bool {
    let field = name.strip_prefix('@').unwrap_or(name);
    !field.is_empty()
        && field.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[derive(Default)]
struct Parameters {
    created: Option<u64>,
    expires: Option<u64>,
    nonce: Option<String>,
    alg: Option<String>,
    keyid: Option<Sm3Digest>,
}

impl Parameters {
    fn read(&mut self, at: &mut Cursor<'_>) -> Result<(), FieldError> {
        let name = at.key()?;
        at.expect(b'=')?;
        let twice = match name {
            "created" => self.created.replace(at.integer()?).is_some(),
            "expires" => self.expires.replace(at.integer()?).is_some(),
            "nonce" => self.nonce.replace(nonce(at)?).is_some(),
            "alg" => self.alg.replace(at.string()?.to_owned()).is_some(),
            "keyid" => self.keyid.replace(keyid(at)?).is_some(),
            _ => return Err(at.error("an unknown parameter")),
        };
        if twice { Err(at.error("a parameter is given twice")) } else { Ok(()) }
    }
}

fn nonce(at: &mut Cursor<'_>) -> Result<String, FieldError> {
    let text = at.string()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_');
    if !(NONCE_CHARS_MIN..=NONCE_CHARS_MAX).contains(&text.len()) || !text.bytes().all(plain) {
        return Err(at.error("a nonce has 16 to 64 characters of base64 or hex"));
    }
    Ok(text.to_owned())
}

fn keyid(at: &mut Cursor<'_>) -> Result<Sm3Digest, FieldError> {
    let text = at.string()?;
    let error = at.error("keyid is the certificate's SM3 in 64 lower-case hex digits");
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(error);
    }
    text.parse().map_err(|_| error)
}

/// A reader over one bounded, visible-ASCII field value.
struct Cursor<'a> {
    field: &'static str,
    text: &'a str,
    offset: usize,
}

impl<'a> Cursor<'a> {
    fn new(field: &'static str, text: &'a str, bytes_max: usize) -> Result<Self, FieldError> {
        let at = Self { field, text, offset: 0 };
        if text.len() > bytes_max {
            return Err(at.error("the field is too long"));
        }
        if !text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return Err(at.error("only visible ASCII is allowed"));
        }
        Ok(at)
    }

    fn error(&self, reason: &'static str) -> FieldError {
        FieldError { field: self.field, offset: self.offset, reason }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.offset..).unwrap_or("")
    }

    fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    fn next(&mut self) -> Result<u8, FieldError> {
        let byte = self.peek().ok_or_else(|| self.error("the field ends early"))?;
        self.offset += 1;
        Ok(byte)
    }

    fn expect(&mut self, wanted: u8) -> Result<(), FieldError> {
        if self.peek() == Some(wanted) {
            self.offset += 1;
            return Ok(());
        }
        Err(self.error(match wanted {
            b'=' => "'=' was expected",
            b';' => "';' was expected",
            b',' => "',' was expected",
            b'(' => "'(' was expected",
            b'"' => "a quoted string was expected",
            b':' => "':' was expected",
            _ => "another character was expected",
        }))
    }

    fn end(&self) -> Result<(), FieldError> {
        if self.is_empty() { Ok(()) } else { Err(self.error("the field goes on")) }
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().position(|b| !wanted(b)).unwrap_or(rest.len());
        self.offset += length;
        rest.get(..length).unwrap_or("")
    }

    // RFC 8941 §3.1.2, without '*' and '.'.
    fn key(&mut self) -> Result<&'a str, FieldError> {
        let plain =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
        let error = self.error("a lower-case key of 1 to 32 characters was expected");
        let key = self.take_while(plain);
        let starts = key.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        if starts && key.len() <= 32 { Ok(key) } else { Err(error) }
    }

    // RFC 8941 §3.3.1: at most 15 digits; ours are never negative and have one spelling.
    fn integer(&mut self) -> Result<u64, FieldError> {
        let error = self.error("a plain integer of at most 15 digits was expected");
        let digits = self.take_while(|b| b.is_ascii_digit());
        if digits.is_empty() || digits.len() > 15 || (digits.len() > 1 && digits.starts_with('0')) {
            return Err(error);
        }
        digits.parse().map_err(|_| error)
    }

    // RFC 8941 §3.3.3 without escapes: nothing that we accept holds a quote or a backslash.
    fn string(&mut self) -> Result<&'a str, FieldError> {
        self.expect(b'"')?;
        let text = self.take_while(|b| b != b'"' && b != b'\\');
        self.expect(b'"')?;
        Ok(text)
    }

    // RFC 8941 §3.3.5, canonical padding and zero trailing bits required.
    fn byte_sequence(&mut self) -> Result<Vec<u8>, FieldError> {
        self.expect(b':')?;
        let error = self.error("canonical base64 was expected");
        let text = self.take_while(|b| b != b':');
        self.expect(b':')?;
        STANDARD.decode(text).map_err(|_| error)
    }
}
