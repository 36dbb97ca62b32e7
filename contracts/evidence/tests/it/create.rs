use changbai_contract::{Contract, ContractError};
use changbai_contract_evidence::EvidenceContract;
use changbai_core::{
    EvidenceId,
    contract::{self, StoredRecord, VersionChain},
};
use proptest::prelude::*;
use smkit::sm3;

use crate::support::{call, create, mock, original, parts, record, refusal};

#[test]
fn a_record_is_written_once_and_found_by_every_key() {
    let mut mock = mock();
    let parts = parts(1);
    let bytes = record(parts.clone());
    let id = parts.id.to_string();
    assert_eq!(create(&mut mock, &bytes).unwrap(), id.as_bytes());
    let tx_id = sm3(&1_u64.to_be_bytes());
    let stored = StoredRecord { tx_id, record: bytes.clone() };
    assert_eq!(call(&mut mock, "Get", &[&id]).unwrap(), stored.to_bytes());
    let key = changbai_core::Record::from_bytes(&bytes).unwrap().duplicate_key().to_string();
    assert_eq!(call(&mut mock, "FindDuplicate", &[&key]).unwrap(), stored.to_bytes());
    assert_eq!(
        mock.state().keys().map(|key| &key[..4]).collect::<Vec<_>>(),
        ["dig/", "dup/", "rec/", "typ/"]
    );
    assert_eq!(mock.state()[&contract::record_key(&parts.id)], stored.to_bytes());
}

#[test]
fn what_is_not_there_is_an_empty_answer() {
    let mut mock = mock();
    let id = parts(1).id.to_string();
    assert!(call(&mut mock, "Get", &[&id]).unwrap().is_empty());
    assert!(call(&mut mock, "FindDuplicate", &[&sm3(b"x").to_string()]).unwrap().is_empty());
    let history = call(&mut mock, "History", &[&id]).unwrap();
    assert_eq!(VersionChain::from_bytes(&history), Ok(VersionChain::default()));
}

#[test]
fn a_duplicate_is_refused_with_the_first_id() {
    let mut mock = mock();
    let first = parts(1);
    create(&mut mock, &record(first.clone())).unwrap();
    let mut second = parts(2);
    second.originals = first.originals.clone();
    let before = mock.state().clone();
    let (code, payload) = refusal(create(&mut mock, &record(second.clone())));
    assert_eq!((code.as_str(), payload), ("EV-4090", first.id.to_string().into_bytes()));
    assert_eq!(mock.state(), &before);
    // Another submitter may record the same original.
    second.submitter.subject = "CN=somebody else".to_owned();
    create(&mut mock, &record(second)).unwrap();
}

#[test]
fn an_id_is_never_used_twice() {
    let mut mock = mock();
    create(&mut mock, &record(parts(1))).unwrap();
    let mut other = parts(1);
    other.originals = vec![original(sm3(b"another"))];
    assert_eq!(refusal(create(&mut mock, &record(other))).0, "EV-4091");
}

#[test]
fn only_the_agency_itself_records_in_its_name() {
    let mut mock = mock().with_caller("OtherMSP", "CN=node");
    assert_eq!(refusal(create(&mut mock, &record(parts(1)))).0, "EV-4030");
    assert!(mock.state().is_empty());
}

#[test]
fn versions_form_one_chain() {
    let mut mock = mock();
    let ids: Vec<EvidenceId> = (1..=5).map(|serial| parts(serial).id).collect();
    for serial in 1..=5 {
        let mut version = parts(serial);
        version.previous = (serial > 1).then(|| parts(serial - 1).id);
        create(&mut mock, &record(version)).unwrap();
    }
    for id in &ids {
        let history = call(&mut mock, "History", &[&id.to_string()]).unwrap();
        let chain = VersionChain::from_bytes(&history).unwrap();
        assert_eq!(chain.versions.iter().map(|v| v.id).collect::<Vec<_>>(), ids);
        assert!(!chain.truncated);
    }
    let mut branch = parts(9);
    branch.previous = Some(ids[1]);
    let (code, payload) = refusal(create(&mut mock, &record(branch)));
    assert_eq!((code.as_str(), payload), ("EV-4092", ids[2].to_string().into_bytes()));
}

#[test]
fn a_version_needs_a_predecessor_of_the_same_agency_with_other_originals() {
    let mut mock = mock();
    create(&mut mock, &record(parts(1))).unwrap();
    let mut version = parts(2);
    version.previous = Some(parts(7).id);
    assert_eq!(refusal(create(&mut mock, &record(version.clone()))).0, "EV-4041");

    version.previous = Some(parts(1).id);
    version.originals = parts(1).originals;
    version.submitter.subject = "CN=somebody else".to_owned();
    assert_eq!(refusal(create(&mut mock, &record(version.clone()))).0, "EV-4093");

    version.originals = parts(2).originals;
    version.agency.msp_id = "OtherMSP".to_owned();
    mock.set_caller("OtherMSP", "CN=node");
    assert_eq!(refusal(create(&mut mock, &record(version))).0, "EV-4031");
}

#[test]
fn wrong_calls_are_refused() {
    let mut mock = mock();
    for (function, args) in [
        ("", [].as_slice()),
        ("create", &["x"]),
        ("Create", &[]),
        ("Create", &["x", "y"]),
        ("Get", &[]),
        ("List", &["", "", ""]),
    ] {
        assert_eq!(refusal(call(&mut mock, function, args)).0, "EV-4014", "{function}");
    }
    assert_eq!(refusal(call(&mut mock, "Create", &["{}"])).0, "EV-4001");
    assert_eq!(refusal(call(&mut mock, "Get", &["CC1"])).0, "EV-4009");
    assert_eq!(refusal(call(&mut mock, "FindDuplicate", &["AB"])).0, "EV-4010");
    let large = "x".repeat(65 * 1024);
    assert_eq!(refusal(call(&mut mock, "Create", &[&large])).0, "EV-4130");
}

#[test]
fn unavailable_state_is_reported_not_mistaken_for_absence() {
    let mut mock = mock();
    mock.set_state_failure(Some("disk"));
    let result = create(&mut mock, &record(parts(1)));
    assert_eq!(result, Err(ContractError::State("disk".to_owned())));
}

#[test]
fn a_bad_transaction_id_writes_nothing() {
    let mut mock = mock().with_function("Create", &[&record(parts(1))]);
    mock.set_tx_id("tx1");
    assert!(matches!(EvidenceContract.invoke(&mut mock), Err(ContractError::State(_))));
}

proptest! {
    #[test]
    fn hostile_arguments_never_panic_and_never_write(
        function in "Create|Get|History|FindByDigest|List|LastSerial|FindDuplicate",
        args in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..6),
    ) {
        let mut mock = mock();
        let args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        let _ = mock.call(&EvidenceContract, &function, &args);
        prop_assert!(mock.state().is_empty());
    }

    #[test]
    fn a_flipped_bit_in_a_record_is_refused_or_another_record(
        position: prop::sample::Index, bit in 0_u8..8,
    ) {
        let mut bytes = record(parts(1));
        let position = position.index(bytes.len());
        bytes[position] ^= 1 << bit;
        let mut mock = mock();
        if let Ok(id) = create(&mut mock, &bytes) {
            let id = String::from_utf8(id).unwrap();
            let stored = call(&mut mock, "Get", &[&id]).unwrap();
            prop_assert_eq!(StoredRecord::from_bytes(&stored).unwrap().record, bytes);
        }
    }
}
