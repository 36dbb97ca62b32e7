//! Which code runs for each algorithm, for logs, metrics and assessors.

use core::fmt;

use crate::{sm2, sm3, sm4};

/// What runs on this processor. Every path gives the same results; they differ in speed alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Arithmetic of one SM2 operation.
    pub sm2: Path,
    /// [`crate::sm2::verify_many`] and [`crate::sm2::sign_many`].
    pub sm2_many: Path,
    /// One SM3 stream, and with it HMAC and key derivation.
    pub sm3: Path,
    /// [`crate::sm3_many`] and its relatives.
    pub sm3_many: Path,
    /// The SM4 block cipher under every mode.
    pub sm4: Path,
    /// The universal hash of SM4-GCM.
    pub ghash: Path,
}

impl Report {
    /// The fields with their names, in the order of their definition.
    #[must_use]
    pub const fn rows(&self) -> [(&'static str, Path); 6] {
        [
            ("sm2", self.sm2),
            ("sm2_many", self.sm2_many),
            ("sm3", self.sm3),
            ("sm3_many", self.sm3_many),
            ("sm4", self.sm4),
            ("ghash", self.ghash),
        ]
    }
}

impl fmt::Display for Report {
    /// `sm2 bmi2-adx, sm2_many avx512-ifma, …`
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, path)) in self.rows().iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(out, "{comma}{name} {path}")?;
        }
        Ok(())
    }
}

/// The instructions that a path needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Path {
    /// None beyond the target's own.
    Portable,
    /// MULX, ADCX and ADOX.
    Bmi2Adx,
    /// 256-bit vectors.
    Avx2,
    /// 512-bit vectors, or their instructions on shorter ones.
    Avx512,
    /// 52-bit multiply-add in 512-bit vectors.
    Avx512Ifma,
    /// AES rounds with AVX2.
    AesNi,
    /// Affine transforms of bytes with AVX-512.
    Gfni512,
    /// Carry-less multiplication of 128 bits.
    Pclmul,
    /// Carry-less multiplication of 512 bits.
    Vpclmul,
    /// The SM3 and SM4 instructions of Armv8.2.
    Armv8Sm,
    /// The carry-less multiplication of Armv8.
    Armv8Pmull,
}

impl Path {
    /// A name for logs and metrics, which never changes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Bmi2Adx => "bmi2-adx",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Avx512Ifma => "avx512-ifma",
            Self::AesNi => "aes-ni",
            Self::Gfni512 => "gfni-avx512",
            Self::Pclmul => "pclmul",
            Self::Vpclmul => "vpclmul",
            Self::Armv8Sm => "armv8-sm",
            Self::Armv8Pmull => "armv8-pmull",
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// What runs now; asks the processor the first time.
#[must_use]
pub fn report() -> Report {
    Report {
        sm2: sm2::path(),
        sm2_many: sm2::path_many(),
        sm3: sm3::path(),
        sm3_many: sm3::path_many(),
        sm4: sm4::path(),
        ghash: sm4::path_ghash(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_shown_once() {
        let report = report();
        let text = report.to_string();
        assert_eq!(text.split(", ").count(), report.rows().len());
        for (name, path) in report.rows() {
            assert!(text.contains(&format!("{name} {path}")), "{text}");
        }
    }

    #[test]
    fn with_the_kernels_off_everything_is_portable() {
        // Other tests may turn them on again meanwhile: what is said must only fit the processor.
        let off = crate::cpu::portably(report);
        let on = report();
        for ((_, off), (_, on)) in off.rows().into_iter().zip(on.rows()) {
            assert!(off == Path::Portable || off == on || on == Path::Portable, "{off} {on}");
        }
    }
}
