//! The id under which a request is found again: in the answer, in a problem's body, in the log.

use axum::http::{HeaderMap, HeaderValue};

/// The header field that carries the id, in requests and answers.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// An id of 1 to 64 letters, digits, `.`, `_` and `-`: safe in a header, in JSON and in a line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(String);

impl RequestId {
    /// The client's id where it sent exactly one that is well formed, else one that `make` makes. The id correlates and
    /// proves nothing: two requests may carry the same.
    pub(crate) fn of(headers: &HeaderMap, make: impl FnOnce() -> String) -> Self {
        let mut given = headers.get_all(REQUEST_ID_HEADER).iter();
        let single = given.next().filter(|_| given.next().is_none());
        let text = single.and_then(|value| value.to_str().ok()).filter(|text| is_well_formed(text));
        Self(text.map_or_else(make, str::to_owned))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Adds the id to an answer.
    pub(crate) fn put(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&self.0) {
            headers.insert(REQUEST_ID_HEADER, value);
        }
    }
}

fn is_well_formed(text: &str) -> bool {
    (1..=CHARS_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

const CHARS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::{HeaderMap, HeaderValue, REQUEST_ID_HEADER, RequestId};

    fn of(values: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(REQUEST_ID_HEADER, HeaderValue::from_bytes(value).unwrap());
        }
        RequestId::of(&headers, || "made".to_owned()).0
    }

    #[test]
    fn a_clients_id_is_taken_only_when_it_is_harmless() {
        assert_eq!(of(&[b"7b3f.2-a_B"]), "7b3f.2-a_B");
        assert_eq!(of(&[&[b'x'; 64]]), "x".repeat(64));
        let long = [b'x'; 65];
        for refused in [&b""[..], b"a b", b"a\"b", b"{}", "号".as_bytes(), b"a\tb", &long] {
            assert_eq!(of(&[refused]), "made");
        }
        assert_eq!(of(&[]), "made");
        assert_eq!(of(&[b"one", b"two"]), "made");
    }
}
