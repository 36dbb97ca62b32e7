//! A ledger of the platform's contracts in memory that proves its transactions with real signatures.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Mutex;
use std::time::Duration;

use changbai_contract::{Contract, ContractError, MockContext};
use changbai_contract_directory::DirectoryContract;
use changbai_contract_evidence::EvidenceContract;
use changbai_core::ledger::{
    BlockView, BoxFuture, Committed, LedgerClient, LedgerError, LedgerProof, LedgerStatus,
    TransactionSummary, TransactionView,
};
use changbai_merkle::{Frontier, NodeId, NodeSource, leaf_hash, prove_inclusion};
use changbai_msp::serialize_identity;
use changbai_wire::proto::kvrwset::{KvWrite, KvrwSet};
use changbai_wire::proto::protos::Response;
use changbai_wire::time::UnixMillis;
use changbai_wire::{
    Header, NsReadWriteSet, SimulationResult, TransactionLeaf, TxReadWriteSet, ValidationCode,
    ValidatorAddress, Vote, VoteKind, assemble, build_proposal, decode_proposal,
    endorsement_message, envelope_digest, response_payload, seal, validators_hash,
};
use smkit::sm3::{Sm3Digest, sm3};

use crate::world::{MSP, Member, NOW_MS};

pub(crate) const CHANNEL: &str = "changchun";

/// What the ledger does instead of answering.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    Error(LedgerError),
    Hang,
}

pub(crate) struct Ledger {
    inner: Mutex<Inner>,
    node: Member,
    root: Sm3Digest,
}

struct Inner {
    state: MockContext,
    directory: MockContext,
    transactions: Vec<Transaction>,
    submissions: usize,
    fault: Option<Fault>,
    slow: Option<Duration>,
    unproven: u32,
}

struct Transaction {
    id: String,
    envelope: Vec<u8>,
}

impl Inner {
    /// The state of a contract; the directory's sees the other one's.
    fn of(&mut self, contract: &str) -> &mut MockContext {
        if contract == EvidenceContract.name() {
            return &mut self.state;
        }
        for (key, value) in self.state.state() {
            self.directory.set_state_of(EvidenceContract.name(), key, Some(value));
        }
        &mut self.directory
    }
}

fn named(contract: &str) -> &'static dyn Contract {
    match contract {
        "directory" => &DirectoryContract,
        _ => &EvidenceContract,
    }
}

impl Ledger {
    pub(crate) fn new(node: Member, root: Sm3Digest) -> Self {
        let mut state = MockContext::new();
        state.set_caller(MSP, "CN=node");
        state.set_channel(CHANNEL);
        state.set_certificate_sm3(node.certificate.sm3());
        state.set_identity(&serialize_identity(MSP, &node.certificate));
        let directory = state.clone();
        let inner = Inner {
            state,
            directory,
            transactions: Vec::new(),
            submissions: 0,
            fault: None,
            slow: None,
            unproven: 0,
        };
        Self { inner: Mutex::new(inner), node, root }
    }

    /// How often anything reached the ledger to be written.
    pub(crate) fn submissions(&self) -> usize {
        self.inner.lock().unwrap().submissions
    }

    pub(crate) fn fail(&self, fault: Option<Fault>) {
        self.inner.lock().unwrap().fault = fault;
    }

    pub(crate) fn slow_down(&self, by: Duration) {
        self.inner.lock().unwrap().slow = Some(by);
    }

    /// The next `times` proofs are not there yet.
    pub(crate) fn hold_proofs(&self, times: u32) {
        self.inner.lock().unwrap().unproven = times;
    }

    fn commit(
        &self,
        contract: &str,
        function: &str,
        args: &[Vec<u8>],
    ) -> Result<Committed, LedgerError> {
        let mut inner = self.inner.lock().unwrap();
        inner.submissions += 1;
        let mut nonce = [0; 24];
        nonce[..8].copy_from_slice(&(inner.submissions as u64).to_be_bytes());
        let mut all = vec![function.as_bytes().to_vec()];
        all.extend_from_slice(args);
        let creator = serialize_identity(MSP, &self.node.certificate);
        let contract = named(contract);
        let name = contract.name();
        let (tx_id, proposal) =
            build_proposal(CHANNEL, name, &all, &creator, &nonce, UnixMillis(NOW_MS));
        let borrowed: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        let state = inner.of(name);
        state.set_tx_id(&tx_id.to_string());
        state.set_function(function, &borrowed);
        contract.invoke(state).map_err(refused)?;
        let writes = state.writes().clone();
        state.commit();
        let envelope = self.endorse(&proposal, name, contract.version(), &creator, writes);
        let block_number = inner.transactions.len() as u64 + 1;
        inner.transactions.push(Transaction { id: tx_id.to_string(), envelope });
        Ok(Committed { tx_id: tx_id.to_string(), block_number, index: 0, time_ms: NOW_MS + 5 })
    }

