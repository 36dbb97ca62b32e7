//! The kit: signatures, digests and ciphers a second on one core, beside RustCrypto, OpenSSL and libgcrypt.
//!
//! With the feature `portable-only` once more with the kernels turned off, each name with the suffix `-portable`.

use std::collections::BTreeMap;
use std::hint::black_box;

use smkit::OsRandom;
use smkit::sm2::{
    PrivateKey, PublicKey, Signature, SignerId, SigningKey, Unverified, VerifyingKey, sign_many,
    verify_many,
};
use smkit::sm4::{Ctr, Gcm, Key};

use crate::peers::{Peer, libgcrypt, openssl};
use crate::report::Figure;
use crate::rustcrypto;
use crate::sampling::{median_rate, pin};

/// How long each figure is sampled.
pub(crate) struct Scale {
    pub(crate) seconds: f64,
}

impl Scale {
    pub(crate) const FULL: Self = Self { seconds: 1.0 };
    pub(crate) const QUICK: Self = Self { seconds: 0.2 };
}

/// Members of a batch.
pub(crate) const BATCH: usize = 64;
/// Bytes of a short message: a Merkle node's two children.
pub(crate) const MESSAGE: usize = 64;
/// Bytes of a long one.
pub(crate) const STREAM: usize = 16 * 1_024;

/// The message with this number.
pub(crate) const fn message(number: usize) -> [u8; MESSAGE] {
    let mut message = [0x5a; MESSAGE];
    message[0] = number as u8;
    message[1] = (number >> 8) as u8;
    message
}

pub(crate) fn run(scale: &Scale) {
    pin();
    let selftest = smkit::selftest::run();
    assert!(selftest.all(), "the kit's own self-test fails: {selftest:?}");
    let ours = measure(scale.seconds);
    let peers = peers(scale.seconds);
    print(&ours, "", &peers, &conditions("fastest"));
    table(&ours, &peers, &GOALS);
    #[cfg(feature = "portable-only")]
    {
        smkit::cpu::force_portable(true);
        let portable = measure(scale.seconds);
        print(&portable, "-portable", &peers, &conditions("portable"));
        eprintln!("\nPortable path");
        table(&portable, &peers, &GOALS_PORTABLE);
    }
    #[cfg(not(feature = "portable-only"))]
    eprintln!("skipped: the portable path (feature `portable-only`)");
}

fn measure(seconds: f64) -> Vec<(&'static str, f64)> {
    let mut figures = verify(seconds);
    figures.extend(sign(seconds));
    figures.extend(sm3(seconds));
    figures.extend(sm4(seconds));
    figures
}

/// A signature by a key of its own; the verifying key was never used before.
struct Signed {
    key: VerifyingKey,
    message: [u8; MESSAGE],
    signature: Signature,
}

impl Signed {
    /// The verifying key is made from its bytes anew, so that no table can hide in it.
    fn by(key: &SigningKey, number: usize) -> Self {
        let message = message(number);
        let public = key.verifying_key().public_key().to_sec1();
        let public = PublicKey::from_sec1(&public).expect("own public key");
        let verifying = VerifyingKey::new(public, SignerId::DEFAULT).expect("default ID");
        Self { key: verifying, message, signature: key.sign(&message) }
    }

    const fn claim(&self) -> Unverified<'_> {
        Unverified { key: &self.key, message: &self.message, signature: &self.signature }
    }

    fn verify(&self) {
        self.key.verify(&self.message, &self.signature).expect("own signature");
    }
}

