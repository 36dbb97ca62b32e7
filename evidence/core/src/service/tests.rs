//! The parts that need no ledger; submissions against the real contract are tested in `contracts/evidence`.

use smkit::sm3::sm3;

use super::{
    SubmitError,
    flight::{Flights, Role},
};

#[tokio::test]
async fn followers_get_the_leaders_outcome_and_take_over_when_it_vanishes() {
    let flights = Flights::default();
    let key = sm3(b"key");
    let Ok(Role::Leader(first)) = flights.join(key) else { panic!("the first leads") };
    let Ok(Role::Follower(waiting)) = flights.join(key) else { panic!("the second waits") };
    assert!(matches!(flights.join(sm3(b"other")), Ok(Role::Leader(_))));
    drop(first);
    assert_eq!(waiting.outcome().await, None);

    let Ok(Role::Leader(second)) = flights.join(key) else { panic!("the seat is free again") };
    let Ok(Role::Follower(waiting)) = flights.join(key) else { panic!("it is taken again") };
    second.land(&Err(SubmitError::Random));
    assert_eq!(waiting.outcome().await, Some(Err(SubmitError::Random)));
    assert!(matches!(flights.join(key), Ok(Role::Leader(_))), "nothing is left behind");
}

#[test]
fn the_number_of_flights_is_bounded() {
    let flights = Flights::default();
    let leaders: Vec<_> = (0..crate::limits::SUBMISSIONS_IN_FLIGHT_MAX)
        .map(|n| flights.join(sm3(&n.to_be_bytes())).unwrap())
        .collect();
    assert!(matches!(flights.join(sm3(b"one more")), Err(SubmitError::Busy { .. })));
    drop(leaders);
    assert!(flights.join(sm3(b"one more")).is_ok());
}
