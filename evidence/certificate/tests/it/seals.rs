//! Sealed documents: what judging them says, and that nothing in them can be changed without being named.

use std::{io::Write, sync::LazyLock, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use changbai_certificate::{
    DocumentReport, Format, Grounds, OfdSigner, draw_round_seal, judge_ofd,
};
use changbai_receipt::{Status, Trust, Verdict};
use proptest::prelude::*;
use smkit::{Sm3Digest, sm3};
use smkit_pki::{
    Authority, CmsSigner, Grant, Profile, Seal, SealPicture, SealSignature, SealSigners,
    SealSigning, SealTerms, SealVersion, SealedAs, SerialNumber, SignedData, TimeStampAuthority,
    TimeStampRequest, TimeStampToken,
};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::{
    fixture::{City, Member, NOW_MS, Seed, days, root},
    peer::{file, ofd_core, python, run},
    sample::{facts, issuer},
};

/// A city with a seal and a time-stamp authority below its root.
pub(crate) struct Office {
    pub(crate) city: City,
    authority: Authority,
    maker: Member,
    signer: Member,
    tsa: Member,
}

type Stamp<'a> = dyn Fn(&Sm3Digest) -> Result<TimeStampToken, String> + 'a;
type Members = Vec<(String, Vec<u8>)>;

/// Drawn once: it is always the same.
static PICTURE: LazyLock<SealPicture> = LazyLock::new(|| {
    let font = changbai_certificate::FontSource::built_in().unwrap();
    draw_round_seal(&font, "长春市电子数据存证平台", Some("存证专用章")).unwrap()
});

pub(crate) fn now() -> i64 {
    i64::try_from(NOW_MS / 1_000).unwrap() + 60
}

impl Office {
    pub(crate) fn new(validators: usize) -> Self {
        let city = City::new(validators);
        // The city's root: the same seed makes the same one.
        let authority = root(&mut Seed(u64::try_from(validators).unwrap() << 32));
        let seed = &mut Seed(77 << 32);
        let member = |name, profile, seed: &mut Seed| issued(&authority, name, profile, seed);
        let maker = member("制章者", Profile::Seal, seed);
        let signer = member("签章者", Profile::Seal, seed);
        let tsa = member("tsa-0", Profile::TimeStampAuthority, seed);
        Self { city, authority, maker, signer, tsa }
    }

    pub(crate) fn seal(&self) -> Seal {
        let picture = PICTURE.clone();
        let terms = SealTerms {
            version: SealVersion::V4,
            id: "22010400000001",
            vendor: "Changbai",
            sealed_as: SealedAs::Organisation,
            name: "长春市电子数据存证平台存证专用章",
            signers: SealSigners::Certificates(vec![self.signer.certificate.clone()]),
            created: now() - 86_400,
            valid_from: now() - 86_400,
            valid_to: now() + 86_400,
            picture,
        };
        Seal::make(&terms, &self.maker.certificate, &self.maker.key).unwrap()
    }

    fn token(&self, imprint: &Sm3Digest) -> TimeStampToken {
        let (certificate, key) = (self.tsa.certificate.clone(), self.tsa.key.clone());
        let tsa = TimeStampAuthority::new(certificate, key, "1.2.3.4", Vec::new()).unwrap();
        let request = TimeStampRequest::new(imprint, &[5; 16], None).unwrap();
        let grant = Grant {
            serial: SerialNumber::from_bytes(&[7]).unwrap(),
            gen_time: Duration::from_secs(now().unsigned_abs()),
            accuracy: None,
        };
        tsa.grant(&request, grant).unwrap().token().clone()
    }

    pub(crate) fn sealed(&self) -> Vec<u8> {
        let stamp = |imprint: &Sm3Digest| Ok(self.token(imprint));
        self.signed_with(Some(&stamp))
    }

    fn signed_with(&self, stamp: Option<&Stamp<'_>>) -> Vec<u8> {
        let signer = OfdSigner {
            certificate: &self.signer.certificate,
            key: &self.signer.key,
            at_unix_seconds: now(),
            stamp,
        };
        self.certificate().with_seal(self.seal()).unwrap().sign_ofd(&signer).unwrap()
    }

    fn certificate(&self) -> changbai_certificate::Certificate {
        let font = changbai_certificate::FontSource::built_in().unwrap();
        changbai_certificate::Certificate::new(facts(&self.city), issuer(), font).unwrap()
    }

    fn judge(&self, ofd: &[u8]) -> DocumentReport {
        judge(ofd, Some(&self.city.trust), &self.city)
    }

    /// Puts other members into a signed document and signs it again, as the signer himself could.
    fn resigned(&self, ofd: &[u8], edit: impl Fn(&mut Members)) -> Vec<u8> {
        let mut members = unpacked(ofd);
        edit(&mut members);
        let old = members.iter().find(|(name, _)| name.ends_with("Signature.xml")).unwrap();
        let xml = String::from_utf8(old.1.clone()).unwrap();
        let (head, tail) = (xml.find("<ofd:Reference "), xml.find("</ofd:References>"));
        let covered = members
            .iter()
            .filter(|(name, _)| !name.ends_with("Signature.xml") && !name.ends_with(".dat"))
            .map(|(name, bytes)| {
                let value = STANDARD.encode(sm3(bytes).as_bytes());
                format!(
                    "<ofd:Reference FileRef=\"/{name}\"><ofd:CheckValue>{value}</ofd:CheckValue></ofd:Reference>"
                )
            });
        let xml =
            [&xml[..head.unwrap()], &covered.collect::<String>(), &xml[tail.unwrap()..]].concat();
        let signature = SealSignature::sign(SealSigning {
            seal: &self.seal(),
            certificate: &self.signer.certificate,
            key: &self.signer.key,
            at: now(),
            data: xml.as_bytes(),
            property: "/Doc_0/Signs/Sign_0/Signature.xml",
        });
        for (name, bytes) in &mut members {
            if name.ends_with("Signature.xml") {
                *bytes = xml.clone().into_bytes();
            } else if name.ends_with(".dat") {
                *bytes = signature.as_ref().unwrap().der().to_vec();
            }
        }
        packed(&members, CompressionMethod::Stored)
    }
}

fn issued(authority: &Authority, name: &str, profile: Profile, seed: &mut Seed) -> Member {
    let private = smkit::sm2::PrivateKey::generate(seed).unwrap();
    let subject = crate::fixture::subject(name, &[]);
    let certificate = authority
        .issue(&subject, private.public_key(), profile, days(-1, 365), None, seed)
        .unwrap();
    let key = smkit::sm2::SigningKey::new(private, smkit::sm2::SignerId::DEFAULT).unwrap();
    Member { certificate, key, msp_id: String::new() }
}

fn judge(ofd: &[u8], trust: Option<&Trust>, city: &City) -> DocumentReport {
    let originals = city.supplied();
    let grounds =
        Grounds { trust, now_unix_seconds: now() + 60, lists: &[], originals: &originals };
    judge_ofd(ofd, &grounds)
}

fn unpacked(zip: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut member = archive.by_index(index).unwrap();
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut member, &mut bytes).unwrap();
            (member.name().to_owned(), bytes)
        })
        .collect()
}

