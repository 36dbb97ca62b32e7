//! A context for tests of contracts.

use std::collections::BTreeMap;

use smkit::{Sm3Digest, sm3};

use crate::{Caller, Context, Contract, ContractError, limits};

/// A ledger of one contract in memory: a test double for `cargo test`, with the ledger's rules.
///
/// Use [`MockContext::call`] to run invocations that commit when they succeed, or fill in an
/// invocation by hand and look at [`MockContext::writes`] afterwards.
#[derive(Clone, Debug)]
pub struct MockContext {
    function: String,
    args: Vec<Vec<u8>>,
    channel: String,
    tx_id: String,
    time_ms: u64,
    msp_id: String,
    certificate_sm3: Sm3Digest,
    subject: String,
    identity: Vec<u8>,
    state: BTreeMap<String, Vec<u8>>,
    others: BTreeMap<(String, String), Vec<u8>>,
    writes: BTreeMap<String, Option<Vec<u8>>>,
    event: Option<(String, Vec<u8>)>,
    calls: u64,
    failure: Option<String>,
}

impl Default for MockContext {
    fn default() -> Self {
        Self::new()
    }
}

impl MockContext {
    /// Empty state, channel `test`, and a caller of organisation `Org1MSP`.
    #[must_use]
    pub fn new() -> Self {
        Self {
            function: String::new(),
            args: Vec::new(),
            channel: "test".to_owned(),
            tx_id: sm3(&0u64.to_be_bytes()).to_string(),
            time_ms: 1_700_000_000_000,
            msp_id: "Org1MSP".to_owned(),
            certificate_sm3: sm3(b"certificate"),
            subject: "CN=tester,OU=client,O=Org1".to_owned(),
            identity: b"tester".to_vec(),
            state: BTreeMap::new(),
            others: BTreeMap::new(),
            writes: BTreeMap::new(),
            event: None,
            calls: 0,
            failure: None,
        }
    }

    /// Sets function and arguments.
    #[must_use]
    pub fn with_function(mut self, function: &str, args: &[&[u8]]) -> Self {
        self.set_function(function, args);
        self
    }

    /// Sets the caller; its certificate's digest and identity follow from the subject.
    #[must_use]
    pub fn with_caller(mut self, msp_id: &str, subject: &str) -> Self {
        self.set_caller(msp_id, subject);
        self
    }

    /// Puts an entry into the committed state.
    #[must_use]
    pub fn with_state(mut self, key: &str, value: &[u8]) -> Self {
        self.state.insert(key.to_owned(), value.to_vec());
        self
    }

    /// Puts an entry into the committed state of another contract.
    pub fn set_state_of(&mut self, contract: &str, key: &str, value: Option<&[u8]>) {
        let place = (contract.to_owned(), key.to_owned());
        match value {
            Some(value) => self.others.insert(place, value.to_vec()),
            None => self.others.remove(&place),
        };
    }

    /// Sets the caller's serialized identity.
    pub fn set_identity(&mut self, identity: &[u8]) {
        self.identity = identity.to_vec();
    }

    /// Sets function and arguments.
    pub fn set_function(&mut self, function: &str, args: &[&[u8]]) {
        function.clone_into(&mut self.function);
        self.args = args.iter().map(|arg| arg.to_vec()).collect();
    }

    /// Sets the caller; its certificate's digest and identity follow from the subject.
    pub fn set_caller(&mut self, msp_id: &str, subject: &str) {
        msp_id.clone_into(&mut self.msp_id);
        subject.clone_into(&mut self.subject);
        self.certificate_sm3 = sm3(subject.as_bytes());
        self.identity = format!("{msp_id}/{subject}").into_bytes();
    }

    /// Sets the digest of the caller's certificate.
    pub fn set_certificate_sm3(&mut self, digest: Sm3Digest) {
        self.certificate_sm3 = digest;
    }

    /// Sets the channel's id.
    pub fn set_channel(&mut self, channel: &str) {
        channel.clone_into(&mut self.channel);
    }

    /// Sets the transaction id.
    pub fn set_tx_id(&mut self, tx_id: &str) {
        tx_id.clone_into(&mut self.tx_id);
    }

