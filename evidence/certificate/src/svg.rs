//! SVG 1.1, all pages one below the other. Glyphs are outlines, so that it looks the same without any font; the text
//! of each run is its label.

use std::{collections::BTreeSet, fmt::Write, io};

use quick_xml::{
    Writer,
    events::{BytesText, Event},
};

use crate::{
    Certificate,
    error::CertificateError,
    font::{Outline, Segment, outline},
    layout::{Ink, Item, PAGE_HEIGHT_UM, PAGE_WIDTH_UM, Page, TextRun},
};

/// Writes the certificate as SVG; its unit is the micrometre.
pub(crate) fn write(certificate: &Certificate) -> Result<String, CertificateError> {
    let mut glyphs = Vec::new();
    let used: BTreeSet<u16> =
        certificate.layout.runs().flat_map(|run| &run.glyphs).map(|glyph| glyph.id).collect();
    for id in used {
        let outline = outline(&certificate.font, id)
            .ok_or_else(|| CertificateError::write(FORMAT, "a damaged outline in the font"))?;
        glyphs.push((id, path_data(&outline)));
    }
    let written = document(certificate, &glyphs);
    let bytes = written.map_err(|error| CertificateError::write(FORMAT, error))?;
    String::from_utf8(bytes).map_err(|error| CertificateError::write(FORMAT, error))
}

fn document(certificate: &Certificate, glyphs: &[(u16, String)]) -> io::Result<Vec<u8>> {
    let mut xml = Writer::new(Vec::new());
    let pages = &certificate.layout.pages;
    let count = i32::try_from(pages.len()).unwrap_or(i32::MAX);
    let height_um = PAGE_HEIGHT_UM.saturating_mul(count);
    xml.create_element("svg")
        .with_attribute(("xmlns", "http://www.w3.org/2000/svg"))
        .with_attribute(("width", format!("{}mm", PAGE_WIDTH_UM / 1_000).as_str()))
        .with_attribute(("height", format!("{}mm", height_um / 1_000).as_str()))
        .with_attribute(("viewBox", format!("0 0 {PAGE_WIDTH_UM} {height_um}").as_str()))
        .with_attribute(("xml:lang", "zh-CN"))
        .write_inner_content(|xml| {
            let title = certificate.title();
            xml.create_element("title").write_text_content(BytesText::new(&title))?;
            xml.create_element("defs").write_inner_content(|xml| {
                for (id, data) in glyphs {
                    line_feed(xml)?;
                    xml.create_element("path")
                        .with_attribute(("id", format!("g{id}").as_str()))
                        .with_attribute(("d", data.as_str()))
                        .write_empty()?;
                }
                Ok(())
            })?;
            for (top_um, page) in (0..count).map(|n| n * PAGE_HEIGHT_UM).zip(pages) {
                line_feed(xml)?;
                xml.create_element("g")
                    .with_attribute(("transform", format!("translate(0 {top_um})").as_str()))
                    .write_inner_content(|xml| write_page(xml, page, certificate))?;
            }
            Ok(())
        })?;
    Ok(xml.into_inner())
}

fn write_page(xml: &mut Writer<Vec<u8>>, page: &Page, certificate: &Certificate) -> io::Result<()> {
    let whole = format!("M0 0H{PAGE_WIDTH_UM}V{PAGE_HEIGHT_UM}H0Z");
    write_path(xml, &whole, Ink(0xff, 0xff, 0xff), None)?;
    for item in &page.items {
        line_feed(xml)?;
        match item {
            Item::Text(run) => {
                write_run(xml, run, i32::from(certificate.font.units_per_em()))?;
            }
            Item::Line(line) => {
                let ((x1, y1), (x2, y2)) = (line.from_um, line.to_um);
                let data = format!("M{x1} {y1}L{x2} {y2}");
                write_path(xml, &data, line.ink, Some(line.width_um))?;
            }
            Item::Fill(area) => {
                let (x, y) = (area.x_um, area.y_um);
                let data =
                    format!("M{x} {y}h{}v{}h-{}z", area.width_um, area.height_um, area.width_um);
                write_path(xml, &data, area.ink, None)?;
            }
            Item::Modules(modules) => {
                let high = modules.module_um;
                let data = modules.bars_um.iter().fold(String::new(), |mut data, bar| {
                    let (x, y) = (modules.x_um + bar.0, modules.y_um + bar.1);
                    let _ = write!(data, "M{x} {y}h{}v{high}h-{}z", bar.2, bar.2);
                    data
                });
                write_path(xml, &data, Ink::BLACK, None)?;
            }
        }
    }
    Ok(())
}

/// A run: glyphs in font units below one transformation.
fn write_run(xml: &mut Writer<Vec<u8>>, run: &TextRun, units_per_em: i32) -> io::Result<()> {
    // In thousandths: micrometres of one font unit.
    let scale = i64::from(run.size_um) * 1_000 / i64::from(units_per_em.max(1));
    let scale = format!("{}.{:03}", scale / 1_000, scale % 1_000);
    let transform = format!("translate({} {}) scale({scale} -{scale})", run.x_um, run.baseline_um);
    xml.create_element("g")
        .with_attribute(("role", "text"))
        .with_attribute(("aria-label", run.text().as_str()))
        .with_attribute(("fill", colour(run.ink).as_str()))
        .with_attribute(("transform", transform.as_str()))
        .write_inner_content(|xml| {
            for glyph in run.glyphs.iter().filter(|glyph| glyph.character != ' ') {
                let x = i64::from(glyph.dx_um) * i64::from(units_per_em)
                    / i64::from(run.size_um.max(1));
                xml.create_element("use")
                    .with_attribute(("href", format!("#g{}", glyph.id).as_str()))
                    .with_attribute(("x", x.to_string().as_str()))
                    .write_empty()?;
            }
            Ok(())
        })?;
    Ok(())
}

/// A path, filled or, with a width, stroked.
fn write_path(
    xml: &mut Writer<Vec<u8>>,
    data: &str,
    ink: Ink,
    width_um: Option<i32>,
) -> io::Result<()> {
    let colour = colour(ink);
    let path = xml.create_element("path").with_attribute(("d", data));
    match width_um {
        Some(width) => path
            .with_attribute(("stroke", colour.as_str()))
            .with_attribute(("stroke-width", width.to_string().as_str()))
            .write_empty()?,
        None => path.with_attribute(("fill", colour.as_str())).write_empty()?,
    };
    Ok(())
}

fn path_data(outline: &Outline) -> String {
    let mut data = String::new();
    for segment in outline {
        // Writing to a string does not fail.
        let _ = match segment {
            Segment::Move([x, y]) => write!(data, "M{x} {y}"),
            Segment::Line([x, y]) => write!(data, "L{x} {y}"),
            Segment::Quad([ax, ay], [x, y]) => write!(data, "Q{ax} {ay} {x} {y}"),
            Segment::Cubic([ax, ay], [bx, by], [x, y]) => {
                write!(data, "C{ax} {ay} {bx} {by} {x} {y}")
            }
            Segment::Close => write!(data, "Z"),
        };
    }
    data
}

fn line_feed(xml: &mut Writer<Vec<u8>>) -> io::Result<()> {
    xml.write_event(Event::Text(BytesText::from_escaped("\n")))
}

fn colour(Ink(red, green, blue): Ink) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

const FORMAT: &str = "SVG";
