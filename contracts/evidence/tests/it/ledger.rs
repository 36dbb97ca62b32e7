//! A ledger in memory for the evidence service: simulates, waits, validates what was read, commits.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use changbai_contract::{Caller, Context, Contract, ContractError, MockContext};
use changbai_contract_evidence::EvidenceContract;
use changbai_core::{
    Committed, LedgerClient, LedgerError, LedgerProof, LedgerStatus, Opening, OpeningStore,
    OpeningStoreError, Record,
    ledger::{BlockView, BoxFuture, TransactionView},
};
use changbai_wire::ValidationCode;
use smkit::{Sm3Digest, sm3, sm3_parts};

use crate::support::{AT_MS, mock};

#[derive(Default)]
pub(crate) struct TestLedger {
    state: Mutex<State>,
    /// What the next submissions meet.
    pub(crate) faults: Mutex<Vec<Fault>>,
    pub(crate) submissions: AtomicU64,
    pub(crate) conflicts: AtomicU64,
    /// Everybody simulates before anybody commits, when set.
    pub(crate) pause: tokio::sync::Mutex<()>,
}

pub(crate) enum Fault {
    /// Answer this and commit nothing.
    Fail(LedgerError),
    /// Commit, then answer this.
    CommitThenFail(LedgerError),
    /// Run this against the ledger after simulation, before validation.
    Meanwhile(Box<dyn FnOnce(&TestLedger) + Send>),
}

struct State {
    mock: MockContext,
    transactions: BTreeMap<String, u64>,
}

impl Default for State {
    fn default() -> Self {
        Self { mock: mock(), transactions: BTreeMap::new() }
    }
}

impl TestLedger {
    pub(crate) fn fault(&self, fault: Fault) {
        self.faults.lock().unwrap().push(fault);
    }

    pub(crate) fn state(&self) -> BTreeMap<String, Vec<u8>> {
        self.state.lock().unwrap().mock.state().clone()
    }

    /// What another client would have written.
    pub(crate) fn write(&self, record: &[u8]) {
        let tx_id = self.next_tx_id();
        let effects = self.simulate("Create", &[record.to_vec()], &tx_id);
        self.commit(&tx_id, effects.unwrap()).unwrap();
    }

    fn next_tx_id(&self) -> String {
        let n = self.submissions.fetch_add(1, Ordering::SeqCst);
        sm3_parts(&[b"tx", &n.to_be_bytes()]).to_string()
    }

    fn simulate(
        &self,
        function: &str,
        args: &[Vec<u8>],
        tx_id: &str,
    ) -> Result<Effects, LedgerError> {
        let mut state = self.state.lock().unwrap();
        let slices: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        state.mock.set_function(function, &slices);
        state.mock.set_tx_id(tx_id);
        let mut recorder = Recorder { mock: &mut state.mock, effects: Effects::default() };
        match EvidenceContract.invoke(&mut recorder) {
            Ok(answer) => Ok(Effects { answer, ..recorder.effects }),
            Err(ContractError::Refused { code, message, payload }) => {
                Err(LedgerError::Refused { code, message, payload })
            }
            Err(other) => Err(LedgerError::Unavailable { reason: other.to_string() }),
        }
    }

    fn commit(&self, tx_id: &str, effects: Effects) -> Result<Committed, LedgerError> {
        let mut state = self.state.lock().unwrap();
        if effects.reads.iter().any(|(key, read)| state.mock.state().get(key) != read.as_ref()) {
            self.conflicts.fetch_add(1, Ordering::SeqCst);
            return Err(LedgerError::Conflict);
        }
        for (key, value) in effects.writes {
            state.mock.put(&key, value).unwrap();
        }
        state.mock.commit();
        let block_number = u64::try_from(state.transactions.len()).unwrap() + 1;
        state.transactions.insert(tx_id.to_owned(), block_number);
        let tx_id = tx_id.to_owned();
        Ok(Committed { tx_id, block_number, index: 0, time_ms: AT_MS + block_number })
    }

    async fn run(&self, function: &str, args: Vec<Vec<u8>>) -> Result<Committed, LedgerError> {
        let fault = self.faults.lock().unwrap().pop();
        if let Some(Fault::Fail(error)) = fault {
            return Err(error);
        }
        let tx_id = self.next_tx_id();
        let effects = self.simulate(function, &args, &tx_id)?;
        drop(self.pause.lock().await);
        tokio::task::yield_now().await;
        if let Some(Fault::Meanwhile(work)) = fault {
            work(self);
            return self.commit(&tx_id, effects);
        }
        let committed = self.commit(&tx_id, effects)?;
        match fault {
            Some(Fault::CommitThenFail(error)) => Err(error),
            _ => Ok(committed),
        }
    }
}

