//! Outlines of glyphs, in font units with y upwards.

use skrifa::{
    FontRef, GlyphId, MetadataProvider,
    instance::{LocationRef, Size},
    outline::{DrawSettings, OutlinePen},
};

use super::FontSource;

/// One step of an outline; points are in font units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Segment {
    Move([f32; 2]),
    Line([f32; 2]),
    Quad([f32; 2], [f32; 2]),
    Cubic([f32; 2], [f32; 2], [f32; 2]),
    Close,
}

/// The outline of one glyph.
pub(crate) type Outline = Vec<Segment>;

/// The outline of a glyph; `None` if the font's is damaged.
pub(crate) fn outline(font: &FontSource, id: u16) -> Option<Outline> {
    let font = FontRef::new(font.data()).ok()?;
    let glyph = font.outline_glyphs().get(GlyphId::from(id))?;
    let mut pen = Pen::default();
    glyph.draw(DrawSettings::unhinted(Size::unscaled(), LocationRef::default()), &mut pen).ok()?;
    Some(pen.0)
}

#[derive(Default)]
struct Pen(Outline);

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.push(Segment::Move([x, y]));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.push(Segment::Line([x, y]));
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.0.push(Segment::Quad([cx, cy], [x, y]));
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        self.0.push(Segment::Cubic([ax, ay], [bx, by], [x, y]));
    }

    fn close(&mut self) {
        self.0.push(Segment::Close);
    }
}
