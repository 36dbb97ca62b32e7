//! `verify.html`: another verifier, in another language, that must agree with this one; and the only page a bundle may
//! hold.

use std::{io::Write, path::Path, process::Command};

use changbai_receipt::{
    BundleParts, PAGE, Receipt, Report, Status, Trust, Verdict, verify_reader, write_bundle,
};
use serde_json::{Value, json};
use smkit_pki::Authority;

use crate::fixture::{City, Member, Seed, days, hashed, open, pack, packed, root};

/// What is put before both verifiers.
struct Case {
    name: String,
    bundle: Vec<u8>,
    originals: Vec<Vec<u8>>,
    trust: Option<Trust>,
}

/// The code by which the page says that it does not check an element.
const NOT_HERE: &str = "VP-0090";

#[test]
fn both_verifiers_agree_on_what_is_right_and_on_what_is_forged() {
    let mut cases = honest();
    cases.extend(worlds());
    cases.extend(altered());
    let Some(answers) = in_node(&cases) else { return };
    assert_eq!(answers.len(), cases.len());
    for (case, answer) in cases.iter().zip(&answers) {
        let originals: Vec<_> = case.originals.iter().map(|bytes| hashed(bytes)).collect();
        let report = verify_reader(&mut case.bundle.as_slice(), &originals, case.trust.as_ref());
        agree(&case.name, &report, answer);
    }
}

/// Each element the same, code by code, or left out by the page and said to be.
fn agree(name: &str, ours: &Report, page: &Value) {
    // Two things our verifier alone knows to be malformed: a record that breaks the schema of its business type
    // (FORMAT.md §2: nobody endorsed it), and values within a certificate (its signature does not hold then).
    for (at, strict, looser) in [(1, "VF-1101", "VF-1100"), (0, "VF-1009", "VF-1000")] {
        if ours.elements[at].code == strict && page["elements"][at]["code"] == looser {
            assert_eq!(page["verdict"], "not_verified", "{name}");
            return;
        }
    }
    // Both refuse the transaction, at another layer of it: who signed it is then known to one of them only.
    let code = |report: &Value, at: usize| report["elements"][at]["code"].clone();
    let torn = ours.elements[2].status == Status::Failed && code(page, 2) != ours.elements[2].code;
    if torn {
        assert_eq!(page["elements"][2]["status"], "failed", "{name}");
    }
    for (element, theirs) in ours.elements.iter().zip(page["elements"].as_array().unwrap()) {
        assert_eq!(theirs["name"], element.name);
        if theirs["code"] == NOT_HERE {
            assert_eq!(theirs["status"], "unchecked", "{name}");
            continue;
        }
        if torn && ["transaction", "certificates", "trust"].contains(&element.name) {
            continue;
        }
        let said = theirs["code"].as_str().unwrap();
        // Of what it does not judge, a page says that nothing is attached, and no more.
        if theirs["status"] == "absent" && element.status == Status::Unchecked {
            continue;
        }
        assert_eq!(said, element.code, "{name}, {}: {theirs} {}", element.name, element.reason_en);
    }
    match page["verdict"].as_str().unwrap() {
        "verified" => assert_eq!(ours.verdict, Verdict::Verified, "{name}: {page}"),
        "not_verified" => assert_eq!(ours.verdict, Verdict::NotVerified, "{name}: {page}"),
        _ => assert!(page["elements"].to_string().contains("unchecked"), "{name}"),
    }
}

fn case(name: &str, city: &City, bundle: Vec<u8>) -> Case {
    let trust = Some(city.trust.clone());
    Case { name: name.to_owned(), bundle, originals: Vec::new(), trust }
}

