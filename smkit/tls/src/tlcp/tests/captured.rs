//! A handshake between GmSSL's client and server, captured and decrypted by an independent implementation.

use serde_json::Value;
use smkit::sm2::{PrivateKey, PublicKey, Signature, SignerId, VerifyingKey};
use smkit_pki::Certificate;

use super::wire::{Flying, feed, sent};
use crate::{
    peer::{PeerRefusal, PeerRole, PeerVerifier},
    tlcp::{
        CipherSuite, ClientConfig, ClientConnection, PeerQuirk, TlcpError,
        keys::{DirectionKeys, MasterSecret, Randoms, Side},
        messages::{
            ClientHello, Message, MessageKind, ServerHello, read_ciphertext, read_signature,
        },
        pair::Pair,
        record::{ContentType, Direction},
        signed_certificate,
        tests::world::StandingClock,
        transcript::Transcript,
    },
};

fn vector() -> Value {
    serde_json::from_str(include_str!("../../../testdata/tlcp_ecc_sm4_cbc_sm3.json")).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn records(handshake: &Value) -> Vec<Flying> {
    let record = |record: &Value| Flying {
        from: if record["from"] == "C" { Side::Client } else { Side::Server },
        bytes: bytes(&record["hex"]),
    };
    handshake["records"].as_array().unwrap().iter().map(record).collect()
}

/// Every message in clear, in order.
fn messages(handshake: &Value) -> Vec<Message> {
    let clear = records(handshake).into_iter().take(6);
    clear.map(|record| Message::read(record.payload()).unwrap().unwrap()).collect()
}

#[test]
fn hellos_read_and_written_again() {
    let handshake = &vector()["handshake"];
    let all = messages(handshake);
    let client = ClientHello::read(&all[0]).unwrap();
    assert_eq!(client.suites, [0xe013]);
    assert_eq!(client.random, array::<32>(&handshake["client_random"]));
    assert_eq!(client.extensions, crate::tlcp::messages::ClientExtensions::default());
    assert_eq!(client.write().bytes(), bytes(&handshake["client_hello"]));
    let server = ServerHello::read(&all[1]).unwrap();
    assert_eq!(CipherSuite::from_id(server.suite), Some(CipherSuite::EccSm4CbcSm3));
    assert_eq!(server.random, array::<32>(&handshake["server_random"]));
    assert_eq!(server.write().bytes(), bytes(&handshake["server_hello"]));
}

#[test]
fn the_servers_certificates_and_its_signature() {
    let vector = vector();
    let handshake = &vector["handshake"];
    let all = messages(handshake);
    let pair = Pair::read(&all[2]).unwrap().unwrap();
    let ders = handshake["server_certs_der"].as_array().unwrap();
    assert_eq!(pair.certificates().len(), ders.len());
    for (certificate, der) in pair.certificates().iter().zip(ders) {
        assert_eq!(certificate.der(), bytes(der));
    }
    for (certificate, key) in pair.certificates().iter().zip(["ssign", "senc"]) {
        let key = PrivateKey::from_bytes(&array(&vector["keys"][key])).unwrap();
        assert_eq!(certificate.public_key(), key.public_key());
    }
    assert_eq!(all[3].kind, MessageKind::ServerKeyExchange);
    let signature = Signature::from_der(all[3].parse(read_signature).unwrap()).unwrap();
    let randoms = [bytes(&handshake["client_random"]), bytes(&handshake["server_random"])].concat();
    let signed = [randoms, signed_certificate(pair.encryption().unwrap().der())].concat();
    let key = pair.signing().unwrap().verifying_key();
    key.verify(&signed, &signature).unwrap();
}

#[test]
fn from_the_pre_master_secret_to_the_last_record() {
    let vector = vector();
    let handshake = &vector["handshake"];
    let all = messages(handshake);
    assert_eq!(all[5].kind, MessageKind::ClientKeyExchange);
    let ciphertext = all[5].parse(read_ciphertext).unwrap().unwrap();
    let key = PrivateKey::from_bytes(&array(&vector["keys"]["senc"])).unwrap();
    let pre_master = key.decrypt(&ciphertext).unwrap();
    assert_eq!(*pre_master, bytes(&handshake["pre_master_secret"]));

    let (client, server) = (array(&handshake["client_random"]), array(&handshake["server_random"]));
    let randoms = Randoms { client, server };
    let master = MasterSecret::new(&pre_master, &randoms);
    let expected = bytes(&handshake["master_secret"]);
    assert_eq!(master.expose(), &*expected);
    let keys = master.key_block(CipherSuite::EccSm4CbcSm3, &randoms);
    for (side, name) in [(Side::Client, "client"), (Side::Server, "server")] {
        let DirectionKeys::Cbc { mac, key } = keys.of(side) else { panic!("CBC") };
        assert_eq!(mac.as_flattened(), bytes(&handshake[format!("{name}_mac")]));
        assert_eq!(key, &array::<16>(&handshake[format!("{name}_key")]));
    }

    let mut transcript = Transcript::new(false);
    all.iter().for_each(|message| transcript.add(message));
    let digest = bytes(&handshake["handshake_hash_before_client_finished"]);
    assert_eq!(transcript.digest().as_bytes(), &*digest);

    // Finished, data and alerts, each under its own side's keys.
    let [mut from_client, mut from_server] =
        [Side::Client, Side::Server].map(|side| Direction::new(keys.of(side)));
    let mut decrypted = handshake["decrypted"].as_array().unwrap().iter();
    let protected = records(handshake).into_iter().skip(6);
    for mut record in protected.filter(|record| record.content_type() != 20) {
        let expected = decrypted.next().unwrap();
        assert_eq!(expected["type"], u64::from(record.content_type()));
        let kind = ContentType::from_code(record.content_type()).unwrap();
        let side = record.from;
        let direction = if side == Side::Client { &mut from_client } else { &mut from_server };
        let plain = direction.open(kind, &mut record.bytes[5..]).unwrap();
        assert_eq!(plain, bytes(&expected["plaintext"]));
        if kind == ContentType::Handshake {
            let name = if side == Side::Client { "client" } else { "server" };
            let data = master.verify_data(side, &transcript.digest());
            assert_eq!(data, array::<12>(&handshake[format!("{name}_verify_data")]));
            let finished = Message::read(plain).unwrap().unwrap();
            assert_eq!(finished.body(), data);
            transcript.add(&finished);
        }
    }
    assert!(decrypted.next().is_none());
}

/// Our client greets in GmSSL's very bytes and takes its answer, the signature included.
#[test]
fn a_client_takes_the_captured_servers_flight() {
    let handshake = &vector()["handshake"];
    let random = array::<32>(&handshake["client_random"]);
    let now = i64::from(u32::from_be_bytes([random[0], random[1], random[2], random[3]]));
    let config = ClientConfig::new(std::sync::Arc::new(Anyone))
        .with_suites(&[CipherSuite::EccSm4CbcSm3])
        .unwrap()
        .with_quirk(PeerQuirk::NoExtensions)
        .with_clock(std::sync::Arc::new(StandingClock(now)))
        .with_random(move || Box::new(Fixed(random)));
    let mut client = ClientConnection::new(config.into(), "localhost").unwrap();
    let records = records(handshake);
    assert_eq!(sent(&mut client), records[0].bytes);
    for record in &records[1..5] {
        feed(&mut client, &record.bytes).unwrap();
    }
    let answer = super::wire::records(Side::Client, &sent(&mut client));
    let kinds: Vec<_> = answer.iter().map(Flying::content_type).collect();
    assert_eq!(kinds, [22, 20, 22]);

    // With the signature of another message it does not.
    let mut client = ClientConnection::new(client_config(random, now).into(), "localhost").unwrap();
    sent(&mut client);
    let mut altered = records[3].clone();
    *altered.bytes.last_mut().unwrap() ^= 1;
    feed(&mut client, &[records[1].bytes.clone(), records[2].bytes.clone()].concat()).unwrap();
    let error = TlcpError::BadSignature { message: MessageKind::ServerKeyExchange };
    assert_eq!(feed(&mut client, &altered.bytes), Err(error));
}

fn client_config(random: [u8; 32], now: i64) -> ClientConfig {
    ClientConfig::new(std::sync::Arc::new(Anyone))
        .with_suites(&[CipherSuite::EccSm4CbcSm3])
        .unwrap()
        .with_quirk(PeerQuirk::NoExtensions)
        .with_clock(std::sync::Arc::new(StandingClock(now)))
        .with_random(move || Box::new(Fixed(random)))
}

/// GmSSL's certificates are not ours to judge here.
#[derive(Debug)]
struct Anyone;

impl PeerVerifier for Anyone {
    fn verify(&self, _: &[Certificate], _: PeerRole<'_>, _: i64) -> Result<(), PeerRefusal> {
        Ok(())
    }

    fn verify_encryption(
        &self,
        _: &[Certificate],
        _: PeerRole<'_>,
        _: i64,
    ) -> Result<(), PeerRefusal> {
        Ok(())
    }
}

/// The same bytes over and over.
struct Fixed([u8; 32]);

impl smkit::Random for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), smkit::RandomError> {
        out.iter_mut().zip(self.0.iter().cycle()).for_each(|(to, from)| *to = *from);
        Ok(())
    }
}

/// The signer of the captured certificates is the default one.
#[test]
fn keys_are_bound_to_the_default_identity() {
    let handshake = &vector()["handshake"];
    let pair = Pair::read(&messages(handshake)[2]).unwrap().unwrap();
    let key: &PublicKey = pair.signing().unwrap().public_key();
    let expected = VerifyingKey::new(key.clone(), SignerId::DEFAULT).unwrap();
    assert_eq!(pair.signing().unwrap().verifying_key(), &expected);
}
