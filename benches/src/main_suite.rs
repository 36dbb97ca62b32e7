//! Suite `main`: what one submission of a digest costs, end to end and through the library.

use std::time::Duration;

use smkit::OsRandom;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};

use crate::library::Caller;
use crate::load::{Run, closed, open};
use crate::report::{Figure, disk_bytes, memory_mib, percentile};
use crate::rest::Server;
use crate::sqlite::inserts_per_second;

/// How long the suite measures.
pub(crate) struct Scale {
    closed_s: u64,
    open_s: u64,
    clients: usize,
}

impl Scale {
    pub(crate) const FULL: Self = Self { closed_s: 40, open_s: 30, clients: 64 };
    pub(crate) const QUICK: Self = Self { closed_s: 5, open_s: 5, clients: 64 };
}

const STUBBED: bool = cfg!(feature = "stub-verification");

pub(crate) fn run(scale: &Scale) {
    if STUBBED {
        library(scale, "library/stubbed");
        return;
    }
    let per_signature = signatures();
    rest(scale, per_signature);
    library(scale, "library");
}

/// Milliseconds of one SM2 signature and one verification on this machine, now.
fn signatures() -> (f64, f64) {
    let key = PrivateKey::generate(&mut OsRandom).expect("randomness");
    let key = SigningKey::new(key, SignerId::DEFAULT).expect("default ID");
    let message = [7_u8; 256];
    let signature = key.sign(&message);
    let each = |work: &dyn Fn()| {
        let started = std::time::Instant::now();
        (0..2_000).for_each(|_| work());
        started.elapsed().as_secs_f64() * 1_000.0 / 2_000.0
    };
    let sign = each(&|| {
        std::hint::black_box(key.sign(&message));
    });
    let verify = each(&|| key.verifying_key().verify(&message, &signature).expect("own signature"));
    let conditions = "one core, 256-byte message, single";
    for (name, ms) in [("sm2/sign-ms", sign), ("sm2/verify-ms", verify)] {
        Figure { name, value: ms, unit: "ms", peer: None, conditions }.print();
    }
    (sign, verify)
}

fn rest(scale: &Scale, (sign, verify): (f64, f64)) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let data = dir.path().join("node");
    let server = Server::start(&data);
    let make = || server.client();
    // Warm: connections, caches, first blocks.
    closed(8, Duration::from_secs(1), &make, &|client, n| client.submit(0, n));

    let before = server.transactions();
    let blocks = server.blocks();
    let time = Duration::from_secs(scale.closed_s);
    let run = closed(scale.clients, time, &make, &|client, n| client.submit(1, n));
    let per_block = (server.transactions() - before) / (server.blocks() - blocks).max(1);
    let conditions = format!(
        "REST, {} closed-loop clients in the node's process, {per_block} transactions a block; \
         limited by signatures: 3 signed and 3 verified a transaction, client included, \
         {:.2} of {:.2} CPU-ms",
        scale.clients,
        3.0 * sign + 3.0 * verify,
        run.cpu_ms_each(),
    );
    let batched = inserts_per_second(dir.path(), run.done.min(20_000), per_block.max(1));
    let single = inserts_per_second(dir.path(), run.done.min(20_000), 1);
    print_closed(
        "rest/closed",
        &run,
        &conditions,
        &[
            ("SQLite, one insert a transaction", single),
            ("SQLite, inserts batched as our blocks", batched),
        ],
    );
    let (rss, peak) = memory_mib();
    let conditions = "node, clients and bench in one process";
    Figure { name: "rest/rss-mib", value: rss, unit: "MiB", peer: None, conditions }.print();
    Figure { name: "rest/rss-peak-mib", value: peak, unit: "MiB", peer: None, conditions }.print();

    let total = 100 * scale.open_s;
    let run = open(32, 100, total, &make, &|client, n| client.submit(2, n));
    print_open(
        "rest/open-100",
        &run,
        "REST, 100 submissions/s, latency from the due moment; \
        limited by two syncs a block and the signatures",
    );
    let transactions = server.transactions();
    server.stop();
    let bytes = disk_bytes(&data) as f64 / transactions as f64;
    let conditions = format!(
        "whole data directory after {transactions} transactions and an orderly stop; \
         limited by signatures, digests and Merkle nodes, which do not compress"
    );
    Figure {
        name: "disk-bytes-per-tx",
        value: bytes,
        unit: "B",
        peer: None,
        conditions: &conditions,
    }
    .print();
    let log = disk_bytes(&data.join("channels/changchun/blocks")) as f64 / transactions as f64;
    Figure {
        name: "disk-block-log-per-tx",
        value: log,
        unit: "B",
        peer: None,
        conditions: &conditions,
    }
    .print();
}

fn library(scale: &Scale, name: &str) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start(dir.path());
    let make = || Caller::new(server.evidence(), server.runtime());
    closed(8, Duration::from_secs(1), &make, &|caller, n| caller.submit(0, n));
    let time = Duration::from_secs(scale.closed_s);
    let run = closed(scale.clients, time, &make, &|caller, n| caller.submit(1, n));
    let what = if STUBBED {
        "library, verification stubbed: signing and everything around the signatures"
    } else {
        "library: no HTTP, no request signature; limited by 2 signatures and 2 verifications"
    };
    let conditions = format!("{what}; {} closed-loop callers", scale.clients);
    print_closed(&format!("{name}/closed"), &run, &conditions, &[]);
    if !STUBBED {
        let run = open(32, 100, 100 * scale.open_s, &make, &|caller, n| caller.submit(2, n));
        print_open("library/open-100", &run, "library, 100 submissions/s");
    }
    let transactions = server.transactions();
    server.stop();
    if !STUBBED {
        let started = std::time::Instant::now();
        let server = Server::start(dir.path());
        let ms = started.elapsed().as_secs_f64() * 1_000.0;
        let conditions = format!("{transactions} transactions, after an orderly stop, warm disk");
        Figure { name: "restart-ms", value: ms, unit: "ms", peer: None, conditions: &conditions }
            .print();
        server.stop();
    }
}

fn print_closed(name: &str, run: &Run, conditions: &str, peers: &[(&str, f64)]) {
    let figure = |suffix: &str, value, unit, peer| {
        let name = format!("{name}/{suffix}");
        Figure { name: &name, value, unit, peer, conditions }.print();
    };
    figure("committed-tps", run.per_second(), "tx/s", peers.first().copied());
    for peer in peers.iter().skip(1) {
        figure("committed-tps", run.per_second(), "tx/s", Some(*peer));
    }
    figure("p50-ms", percentile(&run.latencies, 0.50), "ms", None);
    figure("p99-ms", percentile(&run.latencies, 0.99), "ms", None);
    figure("cpu-ms-per-tx", run.cpu_ms_each(), "ms", None);
}

fn print_open(name: &str, run: &Run, conditions: &str) {
    for (suffix, share) in [("p50-ms", 0.50), ("p99-ms", 0.99)] {
        let name = format!("{name}/{suffix}");
        let value = percentile(&run.latencies, share);
        Figure { name: &name, value, unit: "ms", peer: None, conditions }.print();
    }
}