fn verify(seconds: f64) -> Vec<(&'static str, f64)> {
    let different = || (0..BATCH).map(|at| Signed::by(&fresh(), at)).collect::<Vec<_>>();
    let batch = |signed: &[Signed]| {
        let claims: Vec<_> = signed.iter().map(Signed::claim).collect();
        assert!(verify_many(&claims).iter().all(Result::is_ok), "own signatures");
    };
    let single = median_rate(seconds, BATCH, different, |signed| {
        signed.iter().for_each(Signed::verify);
    });
    let many = median_rate(seconds, BATCH, different, |signed| batch(&signed));

    let signers: Vec<_> = (0..SIGNERS).map(|_| fresh()).collect();
    let signers: Vec<_> = signers
        .iter()
        .map(|key| {
            let first = Signed::by(key, 0);
            (0..VERIFIED_BEFORE).for_each(|_| first.verify());
            (key, first.key)
        })
        .collect();
    let known: Vec<_> = (0..BATCH)
        .filter_map(|at| {
            let (signing, key) = signers.get(at % SIGNERS)?;
            Some(Signed { key: key.clone(), ..Signed::by(signing, at) })
        })
        .collect();
    (0..VERIFIED_BEFORE).for_each(|_| batch(&known));
    let known_single =
        median_rate(seconds, BATCH, || (), |()| known.iter().for_each(Signed::verify));
    let known_many = median_rate(seconds, BATCH, || (), |()| batch(&known));
    vec![
        ("sm2/verify/single", single),
        ("sm2/verify/known", known_single),
        ("sm2/verify/batch64", many),
        ("sm2/verify/batch64-known", known_many),
    ]
}

fn sign(seconds: f64) -> Vec<(&'static str, f64)> {
    let key = fresh();
    let messages: Vec<_> = (0..BATCH).map(message).collect();
    let messages: Vec<&[u8]> = messages.iter().map(<[u8; MESSAGE]>::as_slice).collect();
    let single = median_rate(
        seconds,
        BATCH,
        || (),
        |()| {
            messages.iter().for_each(|message| {
                black_box(key.sign(message));
            });
        },
    );
    let many = median_rate(
        seconds,
        BATCH,
        || (),
        |()| {
            black_box(sign_many(&key, &messages));
        },
    );
    vec![("sm2/sign/single", single), ("sm2/sign/batch64", many)]
}

fn sm3(seconds: f64) -> Vec<(&'static str, f64)> {
    let long = vec![7; STREAM];
    let stream = median_rate(
        seconds,
        32 * STREAM,
        || (),
        |()| {
            (0..32).for_each(|_| {
                black_box(smkit::sm3(&long));
            });
        },
    );
    let lanes: Vec<Vec<u8>> = (0..16).map(|lane| vec![lane; STREAM]).collect();
    let lanes: Vec<&[u8]> = lanes.iter().map(Vec::as_slice).collect();
    let long = median_rate(
        seconds,
        4 * 16 * STREAM,
        || (),
        |()| {
            (0..4).for_each(|_| {
                black_box(smkit::sm3_many(&lanes));
            });
        },
    );
    let short: Vec<_> = (0..1_024).map(message).collect();
    let short: Vec<&[u8]> = short.iter().map(<[u8; MESSAGE]>::as_slice).collect();
    let nodes = median_rate(
        seconds,
        16 * 1_024 * MESSAGE,
        || (),
        |()| {
            (0..16).for_each(|_| {
                black_box(smkit::sm3_many(&short));
            });
        },
    );
    vec![
        ("sm3/stream-16k", stream / 1e6),
        ("sm3/lanes-16k", long / 1e6),
        ("sm3/lanes-64b", nodes / 1e6),
    ]
}

fn sm4(seconds: f64) -> Vec<(&'static str, f64)> {
    let gcm = Gcm::new(&Key::from_bytes([1; 16]));
    let mut data = Vec::with_capacity(STREAM + 16);
    data.resize(STREAM, 7);
    let gcm = median_rate(
        seconds,
        32 * STREAM,
        || (),
        |()| {
            (0..32).for_each(|_| {
                gcm.seal_in_place(&[3; 12], b"", &mut data).expect("a short message");
                data.truncate(STREAM);
            });
        },
    );
    let ctr = Ctr::new(&Key::from_bytes([1; 16]));
    let ctr = median_rate(
        seconds,
        32 * STREAM,
        || (),
        |()| (0..32).for_each(|_| ctr.apply(&[2; 16], &mut data)),
    );
    vec![("sm4/ctr", ctr / 1e6), ("sm4/gcm", gcm / 1e6)]
}

fn fresh() -> SigningKey {
    let key = PrivateKey::generate(&mut OsRandom).expect("randomness");
    SigningKey::new(key, SignerId::DEFAULT).expect("default ID")
}

fn peers(seconds: f64) -> Vec<Peer> {
    let ours = Peer { name: "RustCrypto".to_owned(), figures: rustcrypto::measure(seconds) };
    [Some(ours), openssl(seconds as u64), libgcrypt()].into_iter().flatten().collect()
}

