//! Certificates of evidence: CPU of one, from the facts to the file, and of judging it.

use changbai_certificate::{
    Certificate, CertificateFacts, FontSource, Format, Grounds, Issuer, Originals, PdfSigner,
    judge_pdf,
};
use changbai_receipt::{Verdict, read_bundle};
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit_pki::Profile;

use super::{
    Goal, Lines,
    city::{City, NOW_MS, Seed, days, root, subject},
};
use crate::report::{Figure, cpu_ms};

/// Measures layout and writing of each format, the signature, and the verdict on a signed file.
pub(super) fn run(quick: bool, out: &mut Lines) {
    let rounds = if quick { 20 } else { 200 };
    let city = City::new(4);
    let bundle = read_bundle(&mut city.bundle().as_slice()).expect("the city's bundle");
    let facts = CertificateFacts::establish(&bundle, &[], &city.trust, Originals::Compared)
        .expect("the city's evidence is proven");
    let font = FontSource::built_in().expect("the font is in the binary");
    let lay_out = || {
        let issuer = Issuer::new("长春市电子数据存证平台").expect("a name");
        Certificate::new(facts.clone(), issuer, font.clone()).expect("every glyph is there")
    };
    for (name, format) in
        [("certificate/pdf-cpu-ms", Format::Pdf), ("certificate/ofd-cpu-ms", Format::Ofd)]
    {
        let cost = each(rounds, || lay_out().write(format).expect("it is written").len());
        out.goal(name, cost, "ms", Goal::AtMost(8.0), SHAPE);
    }

    let root = root(&mut Seed(4 << 32));
    let random = &mut Seed(77 << 32);
    let private = PrivateKey::generate(random).expect("a seeded key");
    let subject = subject("document-0", &[]);
    let (public, validity) = (private.public_key(), days(-1, 365));
    let certificate = root
        .issue(&subject, public, Profile::Signing, validity, None, random)
        .expect("the city's root issues");
    let key = SigningKey::new(private, SignerId::DEFAULT).expect("the default signer");
    let at_unix_seconds = i64::try_from(NOW_MS / 1_000).unwrap_or_default() + 60;
    let signer = PdfSigner {
        certificate: &certificate,
        authorities: &[],
        key: &key,
        at_unix_seconds,
        stamp: None,
        picture: None,
    };
    let signed = || lay_out().sign_pdf(&signer).expect("it is signed");
    let cost = each(rounds, || signed().len());
    out.goal("certificate/signed-pdf-cpu-ms", cost, "ms", Goal::AtMost(8.0), SHAPE);

    let (pdf, originals) = (signed(), city.supplied());
    let grounds = Grounds {
        trust: Some(&city.trust),
        now_unix_seconds: at_unix_seconds + 5,
        lists: &[],
        originals: &originals,
    };
    let value = each(rounds, || {
        let report = judge_pdf(&pdf, &grounds);
        assert_eq!(report.verdict, Verdict::Verified);
        report.elements.len()
    });
    let conditions = "one signed PDF with its evidence inside; pages made anew and compared";
    let name = "certificate/judge-pdf-cpu-ms";
    out.figure(&Figure { name, value, unit: "ms", peer: None, conditions });
}

/// Milliseconds of CPU of one round.
fn each(rounds: u32, mut round: impl FnMut() -> usize) -> f64 {
    std::hint::black_box(round());
    let before = cpu_ms();
    for _ in 0..rounds {
        std::hint::black_box(round());
    }
    (cpu_ms() - before) / f64::from(rounds)
}

const SHAPE: &str =
    "three A4 pages, two originals, four validators; layout and file from verified facts";
