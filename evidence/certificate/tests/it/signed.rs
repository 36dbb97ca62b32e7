//! Signed PDFs: what independent readers make of them, and what ours notices.

use std::sync::OnceLock;

use changbai_certificate::{
    DocumentReport, Format, Grounds, PdfSigner, ProcessLog, ProcessStep, SealImage, judge_pdf,
};
use changbai_receipt::{HashedOriginal, Status, Verdict};
use proptest::prelude::*;
use smkit::{
    Sm3Digest,
    sm2::{PrivateKey, SignerId, SigningKey},
    sm3,
};
use smkit_pki::{
    Authority, Certificate as PkiCertificate, Grant, Profile, RevocationList, RevocationReason,
    RevokedCertificate, SerialNumber, SignedData, TimeStampAuthority, TimeStampRequest,
    TimeStampToken,
};

use crate::{
    fixture::{City, NOW_MS, Seed, days, root, subject},
    peer::{file, openssl, run},
    sample::{certificate, facts, issuer},
};

const NOW_S: i64 = 1_795_312_800 + 60;

/// Somebody with a certificate below the city's root.
pub(crate) struct Platform {
    pub(crate) root: Authority,
    pub(crate) certificate: PkiCertificate,
    pub(crate) key: SigningKey,
}

impl Platform {
    pub(crate) fn new() -> Self {
        assert_eq!(i64::try_from(NOW_MS / 1_000).unwrap() + 60, NOW_S);
        // The city's root: the same seed makes the same one.
        Self::below(root(&mut Seed(4 << 32)), Profile::Seal)
    }

    fn below(root: Authority, profile: Profile) -> Self {
        let random = &mut Seed(77 << 32);
        let private = PrivateKey::generate(random).unwrap();
        let name = subject("document-0", &[]);
        let validity = days(-1, 365);
        let certificate =
            root.issue(&name, private.public_key(), profile, validity, None, random).unwrap();
        let key = SigningKey::new(private, SignerId::DEFAULT).unwrap();
        Self { root, certificate, key }
    }

    pub(crate) fn signer(&self) -> PdfSigner<'_> {
        PdfSigner {
            certificate: &self.certificate,
            authorities: &[],
            key: &self.key,
            at_unix_seconds: NOW_S,
            stamp: None,
            picture: None,
        }
    }

    fn stamp(&self, imprint: &Sm3Digest) -> TimeStampToken {
        let tsa = Self::below(root(&mut Seed(4 << 32)), Profile::TimeStampAuthority);
        let authority =
            TimeStampAuthority::new(tsa.certificate, tsa.key, "1.2.3.4", Vec::new()).unwrap();
        let request = TimeStampRequest::new(imprint, &[7; 16], None).unwrap();
        let gen_time = std::time::Duration::from_secs(u64::try_from(NOW_S).unwrap());
        let grant =
            Grant { serial: SerialNumber::from_bytes(&[7]).unwrap(), gen_time, accuracy: None };
        authority.grant(&request, grant).unwrap().token().clone()
    }
}

fn signed() -> Vec<u8> {
    certificate().sign_pdf(&Platform::new().signer()).unwrap()
}

fn judge(pdf: &[u8]) -> DocumentReport {
    judge_with(pdf, &City::new(4).supplied(), &[])
}

fn judge_with(
    pdf: &[u8],
    originals: &[HashedOriginal],
    lists: &[RevocationList],
) -> DocumentReport {
    let city = City::new(4);
    let grounds =
        Grounds { trust: Some(&city.trust), now_unix_seconds: NOW_S + 5, lists, originals };
    judge_pdf(pdf, &grounds)
}

fn code(report: &DocumentReport, element: &str) -> &'static str {
    report.element(element).unwrap().code
}

