//! Whether a signed verdict is what a node of a trusted agency said.

use smkit_pki::{PathError, Purpose, Revocation, RevocationMode, Validator};

use super::SignedVerdict;
use crate::{Element, HashedOriginal, Trust, reasons, report::Finding};

impl SignedVerdict {
    /// Three elements: `verdict_signature`, `verdict_signer` (whose certificate, under which root, at the stated time) and
    /// `verdict_inputs` (the files at hand are what was judged). Takes no time from anywhere.
    pub fn check(&self, trust: Option<&Trust>, files: &[HashedOriginal]) -> Vec<Element> {
        [self.signature(), self.signer(trust), self.inputs(files)]
            .into_iter()
            .map(Finding::into_element)
            .collect()
    }

    fn signature(&self) -> Finding {
        let message = self.statement.message().unwrap_or_default();
        match self.node.verifying_key().verify(&message, &self.signature) {
            Ok(()) => Finding::new(reasons::VERDICT_SIGNATURE_PROVEN).with(self.node.subject()),
            Err(_) => Finding::new(reasons::VERDICT_SIGNATURE_WRONG),
        }
    }

    fn signer(&self, trust: Option<&Trust>) -> Finding {
        let Some(trust) = trust.filter(|trust| !trust.roots().is_empty()) else {
            return Finding::new(reasons::VERDICT_SIGNER_UNCHECKED);
        };
        let lists = trust.revocation_lists().to_vec();
        let validator = Validator::admitting_all(trust.roots().clone())
            .with_revocation(Revocation::new(RevocationMode::IfAvailable, lists));
        let at = i64::try_from(self.statement.at.ms / 1_000).unwrap_or(i64::MAX);
        match validator.verify(&self.chain, Purpose::Signing, at, None) {
            Ok(_) => Finding::new(reasons::VERDICT_SIGNER_PROVEN).with(self.node.subject()),
            Err(PathError::Revoked { subject, .. }) => {
                Finding::new(reasons::VERDICT_SIGNER_REVOKED).with(subject)
            }
            Err(_) => Finding::new(reasons::VERDICT_SIGNER_STRANGER).with(self.node.subject()),
        }
    }

    fn inputs(&self, files: &[HashedOriginal]) -> Finding {
        let inputs = &self.statement.inputs;
        let judged = |file: &&HashedOriginal| {
            let sm3 = file.sm3.to_string();
            inputs.iter().any(|input| input.sm3 == sm3)
        };
        match files.iter().find(|file| !judged(file)) {
            Some(file) => Finding::new(reasons::VERDICT_INPUTS_OTHER).with(&file.name),
            None if files.is_empty() => Finding::new(reasons::VERDICT_INPUTS_ABSENT),
            None => Finding::new(reasons::VERDICT_INPUTS_PROVEN).with(files.len()),
        }
    }
}
