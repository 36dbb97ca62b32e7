//! OFD (GB/T 33190-2016) with record and receipt attached.

mod page;
mod parts;

use std::io::{Cursor, Write};

use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use crate::{Certificate, error::CertificateError, font::subset::subset};

/// Writes the certificate as OFD: a ZIP whose members have a fixed order and no time.
pub(crate) fn write(certificate: &Certificate) -> Result<Vec<u8>, CertificateError> {
    let characters =
        certificate.layout.runs().flat_map(|run| &run.glyphs).map(|glyph| glyph.character);
    let font = subset(&certificate.font, characters)
        .ok_or_else(|| CertificateError::write(FORMAT, "the font cannot be cut down"))?;
    package(certificate, &font).map_err(|error| CertificateError::write(FORMAT, error))
}

fn package(certificate: &Certificate, font: &[u8]) -> zip::result::ZipResult<Vec<u8>> {
    let mut members = vec![
        ("OFD.xml".to_owned(), parts::entry(certificate)?),
        ("Doc_0/Document.xml".to_owned(), parts::document(certificate)?),
        ("Doc_0/PublicRes.xml".to_owned(), parts::resources()?),
        (format!("Doc_0/Res/{}", parts::FONT_FILE), font.to_vec()),
    ];
    let mut next_id = parts::FIRST_OBJECT_ID + parts::layers(certificate);
    for (index, page) in certificate.layout.pages.iter().enumerate() {
        let layer = parts::layer_id(index);
        let content = page::content(page, layer, &mut next_id)?;
        members.push((format!("Doc_0/Pages/Page_{index}/Content.xml"), content));
    }
    members.push(("Doc_0/Attachs/Attachments.xml".to_owned(), parts::attachments(certificate)?));
    for (name, _, bytes) in certificate.attachments() {
        members.push((format!("Doc_0/Attachs/{name}"), bytes.to_vec()));
    }

    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(name, options)?;
        zip.write_all(&bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

const FORMAT: &str = "OFD";
