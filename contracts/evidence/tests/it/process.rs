//! Anchors of process logs, and what courts' queries leave behind.

use changbai_core::contract::{AnchoredProcess, NotedQuery, Purpose, QueryPage};
use smkit::sm3;

use crate::support::{call, create, mock, parts, record, refusal};

fn anchor(batch: &str, page: &str, root: &[u8]) -> [String; 5] {
    let (page_hash, root) = (sm3(page.as_bytes()).to_string(), sm3(root).to_string());
    [batch.to_owned(), page.to_owned(), page_hash, root, "2".to_owned()]
}

#[test]
fn a_node_anchors_its_own_log_once_and_forwards_only() {
    let mut ledger = mock();
    let put = |ledger: &mut _, args: &[String; 5]| {
        call(ledger, "AnchorProcess", &args.each_ref().map(String::as_str))
    };
    let first = AnchoredProcess::from_bytes(&put(&mut ledger, &anchor("1", "4", b"a")).unwrap());
    let first = first.unwrap();
    assert_eq!((first.batch, first.page, first.heads, first.root), (1, 4, 2, sm3(b"a")));
    // The node did not hear of it and tries again: the first one stands.
    let again = put(&mut ledger, &anchor("1", "4", b"a")).unwrap();
    assert_eq!(AnchoredProcess::from_bytes(&again), Ok(first));
    let taken = |result| assert_eq!(refusal(result).0, "EV-4096");
    taken(put(&mut ledger, &anchor("1", "4", b"b")));
    taken(put(&mut ledger, &anchor("2", "4", b"b")));
    put(&mut ledger, &anchor("3", "9", b"c")).unwrap();
    taken(put(&mut ledger, &anchor("2", "10", b"d")));
    assert_eq!(refusal(put(&mut ledger, &anchor("0", "10", b"d"))).0, "EV-4011");
    assert_eq!(refusal(put(&mut ledger, &anchor("-1", "10", b"d"))).0, "EV-4011");

    let node = sm3(b"CN=node").to_string();
    let last = call(&mut ledger, "LastProcessAnchor", &[&node]).unwrap();
    assert_eq!(AnchoredProcess::from_bytes(&last).unwrap().batch, 3);
    // Another node has a log of its own.
    ledger.set_caller("OtherMSP", "CN=other");
    put(&mut ledger, &anchor("1", "1", b"e")).unwrap();
    let last = call(&mut ledger, "LastProcessAnchor", &[&node]).unwrap();
    assert_eq!(AnchoredProcess::from_bytes(&last).unwrap().batch, 3);
    let nobody = sm3(b"nobody").to_string();
    assert!(call(&mut ledger, "LastProcessAnchor", &[&nobody]).unwrap().is_empty());
}

#[test]
fn a_query_is_noted_on_every_record_and_in_its_case() {
    let mut ledger = mock();
    let ids: Vec<String> = (1..=2)
        .map(|serial| {
            String::from_utf8(create(&mut ledger, &record(parts(serial))).unwrap()).unwrap()
        })
        .collect();
    let (case, judge) = (sm3(b"case").to_string(), sm3(b"judge").to_string());
    let head = [case.as_str(), "trial", &judge, "CourtMSP"];
    let note = |ledger: &mut _, ids: &[&str]| {
        let args: Vec<&str> = head.iter().chain(ids).copied().collect();
        call(ledger, "NoteQuery", &args)
    };
    let tx = note(&mut ledger, &[&ids[0], &ids[1]]).unwrap();
    note(&mut ledger, &[]).unwrap();
    let unknown = "CC22010011220100MB9999999R2026112200000000012ZU";
    assert_eq!(refusal(note(&mut ledger, &[unknown])).0, "EV-4040");
    let many = vec![ids[0].as_str(); 65];
    assert_eq!(refusal(note(&mut ledger, &many)).0, "EV-4011");
    let odd = call(&mut ledger, "NoteQuery", &[&case, "curiosity", &judge, "CourtMSP"]);
    assert_eq!(refusal(odd).0, "EV-4011");

    let page = call(&mut ledger, "QueriesOf", &[&ids[0], "", "10"]).unwrap();
    let page = QueryPage::from_bytes(&page).unwrap();
    let [NotedQuery { case: noted, purpose, requester, record, tx_id, answered_by, .. }] =
        page.queries.as_slice()
    else {
        panic!("{page:?}");
    };
    assert_eq!((*noted, *purpose, *requester), (sm3(b"case"), Purpose::Trial, sm3(b"judge")));
    assert_eq!(record.unwrap().to_string(), ids[0]);
    assert_eq!((tx_id.to_string().into_bytes(), answered_by.as_str()), (tx, "RegistryMSP"));

    // By case, page by page: two records of the first query, and the second one that found nothing.
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = call(&mut ledger, "QueriesOfCase", &[&case, &cursor, "2"]).unwrap();
        let page = QueryPage::from_bytes(&page).unwrap();
        found.extend(page.queries.into_iter().map(|query| query.record.map(|id| id.to_string())));
        cursor = page.cursor;
        if cursor.is_empty() {
            break;
        }
    }
    found.sort();
    assert_eq!(found, [None, Some(ids[0].clone()), Some(ids[1].clone())]);
    let odd = call(&mut ledger, "QueriesOfCase", &[&case, "\u{10FFFF}", "2"]);
    assert_eq!(refusal(odd).0, "EV-4012");
}
