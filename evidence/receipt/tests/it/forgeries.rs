//! Bundles that are well-formed but claim what is not so.

use changbai_core::Opening;
use changbai_receipt::{
    Bundle, Receipt, Report, Status, Trust, Verdict, disclosures_to_bytes, verify, verify_reader,
};
use changbai_wire::ValidationCode;
use smkit_pki::{Authority, Profile, TrustAnchors};

use crate::fixture::{
    CHANNEL, City, Member, NOW_MS, Seed, days, hashed, pack, record, root, subject,
};

/// The report on the receipt as it is, with the honest record and originals.
fn judged(city: &City, receipt: &Receipt) -> Report {
    judged_bytes(city, &receipt.to_bytes().unwrap())
}

fn judged_bytes(city: &City, receipt: &[u8]) -> Report {
    let disclosures = city.disclosures();
    let bundle = pack(city.record.as_bytes(), receipt, Some(&disclosures), &city.originals);
    verify_reader(&mut bundle.as_slice(), &[], Some(&city.trust))
}

/// The whole bundle is refused, and this element says why.
#[track_caller]
fn refused(report: &Report, element: &str, code: &str) {
    assert_eq!(report.verdict, Verdict::NotVerified, "{}", report.to_json());
    let element = report.element(element).unwrap();
    assert_eq!(element.code, code, "{}", report.to_json());
    assert!(!element.reason_zh.contains('{') && !element.reason_en.contains('{'));
}

fn receipt(city: &City) -> Receipt {
    Receipt::from_proof(&city.proof()).unwrap()
}

#[test]
fn the_record_of_another_transaction() {
    let city = City::new(1);
    let mut other = city.clone();
    other.record = record(&other.originals, &other.openings, &other.operator, 1_120);
    // `other` still carries the transaction of the first record.
    refused(&judged(&other, &receipt(&city)), "transaction", "VF-1204");
}

#[test]
fn another_validation_code() {
    let city = City::new(1);
    let mut forged = receipt(&city);
    forged.leaf.code = ValidationCode::MvccReadConflict;
    let report = judged(&city, &forged);
    refused(&report, "transaction", "VF-1202");
    refused(&report, "inclusion", "VF-1301");

    // Judged invalid by the ledger, sold as valid.
    let mut invalid = city.clone();
    invalid.code = ValidationCode::MvccReadConflict;
    refused(&judged(&city, &receipt(&invalid)), "transaction", "VF-1202");
    let mut forged = receipt(&invalid);
    forged.leaf.code = ValidationCode::Valid;
    refused(&judged(&city, &forged), "inclusion", "VF-1301");
}

#[test]
fn a_quorum_short_by_one() {
    for validators in [1, 4, 7] {
        let mut city = City::new(validators);
        city.signing.truncate(city.quorum() - 1);
        refused(&judged(&city, &receipt(&city)), "header", "VF-1401");
    }
}

#[test]
fn a_quorum_filled_with_a_duplicate() {
    let city = City::new(4);
    let mut forged = receipt(&city);
    forged.signatures = vec![forged.signatures[0]; 3];
    refused(&judged(&city, &forged), "header", "VF-1404");
    let mut forged = receipt(&city);
    forged.signatures.swap(0, 1);
    refused(&judged(&city, &forged), "header", "VF-1404");
}

#[test]
fn a_quorum_with_one_wrong_signature_more_than_needed() {
    let city = City::new(4);
    let mut forged = receipt(&city);
    assert_eq!(forged.signatures.len(), 4);
    forged.signatures[3].signature = forged.signatures[2].signature;
    refused(&judged(&city, &forged), "header", "VF-1402");
}

#[test]
fn a_signature_of_another_round_height_or_kind() {
    let city = City::new(1);
    let mut forged = receipt(&city);
    forged.round += 1;
    refused(&judged(&city, &forged), "header", "VF-1402");
}

#[test]
fn strangers_and_doubled_validators() {
    let city = City::new(4);
    let mut forged = receipt(&city);
    forged.validators.truncate(3);
    refused(&judged(&city, &forged), "header", "VF-1405");
    let mut forged = receipt(&city);
    forged.validators[3] = forged.validators[2].clone();
    refused(&judged(&city, &forged), "header", "VF-1406");
    let mut forged = receipt(&city);
    forged.validators.swap(0, 1);
    refused(&judged(&city, &forged), "header", "VF-1405");
    let mut forged = receipt(&city);
    forged.validators.clear();
    refused(&judged(&city, &forged), "header", "VF-1406");

    // A world of one validator whose header is signed by somebody else.
    let mut forged = receipt(&city);
    forged.signatures[0].validator = changbai_wire::ValidatorAddress::new(smkit::sm3(b"nobody"));
    refused(&judged(&city, &forged), "header", "VF-1403");
}

