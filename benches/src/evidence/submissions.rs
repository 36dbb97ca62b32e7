//! Single submissions by digest: REST over kept GM TLS connections, one node, its clients in the same process.

use std::time::Duration;

use super::{Goal, Lines};
use crate::network_suite::load::{self, Answers};
use crate::report::{Figure, cpu_ms, percentile};
use crate::rest::Server;
use crate::sqlite::inserts_per_second;

/// Measures the closed loop, the open loop, and the naive peer in the same run.
pub(super) fn run(quick: bool, out: &mut Lines) {
    let seconds = if quick { 5 } else { 20 };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start(&dir.path().join("node"));
    let runtime = server.runtime();
    let doors = [server.door()];
    // Warm: connections, caches, first blocks.
    runtime.block_on(load::closed(&doors, 32, Duration::from_secs(1), 1));

    let (before, blocks, cpu) = (server.transactions(), server.blocks(), cpu_ms());
    let time = Duration::from_secs(seconds);
    let busy = runtime.block_on(load::closed(&doors, CLIENTS, time, 2));
    let cpu_each = (cpu_ms() - cpu) / busy.committed().max(1) as f64;
    let per_block = (server.transactions() - before) / (server.blocks() - blocks).max(1);
    let conditions = format!(
        "{SHAPE}; {CLIENTS} closed-loop clients, {per_block} transactions a block, {cpu_each:.2} CPU-ms each, \
         p50 {:.1} ms, p99 {:.1} ms{}",
        percentile(&busy.latencies, 0.50),
        percentile(&busy.latencies, 0.99),
        failures(&busy),
    );
    let name = "submissions/committed-per-second";
    out.goal(name, busy.per_second(), "1/s", Goal::AtLeast(4_000.0), &conditions);
    for (rows, batch, peer) in
        [(1_000, 1, "SQLite, one insert a transaction"), (20_000, per_block.max(1), BATCHED)]
    {
        let peer = Some((peer, inserts_per_second(dir.path(), rows, batch)));
        let value = busy.per_second();
        out.figure(&Figure { name, value, unit: "1/s", peer, conditions: &conditions });
    }

    let calm = runtime.block_on(load::open(&doors, CLIENTS, RATE, RATE * seconds, 3));
    let conditions = format!(
        "{SHAPE}; {RATE} submissions/s, latency from the due moment; p50 {:.1} ms, p99 {:.1} ms{}",
        percentile(&calm.latencies, 0.50),
        percentile(&calm.latencies, 0.99),
        failures(&calm),
    );
    let mean = calm.latencies.iter().sum::<f64>() / calm.latencies.len().max(1) as f64;
    out.goal("submissions/mean-ms-at-1000", mean, "ms", Goal::AtMost(38.0), &conditions);
    server.stop();
}

fn failures(answers: &Answers) -> String {
    let failed = answers.others.len() as u64 + answers.broken;
    if answers.later + failed == 0 {
        return String::new();
    }
    format!("; {} told to come back, {failed} failed", answers.later)
}

const SHAPE: &str = "REST over GM TLS with client certificates, one node, clients in its process";
const BATCHED: &str = "SQLite, inserts batched as our blocks";
const CLIENTS: usize = 256;
const RATE: u64 = 1_000;
