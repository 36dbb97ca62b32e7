//! Precomputed multiples of a point, for verification only: nothing here is constant-time.
//!
//! With every multiple d·32^w·P at hand, \[t\]P is 52 additions and no doubling. The base point always has a table; a public
//! key gets one once it has proved that it is used often. A table changes the time of a verification, never its result.

use std::sync::{
    LazyLock, OnceLock,
    atomic::{AtomicU32, AtomicUsize, Ordering},
};

use ::sm2::{
    AffinePoint, ProjectivePoint, Scalar,
    elliptic_curve::{BatchNormalize, Group, ff::PrimeField, ops::MulVartime},
};

/// d·32^w·P for d in 1..=16, one row per window w; about 60 KiB.
pub(crate) struct Table(Vec<[AffinePoint; DIGIT_MAX]>);

impl Table {
    /// The table of a point other than infinity; costs about three verifications.
    fn new(point: ProjectivePoint) -> Self {
        let mut points = Vec::with_capacity(WINDOWS * DIGIT_MAX);
        let mut base = point;
        for _ in 0..WINDOWS {
            let mut multiple = base;
            for _ in 1..DIGIT_MAX {
                points.push(multiple);
                multiple += base;
            }
            points.push(multiple);
            base = Group::double(&multiple);
        }
        let affine = ProjectivePoint::batch_normalize(points.as_slice());
        Self(affine.as_chunks().0.to_vec())
    }

    /// Adds \[scalar\]P to `sum`.
    pub(crate) fn add_multiple(&self, sum: &mut ProjectivePoint, scalar: &Scalar) {
        for (row, digit) in self.0.iter().zip(SignedDigits::new(scalar)) {
            let entry = usize::from(digit.magnitude).checked_sub(1).and_then(|at| row.get(at));
            if let Some(multiple) = entry {
                *sum += if digit.negative { -*multiple } else { *multiple };
            }
        }
    }
}

/// The table of the base point.
pub(crate) static GENERATOR: LazyLock<Table> =
    LazyLock::new(|| Table::new(ProjectivePoint::GENERATOR));

/// A public key's table, made after [`USES_BEFORE_TABLE`] verifications while fewer than [`TABLES_MAX`] exist.
#[derive(Default)]
pub(crate) struct LazyTable {
    uses: AtomicU32,
    table: OnceLock<Option<Counted>>,
}

impl LazyTable {
    /// Adds \[scalar\]P to `sum`, with the table if there is one by now.
    pub(crate) fn add_multiple(
        &self,
        sum: &mut ProjectivePoint,
        scalar: &Scalar,
        point: &AffinePoint,
    ) {
        match self.table(point) {
            Some(table) => table.add_multiple(sum, scalar),
            None => *sum += ProjectivePoint::from(*point).mul_vartime(scalar),
        }
    }

    fn table(&self, point: &AffinePoint) -> Option<&Table> {
        if self.uses.load(Ordering::Relaxed) < USES_BEFORE_TABLE {
            self.uses.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        self.table.get_or_init(|| Counted::new(point)).as_ref().map(|counted| &counted.0)
    }
}

/// A table that occupies one of the [`TABLES_MAX`] places until it is dropped.
struct Counted(Table);

impl Counted {
    fn new(point: &AffinePoint) -> Option<Self> {
        let next = |count: usize| (count < TABLES_MAX).then(|| count.saturating_add(1));
        TABLES.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        Some(Self(Table::new(ProjectivePoint::from(*point))))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        TABLES.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One digit in −16..=16.
struct Digit {
    magnitude: u8,
    negative: bool,
}

/// A scalar in signed digits to the base 32, lowest first: exactly [`WINDOWS`] of them.
struct SignedDigits {
    /// 64-bit limbs, lowest first.
    limbs: [u64; 4],
    window: usize,
    carry: u8,
}

impl SignedDigits {
    fn new(scalar: &Scalar) -> Self {
        let bytes = <[u8; 32]>::from(scalar.to_repr());
        let mut limbs = [0; 4];
        for (limb, chunk) in limbs.iter_mut().rev().zip(bytes.as_chunks::<8>().0) {
            *limb = u64::from_be_bytes(*chunk);
        }
        Self { limbs, window: 0, carry: 0 }
    }

    /// Five bits from bit 5·window on; zero beyond the top.
    fn bits(&self) -> u8 {
        let bit = self.window * WINDOW_BITS;
        let limb = |at: usize| u128::from(self.limbs.get(at).copied().unwrap_or(0));
        let pair = limb(bit / 64) | limb(bit / 64 + 1) << 64;
        let [low, ..] = (pair >> (bit % 64)).to_le_bytes();
        low & 0x1f
    }
}

impl Iterator for SignedDigits {
    type Item = Digit;

    fn next(&mut self) -> Option<Digit> {
        if self.window == WINDOWS {
            return None;
        }
        let digit = self.bits() + self.carry;
        self.window += 1;
        let negative = usize::from(digit) > DIGIT_MAX;
        self.carry = u8::from(negative);
        Some(Digit { magnitude: if negative { 32 - digit } else { digit }, negative })
    }
}

/// Verifications before a key gets its table: enough to earn back what the table costs.
const USES_BEFORE_TABLE: u32 = 8;
/// Most tables of public keys in a process at one time: about 30 MiB. Keys beyond it verify at the ordinary speed.
const TABLES_MAX: usize = 512;
/// How many tables of public keys exist: a bound on memory, not state anything depends on.
static TABLES: AtomicUsize = AtomicUsize::new(0);
const WINDOW_BITS: usize = 5;
/// 52 · 5 = 260 bits: 256 and the last carry.
const WINDOWS: usize = 52;
const DIGIT_MAX: usize = 16;

#[cfg(test)]
mod tests;
