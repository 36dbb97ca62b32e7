//! Suite `network`: four agencies' nodes as processes, two of them gateways, clients over GM TLS; everything on this
//! machine. The peer is Hyperledger Fabric 3.1.5 with four BFT orderers in the same shape, measured on two cores.

pub(crate) mod client;
mod cluster;
pub(crate) mod load;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::client::{Answer, Client, Door};
use self::cluster::{Cluster, Node};
use crate::report::{Figure, percentile};

/// How long the suite measures.
pub(crate) struct Scale {
    closed_s: u64,
    open_s: u64,
    leaders: u64,
}

impl Scale {
    pub(crate) const FULL: Self = Self { closed_s: 30, open_s: 30, leaders: 5 };
    pub(crate) const QUICK: Self = Self { closed_s: 8, open_s: 8, leaders: 2 };
}

/// Runs the suite.
pub(crate) fn run(scale: &Scale) {
    let runtime = runtime();
    bring_up(&runtime);
    let mut cluster = started(&runtime);
    load(&runtime, &mut cluster, scale);
    overload(&runtime, &cluster, scale);
    leader(&runtime, &mut cluster, scale);
}

/// Throughput and latency with many records: `records` are written first, which takes a while.
pub(crate) fn growth(records: u64) {
    let runtime = runtime();
    let cluster = started(&runtime);
    let doors = gateways(&cluster);
    let measure = |records: u64| {
        let time = Duration::from_secs(20);
        let busy = runtime.block_on(load::closed(&doors, CLIENTS, time, records));
        let calm = runtime.block_on(load::open(&doors, 32, 50, 500, records + 1));
        (busy.per_second(), percentile(&calm.latencies, 0.5))
    };
    let fill = |until: u64| {
        let mut done = 0;
        while done < until {
            let time = Duration::from_secs(10);
            done += runtime.block_on(load::closed(&doors, CLIENTS, time, done + 7)).committed();
            eprint!("\rpreload: {done} of {until} records");
        }
        eprintln!();
    };
    fill(GROWTH_FIRST);
    let (tps, p50) = measure(GROWTH_FIRST);
    fill(records.saturating_sub(GROWTH_FIRST));
    let (tps_late, p50_late) = measure(records);
    let peer = format!("the same at {GROWTH_FIRST} records");
    let conditions = format!("{SHAPE}; after {records} records");
    for (name, unit, value, early) in [
        ("network/growth-tps", "1/s", tps_late, tps),
        ("network/growth-p50-ms-at-50", "ms", p50_late, p50),
    ] {
        let peer = Some((peer.as_str(), early));
        Figure { name, value, unit, peer, conditions: &conditions }.print_in(SUITE);
    }
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("a runtime starts")
}

/// A consortium that has committed its first record.
fn started(runtime: &tokio::runtime::Runtime) -> Cluster {
    let mut cluster = Cluster::create(AGENCIES, Some(ENDORSEMENT));
    cluster.start_all();
    first_commit(runtime, &cluster);
    cluster
}

