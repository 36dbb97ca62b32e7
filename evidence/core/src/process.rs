//! The process log of a record (全程留痕): each step of its life as one entry of a chain that a node signs.
//!
//! This module is the format, without any I/O: what an entry is, what is hashed and signed, and the document
//! `process.json` that a bundle carries. `changbai-audit` keeps the log; `changbai-receipt` judges the document.
//!
//! Every chain belongs to the exact bytes of one record, so that an attempt that never was committed does not mix with
//! the record that later got its id. The digest of an entry covers the one before it; a node signs the Merkle root of
//! all entries that it made durable at once (a *page*), so the signature over a chain's last entry covers the whole
//! chain, and costs one signature a page, however many records it serves.
//!
//! Standards: SF/T 0076-2020 clause 6 (identify, collect, digest, time, store, receipt, verify: each step logged).

mod complete;
mod document;
mod journal;
#[cfg(test)]
mod tests;

pub use complete::{LogFault, check_complete};
pub use document::{AnchorProof, PageProof, ProcessDocument, ProcessEntry, ProcessError};
pub use journal::{JournalError, ProcessJournal};

use smkit::sm3::{Sm3, Sm3Digest, sm3_parts};

use crate::{
    domain,
    evidence_id::EvidenceId,
    record::{Record, RecordTime},
};

/// Length of [`Entry::to_bytes`].
pub const ENTRY_BYTES: usize = 196;

/// A step of a record's life (环节).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// What is to be recorded has arrived (采集).
    Collected,
    /// Its digests are computed, or checked (计算摘要).
    Hashed,
    /// The record is built and goes to the ledger (提交).
    Submitted,
    /// The organisations that the policy asks for signed it (背书).
    Endorsed,
    /// It is in a durable block, valid (上链).
    Committed,
    /// Somebody looked at the record (查看).
    Viewed,
    /// A receipt, certificate or bundle was handed out (导出).
    Exported,
    /// Somebody had the record or its original verified (核验).
    Verified,
    /// A court asked for it under a case number (法院查询).
    CourtQuery,
}

/// What somebody was when they took a step. Never a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActorRole {
    /// Nobody asked who it was: reading is open.
    Public,
    /// Whoever an organisation of the channel vouches for.
    Member,
    /// A submitter.
    Client,
    /// An administrator.
    Admin,
    /// A court.
    Court,
    /// The node that keeps the log.
    Node,
}

/// Who took a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Actor {
    /// SM3 of the certificate's DER; `None` exactly for [`ActorRole::Public`].
    pub certificate_sm3: Option<Sm3Digest>,
    /// In which role.
    pub role: ActorRole,
}

/// A step that is to be logged. The log gives it its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// The record's id.
    pub record: EvidenceId,
    /// SM3 of the record's bytes: names the chain.
    pub record_sm3: Sm3Digest,
    /// The step.
    pub step: Step,
    /// When the node took note of it.
    pub at: RecordTime,
    /// By whom.
    pub actor: Actor,
    /// What the step was about; [`detail`] says which digest for which step.
    pub detail: Sm3Digest,
}

/// One entry of a record's process log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What happened.
    pub what: NewEntry,
    /// Place in the record's chain, from 1.
    pub sequence: u32,
    /// [`digest`](Self::digest) of the entry before; zeros for the first.
    pub previous: Sm3Digest,
}

impl Entry {
    /// The one encoding of all fields, [`ENTRY_BYTES`] long, integers big-endian: u8 1 ‖ id (47) ‖ SM3 of the record
    /// ‖ u32 sequence ‖ u8 step ‖ u64 time in ms ‖ u8 whether there is a bound ‖ u32 bound in µs, else 0 ‖ u8 role ‖
    /// u8 whether there is a certificate ‖ its SM3, else zeros ‖ detail ‖ previous.
    pub fn to_bytes(&self) -> [u8; ENTRY_BYTES] {
        let mut out = [0; ENTRY_BYTES];
        let what = &self.what;
        let certificate = what.actor.certificate_sm3;
        let parts: [&[u8]; 13] = [
            &[VERSION],
            what.record.as_str().as_bytes(),
            what.record_sm3.as_bytes(),
            &self.sequence.to_be_bytes(),
            &[what.step.code()],
            &what.at.at_ms.to_be_bytes(),
            &[u8::from(what.at.bound_us.is_some())],
            &what.at.bound_us.unwrap_or(0).to_be_bytes(),
            &[what.actor.role.code()],
            &[u8::from(certificate.is_some())],
            certificate.as_ref().map_or(&[0; 32], |sm3| sm3.as_bytes()),
            what.detail.as_bytes(),
            self.previous.as_bytes(),
        ];
        let mut rest = out.as_mut_slice();
        for part in parts {
            // Lengths are fixed and add up; a part that did not fit would show in every test.
            let Some((place, after)) = rest.split_at_mut_checked(part.len()) else { break };
            place.copy_from_slice(part);
            rest = after;
        }
        out
    }

