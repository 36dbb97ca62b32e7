//! Pictures of seals: a PNG that is given, or a round one that is drawn.
//!
//! Drawn as official seals are: a ring of 40 mm, the name along the upper arc, a five-pointed star, a line below it.
//! Red on nothing, so that what lies below stays legible.

mod pixels;
mod png;
mod raster;

use std::f64::consts::{PI, TAU};

use raster::{Point, Shape};
use smkit_pki::SealPicture;

use crate::{
    CertificateError, FontSource, SealImage,
    font::{Segment, outline},
    limits::SEAL_NAME_CHARS_MAX,
};

/// Draws a round seal of 40 mm with this name (印章名称) along its arc and, if given, a line below the star (for example
/// `存证专用章`). The same input gives the same bytes.
///
/// # Errors
/// [`CertificateError::MissingGlyph`]; [`CertificateError::Picture`] for a name or line that is empty or does not fit.
pub fn draw_round_seal(
    font: &FontSource,
    name: &str,
    line: Option<&str>,
) -> Result<SealPicture, CertificateError> {
    let mut shapes = vec![ring(), star()];
    shapes.extend(arc(font, name)?);
    if let Some(line) = line {
        shapes.extend(caption(font, line)?);
    }
    let alpha = raster::alpha(&shapes, SIDE_PX, f64::from(SIDE_PX) / SIDE_MM);
    let data = png::write(&alpha, SIDE_PX, INK)
        .ok_or(CertificateError::Picture { reason: "it cannot be packed" })?;
    Ok(SealPicture { kind: "PNG".to_owned(), data, width_mm: 40, height_mm: 40 })
}

/// Takes a PNG as the picture of a seal that is `width_mm` wide; its height follows from its pixels.
///
/// # Errors
/// [`CertificateError::Picture`] for what is no whole PNG of 16 to 4096 pixels, or not 10 to 60 mm in each direction.
pub fn seal_picture_from_png(
    data: Vec<u8>,
    width_mm: u32,
) -> Result<SealPicture, CertificateError> {
    let refused = |reason| CertificateError::Picture { reason };
    let (width_px, height_px) = png::check(&data).map_err(refused)?;
    let height_mm =
        width_mm.saturating_mul(height_px).saturating_add(width_px / 2) / width_px.max(1);
    if !SIZES_MM.contains(&width_mm) || !SIZES_MM.contains(&height_mm) {
        return Err(refused("it must be 10 to 60 mm wide and high"));
    }
    Ok(SealPicture { kind: "PNG".to_owned(), data, width_mm, height_mm })
}

/// The picture of a seal for [`PdfSigner`](crate::PdfSigner).
///
/// # Errors
/// [`CertificateError::Picture`] for what is no PNG of eight bits without interlacing.
pub fn seal_image(picture: &SealPicture) -> Result<SealImage, CertificateError> {
    let (width, height, pixels) =
        pixels::read(&picture.data).map_err(|reason| CertificateError::Picture { reason })?;
    SealImage::from_rgba(width, height, &pixels)
}

fn ring() -> Shape {
    let circle = |radius: f64, backwards: bool| {
        let points = (0..CIRCLE_POINTS).map(|n| {
            let angle = TAU * f64::from(n) / f64::from(CIRCLE_POINTS);
            on_circle(radius, if backwards { -angle } else { angle })
        });
        points.collect::<Vec<_>>()
    };
    vec![circle(OUTER_MM, false), circle(OUTER_MM - RING_MM, true)]
}

/// Five points, the first one up.
fn star() -> Shape {
    // Where the lines between the points cross.
    let inner = STAR_MM * (PI / 10.0).sin() / (3.0 * PI / 10.0).sin();
    let points = (0..10_u8).map(|n| {
        let radius = if n % 2 == 0 { STAR_MM } else { inner };
        on_circle(radius, PI * f64::from(n) / 5.0)
    });
    vec![points.collect()]
}

