//! Does a branch or an index of the generated code depend on a secret?
//!
//! A. Langley's ctgrind: the secret's bytes are marked as undefined memory, and Valgrind's memcheck reports every jump and
//! every address that is computed from them. What becomes public (public key, signature, ciphertext) is marked defined
//! again. `cargo xtask ctgrind` runs each operation and lists the functions of the reports.
//!
//! Valgrind 3.19 knows AVX2, BMI2, ADX, AES and carry-less multiplication, but not AVX-512: those kernels cannot be looked
//! at in this way.

mod tlcp;

use smkit::HmacSm3;
use smkit::sm2::{PrivateKey, SignerId, SigningKey, sign_many};
use smkit::sm4::{Gcm, Key};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let [operation, path @ ("kernels" | "portable")] = words.as_slice() else {
        eprintln!(
            "usage: smkit-ctgrind control|public-key|sign|sign-many|sm4-gcm|mac-prefix|tlcp-cbc kernels|portable"
        );
        std::process::exit(2);
    };
    smkit::cpu::force_portable(*path == "portable");
    assert!(smkit::selftest::run().all(), "the kit's own self-test");
    match *operation {
        "control" => control(),
        "public-key" => drop(key()),
        "sign" => sign(&key()),
        "sign-many" => sign_several(&key()),
        "sm4-gcm" => sm4_gcm(),
        "mac-prefix" => mac_prefix(),
        "tlcp-cbc" => tlcp::open(),
        other => panic!("unknown operation {other}"),
    }
}

/// Must be reported: a branch on a secret.
fn control() {
    let mut secret = [7; 32];
    hide(&mut secret);
    if secret[3] > 5 {
        println!("seen");
    }
}

fn key() -> PrivateKey {
    let mut secret = [7; 32];
    hide(&mut secret);
    let key = PrivateKey::from_bytes(&secret).expect("in range");
    show(key.public_key().as_sec1());
    key
}

fn sign(key: &PrivateKey) {
    let key = SigningKey::new(key.clone(), SignerId::DEFAULT).expect("default ID");
    let signature = key.sign(b"message").to_bytes();
    show(&signature);
    println!("{signature:02x?}");
}

fn sign_several(key: &PrivateKey) {
    let key = SigningKey::new(key.clone(), SignerId::DEFAULT).expect("default ID");
    for signature in sign_many(&key, &[b"message".as_slice(); 9]) {
        show(&signature.to_bytes());
    }
}

fn sm4_gcm() {
    let mut secret = [7; 16];
    hide(&mut secret);
    let gcm = Gcm::new(&Key::from_bytes(secret));
    let mut data = vec![7; 1_000];
    gcm.seal_in_place(&[0; 12], b"header", &mut data).expect("a short message");
    show(&data);
    println!("{:02x?}", data.last_chunk::<16>());
}

/// A MAC over a secret part of known bytes.
fn mac_prefix() {
    let data = [7; 400];
    for length in [150_u64, 213, 400] {
        let mut length = length.to_ne_bytes();
        hide(&mut length);
        let length = u64::from_ne_bytes(length) as usize;
        let code = HmacSm3::new(b"key").finalize_prefix(&data, length, 150);
        show(code.as_bytes());
        println!("{code}");
    }
}

/// Marks bytes as undefined.
fn hide(bytes: &mut [u8]) {
    request(MAKE_MEM_UNDEFINED, bytes);
}

/// Marks bytes as defined: they are public from here on.
fn show(bytes: &[u8]) {
    request(MAKE_MEM_DEFINED, bytes);
}

/// A client request to Valgrind (valgrind.h, memcheck.h); does nothing outside Valgrind.
fn request(code: u64, bytes: &[u8]) {
    let arguments = [code, bytes.as_ptr() as u64, bytes.len() as u64, 0, 0, 0];
    // SAFETY: the rotations add up to 128 bits and the exchange is with itself, so that the processor changes nothing but
    // flags; under Valgrind only the shadow state of `bytes` and rdx change. Both are declared.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") arguments.as_ptr(),
            inout("rdx") 0_u64 => _,
            inout("rdi") 0_u64 => _,
            options(nostack),
        );
    }
}

const MAKE_MEM_UNDEFINED: u64 = 0x4d43_0001;
const MAKE_MEM_DEFINED: u64 = 0x4d43_0002;