    /// Reads exactly what [`to_bytes`](Self::to_bytes) writes; `None` for any other bytes.
    pub fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (record, rest) = rest.split_first_chunk::<47>()?;
        let (record_sm3, rest) = rest.split_first_chunk::<32>()?;
        let (sequence, rest) = rest.split_first_chunk::<4>()?;
        let (step, rest) = rest.split_first()?;
        let (at_ms, rest) = rest.split_first_chunk::<8>()?;
        let (bounded, rest) = rest.split_first()?;
        let (bound_us, rest) = rest.split_first_chunk::<4>()?;
        let (role, rest) = rest.split_first()?;
        let (known, rest) = rest.split_first()?;
        let (certificate, rest) = rest.split_first_chunk::<32>()?;
        let (detail, rest) = rest.split_first_chunk::<32>()?;
        let previous: &[u8; 32] = rest.try_into().ok()?;
        let entry = Self {
            what: NewEntry {
                record: std::str::from_utf8(record).ok()?.parse().ok()?,
                record_sm3: Sm3Digest::new(*record_sm3),
                step: Step::from_code(*step)?,
                at: RecordTime {
                    at_ms: u64::from_be_bytes(*at_ms),
                    bound_us: (*bounded == 1).then(|| u32::from_be_bytes(*bound_us)),
                },
                actor: Actor {
                    certificate_sm3: (*known == 1).then(|| Sm3Digest::new(*certificate)),
                    role: ActorRole::from_code(*role)?,
                },
                detail: Sm3Digest::new(*detail),
            },
            sequence: u32::from_be_bytes(*sequence),
            previous: Sm3Digest::new(*previous),
        };
        // Flags other than 0 and 1, and values behind a 0, have no second encoding.
        let anonymous = entry.what.actor.certificate_sm3.is_none();
        let consistent = anonymous == (entry.what.actor.role == ActorRole::Public);
        (*version == VERSION && consistent && entry.to_bytes() == *bytes).then_some(entry)
    }

    /// SM3(`changbai/core/process-entry/v1` ‖ [`to_bytes`](Self::to_bytes)).
    pub fn digest(&self) -> Sm3Digest {
        sm3_parts(&[domain::PROCESS_ENTRY, &self.to_bytes()])
    }
}

/// What a node signs for one page: every entry that it made durable at once, after all pages before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<'a> {
    /// The channel that the records are on.
    pub channel: &'a str,
    /// SM3 of the signing certificate's DER.
    pub certificate_sm3: Sm3Digest,
    /// Number of the page in the node's log, from 1.
    pub number: u64,
    /// [`hash`](Self::hash) of the page before; zeros for the first.
    pub previous: Sm3Digest,
    /// Entries in the page.
    pub size: u32,
    /// RFC 6962 root over the entries' digests, in the page's order.
    pub root: Sm3Digest,
}

impl Page<'_> {
    /// `changbai/core/process-page/v1` ‖ u32 length of channel ‖ channel ‖ SM3 of the certificate ‖ u64 number ‖
    /// previous ‖ u32 size ‖ root.
    pub fn message(&self) -> Vec<u8> {
        let channel = u32::try_from(self.channel.len()).unwrap_or(u32::MAX).to_be_bytes();
        [
            domain::PROCESS_PAGE,
            &channel,
            self.channel.as_bytes(),
            self.certificate_sm3.as_bytes(),
            &self.number.to_be_bytes(),
            self.previous.as_bytes(),
            &self.size.to_be_bytes(),
            self.root.as_bytes(),
        ]
        .concat()
    }

    /// SM3 of the message: what the next page names.
    pub fn hash(&self) -> Sm3Digest {
        smkit::sm3::sm3(&self.message())
    }
}

/// The leaf that stands for the head of one chain in the tree of heads that a node anchors on the ledger:
/// SM3(0 ‖ `changbai/core/process-head/v1` ‖ SM3 of the record ‖ u32 sequence ‖ digest of the entry there).
pub fn head_leaf(record_sm3: &Sm3Digest, sequence: u32, digest: &Sm3Digest) -> Sm3Digest {
    let head =
        [domain::PROCESS_HEAD, record_sm3.as_bytes(), &sequence.to_be_bytes(), digest.as_bytes()];
    changbai_merkle::leaf_hash(&head.concat())
}

/// What the detail of each step is a digest of. Those of the steps up to `committed` follow from record and receipt.
pub mod detail {
    use super::{Record, Sm3, Sm3Digest, domain, sm3_parts};

    /// `collected`: the provenance, SM3(`changbai/core/process-collected/v1` ‖ u32 length of method ‖ method ‖ u32
    /// length of source ‖ source).
    pub fn collected(record: &Record) -> Sm3Digest {
        let length = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
        let collection = &record.parts().collection;
        sm3_parts(&[
            domain::PROCESS_COLLECTED,
            &length(&collection.method),
            collection.method.as_bytes(),
            &length(&collection.source),
            collection.source.as_bytes(),
        ])
    }

