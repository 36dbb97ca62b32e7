use changbai_contract::MockContext;
use changbai_core::{BusinessType, EvidenceId, Record, contract::RecordPage};
use smkit::sm3;

use crate::support::{AT_MS, call, code, create, mock, original, parts, parts_at, record, refusal};

fn ids(page: &RecordPage) -> Vec<EvidenceId> {
    let id = |bytes: &[u8]| *Record::from_bytes(bytes).unwrap().id();
    page.records.iter().map(|stored| id(&stored.record)).collect()
}

/// Every record of a listing, page by page.
fn all(mock: &mut MockContext, function: &str, head: &[&str], limit: u32) -> Vec<EvidenceId> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let limit_text = limit.to_string();
        let args: Vec<&str> = head.iter().copied().chain([cursor.as_str(), &limit_text]).collect();
        let page = RecordPage::from_bytes(&call(mock, function, &args).unwrap()).unwrap();
        assert!(page.records.len() <= limit as usize);
        found.extend(ids(&page));
        if page.cursor.is_empty() {
            return found;
        }
        assert!(!page.records.is_empty(), "a cursor moves on");
        cursor = page.cursor;
    }
}

/// 3,000 records over the four types and three days, several to a millisecond.
fn filled() -> (MockContext, Vec<(u64, BusinessType, EvidenceId)>) {
    let mut mock = mock();
    let mut expected = Vec::new();
    for serial in 0..3_000_u64 {
        let at_ms = AT_MS + serial % 3 * 86_400_000 + serial / 40;
        let mut parts = parts_at(serial, at_ms);
        let business_type = match serial % 5 {
            0 => BusinessType::PublicResourceTrading,
            _ => BusinessType::General,
        };
        parts.business_type = business_type;
        if business_type == BusinessType::PublicResourceTrading {
            parts.fields = ["project_no", "project_name", "trading_type", "stage"]
                .map(|name| (name.to_owned(), "x".to_owned()))
                .into();
        }
        expected.push((at_ms, business_type, parts.id));
        create(&mut mock, &record(parts)).unwrap();
    }
    expected.sort_unstable_by_key(|(at, _, id)| (*at, *id));
    (mock, expected)
}

#[test]
fn thousands_of_records_are_listed_once_each_in_order() {
    let (mut mock, expected) = filled();
    for limit in [7, 200] {
        for (name, business_type) in [
            ("", None),
            ("general", Some(BusinessType::General)),
            ("public_resource_trading", Some(BusinessType::PublicResourceTrading)),
            ("real_estate_registration", Some(BusinessType::RealEstateRegistration)),
        ] {
            let wanted: Vec<EvidenceId> = expected
                .iter()
                .filter(|(_, of, _)| business_type.is_none_or(|wanted| wanted == *of))
                .map(|(_, _, id)| *id)
                .collect();
            assert_eq!(all(&mut mock, "List", &[name, "", ""], limit), wanted, "{name} {limit}");
        }
    }
    let (from, to) = (AT_MS + 10, AT_MS + 86_400_020);
    let wanted: Vec<EvidenceId> = expected
        .iter()
        .filter(|(at, _, _)| (from..to).contains(at))
        .map(|(_, _, id)| *id)
        .collect();
    assert!(wanted.len() > 500);
    assert_eq!(all(&mut mock, "List", &["", &from.to_string(), &to.to_string()], 50), wanted);
    assert!(all(&mut mock, "List", &["", &to.to_string(), &from.to_string()], 50).is_empty());
}

#[test]
fn records_are_found_by_any_of_their_digests() {
    let mut mock = mock();
    let shared = sm3(b"shared");
    let mut expected = Vec::new();
    for serial in 0..500 {
        let mut parts = parts(serial);
        if serial % 2 == 0 {
            parts.originals.push(original(shared));
            expected.push(parts.id);
        }
        create(&mut mock, &record(parts)).unwrap();
    }
    assert_eq!(all(&mut mock, "FindByDigest", &[&shared.to_string()], 33), expected);
    let one = sm3(&7_u64.to_be_bytes()).to_string();
    assert_eq!(all(&mut mock, "FindByDigest", &[&one], 1), [parts(7).id]);
    assert!(all(&mut mock, "FindByDigest", &[&sm3(b"none").to_string()], 1).is_empty());
}

#[test]
fn large_records_make_short_pages() {
    let mut mock = mock();
    for serial in 0..60 {
        let mut parts = parts(serial);
        // About 57 KB: 64 originals with long media types and the longest fields.
        parts.originals = (0..64_u64)
            .map(|n| {
                let mut one = original(sm3(&(serial * 64 + n).to_be_bytes()));
                one.media_type = format!("application/{}", "x".repeat(115));
                one
            })
            .collect();
        create(&mut mock, &record(parts)).unwrap();
    }
    assert_eq!(all(&mut mock, "List", &["", "", ""], 200).len(), 60);
}

#[test]
fn the_last_serial_is_found_wherever_it_is() {
    let mut mock = mock();
    let last = |mock: &mut MockContext| {
        String::from_utf8(
            call(mock, "LastSerial", &["220100", &code().to_string(), "20261122"]).unwrap(),
        )
        .unwrap()
    };
    assert_eq!(last(&mut mock), "");
    for serial in [0, 1, 2, 31, 32, 1_000, 1_023, 1 << 40, (1 << 60) - 1] {
        create(&mut mock, &record(parts(serial))).unwrap();
        assert_eq!(last(&mut mock), serial.to_string());
    }
    let other_day = call(&mut mock, "LastSerial", &["220100", &code().to_string(), "20261123"]);
    assert!(other_day.unwrap().is_empty());
}

#[test]
fn wrong_queries_are_refused() {
    let mut mock = mock();
    let digest = sm3(b"x").to_string();
    let refused = |mock: &mut MockContext, function: &str, args: &[&str]| {
        refusal(call(mock, function, args)).0
    };
    for limit in ["", "0", "201", "-1", "+1", "x", "99999999999999999999"] {
        assert_eq!(refused(&mut mock, "List", &["", "", "", "", limit]), "EV-4011", "{limit}");
        assert_eq!(refused(&mut mock, "FindByDigest", &[&digest, "", limit]), "EV-4011");
    }
    assert_eq!(refused(&mut mock, "List", &["nothing", "", "", "", "1"]), "EV-4002");
    assert_eq!(refused(&mut mock, "List", &["", "x", "", "", "1"]), "EV-4011");
    assert_eq!(refused(&mut mock, "List", &["", "", "", "x", "1"]), "EV-4012");
    assert_eq!(refused(&mut mock, "FindByDigest", &[&digest, "x", "1"]), "EV-4012");
    assert_eq!(refused(&mut mock, "FindByDigest", &["x", "", "1"]), "EV-4010");
    for args in [
        ["22010", "11220100MB9999999R", "20261122"],
        ["220100", "x", "20261122"],
        ["220100", "11220100MB9999999R", "20260230"],
    ] {
        assert_eq!(refused(&mut mock, "LastSerial", &args), "EV-4011");
    }
}
