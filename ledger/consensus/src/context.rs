//! Every type Malachite's core is generic over, in one file: the pin may change, this file
//! absorbs it.

use std::{collections::BTreeMap, fmt, sync::Arc};

use changbai_wire::ValidatorAddress;
use core_types::{NilOrVal, Round, SignedExtension, VoteType, VotingPower};
use smkit::{Sm3Digest, sm2};

use crate::ValidatorSet;

/// The context itself: carries nothing, because choosing a proposer needs the set alone.
#[derive(Clone, Debug)]
pub(crate) struct Ctx;

impl core_types::Context for Ctx {
    type Address = Address;
    type Height = Height;
    type ProposalPart = NoPart;
    type Proposal = Proposal;
    type Validator = Validator;
    type ValidatorSet = Validators;
    type Timeouts = core_types::LinearTimeouts;
    type Value = BlockId;
    type Vote = Vote;
    type Extension = NoExtension;
    type SigningScheme = Scheme;

    /// Round robin over the set's order; a pure function of its arguments.
    #[expect(
        clippy::expect_used,
        reason = "a set is never empty, and the index is modulo its size"
    )]
    fn select_proposer<'a>(
        &self,
        set: &'a Validators,
        height: Height,
        round: Round,
    ) -> &'a Validator {
        let index = proposer_index(set.members.len(), height.0, round.as_u32().unwrap_or(0));
        set.members.get(index).expect("invariant: the index is below the size of a non-empty set")
    }

    fn new_proposal(
        &self,
        height: Height,
        round: Round,
        value: BlockId,
        pol_round: Round,
        address: Address,
    ) -> Proposal {
        Proposal { height, round, value, pol_round, address }
    }

    fn new_prevote(
        &self,
        height: Height,
        round: Round,
        value: NilOrVal<BlockId>,
        address: Address,
    ) -> Vote {
        Vote { kind: VoteType::Prevote, height, round, value, address }
    }

    fn new_precommit(
        &self,
        height: Height,
        round: Round,
        value: NilOrVal<BlockId>,
        address: Address,
    ) -> Vote {
        Vote { kind: VoteType::Precommit, height, round, value, address }
    }
}

/// Position of the proposer of (height, round) among `count` validators; 0 for an empty set.
pub(crate) fn proposer_index(count: usize, height: u64, round: u32) -> usize {
    let count = count as u128;
    let turn = u128::from(height).saturating_add(u128::from(round));
    turn.checked_rem(count).and_then(|index| usize::try_from(index).ok()).unwrap_or(0)
}

/// A height: the number of the block to decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Height(pub(crate) u64);

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core_types::Height for Height {
    const ZERO: Self = Self(0);
    const INITIAL: Self = Self(1);

    fn increment_by(&self, n: u64) -> Self {
        Self(self.0.saturating_add(n))
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

/// A validator's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address(pub(crate) ValidatorAddress);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core_types::Address for Address {}

/// What is decided: the hash of a block's header. It is value and value id at once, because
/// bodies travel outside the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct BlockId(pub(crate) Sm3Digest);

impl fmt::Display for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core_types::Value for BlockId {
    type Id = Self;

    fn id(&self) -> Self {
        *self
    }
}

/// Unused: bodies travel outside the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoPart;

impl core_types::ProposalPart<Ctx> for NoPart {
    fn is_first(&self) -> bool {
        true
    }

    fn is_last(&self) -> bool {
        true
    }
}

/// Unused: vote extensions are disabled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoExtension;

impl core_types::Extension for NoExtension {
    fn size_bytes(&self) -> usize {
        0
    }
}

/// A proposal of a block for one round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub(crate) height: Height,
    pub(crate) round: Round,
    pub(crate) value: BlockId,
    pub(crate) pol_round: Round,
    pub(crate) address: Address,
}

impl core_types::Proposal<Ctx> for Proposal {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &BlockId {
        &self.value
    }

    fn take_value(self) -> BlockId {
        self.value
    }

    fn pol_round(&self) -> Round {
        self.pol_round
    }

    fn validator_address(&self) -> &Address {
        &self.address
    }
}

/// A prevote or precommit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vote {
    pub(crate) kind: VoteType,
    pub(crate) height: Height,
    pub(crate) round: Round,
    pub(crate) value: NilOrVal<BlockId>,
    pub(crate) address: Address,
}

