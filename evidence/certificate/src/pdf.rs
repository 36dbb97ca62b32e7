//! PDF/A-3b (ISO 19005-3) with record and receipt attached.

mod appearance;
mod file;
mod judge;
mod object;
mod sign;
mod update;

use krilla::{
    Document, SerializeSettings,
    color::rgb,
    configure::{Archival, ConfigurationBuilder},
    embed::{AssociationKind, EmbeddedFile, MimeType},
    error::KrillaError,
    geom::{PathBuilder, Point, Rect},
    metadata::{DateTime, Metadata},
    num::NormalizedF32,
    page::PageSettings,
    paint::{Fill, FillRule, Stroke},
    surface::Surface,
    text::{GlyphId, KrillaGlyph},
};

use crate::{
    Certificate,
    error::CertificateError,
    layout::{Ink, Item, Line, Modules, PAGE_HEIGHT_UM, PAGE_WIDTH_UM, TextRun},
};

pub(crate) use self::sign::sign;
pub use self::{appearance::SealImage, judge::judge_pdf, sign::PdfSigner};

/// Writes the certificate as PDF.
pub(crate) fn write(certificate: &Certificate) -> Result<Vec<u8>, CertificateError> {
    let failed = |reason: &str| CertificateError::write(FORMAT, reason);
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_B)
        .finish()
        .map_err(|_| failed("PDF/A-3b is not available"))?;
    let settings = SerializeSettings { configuration, ..SerializeSettings::default() };
    let mut document = Document::new_with(settings);
    document.set_metadata(metadata(certificate));
    for (path, description, bytes) in certificate.attachments() {
        let file = EmbeddedFile {
            path: path.to_owned(),
            mime_type: MimeType::new("application/json"),
            description: Some(description.to_owned()),
            association_kind: AssociationKind::Data,
            data: bytes.to_vec().into(),
            modification_date: Some(date(certificate)),
            compress: Some(true),
            location: None,
        };
        document.embed_file(file).ok_or_else(|| failed("two attachments of one name"))?;
    }
    let size = PageSettings::from_wh(points(PAGE_WIDTH_UM), points(PAGE_HEIGHT_UM))
        .ok_or_else(|| failed("the page has no size"))?;
    for page in &certificate.layout.pages {
        let mut sheet = document.start_page_with(size.clone());
        let mut surface = sheet.surface();
        let mut items = page.items.as_slice();
        while let Some((first, rest)) = items.split_first() {
            // Rules of one kind are one path: the file is smaller, and so is the work of deflating it.
            let alike = match first {
                Item::Line(line) => rest.iter().take_while(|item| is_like(item, line)).count(),
                _ => 0,
            };
            let (more, after) = rest.split_at_checked(alike).unwrap_or((rest, &[]));
            draw(&mut surface, certificate, first, more);
            items = after;
        }
        surface.finish();
        sheet.finish();
    }
    document.finish().map_err(|error| match error {
        KrillaError::Validation(errors) => {
            let names = errors.iter().map(|(error, _)| format!("{error:?}"));
            CertificateError::write(FORMAT, names.collect::<Vec<_>>().join("; "))
        }
        other => CertificateError::write(FORMAT, format!("{other:?}")),
    })
}

fn metadata(certificate: &Certificate) -> Metadata {
    Metadata::new()
        .title(certificate.title())
        .authors(vec![certificate.issuer.platform().to_owned()])
        .creator("changbai".to_owned())
        .producer("changbai-certificate".to_owned())
        .language("zh-CN".to_owned())
        .creation_date(date(certificate))
        .document_id(certificate.document_id())
}

/// The record's time: a certificate has no date of its own.
fn date(certificate: &Certificate) -> DateTime {
    let time = &certificate.time;
    DateTime::new(time.date.year())
        .month(time.date.month())
        .day(time.date.day())
        .hour(time.hour)
        .minute(time.minute)
        .second(time.second)
        .utc_offset_hour(8)
        .utc_offset_minute(0)
}

/// Whether it is a line of the same width and colour.
fn is_like(item: &Item, line: &Line) -> bool {
    matches!(item, Item::Line(other) if other.width_um == line.width_um && other.ink == line.ink)
}

