//! What this processor can do, asked once; every kernel is chosen through here. [`report`] tells which ones run.
//!
//! Without the feature `std` nothing is asked, and everything is portable.

#![allow(dead_code, reason = "kernels of other modules and targets ask selectively")]

mod report;

use core::sync::atomic::{AtomicU32, Ordering};

pub use self::report::{Path, Report, report};

/// MULX, ADCX and ADOX: the scalar field arithmetic of SM2; and ANDN.
#[must_use]
pub(crate) fn has_bmi2_adx() -> bool {
    has(BMI2_ADX)
}

/// 256-bit integer vectors.
#[must_use]
pub(crate) fn has_avx2() -> bool {
    has(AVX2)
}

/// 512-bit integer vectors (F, BW, DQ, VL).
#[must_use]
pub(crate) fn has_avx512() -> bool {
    has(AVX512)
}

/// 52-bit multiply-add in eight lanes, with [`has_avx512`].
#[must_use]
pub(crate) fn has_avx512_ifma() -> bool {
    has(AVX512_IFMA)
}

/// Byte permutation across a 512-bit vector, with [`has_avx512`].
#[must_use]
pub(crate) fn has_avx512_vbmi() -> bool {
    has(AVX512_VBMI)
}

/// Affine transforms over GF(2⁸) on 512-bit vectors, with [`has_avx512`].
#[must_use]
pub(crate) fn has_gfni_avx512() -> bool {
    has(GFNI_AVX512)
}

/// Affine transforms over GF(2⁸) on 256-bit vectors, with [`has_avx2`].
#[must_use]
pub(crate) fn has_gfni_avx2() -> bool {
    has(GFNI_AVX2)
}

/// AES rounds on 128-bit vectors, with [`has_avx2`].
#[must_use]
pub(crate) fn has_aes_avx2() -> bool {
    has(AES_AVX2)
}

/// Carry-less multiplication on 128-bit vectors (with SSSE3 for the byte order).
#[must_use]
pub(crate) fn has_pclmul() -> bool {
    has(PCLMUL)
}

/// Carry-less multiplication on 512-bit vectors, with [`has_avx512`].
#[must_use]
pub(crate) fn has_vpclmul() -> bool {
    has(VPCLMUL)
}

/// The SM3 and SM4 instructions of Armv8.2.
#[must_use]
pub(crate) fn has_arm_sm() -> bool {
    has(ARM_SM)
}

/// Carry-less multiplication of Armv8.
#[must_use]
pub(crate) fn has_arm_pmull() -> bool {
    has(ARM_PMULL)
}

/// Whether the processor itself has AVX2, even when `force_portable` has hidden it: what a kernel asserts before it runs.
///
/// [`has_avx2`] chooses a kernel; by the time that kernel starts, another thread may have thrown the switch.
#[must_use]
pub(crate) fn runs_avx2() -> bool {
    runs(AVX2)
}

/// Like [`runs_avx2`], for what [`has_avx512`] stands for.
#[must_use]
pub(crate) fn runs_avx512() -> bool {
    runs(AVX512)
}

/// Like [`runs_avx2`], for what [`has_bmi2_adx`] stands for.
#[must_use]
pub(crate) fn runs_bmi() -> bool {
    runs(BMI2_ADX)
}

/// Like [`runs_avx2`], for what [`has_arm_sm`] stands for.
#[must_use]
pub(crate) fn runs_arm_sm() -> bool {
    runs(ARM_SM)
}

/// Turns every kernel off (`true`) or back on, for differential tests and the `-portable` benches.
///
/// Process-wide: a test must compare results, never assume which path ran.
#[cfg(any(test, feature = "portable-only"))]
pub fn force_portable(portable: bool) {
    FEATURES.store(if portable { KNOWN } else { ask() }, Ordering::Relaxed);
}

/// Does `work` with every kernel turned off, in the whole process: what others compute meanwhile is as right, but slow.
pub(crate) fn portably<T>(work: impl FnOnce() -> T) -> T {
    // One at a time: what each finds and restores must not be another's switch.
    #[cfg(feature = "std")]
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let _restore = Restore(FEATURES.swap(KNOWN, Ordering::Relaxed));
    work()
}

