//! A key, a signature, and everything that makes it invalid: `cargo run -p smkit --example sign_verify`
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;

use smkit::OsRandom;
use smkit::sm2::{PrivateKey, PublicKey, Signature, SignerId, SigningKey, VerifyingKey};

fn main() -> Result<(), Box<dyn Error>> {
    // The signer. Its identity is part of what is signed: business signatures use the default one.
    let private = PrivateKey::generate(&mut OsRandom)?;
    let key = SigningKey::new(private, SignerId::DEFAULT)?;
    let message = b"deed 2026-117";
    let signature = key.sign(message);

    // What travels: the public key, and the signature as DER or as 64 bytes.
    let public: [u8; 65] = key.verifying_key().public_key().to_sec1();
    let der: Vec<u8> = signature.to_der();

    // The verifier. Bytes become types at the border; what is malformed goes no further.
    let signer = VerifyingKey::new(PublicKey::from_sec1(&public)?, SignerId::DEFAULT)?;
    let received = Signature::from_der(&der)?;
    signer.verify(message, &received)?;
    println!("valid, {} bytes of DER", der.len());

    let other_id = VerifyingKey::new(signer.public_key().clone(), SignerId::TLS13)?;
    println!(
        "another message:  {:?}",
        signer.verify(b"deed 2026-118", &received).map_err(|e| e.to_string())
    );
    println!(
        "another identity: {:?}",
        other_id.verify(message, &received).map_err(|e| e.to_string())
    );
    println!("a byte too many:  {:?}", Signature::from_der(&[&der[..], &[0]].concat()));
    println!("this processor:   {}", smkit::cpu::report());
    Ok(())
}
