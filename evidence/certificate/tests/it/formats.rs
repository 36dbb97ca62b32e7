//! What independent readers read.

use changbai_certificate::Format;

use crate::{
    peer::{file, python, run},
    sample::certificate,
};

#[test]
fn the_same_record_gives_the_same_bytes() {
    let (one, other) = (certificate(), certificate());
    for format in Format::ALL {
        let bytes = one.write(format).unwrap();
        assert_eq!(bytes, one.write(format).unwrap(), "{format:?}");
        assert_eq!(bytes, other.write(format).unwrap(), "{format:?}");
    }
}

#[test]
fn qpdf_finds_no_fault() {
    let path = file("qpdf.pdf", &certificate().write(Format::Pdf).unwrap());
    let args = ["--check", path.to_str().unwrap()];
    if let Some(said) = run("qpdf", &args, "the structure of the PDF is not checked") {
        assert!(said.contains("No syntax or stream encoding errors"), "{said}");
    }
}

#[test]
fn poppler_reads_every_line() {
    let certificate = certificate();
    let path = file("poppler.pdf", &certificate.write(Format::Pdf).unwrap());
    let args = ["-layout", "-enc", "UTF-8", path.to_str().unwrap(), "-"];
    let Some(text) = run("pdftotext", &args, "the text of the PDF is not read back") else {
        return;
    };
    let text = squeezed(&text);
    for line in certificate.lines() {
        assert!(text.contains(&squeezed(&line)), "{line} is not in:\n{text}");
    }
}

#[test]
fn the_attached_record_and_receipt_come_out_of_the_pdf_unchanged() {
    let path = file("attached.pdf", &certificate().write(Format::Pdf).unwrap());
    let city = crate::fixture::City::new(4);
    for (name, bytes) in [("record.json", city.record.to_bytes()), ("receipt.json", city.receipt())]
    {
        let show = format!("--show-attachment={name}");
        let args = [path.to_str().unwrap(), show.as_str()];
        if let Some(read) = run("qpdf", &args, "the attachments are not read back") {
            assert_eq!(read.as_bytes(), bytes, "{name}");
        }
    }
}

#[test]
fn ofdkit_reads_every_line() {
    let certificate = certificate();
    let path = file("ofdkit.ofd", &certificate.write(Format::Ofd).unwrap());
    let script = "import sys, ofdkit; print(ofdkit.extract_text(sys.argv[1]))";
    let args = ["-c", script, path.to_str().unwrap()];
    let Some(text) = run(&python(), &args, "the text of the OFD is not read back") else { return };
    let text = squeezed(&text);
    for line in certificate.lines() {
        assert!(text.contains(&squeezed(&line)), "{line} is not in:\n{text}");
    }
}

#[test]
fn svg_labels_every_line_and_draws_no_unknown_glyph() {
    let certificate = certificate();
    let svg = String::from_utf8(certificate.write(Format::Svg).unwrap()).unwrap();
    for line in certificate.lines() {
        let label = line.replace('&', "&amp;").replace('\'', "&apos;");
        assert!(svg.contains(&format!("aria-label=\"{label}\"")), "{line}");
    }
    for used in svg.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(svg.contains(&format!("id=\"{used}\"")), "{used}");
    }
    file("sample.svg", svg.as_bytes());
    file("sample.pdf", &certificate.write(Format::Pdf).unwrap());
    file("sample.ofd", &certificate.write(Format::Ofd).unwrap());
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}

/// The wording, line by line, without digests: a change is read by somebody before `lines.txt` is made new.
#[test]
fn the_wording_is_the_one_that_was_read() {
    let lines = certificate().lines();
    let expected = include_str!("../../testdata/lines.txt");
    let varying = |line: &str| line.split(' ').filter(|word| word.len() == 8).count() > 3;
    let stable: Vec<_> = lines.iter().filter(|line| !varying(line)).map(String::as_str).collect();
    file("lines.txt", format!("{}\n", stable.join("\n")).as_bytes());
    assert_eq!(stable, expected.lines().collect::<Vec<_>>(), "see lines.txt in the test's folder");
}

/// What a verifier makes anew must be what was made: when this digest changes, the constant `LAYOUT` must rise with it,
/// so that older certificates are called `unchecked` and not forged.
#[test]
fn the_bytes_are_those_of_this_layout() {
    let expected = include_str!("../../testdata/layout.sm3");
    let made: String = [Format::Pdf, Format::Ofd]
        .map(|format| {
            let sm3 = smkit::sm3(&certificate().write(format).unwrap());
            format!("1 {} {sm3}\n", format.extension())
        })
        .concat();
    file("layout.sm3", made.as_bytes());
    assert_eq!(made, expected, "see layout.sm3 in the test's folder");
}
