//! OFD (GB/T 33190-2016) with record and receipt attached, signed with an electronic seal (GB/T 38540-2020) or not.

mod judge;
mod package;
mod page;
mod parts;
mod sign;
mod signature_xml;
mod xml;

use package::Member;

use crate::{Certificate, error::CertificateError, font::subset::subset, layout::SealPlace};

pub use judge::judge_ofd;
pub use sign::OfdSigner;
pub(crate) use sign::sign;

/// Writes the certificate as OFD: a ZIP whose members have a fixed order and no time.
pub(crate) fn write(certificate: &Certificate) -> Result<Vec<u8>, CertificateError> {
    pack(&members(certificate)?)
}

fn pack(members: &[Member]) -> Result<Vec<u8>, CertificateError> {
    package::write(members).ok_or_else(|| CertificateError::write(FORMAT, "it would be too large"))
}

/// All but what belongs to a signature.
fn members(certificate: &Certificate) -> Result<Vec<Member>, CertificateError> {
    let characters =
        certificate.layout.runs().flat_map(|run| &run.glyphs).map(|glyph| glyph.character);
    let font = subset(&certificate.font, characters)
        .ok_or_else(|| CertificateError::write(FORMAT, "the font cannot be cut down"))?;
    parts_with(certificate, font).map_err(|error| CertificateError::write(FORMAT, error))
}

fn parts_with(certificate: &Certificate, font: Vec<u8>) -> std::io::Result<Vec<Member>> {
    let mut members = vec![
        ("OFD.xml".to_owned(), parts::entry(certificate)?),
        ("Doc_0/Document.xml".to_owned(), parts::document(certificate)?),
        ("Doc_0/PublicRes.xml".to_owned(), parts::resources()?),
        (format!("Doc_0/Res/{}", parts::FONT_FILE), font),
    ];
    let seal = certificate.seal.as_ref();
    if let Some(seal) = seal {
        members.push(("Doc_0/DocumentRes.xml".to_owned(), parts::pictures()?));
        members.push((format!("Doc_0/Res/{}", parts::SEAL_FILE), seal.picture().data.clone()));
    }
    let mut next_id = parts::FIRST_OBJECT_ID + parts::layers(certificate);
    let place = certificate.layout.seal;
    for (index, page) in certificate.layout.pages.iter().enumerate() {
        let layer = parts::layer_id(index);
        let here = seal.filter(|_| place.page == index + 1);
        let area = here.map(|seal| picture_area(place, seal.picture()));
        let content = page::content(page, layer, &mut next_id, area)?;
        members.push((format!("Doc_0/Pages/Page_{index}/Content.xml"), content));
    }
    members.push(("Doc_0/Attachs/Attachments.xml".to_owned(), parts::attachments(certificate)?));
    for (name, _, bytes) in certificate.attachments() {
        members.push((format!("Doc_0/Attachs/{name}"), bytes.to_vec()));
    }
    Ok(members)
}

/// The picture in the middle of its place, in its own size unless it would not fit: left, top, width, height.
fn picture_area(place: SealPlace, picture: &smkit_pki::SealPicture) -> [i32; 4] {
    let um = |mm: u32| i32::try_from(mm).unwrap_or(i32::MAX).saturating_mul(1_000).max(1);
    let (width, height) = (um(picture.width_mm), um(picture.height_mm));
    let longest = i64::from(width.max(height));
    let fit = |side: i32| {
        let scaled = i64::from(side) * i64::from(place.side_um).min(longest) / longest;
        i32::try_from(scaled).unwrap_or(place.side_um)
    };
    let (width, height) = (fit(width), fit(height));
    let middle = |start: i32, side: i32| start + (place.side_um - side) / 2;
    [middle(place.x_um, width), middle(place.y_um, height), width, height]
}

const FORMAT: &str = "OFD";
