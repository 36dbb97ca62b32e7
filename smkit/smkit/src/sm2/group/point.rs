//! Points in homogeneous coordinates with formulas that are complete: right for every pair, infinity included.
//!
//! Renes, Costello, Batina, “Complete addition formulas for prime order elliptic curves” (2015), algorithms 4 and 6
//! (a = −3). Without exceptions there is nothing to branch on, so secrets may be added here; [`super::ladder`] multiplies.

use zeroize::{Zeroize, Zeroizing};

use super::{Affine, Field, Jacobian, Scalar, comb, constants};

/// A point of the curve, infinity included; x = X/Z, y = Y/Z.
#[derive(Clone, Copy)]
pub(crate) struct Point {
    pub(super) x: Field,
    pub(super) y: Field,
    pub(super) z: Field,
}

impl Point {
    pub(crate) const INFINITY: Self = Self { x: Field::ZERO, y: Field::ONE, z: Field::ZERO };
    pub(crate) const GENERATOR: Self =
        Self { x: Affine::GENERATOR.x, y: Affine::GENERATOR.y, z: Field::ONE };

    /// The point with these big-endian coordinates; `None` when one is not below p or the point is off the curve.
    pub(crate) fn from_affine(x: &[u8; 32], y: &[u8; 32]) -> Option<Self> {
        Affine::from_bytes(x, y).map(Self::from)
    }

    /// The point with this x and y of this parity; `None` when x is not below p or belongs to no point.
    pub(crate) fn decompress(x: &[u8; 32], y_is_odd: bool) -> Option<Self> {
        let x = Field::from_bytes(x)?;
        let root = Affine::curve_at(&x).square_root()?;
        let [lowest, ..] = root.to_limbs();
        // y = 0 is on no point of a group of odd order, so both parities exist.
        let y = if (lowest & 1 == 1) == y_is_odd { root } else { root.negate() };
        Some(Self { x, y, z: Field::ONE })
    }

    /// \[k\]G, in the same time for every k.
    pub(crate) fn mul_base(k: &Scalar) -> Self {
        comb::GENERATOR.multiply(k).into()
    }

    pub(crate) fn add(&self, other: &Self) -> Self {
        let (x1, y1, z1) = (&self.x, &self.y, &self.z);
        let (x2, y2, z2) = (&other.x, &other.y, &other.z);
        let xx = x1.multiply(x2);
        let yy = y1.multiply(y2);
        let zz = z1.multiply(z2);
        let xy = x1.add(y1).multiply(&x2.add(y2)).subtract(&xx.add(&yy));
        let yz = y1.add(z1).multiply(&y2.add(z2)).subtract(&yy.add(&zz));
        let xz = x1.add(z1).multiply(&x2.add(z2)).subtract(&xx.add(&zz));
        let part = triple(&xz.subtract(&B.multiply(&zz)));
        let low = yy.subtract(&part);
        let high = yy.add(&part);
        let zz3 = triple(&zz);
        let mixed = triple(&B.multiply(&xz).subtract(&zz3).subtract(&xx));
        let xx3 = triple(&xx).subtract(&zz3);
        Self {
            x: xy.multiply(&high).subtract(&yz.multiply(&mixed)),
            y: high.multiply(&low).add(&xx3.multiply(&mixed)),
            z: yz.multiply(&low).add(&xy.multiply(&xx3)),
        }
    }

    pub(crate) fn double(&self) -> Self {
        let (x, y, z) = (&self.x, &self.y, &self.z);
        let xx = x.square();
        let yy = y.square();
        let zz = z.square();
        let xy2 = x.multiply(y).double();
        let xz2 = x.multiply(z).double();
        let yz2 = y.multiply(z).double();
        let part = triple(&B.multiply(&zz).subtract(&xz2));
        let low = yy.subtract(&part);
        let high = yy.add(&part);
        let zz3 = triple(&zz);
        let mixed = triple(&B.multiply(&xz2).subtract(&zz3).subtract(&xx));
        let xx3 = triple(&xx).subtract(&zz3);
        Self {
            x: low.multiply(&xy2).subtract(&yz2.multiply(&mixed)),
            y: low.multiply(&high).add(&xx3.multiply(&mixed)),
            z: yz2.multiply(&yy).double().double(),
        }
    }

    pub(crate) fn is_infinity(&self) -> bool {
        self.z.is_zero()
    }

    /// The big-endian coordinates; `None` for infinity.
    pub(crate) fn to_affine(self) -> Option<([u8; 32], [u8; 32])> {
        if self.is_infinity() {
            return None;
        }
        // Z would tell about the scalar that led here.
        let inverse = Zeroizing::new(self.z.invert());
        let (x, y) = (self.x.multiply(&inverse), self.y.multiply(&inverse));
        Some((x.to_bytes(), y.to_bytes()))
    }
}

impl From<Affine> for Point {
    fn from(Affine { x, y }: Affine) -> Self {
        Self { x, y, z: Field::ONE }
    }
}

impl From<Jacobian> for Point {
    fn from(Jacobian { x, y, z }: Jacobian) -> Self {
        Self { x: x.multiply(&z), y, z: z.square().multiply(&z) }
    }
}

impl Zeroize for Point {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.z.zeroize();
    }
}

fn triple(value: &Field) -> Field {
    value.double().add(value)
}

/// b of the curve.
pub(super) const B: Field = Field::constant(&constants::B);
