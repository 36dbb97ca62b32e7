//! Heads of chains for the ledger: what is anchored there cannot be taken away later without being missed.

use std::collections::BTreeMap;

use changbai_core::ledger::BoxFuture;
use changbai_core::process::{AnchorProof, Entry, JournalError, head_leaf};
use smkit::sm3::Sm3Digest;

use crate::error::damaged;
use crate::frame::{AnchorFrame, Frame, Head, PageFrame, Place};
use crate::limits::ANCHOR_HEADS_MAX;
use crate::log::{ProcessLog, Shared};
use crate::scan::hash;
use crate::tree::{path_in, root_of};
use crate::writer::Work;

/// The heads of all chains that grew since the last anchor, ready to be put on the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueAnchor {
    /// Counted by the node, from 1.
    pub batch: u64,
    /// The last page that it covers; the first one follows the anchor before.
    pub last_page: u64,
    /// That page's hash. It names the page before and so all of the log up to there.
    pub page_hash: Sm3Digest,
    /// Root over the heads' [`head_leaf`]s, by rising SM3 of their records.
    pub root: Sm3Digest,
    /// The heads.
    pub heads: Vec<Head>,
    first_page: u64,
}

impl ProcessLog {
    /// What is to be anchored now: at most [`ANCHOR_HEADS_MAX`] chains of the oldest pages that no anchor covers, up to
    /// `last_page` if that is given. `None` if there is nothing. Reads those pages, and checks what is in them.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn due_anchor(&self, last_page: Option<u64>) -> Result<Option<DueAnchor>, JournalError> {
        let shared = self.shared();
        let (batch, first_page, mut offset, end) = {
            let index = shared.index();
            let last = index.anchors.last();
            let covered = last.map_or(0, |anchor| anchor.last_page);
            let batch = last.map_or(0, |anchor| anchor.batch);
            (batch.saturating_add(1), covered.saturating_add(1), index.unanchored, index.end)
        };
        let mut heads = BTreeMap::new();
        let mut due: Option<(u64, Sm3Digest)> = None;
        while offset < end {
            let (frame, next) = shared.frame(offset)?;
            if let Frame::Page(page) = frame
                && page.number >= first_page
            {
                if last_page.is_some_and(|last| page.number > last) {
                    break;
                }
                let grown = heads_of(&page, &heads)
                    .ok_or_else(|| damaged(offset, "a page whose entries were altered stands"))?;
                if grown.len() > ANCHOR_HEADS_MAX {
                    break;
                }
                heads = grown;
                due = Some((page.number, hash(&shared.channel, &page)));
            }
            offset = next;
        }
        let Some((last_page, page_hash)) = due else { return Ok(None) };
        let heads: Vec<Head> = heads.into_values().collect();
        let root = root_of(&leaves(&heads)).ok_or(JournalError::Busy)?;
        Ok(Some(DueAnchor { batch, last_page, page_hash, root, heads, first_page }))
    }

    /// Number of the last anchor that the log knows of; 0 if there is none.
    pub fn last_anchor(&self) -> u64 {
        self.shared().index().anchors.last().map_or(0, |anchor| anchor.batch)
    }

    /// Notes that `anchor` is on the ledger, written by the transaction `tx_id`. Durable when the future says so.
    pub fn anchored(
        &self,
        anchor: DueAnchor,
        tx_id: Sm3Digest,
    ) -> BoxFuture<'static, Result<(), JournalError>> {
        let DueAnchor { batch, last_page, root, heads, first_page, .. } = anchor;
        self.queue(Work::Anchor(AnchorFrame { batch, tx_id, first_page, last_page, root, heads }))
    }

    /// The hash of a page: what an anchor on the ledger is compared with. `None` if the log has no such page (any
    /// more). Reads the log up to it.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn page_hash(&self, number: u64) -> Result<Option<Sm3Digest>, JournalError> {
        let shared = self.shared();
        let (pages, last, end) = {
            let index = shared.index();
            (index.pages, index.page_hash, index.end)
        };
        if number == pages {
            return Ok(Some(last));
        }
        let mut offset = 0;
        while number < pages && offset < end {
            let (frame, next) = shared.frame(offset)?;
            if let Frame::Page(page) = frame
                && page.number == number
            {
                return Ok(Some(hash(&shared.channel, &page)));
            }
            offset = next;
        }
        Ok(None)
    }
}

impl Shared {
    /// The newest anchor that covers an entry of `chain`.
    pub(crate) fn anchor_of(
        &self,
        record_sm3: &Sm3Digest,
        chain: &[(Place, Entry)],
    ) -> Result<Option<AnchorProof>, JournalError> {
        for (place, _) in chain.iter().rev() {
            let number = self.page(place.offset)?.number;
            let covering = {
                let index = self.index();
                let after = index.anchors.partition_point(|anchor| anchor.last_page < number);
                index.anchors.get(after).copied()
            };
            let Some(covering) = covering.filter(|anchor| anchor.first_page <= number) else {
                continue;
            };
            let (Frame::Anchor(anchor), _) = self.frame(covering.offset)? else {
                return Err(damaged(covering.offset, "no anchor stands"));
            };
            return self.proof_in(record_sm3, &anchor, covering.offset).map(Some);
        }
        Ok(None)
    }

    fn proof_in(
        &self,
        record_sm3: &Sm3Digest,
        anchor: &AnchorFrame,
        offset: u64,
    ) -> Result<AnchorProof, JournalError> {
        let wrong = || damaged(offset, "an anchor that does not cover its pages stands");
        let found = anchor.heads.binary_search_by(|head| head.record_sm3.cmp(record_sm3));
        let place = found.map_err(|_| wrong())?;
        let head = anchor.heads.get(place).ok_or_else(wrong)?;
        let index = u64::try_from(place).map_err(|_| wrong())?;
        let (root, inclusion) = path_in(&leaves(&anchor.heads), index).ok_or_else(wrong)?;
        if root != anchor.root {
            return Err(wrong());
        }
        let AnchorFrame { batch, tx_id, .. } = *anchor;
        Ok(AnchorProof { batch, tx_id, sequence: head.sequence, root, inclusion })
    }
}

/// `heads` with those of one more page; `None` if the page holds something that is no entry, or not what was signed.
fn heads_of(
    page: &PageFrame,
    heads: &BTreeMap<Sm3Digest, Head>,
) -> Option<BTreeMap<Sm3Digest, Head>> {
    let entries = page.slots.iter().map(|(_, bytes)| Entry::from_bytes(bytes));
    let entries: Vec<Entry> = entries.collect::<Option<_>>()?;
    let leaf = |entry: &Entry| changbai_merkle::leaf_hash(entry.digest().as_bytes());
    if root_of(&entries.iter().map(leaf).collect::<Vec<_>>())? != page.root {
        return None;
    }
    let mut heads = heads.clone();
    for entry in entries {
        let record_sm3 = entry.what.record_sm3;
        let head = Head { record_sm3, sequence: entry.sequence, digest: entry.digest() };
        heads.insert(record_sm3, head);
    }
    Some(heads)
}

fn leaves(heads: &[Head]) -> Vec<Sm3Digest> {
    heads.iter().map(|h| head_leaf(&h.record_sm3, h.sequence, &h.digest)).collect()
}
