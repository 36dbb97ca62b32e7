//! What a contract is and what it sees.

use smkit::Sm3Digest;

use crate::ContractError;

/// Who proposed the transaction: a client whose certificate and signature have been verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller<'a> {
    /// The organisation (MSP) that vouches for the caller.
    pub msp_id: &'a str,
    /// SM3 over the DER of the caller's certificate.
    pub certificate_sm3: Sm3Digest,
    /// The certificate's subject, RFC 4514.
    pub subject: &'a str,
    /// The serialized `msp.SerializedIdentity`, as in the proposal.
    pub identity: &'a [u8],
}

/// One invocation as its contract sees it.
pub trait Context {
    /// The function to run: the first argument of the proposal.
    fn function(&self) -> &str;

    /// The arguments after the function's name.
    fn args(&self) -> &[Vec<u8>];

    /// The channel's id.
    fn channel(&self) -> &str;

    /// The transaction id: 64 lower-case hex digits.
    fn tx_id(&self) -> &str;

    /// The client's clock from the proposal, Unix time in milliseconds; the same on every endorser.
    fn time_ms(&self) -> u64;

    /// Who proposed the transaction.
    fn caller(&self) -> Caller<'_>;

    /// The committed value of a key, `None` if there is none; own writes are not seen.
    ///
    /// # Errors
    /// [`ContractError::Limit`] for a bad key, [`ContractError::State`] if the state is unavailable.
    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, ContractError>;

    /// The committed value of a key of another contract of the channel, `None` if there is none. Recorded like
    /// [`get`](Self::get): the transaction fails if the key changes before it commits. Reading only: what another
    /// contract keeps is written by it alone.
    ///
    /// # Errors
    /// As [`get`](Self::get); [`ContractError::State`] in a context of one contract alone.
    fn get_of(&mut self, contract: &str, key: &str) -> Result<Option<Vec<u8>>, ContractError> {
        Err(ContractError::State(format!("{contract}/{key}: there is no other contract here")))
    }

    /// Writes a key; takes effect if and when the transaction commits. The last write wins.
    ///
    /// # Errors
    /// [`ContractError::Limit`] for a bad key, an oversized value, or too many writes.
    fn put(&mut self, key: &str, value: Vec<u8>) -> Result<(), ContractError>;

    /// Deletes a key; takes effect if and when the transaction commits.
    ///
    /// # Errors
    /// [`ContractError::Limit`] for a bad key or too many writes.
    fn delete(&mut self, key: &str) -> Result<(), ContractError>;

    /// The first `limit` committed entries with `start <= key < end`, in byte order of the keys.
    ///
    /// An empty `end` is open; an empty `start` begins after the composite keys, which plain ranges
    /// never see. The range itself is recorded: a key that appears in it before commit is a conflict.
    ///
    /// # Errors
    /// [`ContractError::Limit`] for a `limit` of 0 or beyond [`limits::RANGE_ENTRIES_MAX`](crate::limits::RANGE_ENTRIES_MAX),
    /// [`ContractError::State`] if the state is unavailable.
    fn range(
        &mut self,
        start: &str,
        end: &str,
        limit: u32,
    ) -> Result<Vec<(String, Vec<u8>)>, ContractError>;

    /// Sets the invocation's event; a later call replaces it (as in Fabric, there is one).
    ///
    /// # Errors
    /// [`ContractError::Limit`] for an empty or overlong name or an oversized payload.
    fn emit(&mut self, name: &str, payload: Vec<u8>) -> Result<(), ContractError>;
}

/// A contract (智能合约): deterministic, without state of its own.
pub trait Contract: Send + Sync {
    /// The name it is invoked by, and the namespace of its keys.
    fn name(&self) -> &'static str;

    /// Its version; changes whenever results may change.
    fn version(&self) -> &'static str;

    /// Runs one invocation and returns the response's payload.
    ///
    /// # Errors
    /// [`ContractError`]; errors of the context must be passed on.
    fn invoke(&self, ctx: &mut dyn Context) -> Result<Vec<u8>, ContractError>;
}