impl core_types::Vote<Ctx> for Vote {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<BlockId> {
        &self.value
    }

    fn take_value(self) -> NilOrVal<BlockId> {
        self.value
    }

    fn vote_type(&self) -> VoteType {
        self.kind
    }

    fn validator_address(&self) -> &Address {
        &self.address
    }

    fn extension(&self) -> Option<&SignedExtension<Ctx>> {
        None
    }

    fn take_extension(&mut self) -> Option<SignedExtension<Ctx>> {
        None
    }

    fn extend(self, _: SignedExtension<Ctx>) -> Self {
        self
    }
}

/// A member of the set; every member has one vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Validator {
    address: Address,
    key: Key,
}

impl core_types::Validator<Ctx> for Validator {
    fn address(&self) -> &Address {
        &self.address
    }

    fn public_key(&self) -> &Key {
        &self.key
    }

    fn voting_power(&self) -> VotingPower {
        1
    }
}

/// The set in the core's terms; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Validators {
    members: Arc<Vec<Validator>>,
    positions: Arc<BTreeMap<Address, usize>>,
}

impl From<&ValidatorSet> for Validators {
    fn from(set: &ValidatorSet) -> Self {
        let member = |member: &crate::Member| Validator {
            address: Address(member.address),
            key: Key { address: Address(member.address), key: member.key.clone() },
        };
        let members: Vec<_> = set.members().iter().map(member).collect();
        let positions = members.iter().enumerate().map(|(at, member)| (member.address, at));
        Self { positions: Arc::new(positions.collect()), members: Arc::new(members) }
    }
}

impl core_types::ValidatorSet<Ctx> for Validators {
    fn count(&self) -> usize {
        self.members.len()
    }

    fn total_voting_power(&self) -> VotingPower {
        self.members.len() as VotingPower
    }

    fn get_by_address(&self, address: &Address) -> Option<&Validator> {
        self.positions.get(address).and_then(|position| self.members.get(*position))
    }

    fn get_by_index(&self, index: usize) -> Option<&Validator> {
        self.members.get(index)
    }
}

/// A validator's public key together with the address derived from it, by which verified
/// signatures are remembered.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) address: Address,
    pub(crate) key: sm2::VerifyingKey,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.address)
    }
}

/// An SM2 signature in the order the core wants: by its 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sig(pub(crate) sm2::Signature);

impl PartialOrd for Sig {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sig {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.to_bytes().cmp(&other.0.to_bytes())
    }
}

impl fmt::Debug for Sig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.to_bytes();
        write!(f, "Sig(")?;
        bytes.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, "…)")
    }
}

/// SM2 with SM3. The core never signs, verifies or decodes by itself; it only carries the types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scheme;

impl core_types::SigningScheme for Scheme {
    type DecodingError = &'static str;
    type Signature = Sig;
    type PublicKey = Key;
    type PrivateKey = ();

    fn decode_signature(bytes: &[u8]) -> Result<Sig, &'static str> {
        let bytes: [u8; 64] = bytes.try_into().map_err(|_| "a signature has 64 bytes")?;
        sm2::Signature::from_bytes(bytes).map(Sig).map_err(|_| "a signature is two scalars")
    }

    fn encode_signature(signature: &Sig) -> Vec<u8> {
        signature.0.to_bytes().to_vec()
    }

    fn decode_public_key(_: &[u8]) -> Result<Key, &'static str> {
        Err("keys come from the validator set only")
    }

    fn encode_public_key(key: &Key) -> Vec<u8> {
        key.key.public_key().to_sec1().to_vec()
    }
}
