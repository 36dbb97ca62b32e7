//! The incremental update that carries the signature (ISO 32000-1 §7.5.6, §12.7.4.5, §12.8.1).
//!
//! One way to write it: the same revision, place and appearance give the same bytes, so that a verifier writes the update
//! anew and compares. Whatever else could be added to a file after its first revision is thereby refused.

use std::{fmt::Write as _, ops::Range};

use smkit::sm3;

use super::{
    appearance::Appearance,
    file::{Malformed, Revision},
    object::Value,
};
use crate::layout::{PAGE_HEIGHT_UM, SealPlace};

/// Where the signature stands, in thousandths of a point from the page's lower left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// From 1.
    pub(super) page: usize,
    pub(super) left: i64,
    pub(super) bottom: i64,
    pub(super) side: i64,
}

/// A file that lacks nothing but its signature.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    /// The file; where the signature belongs are zeros.
    pub(super) bytes: Vec<u8>,
    /// Its hexadecimal digits, without the brackets around them.
    contents: Range<usize>,
}

impl From<SealPlace> for Place {
    fn from(place: SealPlace) -> Self {
        let bottom_um = PAGE_HEIGHT_UM - place.y_um - place.side_um;
        Self {
            page: place.page,
            left: thousandths(place.x_um),
            bottom: thousandths(bottom_um),
            side: thousandths(place.side_um),
        }
    }
}

/// Micrometres as thousandths of 1/72 inch.
fn thousandths(um: i32) -> i64 {
    i64::from(um).saturating_mul(72_000) / 25_400
}

impl Prepared {
    /// Appends the update to a file of one revision.
    pub(super) fn new(
        unsigned: &[u8],
        place: &Place,
        appearance: &Appearance,
        signed_at: &str,
    ) -> Result<Self, Malformed> {
        let revision = Revision::only(unsigned)?;
        let (catalog_number, catalog) = revision.catalog()?;
        let (page_number, page) = revision.page(place.page)?;
        for (object, key) in [(&catalog, "AcroForm"), (&page, "Annots")] {
            if object.value.get(key).is_some() {
                return Err(Malformed { what: "a file without forms", at: object.span.start });
            }
        }
        let first = revision.table.size()?;
        let numbers = Numbers::from(first);
        let mut out = Writer { bytes: unsigned.to_vec(), objects: Vec::new() };
        out.bytes.push(b'\n');

        let form = format!("/AcroForm<</Fields[{} 0 R]/SigFlags 3>>", numbers.widget);
        out.amended(catalog_number, unsigned, &catalog.span, &form);
        let annotations = format!("/Annots[{} 0 R]", numbers.widget);
        out.amended(page_number, unsigned, &page.span, &annotations);

        out.object(numbers.signature);
        // The name of the sub-filter is ours. `adbe.pkcs7.detached` would promise a message of RFC 2315, which readers
        // then call broken; `GM.sm2seal`, seen in practice, means a seal of GB/T 38540 in its place. ISO 32000-1 annex E
        // lets whoever defines a form of signature name it; a reader that does not know it says so.
        out.text("<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/changbai.gbt35275.detached");
        out.text("/ByteRange");
        let range_at = out.bytes.len();
        out.text(&" ".repeat(RANGE_BYTES));
        out.text("/Contents<");
        let from = out.bytes.len();
        out.text(&"0".repeat(2 * CONTENTS_BYTES));
        let contents = from..out.bytes.len();
        let _ = write!(out, ">/M({signed_at})>>\nendobj\n");

        let Place { left, bottom, side, .. } = *place;
        let rect = [left, bottom, left.saturating_add(side), bottom.saturating_add(side)];
        let [left, bottom, right, top] = rect.map(decimal);
        out.object(numbers.widget);
        // Print and Locked; ISO 19005-3 §6.3.2 demands the former.
        let _ = write!(
            out,
            "<</Type/Annot/Subtype/Widget/FT/Sig/T(Signature)/F 132/Rect[{left} {bottom} {right} {top}]\
             /P {page_number} 0 R/V {} 0 R/AP<</N {} 0 R>>>>\nendobj\n",
            numbers.signature, numbers.appearance
        );
        appearance.write(&mut out, &numbers, &decimal(side));
        out.finish(&revision, catalog_number)?;

        let mut prepared = Self { bytes: out.bytes, contents };
        let range = prepared.range_text();
        if let Some(place) = prepared.bytes.get_mut(range_at..range_at + RANGE_BYTES) {
            for (to, from) in place.iter_mut().zip(range.bytes()) {
                *to = from;
            }
        }
        Ok(prepared)
    }

    /// The bytes that are signed: all but the digits and their brackets.
    pub(super) fn covered(&self) -> Vec<u8> {
        let (before, after) = self.around();
        [before, after].concat()
    }