/// From nothing: keys, certificates, genesis, four processes, the first committed record.
fn bring_up(runtime: &tokio::runtime::Runtime) {
    let mut times: Vec<f64> = (0..BRING_UPS)
        .map(|_| {
            let started = Instant::now();
            let mut cluster = Cluster::create(AGENCIES, Some(ENDORSEMENT));
            cluster.start_all();
            first_commit(runtime, &cluster);
            started.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let conditions = format!(
        "{SHAPE}; `network init`, four `node run`, first submission answered; median of {BRING_UPS}"
    );
    let peer = Some(("Fabric 3.1.5, its gateway after 17,000 to 25,000 more", 4_000.0));
    let value = percentile(&times, 0.5);
    figure("network/bring-up-ms", value, "ms", peer, &conditions);
}

fn first_commit(runtime: &tokio::runtime::Runtime, cluster: &Cluster) {
    let door = door(&cluster.nodes[0]);
    let begun = Instant::now();
    runtime.block_on(async {
        let mut client = Client::new(door);
        while !matches!(client.submit(0, 0).await, Answer::Committed | Answer::Known) {
            if begun.elapsed() > Duration::from_secs(60) {
                let tails =
                    cluster.nodes.iter().map(|node| format!("{}: {}", node.name, node.log_tail()));
                panic!("no commit in a minute: {}", tails.collect::<Vec<_>>().join("\n"));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
}

fn gateways(cluster: &Cluster) -> Vec<Arc<Door>> {
    cluster.nodes.iter().take(2).map(door).collect()
}

fn door(node: &Node) -> Arc<Door> {
    Door::new(&node.dir, &node.gm_tls)
}

fn load(runtime: &tokio::runtime::Runtime, cluster: &mut Cluster, scale: &Scale) {
    let doors = gateways(cluster);
    // Warm: connections, caches, first blocks.
    runtime.block_on(load::closed(&doors, 32, Duration::from_secs(2), 1));
    let calm = runtime.block_on(load::open(&doors, 32, 50, 50 * scale.open_s, 2));
    let conditions = format!("{SHAPE}; 50 submissions/s, from the due moment");
    let (p50, p99) = (percentile(&calm.latencies, 0.5), percentile(&calm.latencies, 0.99));
    figure("network/p50-ms-at-50", p50, "ms", Some((FABRIC, 277.0)), &conditions);
    figure("network/p99-ms-at-50", p99, "ms", Some((FABRIC, 470.0)), &conditions);

    let disk = at_rest(runtime, cluster);
    let warm = runtime.block_on(load::closed(&doors, 32, Duration::from_secs(2), 6)).committed();
    let cpu = || [cluster.cpu_ms(), vec![crate::report::cpu_ms()]].concat();
    let before = cpu();
    let time = Duration::from_secs(scale.closed_s);
    let busy = runtime.block_on(load::closed(&doors, CLIENTS, time, 3));
    let committed = busy.committed().max(1) as f64;
    let parts: Vec<f64> =
        cpu().iter().zip(&before).map(|(now, before)| (now - before) / committed).collect();
    let conditions = format!(
        "{SHAPE}; {CLIENTS} closed-loop clients; p50 {:.0} ms, p99 {:.0} ms; {} told to come back, {} failed",
        percentile(&busy.latencies, 0.5),
        percentile(&busy.latencies, 0.99),
        busy.later,
        busy.others.len() as u64 + busy.broken,
    );
    figure("network/committed-tps", busy.per_second(), "1/s", Some((FABRIC, 208.0)), &conditions);
    let each = parts.iter().sum();
    let what = format!("{conditions}; nodes and, last, the clients: {parts:.2?}");
    figure("network/cpu-ms-per-tx", each, "ms", Some((FABRIC, 7.8)), &what);
    let memory = cluster.memory_mib();
    let most = memory.iter().copied().fold(0.0, f64::max);
    let what = format!("{SHAPE}; the largest of {memory:.0?} after the load");
    let peer = Some(("Fabric 3.1.5, one BFT orderer", 92.0));
    figure("network/node-rss-mib", most, "MiB", peer, &what);
    let grown: Vec<f64> = at_rest(runtime, cluster)
        .iter()
        .zip(&disk)
        .map(|(now, before)| now.saturating_sub(*before) as f64 / (committed + warm as f64))
        .collect();
    let mean = grown.iter().sum::<f64>() / grown.len() as f64;
    let what = format!(
        "{SHAPE}; whole data directories after an orderly stop, mean of {grown:.0?}; the first two keep what their clerks' records were made with"
    );
    let peer = Some(("Fabric 3.1.5, a peer and an orderer", 14_700.0));
    figure("network/disk-bytes-per-tx", mean, "B", peer, &what);
}

/// What each node has on its disk when it is down.
fn at_rest(runtime: &tokio::runtime::Runtime, cluster: &mut Cluster) -> Vec<u64> {
    cluster.stop_all();
    let disk = cluster.disk_bytes();
    cluster.start_all();
    first_commit(runtime, cluster);
    disk
}

/// Far more clients than the nodes can serve: every request is answered, and the work goes on.
fn overload(runtime: &tokio::runtime::Runtime, cluster: &Cluster, scale: &Scale) {
    let doors = gateways(cluster);
    let time = Duration::from_secs(scale.closed_s);
    let peak = runtime.block_on(load::closed(&doors, CLIENTS, time, 4));
    let flood = runtime.block_on(load::closed(&doors, FLOOD, time, 5));
    let conditions = format!(
        "{SHAPE}; {FLOOD} closed-loop clients; {} committed, {} told when to come back, {} refused without a hint, {} without an answer",
        flood.committed(),
        flood.later,
        flood.others.len(),
        flood.broken,
    );
    let peer = Some(("the same with as many clients as saturate it", peak.per_second()));
    figure("network/overload-tps", flood.per_second(), "1/s", peer, &conditions);
    let unanswered = flood.broken as f64;
    figure("network/overload-unanswered", unanswered, "requests", None, &conditions);
}

/// The proposer's death under load, by SIGKILL, one validator after the other.
fn leader(runtime: &tokio::runtime::Runtime, cluster: &mut Cluster, scale: &Scale) {
    let mut gaps = Vec::new();
    let mut failed = 0;
    for round in 0..scale.leaders {
        // The last two nodes serve nobody, so that the gap is consensus' alone; proposers take turns.
        let (victim, doors) = (2 + (round % 2) as usize, gateways(cluster));
        let run = std::thread::scope(|scope| {
            let running =
                scope.spawn(|| runtime.block_on(load::open(&doors, 64, 50, 400, 10 + round)));
            std::thread::sleep(Duration::from_secs(3));
            cluster.kill(victim);
            running.join().expect("the load ends")
        });
        gaps.push(run.longest_gap_ms());
        failed += run.broken + run.others.len() as u64;
        cluster.start(victim);
        std::thread::sleep(Duration::from_secs(4));
    }
    gaps.sort_by(f64::total_cmp);
    let conditions = format!(
        "{SHAPE}; 50 submissions/s, a validator killed every time; median of {gaps:.0?} ms; {failed} requests failed"
    );
    let value = percentile(&gaps, 0.5);
    figure("network/leader-gap-ms", value, "ms", Some((FABRIC, 23_000.0)), &conditions);
}

fn figure(name: &str, value: f64, unit: &str, peer: Option<(&str, f64)>, conditions: &str) {
    Figure { name, value, unit, peer, conditions }.print_in(SUITE);
}

const SUITE: &str = "network";
const AGENCIES: usize = 4;
const CLIENTS: usize = 256;
const FLOOD: usize = 1_000;
const BRING_UPS: usize = 3;
const GROWTH_FIRST: u64 = 10_000;
/// Any two of the agencies endorse.
const ENDORSEMENT: &str = "OutOf(2, 'ChangchunNDRC.peer', 'ChangchunHRSS.peer', \
    'ChangchunDigital.peer', 'ChangchunResources.peer')";
const SHAPE: &str = "4 validators as processes, 2 gateways, endorsed by 2 organisations, 256 B of metadata, GM TLS, \
    clients and all nodes on this machine";
const FABRIC: &str = "Fabric 3.1.5, 4 BFT orderers, 2 cores";
