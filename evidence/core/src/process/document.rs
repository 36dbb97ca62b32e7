//! `process.json`: a record's chain as a bundle carries it.

use changbai_merkle::{InclusionProof, leaf_hash};
use serde::{Deserialize, Serialize};
use smkit::sm3::Sm3Digest;

use super::{Actor, ActorRole, Entry, NewEntry, Page, Step, head_leaf};
use crate::{
    canonical::{self, CanonicalError},
    evidence_id::EvidenceId,
    limits::{
        CHANNEL_BYTES_MAX, INTEGER_MAX, PROCESS_BYTES_MAX, PROCESS_CERTIFICATE_BYTES_MAX,
        PROCESS_ENTRIES_MAX, TIME_MS_MAX,
    },
    record::RecordTime,
};

/// A record's process log with what proves it. Parsed, it is well-formed; whether it is true is for a verifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessDocument {
    /// The channel that the record is on.
    pub channel: String,
    /// The record's id.
    pub record: EvidenceId,
    /// SM3 of the record's bytes.
    pub record_sm3: Sm3Digest,
    /// The chain from its first entry on, 1 to [`PROCESS_ENTRIES_MAX`].
    pub entries: Vec<ProcessEntry>,
    /// The certificate of the node that keeps the log, DER.
    pub certificate: Vec<u8>,
    /// Where the last entry stands in the page that made it durable.
    pub page: PageProof,
    /// The node's signature over [`Page::message`], strict DER.
    pub signature: Vec<u8>,
    /// The tree of heads on the ledger that covers one of the entries.
    pub anchor: Option<AnchorProof>,
}

/// An entry without what its place in the chain says already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessEntry {
    /// The step.
    pub step: Step,
    /// When the node took note of it.
    pub at: RecordTime,
    /// By whom.
    pub actor: Actor,
    /// What the step was about.
    pub detail: Sm3Digest,
}

/// The last entry's page, and its path in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageProof {
    /// Number of the page.
    pub number: u64,
    /// Hash of the page before.
    pub previous: Sm3Digest,
    /// Root over the page's entries.
    pub root: Sm3Digest,
    /// From the last entry's digest to the root; its size is the page's.
    pub inclusion: InclusionProof,
}

/// Where the chain stands in a tree of heads that the node anchored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnchorProof {
    /// Number of the anchor, counted by the node.
    pub batch: u64,
    /// The transaction that put the root on the ledger.
    pub tx_id: Sm3Digest,
    /// The entry that was the chain's last one then, from 1.
    pub sequence: u32,
    /// The root on the ledger.
    pub root: Sm3Digest,
    /// From the head's [`head_leaf`] to the root.
    pub inclusion: InclusionProof,
}

/// Why bytes are no process document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// Not the canonical JSON of one.
    #[error(transparent)]
    Encoding(#[from] CanonicalError),
    /// A part that is out of bounds, or not what its name says.
    #[error("the process log's {part} is not acceptable")]
    Part {
        /// Which part.
        part: &'static str,
    },
}