#[cfg(feature = "std")]
static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// Puts the answers back, whatever ends the work.
struct Restore(u32);

impl Drop for Restore {
    fn drop(&mut self) {
        FEATURES.store(self.0, Ordering::Relaxed);
    }
}

/// Hides AVX-512 and GFNI (`true`) or shows them again: the kernels of processors that have AVX2 and AES-NI only.
///
/// Process-wide, like [`force_portable`]; the last call of either counts.
#[cfg(any(test, feature = "portable-only"))]
#[cfg_attr(
    not(feature = "portable-only"),
    allow(unreachable_pub, reason = "exported under the feature")
)]
pub fn force_avx2(hidden: bool) {
    let newer = AVX512 | AVX512_IFMA | AVX512_VBMI | GFNI_AVX512 | GFNI_AVX2 | VPCLMUL;
    FEATURES.store(if hidden { ask() & !newer } else { ask() }, Ordering::Relaxed);
}

fn has(feature: u32) -> bool {
    let mut known = FEATURES.load(Ordering::Relaxed);
    if known & KNOWN == 0 {
        known = ask();
        FEATURES.store(known, Ordering::Relaxed);
    }
    known & feature != 0
}

fn runs(feature: u32) -> bool {
    let mut present = PRESENT.load(Ordering::Relaxed);
    if present & KNOWN == 0 {
        present = ask();
    }
    present & feature != 0
}

fn ask() -> u32 {
    let present = detect() | KNOWN;
    PRESENT.store(present, Ordering::Relaxed);
    present
}

#[cfg(all(target_arch = "x86_64", feature = "std"))]
fn detect() -> u32 {
    use std::arch::is_x86_feature_detected as is;
    let avx2 = is!("avx2");
    let avx512 = avx2 && is!("avx512f") && is!("avx512bw") && is!("avx512dq") && is!("avx512vl");
    let pclmul = is!("pclmulqdq") && is!("ssse3") && is!("sse4.1");
    [
        (BMI2_ADX, is!("bmi1") && is!("bmi2") && is!("adx")),
        (AVX2, avx2),
        (AVX512, avx512),
        (AVX512_IFMA, avx512 && is!("avx512ifma")),
        (AVX512_VBMI, avx512 && is!("avx512vbmi")),
        (GFNI_AVX512, avx512 && is!("gfni")),
        (GFNI_AVX2, avx2 && is!("gfni")),
        (AES_AVX2, avx2 && is!("aes")),
        (PCLMUL, pclmul),
        (VPCLMUL, avx512 && pclmul && is!("vpclmulqdq")),
    ]
    .into_iter()
    .fold(0, |all, (feature, present)| if present { all | feature } else { all })
}

/// The kernels for Arm count lanes as a little-endian processor does.
#[cfg(all(target_arch = "aarch64", target_endian = "little", feature = "std"))]
fn detect() -> u32 {
    use std::arch::is_aarch64_feature_detected as is;
    let arm_sm = if is!("sm4") { ARM_SM } else { 0 };
    let arm_pmull = if is!("aes") && is!("pmull") { ARM_PMULL } else { 0 };
    arm_sm | arm_pmull
}

/// Asking the processor needs the standard library: without it everything is portable.
#[cfg(not(all(
    any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little")),
    feature = "std"
)))]
fn detect() -> u32 {
    0
}

/// What kernels are chosen by, one bit each; zero until first asked.
static FEATURES: AtomicU32 = AtomicU32::new(0);
/// What the processor answered, one bit each; zero until first asked.
static PRESENT: AtomicU32 = AtomicU32::new(0);

const KNOWN: u32 = 1;
const BMI2_ADX: u32 = 1 << 1;
const AVX2: u32 = 1 << 2;
const AVX512: u32 = 1 << 3;
const AVX512_IFMA: u32 = 1 << 4;
const AVX512_VBMI: u32 = 1 << 5;
const GFNI_AVX512: u32 = 1 << 6;
const GFNI_AVX2: u32 = 1 << 7;
const AES_AVX2: u32 = 1 << 8;
const PCLMUL: u32 = 1 << 9;
const VPCLMUL: u32 = 1 << 10;
const ARM_SM: u32 = 1 << 11;
const ARM_PMULL: u32 = 1 << 12;
