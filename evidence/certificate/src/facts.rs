//! What a certificate may say: facts that verification has proven, and nothing else.

use changbai_core::{Record, RecordParts};
use changbai_msp::Identity;
use changbai_receipt::{
    Assurance, Bundle, HashedOriginal, Receipt, Report, Status, Trust, Verdict, verify,
};
use changbai_wire::{TxId, decode_transaction, quorum};
use serde::{Deserialize, Serialize};
use smkit::Sm3Digest;

use crate::issuer::{IssuerError, printable};

/// Facts about one evidence, each of them proven by a receipt against a trust file.
///
/// There is no other way to make one than [`establish`](Self::establish), so that no certificate can say what was
/// not proven.
#[derive(Clone, Debug)]
pub struct CertificateFacts {
    pub(crate) record: Record,
    pub(crate) record_bytes: Vec<u8>,
    pub(crate) receipt_bytes: Vec<u8>,
    /// Further entries of the bundle, by their names.
    pub(crate) further: Vec<(&'static str, Vec<u8>)>,
    pub(crate) originals_compared: bool,
    pub(crate) findings: Vec<Finding>,
    pub(crate) chain: ChainFacts,
}

/// Where and by whom the record is held.
#[derive(Clone, Debug)]
pub(crate) struct ChainFacts {
    pub(crate) channel: String,
    pub(crate) genesis: Option<Sm3Digest>,
    pub(crate) tx_id: TxId,
    pub(crate) block_number: u64,
    pub(crate) leaf_index: u64,
    pub(crate) log_size: u64,
    pub(crate) log_root: Sm3Digest,
    pub(crate) header_number: u64,
    pub(crate) header_hash: Sm3Digest,
    pub(crate) header_time_ms: u64,
    /// Microseconds; 0: not measured.
    pub(crate) header_bound_us: u32,
    pub(crate) validators: usize,
    pub(crate) signed: usize,
    pub(crate) needed: usize,
    /// Who signed the header: organisation and name in each certificate.
    pub(crate) signers: Vec<String>,
    /// Organisations on the ledger that endorsed the transaction.
    pub(crate) endorsers: Vec<String>,
    pub(crate) contract: String,
}

/// What verification said about one further element: a time stamp, witnesses, the log's consistency, the process log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finding {
    pub(crate) element: String,
    pub(crate) en: String,
    pub(crate) zh: String,
}

/// Whether the originals must have been compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Originals {
    /// All of them, or there is no certificate: the verdict must be `verified` as it stands.
    #[default]
    Compared,
    /// Originals that are not at hand are no obstacle; the certificate then says, beside each digest and among what
    /// it does not prove, that no original was compared. An original that differs is always one.
    MayBeAbsent,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotProven {
    /// Verification did not end in `verified`; the report says why.
    #[error("the evidence is not verified ({}): {}", report.verdict.english(), reason(report))]
    Verdict {
        /// The whole report.
        report: Box<Report>,
    },
    /// Roots alone vouch for the validators: anybody below those roots could have made the receipt.
    #[error("the trust file does not name the channel, which a certificate needs")]
    ChannelUnnamed,
    /// A part that was verified could not be read again.
    #[error("{part} cannot be read")]
    Unreadable {
        /// Which part.
        part: &'static str,
    },
}

impl CertificateFacts {
    /// Verifies record and receipt against `trust` and keeps what was proven. `supplied` are originals at hand
    /// besides those of the bundle. Takes no time from anywhere: the same input gives the same facts.
    ///
    /// # Errors
    /// [`NotProven`]: whatever keeps the verdict from being `verified` (see [`Originals`] for the one exception), and
    /// a trust file that does not name the channel.
    pub fn establish(
        bundle: &Bundle,
        supplied: &[HashedOriginal],
        trust: &Trust,
        originals: Originals,
    ) -> Result<Self, NotProven> {
        let report = verify(bundle, supplied, Some(trust));
        Self::reported(bundle, &report, trust, originals)
    }

    /// The facts of a bundle that was verified with this report.
    pub(crate) fn reported(
        bundle: &Bundle,
        report: &Report,
        trust: &Trust,
        originals: Originals,
    ) -> Result<Self, NotProven> {
        let originals_compared =
            report.element("original").is_some_and(|element| element.status == Status::Proven);
        let proven = match originals {
            Originals::Compared => report.verdict == Verdict::Verified,
            Originals::MayBeAbsent => report.elements.iter().all(|element| {
                matches!(element.status, Status::Proven | Status::Absent)
                    || (element.name == "original" && element.status == Status::Unchecked)
            }),
        };
        if !proven {
            return Err(NotProven::Verdict { report: Box::new(report.clone()) });
        }
        if report.assurance != Assurance::Channel {
            return Err(NotProven::ChannelUnnamed);
        }
        let record = Record::from_bytes(&bundle.record)
            .map_err(|_| NotProven::Unreadable { part: "the record" })?;
        let receipt = Receipt::from_bytes(&bundle.receipt)
            .map_err(|_| NotProven::Unreadable { part: "the receipt" })?;
        Ok(Self {
            record,
            record_bytes: bundle.record.clone(),
            receipt_bytes: bundle.receipt.clone(),
            further: further(bundle),
            originals_compared,
            findings: Finding::all(report),
            chain: ChainFacts::of(&receipt, trust)?,
        })
    }

