//! `Content.xml`: one layer of text and path objects.

use std::{fmt::Write, io};

use quick_xml::events::BytesText;

use super::parts::{FONT_ID, SEAL_PICTURE_ID, Xml, mm, part, text, within};
use crate::layout::{Ink, Item, Line, Page, TextRun};

/// The page's items as objects with ids from `next_id` on, and the seal's picture on top, if this is its page.
pub(super) fn content(
    page: &Page,
    layer: usize,
    next_id: &mut usize,
    seal_um: Option<[i32; 4]>,
) -> io::Result<Vec<u8>> {
    part("ofd:Page", &[], |xml| {
        within(xml, "ofd:Content", |xml| {
            xml.create_element("ofd:Layer")
                .with_attribute(("ID", layer.to_string().as_str()))
                .with_attribute(("Type", "Body"))
                .write_inner_content(|xml| {
                    for item in &page.items {
                        *next_id += 1;
                        write_item(xml, item, &next_id.to_string())?;
                    }
                    if let Some(area) = seal_um {
                        *next_id += 1;
                        write_picture(xml, area, &next_id.to_string())?;
                    }
                    Ok(())
                })?;
            Ok(())
        })
    })
}

fn write_item(xml: &mut Xml, item: &Item, id: &str) -> io::Result<()> {
    match item {
        Item::Text(run) => write_run(xml, run, id),
        Item::Line(line) => write_line(xml, line, id),
        Item::Fill(area) => {
            let boundary = [area.x_um, area.y_um, area.width_um, area.height_um];
            let data = rectangle(0, 0, area.width_um, area.height_um);
            write_filled(xml, boundary, &data, area.ink, id)
        }
        Item::Modules(modules) => {
            let boundary = [modules.x_um, modules.y_um, modules.side_um, modules.side_um];
            let bars = modules.bars_um.iter();
            let bars = bars.map(|(x, y, width)| rectangle(*x, *y, *width, modules.module_um));
            write_filled(xml, boundary, &bars.collect::<Vec<_>>().join(" "), Ink::BLACK, id)
        }
    }
}

fn write_run(xml: &mut Xml, run: &TextRun, id: &str) -> io::Result<()> {
    // Room above the baseline and below it for any glyph.
    let top = run.baseline_um - run.size_um;
    let boundary = boundary([run.x_um, top, run.width_um, run.size_um * 13 / 10]);
    let steps = run.glyphs.windows(2).filter_map(|pair| match pair {
        [left, right] => Some(mm(right.dx_um - left.dx_um)),
        _ => None,
    });
    let steps = steps.collect::<Vec<_>>().join(" ");
    xml.create_element("ofd:TextObject")
        .with_attribute(("ID", id))
        .with_attribute(("Boundary", boundary.as_str()))
        .with_attribute(("Font", FONT_ID.to_string().as_str()))
        .with_attribute(("Size", mm(run.size_um).as_str()))
        .write_inner_content(|xml| {
            write_colour(xml, "ofd:FillColor", run.ink)?;
            let code = xml
                .create_element("ofd:TextCode")
                .with_attribute(("X", "0"))
                .with_attribute(("Y", mm(run.size_um).as_str()));
            let code = match steps.as_str() {
                "" => code,
                steps => code.with_attribute(("DeltaX", steps)),
            };
            code.write_text_content(BytesText::new(&run.text()))?;
            Ok(())
        })?;
    Ok(())
}

fn write_line(xml: &mut Xml, line: &Line, id: &str) -> io::Result<()> {
    let ((x1, y1), (x2, y2)) = (line.from_um, line.to_um);
    // The boundary clips: it includes the line's width.
    let half = line.width_um / 2 + 1;
    let (left, top) = (x1.min(x2) - half, y1.min(y2) - half);
    let (right, bottom) = (x1.max(x2) + half, y1.max(y2) + half);
    let boundary = boundary([left, top, right - left, bottom - top]);
    let point = |x, y| format!("{} {}", mm(x - left), mm(y - top));
    let data = format!("M {} L {}", point(x1, y1), point(x2, y2));
    xml.create_element("ofd:PathObject")
        .with_attribute(("ID", id))
        .with_attribute(("Boundary", boundary.as_str()))
        .with_attribute(("LineWidth", mm(line.width_um).as_str()))
        .write_inner_content(|xml| {
            write_colour(xml, "ofd:StrokeColor", line.ink)?;
            text(xml, "ofd:AbbreviatedData", &data)
        })?;
    Ok(())
}

fn write_filled(xml: &mut Xml, area: [i32; 4], data: &str, ink: Ink, id: &str) -> io::Result<()> {
    xml.create_element("ofd:PathObject")
        .with_attribute(("ID", id))
        .with_attribute(("Boundary", boundary(area).as_str()))
        .with_attribute(("Stroke", "false"))
        .with_attribute(("Fill", "true"))
        .write_inner_content(|xml| {
            write_colour(xml, "ofd:FillColor", ink)?;
            text(xml, "ofd:AbbreviatedData", data)
        })?;
    Ok(())
}

/// An image is a unit square, scaled by its matrix.
fn write_picture(xml: &mut Xml, area: [i32; 4], id: &str) -> io::Result<()> {
    let [_, _, width, height] = area.map(mm);
    xml.create_element("ofd:ImageObject")
        .with_attribute(("ID", id))
        .with_attribute(("Boundary", boundary(area).as_str()))
        .with_attribute(("ResourceID", SEAL_PICTURE_ID.to_string().as_str()))
        .with_attribute(("CTM", format!("{width} 0 0 {height} 0 0").as_str()))
        .write_empty()?;
    Ok(())
}

fn write_colour(xml: &mut Xml, name: &str, Ink(red, green, blue): Ink) -> io::Result<()> {
    let value = format!("{red} {green} {blue}");
    xml.create_element(name).with_attribute(("Value", value.as_str())).write_empty()?;
    Ok(())
}

fn rectangle(x: i32, y: i32, width: i32, height: i32) -> String {
    let (left, top, right, bottom) = (mm(x), mm(y), mm(x + width), mm(y + height));
    let mut data = String::new();
    // Writing to a string does not fail.
    let _ = write!(data, "M {left} {top} L {right} {top} L {right} {bottom} L {left} {bottom} C");
    data
}

pub(super) fn boundary(area: [i32; 4]) -> String {
    area.map(mm).join(" ")
}
