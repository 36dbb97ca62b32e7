//! The kit: signatures, digests and ciphers a second on one core, beside RustCrypto, OpenSSL and libgcrypt.
//!
//! With the feature `portable-only` once more with the kernels turned off, each name with the suffix `-portable`. Ours,
//! ours without kernels and RustCrypto are sampled in turns; peers that are programs run between the rounds.

use std::collections::BTreeMap;

use crate::kit::{self, SIGNERS};
use crate::peers::{Peer, libgcrypt, openssl};
use crate::report::Figure;
use crate::rustcrypto;
use crate::sampling::{Case, interleave, median, pin};

/// How often, and for how long each figure is sampled each time.
pub(crate) struct Scale {
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
}

impl Scale {
    pub(crate) const FULL: Self = Self { rounds: 3, seconds: 0.4 };
    pub(crate) const QUICK: Self = Self { rounds: 1, seconds: 0.2 };
}

pub(crate) fn run(scale: &Scale) {
    pin();
    let selftest = smkit::selftest::run();
    assert!(selftest.all(), "the kit's own self-test fails: {selftest:?}");
    let conditions = conditions();
    let (mut fastest, mut portable, mut theirs) =
        (kit::cases(), portable_cases(), rustcrypto::cases());
    let mut programs = Vec::new();
    for _ in 0..scale.rounds {
        for family in ["sm2/", "sm3/", "sm4/"] {
            let all = [&mut fastest, &mut portable, &mut theirs].into_iter().flatten();
            let mut family: Vec<_> = all.filter(|case| case.name.starts_with(family)).collect();
            interleave(&mut family, scale.seconds);
        }
        programs.push([openssl(), libgcrypt()]);
    }

    let mut peers =
        vec![Peer { name: "RustCrypto".to_owned(), figures: beside(&theirs, &fastest) }];
    for which in 0..2 {
        let rounds = programs.iter().filter_map(|round| round.get(which)?.as_ref());
        peers.extend(merge(&rounds.collect::<Vec<_>>()));
    }
    print(&fastest, &peers, &format!("{conditions}; fastest path"));
    print(&portable, &peers, &format!("{conditions}; portable path, peers as they are"));
    table(&fastest, &peers, &GOALS);
    if portable.is_empty() {
        eprintln!("skipped: the portable path (feature `portable-only`)");
    } else {
        eprintln!("\nPortable path");
        table(&portable, &peers, &GOALS_PORTABLE);
    }
}

/// The same cases with every kernel turned off while they are made, since ciphers choose theirs then, and while they run.
fn portable_cases() -> Vec<Case> {
    #[cfg(feature = "portable-only")]
    {
        smkit::cpu::force_portable(true);
        let cases = kit::cases();
        smkit::cpu::force_portable(false);
        cases.into_iter().map(|case| case.within(PORTABLE, smkit::cpu::force_portable)).collect()
    }
    #[cfg(not(feature = "portable-only"))]
    Vec::new()
}

/// RustCrypto's rate for each of our figures.
fn beside(theirs: &[Case], ours: &[Case]) -> BTreeMap<String, f64> {
    let rates: BTreeMap<_, _> =
        theirs.iter().map(|case| (case.name.as_str(), scaled(&case.name, case.rate()))).collect();
    let rate = |name: &str| rates.get(rustcrypto::beside(name)).copied();
    ours.iter().filter_map(|case| Some((case.name.clone(), rate(&case.name)?))).collect()
}

/// One peer of several rounds: medians.
fn merge(rounds: &[&Peer]) -> Option<Peer> {
    let name = rounds.first()?.name.clone();
    let mut all: BTreeMap<&String, Vec<f64>> = BTreeMap::new();
    for (figure, rate) in rounds.iter().flat_map(|peer| &peer.figures) {
        all.entry(figure).or_default().push(*rate);
    }
    let figures = all.into_iter().map(|(figure, rates)| (figure.clone(), median(rates))).collect();
    Some(Peer { name, figures })
}

/// Bytes a second become megabytes (10^6).
fn scaled(name: &str, rate: f64) -> f64 {
    if name.starts_with("sm2") { rate } else { rate / 1e6 }
}

