//! `sm2.json`, `sm2_enveloped_key.json` and the key files of `x509_gmssl.json`.

use serde_json::Value;
use smkit::{
    Random, RandomError,
    sm2::{
        Ciphertext, Initiator, PrivateKey, PublicKey, Responder, Signature, SignerId, VerifyingKey,
    },
};

use super::{array, bytes, items, number, only, walk};
use crate::cases::Fixed;

#[test]
fn every_entry() {
    walk(include_str!("../../../testdata/sm2.json"), |name, entry| {
        match name {
            "curve" => curve(entry),
            "sign" => {
                // k is for the unit test beside the arithmetic.
                let fields = ["id", "msg", "d", "pub", "k", "za", "e", "r", "s", "der"];
                items(entry, &fields).into_iter().for_each(signature);
            }
            "verify_negative" => {
                items(entry, &["pub", "id", "msg", "r", "s"]).into_iter().for_each(refused);
            }
            "encrypt" => {
                let parts = ["msg", "d", "pub", "k", "C1", "C3", "C2"];
                let whole = ["c1c3c2", "c1c2c3_legacy", "gmt0009_der"];
                items(entry, &[&parts[..], &whole].concat()).into_iter().for_each(encryption);
            }
            "decrypt" => {
                items(entry, &["pkcs8_b64", "der", "msg_utf8"]).into_iter().for_each(decryption);
            }
            "key_exchange" => {
                let own =
                    ["idA", "idB", "dA", "dB", "rA", "rB", "PA", "PB", "RA", "RB", "ZA", "ZB"];
                // U is for the unit test beside the exchange.
                let agreed = ["U_or_V", "klen_bytes", "K", "S1_SB", "S2_SA"];
                items(entry, &[&own[..], &agreed].concat()).into_iter().for_each(exchange);
            }
            _ => return false,
        }
        true
    });
}

fn private(value: &Value) -> PrivateKey {
    PrivateKey::from_bytes(&array(value)).unwrap()
}

fn public(value: &Value) -> PublicKey {
    PublicKey::from_sec1(&bytes(value)).unwrap()
}

fn raw(item: &Value) -> [u8; 64] {
    [bytes(&item["r"]), bytes(&item["s"])].concat().try_into().unwrap()
}

/// The parameters as far as they show from outside; a and b enter every ZA below.
fn curve(entry: &Value) {
    only(entry, &["p", "a", "b", "n", "Gx", "Gy", "h", "oid"]);
    let mut one = [0; 32];
    one[31] = 1;
    let base = PrivateKey::from_bytes(&one).unwrap().public_key().to_sec1();
    assert_eq!(base[1..], [bytes(&entry["Gx"]), bytes(&entry["Gy"])].concat());
    let mut order: [u8; 32] = array(&entry["n"]);
    for (less, accepted) in [(0, false), (1, false), (2, true)] {
        let mut number = order;
        number[31] -= less;
        assert_eq!(PrivateKey::from_bytes(&number).is_ok(), accepted, "n − {less}");
    }
    order[31] -= 1;
    assert!(Signature::from_bytes([order, one].concat().try_into().unwrap()).is_ok());
    order[31] += 1;
    assert!(Signature::from_bytes([order, one].concat().try_into().unwrap()).is_err());
    // x = p is x = 0 modulo p, and a point has that; p − 1 has none.
    let compressed = |x: &[u8]| PublicKey::from_compressed(&[&[2], x].concat());
    assert!(compressed(&[0; 32]).is_ok());
    assert!(compressed(&bytes(&entry["p"])).is_err());
    assert_eq!(entry["oid"], smkit::oid::SM2_CURVE);
    assert_eq!(entry["h"], 1);
}

fn signature(item: &Value) {
    let private = private(&item["d"]);
    if let Some(key) = item.get("pub") {
        assert_eq!(private.public_key(), &public(key));
    }
    let id = SignerId::new(bytes(&item["id"])).unwrap();
    let key = VerifyingKey::new(private.public_key().clone(), id).unwrap();
    let message = bytes(&item["msg"]);
    assert_eq!(key.za().to_string(), item["za"]);
    assert_eq!(smkit::sm3_parts(&[key.za().as_bytes(), &message]).to_string(), item["e"]);
    let signature = Signature::from_der(&bytes(&item["der"])).unwrap();
    assert_eq!(signature.to_bytes(), raw(item));
    assert_eq!(signature.to_der(), bytes(&item["der"]));
    assert_eq!(key.verify(&message, &signature), Ok(()));
}

fn refused(item: &Value) {
    let id = item.get("id").map_or(SignerId::DEFAULT, |id| SignerId::new(bytes(id)).unwrap());
    let key = VerifyingKey::new(public(&item["pub"]), id).unwrap();
    let signature = Signature::from_bytes(raw(item));
    let accepted = signature.is_ok_and(|one| key.verify(&bytes(&item["msg"]), &one).is_ok());
    assert!(!accepted, "{item}");
}

