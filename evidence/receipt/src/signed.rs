//! A signed verdict (核验意见): what a node found, over which inputs and when, under its signature; checked offline.
//!
//! It says that a node *said* so. What it is worth rests on that node's certificate, not on the evidence: whoever has
//! the evidence verifies it anew.

mod check;

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use changbai_core::canonical;
use serde::{Deserialize, Serialize};
use smkit::{
    Sm3Digest,
    sm2::{Signature, SigningKey},
};
use smkit_pki::Certificate;

use crate::{
    Element, Report, Verdict,
    limits::{ORIGINALS_MAX, SIGNED_ELEMENTS_MAX, SIGNED_VERDICT_BYTES_MAX},
};

/// A verdict with its signature, well-formed but unchecked.
#[derive(Clone, Debug)]
pub struct SignedVerdict {
    statement: Statement,
    /// The node's certificate, then those above it short of the root.
    chain: Vec<Certificate>,
    node: Certificate,
    signature: Signature,
}

/// What a node states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    // In the order of their names: canonical JSON.
    /// Certificates between the node's and the root, base64 of DER.
    above: Vec<String>,
    /// When it was judged.
    pub at: JudgedAt,
    /// What was found.
    pub finding: StatedFinding,
    format: u64,
    /// What was judged.
    pub inputs: Vec<Input>,
    node: String,
}

/// The time of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgedAt {
    /// Largest error of the clock, microseconds; none: a local clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound_us: Option<u64>,
    /// Unix milliseconds.
    pub ms: u64,
}

/// One thing that was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// `bundle`, `certificate`, `original` or `digest`.
    pub kind: String,
    /// SM3 of its bytes, lower-case hex.
    pub sm3: String,
}

/// A report as it is stated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatedFinding {
    /// What the evidence says of itself: id, transaction, channel and the like.
    pub claims: BTreeMap<String, String>,
    /// One reason per element.
    pub elements: Vec<StatedElement>,
    /// `verified`, `not_verified` or `unchecked`.
    pub verdict: String,
}

/// One element as it is stated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatedElement {
    /// Stable code.
    pub code: String,
    /// Stable name.
    pub name: String,
    /// The reason in Chinese.
    pub reason: String,
    /// The reason in English.
    pub reason_en: String,
    /// `proven`, `failed`, `absent` or `unchecked`.
    pub status: String,
}

/// Why bytes are not a signed verdict, or none can be made.
#[derive(Debug, thiserror::Error)]
#[error("not a signed verdict: {reason}")]
pub struct SignedVerdictError {
    /// What is wrong.
    pub reason: &'static str,
}

impl SignedVerdict {
    /// Signs a finding with a key whose certificate is the first of `chain`; the others lie between it and the root. The
    /// answer is the file, canonical JSON.
    ///
    /// # Errors
    /// [`SignedVerdictError`] for too many elements, inputs or certificates, or none.
    pub fn sign(
        finding: StatedFinding,
        inputs: Vec<Input>,
        at: JudgedAt,
        chain: &[Certificate],
        key: &SigningKey,
    ) -> Result<Vec<u8>, SignedVerdictError> {
        let (node, above) = chain.split_first().ok_or(refuse("no certificate"))?;
        let text = |certificate: &Certificate| STANDARD.encode(certificate.der());
        let (node, above) = (text(node), above.iter().map(text).collect());
        let signed = Statement { above, at, finding, format: FORMAT, inputs, node };
        signed.check()?;
        let signature = hex(&key.sign(&signed.message()?).to_der());
        canonical::to_bytes(&Document { signature, signed }).map_err(|_| refuse("its form"))
    }

