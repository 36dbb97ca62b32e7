//! Does the time of an operation tell its secret? Welch's t over two classes of inputs, in dudect's manner.
//!
//! Reparaz, Balasch, Verbauwhede, “Dude, is my code constant time?” (DATE 2017): one class has a fixed secret, the other a
//! new one each time, in random order, prepared outside the clock and laid out alike. The t statistic is taken over all
//! times and over times below a row of percentiles, since interrupts hide small differences; the largest counts.

use std::fmt::Write as _;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit::sm4::{Gcm, Key};
use smkit::{OsRandom, Random as _};

use crate::sampling::pin;

/// Measurements of each operation.
pub(crate) const MEASUREMENTS: usize = 200_000;
pub(crate) const MEASUREMENTS_QUICK: usize = 20_000;

/// Prints and writes the result; fails when a secret shows, or when the control's does not.
pub(crate) fn run(measurements: usize) -> ExitCode {
    pin();
    let results = [
        result("control: comparison that stops early", true, control(measurements)),
        result("SM2 sign, fixed or random key", false, sign_keys(measurements)),
        result("SM2 sign, fixed or random nonce", false, sign_nonces(measurements)),
        result("SM2 public key of fixed or random d", false, public_keys(measurements)),
        result(
            "SM4 key expansion and GCM seal, fixed or random key",
            false,
            sm4_keys(measurements),
        ),
        result("SM4-GCM seal, fixed or random plaintext", false, sm4_texts(measurements)),
    ];
    let text = report(&results, measurements);
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/constant-time.md");
    println!("{text}");
    if let Err(error) = std::fs::write(&file, &text) {
        eprintln!("{}: {error}", file.display());
        return ExitCode::FAILURE;
    }
    if results.iter().all(Outcome::as_expected) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One operation's largest |t|.
struct Outcome {
    operation: &'static str,
    /// Whether a difference must show: the control, which proves that the test sees one.
    leaks: bool,
    t: f64,
    /// Median of each class, nanoseconds.
    medians: [f64; 2],
}

impl Outcome {
    fn as_expected(&self) -> bool {
        (self.t >= LEAK) == self.leaks
    }

    fn verdict(&self) -> &'static str {
        match (self.t, self.leaks) {
            (LEAK.., true) => "seen, as it must be",
            (_, true) => "NOT SEEN: the run proves nothing",
            (LEAK.., false) => "LEAK",
            (DOUBT.., false) => "in doubt: measure longer",
            (_, false) => "none found",
        }
    }
}

/// Times of the two classes, nanoseconds.
type Times = [Vec<f64>; 2];

/// Measures `work` on inputs of both classes in random order; `make` gets the class, 0 for the fixed one.
fn measure<T>(total: usize, make: impl Fn(usize) -> T, work: impl Fn(&T)) -> Times {
    let mut times = [Vec::new(), Vec::new()];
    while times.iter().map(Vec::len).sum::<usize>() < total {
        let mut coins = [0; ROUND];
        OsRandom.fill(&mut coins).expect("randomness");
        // Both classes get memory of their own, so that the caches treat them alike.
        let inputs: Vec<(usize, T)> = coins
            .iter()
            .map(|coin| {
                let class = usize::from(coin & 1);
                (class, make(class))
            })
            .collect();
        inputs.iter().take(WARM_UP).for_each(|(_, input)| work(input));
        for (class, input) in &inputs {
            let started = Instant::now();
            work(input);
            let nanoseconds = started.elapsed().as_nanos() as f64;
            if let Some(times) = times.get_mut(*class) {
                times.push(nanoseconds);
            }
        }
    }
    times
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRandom.fill(&mut bytes).expect("randomness");
    bytes
}

/// The fixed secret of class 0: few bits, where a leak is largest.
fn secret(class: usize) -> [u8; 32] {
    let mut secret = if class == 0 { [0; 32] } else { random() };
    // Below n, and not zero.
    secret[0] &= 0x7f;
    secret[31] |= 1;
    secret
}

fn signing_key(secret: &[u8; 32]) -> SigningKey {
    let key = PrivateKey::from_bytes(secret).expect("a secret in range");
    SigningKey::new(key, SignerId::DEFAULT).expect("default ID")
}

fn control(total: usize) -> Times {
    let reference = [0_u8; 256];
    let make = |class: usize| if class == 0 { [0; 256] } else { random::<256>() };
    measure(total, make, |input| {
        let equal = input.iter().zip(&reference).all(|(a, b)| black_box(a) == black_box(b));
        black_box(equal);
    })
}

fn sign_keys(total: usize) -> Times {
    let make = |class| (signing_key(&secret(class)), random::<32>());
    measure(total, make, |(key, message)| {
        black_box(key.sign(message));
    })
}

/// The nonce follows from key and message (RFC 6979), so a fixed message is a fixed nonce.
fn sign_nonces(total: usize) -> Times {
    let make = |class| {
        let message: [u8; 32] = if class == 0 { [0x5a; 32] } else { random() };
        (signing_key(&[0x5a; 32]), message)
    };
    measure(total, make, |(key, message)| {
        black_box(key.sign(message));
    })
}

fn public_keys(total: usize) -> Times {
    measure(total, secret, |secret| {
        black_box(PrivateKey::from_bytes(secret).is_ok());
    })
}

