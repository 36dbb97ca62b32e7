//! RFC 9457 problems: one table of codes, two languages, one place where they become responses.
//!
//! A handler returns a [`Problem`]; the outermost layer renders it, because only that layer knows the
//! request's language and id. Details never hold personal data or key material.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::codes::{Code, Row};

mod codes;
#[cfg(test)]
mod tests;

/// The language of titles and details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Chinese, the default.
    #[default]
    Chinese,
    /// English.
    English,
}

impl Language {
    /// Chooses by `Accept-Language` (RFC 9110 §12.5.4): the first of the highest weight; Chinese otherwise.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let Some(text) = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()) else {
            return Self::default();
        };
        let mut best = (Self::default(), 0.0_f32);
        for range in text.split(',').take(16) {
            let mut parts = range.split(';');
            let tag = parts.next().unwrap_or("").trim().to_ascii_lowercase();
            let weight = parts
                .find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok())
                .unwrap_or(1.0);
            let language = match tag.split('-').next() {
                Some("zh" | "*") => Self::Chinese,
                Some("en") => Self::English,
                _ => continue,
            };
            if weight > best.1 && weight <= 1.0 {
                best = (language, weight);
            }
        }
        best.0
    }

    const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh",
            Self::English => "en",
        }
    }
}

/// One failure on its way to the client.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    code: String,
    status: StatusCode,
    zh: String,
    en: String,
    detail: Option<(String, String)>,
    /// With the Chinese detail, where it differs.
    errors: Vec<(FieldProblem, Option<String>)>,
    retry_after_s: Option<u64>,
}

/// A fault inside the request's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// The line of a body of lines, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// JSON Pointer (RFC 6901) to the fault.
    pub pointer: String,
    /// The stable code of the fault.
    pub code: String,
    /// What is wrong there.
    pub detail: String,
}

/// The body of `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    /// Stable relative URI, `/problems/<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short title in the chosen language.
    pub title: String,
    /// The HTTP status, repeated.
    pub status: u16,
    /// What happened this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The stable code.
    pub code: String,
    /// The id to quote when asking for help; also in `X-Request-Id`.
    pub request_id: String,
    /// Faults inside the body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

impl Problem {
    /// A problem of the table.
    #[must_use]
    pub fn new(code: Code) -> Self {
        let row = code.row();
        let mut problem = Self::of_domain(row.text, row.status, row.zh, row.en);
        if row.status == StatusCode::SERVICE_UNAVAILABLE
            || row.status == StatusCode::TOO_MANY_REQUESTS
        {
            problem.0.retry_after_s = Some(1);
        }
        problem
    }

    /// A problem of the evidence domain, with its own code and titles.
    #[must_use]
    pub fn of_domain(code: &str, status: StatusCode, zh: &str, en: &str) -> Self {
        Self(Box::new(Parts {
            code: code.to_owned(),
            status,
            zh: zh.to_owned(),
            en: en.to_owned(),
            detail: None,
            errors: Vec::new(),
            retry_after_s: None,
        }))
    }

    /// Adds what happened, in both languages.
    #[must_use]
    pub fn detail(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.0.detail = Some((zh.into(), en.into()));
        self
    }

    /// Adds a technical detail for developers: the same text in both languages.
    #[must_use]
    pub fn technical(self, text: impl std::fmt::Display) -> Self {
        let text = text.to_string();
        self.detail(text.clone(), text)
    }

    /// Adds a fault inside the body.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let code = self.0.code.clone();
        let fault =
            FieldProblem { line: None, pointer: pointer.into(), code, detail: detail.into() };
        self.0.errors.push((fault, None));
        self
    }

    /// Adds a fault of one line of a body of lines, with its own code and words.
    #[must_use]
    pub fn at_line(mut self, line: u64, code: &str, zh: &str, en: &str) -> Self {
        let (code, detail) = (code.to_owned(), en.to_owned());
        let fault = FieldProblem { line: Some(line), pointer: String::new(), code, detail };
        self.0.errors.push((fault, Some(zh.to_owned())));
        self
    }

    /// Sets `Retry-After`, in whole seconds, at least one.
    #[must_use]
    pub fn retry_after_ms(mut self, milliseconds: u64) -> Self {
        self.0.retry_after_s = Some(milliseconds.div_ceil(1_000).max(1));
        self
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The titles, in Chinese and in English.
    #[must_use]
    pub fn titles(&self) -> (String, String) {
        (self.0.zh.clone(), self.0.en.clone())
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Renders the problem for one request.
    pub(crate) fn render(self, language: Language, request_id: &str) -> Response {
        let parts = *self.0;
        let chinese = language == Language::Chinese;
        let body = ProblemBody {
            kind: format!("/problems/{}", parts.code),
            title: if chinese { parts.zh } else { parts.en },
            status: parts.status.as_u16(),
            detail: parts.detail.map(|(zh, en)| if chinese { zh } else { en }),
            code: parts.code,
            request_id: request_id.to_owned(),
            errors: parts
                .errors
                .into_iter()
                .map(|(fault, zh)| match zh.filter(|_| chinese) {
                    Some(detail) => FieldProblem { detail, ..fault },
                    None => fault,
                })
                .collect(),
        };
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (parts.status, bytes).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json; charset=utf-8"),
        );
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = parts.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if parts.status == StatusCode::UNAUTHORIZED {
            // RFC 9110 §11.6.1 wants a challenge with each 401.
            let challenge = HeaderValue::from_static("Signature alg=\"sm2-sm3\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(Pending(self));
        response
    }
}

/// A problem that waits in a response for the outermost layer to render it.
#[derive(Debug, Clone)]
pub(crate) struct Pending(pub(crate) Problem);