    /// `hashed`: the originals, SM3(`changbai/core/process-hashed/v1` ‖ u32 count ‖ (SM3 ‖ u64 size in bytes) …), and
    /// behind them, in a record over a batch, its root ‖ u64 number of its leaves.
    pub fn hashed(record: &Record) -> Sm3Digest {
        let originals = record.originals();
        let mut digest = Sm3::default();
        digest.update(domain::PROCESS_HASHED);
        digest.update(&u32::try_from(originals.len()).unwrap_or(u32::MAX).to_be_bytes());
        for original in originals {
            digest.update(original.sm3.as_bytes());
            digest.update(&original.size_bytes.to_be_bytes());
        }
        if let Some(batch) = &record.parts().batch {
            digest.update(batch.root.as_bytes());
            digest.update(&batch.size.to_be_bytes());
        }
        digest.finalize()
    }

    /// `submitted`: SM3 of the record's bytes.
    pub fn submitted(record: &Record) -> Sm3Digest {
        smkit::sm3::sm3(record.as_bytes())
    }

    /// `committed`: the place on the ledger, SM3(`changbai/core/process-committed/v1` ‖ transaction id (32) ‖ u64 block
    /// ‖ u32 index). The detail of `endorsed` is the transaction id alone, of `viewed` and `verified` the SM3 of the
    /// record's bytes, of `exported` the SM3 of what was handed
    /// out (the certificate's document, else the receipt), of `court_query` the id of the transaction that
    /// notes the query.
    pub fn committed(tx_id: &Sm3Digest, block_number: u64, index: u32) -> Sm3Digest {
        sm3_parts(&[
            domain::PROCESS_COMMITTED,
            tx_id.as_bytes(),
            &block_number.to_be_bytes(),
            &index.to_be_bytes(),
        ])
    }
}

impl Step {
    /// Every step, in the order of a record's life.
    pub const ALL: [Self; 9] = [
        Self::Collected,
        Self::Hashed,
        Self::Submitted,
        Self::Endorsed,
        Self::Committed,
        Self::Viewed,
        Self::Exported,
        Self::Verified,
        Self::CourtQuery,
    ];
    /// What every complete log begins with, in this order and once each.
    pub const RECORDING: [Self; 5] =
        [Self::Collected, Self::Hashed, Self::Submitted, Self::Endorsed, Self::Committed];

    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Collected => "collected",
            Self::Hashed => "hashed",
            Self::Submitted => "submitted",
            Self::Endorsed => "endorsed",
            Self::Committed => "committed",
            Self::Viewed => "viewed",
            Self::Exported => "exported",
            Self::Verified => "verified",
            Self::CourtQuery => "court_query",
        }
    }

    /// The name in Chinese.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Collected => "采集",
            Self::Hashed => "计算摘要",
            Self::Submitted => "提交",
            Self::Endorsed => "背书",
            Self::Committed => "上链",
            Self::Viewed => "查看",
            Self::Exported => "导出",
            Self::Verified => "核验",
            Self::CourtQuery => "法院查询",
        }
    }

    /// The step of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }

    /// Whether the step is one of [`RECORDING`](Self::RECORDING).
    pub const fn is_recording(self) -> bool {
        matches!(
            self,
            Self::Collected | Self::Hashed | Self::Submitted | Self::Endorsed | Self::Committed
        )
    }

    /// 1 to 9, in the order of [`ALL`](Self::ALL).
    const fn code(self) -> u8 {
        match self {
            Self::Collected => 1,
            Self::Hashed => 2,
            Self::Submitted => 3,
            Self::Endorsed => 4,
            Self::Committed => 5,
            Self::Viewed => 6,
            Self::Exported => 7,
            Self::Verified => 8,
            Self::CourtQuery => 9,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.code() == code)
    }
}

impl ActorRole {
    const ALL: [Self; 6] =
        [Self::Public, Self::Member, Self::Client, Self::Admin, Self::Court, Self::Node];

    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Member => "member",
            Self::Client => "client",
            Self::Admin => "admin",
            Self::Court => "court",
            Self::Node => "node",
        }
    }

    /// The role in Chinese.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Public => "公众",
            Self::Member => "通道成员",
            Self::Client => "提交者",
            Self::Admin => "管理员",
            Self::Court => "法院",
            Self::Node => "存证节点",
        }
    }

    /// The role of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// 0 to 5, in the order of the type.
    const fn code(self) -> u8 {
        match self {
            Self::Public => 0,
            Self::Member => 1,
            Self::Client => 2,
            Self::Admin => 3,
            Self::Court => 4,
            Self::Node => 5,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }
}

impl Actor {
    /// Somebody who was not asked who they are.
    pub const PUBLIC: Self = Self { certificate_sm3: None, role: ActorRole::Public };

    /// The holder of a certificate.
    pub const fn known(certificate_sm3: Sm3Digest, role: ActorRole) -> Self {
        Self { certificate_sm3: Some(certificate_sm3), role }
    }
}

const VERSION: u8 = 1;
