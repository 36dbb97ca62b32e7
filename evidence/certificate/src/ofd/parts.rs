//! The parts of the package around the pages. Order of elements: that of the standard's schema.

use std::io;

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use crate::{
    Certificate,
    layout::{PAGE_HEIGHT_UM, PAGE_WIDTH_UM},
};

pub(super) type Xml = Writer<Vec<u8>>;

/// Namespace of GB/T 33190-2016.
const NAMESPACE: &str = "http://www.ofdspec.org/2016";
/// Id of the only font.
pub(super) const FONT_ID: usize = 1;
/// File of the only font.
pub(super) const FONT_FILE: &str = "font_1.otf";
/// Id of the seal's picture.
pub(super) const SEAL_PICTURE_ID: usize = 2;
/// File of the seal's picture.
pub(super) const SEAL_FILE: &str = "seal.png";
/// The list of signatures.
pub(super) const SIGNATURES: &str = "Doc_0/Signs/Signatures.xml";
/// Ids from here on: pages, their layers, objects.
pub(super) const FIRST_OBJECT_ID: usize = 10;

/// How many ids pages and layers take.
pub(super) fn layers(certificate: &Certificate) -> usize {
    certificate.layout.pages.len() * 2
}

/// Id of the page with this index.
pub(super) fn page_id(index: usize) -> usize {
    FIRST_OBJECT_ID + 2 * index
}

/// Id of the layer of this page.
pub(super) fn layer_id(index: usize) -> usize {
    page_id(index) + 1
}

/// `OFD.xml`.
pub(super) fn entry(certificate: &Certificate) -> io::Result<Vec<u8>> {
    let attributes = [("Version", "1.0"), ("DocType", "OFD")];
    part("ofd:OFD", &attributes, |xml| {
        within(xml, "ofd:DocBody", |xml| {
            within(xml, "ofd:DocInfo", |xml| {
                text(xml, "ofd:DocID", &certificate.document_id())?;
                text(xml, "ofd:Title", &certificate.title())?;
                text(xml, "ofd:Author", certificate.issuer.platform())?;
                text(xml, "ofd:CreationDate", &certificate.time.day())?;
                text(xml, "ofd:Creator", "changbai-certificate")
            })?;
            text(xml, "ofd:DocRoot", "Doc_0/Document.xml")?;
            match &certificate.seal {
                Some(_) => text(xml, "ofd:Signatures", SIGNATURES),
                None => Ok(()),
            }
        })
    })
}

/// `Document.xml`.
pub(super) fn document(certificate: &Certificate) -> io::Result<Vec<u8>> {
    let pages = &certificate.layout.pages;
    let objects: usize = pages.iter().map(|page| page.items.len()).sum();
    let last =
        FIRST_OBJECT_ID + layers(certificate) + objects + usize::from(certificate.seal.is_some());
    part("ofd:Document", &[], |xml| {
        within(xml, "ofd:CommonData", |xml| {
            text(xml, "ofd:MaxUnitID", &last.to_string())?;
            within(xml, "ofd:PageArea", |xml| {
                let size = format!("0 0 {} {}", mm(PAGE_WIDTH_UM), mm(PAGE_HEIGHT_UM));
                text(xml, "ofd:PhysicalBox", &size)
            })?;
            text(xml, "ofd:PublicRes", "PublicRes.xml")?;
            match &certificate.seal {
                Some(_) => text(xml, "ofd:DocumentRes", "DocumentRes.xml"),
                None => Ok(()),
            }
        })?;
        within(xml, "ofd:Pages", |xml| {
            for index in 0..pages.len() {
                xml.create_element("ofd:Page")
                    .with_attribute(("ID", page_id(index).to_string().as_str()))
                    .with_attribute(("BaseLoc", format!("Pages/Page_{index}/Content.xml").as_str()))
                    .write_empty()?;
            }
            Ok(())
        })?;
        text(xml, "ofd:Attachments", "Attachs/Attachments.xml")
    })
}

/// `PublicRes.xml`.
pub(super) fn resources() -> io::Result<Vec<u8>> {
    part("ofd:Res", &[("BaseLoc", "Res")], |xml| {
        within(xml, "ofd:Fonts", |xml| {
            xml.create_element("ofd:Font")
                .with_attribute(("ID", FONT_ID.to_string().as_str()))
                .with_attribute(("FontName", FONT_NAME))
                .with_attribute(("FamilyName", FONT_NAME))
                .write_inner_content(|xml| text(xml, "ofd:FontFile", FONT_FILE))?;
            Ok(())
        })
    })
}

/// `DocumentRes.xml` with the seal's picture.
pub(super) fn pictures() -> io::Result<Vec<u8>> {
    part("ofd:Res", &[("BaseLoc", "Res")], |xml| {
        within(xml, "ofd:MultiMedias", |xml| {
            xml.create_element("ofd:MultiMedia")
                .with_attribute(("ID", SEAL_PICTURE_ID.to_string().as_str()))
                .with_attribute(("Type", "Image"))
                .with_attribute(("Format", "PNG"))
                .write_inner_content(|xml| text(xml, "ofd:MediaFile", SEAL_FILE))?;
            Ok(())
        })
    })
}

/// `Attachments.xml`.
pub(super) fn attachments(certificate: &Certificate) -> io::Result<Vec<u8>> {
    part("ofd:Attachments", &[], |xml| {
        for (name, _, _) in certificate.attachments() {
            let stem = name.trim_end_matches(".json");
            xml.create_element("ofd:Attachment")
                .with_attribute(("ID", stem))
                .with_attribute(("Name", stem))
                .with_attribute(("Format", "json"))
                .write_inner_content(|xml| text(xml, "ofd:FileLoc", name))?;
        }
        Ok(())
    })
}

/// A part of the package with this root element.
pub(super) fn part(
    root: &str,
    attributes: &[(&str, &str)],
    content: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<Vec<u8>> {
    let mut xml = Writer::new(Vec::new());
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let mut element = xml.create_element(root).with_attribute(("xmlns:ofd", NAMESPACE));
    for attribute in attributes {
        element = element.with_attribute(*attribute);
    }
    element.write_inner_content(content)?;
    Ok(xml.into_inner())
}

pub(super) fn within(
    xml: &mut Xml,
    name: &str,
    content: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    xml.create_element(name).write_inner_content(content)?;
    Ok(())
}

pub(super) fn text(xml: &mut Xml, name: &str, text: &str) -> io::Result<()> {
    xml.create_element(name).write_text_content(BytesText::new(text))?;
    Ok(())
}

/// Micrometres as millimetres, without trailing zeros.
pub(super) fn mm(um: i32) -> String {
    let sign = if um < 0 { "-" } else { "" };
    let (whole, part) = (um.unsigned_abs() / 1_000, um.unsigned_abs() % 1_000);
    if part == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{part:03}").trim_end_matches('0').to_owned()
}

const FONT_NAME: &str = "Noto Serif CJK SC";

#[cfg(test)]
mod tests {
    use super::mm;

    #[test]
    fn lengths_are_exact() {
        assert_eq!([mm(0), mm(210_000), mm(1_050), mm(-7)], ["0", "210", "1.05", "-0.007"]);
    }
}