/// A world with an authority at hand, so that its certificates can be misused.
fn with_authority() -> (Authority, City, Seed) {
    let mut seed = Seed(77);
    let authority = root(&mut seed);
    let units = ["peer", "orderer"];
    let node = Member::issued(&authority, "node1", &units, days(-1, 365), &mut seed);
    let operator = Member::issued(&authority, "经办员", &["client"], days(-1, 365), &mut seed);
    let city = City::with(&authority, vec![node], operator);
    (authority, city, seed)
}

#[test]
fn operators_as_validators_or_endorsers() {
    let (_, city, _) = with_authority();
    let mut forged = city.clone();
    forged.validators = vec![city.operator.clone()];
    let report = judged(&city, &receipt(&forged));
    refused(&report, "certificates", "VF-1501");
    assert_eq!(report.element("header").unwrap().status, Status::Proven);

    let mut forged = city.clone();
    forged.endorsers = vec![city.operator.clone()];
    refused(&judged(&city, &receipt(&forged)), "certificates", "VF-1502");

    // Mixed into a larger set.
    let mut forged = City::new(4);
    forged.validators[2] = forged.operator.clone();
    refused(&judged(&forged, &receipt(&forged)), "certificates", "VF-1501");
}

#[test]
fn roles_are_judged_without_trust_too() {
    let (_, mut city, _) = with_authority();
    city.validators = vec![city.operator.clone()];
    let report = verify_reader(&mut city.bundle().as_slice(), &[], None);
    refused(&report, "certificates", "VF-1501");
}

#[test]
fn a_foreign_authority_with_the_same_names() {
    let (_, city, _) = with_authority();
    let mut seed = Seed(1_000_000);
    let foreign = root(&mut seed);
    let units = ["peer", "orderer"];
    let node = Member::issued(&foreign, "node1", &units, days(-1, 365), &mut seed);
    let mut forged = City::with(&foreign, vec![node], city.operator.clone());
    assert_eq!(forged.record, city.record);
    let report = verify_reader(&mut forged.bundle().as_slice(), &[], Some(&forged.trust));
    assert_eq!(report.verdict, Verdict::Verified, "consistent in itself");

    let report = verify_reader(&mut forged.bundle().as_slice(), &[], Some(&city.trust));
    refused(&report, "trust", "VF-1601");
    assert_eq!(report.element("certificates").unwrap().status, Status::Failed);
    // Naming the honest root does not help, nor does bringing the own root along.
    forged.anchors = city.anchors.clone();
    let report = verify_reader(&mut forged.bundle().as_slice(), &[], Some(&city.trust));
    assert_eq!(report.element("certificates").unwrap().status, Status::Failed);
    refused(&report, "trust", "VF-1691");
    let mut own = receipt(&forged);
    own.intermediates = vec![foreign.certificate().clone()];
    refused(&judged(&city, &own), "certificates", "VF-1508");
}

#[test]
fn trusting_more_roots_than_needed_is_fine_but_naming_more_is_not() {
    let (authority, mut city, mut seed) = with_authority();
    let other = root(&mut seed);
    let both = vec![other.certificate().clone(), authority.certificate().clone()];
    let channels = city.trust.channels().to_vec();
    city.trust = Trust::new(TrustAnchors::from_certificates(both), channels).unwrap();
    let report = judged(&city, &receipt(&city));
    assert_eq!(report.verdict, Verdict::Verified, "{}", report.to_json());

    city.anchors.push(other.certificate().sm3());
    refused(&judged(&city, &receipt(&city)), "trust", "VF-1602");
    city.anchors.clear();
    refused(&judged(&city, &receipt(&city)), "trust", "VF-1602");
    city.anchors = vec![other.certificate().sm3()];
    refused(&judged(&city, &receipt(&city)), "trust", "VF-1602");
}

#[test]
fn no_trust_at_all_is_not_a_failure() {
    let (_, mut city, _) = with_authority();
    city.trust = TrustAnchors::default().into();
    let report = judged(&city, &receipt(&city));
    assert_eq!(report.verdict, Verdict::Unchecked);
}