fn honest() -> Vec<Case> {
    let (one, four) = (City::new(1), City::new(4));
    let mut quorum = four.clone();
    quorum.signing.remove(2);
    let bare = pack(one.record.as_bytes(), &one.receipt(), None, &[]);
    let mut other = one.originals.clone();
    other[1].push(0);
    vec![
        case("one validator", &one, one.bundle()),
        case("four validators", &four, four.bundle()),
        case("a quorum of four", &quorum, quorum.bundle()),
        case("without originals", &one, bare.clone()),
        Case { originals: one.originals.clone(), ..case("originals beside", &one, bare.clone()) },
        Case { originals: other, ..case("another original beside", &one, bare) },
        Case { trust: None, ..case("no trust file", &one, one.bundle()) },
        Case { trust: Some(one.trust.roots().clone().into()), ..case("roots", &one, one.bundle()) },
        Case { trust: Some(City::new(2).trust), ..case("other roots", &one, one.bundle()) },
        case("with the page", &one, with_page(&one, PAGE.as_bytes())),
    ]
}

/// Worlds that contradict a rule, each properly signed by its own people.
fn worlds() -> Vec<Case> {
    let mut seed = Seed(77);
    let authority = root(&mut seed);
    let units = ["peer", "orderer"];
    let member = |authority: &Authority, units: &[&str], from, to, seed: &mut Seed| {
        Member::issued(authority, "somebody", units, days(from, to), seed)
    };
    let node = member(&authority, &units, -1, 365, &mut seed);
    let operator = member(&authority, &["client"], -1, 365, &mut seed);
    let right = City::with(&authority, vec![node], operator.clone());
    let with = |node: Member| City::with(&authority, vec![node], operator.clone());
    let mut cases = vec![
        ("right", right.clone()),
        ("expired", with(member(&authority, &units, -20, -10, &mut seed))),
        ("too early", with(member(&authority, &units, 10, 20, &mut seed))),
        ("no orderer", with(member(&authority, &["peer"], -1, 365, &mut seed))),
        ("no peer", with(member(&authority, &["orderer"], -1, 365, &mut seed))),
    ];
    let stranger = root(&mut Seed(4_000));
    cases.push(("another root", with(member(&stranger, &units, -1, 365, &mut seed))));
    let mut changed = right.clone();
    changed.status = 201;
    cases.push(("refused by the contract", changed));
    let mut changed = right.clone();
    changed.chaincode = "licence".to_owned();
    cases.push(("another contract", changed));
    let mut changed = right.clone();
    changed.args[1].push(b' ');
    cases.push(("another record", changed));
    let mut changed = right.clone();
    changed.written = None;
    cases.push(("not written", changed));
    let mut changed = right.clone();
    changed.header_channel = "jilin".to_owned();
    cases.push(("another channel", changed));
    let mut changed = right.clone();
    changed.code = changbai_wire::ValidationCode::MvccReadConflict;
    cases.push(("judged invalid", changed));
    let mut changed = right.clone();
    changed.endorsers.push(changed.endorsers[0].clone());
    cases.push(("endorsed twice", changed));
    let mut changed = right.clone();
    changed.header_number = 7;
    cases.push(("its own block", changed));
    cases.into_iter().map(|(name, city)| case(name, &right, city.bundle())).collect()
}

/// Bytes changed all over.
fn altered() -> Vec<Case> {
    let city = City::new(4);
    let (record, receipt) = (city.record.to_bytes(), city.receipt());
    let (disclosures, bundle) = (city.disclosures(), city.bundle());
    let packed = |record: &[u8], receipt: &[u8], disclosures: &[u8]| {
        pack(record, receipt, Some(disclosures), &city.originals)
    };
    let flip = |bytes: &[u8], place: usize| {
        let mut bytes = bytes.to_vec();
        bytes[place] ^= 1 << (place % 7);
        bytes
    };
    let places = |len: usize, count: usize| (0..count).map(move |n| (n * 7_919 + 13) % len);
    let mut cases = Vec::new();
    for place in places(bundle.len(), 60) {
        cases.push(case(&format!("bundle {place}"), &city, flip(&bundle, place)));
    }
    for place in places(record.len(), 40) {
        let bundle = packed(&flip(&record, place), &receipt, &disclosures);
        cases.push(case(&format!("record {place}"), &city, bundle));
    }
    for place in places(receipt.len(), 120) {
        let bundle = packed(&record, &flip(&receipt, place), &disclosures);
        cases.push(case(&format!("receipt {place}"), &city, bundle));
    }
    for place in places(disclosures.len(), 30) {
        let bundle = packed(&record, &receipt, &flip(&disclosures, place));
        cases.push(case(&format!("disclosures {place}"), &city, bundle));
    }
    cases.push(case("cut", &city, bundle[..bundle.len() - 1].to_vec()));
    cases.push(case("extended", &city, [&bundle[..], b"\n"].concat()));
    type Change = fn(&mut Receipt);
    let changes: [(&str, Change); 5] = [
        ("round", |receipt| receipt.round += 1),
        ("time", |receipt| receipt.header.time_ms += 1),
        ("leaf", |receipt| receipt.leaf.index += 1),
        ("twice", |receipt| receipt.signatures[1] = receipt.signatures[0]),
        ("path", |receipt| receipt.inclusion.path.swap(0, 1)),
    ];
    for (name, change) in changes {
        let mut receipt = Receipt::from_bytes(&receipt).unwrap();
        change(&mut receipt);
        let bundle = packed(&record, &receipt.to_bytes().unwrap(), &disclosures);
        cases.push(case(name, &city, bundle));
    }
    cases
}

