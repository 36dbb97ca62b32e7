//! A table that flows over pages.

use super::{
    Fill, Ink, Item, Line, PAGE_HEIGHT_UM, PAGE_WIDTH_UM, Page,
    text::{Style, TextLine, break_lines},
};
use crate::{error::CertificateError, font::FontSource, limits::PAGES_MAX};

/// Left edge of the content.
pub(super) const LEFT_UM: i32 = 20_000;
/// Right edge of the content.
pub(super) const RIGHT_UM: i32 = PAGE_WIDTH_UM - LEFT_UM;
/// Upper edge of the content on pages after the first.
pub(super) const TOP_UM: i32 = 27_000;
/// Lower edge of the content.
pub(super) const BOTTOM_UM: i32 = PAGE_HEIGHT_UM - 27_000;
/// Width of the labels' column.
const LABEL_WIDTH_UM: i32 = 33_000;
const PADDING_UM: i32 = 1_700;
const RULE_WIDTH_UM: i32 = 180;

pub(super) const TITLE: Style = style(7_400, 10_500, 700, Ink::NAVY);
pub(super) const SUBTITLE: Style = style(3_000, 5_000, 0, Ink::GREY);
pub(super) const NUMBER: Style = style(3_600, 6_000, 0, Ink::BLACK);
pub(super) const SECTION: Style = style(3_500, 5_000, 150, Ink::NAVY);
pub(super) const LABEL: Style = style(3_150, 4_500, 0, Ink::BLACK);
pub(super) const VALUE: Style = style(3_150, 4_650, 0, Ink::BLACK);
pub(super) const ENGLISH: Style = style(2_350, 3_400, 0, Ink::GREY);
/// An empty line between paragraphs.
pub(super) const GAP: Style = style(600, 900, 0, Ink::GREY);
pub(super) const FOOT: Style = style(2_600, 4_000, 0, Ink::GREY);

const fn style(size_um: i32, leading_um: i32, tracking_um: i32, ink: Ink) -> Style {
    Style { size_um, leading_um, tracking_um, ink }
}

/// Pages under construction.
pub(super) struct Flow<'a> {
    font: &'a FontSource,
    pages: Vec<Page>,
    pub(super) y_um: i32,
}

/// A text in one style.
pub(super) type Styled<'a> = (&'a str, Style);

impl<'a> Flow<'a> {
    /// The first page, with content from `y_um` on.
    pub(super) fn new(font: &'a FontSource, y_um: i32) -> Self {
        Self { font, pages: vec![Page::default()], y_um }
    }

    pub(super) fn into_pages(self) -> Vec<Page> {
        self.pages
    }

    pub(super) fn page_number(&self) -> usize {
        self.pages.len()
    }

    pub(super) fn draw(&mut self, item: Item) {
        if let Some(page) = self.pages.last_mut() {
            page.items.push(item);
        }
    }

    /// Goes to the next page unless this much is left on this one.
    pub(super) fn require(&mut self, height_um: i32) -> Result<(), CertificateError> {
        if self.y_um + height_um <= BOTTOM_UM { Ok(()) } else { self.next_page() }
    }

    fn next_page(&mut self) -> Result<(), CertificateError> {
        if self.pages.len() >= PAGES_MAX {
            return Err(CertificateError::TooLong);
        }
        self.pages.push(Page::default());
        self.y_um = TOP_UM;
        Ok(())
    }

    /// A shaded row over the whole width, never the last thing on a page.
    pub(super) fn section(&mut self, chinese: &str, english: &str) -> Result<(), CertificateError> {
        let height_um = SECTION.leading_um + 2 * PADDING_UM;
        self.require(height_um + 18_000)?;
        let width_um = RIGHT_UM - LEFT_UM;
        let (x_um, y_um) = (LEFT_UM, self.y_um);
        self.draw(Item::Fill(Fill { x_um, y_um, width_um, height_um, ink: Ink::SHADE }));
        let baseline_um = y_um + PADDING_UM + baseline(SECTION);
        let inner = width_um - 2 * PADDING_UM;
        let mut x_um = LEFT_UM + PADDING_UM;
        for (text, style) in [(chinese, SECTION), (english, ENGLISH)] {
            for line in break_lines(self.font, text, style, inner)?.iter().take(1) {
                line.at(x_um, baseline_um).into_iter().for_each(|run| self.draw(Item::Text(run)));
                x_um += line.width_um + 2_500;
            }
        }
        self.box_around(y_um, height_um, false);
        self.y_um += height_um;
        Ok(())
    }

