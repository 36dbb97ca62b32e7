//! What stands in the seal's place: its picture, or who signed and when.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt::Write as _,
    io::Write as _,
};

use flate2::{Compression, write::ZlibEncoder};

use smkit_pki::Certificate;

use super::update::{Numbers, Writer};
use crate::{
    error::CertificateError,
    font::{FontSource, Outline, Segment, outline},
    layout::{Style, TextRun, break_lines},
    limits::SEAL_PIXELS_MAX,
    time::ChinaTime,
};

/// A picture for the seal's place: `width` × `height` pixels of red, green, blue and opacity.
#[derive(Clone, PartialEq, Eq)]
pub struct SealImage {
    width: u32,
    height: u32,
    /// Deflated red, green and blue.
    colours: Vec<u8>,
    /// Deflated opacity.
    opacity: Vec<u8>,
}

/// What the signature looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Appearance {
    /// Lines of text: the deflated content.
    Drawn(Vec<u8>),
    Picture(SealImage),
}

impl SealImage {
    /// A picture from its pixels, four bytes each, rows from the top.
    ///
    /// # Errors
    /// [`CertificateError::Write`] for no pixels, more than [`SEAL_PIXELS_MAX`] a side, or another number of bytes.
    pub fn from_rgba(width: u32, height: u32, pixels: &[u8]) -> Result<Self, CertificateError> {
        let sides = 1..=SEAL_PIXELS_MAX;
        let expected = usize::try_from(u64::from(width) * u64::from(height) * 4).ok();
        if !sides.contains(&width) || !sides.contains(&height) || expected != Some(pixels.len()) {
            return Err(CertificateError::write(
                "PDF",
                "the seal's picture has no or too many pixels",
            ));
        }
        let colours: Vec<u8> =
            pixels.chunks_exact(4).flat_map(|pixel| pixel.iter().take(3)).copied().collect();
        let opacity: Vec<u8> =
            pixels.chunks_exact(4).filter_map(|pixel| pixel.get(3)).copied().collect();
        Ok(Self { width, height, colours: deflated(&colours), opacity: deflated(&opacity) })
    }

    /// As it stands in a file, where it need not be understood: it can show in the seal's place only.
    pub(super) const fn as_found(
        width: u32,
        height: u32,
        colours: Vec<u8>,
        opacity: Vec<u8>,
    ) -> Self {
        Self { width, height, colours, opacity }
    }
}

impl std::fmt::Debug for SealImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealImage({} x {})", self.width, self.height)
    }
}

impl Appearance {
    /// Who signed and when, over a white ground. Drawn with the font that comes with this crate, as outlines, so that no
    /// font has to be added; what it cannot write is left out rather than shown as a box.
    pub(super) fn of(
        certificate: &Certificate,
        at_unix_seconds: i64,
    ) -> Result<Self, CertificateError> {
        let font = FontSource::built_in()?;
        let at_ms = u64::try_from(at_unix_seconds).unwrap_or_default().saturating_mul(1_000);
        let at = ChinaTime::new(at_ms)?;
        let signer = match certificate.organisation().join(" ") {
            name if name.is_empty() => certificate.common_name().unwrap_or_default(),
            name => name,
        };
        let sm3 = certificate.sm3().to_string();
        let sm3 = sm3.get(..16).unwrap_or_default();
        let fingerprint = format!("证书 SM3 {sm3}…");
        let name: String =
            signer.chars().filter(|c| font.glyph(*c).is_some()).take(NAME_CHARS_MAX).collect();
        let lines = [
            ("已数字签名", LARGE),
            ("Digitally signed", SMALL),
            (name.as_str(), MEDIUM),
            (fingerprint.as_str(), SMALL),
            (&at.day(), MEDIUM),
            (&at.clock_to_the_second(), MEDIUM),
            ("SM2 / SM3　GB/T 35275", SMALL),
        ];
        let mut runs = Vec::new();
        let mut y_um = 0;
        for (text, style) in lines {
            for line in break_lines(&font, text, style, SIDE_UM - 2 * MARGIN_UM)? {
                let x_um = (SIDE_UM - line.width_um) / 2;
                runs.extend(line.at(x_um, y_um + style.size_um));
                y_um += style.leading_um;
            }
        }
        let top_um = ((SIDE_UM - y_um) / 2).max(0);
        Ok(Self::Drawn(deflated(draw(&font, &runs, top_um)?.as_bytes())))
    }

