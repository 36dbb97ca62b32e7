use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use changbai_api::access::{Answered, RequestObserver as _};
use changbai_channel::{BroadcastError, Fault, OrderEvent, PeerId, Tally};
use changbai_wire::ValidationCode;
use smkit::Sm3Digest;

use super::table::{Kind, TABLE};
use super::{NodeMetrics, Uptime};
use crate::alarm::{Alarm, Raised};
use crate::facts::{ChannelFacts, LinkFacts, NodeFacts, StreamFacts};

fn peer() -> PeerId {
    PeerId(Sm3Digest::new([7; 32]))
}

fn facts() -> NodeFacts {
    let stream = StreamFacts { kind: "bodies", sent: 5, sent_dropped: 1, ..StreamFacts::default() };
    let link = LinkFacts {
        host: "Org/3f9a01bc".to_owned(),
        connected: true,
        validator: true,
        streams: 4,
        round_trip_us: Some(2_500),
    };
    let channel = ChannelFacts {
        channel: "changchun".to_owned(),
        height: 12,
        validators: 4,
        peers: 3,
        links: vec![link],
        streams: vec![stream],
        ..ChannelFacts::default()
    };
    NodeFacts {
        disk_free_bytes: Some(1 << 40),
        clock_bound_us: Some(1_500),
        channels: vec![channel],
        ..NodeFacts::default()
    }
}

/// A node on which everything has happened once.
fn page() -> String {
    let metrics = NodeMetrics::new(Uptime::start());
    let channel = metrics.channel("changchun");
    let tally =
        |contract: &str, code, count| Tally { contract: Some(contract.to_owned()), code, count };
    channel.observe(&OrderEvent::Committed {
        number: 11,
        transactions: 8,
        valid: 6,
        round: 0,
        synced: false,
        tally: vec![
            tally("evidence", ValidationCode::Valid, 5),
            tally("evidence", ValidationCode::MvccReadConflict, 2),
            Tally { contract: None, code: ValidationCode::Valid, count: 1 },
        ],
    });
    channel.observe(&OrderEvent::Refused { peer: peer(), fault: Fault::NotConnected });
    channel.turned(Duration::from_millis(3));
    channel.broadcast(&Ok(()), Duration::from_micros(100));
    channel.broadcast::<()>(&Err(BroadcastError::Full), Duration::from_micros(100));
    channel.endorsed("evidence", true, Duration::from_millis(1));
    channel.endorsed("evidence", false, Duration::from_millis(1));
    channel.submitted("VALID", Duration::from_millis(30));
    let api = metrics.api();
    let elapsed = Duration::from_millis(2);
    api.answered(&Answered { method: "GET", route: "/api/v1/health", status: 200, elapsed });
    metrics.alarms_raised.of(["OP-1002"]).add(1);
    let raised = Raised {
        alarm: Alarm::Suspended,
        channel: Some("changchun".to_owned()),
        detail: "not on the page".to_owned(),
        since_ms: 5,
    };
    metrics.render(&facts(), &[raised])
}

#[test]
fn numbers_stand_under_their_labels() {
    let page = page();
    for line in [
        "ledger_blockchain_height{channel=\"changchun\"} 12",
        "consensus_BFT_committed_block_number{channel=\"changchun\"} 11",
        "ledger_transaction_count{channel=\"changchun\",transaction_type=\"ENDORSER_TRANSACTION\",chaincode=\"evidence\",validation_code=\"VALID\"} 5",
        "ledger_transaction_count{channel=\"changchun\",transaction_type=\"ENDORSER_TRANSACTION\",chaincode=\"evidence\",validation_code=\"MVCC_READ_CONFLICT\"} 2",
        "ledger_transaction_count{channel=\"changchun\",transaction_type=\"CONFIG\",chaincode=\"\",validation_code=\"VALID\"} 1",
        "broadcast_processed_count{channel=\"changchun\",type=\"ENDORSER_TRANSACTION\",status=\"SERVICE_UNAVAILABLE\"} 1",
        "broadcast_processed_count{channel=\"changchun\",type=\"ENDORSER_TRANSACTION\",status=\"SUCCESS\"} 1",
        "endorser_proposals_received 2",
        "endorser_successful_proposals 1",
        "changbai_peer_faults_total{channel=\"changchun\",fault=\"not_connected\"} 1",
        "changbai_blocks_committed_total{channel=\"changchun\",origin=\"decided\"} 1",
        "cluster_comm_egress_stream_count{channel=\"changchun\"} 4",
        "changbai_link_up{channel=\"changchun\",host=\"Org/3f9a01bc\"} 1",
        "changbai_link_round_trip_seconds{channel=\"changchun\",host=\"Org/3f9a01bc\"} 0.0025",
        "changbai_link_messages_total{channel=\"changchun\",msg_type=\"bodies\",direction=\"sent\"} 5",
        "changbai_link_messages_dropped_total{channel=\"changchun\",msg_type=\"bodies\",direction=\"sent\"} 1",
        "changbai_alarm{code=\"OP-1002\",severity=\"critical\",channel=\"changchun\"} 1",
        "changbai_alarms_raised_total{code=\"OP-1002\"} 1",
        "changbai_api_requests_total{method=\"GET\",route=\"/api/v1/health\",status=\"200\"} 1",
        "changbai_clock_error_bound_seconds 0.0015",
        "changbai_disk_free_bytes 1099511627776",
    ] {
        assert!(page.lines().any(|l| l == line), "{line}\n{page}");
    }
    assert!(!page.contains("not on the page"));
}

