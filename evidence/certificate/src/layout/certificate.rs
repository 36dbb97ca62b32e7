//! The whole document: title, table, seal place, QR code, frame and page numbers.

use qrcodegen::{QrCode, QrCodeEcc};

use super::{
    Ink, Item, Layout, Line, Modules, PAGE_HEIGHT_UM, PAGE_WIDTH_UM, SealPlace, content,
    flow::{
        BOTTOM_UM, ENGLISH, FOOT, Flow, LEFT_UM, NUMBER, RIGHT_UM, SUBTITLE, TITLE, VALUE, baseline,
    },
    statements,
    text::{Style, break_lines},
};
use crate::{error::CertificateError, facts::CertificateFacts, font::FontSource, issuer::Issuer};

/// Lays the certificate out.
///
/// # Errors
/// [`CertificateError`]: a missing glyph, too many pages, an address too long for the QR code.
pub(crate) fn lay_out(
    font: &FontSource,
    facts: &CertificateFacts,
    issuer: &Issuer,
    sealed: bool,
) -> Result<Layout, CertificateError> {
    let mut flow = Flow::new(font, 24_000);
    head(&mut flow, font, facts)?;
    content::fill(&mut flow, facts, issuer)?;
    let seal = closing(&mut flow, font, facts, issuer, sealed)?;
    let mut layout = Layout { pages: flow.into_pages(), seal };
    let id = facts.record().id().as_str();
    let count = layout.pages.len();
    for (index, page) in layout.pages.iter_mut().enumerate() {
        frame(&mut page.items);
        let number = index + 1;
        let text = format!("第 {number} 页　共 {count} 页");
        let y_um = BOTTOM_UM + 7_000;
        put(&mut page.items, font, &text, FOOT, Place::Centre(PAGE_WIDTH_UM / 2), y_um)?;
        put(&mut page.items, font, id, FOOT, Place::Left(LEFT_UM), y_um)?;
        let english = format!("page {number} of {count}");
        put(&mut page.items, font, &english, FOOT, Place::Right(RIGHT_UM), y_um)?;
        if index > 0 {
            put(&mut page.items, font, statements::TITLE, FOOT, Place::Left(LEFT_UM), 20_500)?;
        }
    }
    Ok(layout)
}

fn head(
    flow: &mut Flow<'_>,
    font: &FontSource,
    facts: &CertificateFacts,
) -> Result<(), CertificateError> {
    let middle = Place::Centre(PAGE_WIDTH_UM / 2);
    let number = format!("存证编号 {}", facts.record().id());
    let lines = [
        (statements::TITLE, TITLE),
        (statements::TITLE_ENGLISH, SUBTITLE),
        (number.as_str(), NUMBER),
    ];
    let mut items = Vec::new();
    for (text, style) in lines {
        put(&mut items, font, text, style, middle, flow.y_um)?;
        flow.y_um += style.leading_um;
    }
    items.into_iter().for_each(|item| flow.draw(item));
    flow.y_um += 2_500;
    Ok(())
}

/// The place for the seal and the QR code, side by side.
fn closing(
    flow: &mut Flow<'_>,
    font: &FontSource,
    facts: &CertificateFacts,
    issuer: &Issuer,
    sealed: bool,
) -> Result<SealPlace, CertificateError> {
    let platform = break_lines(font, issuer.platform(), VALUE, 56_000)?;
    let lines = i32::try_from(platform.len()).unwrap_or(i32::MAX);
    let height_um = SEAL_UM.max(lines.saturating_mul(VALUE.leading_um).saturating_add(12_000));
    flow.y_um += 5_000;
    flow.require(height_um)?;
    let top = flow.y_um;
    let seal =
        SealPlace { page: flow.page_number(), x_um: LEFT_UM + 62_000, y_um: top, side_um: SEAL_UM };
    let mut items = Vec::new();
    corners(&mut items, &seal);
    let middle = Place::Centre(seal.x_um + SEAL_UM / 2);
    let (name, none) = (statements::SEAL, statements::UNSEALED);
    let words = [(name.0, VALUE), (name.1, ENGLISH), (none.0, VALUE), (none.1, ENGLISH)];
    let mut y_um = top + 11_500;
    // Where the seal stands, nothing stands behind it.
    for (text, style) in words.into_iter().filter(|_| !sealed) {
        put(&mut items, font, text, Style { ink: Ink::GREY, ..style }, middle, y_um)?;
        y_um += style.leading_um;
    }
    let mut y_um = top + 2_000;
    for (text, style) in [("出证平台", FOOT), ("Issued by", ENGLISH)] {
        put(&mut items, font, text, style, Place::Left(LEFT_UM), y_um)?;
        y_um += style.leading_um;
    }
    for line in platform {
        let run = line.at(LEFT_UM, y_um + 1_500 + baseline(VALUE));
        items.extend(run.map(Item::Text));
        y_um += VALUE.leading_um;
    }

    let (text, caption) = match issuer.verification_url() {
        Some(url) => {
            let address = format!("{url}/{}", facts.record().id());
            (address, ("扫码打开核验页面", "Scan to open the verification page"))
        }
        None => {
            let sm3 = facts.record().digest();
            let text = format!("{}\nSM3 {sm3}", facts.record().id());
            (text, ("扫码读取存证编号和记录摘要", "Scan for the id and the record's digest"))
        }
    };
    items.push(Item::Modules(qr_code(&text, RIGHT_UM - QR_UM, top)?));
    let middle = Place::Right(RIGHT_UM);
    put(&mut items, font, caption.0, FOOT, middle, top + QR_UM + 1_000)?;
    put(&mut items, font, caption.1, ENGLISH, middle, top + QR_UM + 5_000)?;
    items.into_iter().for_each(|item| flow.draw(item));
    flow.y_um = top + height_um;
    Ok(seal)
}