/// The name from left to right over the top, heads outwards.
fn arc(font: &FontSource, name: &str) -> Result<Vec<Shape>, CertificateError> {
    let characters = characters(name)?;
    let count = u32::try_from(characters.len()).map(f64::from).unwrap_or_default();
    let step = (ARC_STEP_MAX).min(ARC_SPAN_MAX / (count - 1.0).max(1.0));
    let middle_mm = BASE_MM + NAME_MM / 2.0;
    // Narrower where there are many of them, as engravers do.
    let squeeze = (step * middle_mm * 0.94 / NAME_MM).min(0.8);
    let mut shapes = Vec::new();
    for (index, character) in (0_u32..).zip(characters) {
        let angle = step * (f64::from(index) - (count - 1.0) / 2.0);
        let (sin, cos) = angle.sin_cos();
        let place = move |Point(x, y): Point| {
            let (across, outwards) = (x * NAME_MM * squeeze, BASE_MM + y * NAME_MM);
            Point(
                CENTRE_MM + across * cos + outwards * sin,
                CENTRE_MM + across * sin - outwards * cos,
            )
        };
        engrave(&mut shapes, &glyph(font, character, &place)?);
    }
    Ok(shapes)
}

/// One line below the star.
fn caption(font: &FontSource, line: &str) -> Result<Vec<Shape>, CertificateError> {
    let characters = characters(line)?;
    let count = u32::try_from(characters.len()).map(f64::from).unwrap_or_default();
    let step_mm = (LINE_MM * 1.08).min(LINE_WIDTH_MM / count.max(1.0));
    let squeeze = (step_mm * 0.94 / LINE_MM).min(0.9);
    let mut shapes = Vec::new();
    for (index, character) in (0_u32..).zip(characters) {
        let left = CENTRE_MM + step_mm * (f64::from(index) - (count - 1.0) / 2.0);
        let place = move |Point(x, y): Point| {
            Point(left + x * LINE_MM * squeeze, LINE_BASE_MM - y * LINE_MM)
        };
        engrave(&mut shapes, &glyph(font, character, &place)?);
    }
    Ok(shapes)
}

/// A little bolder all around, as seals are cut: the thin strokes of a printing face break where readers scale the picture
/// down.
fn engrave(shapes: &mut Vec<Shape>, glyph: &Shape) {
    const STEPS: [f64; 3] = [-BOLDER_MM, 0.0, BOLDER_MM];
    for (right, down) in STEPS.into_iter().flat_map(|right| STEPS.map(|down| (right, down))) {
        let moved = |Point(x, y): &Point| Point(x + right, y + down);
        shapes.push(glyph.iter().map(|contour| contour.iter().map(moved).collect()).collect());
    }
}

fn characters(text: &str) -> Result<Vec<char>, CertificateError> {
    let characters: Vec<_> = text.chars().collect();
    if characters.is_empty() || characters.len() > SEAL_NAME_CHARS_MAX {
        return Err(CertificateError::Picture { reason: "its text is empty or too long" });
    }
    Ok(characters)
}

/// A glyph with its middle at 0, its foot at 0 and its head at 1, put where `place` says.
fn glyph(
    font: &FontSource,
    character: char,
    place: &dyn Fn(Point) -> Point,
) -> Result<Shape, CertificateError> {
    let found = font.glyph(character).ok_or(CertificateError::MissingGlyph { character })?;
    let outline = outline(font, found.id)
        .ok_or(CertificateError::Picture { reason: "a damaged outline in the font" })?;
    let em = f64::from(font.units_per_em());
    let half = f64::from(found.advance) / 2.0;
    // Ideographs stand a little below the baseline; the em square is what is placed.
    let point =
        |[x, y]: [f32; 2]| place(Point((f64::from(x) - half) / em, f64::from(y) / em + DESCENT));
    let mut shape: Shape = Vec::new();
    let mut contour: Vec<Point> = Vec::new();
    let mut at = [0.0_f32; 2];
    for segment in outline {
        match segment {
            Segment::Move(to) => {
                shape.push(std::mem::take(&mut contour));
                contour.push(point(to));
                at = to;
            }
            Segment::Line(to) => {
                contour.push(point(to));
                at = to;
            }
            Segment::Quad(a, to) => {
                contour.extend(steps().map(|t| point(quad(t, at, a, to))));
                at = to;
            }
            Segment::Cubic(a, b, to) => {
                contour.extend(steps().map(|t| point(cubic(t, at, a, b, to))));
                at = to;
            }
            Segment::Close => {}
        }
    }
    shape.push(contour);
    Ok(shape)
}