fn sm4_keys(total: usize) -> Times {
    let make = |class| {
        let key: [u8; 16] = if class == 0 { [0; 16] } else { random() };
        (Key::from_bytes(key), std::cell::RefCell::new(Vec::with_capacity(SEALED)))
    };
    measure(total, make, |(key, data)| seal(&Gcm::new(key), data, &[7; SEALED - 16]))
}

fn sm4_texts(total: usize) -> Times {
    let gcm = Gcm::new(&Key::from_bytes(random()));
    let make = |class| {
        let text: [u8; SEALED - 16] = if class == 0 { [0; SEALED - 16] } else { random() };
        (text, std::cell::RefCell::new(Vec::with_capacity(SEALED)))
    };
    measure(total, make, |(text, data)| seal(&gcm, data, text))
}

fn seal(gcm: &Gcm, data: &std::cell::RefCell<Vec<u8>>, text: &[u8]) {
    let mut data = data.borrow_mut();
    data.clear();
    data.extend_from_slice(text);
    gcm.seal_in_place(&[3; 12], b"", &mut data).expect("a short message");
}

fn result(operation: &'static str, leaks: bool, mut times: Times) -> Outcome {
    let mut all: Vec<f64> = times.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let at = |sorted: &[f64], share: f64| {
        let at = (sorted.len() as f64 * share) as usize;
        sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    };
    // dudect's row of croppings, and no cropping at all.
    let percentiles = (1..=CROPPINGS)
        .map(|step| 1.0 - 0.5_f64.powf(10.0 * f64::from(step) / f64::from(CROPPINGS)));
    let t = percentiles
        .map(|share| at(&all, share))
        .chain([f64::INFINITY])
        .filter_map(|limit| welch(&times, limit))
        .fold(0.0, f64::max);
    times.iter_mut().for_each(|class| class.sort_by(f64::total_cmp));
    let medians = [at(&times[0], 0.5), at(&times[1], 0.5)];
    eprintln!("{operation}: |t| = {t:.2}, medians {medians:?} ns");
    Outcome { operation, leaks, t, medians }
}

/// |t| over the times up to `limit`; `None` with too few of them.
fn welch(times: &Times, limit: f64) -> Option<f64> {
    let [(n0, mean0, variance0), (n1, mean1, variance1)] = [&times[0], &times[1]].map(|class| {
        let kept = || class.iter().copied().filter(|time| *time <= limit);
        let n = kept().count() as f64;
        let mean = kept().sum::<f64>() / n;
        let variance = kept().map(|time| (time - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (n, mean, variance)
    });
    let error = (variance0 / n0 + variance1 / n1).sqrt();
    (n0 >= KEPT_MIN && n1 >= KEPT_MIN && error > 0.0).then(|| ((mean0 - mean1) / error).abs())
}

fn report(results: &[Outcome], measurements: usize) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = |name: &str| {
        let line = cpu.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(": ")).map_or("?", |(_, value)| value).to_owned()
    };
    let mut text = format!(
        "# Timing of secret-key operations\n\n\
         Written by `cargo xtask timing`; do not edit. Method: dudect (Welch's t between a class of fixed and a class of random\n\
         secrets, cropped at {CROPPINGS} percentiles, largest |t|). Below {DOUBT} no difference was found; from {LEAK} on the run fails.\n\
         That nothing was found is evidence for this build on this processor, not proof.\n\n\
         Processor: {}, family {}, model {}; {measurements} measurements an operation, one pinned core of a shared machine.\n\n\
         | Operation | median fixed, ns | median random, ns | largest \\|t\\| | difference |\n|---|---:|---:|---:|---|\n",
        cpu("model name"),
        cpu("cpu family"),
        cpu("model\t"),
    );
    for result in results {
        let [fixed, random] = result.medians;
        let (operation, verdict) = (result.operation, result.verdict());
        let _ = writeln!(
            text,
            "| {operation} | {fixed:.0} | {random:.0} | {:.2} | {verdict} |",
            result.t
        );
    }
    text.push_str(GENERATED_CODE);
    text
}

const GENERATED_CODE: &str = "\n\
    ## Generated code\n\n\
    `cargo xtask ctgrind` runs public-key derivation, signing and SM4-GCM under Valgrind with the secret bytes marked\n\
    undefined; memcheck then reports every branch and every address computed from them. Each place that is reported and\n\
    stays has its reason in `xtask/src/ctgrind.rs`: ranges of d and of candidates for k, the standard's retries, and values\n\
    that are published anyway. Valgrind has no AVX-512: the 512-bit SM4 kernels are\n\
    looked at by the table above only, and signing in eight lanes (`sign_many`) and SM2 decryption by neither yet.\n";

/// Inputs made at a time.
const ROUND: usize = 512;
const WARM_UP: usize = 32;
const CROPPINGS: u32 = 40;
/// Fewest times of a class over which t means something.
const KEPT_MIN: f64 = 200.0;
/// dudect's bounds: below the first nothing was found, from the second on the time depends on the secret.
const DOUBT: f64 = 4.5;
const LEAK: f64 = 10.0;
/// A sealed message of 240 bytes.
const SEALED: usize = 256;