fn encryption(item: &Value) {
    let (private, message) = (private(&item["d"]), bytes(&item["msg"]));
    assert_eq!(private.public_key(), &public(&item["pub"]));
    let ciphertext =
        private.public_key().encrypt(&message, &mut Fixed::new(array(&item["k"]))).unwrap();
    let parts = ["C1", "C3", "C2"].map(|part| bytes(&item[part]));
    assert_eq!(ciphertext.to_c1c3c2(), parts.concat());
    assert_eq!(ciphertext.to_c1c3c2(), bytes(&item["c1c3c2"]));
    assert_eq!(ciphertext.to_der(), bytes(&item["gmt0009_der"]));
    for read in [
        Ciphertext::from_c1c3c2(&bytes(&item["c1c3c2"])),
        Ciphertext::from_legacy_c1c2c3(&bytes(&item["c1c2c3_legacy"])),
        Ciphertext::from_der(&bytes(&item["gmt0009_der"])),
    ] {
        assert_eq!(*private.decrypt(&read.unwrap()).unwrap(), message);
    }
}

fn decryption(item: &Value) {
    let base64 = item["pkcs8_b64"].as_str().unwrap().as_bytes();
    let lines: Vec<_> = base64.chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    let (begin, end) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");
    let pem = format!("{begin}\n{}\n{end}\n", lines.join("\n"));
    let private = PrivateKey::from_pkcs8_pem(&pem).unwrap();
    assert_eq!(*private.to_pkcs8_pem().unwrap(), pem);
    let ciphertext = Ciphertext::from_der(&bytes(&item["der"])).unwrap();
    let message = private.decrypt(&ciphertext).unwrap();
    assert_eq!(message.as_slice(), item["msg_utf8"].as_str().unwrap().as_bytes());
}

fn exchange(item: &Value) {
    let (a, b) = (private(&item["dA"]), private(&item["dB"]));
    assert_eq!([a.public_key(), b.public_key()], [&public(&item["PA"]), &public(&item["PB"])]);
    let id = |name: &str| SignerId::new(bytes(&item[name])).unwrap();
    let verifying = |key: &PrivateKey, name: &str| {
        VerifyingKey::new(key.public_key().clone(), id(name)).unwrap()
    };
    let (key_a, key_b) = (verifying(&a, "idA"), verifying(&b, "idB"));
    assert_eq!(
        [key_a.za(), key_b.za()].map(ToString::to_string),
        [item["ZA"].as_str().unwrap(), item["ZB"].as_str().unwrap()]
    );
    let length = number(&item["klen_bytes"]);

    let initiator =
        Initiator::new(&a, id("idA"), key_b, &mut Fixed::new(array(&item["rA"]))).unwrap();
    assert_eq!(initiator.ephemeral(), &public(&item["RA"]));
    let random = &mut Fixed::new(array(&item["rB"]));
    let responder =
        Responder::new(&b, id("idB"), &key_a, &public(&item["RA"]), length, random).unwrap();
    assert_eq!(responder.ephemeral(), &public(&item["RB"]));
    assert_eq!(responder.confirmation(), &array(&item["S1_SB"]));
    let (key, s_a) =
        initiator.confirm(responder.ephemeral(), responder.confirmation(), length).unwrap();
    assert_eq!((&*key, s_a), (&bytes(&item["K"]), array(&item["S2_SA"])));
    assert_eq!(*responder.confirm(&s_a).unwrap(), bytes(&item["K"]));
}

/// The envelope is opened, and made again byte for byte from the SM4 key and the k of the file.
#[test]
fn enveloped_key() {
    let file: Value =
        serde_json::from_str(include_str!("../../../testdata/sm2_enveloped_key.json")).unwrap();
    only(&file, &["signing_private_key", "encryption_private_key", "sm4_key", "sm2_k", "der"]);
    let signing = private(&file["signing_private_key"]);
    let encryption = private(&file["encryption_private_key"]);
    let der = bytes(&file["der"]);
    assert_eq!(signing.open_enveloped_der(&der).unwrap().to_bytes(), encryption.to_bytes());

    struct Drawn(Vec<u8>);
    impl Random for Drawn {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            let rest = self.0.split_off(out.len());
            out.copy_from_slice(&self.0);
            self.0 = rest;
            Ok(())
        }
    }
    let mut drawn = Drawn([bytes(&file["sm4_key"]), bytes(&file["sm2_k"])].concat());
    let made = encryption.to_enveloped_der(signing.public_key(), &mut drawn).unwrap();
    assert_eq!(made, der);
    assert!(drawn.0.is_empty());
}

/// Of this file, certificates and messages are smkit-pki's; the keys are ours.
#[test]
fn key_files_of_gmssl() {
    let text = include_str!("../../../testdata/x509_gmssl.json");
    let file: Value = serde_json::from_str(text).unwrap();
    let password = file["password"].as_str().unwrap().as_bytes();
    walk(text, |name, entry| {
        match name {
            "root_key_d" => drop(private(entry)),
            "keys_d" => entry.as_object().unwrap().values().for_each(|d| drop(private(d))),
            "encrypted_pkcs8_der" | "plain_pkcs8_der" => {
                for (owner, der) in entry.as_object().unwrap() {
                    let der = bytes(der);
                    let read = if name == "plain_pkcs8_der" {
                        PrivateKey::from_pkcs8_der(&der).unwrap()
                    } else {
                        PrivateKey::from_encrypted_pkcs8_der(&der, password).unwrap()
                    };
                    assert_eq!(*read.to_bytes(), *private(&file["keys_d"][owner]).to_bytes());
                }
            }
            other => {
                return ["password", "roles"].contains(&other)
                    || ["certs", "csr", "crl", "ocsp", "cms"]
                        .iter()
                        .any(|of| other.starts_with(of));
            }
        }
        true
    });
}