/// What the machine is and how time was taken.
fn conditions(path: &str) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpu.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(": ")).map_or("?", |(_, value)| value)
    };
    let flags = field("flags");
    let features: Vec<_> =
        FEATURES.into_iter().filter(|name| flags.split(' ').any(|flag| flag == *name)).collect();
    let clock = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    let clock = std::fs::read_to_string(clock).unwrap_or_default();
    format!(
        "median; CPU time of one pinned core (CLOCK_THREAD_CPUTIME_ID over {}); {} family {} model {}; {}; \
         {path} path; 64-byte messages with SM3 inside, known keys: {SIGNERS}",
        clock.trim(),
        field("model name"),
        field("cpu family"),
        field("model\t"),
        features.join(" "),
    )
}

fn print(ours: &[(&'static str, f64)], suffix: &str, peers: &[Peer], conditions: &str) {
    for (name, value) in ours {
        let unit = if name.starts_with("sm2") { "1/s" } else { "MB/s" };
        let full = format!("{name}{suffix}");
        let beside = peers
            .iter()
            .filter_map(|peer| Some(Some((peer.name.as_str(), *peer.figures.get(name)?))));
        let mut beside: Vec<_> = beside.collect();
        if beside.is_empty() {
            beside.push(None);
        }
        for peer in beside {
            Figure { name: &full, value: *value, unit, peer, conditions }.print_in("smkit");
        }
    }
}

/// The same for people, on standard error.
fn table(ours: &[(&'static str, f64)], peers: &[Peer], goals: &[(&str, f64, f64)]) {
    eprint!("{:<26}{:>10}{:>10}{:>10}", "figure", "here", "reach", "beyond");
    peers.iter().for_each(|peer| eprint!("{:>24}", peer.name));
    eprintln!();
    let goals: BTreeMap<_, _> =
        goals.iter().map(|(name, reach, beyond)| (*name, (*reach, *beyond))).collect();
    for (name, value) in ours {
        let (reach, beyond) = goals.get(name).copied().unwrap_or_default();
        let mark = match () {
            () if reach == 0.0 => "",
            () if *value >= beyond => "beyond",
            () if *value >= reach => "reached",
            () => "SHORT",
        };
        eprint!("{name:<26}{value:>10.0}{reach:>10.0}{beyond:>10.0}");
        for peer in peers {
            match peer.figures.get(name) {
                Some(theirs) => eprint!("{theirs:>16.0} {:>6.2}x", value / theirs),
                None => eprint!("{:>24}", "-"),
            }
        }
        eprintln!("  {mark}");
    }
}

/// Signers of a consortium.
const SIGNERS: usize = 8;
/// Verifications after which a key counts as known.
const VERIFIED_BEFORE: usize = 64;
const FEATURES: [&str; 12] = [
    "avx2",
    "bmi2",
    "adx",
    "aes",
    "pclmulqdq",
    "gfni",
    "vaes",
    "vpclmulqdq",
    "avx512f",
    "avx512bw",
    "avx512ifma",
    "avx512vbmi",
];
/// Name, to reach, beyond (issue 3).
const GOALS: [(&str, f64, f64); 11] = [
    ("sm2/verify/single", 16_000.0, 18_000.0),
    ("sm2/verify/known", 28_000.0, 35_000.0),
    ("sm2/verify/batch64", 50_000.0, 60_000.0),
    ("sm2/verify/batch64-known", 80_000.0, 110_000.0),
    ("sm2/sign/single", 40_000.0, 50_000.0),
    ("sm2/sign/batch64", 150_000.0, 180_000.0),
    ("sm3/stream-16k", 450.0, 480.0),
    ("sm3/lanes-16k", 2_300.0, 2_600.0),
    ("sm3/lanes-64b", 1_000.0, 1_200.0),
    ("sm4/ctr", 1_500.0, 2_500.0),
    ("sm4/gcm", 1_200.0, 2_000.0),
];
#[cfg(feature = "portable-only")]
const GOALS_PORTABLE: [(&str, f64, f64); 2] =
    [("sm2/verify/single", 8_000.0, 8_000.0), ("sm2/sign/single", 20_000.0, 20_000.0)];
