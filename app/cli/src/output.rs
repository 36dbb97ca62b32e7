//! Standard output and standard error: the only writers of results.
//!
//! A reader that went away (`changbai … | head`) ends the output, not the command: the exit code still says how
//! the command went. Any other failure to write is an error.

use std::io::{self, Write};

use serde::Serialize;

use crate::error::CliError;

/// Writes one result, with a line end, to standard output and flushes it.
pub(crate) fn line(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    tolerate_closed(writeln!(out, "{text}").and_then(|()| out.flush()))
}

/// Writes one object as compact JSON on one line.
pub(crate) fn json(value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string(value)
        .map_err(|error| CliError::Output { source: io::Error::other(error) })?;
    line(&text)
}

/// Writes a note or an error for a person to standard error. A failure is ignored: there is no place left to
/// report it.
pub(crate) fn note(text: &str) {
    let mut out = io::stderr().lock();
    let _ = writeln!(out, "{text}");
}

fn tolerate_closed(result: io::Result<()>) -> Result<(), CliError> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|source| CliError::Output { source }),
    }
}

/// A table with aligned columns: Chinese characters take two columns of a terminal.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Adds a row; rows may differ in length.
    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The rows as lines without trailing spaces, columns two spaces apart.
    pub(crate) fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|i| self.rows.iter().filter_map(|row| row.get(i)).map(|c| width(c)).max())
            .map(Option::unwrap_or_default)
            .collect();
        let lines = self.rows.iter().map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, column)| {
                format!("{cell}{}", " ".repeat(column.saturating_sub(width(cell))))
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Text from files and from the node, made harmless for a terminal: control characters become spaces.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Columns of a terminal that `text` takes: wide (UAX #11 W and F) characters take two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

fn is_wide(c: char) -> bool {
    matches!(u32::from(c),
        0x1100..=0x115F | 0x2E80..=0x303E | 0x3041..=0xA4CF | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF | 0xFE30..=0xFE6F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1F64F | 0x20000..=0x3FFFD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_with_chinese_text() {
        let mut table = Table::default();
        table.row(["存证编号", "height"]);
        table.row(["CC1", "7"]);
        assert_eq!(table.render(), "存证编号  height\nCC1       7");
    }

    #[test]
    fn a_closed_pipe_is_not_an_error() {
        assert!(tolerate_closed(Err(io::ErrorKind::BrokenPipe.into())).is_ok());
        assert!(tolerate_closed(Err(io::ErrorKind::StorageFull.into())).is_err());
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\n"), "a [31mb ");
    }
}