#[test]
fn a_signed_certificate_is_verified_and_names_its_signer() {
    let pdf = signed();
    assert_eq!(pdf, signed(), "the same input gives the same file");
    let report = judge(&pdf);
    let said = format!("{:#?}", report.elements);
    assert_eq!(report.verdict, Verdict::Verified, "{said}");
    for (element, expected) in [
        ("document", "VF-4000"),
        ("signature", "VF-4100"),
        ("seal", "VF-4280"),
        ("chain", "VF-4300"),
        ("revocation", "VF-4480"),
        ("time_token", "VF-4580"),
        ("facts", "VF-4600"),
    ] {
        assert_eq!(code(&report, element), expected, "{said}");
    }
    let signatory = report.signatory.unwrap();
    assert!(signatory.subject.contains("CN=document-0"), "{signatory:?}");
    assert_eq!(signatory.signed_at, Some(NOW_S));
    assert_eq!(report.evidence.unwrap().verdict, Verdict::Verified);
}

#[test]
fn the_first_revision_is_the_unsigned_file() {
    let unsigned = certificate().write(Format::Pdf).unwrap();
    let signed = signed();
    assert!(signed.starts_with(&unsigned));
    let report = judge(&unsigned);
    assert_eq!(report.verdict, Verdict::Verified, "{:#?}", report.elements);
    assert_eq!(code(&report, "document"), "VF-4080");
    assert_eq!(code(&report, "facts"), "VF-4600");
}

#[test]
fn a_time_stamp_over_the_signature_is_verified() {
    let platform = Platform::new();
    let stamp = |imprint: &Sm3Digest| Ok(platform.stamp(imprint));
    let signer = PdfSigner { stamp: Some(&stamp), ..platform.signer() };
    let pdf = certificate().sign_pdf(&signer).unwrap();
    let report = judge(&pdf);
    assert_eq!(report.verdict, Verdict::Verified, "{:#?}", report.elements);
    assert_eq!(code(&report, "time_token"), "VF-4500");
    assert_eq!(report.signatory.unwrap().stamped_at, Some(NOW_S));

    let wrong = |imprint: &Sm3Digest| Ok(platform.stamp(&sm3(imprint.as_bytes())));
    let signer = PdfSigner { stamp: Some(&wrong), ..platform.signer() };
    let report = judge(&certificate().sign_pdf(&signer).unwrap());
    assert_eq!(code(&report, "time_token"), "VF-4501");
    assert_eq!(report.verdict, Verdict::NotVerified);
    let none = |_: &Sm3Digest| Err("nobody answers".to_owned());
    let signer = PdfSigner { stamp: Some(&none), ..platform.signer() };
    assert!(certificate().sign_pdf(&signer).unwrap_err().to_string().contains("nobody answers"));
}

#[test]
fn a_picture_in_the_seals_place_is_signed_as_well() {
    let pixels: Vec<u8> =
        (0..64_u32 * 64).flat_map(|at| [200, 30, (at % 251) as u8, 180]).collect();
    let picture = SealImage::from_rgba(64, 64, &pixels).unwrap();
    let platform = Platform::new();
    let signer = PdfSigner { picture: Some(&picture), ..platform.signer() };
    let pdf = certificate().sign_pdf(&signer).unwrap();
    assert_eq!(judge(&pdf).verdict, Verdict::Verified, "{:#?}", judge(&pdf).elements);
    let path = file("picture.pdf", &pdf);
    let args = ["--check", path.to_str().unwrap()];
    if let Some(said) = run("qpdf", &args, "the picture is not checked") {
        assert!(said.contains("No syntax or stream encoding errors"), "{said}");
    }
    assert!(SealImage::from_rgba(0, 64, &[]).is_err());
    assert!(SealImage::from_rgba(64, 64, &pixels[1..]).is_err());
    assert!(SealImage::from_rgba(2_000, 2_000, &vec![0; 16_000_000]).is_err());
}

#[test]
fn what_the_platform_says_of_itself_and_the_log_is_printed_and_made_anew() {
    let step =
        |name: &str, at_ms| ProcessStep { actor: "示例机关".into(), at_ms, name: name.into() };
    let steps = vec![step("受理", NOW_MS), step("校验", NOW_MS + 1), step("上链", NOW_MS + 500)];
    let digest = sm3(b"the log's head");
    let issuer = issuer()
        .with_operator("长春市政务服务和数字化建设管理局")
        .unwrap()
        .with_mlps(3, "22010099001-00001")
        .unwrap()
        .with_cipher_assessment("JLMP-2026-001")
        .unwrap()
        .with_process_log(ProcessLog::new(&digest, steps).unwrap());
    let city = City::new(4);
    let font = changbai_certificate::FontSource::built_in().unwrap();
    let made = changbai_certificate::Certificate::new(facts(&city), issuer, font).unwrap();
    let text = made.lines().concat();
    for expected in [
        "五、全程留痕",
        "1. 受理",
        "第三级　备案号 22010099001-00001",
        "JLMP-2026-001",
        "七、出证平台",
    ] {
        assert!(text.contains(expected), "{expected}");
    }
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    assert!(digits.contains(&digest.to_string()));
    let pdf = made.sign_pdf(&Platform::new().signer()).unwrap();
    file("process.pdf", &pdf);
    assert_eq!(judge(&pdf).verdict, Verdict::Verified, "{:#?}", judge(&pdf).elements);
}

