//! Requests and lists, between OpenSSL and us.

use smkit_pki::{
    AlternativeNames, CertificationRequest, RevocationList, RevocationListContent,
    RevocationReason, RevokedCertificate, SerialNumber, Terms, Validator,
};

use super::*;

fn serial(number: u8) -> SerialNumber {
    SerialNumber::from_bytes(&[number]).unwrap()
}

#[test]
fn our_request_verifies_in_openssl() {
    let Some(openssl) = OpenSsl::find() else { return };
    let private = PrivateKey::generate(&mut OsRandom).unwrap();
    let key = SigningKey::new(private, SignerId::DEFAULT).unwrap();
    let hosts = AlternativeNames::parse(["node1.cc.jl", "10.0.0.1"]).unwrap();
    let name = (&subject("节点")).try_into().unwrap();
    let request = CertificationRequest::create(&name, &key, &hosts).unwrap();
    openssl.write("request.pem", request.to_pem());
    let verify = ["req", "-in", "request.pem", "-noout", "-verify", "-text", "-vfyopt", DISTID];
    let said = openssl.run(&verify);
    assert!(said.success && said.err.contains("verify OK"), "{}{}", said.out, said.err);
    for line in ["SM2-with-SM3", "DNS:node1.cc.jl, IP Address:10.0.0.1"] {
        assert!(said.out.contains(line), "{line} missing in\n{}", said.out);
    }
}

#[test]
fn a_request_made_by_openssl_is_certified_here() {
    let Some(openssl) = OpenSsl::find() else { return };
    openssl.must(&["genpkey", "-algorithm", "SM2", "-out", "key.pem"]);
    let make = |id: &str| {
        let subject = "/C=CN/O=Test/CN=openssl";
        openssl.must(&[
            "req",
            "-new",
            "-key",
            "key.pem",
            "-sm3",
            "-sigopt",
            id,
            "-subj",
            subject,
            "-addext",
            "subjectAltName=DNS:node1.cc.jl,IP:::1",
            "-out",
            "request.pem",
        ]);
        CertificationRequest::from_pem(&openssl.read_text("request.pem"))
    };
    // What OpenSSL 3.0 does unless told otherwise.
    assert_eq!(make("distid:").unwrap_err().code(), "PK-2101");
    let request = make(DISTID).unwrap();
    assert_eq!(request.subject().to_string(), "CN=openssl,O=Test,C=CN");

    let root = Authority::create_root(&subject("root"), VALIDITY, &mut OsRandom).unwrap();
    let (name, key) = (request.subject().clone(), request.public_key());
    let terms = Terms::new(name, key, Profile::Node, VALIDITY);
    let terms = Terms { hosts: request.hosts().clone(), ..terms };
    let leaf = root.issue_on(&terms, &mut OsRandom).unwrap();
    openssl.write("root.pem", root.certificate().to_pem());
    openssl.write("leaf.pem", leaf.to_pem());
    for purpose in ["sslserver", "sslclient"] {
        for host in ["node1.cc.jl", "node2.cc.jl"] {
            let said = openssl.run(&[
                "verify",
                "-x509_strict",
                "-purpose",
                purpose,
                "-verify_hostname",
                host,
                "-vfyopt",
                DISTID,
                "-CAfile",
                "root.pem",
                "leaf.pem",
            ]);
            assert_eq!(said.success, host == "node1.cc.jl", "{}{}", said.out, said.err);
        }
    }
}

#[test]
fn purposes_are_seen_alike() {
    let Some(openssl) = OpenSsl::find() else { return };
    let root = Authority::create_root(&subject("root"), VALIDITY, &mut OsRandom).unwrap();
    openssl.write("root.pem", root.certificate().to_pem());
    let anchors = TrustAnchors::from_certificates(vec![root.certificate().clone()]);
    let validator = Validator::admitting_all(anchors);
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    for profile in [
        Profile::Signing,
        Profile::Server,
        Profile::Client,
        Profile::Node,
        Profile::TimeStampAuthority,
        Profile::OcspResponder,
    ] {
        let name = (&subject("leaf")).try_into().unwrap();
        let hosts = AlternativeNames::parse(["node1.cc.jl"]).unwrap();
        let terms = Terms::new(name, key.public_key(), profile, VALIDITY);
        let leaf = root.issue_on(&Terms { hosts, ..terms }, &mut OsRandom).unwrap();
        openssl.write("leaf.pem", leaf.to_pem());
        for (theirs, ours) in [
            ("sslserver", Purpose::TlsServer),
            ("sslclient", Purpose::TlsClient),
            ("timestampsign", Purpose::TimeStamping),
        ] {
            let ours = validator.verify(std::slice::from_ref(&leaf), ours, NOW, None).is_ok();
            let said = openssl.run(&[
                "verify", "-purpose", theirs, "-vfyopt", DISTID, "-CAfile", "root.pem", "leaf.pem",
            ]);
            assert_eq!(said.success, ours, "{profile:?} {theirs} {}{}", said.out, said.err);
        }
    }
}