    /// A row of the table. Rows that fit on a page are not divided.
    pub(super) fn row(
        &mut self,
        label: &[Styled<'_>],
        value: &[Styled<'_>],
    ) -> Result<(), CertificateError> {
        let label = self.lines(label, LABEL_WIDTH_UM - 2 * PADDING_UM)?;
        let value_width = RIGHT_UM - LEFT_UM - LABEL_WIDTH_UM - 2 * PADDING_UM;
        let mut value = self.lines(value, value_width)?;
        let whole = height(&label).max(height(&value)) + 2 * PADDING_UM;
        if whole <= BOTTOM_UM - TOP_UM {
            self.require(whole)?;
        }
        loop {
            let room = BOTTOM_UM - self.y_um - 2 * PADDING_UM;
            let fitting = fitting(&value, room);
            if fitting == 0 && !value.is_empty() {
                self.next_page()?;
                continue;
            }
            let rest = value.split_off(fitting);
            self.piece(&label, &value);
            if rest.is_empty() {
                return Ok(());
            }
            value = rest;
            self.next_page()?;
        }
    }

    /// Lines of a cell, one text after the other.
    fn lines(
        &self,
        texts: &[Styled<'_>],
        width_um: i32,
    ) -> Result<Vec<TextLine>, CertificateError> {
        let mut lines = Vec::new();
        for (text, style) in texts {
            lines.extend(break_lines(self.font, text, *style, width_um)?);
        }
        Ok(lines)
    }

    /// One row, or the part of it that is on this page.
    fn piece(&mut self, label: &[TextLine], value: &[TextLine]) {
        let y_um = self.y_um;
        let height_um = height(label).max(height(value)) + 2 * PADDING_UM;
        self.box_around(y_um, height_um, true);
        let columns = [(label, LEFT_UM), (value, LEFT_UM + LABEL_WIDTH_UM)];
        for (lines, x_um) in columns {
            let mut line_um = y_um + PADDING_UM;
            for line in lines {
                let run = line.at(x_um + PADDING_UM, line_um + baseline(line.style));
                run.into_iter().for_each(|run| self.draw(Item::Text(run)));
                line_um += line.style.leading_um;
            }
        }
        self.y_um += height_um;
    }

    fn box_around(&mut self, y_um: i32, height_um: i32, divided: bool) {
        let bottom = y_um + height_um;
        let mut rule = |from_um, to_um| {
            let (width_um, ink) = (RULE_WIDTH_UM, Ink::RULE);
            self.draw(Item::Line(Line { from_um, to_um, width_um, ink }));
        };
        rule((LEFT_UM, y_um), (RIGHT_UM, y_um));
        rule((LEFT_UM, bottom), (RIGHT_UM, bottom));
        rule((LEFT_UM, y_um), (LEFT_UM, bottom));
        rule((RIGHT_UM, y_um), (RIGHT_UM, bottom));
        if divided {
            let x_um = LEFT_UM + LABEL_WIDTH_UM;
            rule((x_um, y_um), (x_um, bottom));
        }
    }
}

/// From the top of a line to its baseline: the glyphs sit in the middle of the leading.
pub(super) const fn baseline(style: Style) -> i32 {
    (style.leading_um - style.size_um) / 2 + style.size_um * 88 / 100
}

fn height(lines: &[TextLine]) -> i32 {
    lines.iter().map(|line| line.style.leading_um).sum()
}

/// How many of the lines fit into this height.
fn fitting(lines: &[TextLine], room_um: i32) -> usize {
    let mut used = 0;
    lines
        .iter()
        .take_while(|line| {
            used += line.style.leading_um;
            used <= room_um
        })
        .count()
}
