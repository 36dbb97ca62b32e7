//! OpenSSL reads what we write, and we read what it writes.

mod structures;

use std::{
    fs,
    path::{Path, PathBuf},
};

use smkit::{
    OsRandom,
    sm2::{PrivateKey, PublicKey, Signature, SignerId, SigningKey, VerifyingKey},
};
use smkit_pki::{
    Authority, Certificate, Profile, Purpose, Subject, TrustAnchors, Validity, verify_chain,
};
use tempfile::TempDir;

use crate::peer::{self, Said};

/// From 2020 to 2049; `openssl verify` uses the machine's clock.
const VALIDITY: Validity = Validity { not_before: 1_577_836_800, not_after: 2_500_000_000 };
const NOW: i64 = 1_800_000_000;
const DISTID: &str = "distid:1234567812345678";

struct OpenSsl {
    program: PathBuf,
    folder: TempDir,
}

impl OpenSsl {
    fn find() -> Option<Self> {
        let Some(program) = peer::find("openssl") else {
            peer::skip("openssl not found");
            return None;
        };
        Some(Self { program, folder: TempDir::new().unwrap() })
    }

    fn run(&self, arguments: &[&str]) -> Said {
        peer::run(&self.program, self.folder.path(), arguments)
    }

    /// Runs what must succeed.
    fn must(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert!(said.success, "openssl {arguments:?}\n{}{}", said.out, said.err);
        said.out
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    fn read_text(&self, name: &str) -> String {
        read_text(&self.path(name))
    }
}

fn read_text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn subject(common_name: &str) -> Subject {
    Subject {
        state: "吉林省".into(),
        locality: "长春市".into(),
        organisation: "Changchun".into(),
        organisational_units: vec!["peer".into()],
        common_name: common_name.into(),
        ..Subject::default()
    }
}

#[test]
fn our_chain_verifies_in_openssl() {
    let Some(openssl) = OpenSsl::find() else { return };
    let root = Authority::create_root(&subject("root"), VALIDITY, &mut OsRandom).unwrap();
    let middle_key = PrivateKey::generate(&mut OsRandom).unwrap();
    let ca = Profile::RootCa { path_length: Some(0) };
    let middle = root
        .issue(&subject("ca"), middle_key.public_key(), ca, VALIDITY, None, &mut OsRandom)
        .unwrap();
    let middle = Authority::new(middle, middle_key).unwrap();
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    let code = Some("91220101MA0000000X");
    let issue = |by: &Authority, name: &str| {
        by.issue(&subject(name), key.public_key(), Profile::Signing, VALIDITY, code, &mut OsRandom)
            .unwrap()
    };
    openssl.write("root.pem", root.certificate().to_pem());
    openssl.write("ca.pem", middle.certificate().to_pem());
    openssl.write("leaf.pem", issue(&root, "leaf").to_pem());
    openssl.write("low.pem", issue(&middle, "low").to_pem());

    let verify = ["verify", "-x509_strict", "-vfyopt", DISTID, "-CAfile", "root.pem"];
    openssl.must(&[&verify[..], &["root.pem"]].concat());
    openssl.must(&[&verify[..], &["leaf.pem"]].concat());
    openssl.must(&[&verify[..], &["ca.pem"]].concat());
    // OpenSSL 3.0 sets the identity for the certificate named last only, so a longer chain is verified link by link.
    let partial = ["verify", "-x509_strict", "-partial_chain", "-vfyopt", DISTID, "-trusted"];
    openssl.must(&[&partial[..], &["ca.pem", "low.pem"]].concat());

    let impostor = Authority::create_root(&subject("root"), VALIDITY, &mut OsRandom).unwrap();
    openssl.write("root.pem", impostor.certificate().to_pem());
    assert!(!openssl.run(&[&verify[..], &["leaf.pem"]].concat()).success);

    let text = openssl.must(&["x509", "-in", "leaf.pem", "-noout", "-text"]);
    for line in ["SM2-with-SM3", "Digital Signature, Non Repudiation", "1.2.156.10260.4.1.4"] {
        assert!(text.contains(line), "{line} missing in\n{text}");
    }
}

#[test]
fn our_long_lived_root_verifies_in_openssl() {
    let Some(openssl) = OpenSsl::find() else { return };
    let validity = Validity { not_before: VALIDITY.not_before, not_after: 253_402_300_799 };
    let root = Authority::create_root(&subject("root"), validity, &mut OsRandom).unwrap();
    openssl.write("root.pem", root.certificate().to_pem());
    openssl.must(&["verify", "-vfyopt", DISTID, "-CAfile", "root.pem", "root.pem"]);
    let dates = openssl.must(&["x509", "-in", "root.pem", "-noout", "-enddate"]);
    assert!(dates.contains("Dec 31 23:59:59 9999"), "{dates}");
}

#[test]
fn a_chain_made_by_openssl_verifies_here() {
    let Some(openssl) = OpenSsl::find() else { return };
    for name in ["root", "leaf"] {
        openssl.must(&[
            "ecparam",
            "-name",
            "SM2",
            "-genkey",
            "-noout",
            "-out",
            &format!("{name}.key"),
        ]);
    }
    let usage = "keyUsage=critical,keyCertSign,cRLSign";
    openssl.must(&[
        "req",
        "-x509",
        "-key",
        "root.key",
        "-sm3",
        "-sigopt",
        DISTID,
        "-days",
        "3650",
        "-subj",
        "/C=CN/O=Test/CN=openssl root",
        "-addext",
        usage,
        "-out",
        "root.pem",
    ]);
    openssl.must(&[
        "req",
        "-new",
        "-key",
        "leaf.key",
        "-sm3",
        "-sigopt",
        DISTID,
        "-subj",
        "/C=CN/O=Test/OU=peer/CN=openssl leaf",
        "-out",
        "leaf.csr",
    ]);
    openssl.write(
        "leaf.ext",
        "keyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
    );
    openssl.must(&[
        "x509",
        "-req",
        "-in",
        "leaf.csr",
        "-vfyopt",
        DISTID,
        "-CA",
        "root.pem",
        "-CAkey",
        "root.key",
        "-CAcreateserial",
        "-sm3",
        "-sigopt",
        DISTID,
        "-days",
        "365",
        "-extfile",
        "leaf.ext",
        "-out",
        "leaf.pem",
    ]);
    let leaf = Certificate::from_pem(&openssl.read_text("leaf.pem")).unwrap();
    let anchors = TrustAnchors::from_pem(&openssl.read_text("root.pem")).unwrap();
    let at = leaf.not_before();
    assert!(verify_chain(&leaf, &[], &anchors, at, Purpose::Signing).is_ok());
    assert_eq!(leaf.subject(), "CN=openssl leaf,OU=peer,O=Test,C=CN");
}

#[test]
fn digests_agree() {
    let Some(openssl) = OpenSsl::find() else { return };
    for length in [0_usize, 1, 55, 56, 63, 64, 65, 1000, 100_000] {
        let message: Vec<u8> = (0..=250).cycle().take(length).collect();
        openssl.write("message", &message);
        let out = openssl.must(&["dgst", "-sm3", "-r", "message"]);
        assert_eq!(out.split(' ').next(), Some(smkit::sm3(&message).to_string().as_str()));
    }
}

#[test]
fn our_signatures_and_keys_are_read_by_openssl() {
    let Some(openssl) = OpenSsl::find() else { return };
    let private = PrivateKey::generate(&mut OsRandom).unwrap();
    openssl.write("key.pem", private.to_pkcs8_pem().unwrap().as_bytes());
    openssl.write("key.der", &*private.to_pkcs8_der().unwrap());
    openssl.must(&["pkey", "-in", "key.pem", "-check", "-pubout", "-out", "public.pem"]);
    openssl.must(&["pkey", "-inform", "DER", "-in", "key.der", "-noout"]);

    for (id, option) in [
        (SignerId::DEFAULT, DISTID),
        (SignerId::TLS13, "distid:TLSv1.3+GM+Cipher+Suite"),
        (SignerId::new(*b"a").unwrap(), "distid:a"),
    ] {
        let key = SigningKey::new(private.clone(), id).unwrap();
        openssl.write("message", b"message");
        openssl.write("signature", key.sign(b"message").to_der());
        let verify = [
            "pkeyutl",
            "-verify",
            "-pubin",
            "-inkey",
            "public.pem",
            "-rawin",
            "-digest",
            "sm3",
            "-in",
            "message",
            "-sigfile",
            "signature",
            "-pkeyopt",
            option,
        ];
        openssl.must(&verify);
        openssl.write("message", b"massage");
        assert!(!openssl.run(&verify).success);
    }
}

#[test]
fn signatures_and_keys_made_by_openssl_are_read_here() {
    let Some(openssl) = OpenSsl::find() else { return };
    openssl.must(&["genpkey", "-algorithm", "SM2", "-out", "key.pem"]);
    let private = PrivateKey::from_pkcs8_pem(&openssl.read_text("key.pem")).unwrap();
    openssl.must(&["pkey", "-in", "key.pem", "-pubout", "-outform", "DER", "-out", "public.der"]);
    let public = openssl.read("public.der");
    assert_eq!(public[public.len() - 65..], private.public_key().to_sec1());

    openssl.write("message", b"message");
    openssl.must(&[
        "dgst",
        "-sm3",
        "-sign",
        "key.pem",
        "-sigopt",
        DISTID,
        "-out",
        "signature",
        "message",
    ]);
    let signature = Signature::from_der(&openssl.read("signature")).unwrap();
    let public = PublicKey::from_sec1(&public[public.len() - 65..]).unwrap();
    let key = VerifyingKey::new(public.clone(), SignerId::DEFAULT).unwrap();
    assert_eq!(key.verify(b"message", &signature), Ok(()));
    assert!(key.verify(b"massage", &signature).is_err());
    let other = VerifyingKey::new(public, SignerId::TLS13).unwrap();
    assert!(other.verify(b"message", &signature).is_err());
}

/// OpenSSL and we agree on the chain of a certificate at one moment of the past.
#[test]
fn expiry_is_seen_alike() {
    let Some(openssl) = OpenSsl::find() else { return };
    let validity = Validity { not_before: NOW - 10, not_after: NOW };
    let root = Authority::create_root(&subject("root"), validity, &mut OsRandom).unwrap();
    openssl.write("root.pem", root.certificate().to_pem());
    let anchors = TrustAnchors::from_certificates(vec![root.certificate().clone()]);
    for (at, valid) in [(NOW - 11, false), (NOW - 10, true), (NOW - 1, true), (NOW + 1, false)] {
        let ours =
            verify_chain(root.certificate(), &[], &anchors, at, Purpose::CertificateSign).is_ok();
        let second = at.to_string();
        let theirs = openssl.run(&[
            "verify", "-attime", &second, "-vfyopt", DISTID, "-CAfile", "root.pem", "root.pem",
        ]);
        assert_eq!((ours, theirs.success), (valid, valid), "{at}: {}{}", theirs.out, theirs.err);
    }
}