fn steps() -> impl Iterator<Item = f32> {
    (1..=CURVE_STEPS).map(|n| f32::from(n) / f32::from(CURVE_STEPS))
}

fn quad(t: f32, from: [f32; 2], a: [f32; 2], to: [f32; 2]) -> [f32; 2] {
    mix(t, mix(t, from, a), mix(t, a, to))
}

fn cubic(t: f32, from: [f32; 2], a: [f32; 2], b: [f32; 2], to: [f32; 2]) -> [f32; 2] {
    mix(t, quad(t, from, a, b), quad(t, a, b, to))
}

fn mix(t: f32, [ax, ay]: [f32; 2], [bx, by]: [f32; 2]) -> [f32; 2] {
    [ax + (bx - ax) * t, ay + (by - ay) * t]
}

/// Clockwise from the top.
fn on_circle(radius: f64, angle: f64) -> Point {
    Point(CENTRE_MM + radius * angle.sin(), CENTRE_MM - radius * angle.cos())
}

const SIDE_PX: u32 = 720;
const SIDE_MM: f64 = 40.0;
const CENTRE_MM: f64 = 20.0;
const OUTER_MM: f64 = 19.8;
const RING_MM: f64 = 1.1;
const STAR_MM: f64 = 6.2;
const CIRCLE_POINTS: u16 = 720;
/// Feet of the name's characters, from the centre.
const BASE_MM: f64 = 12.1;
const NAME_MM: f64 = 5.4;
const ARC_STEP_MAX: f64 = 0.42;
const ARC_SPAN_MAX: f64 = 4.5;
const LINE_MM: f64 = 3.9;
const LINE_WIDTH_MM: f64 = 21.5;
const LINE_BASE_MM: f64 = 33.2;
/// How far the em square reaches below the baseline.
const DESCENT: f64 = 0.12;
/// Half of what is added to each stroke.
const BOLDER_MM: f64 = 0.045;
const CURVE_STEPS: u8 = 8;
/// The red of official seals.
const INK: [u8; 3] = [0xd7, 0x14, 0x1a];
const SIZES_MM: std::ops::RangeInclusive<u32> = 10..=60;

#[cfg(test)]
mod tests {
    use super::*;

    fn font() -> FontSource {
        FontSource::built_in().unwrap()
    }

    #[test]
    fn a_drawn_seal_is_a_png_of_forty_millimetres_and_always_the_same() {
        let draw =
            || draw_round_seal(&font(), "长春市电子数据存证平台", Some("存证专用章")).unwrap();
        let picture = draw();
        assert_eq!(picture, draw());
        assert_eq!(png::check(&picture.data), Ok((SIDE_PX, SIDE_PX)));
        assert_eq!(seal_picture_from_png(picture.data.clone(), 40).unwrap(), picture);
    }

    #[test]
    fn what_cannot_be_drawn_is_named() {
        let refused = |name: &str| draw_round_seal(&font(), name, None).unwrap_err();
        assert!(matches!(refused("龘"), CertificateError::MissingGlyph { character: '龘' }));
        assert!(matches!(refused(""), CertificateError::Picture { .. }));
        assert!(matches!(refused(&"长".repeat(31)), CertificateError::Picture { .. }));
    }

    #[test]
    fn a_picture_that_is_none_is_refused() {
        let good = draw_round_seal(&font(), "章", None).unwrap().data;
        assert!(seal_picture_from_png(good.clone(), 9).is_err());
        assert!(seal_picture_from_png(good[..good.len() - 1].to_vec(), 40).is_err());
        assert!(seal_picture_from_png(b"GIF89a".to_vec(), 40).is_err());
        let mut flipped = good;
        flipped[40] ^= 1;
        assert!(seal_picture_from_png(flipped, 40).is_err());
    }
}