    /// Reads the file, in its one form.
    ///
    /// # Errors
    /// [`SignedVerdictError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignedVerdictError> {
        let document: Document = canonical::from_bytes(bytes, SIGNED_VERDICT_BYTES_MAX)
            .map_err(|_| refuse("not a canonical document"))?;
        let Document { signature, signed } = document;
        signed.check()?;
        let read = |text: &String| {
            let der = STANDARD.decode(text).map_err(|_| refuse("a certificate"))?;
            Certificate::from_der(&der).map_err(|_| refuse("a certificate"))
        };
        let node = read(&signed.node)?;
        let chain = std::iter::once(&signed.node).chain(&signed.above).map(read);
        let chain = chain.collect::<Result<Vec<_>, _>>()?;
        let signature = unhex(&signature).and_then(|der| Signature::from_der(&der).ok());
        let signature = signature.ok_or_else(|| refuse("its signature's form"))?;
        Ok(Self { statement: signed, chain, node, signature })
    }

    /// What is stated; a fact only about what the node said, and only once [`check`](Self::check) says so.
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The certificate of whoever signed.
    pub const fn node(&self) -> &Certificate {
        &self.node
    }
}

impl Statement {
    /// The stated verdict.
    pub fn verdict(&self) -> Verdict {
        match self.finding.verdict.as_str() {
            "verified" => Verdict::Verified,
            "not_verified" => Verdict::NotVerified,
            _ => Verdict::Unchecked,
        }
    }

    fn check(&self) -> Result<(), SignedVerdictError> {
        let kinds = ["bundle", "certificate", "original", "digest"];
        let known = |input: &Input| {
            kinds.contains(&input.kind.as_str()) && canonical::digest(&input.sm3).is_some()
        };
        let right = self.format == FORMAT
            && self.verdict().name() == self.finding.verdict
            && self.finding.elements.len() <= SIGNED_ELEMENTS_MAX
            && self.above.len() <= CHAIN_MAX
            && self.inputs.len() <= ORIGINALS_MAX + 2
            && self.inputs.iter().all(known);
        if right { Ok(()) } else { Err(refuse("what it states contradicts itself")) }
    }

    fn message(&self) -> Result<Vec<u8>, SignedVerdictError> {
        let bytes = canonical::to_bytes(self).map_err(|_| refuse("its form"))?;
        Ok([DOMAIN, &bytes].concat())
    }
}

impl Input {
    /// What was judged, by kind and digest.
    pub fn new(kind: &str, sm3: &Sm3Digest) -> Self {
        Self { kind: kind.to_owned(), sm3: sm3.to_string() }
    }
}

impl StatedFinding {
    /// A finding of elements.
    pub fn new(verdict: Verdict, elements: &[Element], claims: BTreeMap<String, String>) -> Self {
        let stated = |element: &Element| StatedElement {
            code: element.code.to_owned(),
            name: element.name.to_owned(),
            reason: element.reason_zh.clone(),
            reason_en: element.reason_en.clone(),
            status: element.status.name().to_owned(),
        };
        let elements = elements.iter().map(stated).collect();
        Self { claims, elements, verdict: verdict.name().to_owned() }
    }
}

impl From<&Report> for StatedFinding {
    fn from(report: &Report) -> Self {
        let claims = &report.claims;
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let facts = [
            ("agency", claims.agency.clone()),
            ("block_number", number(claims.block_number)),
            ("channel", claims.channel.clone()),
            ("evidence_id", claims.evidence_id.clone()),
            ("header_number", number(claims.header_number)),
            ("header_time_ms", number(claims.header_time_ms)),
            ("recorded_at_ms", number(claims.recorded_at_ms)),
            ("tx_id", claims.tx_id.clone()),
        ];
        let facts = facts.into_iter().filter_map(|(name, fact)| Some((name.to_owned(), fact?)));
        Self::new(report.verdict, &report.elements, facts.collect())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    signature: String,
    signed: Statement,
}

const FORMAT: u64 = 1;
const CHAIN_MAX: usize = 8;
/// Domain of the signature.
const DOMAIN: &[u8] = b"changbai/receipt/verdict/v1";

const fn refuse(reason: &'static str) -> SignedVerdictError {
    SignedVerdictError { reason }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let lower = text.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
    if !lower || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}
