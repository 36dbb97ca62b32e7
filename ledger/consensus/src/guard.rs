//! The last line against signing twice: what the own key has signed at the current height,
//! whoever asks and whatever the core believes.

use std::collections::BTreeMap;

use smkit::Sm3Digest;

use crate::{MessageKind, context::Sig};

/// Own signatures of one height. Grows by at most three entries a round.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    height: u64,
    signed: BTreeMap<(u32, MessageKind), (Sm3Digest, Sig)>,
}

/// What the guard knows about a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing was signed in its place.
    Nothing,
    /// It was signed before, thus.
    Same(Sig),
    /// Something else was signed in its place, or the height is not the current one.
    Conflict,
}

impl Guard {
    /// Forgets the height before; the caller never goes back.
    pub(crate) fn start(&mut self, height: u64) {
        self.height = height;
        self.signed.clear();
    }

    /// Notes that the own key signed the statement with this digest.
    pub(crate) fn record(
        &mut self,
        height: u64,
        round: u32,
        kind: MessageKind,
        digest: Sm3Digest,
        signature: Sig,
    ) -> Known {
        let known = self.known(height, round, kind, &digest);
        if known == Known::Nothing {
            self.signed.insert((round, kind), (digest, signature));
        }
        known
    }

    pub(crate) fn known(
        &self,
        height: u64,
        round: u32,
        kind: MessageKind,
        digest: &Sm3Digest,
    ) -> Known {
        if height != self.height {
            return Known::Conflict;
        }
        match self.signed.get(&(round, kind)) {
            None => Known::Nothing,
            Some((signed, signature)) if signed == digest => Known::Same(*signature),
            Some(_) => Known::Conflict,
        }
    }
}