    /// The objects of the appearance.
    pub(super) fn write(&self, out: &mut Writer, numbers: &Numbers, side: &str) {
        let form =
            format!("/Type/XObject/Subtype/Form/BBox[0.000 0.000 {side} {side}]/Resources<<");
        match self {
            Self::Drawn(content) => out.stream(numbers.appearance, &format!("{form}>>"), content),
            Self::Picture(SealImage { width, height, colours, opacity }) => {
                let inner = SIDE_POINTS - 2.0 * INSET;
                let resources = format!("{form}/XObject<</Seal {} 0 R>>>>", numbers.picture);
                let content = format!(
                    "q 1 g {INSET:.3} {INSET:.3} {inner:.3} {inner:.3} re f {side} 0 0 {side} 0 0 cm /Seal Do Q"
                );
                out.stream(numbers.appearance, &resources, &deflated(content.as_bytes()));
                let image = format!(
                    "/Type/XObject/Subtype/Image/Width {width}/Height {height}/BitsPerComponent 8/ColorSpace"
                );
                let entries = format!("{image}/DeviceRGB/SMask {} 0 R", numbers.mask);
                out.stream(numbers.picture, &entries, colours);
                out.stream(numbers.mask, &format!("{image}/DeviceGray"), opacity);
            }
        }
    }
}

/// Glyphs as filled paths, in hundredths of a millimetre; the ground is white so that what is printed below does not show.
fn draw(font: &FontSource, runs: &[TextRun], top_um: i32) -> Result<String, CertificateError> {
    let damaged = || CertificateError::write("PDF", "an outline of the font is damaged");
    let mut outlines: BTreeMap<u16, Outline> = BTreeMap::new();
    let mut content = String::new();
    // The marks of the corners stay visible.
    let inner = SIDE_POINTS - 2.0 * INSET;
    let unit = f64::from(UNIT_UM) * 72.0 / 25_400.0;
    let _ = writeln!(
        content,
        "1 g {INSET:.3} {INSET:.3} {inner:.3} {inner:.3} re f 0.05 g {unit:.9} 0 0 {unit:.9} 0 0 cm"
    );
    for run in runs {
        let scale = f64::from(run.size_um) / f64::from(font.units_per_em());
        for glyph in &run.glyphs {
            let outline = match outlines.entry(glyph.id) {
                Entry::Occupied(found) => found.into_mut(),
                Entry::Vacant(place) => place.insert(outline(font, glyph.id).ok_or_else(damaged)?),
            };
            let left = f64::from(run.x_um + glyph.dx_um);
            let base = f64::from(SIDE_UM - top_um - run.baseline_um);
            let point = |[x, y]: [f32; 2]| {
                let (x, y) = (left + f64::from(x) * scale, base + f64::from(y) * scale);
                let [x, y] = [x, y].map(|um| um / f64::from(UNIT_UM));
                // Within a square of 4,000 units, give or take a glyph.
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "saturates far outside the page"
                )]
                let [x, y] = [x.round() as i32, y.round() as i32];
                (x, y)
            };
            path(&mut content, outline, point);
        }
    }
    Ok(content)
}

fn path(content: &mut String, outline: &Outline, point: impl Fn([f32; 2]) -> (i32, i32)) {
    let mut at = [0.0, 0.0];
    let mut put = |points: &[[f32; 2]], operator: char| {
        for to in points {
            let (x, y) = point(*to);
            // Writing to a string does not fail.
            let _ = write!(content, "{x} {y} ");
        }
        content.push(operator);
        content.push('\n');
    };
    for segment in outline {
        match *segment {
            Segment::Move(to) => {
                at = to;
                put(&[to], 'm');
            }
            Segment::Line(to) => {
                at = to;
                put(&[to], 'l');
            }
            Segment::Quad(by, to) => {
                let third = |from: [f32; 2]| {
                    let [x, y] = from;
                    let [by_x, by_y] = by;
                    [x + (by_x - x) * 2.0 / 3.0, y + (by_y - y) * 2.0 / 3.0]
                };
                put(&[third(at), third(to), to], 'c');
                at = to;
            }
            Segment::Cubic(one, two, to) => {
                at = to;
                put(&[one, two, to], 'c');
            }
            Segment::Close => put(&[], 'h'),
        }
    }
    put(&[], 'f');
}

pub(super) fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(3));
    // Writing into memory cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

const SIDE_UM: i32 = 40_000;
const SIDE_POINTS: f64 = 72.0 * 40.0 / 25.4;
const MARGIN_UM: i32 = 1_500;
/// Points of the marks around the ground.
const INSET: f64 = 1.0;
/// Finer than any printer, and short to write.
const UNIT_UM: i32 = 10;
/// Longer names are cut: the certificate inside the signature has the whole.
const NAME_CHARS_MAX: usize = 40;
const LARGE: Style = Style::black(4_200, 5_600);
const MEDIUM: Style = Style::black(2_900, 4_100);
const SMALL: Style = Style::black(2_300, 3_400);
