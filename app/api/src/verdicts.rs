//! Signed verdicts: what `POST /verify` answers, under the node's signature.

use changbai_receipt::{Input, JudgedAt, SignedVerdictError, StatedFinding};

/// Signs verdicts with the node's key.
pub trait VerdictSigning: Send + Sync {
    /// The signed verdict as canonical JSON, see [`changbai_receipt::SignedVerdict`].
    ///
    /// # Errors
    /// [`SignedVerdictError`] if what was found cannot be stated.
    fn sign(
        &self,
        finding: StatedFinding,
        inputs: Vec<Input>,
        at: JudgedAt,
    ) -> Result<Vec<u8>, SignedVerdictError>;
}
