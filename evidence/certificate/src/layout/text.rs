//! Text into lines: glyphs, widths, and where a line may end.

use crate::{
    error::CertificateError,
    font::FontSource,
    layout::{Ink, Placed, TextRun},
};

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) size_um: i32,
    pub(crate) leading_um: i32,
    /// Added after each glyph.
    pub(crate) tracking_um: i32,
    pub(crate) ink: Ink,
}

impl Style {
    /// Plain black text.
    pub(crate) const fn black(size_um: i32, leading_um: i32) -> Self {
        Self { size_um, leading_um, tracking_um: 0, ink: Ink::BLACK }
    }
}

/// A line of text that has no place yet.
#[derive(Clone, Debug)]
pub(crate) struct TextLine {
    pub(crate) style: Style,
    pub(crate) width_um: i32,
    /// Empty for an empty line.
    pub(crate) glyphs: Vec<Placed>,
}

impl TextLine {
    /// The line as a run that starts here; `None` if it is empty.
    pub(crate) fn at(&self, x_um: i32, baseline_um: i32) -> Option<TextRun> {
        (!self.glyphs.is_empty()).then(|| TextRun {
            x_um,
            baseline_um,
            size_um: self.style.size_um,
            width_um: self.width_um,
            ink: self.style.ink,
            glyphs: self.glyphs.clone(),
        })
    }
}

/// Breaks a text into lines no wider than `width_um`, and at each line feed.
///
/// # Errors
/// [`CertificateError::MissingGlyph`] for the first character that the font has not.
pub(crate) fn break_lines(
    font: &FontSource,
    text: &str,
    style: Style,
    width_um: i32,
) -> Result<Vec<TextLine>, CertificateError> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let wide = paragraph
            .chars()
            .map(|character| measure(font, character, style))
            .collect::<Result<Vec<_>, _>>()?;
        let mut rest = wide.as_slice();
        while let Some(length) = line_length(rest, width_um) {
            let (line, tail) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            lines.push(set(line, style));
            let spaces = tail.iter().take_while(|wide| wide.character == ' ').count();
            rest = tail.get(spaces..).unwrap_or_default();
        }
        if wide.is_empty() {
            lines.push(set(&[], style));
        }
    }
    Ok(lines)
}

/// A character with its glyph and width.
#[derive(Clone, Copy)]
struct Wide {
    id: u16,
    character: char,
    advance_um: i32,
}

fn measure(font: &FontSource, character: char, style: Style) -> Result<Wide, CertificateError> {
    let glyph = font.glyph(character).ok_or(CertificateError::MissingGlyph { character })?;
    let scaled =
        i64::from(glyph.advance) * i64::from(style.size_um) / i64::from(font.units_per_em()).max(1);
    let advance_um = i32::try_from(scaled).unwrap_or(i32::MAX).saturating_add(style.tracking_um);
    Ok(Wide { id: glyph.id, character, advance_um })
}

/// How many characters go on the next line: at least one, `None` if there are none.
fn line_length(rest: &[Wide], width_um: i32) -> Option<usize> {
    if rest.is_empty() {
        return None;
    }
    let mut used_um = 0_i32;
    let mut last_break = 0;
    let mut before = None;
    for (index, wide) in rest.iter().enumerate() {
        if before.is_some_and(|before| may_break(before, wide.character)) {
            last_break = index;
        }
        used_um = used_um.saturating_add(wide.advance_um);
        if used_um > width_um && wide.character != ' ' {
            return Some(if last_break > 0 { last_break } else { index.max(1) });
        }
        before = Some(wide.character);
    }
    Some(rest.len())
}

/// Whether a line may end between these two: around ideographs and after spaces, but no line begins with closing
/// punctuation or ends with opening punctuation (GB/T 15834-2011 §5.1).
fn may_break(before: char, after: char) -> bool {
    if NO_START.contains(after) || NO_END.contains(before) || after == ' ' {
        return false;
    }
    before == ' ' || !before.is_ascii() || !after.is_ascii()
}

const NO_START: &str = "，。、；：？！）》〉」』”’…·%,.;:?!)]}";
const NO_END: &str = "（《〈「『“‘([{";

fn set(line: &[Wide], style: Style) -> TextLine {
    let end = line.iter().rposition(|wide| wide.character != ' ').map_or(0, |last| last + 1);
    let mut width_um = 0_i32;
    let glyphs = line
        .iter()
        .take(end)
        .map(|wide| {
            let placed = Placed { id: wide.id, character: wide.character, dx_um: width_um };
            width_um = width_um.saturating_add(wide.advance_um);
            placed
        })
        .collect();
    TextLine { style, width_um, glyphs }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: Style =
        Style { size_um: 4_000, leading_um: 6_000, tracking_um: 0, ink: Ink::BLACK };

    fn broken(text: &str, width_um: i32) -> Vec<String> {
        let font = FontSource::built_in().unwrap();
        break_lines(&font, text, STYLE, width_um)
            .unwrap()
            .iter()
            .map(|line| line.glyphs.iter().map(|glyph| glyph.character).collect())
            .collect()
    }

    #[test]
    fn lines_end_where_chinese_lines_may() {
        assert_eq!(broken("一二三四，五六", 16_000), ["一二三", "四，五六"]);
        assert_eq!(broken("一二三（四五", 16_000), ["一二三", "（四五"]);
        assert_eq!(broken("evidence ledger", 20_000), ["evidence", "ledger"]);
        assert_eq!(broken("aaaaaaaaaaaaaaaa", 9_000).concat(), "aaaaaaaaaaaaaaaa");
        assert_eq!(broken("一\n\n二", 16_000), ["一", "", "二"]);
    }

    #[test]
    fn a_missing_glyph_names_its_character() {
        let font = FontSource::built_in().unwrap();
        let error = break_lines(&font, "张龘", STYLE, 50_000).unwrap_err();
        assert!(matches!(error, CertificateError::MissingGlyph { character: '龘' }), "{error}");
    }
}
