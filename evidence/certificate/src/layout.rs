//! Pages as lists of items: what every writer walks.
//!
//! Lengths are whole micrometres, so that no writer rounds differently on another machine; the origin is the page's
//! upper left corner, y grows downwards.

mod certificate;
mod content;
mod flow;
mod statements;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use self::{
    certificate::lay_out,
    text::{Style, break_lines},
};

/// Width of an A4 page.
pub(crate) const PAGE_WIDTH_UM: i32 = 210_000;
/// Height of an A4 page.
pub(crate) const PAGE_HEIGHT_UM: i32 = 297_000;

/// A laid-out document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) pages: Vec<Page>,
    pub(crate) seal: SealPlace,
}

/// One A4 page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) items: Vec<Item>,
}

/// Where the electronic seal (电子印章) belongs; 40 mm square, as GB/T 38540 practice has round seals of 单位.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealPlace {
    /// Page, from 1.
    pub page: usize,
    /// Left edge in micrometres from the page's left.
    pub x_um: i32,
    /// Upper edge in micrometres from the page's top.
    pub y_um: i32,
    /// Side in micrometres.
    pub side_um: i32,
}

/// Something drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Text(TextRun),
    Line(Line),
    Fill(Fill),
    Modules(Modules),
}

/// One line of text in one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TextRun {
    pub(crate) x_um: i32,
    pub(crate) baseline_um: i32,
    pub(crate) size_um: i32,
    pub(crate) width_um: i32,
    pub(crate) ink: Ink,
    /// Never empty.
    pub(crate) glyphs: Vec<Placed>,
}

/// A glyph in its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) id: u16,
    pub(crate) character: char,
    /// From the run's start.
    pub(crate) dx_um: i32,
}

/// A straight line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) from_um: (i32, i32),
    pub(crate) to_um: (i32, i32),
    pub(crate) width_um: i32,
    pub(crate) ink: Ink,
}

/// A filled rectangle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fill {
    pub(crate) x_um: i32,
    pub(crate) y_um: i32,
    pub(crate) width_um: i32,
    pub(crate) height_um: i32,
    pub(crate) ink: Ink,
}

/// The dark modules of a QR code (GB/T 18284) as horizontal bars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Modules {
    pub(crate) x_um: i32,
    pub(crate) y_um: i32,
    pub(crate) side_um: i32,
    /// x, y and width of each bar of dark modules; each is one module high.
    pub(crate) bars_um: Vec<(i32, i32, i32)>,
    pub(crate) module_um: i32,
}

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ink(pub(crate) u8, pub(crate) u8, pub(crate) u8);

impl Ink {
    pub(crate) const BLACK: Self = Self(0x11, 0x11, 0x11);
    pub(crate) const GREY: Self = Self(0x5a, 0x5f, 0x66);
    pub(crate) const NAVY: Self = Self(0x16, 0x2f, 0x56);
    pub(crate) const RULE: Self = Self(0x8b, 0x96, 0xa8);
    pub(crate) const SHADE: Self = Self(0xe9, 0xee, 0xf5);
}

impl TextRun {
    /// The run's characters.
    pub(crate) fn text(&self) -> String {
        self.glyphs.iter().map(|glyph| glyph.character).collect()
    }
}

impl Layout {
    /// All runs of all pages.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &TextRun> {
        self.pages.iter().flat_map(|page| &page.items).filter_map(|item| match item {
            Item::Text(run) => Some(run),
            _ => None,
        })
    }
}