/// The page's reports from node, or `None` with a printed reason.
fn in_node(cases: &[Case]) -> Option<Vec<Value>> {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: String, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let listed: Vec<_> = cases
        .iter()
        .enumerate()
        .map(|(at, case)| {
            let originals = case.originals.iter().enumerate();
            let originals: Vec<_> =
                originals.map(|(n, bytes)| file(format!("{at}-{n}"), bytes)).collect();
            let trust = case.trust.as_ref();
            let trust = trust.map(|trust| file(format!("{at}.trust"), trust.to_text().as_bytes()));
            let bundle = file(format!("{at}.zip"), &case.bundle);
            json!({ "bundle": bundle, "originals": originals, "trust": trust })
        })
        .collect();
    let page = file("verify.html".to_owned(), PAGE.as_bytes());
    let manifest = file("cases.json".to_owned(), Value::from(listed).to_string().as_bytes());
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/page.mjs");
    match Command::new("node").arg(driver).arg(page).arg(manifest).output() {
        Ok(output) => {
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "node: {error}");
            Some(serde_json::from_slice(&output.stdout).unwrap())
        }
        Err(error) => {
            let required = std::env::var_os("CHANGBAI_REQUIRE_PEERS").is_some_and(|v| v == "1");
            assert!(!required, "node is required: {error}");
            let said =
                format!("skipped: node is not to be had ({error}), so verify.html was not run\n");
            let _ = std::io::stderr().write_all(said.as_bytes());
            None
        }
    }
}

fn with_page(city: &City, page: &[u8]) -> Vec<u8> {
    let (receipt, disclosures) = (city.receipt(), city.disclosures());
    let parts = BundleParts {
        record: city.record.as_bytes(),
        receipt: &receipt,
        disclosures: Some(&disclosures),
        page: Some(page),
        originals: packed(&city.originals),
        ..BundleParts::default()
    };
    let mut out = Vec::new();
    write_bundle(&mut out, &parts, &mut |o| open(&city.originals, o)).unwrap();
    out
}

#[test]
fn a_page_that_is_not_ours_is_noticed() {
    let city = City::new(1);
    let judged =
        |page: &[u8]| verify_reader(&mut with_page(&city, page).as_slice(), &[], Some(&city.trust));
    let report = judged(PAGE.as_bytes());
    assert_eq!(report.verdict, Verdict::Verified, "{}", report.to_json());
    let lie = PAGE.replace("any(\"failed\")", "false");
    assert_ne!(lie, PAGE);
    let mut flipped = PAGE.as_bytes().to_vec();
    flipped[PAGE.len() / 2] ^= 1;
    for page in [lie.as_bytes(), &flipped, b"", &PAGE.as_bytes()[1..]] {
        let report = judged(page);
        assert_eq!(report.verdict, Verdict::NotVerified);
        let element = report.element("container").unwrap();
        assert_eq!((element.code, element.status), ("VF-1010", Status::Failed));
    }
}