    fn endorse(
        &self,
        proposal: &[u8],
        name: &str,
        version: &str,
        identity: &[u8],
        writes: BTreeMap<String, Option<Vec<u8>>>,
    ) -> Vec<u8> {
        let writes = writes.into_iter().map(|(key, value)| KvWrite {
            key,
            is_delete: value.is_none(),
            value: value.unwrap_or_default(),
        });
        let set = KvrwSet { writes: writes.collect(), ..KvrwSet::default() };
        let results =
            TxReadWriteSet { namespaces: vec![NsReadWriteSet { namespace: name.to_owned(), set }] };
        let response = Response { status: 200, ..Response::default() };
        let payload = response_payload(
            &decode_proposal(proposal).unwrap().hash,
            &SimulationResult {
                results: &results,
                event: None,
                response: &response,
                chaincode_name: name,
                chaincode_version: version,
            },
        );
        let message = endorsement_message(&payload, identity);
        let endorsement = (identity.to_vec(), self.node.key.sign(&message).to_der());
        let payload = assemble(proposal, &payload, &[endorsement]).unwrap();
        let signature = self.node.key.sign(&payload).to_der();
        seal(payload, signature)
    }

    fn prove(&self, tx_id: &str) -> Result<LedgerProof, LedgerError> {
        let mut inner = self.inner.lock().unwrap();
        if inner.unproven > 0 {
            inner.unproven -= 1;
            return Err(LedgerError::NotYetProven);
        }
        let at = inner.transactions.iter().position(|t| t.id == tx_id);
        let at = at.ok_or(LedgerError::NotFound)?;
        let mut tree = Tree::default();
        let leaf = |index: usize, envelope: &[u8]| TransactionLeaf {
            block_number: index as u64 + 1,
            index: 0,
            code: ValidationCode::Valid,
            envelope: envelope_digest(envelope),
        };
        for (index, transaction) in inner.transactions.iter().enumerate() {
            tree.append(leaf_hash(&leaf(index, &transaction.envelope).to_bytes()));
        }
        let size = inner.transactions.len() as u64;
        let header = self.header(size + 1, size, tree.frontier.root());
        let address = ValidatorAddress::for_key(self.node.certificate.public_key());
        let vote = Vote {
            channel_id: CHANNEL.to_owned(),
            kind: VoteKind::Precommit,
            height: header.number,
            round: 0,
            block: Some(header.hash()),
            validator: address,
        };
        let envelope = inner.transactions[at].envelope.clone();
        Ok(LedgerProof {
            leaf: leaf(at, &envelope),
            inclusion: prove_inclusion(&tree, at as u64, size).unwrap(),
            signatures: vec![(address, self.node.key.sign(&vote.sign_bytes()).to_der())],
            header,
            round: 0,
            envelope,
            validators: vec![self.node.certificate.der().to_vec()],
            intermediates: Vec::new(),
            anchors: vec![self.root],
            configurations: Vec::new(),
        })
    }

    fn header(&self, number: u64, log_size: u64, log_root: Sm3Digest) -> Header {
        let address = ValidatorAddress::for_key(self.node.certificate.public_key());
        let members = [(address, self.node.certificate.public_key())];
        Header {
            number,
            previous_hash: sm3(b"previous"),
            data_hash: sm3(b"data"),
            channel_id: CHANNEL.to_owned(),
            time_ms: NOW_MS + 5,
            time_bound_us: 0,
            log_size,
            log_root,
            validators_hash: validators_hash(CHANNEL, &members),
            config_number: 1,
        }
    }

    fn view(&self, number: u64) -> Result<BlockView, LedgerError> {
        let inner = self.inner.lock().unwrap();
        if number > inner.transactions.len() as u64 {
            return Err(LedgerError::NotFound);
        }
        let header = self.header(number, number.saturating_sub(1), sm3(b"root"));
        let transaction = (number as usize).checked_sub(1).map(|at| &inner.transactions[at]);
        let summary = |t: &Transaction| TransactionSummary {
            tx_id: t.id.clone(),
            code: ValidationCode::Valid,
        };
        Ok(BlockView {
            hash: header.hash(),
            header,
            size_bytes: 1,
            transactions: transaction.map(summary).into_iter().collect(),
        })
    }