/// A world whose certificates hang under an intermediate authority.
fn with_intermediate() -> (Authority, City, Seed) {
    let (authority, _, mut seed) = with_authority();
    let middle = intermediate(&authority, "长白链中间证书", &mut seed);
    let units = ["peer", "orderer"];
    let node = Member::issued(&middle, "node1", &units, days(-1, 365), &mut seed);
    let operator = Member::issued(&middle, "经办员", &["client"], days(-1, 365), &mut seed);
    let mut city = City::with(&authority, vec![node], operator);
    city.intermediates = vec![middle.certificate().clone()];
    (authority, city, seed)
}

fn intermediate(above: &Authority, name: &str, seed: &mut Seed) -> Authority {
    let key = smkit::sm2::PrivateKey::generate(seed).unwrap();
    let profile = Profile::RootCa { path_length: Some(0) };
    let certificate = above
        .issue(&subject(name, &[]), key.public_key(), profile, days(-10, 1_000), None, seed)
        .unwrap();
    Authority::new(certificate, key).unwrap()
}

#[test]
fn intermediates_are_taken_if_needed_and_refused_otherwise() {
    let (authority, city, mut seed) = with_intermediate();
    let honest = receipt(&city);
    let report = judged(&city, &honest);
    assert_eq!(report.verdict, Verdict::Verified, "{}", report.to_json());

    // The ledger may offer more than is needed; the receipt drops it.
    let spare = intermediate(&authority, "另一中间证书", &mut seed).certificate().clone();
    let mut generous = city.clone();
    generous.intermediates.push(spare.clone());
    generous.intermediates.push(city.intermediates[0].clone());
    assert_eq!(receipt(&generous).to_bytes().unwrap(), honest.to_bytes().unwrap());

    for extra in [spare, authority.certificate().clone(), honest.intermediates[0].clone()] {
        let mut forged = honest.clone();
        forged.intermediates.push(extra);
        refused(&judged(&city, &forged), "certificates", "VF-1508");
        forged.intermediates.reverse();
        refused(&judged(&city, &forged), "certificates", "VF-1508");
    }
    let mut forged = honest.clone();
    forged.intermediates.clear();
    refused(&judged(&city, &forged), "certificates", "VF-1505");

    // An intermediate of the right name and a wrong key.
    let mut forged = honest;
    forged.intermediates =
        vec![intermediate(&authority, "长白链中间证书", &mut seed).certificate().clone()];
    assert_eq!(judged(&city, &forged).verdict, Verdict::NotVerified);
}

#[test]
fn a_client_certificate_as_an_authority() {
    let (authority, city, mut seed) = with_authority();
    // The operator signs a node certificate of their own making.
    let rogue = authority_of(&city.operator, &mut seed);
    let units = ["peer", "orderer"];
    let node = Member::issued(&rogue, "node1", &units, days(-1, 365), &mut seed);
    let mut forged = City::with(&authority, vec![node], city.operator.clone());
    forged.intermediates = vec![city.operator.certificate.clone()];
    let report = judged(&city, &receipt(&forged));
    assert_eq!(report.verdict, Verdict::NotVerified);
    assert_eq!(report.element("certificates").unwrap().status, Status::Failed);
}

/// An authority that bears a member's name, with a key of its own: the best a certificate holder can make.
fn authority_of(member: &Member, seed: &mut Seed) -> Authority {
    let name = member.certificate.common_name().unwrap();
    Authority::create_root(&subject(&name, &["client"]), days(-1, 100), seed).unwrap()
}

#[test]
fn another_channel() {
    let city = City::new(1);
    // A receipt of another channel sold under this one's name.
    let mut other = city.clone();
    other.header_channel = "siping".to_owned();
    refused(&judged(&city, &receipt(&other)), "transaction", "VF-1205");
    let mut forged = receipt(&other);
    forged.header.channel_id = CHANNEL.to_owned();
    refused(&judged(&city, &forged), "header", "VF-1405");
    // A whole other channel in itself is consistent: the trust file does not name it.
    other.channel = "siping".to_owned();
    let report = judged(&city, &receipt(&other));
    refused(&report, "validators", "VF-1901");
    let failed = report.elements.iter().filter(|element| element.status == Status::Failed);
    assert_eq!(failed.count(), 1, "{}", report.to_json());
    assert_eq!(report.claims.channel.as_deref(), Some("siping"));
}

