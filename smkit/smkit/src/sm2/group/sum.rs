//! A sum of points under construction, in Jacobian coordinates, with the term and the scratch its formulas need.
//!
//! All lie in one piece of memory at fixed places, so that the kernel can run a whole formula on it. Without a kernel the
//! same formulas run on [`Field`]. Each is exact but for the exceptions it names; the callers answer for those.

use core::mem::offset_of;

use zeroize::Zeroize;

#[cfg(target_arch = "x86_64")]
use super::kernel;
use super::{Field, Jacobian};

/// The sum and the next term, which whoever adds has set.
///
/// Aligned to a cache line: a field that straddled two would delay the loads after its store.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Sum {
    pub(super) point: Jacobian,
    pub(super) term: Cached,
    scratch: [Field; 4],
    /// Zero exactly when the last addition met two points with one x.
    dx_bits: u64,
    /// Zero exactly when the last addition met two points with one y.
    dy_bits: u64,
}

/// A Jacobian point other than infinity, ready to be added often.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Cached {
    pub(super) point: Jacobian,
    zz: Field,
    zzz: Field,
}

impl Sum {
    /// A sum that starts at this point.
    pub(super) const fn new(point: Jacobian) -> Self {
        Self {
            point,
            term: Cached { point: Jacobian::INFINITY, zz: Field::ZERO, zzz: Field::ZERO },
            scratch: [Field::ZERO; 4],
            dx_bits: 1,
            dy_bits: 1,
        }
    }

    /// Twice the point. With λ = 3(X − Z²)(X + Z²)/2: X₃ = λ² − 2XY², Y₃ = λ(XY² − X₃) − Y⁴, Z₃ = YZ; that is
    /// dbl-2001-b with Z halved, which spares most of its doublings. Right for infinity (Z = 0 stays), and no point has
    /// order 2.
    #[inline]
    pub(super) fn double(&mut self) {
        #[cfg(target_arch = "x86_64")]
        if kernel::double(self) {
            return;
        }
        self.double_portable();
    }

    /// Adds the affine point in x and y of the term. Wrong when the sum is infinity or both have the same x, which
    /// [`Sum::met_same_x`] then tells; the sum has Z = 0 in both cases.
    #[inline]
    pub(super) fn add_affine(&mut self) {
        #[cfg(target_arch = "x86_64")]
        if kernel::add_affine(self) {
            return;
        }
        self.add_affine_portable();
    }

    /// Adds the term, whose Z is not zero. The exceptions of [`Sum::add_affine`].
    #[inline]
    pub(super) fn add_term(&mut self) {
        #[cfg(target_arch = "x86_64")]
        if kernel::add_term(self) {
            return;
        }
        self.add_term_portable();
    }

    pub(super) fn double_portable(&mut self) {
        let Jacobian { x, y, z } = &self.point;
        let zz = z.square();
        let yy = y.square();
        let slope = x.subtract(&zz).multiply(&x.add(&zz)).three_halves();
        let xyy = x.multiply(&yy);
        let x3 = slope.square().subtract(&xyy).subtract(&xyy);
        let z3 = y.multiply(z);
        let y3 = slope.multiply(&xyy.subtract(&x3)).subtract(&yy.square());
        self.point = Jacobian { x: x3, y: y3, z: z3 };
    }

    pub(super) fn add_affine_portable(&mut self) {
        let (sum, term) = (self.point, &self.term.point);
        let zz = sum.z.square();
        let dx = term.x.multiply(&zz).subtract(&sum.x);
        let dy = term.y.multiply(&zz.multiply(&sum.z)).subtract(&sum.y);
        let z = sum.z.multiply(&dx);
        self.finish(&sum.x, &sum.y, z, &dx, &dy);
    }

    pub(super) fn add_term_portable(&mut self) {
        let (sum, term) = (&self.point, &self.term.point);
        let zz = sum.z.square();
        let x1 = sum.x.multiply(&self.term.zz);
        let y1 = sum.y.multiply(&self.term.zzz);
        let dx = term.x.multiply(&zz).subtract(&x1);
        let dy = term.y.multiply(&zz.multiply(&sum.z)).subtract(&y1);
        let z = sum.z.multiply(&term.z).multiply(&dx);
        self.finish(&x1, &y1, z, &dx, &dy);
    }

    /// (x1, y1) and the term at one Z, differing by dx and dy: their sum, of that Z times dx.
    #[inline(always)]
    fn finish(&mut self, x1: &Field, y1: &Field, z: Field, dx: &Field, dy: &Field) {
        let dx2 = dx.square();
        let dx3 = dx2.multiply(dx);
        let v = x1.multiply(&dx2);
        let x = dy.square().subtract(&dx3).subtract(&v).subtract(&v);
        let y = dy.multiply(&v.subtract(&x)).subtract(&y1.multiply(&dx3));
        self.point = Jacobian { x, y, z };
        (self.dx_bits, self.dy_bits) = (dx.bits(), dy.bits());
    }

    /// Whether the last addition met two points with the same x, so that its result is wrong.
    pub(super) const fn met_same_x(&self) -> bool {
        self.dx_bits == 0
    }

    /// Whether the last addition met two points with the same y.
    pub(super) const fn met_same_y(&self) -> bool {
        self.dy_bits == 0
    }
}

impl Zeroize for Sum {
    fn zeroize(&mut self) {
        self.point.zeroize();
        self.term.point.zeroize();
        self.term.zz.zeroize();
        self.term.zzz.zeroize();
        self.scratch.zeroize();
        self.dx_bits.zeroize();
        self.dy_bits.zeroize();
    }
}

impl From<Jacobian> for Cached {
    fn from(point: Jacobian) -> Self {
        let zz = point.z.square();
        Self { point, zz, zzz: zz.multiply(&point.z) }
    }
}

/// What the kernel takes for granted.
const _: () = {
    assert!(offset_of!(Sum, point) == 0 && offset_of!(Sum, term) == 96);
    assert!(offset_of!(Jacobian, x) == 0 && offset_of!(Jacobian, y) == 32);
    assert!(offset_of!(Jacobian, z) == 64);
    assert!(offset_of!(Cached, zz) == 96 && offset_of!(Cached, zzz) == 128);
    assert!(offset_of!(Sum, scratch) == 256 && size_of::<Field>() == 32);
    assert!(offset_of!(Sum, dx_bits) == 384 && offset_of!(Sum, dy_bits) == 392);
};