    /// Sets the proposal's time, Unix time in milliseconds.
    pub fn set_time_ms(&mut self, time_ms: u64) {
        self.time_ms = time_ms;
    }

    /// Makes every access to the state fail from now on, or work again.
    pub fn set_state_failure(&mut self, reason: Option<&str>) {
        self.failure = reason.map(str::to_owned);
    }

    /// Runs one invocation with a transaction id of its own, and commits its writes if it succeeds.
    ///
    /// # Errors
    /// What the contract returns; the state is unchanged then.
    pub fn call(
        &mut self,
        contract: &dyn Contract,
        function: &str,
        args: &[&[u8]],
    ) -> Result<Vec<u8>, ContractError> {
        self.calls = self.calls.saturating_add(1);
        self.tx_id = sm3(&self.calls.to_be_bytes()).to_string();
        self.set_function(function, args);
        self.writes.clear();
        self.event = None;
        let response = contract.invoke(self)?;
        limits::check_value(&response)?;
        self.commit();
        Ok(response)
    }

    /// Applies the writes of the invocation to the state.
    pub fn commit(&mut self) {
        for (key, value) in std::mem::take(&mut self.writes) {
            match value {
                Some(value) => self.state.insert(key, value),
                None => self.state.remove(&key),
            };
        }
    }

    /// The committed state.
    #[must_use]
    pub const fn state(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.state
    }

    /// What the invocation wrote and has not committed; `None` is a deletion.
    #[must_use]
    pub const fn writes(&self) -> &BTreeMap<String, Option<Vec<u8>>> {
        &self.writes
    }

    /// Name and payload of the last event.
    #[must_use]
    pub fn event(&self) -> Option<(&str, &[u8])> {
        self.event.as_ref().map(|(name, payload)| (name.as_str(), payload.as_slice()))
    }

    fn write(&mut self, key: &str, value: Option<Vec<u8>>) -> Result<(), ContractError> {
        limits::check_key(key)?;
        if !self.writes.contains_key(key) {
            limits::check_writes(self.writes.len().saturating_add(1))?;
        }
        self.writes.insert(key.to_owned(), value);
        Ok(())
    }

    fn check_state(&self) -> Result<(), ContractError> {
        self.failure.clone().map_or(Ok(()), |reason| Err(ContractError::State(reason)))
    }
}

impl Context for MockContext {
    fn function(&self) -> &str {
        &self.function
    }

    fn args(&self) -> &[Vec<u8>] {
        &self.args
    }

    fn channel(&self) -> &str {
        &self.channel
    }

    fn tx_id(&self) -> &str {
        &self.tx_id
    }

    fn time_ms(&self) -> u64 {
        self.time_ms
    }

    fn caller(&self) -> Caller<'_> {
        Caller {
            msp_id: &self.msp_id,
            certificate_sm3: self.certificate_sm3,
            subject: &self.subject,
            identity: &self.identity,
        }
    }

    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, ContractError> {
        limits::check_key(key)?;
        self.check_state()?;
        Ok(self.state.get(key).cloned())
    }

    fn get_of(&mut self, contract: &str, key: &str) -> Result<Option<Vec<u8>>, ContractError> {
        limits::check_key(key)?;
        self.check_state()?;
        Ok(self.others.get(&(contract.to_owned(), key.to_owned())).cloned())
    }

    fn put(&mut self, key: &str, value: Vec<u8>) -> Result<(), ContractError> {
        limits::check_value(&value)?;
        self.write(key, Some(value))
    }

    fn delete(&mut self, key: &str) -> Result<(), ContractError> {
        self.write(key, None)
    }

    fn range(
        &mut self,
        start: &str,
        end: &str,
        limit: u32,
    ) -> Result<Vec<(String, Vec<u8>)>, ContractError> {
        limits::check_range(limit)?;
        self.check_state()?;
        let entries = self
            .state
            .range(limits::range_start(start).to_owned()..)
            .take_while(|(key, _)| end.is_empty() || key.as_str() < end)
            .take(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(entries.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn emit(&mut self, name: &str, payload: Vec<u8>) -> Result<(), ContractError> {
        limits::check_event(name, &payload)?;
        self.event = Some((name.to_owned(), payload));
        Ok(())
    }
}