impl LedgerClient for TestLedger {
    fn evaluate(
        &self,
        _contract: &str,
        function: &str,
        args: Vec<Vec<u8>>,
    ) -> BoxFuture<'_, Result<Vec<u8>, LedgerError>> {
        let answer = self.simulate(function, &args, &sm3(b"query").to_string());
        Box::pin(async move { answer.map(|effects| effects.answer) })
    }

    fn submit(
        &self,
        contract: &str,
        function: &str,
        args: Vec<Vec<u8>>,
    ) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        assert_eq!(contract, "evidence");
        let function = function.to_owned();
        Box::pin(async move { self.run(&function, args).await })
    }

    fn proof(&self, _tx_id: &str) -> BoxFuture<'_, Result<LedgerProof, LedgerError>> {
        Box::pin(async { Err(LedgerError::NotYetProven) })
    }

    fn status(&self) -> LedgerStatus {
        LedgerStatus::default()
    }

    fn block(&self, _number: u64) -> BoxFuture<'_, Result<BlockView, LedgerError>> {
        Box::pin(async { Err(LedgerError::NotFound) })
    }

    fn blocks(
        &self,
        _from: Option<u64>,
        _limit: u32,
    ) -> BoxFuture<'_, Result<Vec<BlockView>, LedgerError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn transaction(&self, tx_id: &str) -> BoxFuture<'_, Result<TransactionView, LedgerError>> {
        let number = self.state.lock().unwrap().transactions.get(tx_id).copied();
        let tx_id = tx_id.to_owned();
        Box::pin(async move {
            let block_number = number.ok_or(LedgerError::NotFound)?;
            Ok(TransactionView {
                tx_id,
                block_number,
                index: 0,
                code: ValidationCode::Valid,
                time_ms: AT_MS + block_number,
                creator_msp_id: String::new(),
                creator_subject: String::new(),
                contract: "evidence".to_owned(),
                function: "Create".to_owned(),
                endorsers: Vec::new(),
                envelope_sm3: sm3(b""),
                size_bytes: 0,
            })
        })
    }
}

#[derive(Default)]
struct Effects {
    answer: Vec<u8>,
    reads: BTreeMap<String, Option<Vec<u8>>>,
    writes: BTreeMap<String, Vec<u8>>,
}

struct Recorder<'a> {
    mock: &'a mut MockContext,
    effects: Effects,
}

impl Context for Recorder<'_> {
    fn function(&self) -> &str {
        self.mock.function()
    }
    fn args(&self) -> &[Vec<u8>] {
        self.mock.args()
    }
    fn channel(&self) -> &str {
        self.mock.channel()
    }
    fn tx_id(&self) -> &str {
        self.mock.tx_id()
    }
    fn time_ms(&self) -> u64 {
        self.mock.time_ms()
    }
    fn caller(&self) -> Caller<'_> {
        self.mock.caller()
    }
    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, ContractError> {
        let value = self.mock.get(key)?;
        self.effects.reads.insert(key.to_owned(), value.clone());
        Ok(value)
    }
    fn put(&mut self, key: &str, value: Vec<u8>) -> Result<(), ContractError> {
        self.effects.writes.insert(key.to_owned(), value);
        Ok(())
    }
    fn delete(&mut self, _key: &str) -> Result<(), ContractError> {
        panic!("the evidence contract deletes nothing")
    }
    fn range(
        &mut self,
        start: &str,
        end: &str,
        limit: u32,
    ) -> Result<Vec<(String, Vec<u8>)>, ContractError> {
        self.mock.range(start, end, limit)
    }
    fn emit(&mut self, name: &str, payload: Vec<u8>) -> Result<(), ContractError> {
        self.mock.emit(name, payload)
    }
}

/// Openings in memory, by record digest.
#[derive(Default)]
pub(crate) struct TestOpenings {
    pub(crate) kept: Mutex<BTreeMap<Sm3Digest, Vec<Opening>>>,
    pub(crate) broken: Mutex<bool>,
}

impl OpeningStore for TestOpenings {
    fn put(&self, record: &Record, openings: &[Opening]) -> Result<(), OpeningStoreError> {
        if *self.broken.lock().unwrap() {
            return Err(OpeningStoreError::Io { reason: "disk".to_owned() });
        }
        self.kept.lock().unwrap().insert(record.digest(), openings.to_vec());
        Ok(())
    }

    fn openings(&self, record: &Record) -> Result<Option<Vec<Opening>>, OpeningStoreError> {
        Ok(self.kept.lock().unwrap().get(&record.digest()).cloned())
    }

    fn erase(&self, record: &Record) -> Result<(), OpeningStoreError> {
        self.kept.lock().unwrap().remove(&record.digest());
        Ok(())
    }
}

pub(crate) fn shared() -> (Arc<TestLedger>, Arc<TestOpenings>) {
    (Arc::default(), Arc::default())
}
