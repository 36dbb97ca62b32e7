//! Signs what `POST /verify` found, with the node's key.

use std::sync::Arc;

use changbai_api::verdicts::VerdictSigning;
use changbai_receipt::{Input, JudgedAt, SignedVerdict, SignedVerdictError, StatedFinding};
use smkit::sm2::SigningKey;
use smkit_pki::Certificate;

use crate::directory::Directory;
use crate::error::StartError;
use crate::identity;

/// The node's signer of verdicts.
pub(crate) fn open(directory: &Directory) -> Result<Arc<dyn VerdictSigning>, StartError> {
    let (key, chain) = identity::verdict_signer(&directory.identity())?;
    Ok(Arc::new(Signer { key, chain }))
}

struct Signer {
    key: SigningKey,
    chain: Vec<Certificate>,
}

impl VerdictSigning for Signer {
    fn sign(
        &self,
        finding: StatedFinding,
        inputs: Vec<Input>,
        at: JudgedAt,
    ) -> Result<Vec<u8>, SignedVerdictError> {
        SignedVerdict::sign(finding, inputs, at, &self.chain, &self.key)
    }
}
