//! Simulation: a contract runs against the committed state, and what it read and would write is
//! recorded as a read-write set (Fabric's `kvrwset.KVRWSet`). Nothing is written here.

use std::collections::BTreeMap;

use changbai_contract::{Caller, Context, ContractError, limits as contract_limits};
use changbai_wire::proto::kvrwset;
use changbai_wire::{NsReadWriteSet, TxReadWriteSet};

use crate::state::{StateView, Version};

/// Who invokes what: the parts of a proposal that a contract may see.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Invoked<'a> {
    pub(crate) channel: &'a str,
    pub(crate) tx_id: &'a str,
    pub(crate) time_ms: u64,
    pub(crate) namespace: &'a str,
    pub(crate) function: &'a str,
    pub(crate) args: &'a [Vec<u8>],
    pub(crate) caller: Caller<'a>,
}

/// One running simulation; it is the [`Context`] that the contract sees.
pub(crate) struct Simulation<'a> {
    invoked: Invoked<'a>,
    view: &'a dyn StateView,
    reads: BTreeMap<String, Option<Version>>,
    /// What was read of other contracts, by namespace.
    foreign: BTreeMap<String, BTreeMap<String, Option<Version>>>,
    ranges: Vec<RangeRead>,
    writes: BTreeMap<String, Option<Vec<u8>>>,
    event: Option<(String, Vec<u8>)>,
}

struct RangeRead {
    start: String,
    end: String,
    exhausted: bool,
    seen: Vec<(String, Version)>,
}

/// What a simulation leaves behind.
pub(crate) struct Simulated {
    /// What was read and would be written.
    pub(crate) results: TxReadWriteSet,
    /// The contract's event, if it emitted one.
    pub(crate) event: Option<(String, Vec<u8>)>,
}

impl<'a> Simulation<'a> {
    pub(crate) fn new(invoked: Invoked<'a>, view: &'a dyn StateView) -> Self {
        Self {
            invoked,
            view,
            reads: BTreeMap::new(),
            foreign: BTreeMap::new(),
            ranges: Vec::new(),
            writes: BTreeMap::new(),
            event: None,
        }
    }

    pub(crate) fn finish(self) -> Simulated {
        let set = kvrwset::KvrwSet {
            reads: self.reads.into_iter().map(|(key, version)| read(key, version)).collect(),
            range_queries_info: self.ranges.into_iter().map(RangeRead::into_proto).collect(),
            writes: self
                .writes
                .into_iter()
                .map(|(key, value)| kvrwset::KvWrite {
                    key,
                    is_delete: value.is_none(),
                    value: value.unwrap_or_default(),
                })
                .collect(),
            metadata_writes: Vec::new(),
        };
        let namespace = self.invoked.namespace.to_owned();
        let mut namespaces = vec![NsReadWriteSet { namespace, set }];
        namespaces.extend(self.foreign.into_iter().map(|(namespace, reads)| {
            let reads = reads.into_iter().map(|(key, version)| read(key, version)).collect();
            let set = kvrwset::KvrwSet { reads, ..kvrwset::KvrwSet::default() };
            NsReadWriteSet { namespace, set }
        }));
        namespaces.sort_by(|a, b| a.namespace.cmp(&b.namespace));
        let results = TxReadWriteSet { namespaces };
        Simulated { results, event: self.event }
    }
}

impl Context for Simulation<'_> {
    fn function(&self) -> &str {
        self.invoked.function
    }

    fn args(&self) -> &[Vec<u8>] {
        self.invoked.args
    }

    fn channel(&self) -> &str {
        self.invoked.channel
    }

    fn tx_id(&self) -> &str {
        self.invoked.tx_id
    }

    fn time_ms(&self) -> u64 {
        self.invoked.time_ms
    }

    fn caller(&self) -> Caller<'_> {
        self.invoked.caller
    }

    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, ContractError> {
        contract_limits::check_key(key)?;
        let found = self
            .view
            .get(self.invoked.namespace, key)
            .map_err(|error| ContractError::State(error.to_string()))?;
        let (version, value) = found.map_or((None, None), |(v, value)| (Some(v), Some(value)));
        self.reads.insert(key.to_owned(), version);
        Ok(value)
    }

    fn get_of(&mut self, contract: &str, key: &str) -> Result<Option<Vec<u8>>, ContractError> {
        if contract == self.invoked.namespace {
            return self.get(key);
        }
        contract_limits::check_key(key)?;
        contract_limits::check_key(contract)?;
        let found = self
            .view
            .get(contract, key)
            .map_err(|error| ContractError::State(error.to_string()))?;
        let (version, value) = found.map_or((None, None), |(v, value)| (Some(v), Some(value)));
        self.foreign.entry(contract.to_owned()).or_default().insert(key.to_owned(), version);
        Ok(value)
    }

    fn put(&mut self, key: &str, value: Vec<u8>) -> Result<(), ContractError> {
        contract_limits::check_key(key)?;
        contract_limits::check_value(&value)?;
        self.writes.insert(key.to_owned(), Some(value));
        contract_limits::check_writes(self.writes.len())
    }

    fn delete(&mut self, key: &str) -> Result<(), ContractError> {
        contract_limits::check_key(key)?;
        self.writes.insert(key.to_owned(), None);
        contract_limits::check_writes(self.writes.len())
    }

    fn range(
        &mut self,
        start: &str,
        end: &str,
        limit: u32,
    ) -> Result<Vec<(String, Vec<u8>)>, ContractError> {
        contract_limits::check_range(limit)?;
        let start = contract_limits::range_start(start);
        let limit = limit as usize;
        let found = self
            .view
            .range(self.invoked.namespace, start, end, limit)
            .map_err(|error| ContractError::State(error.to_string()))?;
        self.ranges.push(RangeRead {
            start: start.to_owned(),
            end: end.to_owned(),
            exhausted: found.len() < limit,
            seen: found.iter().map(|(key, version, _)| (key.clone(), *version)).collect(),
        });
        Ok(found.into_iter().map(|(key, _, value)| (key, value)).collect())
    }

    fn emit(&mut self, name: &str, payload: Vec<u8>) -> Result<(), ContractError> {
        contract_limits::check_event(name, &payload)?;
        self.event = Some((name.to_owned(), payload));
        Ok(())
    }
}

impl RangeRead {
    fn into_proto(self) -> kvrwset::RangeQueryInfo {
        let kv_reads = self.seen.into_iter().map(|(key, v)| read(key, Some(v))).collect();
        kvrwset::RangeQueryInfo {
            start_key: self.start,
            end_key: self.end,
            itr_exhausted: self.exhausted,
            reads_info: Some(kvrwset::range_query_info::ReadsInfo::RawReads(kvrwset::QueryReads {
                kv_reads,
            })),
        }
    }
}

fn read(key: String, version: Option<Version>) -> kvrwset::KvRead {
    let version =
        version.map(|v| kvrwset::Version { block_num: v.block, tx_num: u64::from(v.index) });
    kvrwset::KvRead { key, version }
}
