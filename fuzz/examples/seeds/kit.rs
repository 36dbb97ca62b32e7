//! Seeds of smkit's targets.

use std::error::Error;
use std::num::NonZeroU32;

use changbai_fuzz::kit::{Given, private_key, sm4_key};
use changbai_fuzz::{Seeded, joined};
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit::sm3::kdf::pbkdf2;
use smkit::sm4::{Cbc, Ccm, Gcm, Key, stream::Sealer};

use crate::{Outcome, seed};

pub(crate) fn seeds() -> Outcome {
    let key = private_key();
    let ciphertext = key.public_key().encrypt(b"a message", &mut Seeded(1))?;
    seed("sm2_ciphertext", "raw", &ciphertext.to_c1c3c2())?;
    seed("sm2_ciphertext", "der", &ciphertext.to_der())?;
    let carried = PrivateKey::from_bytes(&[1; 32])?;
    let envelope = carried.to_enveloped_der(key.public_key(), &mut Seeded(2))?;
    seed("sm2_enveloped_key", "der", &envelope)?;
    seed("sm2_encrypted_key", "der", &encrypted(&carried)?)?;
    seed("sm2_sec1_key", "der", &carried.to_sec1_der())?;
    seed("sm2_sec1_key", "pem", carried.to_sec1_pem().as_bytes())?;
    seed("sm2_point", "plain", &key.public_key().to_sec1())?;
    seed("sm2_point", "compressed", &key.public_key().to_compressed())?;
    let (peer, ephemeral) = (key.public_key().to_compressed(), carried.public_key().to_sec1());
    let message = joined(&[&peer, &ephemeral, b"1234567812345678", &[7; 32], &[16]]);
    seed("sm2_exchange", "message", &message)?;
    modes()?;
    kernels(&key)
}

/// `EncryptedPrivateKeyInfo` under the password `secret` with 100 rounds, so that a run tries many.
fn encrypted(key: &PrivateKey) -> Result<Vec<u8>, Box<dyn Error>> {
    // No 2 before the next tag: the target skips what could be a long count of rounds.
    let (salt, iv) = ([1; 16], [9; 16]);
    let mut derived = [0; 16];
    let rounds = NonZeroU32::new(100).ok_or("rounds")?;
    pbkdf2(b"secret", &salt, rounds, &mut derived)?;
    let mut data = key.to_pkcs8_der()?.to_vec();
    Cbc::new(&Key::from_bytes(derived)).encrypt(&iv, &mut data);

    let null = || element(5, &[]);
    let prf = element(0x30, &[element(6, &[HMAC_SM3.to_vec()]), null()]);
    let numbers = [element(4, &[salt.to_vec()]), element(2, &[vec![100]]), element(2, &[vec![16]])];
    let parameters = element(0x30, &[numbers.concat(), prf]);
    let function = element(0x30, &[element(6, &[PBKDF2.to_vec()]), parameters]);
    let scheme = element(0x30, &[element(6, &[SM4_CBC.to_vec()]), element(4, &[iv.to_vec()])]);
    let parameters = element(0x30, &[function, scheme]);
    let algorithm = element(0x30, &[element(6, &[PBES2.to_vec()]), parameters]);
    let der = element(0x30, &[algorithm, element(4, &[data])]);
    PrivateKey::from_encrypted_pkcs8_der(&der, b"secret")?;
    Ok(der)
}

fn element(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let content = parts.concat();
    let length = match u8::try_from(content.len()) {
        Ok(short @ 0..=0x7f) => vec![short],
        Ok(long) => vec![0x81, long],
        Err(_) => [&[0x82][..], &(content.len() as u16).to_be_bytes()].concat(),
    };
    [vec![tag], length, content].concat()
}

fn modes() -> Outcome {
    let (nonce, aad) = ([3; 12], b"aad".as_slice());
    let mut gcm = b"a message of more than two blocks, so that there is a rest".to_vec();
    let (mut ccm, mut cbc) = (gcm.clone(), gcm.clone());
    Gcm::new(&sm4_key()).seal_in_place(&nonce, aad, &mut gcm)?;
    Ccm::new(&sm4_key()).seal_in_place(&nonce, aad, &mut ccm)?;
    Cbc::new(&sm4_key()).encrypt(&[3; 16], &mut cbc);
    for (name, sealed, iv) in
        [("gcm", gcm, nonce.as_slice()), ("ccm", ccm, &nonce), ("cbc", cbc, &[3; 16])]
    {
        seed("sm4_open", name, &joined(&[iv, aad, &sealed]))?;
    }
    for (name, bytes) in [("empty", 0), ("two-chunks", 1_100)] {
        let mut sealer = Sealer::with_chunk_log2(&sm4_key(), b"aad", 10, &mut Given([4; 32]))?;
        let mut stream = [&[16], sealer.header().as_slice()].concat();
        sealer.update(&vec![5; bytes], &mut stream)?;
        sealer.finish(&mut stream)?;
        seed("sm4_stream", name, &stream)?;
    }
    Ok(())
}

fn kernels(key: &PrivateKey) -> Outcome {
    let signing = SigningKey::new(key.clone(), SignerId::DEFAULT)?;
    let signature = signing.sign(b"a message").to_bytes();
    seed("kernels_sm2", "signed", &[key.to_bytes().as_slice(), &signature, b"a message"].concat())?;
    let messages: Vec<Vec<u8>> = (0..19).map(|n| vec![b'm'; n * 7]).collect();
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    seed("kernels_sm3", "messages", &joined(&messages))?;
    seed("kernels_sm4", "text", &[[6; 16].as_slice(), &[0xff; 16], &[20], &[8; 300]].concat())
}

/// 1.2.840.113549.1.5.13
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
/// 1.2.840.113549.1.5.12
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
/// 1.2.156.10197.1.401.2
const HMAC_SM3: &[u8] = &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x83, 0x11, 0x02];
/// 1.2.156.10197.1.104.2
const SM4_CBC: &[u8] = &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x68, 0x02];