#[test]
fn an_envelope_that_does_not_record_evidence() {
    let city = City::new(1);
    let mut forged = city.clone();
    forged.args[0] = b"Get".to_vec();
    refused(&judged(&city, &receipt(&forged)), "transaction", "VF-1203");
    let mut forged = city.clone();
    forged.chaincode = "notes".to_owned();
    refused(&judged(&city, &receipt(&forged)), "transaction", "VF-1203");
    let mut forged = city.clone();
    forged.args.push(b"more".to_vec());
    refused(&judged(&city, &receipt(&forged)), "transaction", "VF-1204");
    let mut forged = city.clone();
    forged.args.pop();
    refused(&judged(&city, &receipt(&forged)), "transaction", "VF-1204");
    let mut forged = city.clone();
    forged.written = None;
    refused(&judged(&city, &receipt(&forged)), "transaction", "VF-1212");
    let mut forged = city.clone();
    forged.written = Some(b"something else".to_vec());
    refused(&judged(&city, &receipt(&forged)), "transaction", "VF-1212");
}

#[test]
fn a_refusal_of_the_contract() {
    let city = City::new(1);
    let mut forged = city.clone();
    forged.status = 399;
    refused(&judged(&city, &receipt(&forged)), "transaction", "VF-1211");
}

#[test]
fn signatures_on_the_transaction() {
    let city = City::new(4);
    // Somebody else's key under the creator's name, and the same for an endorser.
    let mut forged = city.clone();
    forged.creator.key = city.operator.key.clone();
    refused(&judged(&city, &receipt(&forged)), "transaction", "VF-1206");
    let mut forged = city.clone();
    forged.endorsers.push(city.validators[1].clone());
    let report = judged(&city, &receipt(&forged));
    assert_eq!(report.verdict, Verdict::Verified, "{}", report.to_json());
    forged.endorsers[1].key = city.operator.key.clone();
    refused(&judged(&city, &receipt(&forged)), "transaction", "VF-1207");
    forged.endorsers[1] = forged.endorsers[0].clone();
    refused(&judged(&city, &receipt(&forged)), "transaction", "VF-1209");
    let mut forged = city.clone();
    forged.creator.msp_id = "SipingMSP".to_owned();
    refused(&judged(&city, &receipt(&forged)), "transaction", "VF-1210");
}

#[test]
fn another_leaf_or_header() {
    let city = City::new(1);
    let mut other = city.clone();
    other.log = (6, 2);
    let mut forged = receipt(&city);
    forged.inclusion = receipt(&other).inclusion;
    refused(&judged(&city, &forged), "inclusion", "VF-1301");

    let mut forged = receipt(&city);
    forged.inclusion.index = 4;
    refused(&judged(&city, &forged), "inclusion", "VF-1301");
    let mut forged = receipt(&city);
    forged.inclusion.size += 1;
    refused(&judged(&city, &forged), "inclusion", "VF-1302");
    forged.header.log_size += 1;
    let report = judged(&city, &forged);
    refused(&report, "header", "VF-1402");
    let mut forged = receipt(&city);
    forged.leaf.block_number = 6;
    refused(&judged(&city, &forged), "inclusion", "VF-1301");

    let mut early = city.clone();
    early.header_number = 7;
    refused(&judged(&city, &receipt(&early)), "inclusion", "VF-1303");
}

#[test]
fn each_field_of_the_header() {
    let city = City::new(1);
    let honest = receipt(&city);
    let changes: [fn(&mut changbai_wire::Header); 8] = [
        |h| h.number += 1,
        |h| h.previous_hash = smkit::sm3(b"x"),
        |h| h.data_hash = smkit::sm3(b"x"),
        |h| h.time_ms += 1,
        |h| h.time_bound_us += 1,
        |h| h.log_root = smkit::sm3(b"x"),
        |h| h.config_number += 1,
        |h| h.log_size += 1,
    ];
    for change in changes {
        let mut forged = honest.clone();
        change(&mut forged.header);
        refused(&judged(&city, &forged), "header", "VF-1402");
    }
    let mut forged = honest;
    forged.header.validators_hash = smkit::sm3(b"x");
    refused(&judged(&city, &forged), "header", "VF-1405");
}

#[test]
fn certificates_outside_their_validity_at_the_headers_time() {
    let (authority, city, mut seed) = with_authority();
    let units = ["peer", "orderer"];
    for (validity, code) in [(days(-20, -1), "VF-1503"), (days(1, 20), "VF-1504")] {
        let node = Member::issued(&authority, "node1", &units, validity, &mut seed);
        let forged = City::with(&authority, vec![node], city.operator.clone());
        refused(&judged(&city, &receipt(&forged)), "certificates", code);
    }
    // The same certificates much later: expired today does not matter, expired then does.
    let mut late = city.clone();
    late.header_time_ms = NOW_MS + 366 * 86_400_000;
    refused(&judged(&city, &receipt(&late)), "certificates", "VF-1503");
    late.header_time_ms = 1_000;
    refused(&judged(&city, &receipt(&late)), "certificates", "VF-1504");
}