/// Marks the corners of the seal's place.
fn corners(items: &mut Vec<Item>, seal: &SealPlace) {
    let (left, top) = (seal.x_um, seal.y_um);
    let (right, bottom) = (left + seal.side_um, top + seal.side_um);
    for (x_um, inward_x) in [(left, CORNER_UM), (right, -CORNER_UM)] {
        for (y_um, inward_y) in [(top, CORNER_UM), (bottom, -CORNER_UM)] {
            for to_um in [(x_um + inward_x, y_um), (x_um, y_um + inward_y)] {
                let from_um = (x_um, y_um);
                items.push(Item::Line(Line { from_um, to_um, width_um: 200, ink: Ink::RULE }));
            }
        }
    }
}

/// A double frame around the page.
fn frame(items: &mut Vec<Item>) {
    for (inset, width_um) in [(12_000, 600), (13_200, 200)] {
        let (left, top) = (inset, inset);
        let (right, bottom) = (PAGE_WIDTH_UM - inset, PAGE_HEIGHT_UM - inset);
        let half = width_um / 2;
        let sides = [
            ((left - half, top), (right + half, top)),
            ((left - half, bottom), (right + half, bottom)),
            ((left, top), (left, bottom)),
            ((right, top), (right, bottom)),
        ];
        for (from_um, to_um) in sides {
            items.push(Item::Line(Line { from_um, to_um, width_um, ink: Ink::NAVY }));
        }
    }
}

fn qr_code(text: &str, x_um: i32, y_um: i32) -> Result<Modules, CertificateError> {
    let code =
        QrCode::encode_text(text, QrCodeEcc::Medium).map_err(|_| CertificateError::QrCode)?;
    let count = code.size();
    let module_um = QR_UM / count.max(1);
    let mut bars_um = Vec::new();
    for y in 0..count {
        let mut x = 0;
        while x < count {
            let start = x;
            while x < count && code.get_module(x, y) {
                x += 1;
            }
            if x > start {
                bars_um.push((start * module_um, y * module_um, (x - start) * module_um));
            }
            x += 1;
        }
    }
    let side_um = module_um * count;
    // Right-aligned whatever the rounding of the modules.
    Ok(Modules { x_um: x_um + QR_UM - side_um, y_um, side_um, bars_um, module_um })
}

/// Where a line goes, horizontally.
#[derive(Clone, Copy)]
enum Place {
    Left(i32),
    Centre(i32),
    Right(i32),
}

/// One line that is known to fit.
fn put(
    items: &mut Vec<Item>,
    font: &FontSource,
    text: &str,
    style: Style,
    place: Place,
    y_um: i32,
) -> Result<(), CertificateError> {
    for line in break_lines(font, text, style, RIGHT_UM - LEFT_UM)?.into_iter().take(1) {
        let x_um = match place {
            Place::Left(x_um) => x_um,
            Place::Centre(x_um) => x_um - (line.width_um - style.tracking_um) / 2,
            Place::Right(x_um) => x_um - line.width_um,
        };
        items.extend(line.at(x_um, y_um + baseline(style)).map(Item::Text));
    }
    Ok(())
}

const SEAL_UM: i32 = 40_000;
const CORNER_UM: i32 = 5_000;
const QR_UM: i32 = 30_000;
