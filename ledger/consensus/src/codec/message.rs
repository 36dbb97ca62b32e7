//! What validators tell each other.

use core_consensus::{Input, LivenessMsg, SignedConsensusMsg};
use core_types::{
    PolkaCertificate, PolkaSignature, RoundCertificate, RoundCertificateType, RoundSignature,
    SignedProposal, SignedVote,
};

use super::{CodecError, Reader, Writer};
use crate::{
    context::{Ctx, Height, Proposal, Vote},
    limits::MESSAGE_BYTES_MAX,
};

pub(super) const VOTE: u8 = 1;
pub(super) const PROPOSAL: u8 = 2;
pub(super) const POLKA: u8 = 3;
const ROUND: u8 = 6;

/// A message between validators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Vote(SignedVote<Ctx>),
    Proposal(SignedProposal<Ctx>),
    Polka(PolkaCertificate<Ctx>),
    Round(RoundCertificate<Ctx>),
}

impl Message {
    /// At most [`MESSAGE_BYTES_MAX`] bytes; needs no channel, because every signature inside is
    /// over the channel's name.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, CodecError> {
        match self {
            Self::Vote(vote) => encode_vote(vote),
            Self::Proposal(proposal) => encode_proposal(proposal),
            Self::Polka(certificate) => encode_polka(certificate),
            Self::Round(certificate) => encode_round(certificate),
        }
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(CodecError::TooLong { count: bytes.len() });
        }
        let (tag, mut reader) = Reader::open(bytes)?;
        let message = match tag {
            VOTE => Self::Vote(decode_vote(&mut reader)?),
            PROPOSAL => Self::Proposal(decode_proposal(&mut reader)?),
            POLKA => Self::Polka(decode_polka(&mut reader)?),
            ROUND => Self::Round(decode_round(&mut reader)?),
            found => return Err(CodecError::Value { field: "tag", found: found.into() }),
        };
        reader.finish()?;
        Ok(message)
    }

    pub(crate) fn height(&self) -> Height {
        match self {
            Self::Vote(vote) => vote.message.height,
            Self::Proposal(proposal) => proposal.message.height,
            Self::Polka(certificate) => certificate.height,
            Self::Round(certificate) => certificate.height,
        }
    }

    pub(crate) fn into_input(self) -> Input<Ctx> {
        match self {
            Self::Vote(vote) => Input::Vote(vote),
            Self::Proposal(proposal) => Input::Proposal(proposal),
            Self::Polka(certificate) => Input::PolkaCertificate(certificate),
            Self::Round(certificate) => Input::RoundCertificate(certificate),
        }
    }
}

impl From<SignedConsensusMsg<Ctx>> for Message {
    fn from(message: SignedConsensusMsg<Ctx>) -> Self {
        match message {
            SignedConsensusMsg::Vote(vote) => Self::Vote(vote),
            SignedConsensusMsg::Proposal(proposal) => Self::Proposal(proposal),
        }
    }
}

impl From<LivenessMsg<Ctx>> for Message {
    fn from(message: LivenessMsg<Ctx>) -> Self {
        match message {
            LivenessMsg::Vote(vote) => Self::Vote(vote),
            LivenessMsg::PolkaCertificate(certificate) => Self::Polka(certificate),
            LivenessMsg::SkipRoundCertificate(certificate) => Self::Round(certificate),
        }
    }
}

fn encode_vote(vote: &SignedVote<Ctx>) -> Result<Vec<u8>, CodecError> {
    let mut writer = Writer::new(VOTE);
    writer.kind(vote.message.kind);
    writer.u64(vote.message.height.0);
    writer.round(vote.message.round)?;
    writer.optional_block(&vote.message.value);
    writer.address(&vote.message.address);
    writer.signature(&vote.signature);
    Ok(writer.finish())
}

fn decode_vote(reader: &mut Reader<'_>) -> Result<SignedVote<Ctx>, CodecError> {
    let vote = Vote {
        kind: reader.kind()?,
        height: Height(reader.u64()?),
        round: reader.round()?,
        value: reader.optional_block()?,
        address: reader.address()?,
    };
    Ok(SignedVote::new(vote, reader.signature()?))
}

fn encode_proposal(proposal: &SignedProposal<Ctx>) -> Result<Vec<u8>, CodecError> {
    let mut writer = Writer::new(PROPOSAL);
    writer.u64(proposal.message.height.0);
    writer.round(proposal.message.round)?;
    writer.optional_round(proposal.message.pol_round);
    writer.block(&proposal.message.value);
    writer.address(&proposal.message.address);
    writer.signature(&proposal.signature);
    Ok(writer.finish())
}

fn decode_proposal(reader: &mut Reader<'_>) -> Result<SignedProposal<Ctx>, CodecError> {
    let proposal = Proposal {
        height: Height(reader.u64()?),
        round: reader.round()?,
        pol_round: reader.optional_round()?,
        value: reader.block()?,
        address: reader.address()?,
    };
    Ok(SignedProposal::new(proposal, reader.signature()?))
}

fn encode_polka(certificate: &PolkaCertificate<Ctx>) -> Result<Vec<u8>, CodecError> {
    let mut writer = Writer::new(POLKA);
    writer.u64(certificate.height.0);
    writer.round(certificate.round)?;
    writer.block(&certificate.value_id);
    writer.count(certificate.polka_signatures.len())?;
    for entry in &certificate.polka_signatures {
        writer.address(&entry.address);
        writer.signature(&entry.signature);
    }
    Ok(writer.finish())
}

fn decode_polka(reader: &mut Reader<'_>) -> Result<PolkaCertificate<Ctx>, CodecError> {
    Ok(PolkaCertificate {
        height: Height(reader.u64()?),
        round: reader.round()?,
        value_id: reader.block()?,
        polka_signatures: reader
            .many(|entry| Ok(PolkaSignature::new(entry.address()?, entry.signature()?)))?,
    })
}

fn encode_round(certificate: &RoundCertificate<Ctx>) -> Result<Vec<u8>, CodecError> {
    let mut writer = Writer::new(ROUND);
    writer.u64(certificate.height.0);
    writer.round(certificate.round)?;
    writer.u8(match certificate.cert_type {
        RoundCertificateType::Skip => 1,
        RoundCertificateType::Precommit => 2,
    });
    writer.count(certificate.round_signatures.len())?;
    for entry in &certificate.round_signatures {
        writer.kind(entry.vote_type);
        writer.optional_block(&entry.value_id);
        writer.address(&entry.address);
        writer.signature(&entry.signature);
    }
    Ok(writer.finish())
}

fn decode_round(reader: &mut Reader<'_>) -> Result<RoundCertificate<Ctx>, CodecError> {
    Ok(RoundCertificate {
        height: Height(reader.u64()?),
        round: reader.round()?,
        cert_type: match reader.u8()? {
            1 => RoundCertificateType::Skip,
            2 => RoundCertificateType::Precommit,
            found => {
                return Err(CodecError::Value { field: "certificate kind", found: found.into() });
            }
        },
        round_signatures: reader.many(|entry| {
            Ok(RoundSignature::new(
                entry.kind()?,
                entry.optional_block()?,
                entry.address()?,
                entry.signature()?,
            ))
        })?,
    })
}
