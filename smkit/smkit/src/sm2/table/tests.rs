#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::sm2::group::Point;

#[test]
fn a_lazy_table_appears_and_agrees() {
    let (x, y) = Point::mul_base(&Scalar::reduce(&[3; 32])).to_affine().unwrap();
    let point = Affine::from_bytes(&x, &y).unwrap();
    let lazy = LazyTable::default();
    let scalar = Scalar::reduce(&[7; 32]);
    let expected = Point::from(point).mul(&scalar).to_affine();
    for _ in 0..USES_BEFORE_TABLE + 3 {
        assert_eq!(Point::from(lazy.multiple(&scalar, &point)).to_affine(), expected);
    }
    assert!(lazy.table.get().is_some_and(Option::is_some));
}