    async fn pause(&self) -> Result<(), LedgerError> {
        let (fault, slow) = {
            let inner = self.inner.lock().unwrap();
            (inner.fault.clone(), inner.slow)
        };
        if let Some(slow) = slow {
            tokio::time::sleep(slow).await;
        }
        match fault {
            Some(Fault::Error(error)) => Err(error),
            Some(Fault::Hang) => std::future::pending().await,
            None => Ok(()),
        }
    }
}

fn refused(error: ContractError) -> LedgerError {
    match error {
        ContractError::Refused { code, message, payload } => {
            LedgerError::Refused { code, message, payload }
        }
        other => LedgerError::Invalid { reason: format!("{other:?}") },
    }
}

impl LedgerClient for Ledger {
    fn evaluate(
        &self,
        contract: &str,
        function: &str,
        args: Vec<Vec<u8>>,
    ) -> BoxFuture<'_, Result<Vec<u8>, LedgerError>> {
        let borrowed: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        if matches!(self.inner.lock().unwrap().fault, Some(Fault::Hang)) {
            return Box::pin(std::future::pending());
        }
        let mut state = self.inner.lock().unwrap().of(contract).clone();
        let answer = state.call(named(contract), function, &borrowed).map_err(refused);
        Box::pin(async move { answer })
    }

    fn submit(
        &self,
        contract: &str,
        function: &str,
        args: Vec<Vec<u8>>,
    ) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        let contract = contract.to_owned();
        let function = function.to_owned();
        Box::pin(async move {
            self.pause().await?;
            self.commit(&contract, &function, &args)
        })
    }

    fn proof(&self, tx_id: &str) -> BoxFuture<'_, Result<LedgerProof, LedgerError>> {
        let proof = self.prove(tx_id);
        Box::pin(async move { proof })
    }

    fn status(&self) -> LedgerStatus {
        let height = self.inner.lock().unwrap().transactions.len() as u64 + 1;
        LedgerStatus { channel: CHANNEL.to_owned(), height, ..LedgerStatus::default() }
    }

    fn block(&self, number: u64) -> BoxFuture<'_, Result<BlockView, LedgerError>> {
        let view = self.view(number);
        Box::pin(async move { view })
    }

    fn blocks(
        &self,
        from: Option<u64>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<BlockView>, LedgerError>> {
        let last = self.status().height - 1;
        let from = from.unwrap_or(last).min(last);
        let blocks = (0..=from).rev().take(limit as usize).map(|number| self.view(number));
        let blocks: Result<Vec<_>, _> = blocks.collect();
        Box::pin(async move { blocks })
    }

    fn transaction(&self, tx_id: &str) -> BoxFuture<'_, Result<TransactionView, LedgerError>> {
        let inner = self.inner.lock().unwrap();
        let at = inner.transactions.iter().position(|t| t.id == tx_id);
        let view = at.ok_or(LedgerError::NotFound).map(|at| TransactionView {
            tx_id: tx_id.to_owned(),
            block_number: at as u64 + 1,
            index: 0,
            code: ValidationCode::Valid,
            time_ms: NOW_MS + 5,
            creator_msp_id: MSP.to_owned(),
            creator_subject: "CN=node".to_owned(),
            contract: "evidence".to_owned(),
            function: "Create".to_owned(),
            endorsers: vec![MSP.to_owned()],
            envelope_sm3: envelope_digest(&inner.transactions[at].envelope),
            size_bytes: inner.transactions[at].envelope.len() as u64,
        });
        Box::pin(async move { view })
    }
}

#[derive(Default)]
struct Tree {
    frontier: Frontier,
    nodes: BTreeMap<NodeId, Sm3Digest>,
}

impl Tree {
    fn append(&mut self, leaf: Sm3Digest) {
        let nodes = &mut self.nodes;
        let mut sink = |id, hash| {
            nodes.insert(id, hash);
        };
        self.frontier.append(leaf, &mut sink).unwrap();
    }
}

impl NodeSource for Tree {
    type Error = Infallible;

    fn node(&self, id: NodeId) -> Result<Option<Sm3Digest>, Infallible> {
        Ok(self.nodes.get(&id).copied())
    }
}