impl ProcessDocument {
    /// Canonical JSON.
    ///
    /// # Errors
    /// [`ProcessError`] for what [`from_bytes`](Self::from_bytes) would not take.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ProcessError> {
        self.check()?;
        let bytes = canonical::to_bytes(&Json::of(self))?;
        if bytes.len() > PROCESS_BYTES_MAX {
            return Err(ProcessError::Part { part: "size" });
        }
        Ok(bytes)
    }

    /// Reads exactly what [`to_bytes`](Self::to_bytes) writes.
    ///
    /// # Errors
    /// [`ProcessError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProcessError> {
        let json: Json = canonical::from_bytes(bytes, PROCESS_BYTES_MAX)?;
        let document = json.read()?;
        document.check()?;
        Ok(document)
    }

    /// The entries with their places and links, first to last.
    pub fn chain(&self) -> Vec<Entry> {
        let mut chain = Vec::with_capacity(self.entries.len());
        let mut previous = Sm3Digest::new([0; 32]);
        for (sequence, entry) in (1_u32..).zip(&self.entries) {
            let ProcessEntry { step, at, actor, detail } = *entry;
            let (record, record_sm3) = (self.record, self.record_sm3);
            let what = NewEntry { record, record_sm3, step, at, actor, detail };
            let entry = Entry { what, sequence, previous };
            previous = entry.digest();
            chain.push(entry);
        }
        chain
    }

    /// Digest of the last entry: stands for the whole log.
    pub fn head(&self) -> Sm3Digest {
        self.chain().last().map_or(Sm3Digest::new([0; 32]), Entry::digest)
    }

    /// What the signature is over.
    pub fn signed(&self, certificate_sm3: Sm3Digest) -> Page<'_> {
        let PageProof { number, previous, root, ref inclusion } = self.page;
        let size = u32::try_from(inclusion.size).unwrap_or(u32::MAX);
        Page { channel: &self.channel, certificate_sm3, number, previous, size, root }
    }

    /// Whether the last entry stands in the page, and the anchored one in the tree of heads.
    ///
    /// # Errors
    /// [`ProcessError::Part`], naming `page` or `anchor`.
    pub fn check_paths(&self) -> Result<(), ProcessError> {
        let chain = self.chain();
        let head = chain.last().map_or(Sm3Digest::new([0; 32]), Entry::digest);
        let page = &self.page;
        page.inclusion
            .verify(&leaf_hash(head.as_bytes()), &page.root)
            .map_err(|_| ProcessError::Part { part: "page" })?;
        let Some(anchor) = &self.anchor else { return Ok(()) };
        let wrong = ProcessError::Part { part: "anchor" };
        let place = usize::try_from(anchor.sequence).ok().and_then(|n| n.checked_sub(1));
        let entry = place.and_then(|place| chain.get(place)).ok_or_else(|| wrong.clone())?;
        let leaf = head_leaf(&self.record_sm3, anchor.sequence, &entry.digest());
        anchor.inclusion.verify(&leaf, &anchor.root).map_err(|_| wrong)
    }

    fn check(&self) -> Result<(), ProcessError> {
        let wrong = |part| Err(ProcessError::Part { part });
        if !(1..=CHANNEL_BYTES_MAX).contains(&self.channel.len()) {
            return wrong("channel");
        }
        if !(1..=PROCESS_ENTRIES_MAX).contains(&self.entries.len()) {
            return wrong("entries");
        }
        let sound = |entry: &ProcessEntry| {
            let anonymous = entry.actor.certificate_sm3.is_none();
            entry.at.at_ms <= TIME_MS_MAX && anonymous == (entry.actor.role == ActorRole::Public)
        };
        if !self.entries.iter().all(sound) {
            return wrong("entries");
        }
        if !(1..=PROCESS_CERTIFICATE_BYTES_MAX).contains(&self.certificate.len()) {
            return wrong("certificate");
        }
        if self.page.inclusion.size > u64::from(u32::MAX) || self.page.number > INTEGER_MAX {
            return wrong("page");
        }
        match &self.anchor {
            Some(anchor) if anchor.batch > INTEGER_MAX || anchor.inclusion.size > INTEGER_MAX => {
                wrong("anchor")
            }
            _ => Ok(()),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    anchor: Option<JsonAnchor>,
    certificate: String,
    channel: String,
    entries: Vec<JsonEntry>,
    format: u64,
    page: JsonPage,
    record: String,
    record_sm3: String,
    signature: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonAnchor {
    batch: u64,
    index: u64,
    path: Vec<String>,
    root: String,
    sequence: u32,
    size: u64,
    tx_id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonEntry {
    at_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bound_us: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate_sm3: Option<String>,
    detail: String,
    role: String,
    step: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonPage {
    index: u64,
    number: u64,
    path: Vec<String>,
    previous: String,
    root: String,
    size: u64,
}

impl Json {
    fn of(document: &ProcessDocument) -> Self {
        let page = &document.page;
        Self {
            anchor: document.anchor.as_ref().map(|anchor| JsonAnchor {
                batch: anchor.batch,
                index: anchor.inclusion.index,
                path: texts(&anchor.inclusion.path),
                root: anchor.root.to_string(),
                sequence: anchor.sequence,
                size: anchor.inclusion.size,
                tx_id: anchor.tx_id.to_string(),
            }),
            certificate: hex(&document.certificate),
            channel: document.channel.clone(),
            entries: document.entries.iter().map(JsonEntry::of).collect(),
            format: FORMAT,
            page: JsonPage {
                index: page.inclusion.index,
                number: page.number,
                path: texts(&page.inclusion.path),
                previous: page.previous.to_string(),
                root: page.root.to_string(),
                size: page.inclusion.size,
            },
            record: document.record.to_string(),
            record_sm3: document.record_sm3.to_string(),
            signature: hex(&document.signature),
        }
    }

    fn read(self) -> Result<ProcessDocument, ProcessError> {
        let part = |part| ProcessError::Part { part };
        if self.format != FORMAT {
            return Err(part("format"));
        }
        if self.entries.len() > PROCESS_ENTRIES_MAX {
            return Err(part("entries"));
        }
        let JsonPage { index, number, path, previous, root, size } = self.page;
        let page = PageProof {
            number,
            previous: canonical::digest(&previous).ok_or_else(|| part("page"))?,
            root: canonical::digest(&root).ok_or_else(|| part("page"))?,
            inclusion: inclusion(index, size, &path).ok_or_else(|| part("page"))?,
        };
        let entries = self.entries.iter().map(JsonEntry::read).collect::<Option<_>>();
        let anchor = self.anchor.map(|anchor| anchor.read().ok_or_else(|| part("anchor")));
        Ok(ProcessDocument {
            channel: self.channel,
            record: self.record.parse().map_err(|_| part("record"))?,
            record_sm3: canonical::digest(&self.record_sm3).ok_or_else(|| part("record_sm3"))?,
            entries: entries.ok_or_else(|| part("entries"))?,
            certificate: unhex(&self.certificate).ok_or_else(|| part("certificate"))?,
            page,
            signature: unhex(&self.signature).ok_or_else(|| part("signature"))?,
            anchor: anchor.transpose()?,
        })
    }
}

impl JsonEntry {
    fn of(entry: &ProcessEntry) -> Self {
        Self {
            at_ms: entry.at.at_ms,
            bound_us: entry.at.bound_us,
            certificate_sm3: entry.actor.certificate_sm3.map(|sm3| sm3.to_string()),
            detail: entry.detail.to_string(),
            role: entry.actor.role.name().to_owned(),
            step: entry.step.name().to_owned(),
        }
    }

    fn read(&self) -> Option<ProcessEntry> {
        let certificate_sm3 = match &self.certificate_sm3 {
            Some(text) => Some(canonical::digest(text)?),
            None => None,
        };
        Some(ProcessEntry {
            step: Step::from_name(&self.step)?,
            at: RecordTime { at_ms: self.at_ms, bound_us: self.bound_us },
            actor: Actor { certificate_sm3, role: ActorRole::from_name(&self.role)? },
            detail: canonical::digest(&self.detail)?,
        })
    }
}

impl JsonAnchor {
    fn read(self) -> Option<AnchorProof> {
        Some(AnchorProof {
            batch: self.batch,
            tx_id: canonical::digest(&self.tx_id)?,
            sequence: self.sequence,
            root: canonical::digest(&self.root)?,
            inclusion: inclusion(self.index, self.size, &self.path)?,
        })
    }
}

fn inclusion(index: u64, size: u64, path: &[String]) -> Option<InclusionProof> {
    if path.len() > changbai_merkle::PATH_LEN_MAX {
        return None;
    }
    let path = path.iter().map(|text| canonical::digest(text)).collect::<Option<_>>()?;
    Some(InclusionProof { index, size, path })
}

fn texts(path: &[Sm3Digest]) -> Vec<String> {
    path.iter().map(Sm3Digest::to_string).collect()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some((nibble(*high)? << 4) | nibble(*low)?)).collect()
}

fn nibble(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

const FORMAT: u64 = 1;
