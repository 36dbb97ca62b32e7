//! BouncyCastle takes our signatures with electronic seals apart and verifies them.

use std::time::Duration;

use smkit_pki::{
    Certificate, Grant, Seal, SealPicture, SealSignature, SealSigners, SealSigning, SealTerms,
    SealVersion, SealedAs, SerialNumber, TimeStampAuthority, TimeStampRequest,
};

use super::*;

const NOW: i64 = 1_800_000_000;
const VALIDITY: Validity = Validity { not_before: 1_577_836_800, not_after: 2_500_000_000 };
const DATA: &[u8] = b"<ofd:Signature/>";

fn identity(root: &Authority, name: &str, profile: Profile) -> (Certificate, SigningKey) {
    let private = PrivateKey::generate(&mut OsRandom).unwrap();
    let subject = Subject { common_name: name.into(), ..Subject::default() };
    let public = private.public_key();
    let certificate = root.issue(&subject, public, profile, VALIDITY, None, &mut OsRandom).unwrap();
    (certificate, SigningKey::new(private, SignerId::DEFAULT).unwrap())
}

fn signed() -> SealSignature {
    let name = Subject { common_name: "root".into(), ..Subject::default() };
    let root = Authority::create_root(&name, VALIDITY, &mut OsRandom).unwrap();
    let (maker, maker_key) = identity(&root, "制章者", Profile::Seal);
    let (signer, key) = identity(&root, "签章者", Profile::Seal);
    let terms = SealTerms {
        version: SealVersion::V4,
        id: "22010400000001",
        vendor: "Changbai",
        sealed_as: SealedAs::Organisation,
        name: "长春市存证专用章",
        signers: SealSigners::Certificates(vec![signer.clone()]),
        created: NOW,
        valid_from: NOW,
        valid_to: NOW + 1_000,
        picture: SealPicture { kind: "PNG".into(), data: vec![1; 99], width_mm: 40, height_mm: 40 },
    };
    let seal = Seal::make(&terms, &maker, &maker_key).unwrap();
    let (property, data) = ("/Doc_0/Signs/Sign_0/Signature.xml", DATA);
    let signing =
        SealSigning { seal: &seal, certificate: &signer, key: &key, at: NOW, data, property };
    let signature = SealSignature::sign(signing).unwrap();
    let (tsa, tsa_key) = identity(&root, "tsa", Profile::TimeStampAuthority);
    let tsa = TimeStampAuthority::new(tsa, tsa_key, "1.2.3.4", Vec::new()).unwrap();
    let request = TimeStampRequest::new(&signature.imprint(), &[3; 16], None).unwrap();
    let grant = Grant {
        serial: SerialNumber::from_bytes(&[9]).unwrap(),
        gen_time: Duration::from_secs(NOW.unsigned_abs()),
        accuracy: None,
    };
    signature.with_time_stamp(tsa.grant(&request, grant).unwrap().token()).unwrap()
}

#[test]
fn our_seal_signature_and_stamp_verify() {
    let Some(java) = java() else { return };
    let folder = tempfile::TempDir::new().unwrap();
    let signature = signed();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("value.dat", signature.der());
    write("seal.esl", signature.seal().der());
    write("data", DATA);
    let other = signed();
    write("other.esl", other.seal().der());
    write("other", b"<ofd:signature/>");
    let mut forged = signature.der().to_vec();
    let last = forged.len() / 2;
    forged[last] ^= 1;
    write("forged.dat", &forged);

    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bouncycastle/Seal.java");
    let class_path = JARS.join(":");
    let judge = |value: &str, data: &str, seal: &str| {
        let encoding = "-Dstdout.encoding=UTF-8";
        let arguments = [encoding, "-cp", &class_path, program, value, data, seal];
        peer::run(&java, folder.path(), arguments)
    };
    let good = judge("value.dat", "data", "seal.esl");
    assert!(good.success, "{}{}", good.out, good.err);
    assert!(good.out.ends_with("valid\n"), "{}", good.out);
    for (value, data, seal) in [
        ("value.dat", "other", "seal.esl"),
        ("value.dat", "data", "other.esl"),
        ("forged.dat", "data", "seal.esl"),
    ] {
        assert!(!judge(value, data, seal).success, "{value} {data} {seal}");
    }
}
