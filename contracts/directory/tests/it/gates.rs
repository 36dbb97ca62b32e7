use changbai_core::directory::{DirectoryEntry, DirectoryPage, Gate};
use changbai_core::process::Step;
use smkit::sm3;

use crate::support::{City, MSP, NUMBER, authority, code, document, gates, member};

#[test]
fn a_record_that_passes_every_gate_is_admitted_once_shown_and_listed() {
    let mut city = City::new();
    let entry = DirectoryEntry::from_bytes(&city.admit().unwrap()).unwrap();
    assert_eq!(entry.id.to_string(), city.id());
    assert_eq!((entry.msp_id.as_str(), entry.filing_number.as_str()), (MSP, NUMBER));
    assert_eq!((entry.time_bound_us, entry.certificate_sm3), (900, document()));
    assert_eq!(entry.authority_sm3, city.authority.certificate().sm3());
    let id = city.id();
    let shown = city.call("Get", &[id.as_bytes()]).unwrap();
    assert_eq!(DirectoryEntry::from_bytes(&shown).unwrap(), entry);
    let page = city.call("List", &[b"", b"10"]).unwrap();
    assert_eq!(DirectoryPage::from_bytes(&page).unwrap().entries, [entry]);
    let rest = city.call("List", &[id.as_bytes(), b"10"]).unwrap();
    assert!(DirectoryPage::from_bytes(&rest).unwrap().entries.is_empty());
    assert_eq!(code(city.admit()), "EV-4097");
}

#[test]
fn each_gate_refuses_by_name() {
    let mut algorithms = City::new();
    algorithms.shown_authority = Some(b"an RSA certificate, or anything else".to_vec());
    let failed = gates(algorithms.admit());
    assert!(failed.starts_with(&[Gate::Algorithms, Gate::Identity]), "{failed:?}");

    // Another authority: it issued neither the submitter nor the node.
    let mut identity = City::new();
    identity.shown_authority = Some(authority("other").certificate().der().to_vec());
    assert!(gates(identity.admit()).contains(&Gate::Identity));
    // A submitter whom the node's authority did not certify.
    let mut stranger = City::new();
    stranger.client = member(&authority("other"), "client", "client");
    assert!(gates(stranger.admit()).contains(&Gate::Identity));

    let mut local = City::new();
    local.bound_us = None;
    assert_eq!(gates(local.admit()), [Gate::Time]);
    let mut loose = City::new();
    loose.bound_us = Some(10_001);
    assert_eq!(gates(loose.admit()), [Gate::Time]);

    let log = |edit: fn(&mut City)| {
        let mut city = City::new();
        edit(&mut city);
        assert_eq!(gates(city.admit()), [Gate::ProcessLog, Gate::Certificate]);
    };
    log(|city| city.on_ledger = false);
    log(|city| city.anchored = 4);
    for step in Step::RECORDING {
        let mut city = City::new();
        city.skipped = Some(step);
        city.anchored = 5;
        assert_eq!(gates(city.admit()), [Gate::ProcessLog, Gate::Certificate], "{step:?}");
    }
    log(|city| city.signer = Some(member(&authority("other"), "node", "peer")));
    log(|city| city.signer = Some(member(&city.authority, "no peer", "client")));

    let mut unfiled = City::new();
    unfiled.declared = false;
    assert_eq!(gates(unfiled.admit()), [Gate::FilingNumber]);

    let mut uncertified = City::new();
    uncertified.handed_out = sm3(b"another document");
    assert_eq!(gates(uncertified.admit()), [Gate::Certificate]);
    // Handed out, but not anchored yet.
    let mut late = City::new();
    late.anchored = 5;
    assert_eq!(gates(late.admit()), [Gate::Certificate]);
}

#[test]
fn all_failing_gates_are_named_and_nothing_is_written() {
    let mut city = City::new();
    (city.bound_us, city.declared, city.on_ledger) = (None, false, false);
    let expected = [Gate::Time, Gate::ProcessLog, Gate::FilingNumber, Gate::Certificate];
    assert_eq!(gates(city.admit()), expected);
    let id = city.id();
    assert!(city.call("Get", &[id.as_bytes()]).unwrap().is_empty());
}

#[test]
fn an_agency_speaks_for_itself() {
    let mut city = City::new();
    city.admit().unwrap();
    city.ledger.set_caller("OtherMSP", "CN=other");
    let id = city.id();
    let args: [&[u8]; 5] = [id.as_bytes(), b"", b"", b"", b""];
    assert_eq!(code(city.call("Admit", &args)), "EV-4030");
    assert_eq!(code(city.call("Declare", &[b"12345"])), "EV-4227");
    assert!(city.call("Declared", &[b"OtherMSP"]).unwrap().is_empty());
    assert_eq!(city.call("Declared", &[MSP.as_bytes()]).unwrap(), NUMBER.as_bytes());
    assert_eq!(code(city.call("Erase", &[])), "EV-4014");
    let unknown = "CC22010011220100MB9999999R2026112200000000012ZU";
    let args: [&[u8]; 5] = [unknown.as_bytes(), b"", b"", b"", b""];
    assert_eq!(code(city.call("Admit", &args)), "EV-4040");
}
