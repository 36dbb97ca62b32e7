//! Evaluation of a signature policy against signatures, right or wrong.

use super::Policy;
use crate::{Identity, limits::SIGNERS_MAX};

/// One signature by somebody, and whether it holds.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Who is said to have signed; established by
    /// [`Membership::identify`](crate::Membership::identify).
    pub identity: &'a Identity,
    /// Whether the signature is right.
    pub holds: bool,
}

/// One signer with everything claimed in its name.
#[derive(Clone, Copy)]
pub(super) struct Signer<'a> {
    identity: &'a Identity,
    /// At least one signature is right.
    holds: bool,
    /// At least one signature is wrong.
    fails: bool,
}

impl Policy {
    /// Whether distinct signers satisfy a policy that was checked.
    pub(super) fn satisfied_by(&self, mut free: Vec<Signer<'_>>) -> bool {
        self.take_from(&mut free, false)
    }

    /// Evaluates against the signers still free, and takes those it used out of them; a failing rule
    /// leaves them as they were. `strict`: this is a rule of a gate that needs all of its rules.
    pub(super) fn take_from(&self, free: &mut Vec<Signer<'_>>, strict: bool) -> bool {
        match self {
            Self::SignedBy { msp_id, role } => {
                let fits =
                    |s: &Signer<'_>| s.identity.msp_id == *msp_id && s.identity.has_role(*role);
                if strict && free.iter().any(|signer| fits(signer) && signer.fails) {
                    return false;
                }
                match free.iter().position(|signer| fits(signer) && signer.holds) {
                    Some(at) => {
                        free.remove(at);
                        true
                    }
                    None => false,
                }
            }
            Self::OutOf { n, rules } => {
                let needed = usize::try_from(*n).unwrap_or(usize::MAX);
                let all = needed == rules.len() && needed > 1;
                let mut rest = free.clone();
                let satisfied = rules.iter().filter(|rule| rule.take_from(&mut rest, all));
                let reached = satisfied.take(needed).count() == needed;
                if reached {
                    *free = rest;
                }
                reached
            }
        }
    }
}

/// Signers whose signatures hold, each once.
pub(super) fn all_hold<'a>(signers: &[&'a Identity]) -> Vec<Signer<'a>> {
    let mut distinct: Vec<Signer<'a>> = Vec::with_capacity(signers.len().min(SIGNERS_MAX));
    for identity in signers.iter().take(SIGNERS_MAX) {
        if !distinct.iter().any(|known| known.is(identity)) {
            distinct.push(Signer { identity, holds: true, fails: false });
        }
    }
    distinct
}

/// Claims joined by signer, in order of first appearance.
pub(super) fn distinct<'a>(claims: &[Claim<'a>]) -> Vec<Signer<'a>> {
    let mut distinct: Vec<Signer<'a>> = Vec::with_capacity(claims.len().min(SIGNERS_MAX));
    for Claim { identity, holds } in claims.iter().take(SIGNERS_MAX).copied() {
        match distinct.iter_mut().find(|known| known.is(identity)) {
            Some(known) => {
                known.holds |= holds;
                known.fails |= !holds;
            }
            None => distinct.push(Signer { identity, holds, fails: !holds }),
        }
    }
    distinct
}

impl Signer<'_> {
    /// The same certificate in the same organisation is the same signer, whatever its text.
    fn is(&self, other: &Identity) -> bool {
        self.identity.msp_id == other.msp_id
            && self.identity.certificate.sm3() == other.certificate.sm3()
    }
}
