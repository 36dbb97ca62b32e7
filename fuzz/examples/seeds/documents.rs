//! Seeds of the certificate's targets: the skeletons of what is read, since whole documents would be most of all seeds.

/// Two revisions with a page, an attached file and a signature's dictionary.
pub(crate) fn pdf() -> Vec<u8> {
    let mut file = Pdf { bytes: b"%PDF-1.7\n".to_vec(), objects: Vec::new() };
    file.object(1, "<</Type/Pages/Kids[2 0 R]/Count 1>>");
    file.object(2, "<</Type/Page/Parent 1 0 R>>");
    file.object(3, "<</Type/Filespec/F(record.json)/EF<</F 4 0 R>>>>");
    file.object(4, "<</Type/EmbeddedFile/Length 2>>\nstream\n{}\nendstream");
    file.object(5, "<</Title(a)>>");
    file.object(
        6,
        "<</Type/Catalog/Pages 1 0 R/Names<</EmbeddedFiles<</Names[(record.json)3 0 R]>>>>>>",
    );
    let first = file.end(7, "");
    file.object(6, "<</Type/Catalog/Pages 1 0 R/AcroForm<</Fields[8 0 R]/SigFlags 3>>>>");
    let sub_filter = "changbai.gbt35275.detached";
    let signature = format!(
        "<</Type/Sig/SubFilter/{sub_filter}/ByteRange[0 1 2 3]/Contents<308200{}>>>",
        "00".repeat(64)
    );
    file.object(7, &signature);
    file.object(8, "<</Type/Annot/Subtype/Widget/Rect[1.000 2.000 3.000 4.000]/P 2 0 R>>");
    file.end(9, &format!("/Prev {first}"));
    file.bytes
}

/// A table directory of OpenType with an empty character map.
pub(crate) fn font() -> Vec<u8> {
    let tables: [(&[u8; 4], &[u8]); 2] =
        [(b"cmap", &[0, 0, 0, 1, 0, 3, 0, 10, 0, 0, 0, 12]), (b"head", &[0; 54])];
    let mut out = b"OTTO\0\x02\0\0\0\0\0\0".to_vec();
    let mut at = 12 + 16 * 2_u32;
    for (tag, content) in tables {
        let length = u32::try_from(content.len()).unwrap_or_default();
        out.extend_from_slice(tag);
        for number in [0, at, length] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        at += length;
    }
    tables.iter().for_each(|(_, content)| out.extend_from_slice(content));
    out
}

struct Pdf {
    bytes: Vec<u8>,
    objects: Vec<(u32, usize)>,
}

impl Pdf {
    fn object(&mut self, number: u32, body: &str) {
        self.objects.push((number, self.bytes.len()));
        self.bytes.extend_from_slice(format!("{number} 0 obj\n{body}\nendobj\n").as_bytes());
    }

    /// Table and trailer; gives the table's place.
    fn end(&mut self, size: u32, more: &str) -> usize {
        let start = self.bytes.len();
        let mut text = "xref\n".to_owned();
        for (number, at) in self.objects.drain(..) {
            text += &format!("{number} 1\n{at:010} 00000 n\r\n");
        }
        text += &format!(
            "trailer\n<</Size {size}/Root 6 0 R/Info 5 0 R/ID[(a)(b)]{more}>>\nstartxref\n{start}\n%%EOF\n"
        );
        self.bytes.extend_from_slice(text.as_bytes());
        start
    }
}
