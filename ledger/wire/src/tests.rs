#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod config;
mod endorsement;
mod hashing;
mod hostile;
mod round_trip;

use crate::{
    DecodedProposal, NsReadWriteSet, SimulationResult, TxReadWriteSet, assemble, build_proposal,
    decode_proposal,
    proto::{
        kvrwset::{
            KvRead, KvWrite, KvrwSet, QueryReads, RangeQueryInfo, Version,
            range_query_info::ReadsInfo,
        },
        protos,
    },
    response_payload, seal,
    time::UnixMillis,
};

const CREATOR: &[u8] = b"a serialized identity";

/// A transaction of one chaincode with reads, writes, a range query and an event.
struct Sample {
    proposal: Vec<u8>,
    decoded: DecodedProposal,
    rwset: TxReadWriteSet,
    event: protos::ChaincodeEvent,
    response: protos::Response,
    version: String,
    name: String,
    endorsements: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Sample {
    fn new() -> Self {
        let args = [b"Create".to_vec(), br#"{"a":1}"#.to_vec()];
        let time = UnixMillis(1_753_000_000_123);
        let (tx_id, proposal) = build_proposal("city", "evidence", &args, CREATOR, &[9; 24], time);
        let decoded = decode_proposal(&proposal).unwrap();
        Self {
            proposal,
            decoded,
            rwset: rwset(),
            event: protos::ChaincodeEvent {
                chaincode_id: "evidence".to_owned(),
                tx_id: tx_id.to_string(),
                event_name: "created".to_owned(),
                payload: b"id".to_vec(),
            },
            response: protos::Response {
                status: 200,
                message: String::new(),
                payload: b"ok".to_vec(),
            },
            version: "1.0".to_owned(),
            name: "evidence".to_owned(),
            endorsements: vec![
                (b"peer one".to_vec(), vec![0x30, 1]),
                (b"peer two".to_vec(), vec![0x30, 2]),
            ],
        }
    }

    fn answer(&self) -> Vec<u8> {
        let simulation = SimulationResult {
            results: &self.rwset,
            event: Some(&self.event),
            response: &self.response,
            chaincode_name: &self.name,
            chaincode_version: &self.version,
        };
        response_payload(&self.decoded.hash, &simulation)
    }

    fn payload(&self) -> Vec<u8> {
        assemble(&self.proposal, &self.answer(), &self.endorsements).unwrap()
    }

    fn envelope(&self) -> Vec<u8> {
        seal(self.payload(), vec![0x30, 0x44, 7])
    }
}

fn rwset() -> TxReadWriteSet {
    let read = |key: &str, version| KvRead { key: key.to_owned(), version };
    let write = |key: &str, value: &[u8]| KvWrite {
        key: key.to_owned(),
        is_delete: value.is_empty(),
        value: value.to_vec(),
    };
    let seen = Some(Version { block_num: 3, tx_num: 1 });
    let set = KvrwSet {
        reads: vec![read("dup/1", None), read("rec/1", seen)],
        writes: vec![write("dup/1", b"id"), write("gone", b"")],
        range_queries_info: vec![RangeQueryInfo {
            start_key: "a".to_owned(),
            end_key: "c".to_owned(),
            itr_exhausted: true,
            reads_info: Some(ReadsInfo::RawReads(QueryReads { kv_reads: vec![read("b", seen)] })),
        }],
        metadata_writes: Vec::new(),
    };
    TxReadWriteSet { namespaces: vec![NsReadWriteSet { namespace: "evidence".to_owned(), set }] }
}