fn draw(surface: &mut Surface<'_>, certificate: &Certificate, item: &Item, lines: &[Item]) {
    match item {
        Item::Text(run) => draw_text(surface, certificate, run),
        Item::Line(line) => {
            let more = lines.iter().filter_map(|item| match item {
                Item::Line(line) => Some((line.from_um, line.to_um)),
                _ => None,
            });
            let all = std::iter::once((line.from_um, line.to_um)).chain(more);
            draw_lines(surface, all, line.width_um, line.ink);
        }
        Item::Fill(area) => {
            let area = (area.x_um, area.y_um, area.width_um, area.height_um, area.ink);
            draw_areas(surface, [area.0, area.1], &[(0, 0, area.2)], area.3, area.4);
        }
        Item::Modules(Modules { x_um, y_um, bars_um, module_um, .. }) => {
            // Bars as strokes through their middles: half the points of rectangles.
            let bars = bars_um.iter().map(|(x, y, width)| {
                let (left, middle) = (x_um + x, y_um + y + module_um / 2);
                ((left, middle), (left + width, middle))
            });
            draw_lines(surface, bars, *module_um, Ink::BLACK);
        }
    }
}

fn draw_text(surface: &mut Surface<'_>, certificate: &Certificate, run: &TextRun) {
    let text = run.text();
    let mut starts = text.char_indices().map(|(at, _)| at).skip(1).chain([text.len()]);
    let ends = run.glyphs.iter().map(|glyph| glyph.dx_um).skip(1).chain([run.width_um]);
    let mut from = 0;
    let glyphs: Vec<_> = run
        .glyphs
        .iter()
        .zip(ends)
        .map(|(glyph, end_um)| {
            let to = starts.next().unwrap_or(text.len());
            let advance = advance(certificate, run, glyph.character, end_um - glyph.dx_um);
            let id = GlyphId::new(glyph.id.into());
            let placed = KrillaGlyph::new(id, advance, 0.0, 0.0, 0.0, from..to, None);
            from = to;
            placed
        })
        .collect();
    surface.set_stroke(None);
    surface.set_fill(Some(fill(run.ink)));
    let start = Point::from_xy(points(run.x_um), points(run.baseline_um));
    let font = certificate.font.krilla().clone();
    surface.draw_glyphs(start, &glyphs, font, &text, points(run.size_um), false);
}

/// How far the next glyph is, in ems: the font's own advance where rounding to micrometres is all that differs, so that no
/// correction has to stand between the glyphs.
fn advance(certificate: &Certificate, run: &TextRun, character: char, placed_um: i32) -> f32 {
    let units_per_em = f32::from(certificate.font.units_per_em());
    let placed = points(placed_um) / points(run.size_um);
    let glyph = certificate.font.glyph(character);
    let own = glyph.map_or(placed, |glyph| f32::from(glyph.advance) / units_per_em);
    if (own - placed).abs() * points(run.size_um) <= points(ROUNDING_UM) { own } else { placed }
}

/// Straight lines as one path.
fn draw_lines(
    surface: &mut Surface<'_>,
    lines: impl Iterator<Item = ((i32, i32), (i32, i32))>,
    width_um: i32,
    ink: Ink,
) {
    let mut path = PathBuilder::new();
    for (from_um, to_um) in lines {
        path.move_to(points(from_um.0), points(from_um.1));
        path.line_to(points(to_um.0), points(to_um.1));
    }
    surface.set_fill(None);
    surface.set_stroke(Some(Stroke {
        paint: colour(ink).into(),
        width: points(width_um),
        ..Stroke::default()
    }));
    if let Some(path) = path.finish() {
        surface.draw_path(&path);
    }
}

/// Rectangles of one height as one path: x, y and width of each, from `origin_um`.
fn draw_areas(
    surface: &mut Surface<'_>,
    origin_um: [i32; 2],
    bars_um: &[(i32, i32, i32)],
    height_um: i32,
    ink: Ink,
) {
    let mut path = PathBuilder::new();
    let [left, top] = origin_um;
    for (x, y, width) in bars_um {
        let (x, y) = (points(left + x), points(top + y));
        if let Some(area) = Rect::from_xywh(x, y, points(*width), points(height_um)) {
            path.push_rect(area);
        }
    }
    surface.set_stroke(None);
    surface.set_fill(Some(fill(ink)));
    if let Some(path) = path.finish() {
        surface.draw_path(&path);
    }
}

fn fill(ink: Ink) -> Fill {
    Fill { paint: colour(ink).into(), opacity: NormalizedF32::ONE, rule: FillRule::NonZero }
}

fn colour(Ink(red, green, blue): Ink) -> rgb::Color {
    rgb::Color::new(red, green, blue)
}

/// Micrometres as points of 1/72 inch.
fn points(um: i32) -> f32 {
    // A page has fewer than 2^24 micrometres: exact until the division.
    #[expect(clippy::cast_precision_loss, reason = "below 2^24")]
    let um = um as f32;
    um * 72.0 / 25_400.0
}

const FORMAT: &str = "PDF";
/// Most that the layout rounds away at one glyph.
const ROUNDING_UM: i32 = 2;
