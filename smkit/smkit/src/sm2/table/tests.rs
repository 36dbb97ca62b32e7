#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::sm2::verifying::reduce;

fn multiple(table: &Table, scalar: &Scalar) -> ProjectivePoint {
    let mut sum = ProjectivePoint::IDENTITY;
    table.add_multiple(&mut sum, scalar);
    sum
}

#[test]
fn edges() {
    let point = ProjectivePoint::GENERATOR * reduce(&[0x5a; 32]);
    let table = Table::new(point);
    let mut scalars = vec![Scalar::ZERO, Scalar::ONE, -Scalar::ONE, -Scalar::from(2_u64)];
    scalars.extend((0..70_u64).map(Scalar::from));
    scalars.push(reduce(&[0xff; 32]));
    let mut power = Scalar::ONE;
    for _ in 0..256 {
        power += power;
        scalars.extend([power, power - Scalar::ONE, -power]);
    }
    for scalar in scalars {
        assert_eq!(multiple(&table, &scalar), point * scalar);
        assert_eq!(multiple(&GENERATOR, &scalar), ProjectivePoint::GENERATOR * scalar);
    }
}

#[test]
fn a_lazy_table_appears_and_agrees() {
    let point = (ProjectivePoint::GENERATOR * reduce(&[3; 32])).to_affine();
    let lazy = LazyTable::default();
    let scalar = reduce(&[7; 32]);
    for _ in 0..USES_BEFORE_TABLE + 3 {
        let mut sum = ProjectivePoint::GENERATOR;
        lazy.add_multiple(&mut sum, &scalar, &point);
        assert_eq!(sum, ProjectivePoint::GENERATOR + point * scalar);
    }
    assert!(lazy.table.get().is_some_and(Option::is_some));
}

proptest! {
    #[test]
    fn equals_plain_multiplication(scalar: [u8; 32], secret: [u8; 32]) {
        let scalar = reduce(&scalar);
        let point = ProjectivePoint::GENERATOR * reduce(&secret);
        prop_assume!(!bool::from(point.is_identity()));
        prop_assert_eq!(multiple(&Table::new(point), &scalar), point * scalar);
        prop_assert_eq!(multiple(&GENERATOR, &scalar), ProjectivePoint::GENERATOR * scalar);
    }
}
