//! Keys from secrets: HKDF (RFC 5869), PBKDF2 (RFC 8018 §5.2), the PRF of TLCP and TLS 1.2, and the KDF of GB/T 32918,
//! all over SM3.

use core::num::NonZeroU32;

use zeroize::Zeroize;

use super::{HmacSm3, Sm3, Sm3Digest, hmac_sm3};

/// HKDF-Extract: a pseudo-random key from input keying material (RFC 5869 §2.2).
#[must_use]
pub fn hkdf_extract(salt: &[u8], secret: &[u8]) -> Sm3Digest {
    hmac_sm3(salt, &[secret])
}

/// HKDF-Expand: fills `out` from a pseudo-random key of at least 32 bytes (RFC 5869 §2.3).
///
/// # Errors
/// [`OutputTooLong`] for more than 255 × 32 bytes; `out` is untouched then.
pub fn hkdf_expand(key: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), OutputTooLong> {
    if out.len() > 255 * DIGEST {
        return Err(OutputTooLong);
    }
    let keyed = HmacSm3::new(key);
    let mut previous: Option<Sm3Digest> = None;
    for (number, chunk) in (1..=u8::MAX).zip(out.chunks_mut(DIGEST)) {
        let mut mac = keyed.clone();
        if let Some(previous) = &previous {
            mac.update(previous.as_bytes());
        }
        mac.update(info);
        mac.update(&[number]);
        let digest = mac.finalize();
        put(chunk, &digest);
        previous = Some(digest);
    }
    previous.iter_mut().for_each(|digest| digest.0.zeroize());
    Ok(())
}

/// PBKDF2 with HMAC-SM3: fills `out` from a password (RFC 8018 §5.2; GB/T 33560 names the PRF).
///
/// # Errors
/// [`OutputTooLong`] for more than (2³² − 1) × 32 bytes; `out` is untouched then.
pub fn pbkdf2(
    password: &[u8],
    salt: &[u8],
    iterations: NonZeroU32,
    out: &mut [u8],
) -> Result<(), OutputTooLong> {
    bounded(out)?;
    let keyed = HmacSm3::new(password);
    for (number, chunk) in (1..=u32::MAX).zip(out.chunks_mut(DIGEST)) {
        let mut mac = keyed.clone();
        mac.update(salt);
        mac.update(&number.to_be_bytes());
        let mut last = mac.finalize();
        let mut sum = last;
        for _ in 1..iterations.get() {
            let mut mac = keyed.clone();
            mac.update(last.as_bytes());
            last = mac.finalize();
            sum.0.iter_mut().zip(&last.0).for_each(|(sum, last)| *sum ^= last);
        }
        put(chunk, &sum);
        last.0.zeroize();
        sum.0.zeroize();
    }
    Ok(())
}

/// The PRF of TLCP (GB/T 38636-2020 §5.2) in the shape of TLS 1.2 (RFC 5246 §5): fills `out` with
/// `P_SM3(secret, label ‖ seed)`. The seed is the concatenation of `seed`.
pub fn tls_prf(secret: &[u8], label: &[u8], seed: &[&[u8]], out: &mut [u8]) {
    let keyed = HmacSm3::new(secret);
    let seeded = |mut mac: HmacSm3| {
        mac.update(label);
        seed.iter().for_each(|part| mac.update(part));
        mac.finalize()
    };
    // A(1) = HMAC(secret, label ‖ seed), A(i) = HMAC(secret, A(i−1)).
    let mut a = seeded(keyed.clone());
    for chunk in out.chunks_mut(DIGEST) {
        let mut mac = keyed.clone();
        mac.update(a.as_bytes());
        let next = mac.clone();
        let mut digest = seeded(mac);
        put(chunk, &digest);
        digest.0.zeroize();
        a = next.finalize();
    }
    a.0.zeroize();
}

/// The key derivation of SM2 encryption and key exchange: SM3(Z ‖ ct) for ct = 1, 2, … (GB/T 32918.3-2016 §5.4.3,
/// GB/T 32918.4-2016 §5.4.3). Z is the concatenation of `parts`.
///
/// # Errors
/// [`OutputTooLong`] for more than (2³² − 1) × 32 bytes; `out` is untouched then.
pub fn gbt32918(parts: &[&[u8]], out: &mut [u8]) -> Result<(), OutputTooLong> {
    bounded(out)?;
    let mut shared = Sm3::new();
    parts.iter().for_each(|part| shared.update(part));
    for (number, chunk) in (1..=u32::MAX).zip(out.chunks_mut(DIGEST)) {
        let mut hasher = shared.clone();
        hasher.update(&number.to_be_bytes());
        let mut digest = hasher.finish();
        put(chunk, &digest);
        digest.0.zeroize();
        hasher.wipe();
    }
    shared.wipe();
    Ok(())
}

/// More bytes were asked for than the construction can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more output than this key derivation can give")]
pub struct OutputTooLong;

fn bounded(out: &[u8]) -> Result<(), OutputTooLong> {
    u32::try_from(out.len().div_ceil(DIGEST)).map(drop).map_err(|_| OutputTooLong)
}

fn put(chunk: &mut [u8], digest: &Sm3Digest) {
    chunk.iter_mut().zip(digest.as_bytes()).for_each(|(to, from)| *to = *from);
}

const DIGEST: usize = 32;
