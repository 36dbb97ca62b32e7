//! The Prometheus text format, version 0.0.4.
//!
//! Written here because Fabric's counters do not end in `_total`: `OpenMetrics`, and with it the usual crate, would
//! rename them.

use std::fmt::Write as _;

use super::series::Timing;
use super::table::{Kind, Metric};

/// A page of metrics that grows family by family.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

impl Page {
    /// Begins a metric; everything until the next call belongs to it.
    pub(crate) fn family(&mut self, metric: &'static Metric) -> Family<'_> {
        let Metric { name, help, .. } = metric;
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        // Writing to a string never fails.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        Family { page: &mut self.0, metric }
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// One metric on a page.
pub(crate) struct Family<'a> {
    page: &'a mut String,
    metric: &'static Metric,
}

impl Family<'_> {
    pub(crate) fn count(&mut self, labels: &[&str], value: u64) -> &mut Self {
        self.sample("", labels, None, format_args!("{value}"))
    }

    pub(crate) fn flag(&mut self, labels: &[&str], value: bool) -> &mut Self {
        self.count(labels, u64::from(value))
    }

    /// Milliseconds or micros are given as seconds with a fraction.
    pub(crate) fn number(&mut self, labels: &[&str], value: f64) -> &mut Self {
        self.sample("", labels, None, format_args!("{value}"))
    }

    pub(crate) fn timing(&mut self, labels: &[&str], timing: &Timing) -> &mut Self {
        let Kind::Histogram(bounds) = self.metric.kind else { return self };
        let (counts, sum) = timing.cumulative();
        for (bound, count) in bounds.iter().zip(&counts) {
            let bound = bound.to_string();
            self.sample("_bucket", labels, Some(&bound), format_args!("{count}"));
        }
        let all = counts.last().copied().unwrap_or_default();
        self.sample("_bucket", labels, Some("+Inf"), format_args!("{all}"));
        self.sample("_sum", labels, None, format_args!("{sum}"));
        self.sample("_count", labels, None, format_args!("{all}"))
    }

    fn sample(
        &mut self,
        suffix: &str,
        labels: &[&str],
        bound: Option<&str>,
        value: std::fmt::Arguments<'_>,
    ) -> &mut Self {
        debug_assert_eq!(labels.len(), self.metric.labels.len(), "{}", self.metric.name);
        let _ = write!(self.page, "{}{suffix}", self.metric.name);
        let names = self.metric.labels.iter().copied().zip(labels.iter().copied());
        let mut separator = '{';
        for (name, text) in names.chain(bound.map(|bound| ("le", bound))) {
            let _ = write!(self.page, "{separator}{name}=\"");
            escape(self.page, text);
            self.page.push('"');
            separator = ',';
        }
        if separator == ',' {
            self.page.push('}');
        }
        let _ = writeln!(self.page, " {value}");
        self
    }
}

/// Label values may hold what a peer chose.
fn escape(page: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '\\' => page.push_str("\\\\"),
            '"' => page.push_str("\\\""),
            '\n' => page.push_str("\\n"),
            other => page.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::table::{BLOCKCHAIN_HEIGHT, DISK_FREE, REQUEST_DURATION};
    use super::{Page, Timing};

    #[test]
    fn labels_cannot_break_out_of_their_quotes() {
        let mut page = Page::default();
        page.family(&BLOCKCHAIN_HEIGHT).count(&["a\"} 1\n\\b"], 7);
        page.family(&DISK_FREE).number(&[], 0.5);
        assert_eq!(
            page.into_text(),
            "# HELP ledger_blockchain_height Blocks in the ledger, genesis included.\n\
             # TYPE ledger_blockchain_height gauge\n\
             ledger_blockchain_height{channel=\"a\\\"} 1\\n\\\\b\"} 7\n\
             # HELP changbai_disk_free_bytes Free bytes on the disk of the data directory.\n\
             # TYPE changbai_disk_free_bytes gauge\n\
             changbai_disk_free_bytes 0.5\n"
        );
    }

    #[test]
    fn a_histogram_ends_with_infinity_sum_and_count() {
        let timing = Timing::default();
        timing.observe(Duration::from_millis(20));
        timing.observe(Duration::from_secs(60));
        let mut page = Page::default();
        page.family(&REQUEST_DURATION).timing(&["GET", "/x"], &timing);
        let text = page.into_text();
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(lines.len(), 17);
        let name = "changbai_api_request_duration_seconds";
        let labels = "method=\"GET\",route=\"/x\"";
        assert_eq!(lines[0], format!("{name}_bucket{{{labels},le=\"0.001\"}} 0"));
        assert_eq!(lines[4], format!("{name}_bucket{{{labels},le=\"0.025\"}} 1"));
        assert_eq!(lines[14], format!("{name}_bucket{{{labels},le=\"+Inf\"}} 2"));
        assert_eq!(lines[15], format!("{name}_sum{{{labels}}} 60.02"));
        assert_eq!(lines[16], format!("{name}_count{{{labels}}} 2"));
    }
}
