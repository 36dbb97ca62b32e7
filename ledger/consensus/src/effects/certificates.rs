//! Verification of the core's three kinds of certificate.

use core_types::{
    CertificateError, CommitCertificate, Context as _, NilOrVal, PolkaCertificate,
    RoundCertificate, RoundCertificateType, SignedVote, ThresholdParams, VoteType,
};

use super::{Env, Stopped, kind_of};
use crate::{
    Action, Refusal,
    context::{Ctx, Validators},
    sign::vote_bytes,
    verify::Fault,
};

type Verdict = Result<(), CertificateError<Ctx>>;

impl Env {
    pub(super) fn commit(
        &mut self,
        certificate: &CommitCertificate<Ctx>,
        set: &Validators,
        thresholds: ThresholdParams,
    ) -> Result<Verdict, Stopped> {
        let votes: Vec<_> = certificate
            .commit_signatures
            .iter()
            .map(|entry| {
                let block = NilOrVal::Val(certificate.value_id);
                let vote =
                    Ctx.new_precommit(certificate.height, certificate.round, block, entry.address);
                SignedVote::new(vote, entry.signature)
            })
            .collect();
        let verdict = self.verifier.check_votes(&votes, set, thresholds.quorum);
        self.conclude(&votes, verdict, |position| {
            certificate
                .commit_signatures
                .get(position)
                .cloned()
                .map(CertificateError::InvalidCommitSignature)
        })
    }

    pub(super) fn polka(
        &mut self,
        certificate: &PolkaCertificate<Ctx>,
        set: &Validators,
        thresholds: ThresholdParams,
    ) -> Result<Verdict, Stopped> {
        let votes: Vec<_> = certificate.votes(&Ctx).collect();
        let verdict = self.verifier.check_votes(&votes, set, thresholds.quorum);
        let verdict = self.conclude(&votes, verdict, |position| {
            certificate
                .polka_signatures
                .get(position)
                .cloned()
                .map(CertificateError::InvalidPolkaSignature)
        })?;
        self.refuse(certificate.height.0, &verdict);
        Ok(verdict)
    }

    pub(super) fn round(
        &mut self,
        certificate: &RoundCertificate<Ctx>,
        set: &Validators,
        thresholds: ThresholdParams,
    ) -> Result<Verdict, Stopped> {
        let votes: Vec<_> = certificate.votes(&Ctx).collect();
        let threshold = match certificate.cert_type {
            RoundCertificateType::Precommit => {
                // Only precommits end a round.
                let foreign = votes.iter().find(|vote| vote.message.kind == VoteType::Prevote);
                if let Some(vote) = foreign {
                    let verdict = Err(CertificateError::InvalidVoteType(vote.message.address));
                    self.refuse(certificate.height.0, &verdict);
                    return Ok(verdict);
                }
                thresholds.quorum
            }
            RoundCertificateType::Skip => thresholds.honest,
        };
        let verdict = self.verifier.check_votes(&votes, set, threshold);
        let verdict = self.conclude(&votes, verdict, |position| {
            certificate
                .round_signatures
                .get(position)
                .cloned()
                .map(CertificateError::InvalidRoundSignature)
        })?;
        self.refuse(certificate.height.0, &verdict);
        Ok(verdict)
    }

    /// Notes own votes in a certificate that holds, or names the fault in the core's terms.
    fn conclude(
        &mut self,
        votes: &[SignedVote<Ctx>],
        verdict: Result<(), Fault>,
        invalid: impl FnOnce(usize) -> Option<CertificateError<Ctx>>,
    ) -> Result<Verdict, Stopped> {
        let Err(fault) = verdict else {
            self.note_own_votes(votes)?;
            return Ok(Ok(()));
        };
        Ok(Err(match fault {
            Fault::Unknown(address) => CertificateError::UnknownValidator(address),
            Fault::Duplicate(address) => CertificateError::DuplicateVote(address),
            Fault::TooFew { signed, total, expected } => {
                CertificateError::NotEnoughVotingPower { signed, total, expected }
            }
            Fault::Signature(position) => {
                invalid(position).unwrap_or(CertificateError::VerificationError(None))
            }
        }))
    }

    fn note_own_votes(&mut self, votes: &[SignedVote<Ctx>]) -> Result<(), Stopped> {
        for vote in votes {
            if !self.is_own(&vote.message.address) {
                continue;
            }
            let Some(message) = vote_bytes(self.verifier.channel_id(), &vote.message) else {
                continue;
            };
            let (kind, round) = (kind_of(vote.message.kind), vote.message.round.as_u32());
            self.note_own(kind, vote.message.height, round, &message, vote.signature)?;
        }
        Ok(())
    }

    fn refuse(&mut self, height: u64, verdict: &Verdict) {
        if let Err(fault) = verdict {
            let reason = fault.to_string();
            self.actions.push(Action::Refused(Refusal::Certificate { height, reason }));
        }
    }
}