#[test]
fn originals_swapped_renamed_or_added() {
    let city = City::new(1);
    let receipt = city.receipt();
    let mut originals = city.originals.clone();
    originals.reverse();
    let bundle = pack(city.record.as_bytes(), &receipt, None, &originals);
    let report = verify_reader(&mut bundle.as_slice(), &[], Some(&city.trust));
    refused(&report, "original", "VF-1701");

    let bundle = pack(city.record.as_bytes(), &receipt, None, &city.originals);
    let foreign = hashed(b"another file");
    let report = verify_reader(&mut bundle.as_slice(), &[foreign], Some(&city.trust));
    refused(&report, "original", "VF-1702");

    let mut parts = Bundle::from_parts(city.record.to_bytes(), city.receipt(), None);
    parts.originals = city.supplied();
    parts.originals[0].name = "originals/01.jpg".to_owned();
    refused(&verify(&parts, &[], Some(&city.trust)), "original", "VF-1703");
    parts.originals[0].name = "originals/03.pdf".to_owned();
    refused(&verify(&parts, &[], Some(&city.trust)), "original", "VF-1703");

    // Some of the originals only: nothing wrong, but not everything compared.
    let bundle = pack(city.record.as_bytes(), &receipt, None, &city.originals[..1]);
    let report = verify_reader(&mut bundle.as_slice(), &[], Some(&city.trust));
    assert_eq!(report.verdict, Verdict::Unchecked);
    assert_eq!(report.element("original").unwrap().code, "VF-1790");
}

#[test]
fn disclosures_of_other_values() {
    let city = City::new(1);
    let judge = |openings: &[Opening]| {
        let disclosures = disclosures_to_bytes(openings).unwrap();
        let bundle =
            pack(city.record.as_bytes(), &city.receipt(), Some(&disclosures), &city.originals);
        verify_reader(&mut bundle.as_slice(), &[], Some(&city.trust))
    };
    let mut openings = city.openings.clone();
    openings[0].value = "李四".to_owned();
    refused(&judge(&openings), "disclosures", "VF-1802");
    let mut openings = city.openings.clone();
    openings[0].name = "bidder".to_owned();
    refused(&judge(&openings), "disclosures", "VF-1803");
    // Opening one value and keeping the other closed is a right of the agency.
    assert_eq!(judge(&city.openings[1..]).verdict, Verdict::Verified);
    let twice = [city.openings[0].clone(), city.openings[0].clone()];
    assert!(disclosures_to_bytes(&twice).is_err());
    assert!(disclosures_to_bytes(&[]).is_err());
}

#[test]
fn nothing_personal_in_reports() {
    let city = City::new(1);
    let mut openings = city.openings.clone();
    openings[0].salt = [1; 32];
    let disclosures = disclosures_to_bytes(&openings).unwrap();
    let bundle = pack(city.record.as_bytes(), &city.receipt(), Some(&disclosures), &city.originals);
    let report = verify_reader(&mut bundle.as_slice(), &[], Some(&city.trust));
    assert!(!report.to_json().contains("张三"));
    let parts = changbai_receipt::read_bundle(&mut bundle.as_slice()).unwrap();
    assert!(!format!("{parts:?}").contains("张三"));
}

#[test]
fn a_receipt_that_is_not_in_its_one_form() {
    let city = City::new(1);
    let text = String::from_utf8(city.receipt()).unwrap();
    let changes = [
        text.replacen(r#"{"anchors""#, r#"{ "anchors""#, 1),
        text.replacen(r#""format":2"#, r#""format":1"#, 1),
        text.replacen(r#""format":2"#, r#""format":2,"more":0"#, 1),
        text.replacen(r#""format":2,"#, "", 1),
        text.replacen(r#""format":2"#, r#""format":2.0"#, 1),
        text.replacen(r#""round":1"#, r#""round":1e0"#, 1),
        text.replacen(r#""channel":"c"#, r#""channel":"\u0063"#, 1),
        text.replacen(r#""config_number":1"#, r#""config_number":9007199254740993"#, 1),
        text.replacen("=\"", "\"", 1),
        text.to_uppercase(),
    ];
    for changed in changes {
        assert_ne!(changed, text);
        refused(&judged_bytes(&city, changed.as_bytes()), "container", "VF-1008");
    }
}
