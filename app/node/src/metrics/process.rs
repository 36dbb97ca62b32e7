//! What Linux says about this process, from `/proc/self`; zeros elsewhere.

use std::path::Path;

use crate::facts::ProcessFacts;

/// Reads memory, CPU time and descriptors. A few small reads that touch no disk.
pub(crate) fn read(started_ms: u64) -> ProcessFacts {
    let text = |name: &str| std::fs::read_to_string(Path::new("/proc/self").join(name));
    let statm = text("statm").unwrap_or_default();
    let stat = text("stat").unwrap_or_default();
    let open_files = std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64);
    ProcessFacts {
        resident_bytes: resident_pages(&statm).saturating_mul(rustix::param::page_size() as u64),
        cpu_ms: cpu_ticks(&stat)
            .saturating_mul(1_000)
            .checked_div(rustix::param::clock_ticks_per_second())
            .unwrap_or(0),
        open_files,
        open_files_max: rustix::process::getrlimit(rustix::process::Resource::Nofile)
            .current
            .unwrap_or(u64::MAX),
        started_ms,
    }
}

/// proc(5): the second field of `statm`.
fn resident_pages(statm: &str) -> u64 {
    statm.split_ascii_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0)
}

/// proc(5): `utime` and `stime`, fields 14 and 15 of `stat`. The second field, the program's name, may hold spaces and
/// parentheses; fields are counted after its last one.
fn cpu_ticks(stat: &str) -> u64 {
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let fields = after.split_ascii_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<u64>().ok()).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::{cpu_ticks, read, resident_pages};

    #[test]
    fn fields_are_found_whatever_the_program_is_called() {
        assert_eq!(resident_pages("4210 1234 900 1 0 300 0\n"), 1_234);
        assert_eq!(resident_pages(""), 0);
        let stat = "4711 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 9 0 100";
        assert_eq!(cpu_ticks(stat), 300);
        assert_eq!(cpu_ticks("nonsense"), 0);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_memory_and_files() {
        let facts = read(5);
        assert!(facts.resident_bytes > 1 << 20 && facts.open_files >= 3, "{facts:?}");
        assert!(facts.open_files_max >= facts.open_files);
        assert_eq!(facts.started_ms, 5);
    }
}