/// What the machine is and how time was taken.
fn conditions() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpu.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(": ")).map_or("?", |(_, value)| value)
    };
    let flags = field("flags");
    let features: Vec<_> =
        FEATURES.into_iter().filter(|name| flags.split(' ').any(|flag| flag == *name)).collect();
    let clock = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    let clock = std::fs::read_to_string(clock).unwrap_or_default();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "median of samples in turns with RustCrypto, programs between rounds; CPU time of one pinned core \
         (CLOCK_THREAD_CPUTIME_ID over {}); load {} at the start; {} family {} model {}; {}; 64-byte messages with \
         SM3 inside; keys decoded and bound to their ID (ZA) before, known keys: {SIGNERS}",
        clock.trim(),
        load.split(' ').next().unwrap_or("?"),
        field("model name"),
        field("cpu family"),
        field("model\t"),
        features.join(" "),
    )
}

fn print(ours: &[Case], peers: &[Peer], conditions: &str) {
    for case in ours {
        let (name, value) = (case.name.as_str(), scaled(&case.name, case.rate()));
        let unit = if name.starts_with("sm2") { "1/s" } else { "MB/s" };
        let plain = name.trim_end_matches(PORTABLE);
        let beside = peers
            .iter()
            .filter_map(|peer| Some(Some((peer.name.as_str(), *peer.figures.get(plain)?))));
        let mut beside: Vec<_> = beside.collect();
        if beside.is_empty() {
            beside.push(None);
        }
        for peer in beside {
            Figure { name, value, unit, peer, conditions }.print_in("smkit");
        }
    }
}

/// The same for people, on standard error.
fn table(ours: &[Case], peers: &[Peer], goals: &[(&str, f64, f64)]) {
    eprint!("{:<34}{:>10}{:>10}{:>10}", "figure", "here", "reach", "beyond");
    peers.iter().for_each(|peer| eprint!("{:>24}", peer.name));
    eprintln!();
    let goals: BTreeMap<_, _> =
        goals.iter().map(|(name, reach, beyond)| (*name, (*reach, *beyond))).collect();
    for case in ours {
        let (name, value) = (case.name.as_str(), scaled(&case.name, case.rate()));
        let plain = name.trim_end_matches(PORTABLE);
        let (reach, beyond) = goals.get(plain).copied().unwrap_or_default();
        let mark = match () {
            () if reach == 0.0 => "",
            () if value >= beyond => "beyond",
            () if value >= reach => "reached",
            () => "SHORT",
        };
        eprint!("{name:<34}{value:>10.0}{reach:>10.0}{beyond:>10.0}");
        for peer in peers {
            match peer.figures.get(plain) {
                Some(theirs) => eprint!("{theirs:>16.0} {:>6.2}x", value / theirs),
                None => eprint!("{:>24}", "-"),
            }
        }
        eprintln!("  {mark}");
    }
}

const PORTABLE: &str = "-portable";
const FEATURES: [&str; 12] = [
    "avx2",
    "bmi2",
    "adx",
    "aes",
    "pclmulqdq",
    "gfni",
    "vaes",
    "vpclmulqdq",
    "avx512f",
    "avx512bw",
    "avx512ifma",
    "avx512vbmi",
];
/// Name, to reach, beyond: for a core with AVX512-IFMA and GFNI.
const GOALS: [(&str, f64, f64); 11] = [
    ("sm2/verify/single", 16_000.0, 18_000.0),
    ("sm2/verify/known", 28_000.0, 35_000.0),
    ("sm2/verify/batch64", 50_000.0, 60_000.0),
    ("sm2/verify/batch64-known", 80_000.0, 110_000.0),
    ("sm2/sign/single", 40_000.0, 50_000.0),
    ("sm2/sign/batch64", 150_000.0, 180_000.0),
    ("sm3/stream-16k", 450.0, 480.0),
    ("sm3/lanes-16k", 2_300.0, 2_600.0),
    ("sm3/lanes-64b", 1_000.0, 1_200.0),
    ("sm4/ctr", 1_500.0, 2_500.0),
    ("sm4/gcm", 1_200.0, 2_000.0),
];
const GOALS_PORTABLE: [(&str, f64, f64); 2] =
    [("sm2/verify/single", 8_000.0, 8_000.0), ("sm2/sign/single", 20_000.0, 20_000.0)];