#[test]
fn a_certificate_of_another_root_is_refused_and_an_unfit_one_too() {
    let stranger = Platform::below(root(&mut Seed(9 << 32)), Profile::Seal);
    let report = judge(&certificate().sign_pdf(&stranger.signer()).unwrap());
    assert_eq!((code(&report, "signature"), code(&report, "chain")), ("VF-4100", "VF-4301"));
    assert_eq!(report.verdict, Verdict::NotVerified);
    let city_root = || root(&mut Seed(4 << 32));
    let unfit = Platform::below(city_root(), Profile::TimeStampAuthority);
    let report = judge(&certificate().sign_pdf(&unfit.signer()).unwrap());
    assert_eq!(code(&report, "chain"), "VF-4301");

    let spare = Platform::below(root(&mut Seed(9 << 32)), Profile::Seal);
    let platform = Platform::new();
    let more = [spare.certificate];
    let signer = PdfSigner { authorities: &more, ..platform.signer() };
    let report = judge(&certificate().sign_pdf(&signer).unwrap());
    assert_eq!(code(&report, "chain"), "VF-4301", "a certificate that nobody needs");
}

#[test]
fn dates_that_cannot_be_are_refused() {
    let platform = Platform::new();
    for (at, element, expected) in
        [(NOW_S + 3_600, "signature", "VF-4102"), (NOW_S - 40 * 86_400, "chain", "VF-4301")]
    {
        let signer = PdfSigner { at_unix_seconds: at, ..platform.signer() };
        let report = judge(&certificate().sign_pdf(&signer).unwrap());
        assert_eq!(code(&report, element), expected);
        assert_eq!(report.verdict, Verdict::NotVerified);
    }
}

#[test]
fn a_revoked_signer_is_refused() {
    let platform = Platform::new();
    let mut register = smkit_pki::Register::new();
    register.record(&platform.certificate).unwrap();
    let list = |register: &mut smkit_pki::Register| {
        register.revocation_list(&platform.root, NOW_S - 10, NOW_S + 86_400).unwrap()
    };
    let good = judge_with(&signed(), &[], &[list(&mut register)]);
    assert_eq!(code(&good, "revocation"), "VF-4400");
    let revoked = RevokedCertificate {
        serial: platform.certificate.serial(),
        revoked_at: NOW_S - 20,
        reason: RevocationReason::KeyCompromise,
        invalid_since: None,
    };
    register.revoke(revoked).unwrap();
    let report = judge_with(&signed(), &[], &[list(&mut register)]);
    assert_eq!(code(&report, "revocation"), "VF-4401");
    assert_eq!(report.verdict, Verdict::NotVerified);
}

#[test]
fn without_a_trust_file_nothing_is_proven() {
    let grounds = Grounds { trust: None, now_unix_seconds: NOW_S, lists: &[], originals: &[] };
    let report = judge_pdf(&signed(), &grounds);
    assert_eq!(report.verdict, Verdict::Unchecked);
    for element in ["chain", "facts"] {
        assert_eq!(report.element(element).unwrap().status, Status::Unchecked);
    }
}

/// Pages that say something else than what is attached, signed by the platform itself.
#[test]
fn pages_of_another_evidence_are_found_out() {
    let pdf = certificate().write(Format::Pdf).unwrap();
    let at = pdf.windows(5).position(|window| window == b"/Lang").unwrap();
    let mut other = pdf;
    other[at + 6..at + 11].copy_from_slice(b"en-US");
    let report = judge(&other);
    assert_eq!(code(&report, "facts"), "VF-4601");
    assert_eq!(report.verdict, Verdict::NotVerified);
}

