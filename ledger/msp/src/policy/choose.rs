//! Planning: whom to ask for signatures so that a policy is satisfied.

use std::{collections::BTreeSet, fmt, sync::Arc};

use thiserror::Error;

use super::{EffectivePolicy, Policy, effective::Node};
use crate::{
    Identity,
    limits::{PLAN_CANDIDATES_MAX, PLAN_PICKS_MAX, PLAN_STEPS_MAX, SIGNERS_MAX},
};

/// Nobody available can complete what a policy asks for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct Missing {
    /// Organisations that the policy names and none of whose available endorsers fits; all that it
    /// names, when each has one but they are too few. Enough of these would have to be added.
    pub organisations: Vec<String>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.organisations.is_empty() {
            return f.write_str("nobody could satisfy the policy");
        }
        write!(f, "too few endorsers: missing are {}", self.organisations.join(", "))
    }
}

impl EffectivePolicy {
    /// Places in `endorsers` of a smallest set of signers that satisfies the policy, in an order
    /// in which [`EffectivePolicy::evaluate`] says so: the order for the endorsements of a
    /// transaction. Of sets of one size, those with earlier endorsers come first; a certificate
    /// listed twice counts once, at its first place.
    ///
    /// The work is bounded by [`PLAN_STEPS_MAX`]. Where a policy is so entangled that the bound is
    /// reached, the set may not be a smallest one; still none of its signers can be left out.
    /// Of endorsers of organisations in the policy, those beyond [`PLAN_CANDIDATES_MAX`] are not
    /// considered.
    ///
    /// # Errors
    /// [`Missing`] when no set was found.
    pub fn choose(&self, endorsers: &[Arc<Identity>]) -> Result<Vec<usize>, Missing> {
        let candidates = Candidates::of(self, endorsers);
        let mut leaves = 0;
        let found = candidates
            .rule(&self.0, &mut leaves)
            .and_then(|rule| Search::run(self, &candidates, &rule))
            .or_else(|| candidates.everybody(self))
            .map(|places| candidates.shrink(self, places));
        let found = found.filter(|places| places.len() <= SIGNERS_MAX);
        found
            .map(|places| places.into_iter().filter_map(|at| candidates.place(at)).collect())
            .ok_or_else(|| self.lacking(&candidates))
    }

    fn lacking(&self, candidates: &Candidates<'_>) -> Missing {
        let mut without = BTreeSet::new();
        self.0.each_principal(&mut |leaf, msp_id| {
            if candidates.fitting(leaf) == 0 {
                without.insert(msp_id.to_owned());
            }
        });
        if without.is_empty() {
            without = self.organisations().into_iter().map(ToOwned::to_owned).collect();
        }
        Missing { organisations: without.into_iter().collect() }
    }
}

impl Node {
    fn each_principal<'a>(&'a self, visit: &mut dyn FnMut(&'a Policy, &'a str)) {
        match self {
            Self::Signature(policy) => policy.each_principal(visit),
            Self::Groups { groups, .. } => groups.iter().for_each(|g| g.each_principal(visit)),
            Self::Never => {}
        }
    }
}

impl Policy {
    fn each_principal<'a>(&'a self, visit: &mut dyn FnMut(&'a Self, &'a str)) {
        match self {
            Self::SignedBy { msp_id, .. } => visit(self, msp_id),
            Self::OutOf { rules, .. } => rules.iter().for_each(|rule| rule.each_principal(visit)),
        }
    }
}

/// A set of candidates, one bit each.
type Set = u128;

/// Different endorsers that fit something in the policy, with their places in the caller's list.
struct Candidates<'a> {
    identities: Vec<(usize, &'a Identity)>,
}

impl<'a> Candidates<'a> {
    fn of(policy: &EffectivePolicy, endorsers: &'a [Arc<Identity>]) -> Self {
        let named = policy.organisations();
        let mut identities: Vec<(usize, &Identity)> = Vec::new();
        for (place, identity) in endorsers.iter().enumerate() {
            let same = |(_, known): &(usize, &Identity)| {
                known.msp_id == identity.msp_id
                    && known.certificate.sm3() == identity.certificate.sm3()
            };
            let useful = named.contains(identity.msp_id.as_str());
            if useful && identities.len() < PLAN_CANDIDATES_MAX && !identities.iter().any(same) {
                identities.push((place, identity));
            }
        }
        Self { identities }
    }

    fn place(&self, at: usize) -> Option<usize> {
        self.identities.get(at).map(|(place, _)| *place)
    }

    fn fitting(&self, leaf: &Policy) -> Set {
        let Policy::SignedBy { msp_id, role } = leaf else { return 0 };
        let fits = |identity: &Identity| identity.msp_id == *msp_id && identity.has_role(*role);
        let places = self.identities.iter().enumerate().filter(|(_, (_, who))| fits(who));
        places.fold(0, |set, (at, _)| set | bit(at))
    }