fn packed(members: &[(String, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(method);
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(name.as_str(), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn code(report: &DocumentReport, element: &str) -> &'static str {
    report.element(element).unwrap().code
}

fn shown(report: &DocumentReport) -> String {
    let elements = report.elements.iter();
    let elements = elements.chain(report.evidence.iter().flat_map(|report| &report.elements));
    elements.map(|e| format!("{} {:?} {} {}\n", e.name, e.status, e.code, e.reason_en)).collect()
}

#[test]
fn a_sealed_certificate_is_verified_element_by_element() {
    let office = Office::new(4);
    let ofd = office.sealed();
    file("sealed.ofd", &ofd);
    file("seal.png", &office.seal().picture().data);
    assert_eq!(ofd, office.sealed(), "the same date and stamp give the same bytes");
    let report = office.judge(&ofd);
    assert_eq!(report.verdict, Verdict::Verified, "{}", shown(&report));
    for (element, expected) in [
        ("document", "VF-4000"),
        ("signature", "VF-4100"),
        ("seal", "VF-4200"),
        ("chain", "VF-4300"),
        ("revocation", "VF-4480"),
        ("time_token", "VF-4500"),
        ("facts", "VF-4600"),
    ] {
        assert_eq!(code(&report, element), expected, "{}", shown(&report));
    }
    let who = report.signatory.unwrap();
    assert_eq!(who.seal_id.as_deref(), Some("22010400000001"));
    assert_eq!((who.signed_at, who.stamped_at), (Some(now()), Some(now())));
    assert!(who.subject.contains("签章者") && who.seal_maker.unwrap().contains("制章者"));
}

#[test]
fn without_a_trust_file_nothing_is_proven_but_contradictions_are_named() {
    let office = Office::new(1);
    let report = judge(&office.signed_with(None), None, &office.city);
    assert_eq!(report.verdict, Verdict::Unchecked, "{}", shown(&report));
    assert_eq!(code(&report, "signature"), "VF-4100");
    assert_eq!(code(&report, "chain"), "VF-4390");
    assert_eq!(code(&report, "time_token"), "VF-4580");
}

#[test]
fn an_unsigned_certificate_says_so_and_its_pages_are_compared() {
    let office = Office::new(1);
    let ofd = office.certificate().write(Format::Ofd).unwrap();
    let report = office.judge(&ofd);
    assert_eq!(report.verdict, Verdict::Verified, "{}", shown(&report));
    assert_eq!((code(&report, "document"), code(&report, "seal")), ("VF-4080", "VF-4280"));
    let mut members = unpacked(&ofd);
    let page = members.iter_mut().find(|(name, _)| name.ends_with("Content.xml")).unwrap();
    page.1 = String::from_utf8(page.1.clone()).unwrap().replacen('1', "2", 1).into_bytes();
    let report = office.judge(&packed(&members, CompressionMethod::Stored));
    assert_eq!(code(&report, "facts"), "VF-4601");
}

#[test]
fn each_forgery_is_named() {
    let office = Office::new(1);
    let ofd = office.sealed();
    let expect = |forged: Vec<u8>, element: &str, expected: &str| {
        let report = office.judge(&forged);
        assert_eq!(report.verdict, Verdict::NotVerified, "{expected}\n{}", shown(&report));
        assert_eq!(code(&report, element), expected, "{}", shown(&report));
    };
    let with = |edit: &dyn Fn(&mut Members)| {
        let mut members = unpacked(&ofd);
        edit(&mut members);
        packed(&members, CompressionMethod::Stored)
    };
    let member = |members: &[(String, Vec<u8>)], end: &str| {
        members.iter().position(|(name, _)| name.ends_with(end)).unwrap()
    };
    // The same members, packed by somebody else.
    expect(with(&|_| {}), "document", "VF-4005");
    expect(packed(&unpacked(&ofd), CompressionMethod::Deflated), "document", "VF-4005");
    expect(with(&|m| m.push(("Doc_0/extra.xml".into(), vec![1]))), "document", "VF-4002");
    expect(with(&|m| m.push(("Doc_0/Signs/Sign_1/x.dat".into(), vec![1]))), "document", "VF-4002");
    expect(with(&|m| m.push(("../evil".into(), vec![1]))), "document", "VF-4001");
    expect(with(&|m| m.push(("ofd.xml".into(), vec![1]))), "document", "VF-4001");
    for end in ["Content.xml", "record.json", "receipt.json", "seal.png", "font_1.otf", "Seal.esl"]
    {
        let changed = with(&|m| {
            let at = member(m, end);
            let last = m[at].1.len() - 1;
            m[at].1[last] ^= 1;
        });
        expect(changed, "document", "VF-4003");
        let removed = with(&|m| {
            let at = member(m, end);
            m.remove(at);
        });
        expect(removed, "document", "VF-4004");
    }
    expect(
        with(&|m| {
            let at = member(m, "SignedValue.dat");
            let middle = m[at].1.len() / 2;
            m[at].1[middle] ^= 1;
        }),
        "signature",
        "VF-4101",
    );
    // Signed by the right signer, and still not what was proven.
    expect(
        office.resigned(&ofd, |m| {
            let at = member(m, "Content.xml");
            m[at].1 =
                String::from_utf8(m[at].1.clone()).unwrap().replace("长春", "吉林").into_bytes();
        }),
        "facts",
        "VF-4601",
    );
    expect(
        office.resigned(&ofd, |m| m.push(("Doc_0/extra.xml".into(), vec![1]))),
        "facts",
        "VF-4601",
    );
    expect(
        office.resigned(&ofd, |m| {
            let at = member(m, "record.json");
            m[at].1 = String::from_utf8(m[at].1.clone())
                .unwrap()
                .replace("220102", "220103")
                .into_bytes();
        }),
        "facts",
        "VF-4602",
    );
    expect(
        office.resigned(&ofd, |m| {
            let at = member(m, "Seal.esl");
            m[at].1.push(0);
        }),
        "facts",
        "VF-4601",
    );
}

#[test]
fn a_seal_of_strangers_is_refused() {
    let (office, mut stranger) = (Office::new(1), Office::new(4));
    // The stranger's own seal on this city's evidence.
    stranger.city = office.city.clone();
    let report = office.judge(&stranger.signed_with(None));
    assert_eq!(report.verdict, Verdict::NotVerified);
    assert_eq!(code(&report, "chain"), "VF-4301", "{}", shown(&report));
    assert_eq!(code(&report, "facts"), "VF-4600", "the evidence itself is right");
}

#[test]
fn a_revoked_signer_is_named() {
    let office = Office::new(1);
    let mut register = smkit_pki::Register::new();
    register.record(&office.signer.certificate).unwrap();
    let revoked = smkit_pki::RevokedCertificate {
        serial: office.signer.certificate.serial(),
        revoked_at: now() + 30,
        reason: smkit_pki::RevocationReason::KeyCompromise,
        invalid_since: None,
    };
    register.revoke(revoked).unwrap();
    let list = register.revocation_list(&office.authority, now() + 40, now() + 86_400).unwrap();
    let originals = office.city.supplied();
    let grounds = Grounds {
        trust: Some(&office.city.trust),
        now_unix_seconds: now() + 60,
        lists: &[list],
        originals: &originals,
    };
    // Stamped before the revocation: it stands. Without a stamp the date is anybody's.
    let stamped = judge_ofd(&office.sealed(), &grounds);
    assert_eq!(code(&stamped, "revocation"), "VF-4400", "{}", shown(&stamped));
    let bare = judge_ofd(&office.signed_with(None), &grounds);
    assert_eq!(code(&bare, "revocation"), "VF-4401", "{}", shown(&bare));
    assert_eq!(bare.verdict, Verdict::NotVerified);
}

#[test]
fn the_document_that_another_implementation_signed_is_read() {
    let ofd = include_bytes!("../../testdata/ofd_signed_v4_sample.ofd");
    let originals = Office::new(1).city.supplied();
    // Some hours after it was signed.
    let now_unix_seconds = now() + 86_400;
    let report = judge_ofd(
        ofd,
        &Grounds { trust: None, now_unix_seconds, lists: &[], originals: &originals },
    );
    assert_eq!(code(&report, "document"), "VF-4000", "{}", shown(&report));
    assert_eq!(code(&report, "signature"), "VF-4100", "{}", shown(&report));
    assert_eq!(code(&report, "facts"), "VF-4603", "it is no certificate of evidence");
}

/// Every byte of the package: headers, names, contents, directory.
#[test]
fn every_changed_byte_is_named() {
    let office = Office::new(1);
    let ofd = office.sealed();
    // A member's content is under a checksum in the package; what has none is tried byte by byte, for the first member,
    // one in the middle and the last.
    let contents = unpacked(&ofd);
    let (middle, last) = (contents.len() / 2, contents.len() - 1);
    let mut places = Vec::new();
    let mut at = 0;
    for (index, (name, bytes)) in contents.iter().enumerate() {
        let start = at + 30 + name.len();
        if [0, middle, last].contains(&index) {
            places.extend(at..start);
        }
        places.extend((start..start + bytes.len()).step_by(1 + bytes.len() / 3));
        at = start + bytes.len();
    }
    for (index, (name, _)) in contents.iter().enumerate() {
        let end = at + 46 + name.len();
        if [0, middle, last].contains(&index) {
            places.extend(at..end);
        }
        at = end;
    }
    places.extend(at..ofd.len());
    // One judgement is milliseconds when it comes to the seal, so one bit of each place.
    for place in places {
        let mut forged = ofd.clone();
        forged[place] ^= 1 << (place % 8);
        let report = office.judge(&forged);
        assert_eq!(report.verdict, Verdict::NotVerified, "byte {place}\n{}", shown(&report));
        assert!(report.elements.iter().any(|element| element.status == Status::Failed));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any flipped bit of any member, in a package that is right again.
    #[test]
    fn any_flipped_bit_of_a_member_is_named(
        member in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let office = Office::new(1);
        let mut members = unpacked(&office.sealed());
        let member = member.index(members.len());
        let bytes = &mut members[member].1;
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let report = office.judge(&packed(&members, CompressionMethod::Stored));
        let named = ["document", "signature", "seal", "chain", "time_token"];
        let failed = |name: &&str| report.element(name).unwrap().status == Status::Failed;
        let rewritten = code(&report, "document") == "VF-4005";
        prop_assert!(named.iter().any(failed) && !rewritten, "{}", shown(&report));
    }
}

#[test]
fn ofd_core_reads_every_line_checks_every_digest_and_draws_the_pages() {
    let office = Office::new(4);
    let path = file("ofd-core.ofd", &office.sealed());
    let pages = path.with_extension("");
    let arguments = [path.to_str().unwrap(), pages.to_str().unwrap()];
    let Some(said) = run(&ofd_core(), &arguments, "ofd-core does not read the sealed OFD") else {
        return;
    };
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let read: Vec<_> =
        said.lines().filter_map(|line| line.strip_prefix("text ")).map(squeezed).collect();
    let certificate = office.certificate().with_seal(office.seal()).unwrap();
    for line in certificate.lines() {
        assert!(read.contains(&squeezed(&line)), "{line} is not in:\n{said}");
    }
    assert!(said.contains("verdict Seal Valid"), "{said}");
    assert_eq!(said.matches("\ndigest ").count(), unpacked(&office.sealed()).len() - 2);
    for page in 1..=certificate.page_count() {
        let picture = pages.with_file_name(format!("ofd-core-{page}.png"));
        assert!(std::fs::metadata(&picture).unwrap().len() > 10_000, "{}", picture.display());
    }

    // A changed page is noticed there as well.
    let mut members = unpacked(&office.sealed());
    let page = members.iter_mut().find(|(name, _)| name.ends_with("Content.xml")).unwrap();
    page.1.push(b' ');
    let path = file("ofd-core-changed.ofd", &packed(&members, CompressionMethod::Stored));
    let said = run(&ofd_core(), &[path.to_str().unwrap()], "").unwrap();
    assert!(said.contains("verdict Seal Invalid"), "{said}");
}

#[test]
fn ofdkit_reads_every_line_of_a_sealed_certificate() {
    let office = Office::new(4);
    let path = file("ofdkit-sealed.ofd", &office.sealed());
    let script = "import sys, ofdkit; print(ofdkit.extract_text(sys.argv[1]))";
    let args = ["-c", script, path.to_str().unwrap()];
    let Some(text) = run(&python(), &args, "the text of the OFD is not read back") else { return };
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let text = squeezed(&text);
    for line in office.certificate().with_seal(office.seal()).unwrap().lines() {
        assert!(text.contains(&squeezed(&line)), "{line}");
    }
}

/// `Type="Sign"`: a message of GB/T 35275 over SM3 of `Signature.xml`, without a seal.
#[test]
fn a_bare_signature_is_read_and_judged() {
    let office = Office::new(1);
    let bare = |signed: &[u8]| {
        let mut members = unpacked(&office.certificate().write(Format::Ofd).unwrap());
        let entry = members.iter_mut().find(|(name, _)| name == "OFD.xml").unwrap();
        let listed = "<ofd:Signatures>Doc_0/Signs/Signatures.xml</ofd:Signatures></ofd:DocBody>";
        let xml = String::from_utf8(entry.1.clone()).unwrap();
        entry.1 = xml.replace("</ofd:DocBody>", listed).into_bytes();
        let list = "<Signatures><Signature ID=\"1\" Type=\"Sign\" BaseLoc=\"Sign_0/Signature.xml\"/></Signatures>";
        members.push(("Doc_0/Signs/Signatures.xml".into(), list.into()));
        let references = members.iter().map(|(name, bytes)| {
            let value = STANDARD.encode(sm3(bytes).as_bytes());
            format!("<Reference FileRef=\"/{name}\"><CheckValue>{value}</CheckValue></Reference>")
        });
        let xml = format!(
            "<Signature><SignedInfo><References CheckMethod=\"sm3\">{}</References></SignedInfo>\
             <SignedValue>SignedValue.dat</SignedValue></Signature>",
            references.collect::<String>()
        );
        let by = CmsSigner {
            certificate: &office.signer.certificate,
            key: &office.signer.key,
            with_attributes: true,
            signing_time: Some(now()),
        };
        let covered = if signed.is_empty() {
            sm3(xml.as_bytes()).as_bytes().to_vec()
        } else {
            signed.to_vec()
        };
        let value = SignedData::sign(&covered, true, &[by], &[]).unwrap();
        members.push(("Doc_0/Signs/Sign_0/Signature.xml".into(), xml.into_bytes()));
        members.push(("Doc_0/Signs/Sign_0/SignedValue.dat".into(), value.der().to_vec()));
        office.judge(&packed(&members, CompressionMethod::Deflated))
    };
    let report = bare(b"");
    for (element, expected) in [
        ("document", "VF-4000"),
        ("signature", "VF-4100"),
        ("seal", "VF-4280"),
        ("chain", "VF-4300"),
        ("time_token", "VF-4580"),
    ] {
        assert_eq!(code(&report, element), expected, "{}", shown(&report));
    }
    // It is not what the platform writes, and says so.
    assert_eq!(code(&report, "facts"), "VF-4601");
    assert_eq!(code(&bare(&[7; 32]), "signature"), "VF-4101");
}
