//! Nodes of several organisations simulate the same submission: at whatever block each of them is,
//! they have to read and write the same, or nobody's endorsements fit together.

use changbai_contract::{Caller, Context, Contract, ContractError, MockContext};
use changbai_contract_evidence::EvidenceContract;
use changbai_core::RecordParts;
use smkit::sm3;

use crate::support::{create, mock, parts, record};

/// Notes everything that is read, as a read-write set does.
struct Reads {
    mock: MockContext,
    found: Vec<(String, Option<Vec<u8>>)>,
}

impl Context for Reads {
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
        self.found.push((key.to_owned(), value.clone()));
        Ok(value)
    }

    fn put(&mut self, key: &str, value: Vec<u8>) -> Result<(), ContractError> {
        self.mock.put(key, value)
    }

    fn delete(&mut self, key: &str) -> Result<(), ContractError> {
        self.mock.delete(key)
    }

    fn range(
        &mut self,
        start: &str,
        _: &str,
        _: u32,
    ) -> Result<Vec<(String, Vec<u8>)>, ContractError> {
        panic!("a submission reads the range from {start}: it conflicts with every other one");
    }

    fn emit(&mut self, name: &str, payload: Vec<u8>) -> Result<(), ContractError> {
        self.mock.emit(name, payload)
    }
}

/// What a node at this state makes of a submission.
fn simulate(state: &MockContext, parts: RecordParts) -> Reads {
    let mut mock = state.clone();
    mock.set_function("Create", &[&record(parts)]);
    mock.set_tx_id(&sm3(b"the proposal's").to_string());
    let mut reads = Reads { mock, found: Vec::new() };
    EvidenceContract.invoke(&mut reads).unwrap();
    reads
}

#[test]
fn a_submission_is_simulated_alike_at_different_heights() {
    let mut behind = mock();
    let first = parts(1);
    create(&mut behind, &record(first.clone())).unwrap();
    let mut ahead = behind.clone();
    for serial in 3..9 {
        create(&mut ahead, &record(parts(serial))).unwrap();
    }
    // A record of its own, and the next version of one that both have.
    let mut next = parts(2);
    next.previous = Some(first.id);
    for submission in [parts(2), next] {
        let [here, there] = [&behind, &ahead].map(|state| simulate(state, submission.clone()));
        assert_eq!(here.found, there.found);
        assert_eq!(here.mock.writes(), there.mock.writes());
        assert_eq!(here.mock.event(), there.mock.event());
        assert!((2..=4).contains(&here.found.len()));
    }
}