/// OpenSSL 3.0 cannot be told the signer ID of a list, so it reads the text, and verifies the signature as such.
#[test]
fn our_list_is_read_by_openssl() {
    let Some(openssl) = OpenSsl::find() else { return };
    let root = Authority::create_root(&subject("root"), VALIDITY, &mut OsRandom).unwrap();
    let revoked = [
        RevokedCertificate {
            serial: serial(0xab),
            revoked_at: NOW,
            reason: RevocationReason::KeyCompromise,
            invalid_since: Some(NOW - 86_400),
        },
        RevokedCertificate {
            serial: serial(2),
            revoked_at: NOW,
            reason: RevocationReason::Unspecified,
            invalid_since: None,
        },
    ];
    let list = root
        .revocation_list(&RevocationListContent {
            number: serial(7),
            this_update: NOW,
            next_update: NOW + 86_400,
            keeps_expired_since: Some(0),
            revoked: &revoked,
        })
        .unwrap();
    openssl.write("list.pem", list.to_pem());
    let text = openssl.must(&["crl", "-in", "list.pem", "-noout", "-text", "-nameopt", "RFC2253"]);
    for line in [
        "Version 2",
        "SM2-with-SM3",
        "Serial Number: AB",
        "Key Compromise",
        "Invalidity Date",
        "X509v3 CRL Number: \n                7",
        "Next Update: Jan 16 08:00:00 2027 GMT",
    ] {
        assert!(text.contains(line), "{line} missing in\n{text}");
    }
    let der = list.der();
    // The list's outer header has four bytes, that of what is signed four as well.
    let signed_bytes = 4 + usize::from(u16::from_be_bytes([der[6], der[7]]));
    openssl.write("signed", &der[4..4 + signed_bytes]);
    let signature = &der[4 + signed_bytes + 12..];
    assert_eq!((signature[0], signature[2]), (3, 0), "a BIT STRING without unused bits");
    openssl.write("signature", &signature[3..]);
    openssl.write("root.pem", root.certificate().to_pem());
    let public = openssl.must(&["x509", "-in", "root.pem", "-noout", "-pubkey"]);
    openssl.write("public.pem", public);
    openssl.must(&[
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "public.pem",
        "-rawin",
        "-digest",
        "sm3",
        "-in",
        "signed",
        "-sigfile",
        "signature",
        "-pkeyopt",
        DISTID,
    ]);
}

#[test]
fn a_list_made_by_openssl_revokes_here() {
    let Some(openssl) = OpenSsl::find() else { return };
    let root = Authority::create_root(&subject("root"), VALIDITY, &mut OsRandom).unwrap();
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    let leaf = root
        .issue(&subject("leaf"), key.public_key(), Profile::Signing, VALIDITY, None, &mut OsRandom)
        .unwrap();
    openssl.write("root.pem", root.certificate().to_pem());
    openssl.write("root.key", root.key().to_pkcs8_pem().unwrap().as_bytes());
    openssl.write("leaf.pem", leaf.to_pem());
    openssl.write("index.txt", "");
    openssl.write("number", "1A\n");
    openssl.write(
        "ca.cnf",
        "[ca]\ndefault_ca=it\n[it]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sm3\n\
         default_crl_days=30\ncrl_extensions=extensions\n[extensions]\n\
         authorityKeyIdentifier=keyid:always\n",
    );
    let signer =
        ["ca", "-config", "ca.cnf", "-cert", "root.pem", "-keyfile", "root.key", "-sigopt", DISTID];
    let make = |further: &[&str]| openssl.must(&[&signer[..], further].concat());
    make(&["-revoke", "leaf.pem", "-crl_reason", "superseded"]);
    make(&["-gencrl", "-out", "list.pem"]);
    let list = RevocationList::from_pem(&openssl.read_text("list.pem")).unwrap();
    assert_eq!(list.verify(root.certificate()), Ok(()));
    assert_eq!(list.number().unwrap().to_string(), "1a");
    assert_eq!(list.find(&leaf.serial()).unwrap().reason, RevocationReason::Superseded);
}