    /// The file with its signature; `None` if that is too long.
    pub(super) fn finish(mut self, message: &[u8]) -> Option<Vec<u8>> {
        if message.len() > CONTENTS_BYTES {
            return None;
        }
        let digits = message
            .iter()
            .flat_map(|byte| [HEX.get(usize::from(byte >> 4)), HEX.get(usize::from(byte & 15))]);
        let place = self.bytes.get_mut(self.contents.clone())?;
        for (to, from) in place.iter_mut().zip(digits.flatten()) {
            *to = *from;
        }
        Some(self.bytes)
    }

    fn around(&self) -> (&[u8], &[u8]) {
        let before = self.bytes.get(..self.contents.start.saturating_sub(1));
        let after = self.bytes.get(self.contents.end.saturating_add(1)..);
        (before.unwrap_or_default(), after.unwrap_or_default())
    }

    /// The array `/ByteRange`, always as long.
    fn range_text(&self) -> String {
        let (before, after) = self.around();
        let from = self.bytes.len().saturating_sub(after.len());
        let text = format!("[0 {} {from} {}]", before.len(), after.len());
        format!("{text:RANGE_BYTES$}")
    }
}

/// The numbers of the objects that the update adds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    pub(super) signature: u32,
    pub(super) widget: u32,
    pub(super) appearance: u32,
    pub(super) picture: u32,
    pub(super) mask: u32,
}

impl From<u32> for Numbers {
    fn from(first: u32) -> Self {
        let at = |index: u32| first.saturating_add(index);
        Self { signature: at(0), widget: at(1), appearance: at(2), picture: at(3), mask: at(4) }
    }
}

/// Writes objects and remembers where they are.
pub(super) struct Writer {
    bytes: Vec<u8>,
    objects: Vec<(u32, usize)>,
}

impl std::fmt::Write for Writer {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.bytes.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl Writer {
    fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn object(&mut self, number: u32) {
        self.objects.push((number, self.bytes.len()));
        self.text(&format!("{number} 0 obj\n"));
    }

    /// An object of the first revision with one more entry at the end of its dictionary.
    fn amended(&mut self, number: u32, unsigned: &[u8], span: &Range<usize>, entry: &str) {
        self.object(number);
        // The dictionary ends in two brackets: it was read.
        let body = unsigned.get(span.start..span.end.saturating_sub(2)).unwrap_or_default();
        self.bytes.extend_from_slice(body);
        self.text(entry);
        self.text(">>\nendobj\n");
    }

    /// A stream whose dictionary begins with `entries`.
    pub(super) fn stream(&mut self, number: u32, entries: &str, deflated: &[u8]) {
        self.object(number);
        self.text(&format!("<<{entries}/Filter/FlateDecode/Length {}>>\nstream\n", deflated.len()));
        self.bytes.extend_from_slice(deflated);
        self.text("\nendstream\nendobj\n");
    }

    /// Table and trailer.
    fn finish(&mut self, revision: &Revision<'_>, catalog: u32) -> Result<(), Malformed> {
        let trailer = &revision.table.trailer;
        let wrong = Malformed { what: "the trailer", at: revision.table.start };
        let info = trailer.reference("Info").ok_or(wrong)?;
        let Some([Value::Text(id), _]) = trailer.array("ID") else { return Err(wrong) };
        // The second identifier is the revision's: from what it stands on.
        let now = sm3(self.bytes.get(..revision.table.end).unwrap_or_default());
        let (id, now) = (hex(id), hex(now.as_bytes().get(..16).unwrap_or_default()));
        self.objects.sort_unstable();
        let size = self.objects.last().map_or(0, |(number, _)| number.saturating_add(1));
        let start = self.bytes.len();
        self.text("xref\n");
        for (number, at) in self.objects.clone() {
            self.text(&format!("{number} 1\n{at:010} 00000 n\r\n"));
        }
        let previous = revision.table.start;
        self.text(&format!(
            "trailer\n<</Size {size}/Root {catalog} 0 R/Info {info} 0 R/ID[<{id}><{now}>]/Prev {previous}>>\n\
             startxref\n{start}\n%%EOF\n"
        ));
        Ok(())
    }
}

/// Thousandths as a decimal fraction.
fn decimal(thousandths: i64) -> String {
    format!("{}.{:03}", thousandths / 1_000, thousandths.unsigned_abs() % 1_000)
}

/// The thousandths that [`decimal`] wrote; others have another form.
pub(super) fn thousandths_of(value: &Value<'_>) -> Option<i64> {
    let Value::Number(text) = value else { return None };
    let (whole, part) = str::from_utf8(text).ok()?.split_once('.')?;
    let number = whole.parse::<i64>().ok()?.checked_mul(1_000)?.checked_add(part.parse().ok()?)?;
    (decimal(number).as_bytes() == *text).then_some(number)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Room for the message: two certificates and two time stamps.
pub(super) const CONTENTS_BYTES: usize = 8_192;
/// Room for `/ByteRange`.
const RANGE_BYTES: usize = 48;
const HEX: &[u8; 16] = b"0123456789abcdef";