#[test]
fn nothing_can_be_added_after_the_signature() {
    let pdf = signed();
    for tail in [b"\n".as_slice(), b"%", b"trailing bytes\n%%EOF\n"] {
        let report = judge(&[pdf.as_slice(), tail].concat());
        assert_eq!(report.verdict, Verdict::NotVerified, "{tail:?}");
    }
    // A second update that is well formed: the catalog once more, without the form.
    let text = String::from_utf8_lossy(&pdf);
    let start = text.rfind("startxref\n").unwrap();
    let previous: usize = text[start + 10..].lines().next().unwrap().parse().unwrap();
    let previous_start = String::from_utf8_lossy(&pdf[previous..]).into_owned();
    let trailer = previous_start.split("trailer\n").nth(1).unwrap();
    let trailer = trailer.split(">>\nstartxref").next().unwrap();
    let (head, _) = trailer.split_once("/Prev").unwrap();
    let mut update = pdf.clone();
    let object = update.len();
    update.extend_from_slice(b"90 0 obj\n<</Type/Catalog>>\nendobj\n");
    let table = update.len();
    let more = format!(
        "xref\n90 1\n{object:010} 00000 n\r\ntrailer\n{head}/Prev {previous}>>\nstartxref\n{table}\n%%EOF\n"
    );
    update.extend_from_slice(more.as_bytes());
    let report = judge(&update);
    assert_eq!(report.verdict, Verdict::NotVerified, "{:#?}", report.elements);
    assert_eq!(report.element("document").unwrap().status, Status::Failed);
}

#[test]
fn no_original_or_another_one_is_said() {
    let report = judge_with(&signed(), &[], &[]);
    assert_eq!(report.verdict, Verdict::Unchecked);
    assert_eq!(code(&report, "facts"), "VF-4600");
    let other = [crate::fixture::hashed(b"something else")];
    assert_eq!(judge_with(&signed(), &other, &[]).verdict, Verdict::NotVerified);
}

#[test]
fn qpdf_and_poppler_read_the_signed_file() {
    let path = file("signed.pdf", &signed());
    let args = ["--check", path.to_str().unwrap()];
    if let Some(said) = run("qpdf", &args, "the structure of the signed PDF is not checked") {
        assert!(said.contains("No syntax or stream encoding errors"), "{said}");
    }
    let args = ["-layout", "-enc", "UTF-8", path.to_str().unwrap(), "-"];
    if let Some(text) = run("pdftotext", &args, "the text of the signed PDF is not read back") {
        let squeezed = |text: &str| text.split_whitespace().collect::<String>();
        let text = squeezed(&text);
        for line in certificate().lines() {
            assert!(text.contains(&squeezed(&line)), "{line}");
        }
    }
    // It does not know signatures of this kind; that there is one, over the whole file, is what counts.
    let args = [path.to_str().unwrap()];
    if let Some(said) = crate::peer::said("pdfsig", &args, "the signature's range is not read back")
    {
        assert!(said.contains("Signature Field Name: Signature"), "{said}");
        assert!(said.contains("Total document signed"), "{said}");
        assert!(!said.contains("Signature #2"), "{said}");
    }
}