    /// The record.
    pub fn record(&self) -> &Record {
        &self.record
    }

    pub(crate) fn parts(&self) -> &RecordParts {
        self.record.parts()
    }
}

impl Finding {
    fn all(report: &Report) -> Vec<Self> {
        let proven = FURTHER_ELEMENTS.iter().filter_map(|name| report.element(name));
        let proven = proven.filter(|element| element.status == Status::Proven);
        proven
            .map(|element| Self {
                element: element.name.to_owned(),
                en: element.reason_en.clone(),
                zh: element.reason_zh.clone(),
            })
            .collect()
    }

    pub(crate) fn check(&self) -> Result<(), IssuerError> {
        let known = FURTHER_ELEMENTS.contains(&self.element.as_str());
        let long = |text: &str| text.chars().count() > FINDING_CHARS_MAX;
        if !known || long(&self.zh) || long(&self.en) {
            return Err(IssuerError { setting: "findings", expected: "those of the verification" });
        }
        printable("findings", &self.element).map(drop)
    }
}

impl ChainFacts {
    fn of(receipt: &Receipt, trust: &Trust) -> Result<Self, NotProven> {
        let unreadable = || NotProven::Unreadable { part: "the transaction" };
        let transaction = decode_transaction(&receipt.envelope).map_err(|_| unreadable())?;
        let mut endorsers = transaction
            .endorsements
            .iter()
            .map(|(endorser, _)| Identity::parse(endorser).map(|identity| identity.msp_id))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| unreadable())?;
        endorsers.sort();
        endorsers.dedup();
        let header = &receipt.header;
        Ok(Self {
            channel: header.channel_id.clone(),
            genesis: trust.channel(&header.channel_id).map(|anchor| anchor.genesis),
            tx_id: transaction.tx_id,
            block_number: receipt.leaf.block_number,
            leaf_index: receipt.inclusion.index,
            log_size: header.log_size,
            log_root: header.log_root,
            header_number: header.number,
            header_hash: header.hash(),
            header_time_ms: header.time_ms,
            header_bound_us: header.time_bound_us,
            validators: receipt.validators.len(),
            signed: receipt.signatures.len(),
            needed: quorum(receipt.validators.len()),
            signers: signers(receipt),
            endorsers,
            contract: format!("{} {}", transaction.chaincode_name, transaction.chaincode_version),
        })
    }
}

/// What is attached besides record and receipt, so that a reader can verify it as well.
fn further(bundle: &Bundle) -> Vec<(&'static str, Vec<u8>)> {
    let entries = [
        ("batch.json", &bundle.batch),
        ("checkpoint.json", &bundle.checkpoint),
        ("process.json", &bundle.process),
    ];
    entries.into_iter().filter_map(|(name, bytes)| Some((name, bytes.clone()?))).collect()
}

/// Organisation and name of everybody who signed the header, in the validators' order.
fn signers(receipt: &Receipt) -> Vec<String> {
    receipt
        .validators
        .iter()
        .filter(|certificate| {
            let address = changbai_wire::ValidatorAddress::for_key(certificate.public_key());
            receipt.signatures.iter().any(|commit| commit.validator == address)
        })
        .map(|certificate| {
            let organisation = certificate.organisation().join(" ");
            match certificate.common_name() {
                Some(name) if organisation.is_empty() => name,
                Some(name) => format!("{organisation}（{name}）"),
                None => organisation,
            }
        })
        .collect()
}

/// The first element that is in the way, in English.
fn reason(report: &Report) -> &str {
    let wanting = [Status::Failed, Status::Unchecked];
    wanting
        .iter()
        .find_map(|status| report.elements.iter().find(|element| element.status == *status))
        .map_or("no element", |element| &element.reason_en)
}

/// Elements of the verification that a certificate prints when they are proven, besides those it always needs.
const FURTHER_ELEMENTS: [&str; 5] =
    ["batch", "log_consistency", "witness", "time_token", "process_log"];
/// Longest sentence that is printed.
const FINDING_CHARS_MAX: usize = 2_000;