    /// Whether one may stand for the other wherever the policy asks.
    fn alike(&self, one: usize, other: usize) -> bool {
        match (self.identities.get(one), self.identities.get(other)) {
            (Some((_, one)), Some((_, other))) => {
                one.msp_id == other.msp_id && one.roles == other.roles
            }
            _ => false,
        }
    }

    fn satisfy(&self, policy: &EffectivePolicy, places: &[usize]) -> bool {
        let signers: Vec<&Identity> =
            places.iter().filter_map(|at| self.identities.get(*at)).map(|(_, who)| *who).collect();
        policy.evaluate(&signers)
    }

    fn everybody(&self, policy: &EffectivePolicy) -> Option<Vec<usize>> {
        let all: Vec<usize> = (0..self.identities.len().min(SIGNERS_MAX)).collect();
        self.satisfy(policy, &all).then_some(all)
    }

    /// Leaves out whoever is not needed, the least preferred first.
    fn shrink(&self, policy: &EffectivePolicy, mut places: Vec<usize>) -> Vec<usize> {
        loop {
            let mut order = places.clone();
            order.sort_unstable_by(|a, b| b.cmp(a));
            let without = |who: &usize| -> Vec<usize> {
                places.iter().copied().filter(|at| at != who).collect()
            };
            let smaller = order.iter().map(without).find(|fewer| self.satisfy(policy, fewer));
            match smaller {
                Some(fewer) => places = fewer,
                None => return places,
            }
        }
    }

    /// The policy as the search sees it, without what nobody can satisfy; `None` if that is all.
    fn rule(&self, node: &Node, leaves: &mut usize) -> Option<Rule> {
        match node {
            Node::Signature(policy) => self.signature_rule(policy, leaves),
            Node::Groups { needed, groups } => {
                let rules = groups.iter().filter_map(|group| self.rule(group, leaves)).collect();
                Rule::gate(*needed, rules, true)
            }
            Node::Never => None,
        }
    }

    fn signature_rule(&self, policy: &Policy, leaves: &mut usize) -> Option<Rule> {
        match policy {
            Policy::SignedBy { .. } => {
                let (at, fits) = (*leaves, self.fitting(policy));
                *leaves = leaves.saturating_add(1);
                (fits != 0).then_some(Rule {
                    least: 1,
                    best: fits.trailing_zeros(),
                    fits,
                    kind: Kind::Leaf { at },
                })
            }
            Policy::OutOf { n, rules } => {
                let rules = rules.iter().filter_map(|rule| self.signature_rule(rule, leaves));
                Rule::gate(usize::try_from(*n).ok()?, rules.collect(), false)
            }
        }
    }
}

/// A rule that candidates may satisfy.
struct Rule {
    /// No set with fewer signers satisfies it.
    least: usize,
    /// The most preferred set of that size has no candidate behind this one, roughly.
    best: u32,
    /// Whoever fits something in it.
    fits: Set,
    kind: Kind,
}

enum Kind {
    /// Place among the principals of the policy, in the order of evaluation.
    Leaf { at: usize },
    /// `apart`: each rule is judged with all signers, not with those that are left.
    Gate { needed: usize, rules: Vec<Rule>, apart: bool },
}

impl Rule {
    /// The cheapest rules, and among them the preferred ones, come first.
    fn gate(needed: usize, mut rules: Vec<Self>, apart: bool) -> Option<Self> {
        if rules.len() < needed || needed == 0 {
            return None;
        }
        rules.sort_by_key(|rule| (rule.least, rule.best));
        let cheapest = || rules.iter().take(needed);
        let mut seen: Set = 0;
        let disjoint = rules.iter().all(|rule| {
            let alone = seen & rule.fits == 0;
            seen |= rule.fits;
            alone
        });
        let least = if !apart || disjoint {
            cheapest().map(|rule| rule.least).sum()
        } else {
            cheapest().map(|rule| rule.least).max().unwrap_or(1)
        };
        let best = cheapest().map(|rule| rule.best).max().unwrap_or(0);
        let fits = rules.iter().fold(0, |set, rule| set | rule.fits);
        Some(Self { least, best, fits, kind: Kind::Gate { needed, rules, apart } })
    }
}

/// Branch and bound over which rules are met, and by whom.
struct Search<'a> {
    policy: &'a EffectivePolicy,
    candidates: &'a Candidates<'a>,
    least: usize,
    /// Candidates in use where each signer counts once, by scope.
    used: Vec<Set>,
    chosen: Set,
    /// Principal and candidate, in the order of the search.
    picks: Vec<(usize, usize)>,
    best: Option<Vec<usize>>,
    steps: usize,
}

/// What is still to be met.
#[derive(Clone, Copy)]
struct Goals<'g> {
    goal: Goal<'g>,
    next: Option<&'g Self>,
}

