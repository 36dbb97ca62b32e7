//! One JSON object a line: suite, name, value, unit, peer, peer's value, ratio, conditions.

/// A figure, perhaps beside its peer's.
pub(crate) struct Figure<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: f64,
    pub(crate) unit: &'a str,
    pub(crate) peer: Option<(&'a str, f64)>,
    pub(crate) conditions: &'a str,
}

impl Figure<'_> {
    #[cfg(feature = "node")]
    pub(crate) fn print(&self) {
        self.print_in("main");
    }

    pub(crate) fn print_in(&self, suite: &str) {
        let round = |value: f64| (value * 1_000.0).round() / 1_000.0;
        let peer = self.peer.map(|(name, _)| name);
        let peer_value = self.peer.map(|(_, value)| round(value));
        let ratio = self.peer.map(|(_, value)| round(self.value / value));
        let line = serde_json::json!({
            "suite": suite,
            "name": self.name,
            "value": round(self.value),
            "unit": self.unit,
            "peer": peer,
            "peer_value": peer_value,
            "ratio": ratio,
            "conditions": self.conditions,
        });
        println!("{line}");
    }
}

/// CPU time of this process so far, user and system, in milliseconds.
#[cfg(feature = "node")]
pub(crate) fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 14 and 15, counted after the name, which may hold spaces.
    let after = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks: f64 = after
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    ticks * 10.0
}

/// Resident memory of this process and its peak, in MiB.
#[cfg(feature = "node")]
pub(crate) fn memory_mib() -> (f64, f64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
        kib.unwrap_or(0.0) / 1_024.0
    };
    (field("VmRSS:"), field("VmHWM:"))
}

/// Bytes on disk below a folder: allocated blocks, as `du` counts them.
#[cfg(feature = "node")]
pub(crate) fn disk_bytes(dir: &std::path::Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => disk_bytes(&entry.path()),
            Ok(meta) => meta.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}

/// The value below which `share` of the sorted samples lie.
#[cfg(feature = "node")]
pub(crate) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = ((sorted.len() as f64) * share) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}