/// The range taken out by hand, the message taken apart and its signature verified by OpenSSL.
#[test]
fn openssl_verifies_the_signature() {
    let pdf = signed();
    let (content, message) = by_hand(&pdf);
    let message = SignedData::from_der(&message).unwrap();
    assert_eq!(message.signers()[0].signature_sm3, sm3(&signature(message.der())));
    let attributes = attributes(message.der());
    // The attributes hold the digest of the content.
    let digest = sm3(&content);
    assert!(attributes.windows(32).any(|window| window == digest.as_bytes()));
    let certificate = file("signer.pem", message.certificates()[0].to_pem().as_bytes());
    let key = file("signer.pub.pem", b"");
    let (signature, covered) =
        (file("signature.der", &signature(message.der())), file("attributes.der", &attributes));
    let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let (certificate, key) = (path(&certificate), path(&key));
    if openssl(&["x509", "-in", &certificate, "-pubkey", "-noout", "-out", &key]).is_none() {
        return;
    }
    let (signature, covered) = (path(&signature), path(&covered));
    let verify = |covered: &str| {
        let id = "distid:1234567812345678";
        let args = [
            "pkeyutl", "-verify", "-rawin", "-digest", "sm3", "-pkeyopt", id, "-pubin", "-inkey",
            &key, "-sigfile", &signature, "-in", covered,
        ];
        openssl(&args).unwrap()
    };
    assert!(verify(&covered).contains("Signature Verified Successfully"));
    let mut changed = attributes;
    *changed.last_mut().unwrap() ^= 1;
    let changed = path(&file("changed.der", &changed));
    assert!(!verify(&changed).contains("Signature Verified Successfully"));
    // And OpenSSL computes the same digest of the range.
    let content = path(&file("content.bin", &content));
    let said = openssl(&["dgst", "-sm3", &content]).unwrap();
    assert!(said.contains(&digest.to_string()), "{said}");
}

/// `/ByteRange` and `/Contents` without our reader.
fn by_hand(pdf: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let text = String::from_utf8_lossy(&pdf[pdf.len() - 40_000..]).into_owned();
    let range = text.split("/ByteRange[").nth(1).unwrap().split(']').next().unwrap();
    let range: Vec<usize> = range.split_whitespace().map(|n| n.parse().unwrap()).collect();
    let content = [&pdf[..range[1]], &pdf[range[2]..range[2] + range[3]]].concat();
    assert_eq!(range[2] + range[3], pdf.len());
    let digits = text.split("/Contents<").nth(1).unwrap().split('>').next().unwrap();
    let message: Vec<u8> = (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let length = 4 + usize::from(message[2]) * 256 + usize::from(message[3]);
    (content, message[..length].to_vec())
}

/// The signature's octets: the last element of the message of one signer without unsigned attributes.
fn signature(der: &[u8]) -> Vec<u8> {
    let at = (0..der.len() - 2)
        .rev()
        .find(|at| der[*at] == 0x04 && at + 2 + usize::from(der[at + 1]) == der.len())
        .unwrap();
    der[at + 2..].to_vec()
}

/// The signed attributes as the set that is signed: `[0]` before the signature's algorithm becomes `SET OF`.
fn attributes(der: &[u8]) -> Vec<u8> {
    let digest_type = [0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3];
    let first = der.windows(11).position(|window| window == digest_type).unwrap();
    // `[0]` with a length below 256, then the sequence of the first attribute.
    let start = (first - 8..first).find(|at| der[*at] == 0xa0).unwrap();
    let (head, length) = match der[start + 1] {
        0x81 => (3, usize::from(der[start + 2])),
        short => (2, usize::from(short)),
    };
    let mut out = der[start..start + head + length].to_vec();
    out[0] = 0x31;
    out
}

/// A signed file and the length of its first revision.
fn signed_once() -> &'static (Vec<u8>, usize) {
    static SIGNED: OnceLock<(Vec<u8>, usize)> = OnceLock::new();
    SIGNED.get_or_init(|| (signed(), certificate().write(Format::Pdf).unwrap().len()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any changed byte is named. Half of the cases fall into the update, which is the smaller part.
    #[test]
    fn any_changed_byte_is_named(at in any::<prop::sample::Index>(), bit in 0..8_u8, late: bool) {
        let (pdf, first) = signed_once();
        let at = if late { first + at.index(pdf.len() - first) } else { at.index(*first) };
        let mut changed = pdf.clone();
        changed[at] ^= 1 << bit;
        let report = judge(&changed);
        prop_assert_eq!(report.verdict, Verdict::NotVerified, "byte {}: {:#?}", at, report.elements);
    }

    /// And any file cut off.
    #[test]
    fn any_cut_is_named(at in any::<prop::sample::Index>()) {
        let (pdf, whole) = signed_once();
        let cut = &pdf[..at.index(pdf.len())];
        // Cut back to the first revision it is the unsigned certificate, and said to be.
        prop_assume!(cut.len() != *whole && cut.len() != *whole + 1);
        prop_assert_eq!(judge(cut).verdict, Verdict::NotVerified);
    }
}