#[derive(Clone, Copy)]
enum Goal<'g> {
    One { rule: &'g Rule, scope: usize },
    Several { rules: &'g [Rule], needed: usize, apart: bool, scope: usize },
}

impl<'a> Search<'a> {
    fn run(
        policy: &'a EffectivePolicy,
        candidates: &'a Candidates<'a>,
        rule: &Rule,
    ) -> Option<Vec<usize>> {
        let mut search = Self {
            policy,
            candidates,
            least: rule.least,
            used: vec![0],
            chosen: 0,
            picks: Vec::new(),
            best: None,
            steps: 0,
        };
        search.meet(Some(&Goals { goal: Goal::One { rule, scope: 0 }, next: None }));
        search.best
    }

    fn meet(&mut self, goals: Option<&Goals<'_>>) {
        let Some(Goals { goal, next }) = goals else { return self.found() };
        self.steps = self.steps.saturating_add(1);
        if self.is_over() || self.picks.len() > PLAN_PICKS_MAX {
            return;
        }
        match *goal {
            Goal::One { rule, scope } => match &rule.kind {
                Kind::Leaf { at } => self.pick(*at, rule.fits, scope, *next),
                Kind::Gate { needed, rules, apart } => {
                    let goal = Goal::Several { rules, needed: *needed, apart: *apart, scope };
                    self.meet(Some(&Goals { goal, next: *next }));
                }
            },
            Goal::Several { needed: 0, .. } => self.meet(*next),
            Goal::Several { rules, needed, apart, scope } => {
                // A loop over the first rule to be met, since recursion is as deep as the picks only.
                let last = rules.len().saturating_sub(needed);
                for rules in (0..=last).filter_map(|first| rules.get(first..)) {
                    self.meet_first(rules, needed, apart, scope, *next);
                    if self.is_over() {
                        return;
                    }
                }
            }
        }
    }

    /// Meets the first of the rules, then the others needed among those behind it.
    fn meet_first(
        &mut self,
        rules: &[Rule],
        needed: usize,
        apart: bool,
        scope: usize,
        next: Option<&Goals<'_>>,
    ) {
        let Some((first, rest)) = rules.split_first() else { return };
        if rules.len() < needed {
            return;
        }
        let needed = needed.saturating_sub(1);
        let others = Goals { goal: Goal::Several { rules: rest, needed, apart, scope }, next };
        let scopes = self.used.len();
        if apart {
            self.used.push(0);
        }
        let goal = Goal::One { rule: first, scope: if apart { scopes } else { scope } };
        self.meet(Some(&Goals { goal, next: Some(&others) }));
        self.used.truncate(scopes);
    }

    /// Tries whoever fits a principal: those chosen elsewhere first, they cost nothing more.
    fn pick(&mut self, leaf: usize, fits: Set, scope: usize, next: Option<&Goals<'_>>) {
        let Some(used) = self.used.get(scope).copied() else { return };
        let free = fits & !used;
        let mut tried: Vec<usize> = Vec::new();
        for who in members(free & self.chosen).chain(members(free & !self.chosen)) {
            let fresh = self.chosen & bit(who) == 0;
            if fresh && tried.iter().any(|other| self.candidates.alike(who, *other)) {
                continue;
            }
            if fresh {
                tried.push(who);
                if self.chosen_count() >= self.size_max() {
                    continue;
                }
            }
            let before = self.chosen;
            self.chosen |= bit(who);
            self.set_used(scope, used | bit(who));
            self.picks.push((leaf, who));
            self.meet(next);
            self.picks.pop();
            self.set_used(scope, used);
            self.chosen = before;
            if self.is_over() {
                return;
            }
        }
    }

    /// Everything is met on paper. The policy has the last word: its evaluation goes by the order of
    /// rules and signers and never tries a second way.
    fn found(&mut self) {
        self.steps = self.steps.saturating_add(EVALUATION_STEPS);
        let mut by_rule = self.picks.clone();
        by_rule.sort_by_key(|(leaf, _)| *leaf);
        let mut seen: Set = 0;
        let mut places = Vec::with_capacity(by_rule.len());
        for (_, who) in by_rule {
            if seen & bit(who) == 0 {
                seen |= bit(who);
                places.push(who);
            }
        }
        if places.len() <= self.size_max() && self.candidates.satisfy(self.policy, &places) {
            self.best = Some(places);
        }
    }

    fn set_used(&mut self, scope: usize, used: Set) {
        if let Some(slot) = self.used.get_mut(scope) {
            *slot = used;
        }
    }

    fn chosen_count(&self) -> usize {
        usize::try_from(self.chosen.count_ones()).unwrap_or(usize::MAX)
    }

    /// Larger sets are of no interest any more.
    fn size_max(&self) -> usize {
        self.best.as_ref().map_or(SIGNERS_MAX, |best| best.len().saturating_sub(1))
    }

    fn is_over(&self) -> bool {
        self.steps > PLAN_STEPS_MAX || self.best.as_ref().is_some_and(|b| b.len() <= self.least)
    }
}

fn bit(at: usize) -> Set {
    u32::try_from(at).ok().and_then(|at| 1_u128.checked_shl(at)).unwrap_or(0)
}

fn members(mut set: Set) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        (at < Set::BITS).then(|| usize::try_from(at).unwrap_or(usize::MAX))
    })
}

/// What one evaluation of the policy costs, in steps of the search.
const EVALUATION_STEPS: usize = 16;
