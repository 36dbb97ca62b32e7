use std::collections::BTreeMap;

use changbai_contract::{ContractError, MockContext};
use changbai_contract_evidence::EvidenceContract;
use changbai_core::{
    Agency, BusinessType, CivilDate, Collection, CustodyMode, EvidenceId, OriginalRef, Record,
    RecordParts, RecordTime, SubmitterRef, Uscc,
};
use changbai_wire::time::UnixMillis;
use smkit::{Sm3Digest, sm3};

pub(crate) const MSP: &str = "RegistryMSP";
pub(crate) const AT_MS: u64 = 1_795_276_800_000;

pub(crate) fn code() -> Uscc {
    "11220100MB9999999R".parse().unwrap()
}

pub(crate) fn original(sm3: Sm3Digest) -> OriginalRef {
    OriginalRef {
        sm3,
        size_bytes: 1,
        media_type: "application/pdf".to_owned(),
        custody: CustodyMode::Submitter,
    }
}

/// A record of the general type; its id and original follow from `serial`.
pub(crate) fn parts(serial: u64) -> RecordParts {
    parts_at(serial, AT_MS)
}

pub(crate) fn parts_at(serial: u64, at_ms: u64) -> RecordParts {
    let date = CivilDate::in_china(UnixMillis(at_ms)).unwrap();
    RecordParts {
        id: EvidenceId::compose("220100", &code(), date, serial).unwrap(),
        agency: Agency { code: code(), msp_id: MSP.to_owned(), name: "登记中心".to_owned() },
        batch: None,
        business_type: BusinessType::General,
        collection: Collection::default(),
        fields: BTreeMap::new(),
        originals: vec![original(sm3(&serial.to_be_bytes()))],
        personal: BTreeMap::new(),
        previous: None,
        submitter: SubmitterRef {
            certificate_sm3: sm3(b"certificate"),
            subject: "CN=operator".to_owned(),
        },
        time: RecordTime { at_ms, bound_us: None },
    }
}

pub(crate) fn record(parts: RecordParts) -> Vec<u8> {
    Record::new(parts).unwrap().to_bytes()
}

pub(crate) fn mock() -> MockContext {
    MockContext::new().with_caller(MSP, "CN=node")
}

pub(crate) fn call(
    mock: &mut MockContext,
    function: &str,
    args: &[&str],
) -> Result<Vec<u8>, ContractError> {
    let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
    mock.call(&EvidenceContract, function, &args)
}

pub(crate) fn create(mock: &mut MockContext, record: &[u8]) -> Result<Vec<u8>, ContractError> {
    mock.call(&EvidenceContract, "Create", &[record])
}

/// Code and payload of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, ContractError>) -> (String, Vec<u8>) {
    match result.unwrap_err() {
        ContractError::Refused { code, payload, .. } => (code, payload),
        other => panic!("{other:?}"),
    }
}
