//! The forms in which an SM2 key is kept and handed over: `cargo run --release -p smkit --example key_files`
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;

use smkit::OsRandom;
use smkit::sm2::{PrivateKey, PublicKey};

fn main() -> Result<(), Box<dyn Error>> {
    let key = PrivateKey::generate(&mut OsRandom)?;

    // At rest under a password: PBES2 with PBKDF2-HMAC-SM3 and SM4-CBC, the form GmSSL writes.
    let pem = key.to_encrypted_pkcs8_pem(b"correct horse", &mut OsRandom)?;
    print!("{pem}");
    let read = PrivateKey::from_encrypted_pkcs8_pem(&pem, b"correct horse")?;
    assert_eq!(read.public_key(), key.public_key());
    let wrong = PrivateKey::from_encrypted_pkcs8_pem(&pem, b"wrong horse");
    println!("wrong password: {}", wrong.err().map(|error| error.to_string()).unwrap_or_default());

    // Without a password: PKCS#8 and SEC 1. These strings wipe themselves when dropped.
    let (pkcs8, sec1) = (key.to_pkcs8_pem()?, key.to_sec1_pem());
    assert_eq!(PrivateKey::from_pkcs8_pem(&pkcs8)?.to_bytes(), key.to_bytes());
    assert_eq!(PrivateKey::from_sec1_pem(&sec1)?.to_bytes(), key.to_bytes());

    // To the holder of another key, as an authority delivers encryption keys: SM2EnvelopedKey.
    let recipient = PrivateKey::generate(&mut OsRandom)?;
    let envelope = key.to_enveloped_der(recipient.public_key(), &mut OsRandom)?;
    assert_eq!(recipient.open_enveloped_der(&envelope)?.to_bytes(), key.to_bytes());
    println!("enveloped: {} bytes", envelope.len());

    // The public half: 65 bytes, or 33 at the price of a square root.
    let compressed = key.public_key().to_compressed();
    assert_eq!(PublicKey::from_compressed(&compressed)?, *key.public_key());
    println!("public key: {:?}", key.public_key());
    Ok(())
}