#[test]
fn each_metric_of_the_table_is_on_the_page_once_and_has_samples() {
    let page = page();
    let mut kinds = BTreeMap::new();
    let mut sampled = BTreeSet::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(kinds.insert(name, kind), None, "{name} is on the page twice");
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap();
            let family = kinds.last_key_value().map(|_| name).unwrap();
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|s| family.strip_suffix(s).filter(|f| kinds.get(f) == Some(&"histogram")))
                .unwrap_or(family);
            sampled.insert(family.to_owned());
            assert!(kinds.contains_key(family), "{line}");
        }
    }
    let names: BTreeSet<&str> = TABLE.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), TABLE.len());
    assert_eq!(kinds.keys().copied().collect::<BTreeSet<_>>(), names);
    let silent: Vec<_> = names.iter().filter(|name| !sampled.contains(**name)).collect();
    assert_eq!(silent, Vec::<&&str>::new(), "a metric that nobody ever writes");
    for metric in TABLE {
        // prometheus.io, "Metric and label naming", for names of our own.
        if metric.name.starts_with("changbai_") {
            let counter = metric.kind == Kind::Counter;
            assert_eq!(metric.name.ends_with("_total"), counter, "{}", metric.name);
        }
    }
}

#[test]
fn the_guide_lists_each_metric_as_the_table_has_it() {
    let guide = include_str!("../../../../docs/operations.md");
    let (_, listed) =
        guide.split_once("\n| Metric | Kind | Labels | What |\n|---|---|---|---|\n").unwrap();
    let row = |metric: &&super::table::Metric| {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        format!("| `{}` | {kind} | {} | {} |", metric.name, labels.join(" "), metric.help)
    };
    let expected: Vec<String> = TABLE.iter().map(row).collect();
    let listed: Vec<&str> = listed.lines().collect();
    assert_eq!(listed, expected);
}

/// Words of a text that look like names of metrics.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let prefixes = ["changbai_", "ledger_", "broadcast_", "endorser_", "consensus_", "process_"];
    words
        .filter(|w| {
            *w != "changbai_api" && prefixes.iter().any(|p| w.starts_with(p) && w.len() > p.len())
        })
        .collect()
}

#[test]
fn rules_and_guide_name_metrics_that_exist() {
    let rules = include_str!("../../../../deploy/prometheus/alerts.yml");
    let guide = include_str!("../../../../docs/operations.md");
    let known = |name: &str| {
        let found = |n: &str| TABLE.iter().find(|metric| metric.name == n);
        let histogram = |n: &str| found(n).is_some_and(|m| matches!(m.kind, Kind::Histogram(_)));
        let part = ["_bucket", "_sum", "_count"].iter().find_map(|s| name.strip_suffix(s));
        found(name).is_some() || part.is_some_and(histogram)
    };
    for text in [rules, guide] {
        let named = metrics_in(text);
        assert!(named.len() > 8, "{named:?}");
        let unknown: Vec<_> = named.into_iter().filter(|name| !known(name)).collect();
        assert_eq!(unknown, Vec::<&str>::new());
    }
    let codes: BTreeSet<&str> = Alarm::ALL.iter().map(|alarm| alarm.row().code).collect();
    for text in [rules, guide] {
        for (at, _) in text.match_indices("OP-") {
            let code = text.get(at..at + 7).unwrap();
            assert!(codes.contains(code) || code.starts_with("OP-…"), "{code}");
        }
    }
}
