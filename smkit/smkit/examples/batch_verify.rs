//! A thousand signatures of two hundred signers at once, three of them forged:
//! `cargo run --release -p smkit --example batch_verify`
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;

use smkit::OsRandom;
use smkit::sm2::{PrivateKey, SignerId, SigningKey, Unverified, sign_many, verify_many};

const SIGNERS: usize = 200;
const MESSAGES_EACH: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let mut keys = Vec::with_capacity(SIGNERS);
    for _ in 0..SIGNERS {
        keys.push(SigningKey::new(PrivateKey::generate(&mut OsRandom)?, SignerId::DEFAULT)?);
    }
    let texts: Vec<String> = (0..MESSAGES_EACH).map(|number| format!("record {number}")).collect();
    let messages: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();

    // One key signs many messages in lanes, the same signatures as one by one.
    let signed: Vec<_> = keys.iter().map(|key| (key, sign_many(key, &messages))).collect();

    // Claims of any mix of keys go into one call.
    let mut claims = Vec::new();
    for (key, signatures) in &signed {
        for (message, signature) in messages.iter().zip(signatures) {
            claims.push(Unverified { key: key.verifying_key(), message, signature });
        }
    }
    for forged in [17, 400, 999] {
        if let Some(claim) = claims.get_mut(forged) {
            claim.message = b"record 9";
        }
    }

    // The result at an index belongs to the claim at that index, so the invalid ones are named.
    let verdicts = verify_many(&claims);
    let invalid: Vec<usize> = verdicts
        .iter()
        .enumerate()
        .filter(|(_, verdict)| verdict.is_err())
        .map(|(at, _)| at)
        .collect();
    println!("{} claims, invalid: {invalid:?}", claims.len());
    println!("by {}", smkit::cpu::report().sm2_many);
    Ok(())
}
