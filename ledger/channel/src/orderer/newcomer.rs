//! A validator whose consensus log was made anew, though its owner does not know that its key has never
//! signed here ([`crate::Parts::unsigned`]): its disk was replaced. It does not vote before it is beyond
//! every height at which the key may have signed something that it does not remember.
//!
//! # The rule
//!
//! With *n* validators of which a quorum of *q* decides, *f = n − q* may fail. A newcomer counts as
//! one of those until it votes. It notes the first height that each other validator states after its
//! start, and votes once it has heard 2*f* of them and its ledger reaches the largest of those heights
//! **plus two**, by blocks under the certificates of the others. Per further validator heard it leaves
//! out one more of the largest, at most *f* − 1: that many may lie, and can then not keep it out.
//!
//! # Why it holds
//!
//! Let *H* be the last height at which the key signed before its log was lost. The node had block
//! *H* − 1 then, so a quorum *Q* had signed for that block, and each honest member of *Q* had block
//! *H* − 2 in its ledger. Of the *n* − 1 others at least *q* − 1 are in *Q*; of any 2*f* others therefore
//! at least 2*f* + (*q* − 1) − (*n* − 1) = *f* are, and at most *f* − 1 of the others are faulty: one that
//! was heard is honest and states at least *H* − 2, since ledgers only grow. So the ledger reaches *H*
//! before the first vote, which is for a height above *H*. A change of the validators in between does
//! not matter: the same holds for each earlier block with the validators that decided it, and the
//! newcomer does not begin right behind a block that changed them.
//!
//! Where every single validator is needed to decide (*f* = 0, up to three) nothing is waited for: no
//! second block can be decided without each of the others, and without this one nothing at all.
//! While no other has more than the genesis block, the channel counts as new to everybody: a disk that
//! is replaced within the first two blocks of a channel is the one case that is not recognised.
//!
//! That it is one is kept in a file beside the log, which is there before the log is, and is removed,
//! durably, before the first vote.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use changbai_storage::{Entry, Files, StorageError};
use changbai_wire::quorum;

use super::event::PeerId;
use super::{Orderer, Stop};

/// How far the key may have been ahead of what an honest peer has.
const AHEAD_MAX: u64 = 2;

/// What a newcomer waits for.
#[derive(Debug)]
pub(crate) struct Newcomer {
    files: Arc<dyn Files>,
    mark: PathBuf,
    /// The first height that each peer has stated since the start.
    heard: BTreeMap<PeerId, u64>,
}

impl Newcomer {
    /// Leaves the mark where there is no consensus log yet; to be called before that is made.
    pub(crate) fn mark(files: &dyn Files, wal: &Path, mark: &Path) -> Result<(), StorageError> {
        let io = |operation| move |source| fault(mark, operation, source);
        match files.open(wal, false) {
            Ok(_) => return Ok(()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(fault(wal, "open", e)),
        }
        files.open(mark, true).and_then(|file| file.sync_data()).map_err(io("create"))?;
        files.sync_dir(folder(mark)).map_err(io("create"))
    }

    /// Whether the mark is there. Whoever has records of its own votes in its log has voted since.
    pub(crate) fn find(
        files: &Arc<dyn Files>,
        mark: &Path,
        entries: &[Entry],
    ) -> Result<Option<Self>, StorageError> {
        match files.open(mark, false) {
            Ok(_) if entries.is_empty() => Ok(Some(Self {
                files: Arc::clone(files),
                mark: mark.to_owned(),
                heard: BTreeMap::new(),
            })),
            Ok(_) => Ok(None),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(fault(mark, "open", e)),
        }
    }

    /// A peer says where it stands.
    pub(super) fn hear(&mut self, peer: PeerId, height: u64) {
        self.heard.entry(peer).or_insert(height);
    }

    fn forget(&self) -> Result<(), StorageError> {
        let io = |source| fault(&self.mark, "remove", source);
        match self.files.remove(&self.mark) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(io(e)),
            _ => self.files.sync_dir(folder(&self.mark)).map_err(io),
        }
    }
}

/// The block that the ledger must reach, by what `others` state who decide together with a newcomer;
/// `None` before enough of them are heard.
fn until(mut others: Vec<u64>, validators: usize) -> Option<u64> {
    let faulty = validators.saturating_sub(quorum(validators));
    if faulty == 0 {
        return Some(0);
    }
    let more = others.len().checked_sub(2 * faulty)?;
    others.sort_unstable_by(|a, b| b.cmp(a));
    let stated = *others.get(more.min(faulty - 1))?;
    Some(if stated == 0 { 0 } else { stated.saturating_add(AHEAD_MAX) })
}

impl Orderer {
    /// Whether this node does not vote yet since it may have voted before, on a disk that is gone.
    #[must_use]
    pub fn is_newcomer(&self) -> bool {
        self.newcomer.is_some()
    }

    /// Lets a newcomer vote from now on, if it may.
    pub(super) fn join_in(&mut self) -> Result<(), Stop> {
        let (Some(newcomer), Some(own)) = (&self.newcomer, self.own) else { return Ok(()) };
        let epoch = self.shared.epoch();
        let set = &epoch.validators;
        if set.position(&own).is_none() {
            return Ok(());
        }
        let others = set.members().iter().filter(|member| member.address != own);
        let heard = |id: PeerId| newcomer.heard.get(&id).copied();
        let stated = others.filter_map(|member| heard(PeerId::from(member.address))).collect();
        let height = self.shared.ledger.height();
        let Some(until) = until(stated, set.len()).filter(|until| *until <= height) else {
            return Ok(());
        };
        if until > 0 && self.shared.ledger.config_at(height)?.sequence != epoch.config.sequence {
            return Ok(());
        }
        newcomer.forget()?;
        self.newcomer = None;
        Ok(())
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

fn fault(file: &Path, operation: &'static str, source: std::io::Error) -> StorageError {
    StorageError::Io { file: file.to_owned(), operation, source }
}

#[cfg(test)]
mod tests {
    use super::until;

    #[test]
    fn nobody_votes_before_enough_are_heard_nor_below_what_one_honest_has_seen() {
        assert_eq!(until(vec![], 1), Some(0));
        assert_eq!(until(vec![9, 9], 3), Some(0), "each of three is needed anyhow");
        assert_eq!(until(vec![9], 4), None);
        assert_eq!(until(vec![9, 4], 4), Some(11));
        assert_eq!(until(vec![3, 9, 4], 4), Some(11));
        assert_eq!(until(vec![0, 0], 4), Some(0), "a new channel");
        // Of seven two are faulty, this one and a liar.
        assert_eq!(until(vec![5, 5, 5], 7), None);
        assert_eq!(until(vec![5, 5, 5, u64::MAX], 7), Some(u64::MAX), "it might be the honest one");
        assert_eq!(until(vec![5, 6, 5, u64::MAX, 5], 7), Some(8));
        assert_eq!(until(vec![5, 6, 5, u64::MAX, 5, 5], 7), Some(8));
    }
}
