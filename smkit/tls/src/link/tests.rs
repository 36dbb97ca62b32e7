//! The parts below a handshake: first bytes, counted reads, places.

use proptest::prelude::*;
use tokio::io::AsyncReadExt as _;

use super::{
    half_open::HalfOpen,
    metered::{HandshakeTooLarge, Metered},
    *,
};

#[test]
fn first_bytes_tell_the_protocol() {
    assert_eq!(sniff(&[22, 3, 1]), Sniffed::Is(Protocol::Tls13));
    assert_eq!(sniff(&[22, 3, 3, 0, 5]), Sniffed::Is(Protocol::Tls13));
    assert_eq!(sniff(&[22, 1, 1]), Sniffed::Is(Protocol::Tlcp));
    for foreign in [b"GET".as_slice(), b"\x15\x03\x03", b"\x16\x03\x00", b"\x16\x02", b"\x00"] {
        assert_eq!(sniff(foreign), Sniffed::Foreign, "{foreign:?}");
    }
    for incomplete in [b"".as_slice(), b"\x16", b"\x16\x03", b"\x16\x01"] {
        assert_eq!(sniff(incomplete), Sniffed::Incomplete);
    }
}

proptest! {
    #[test]
    fn three_bytes_always_decide_and_more_change_nothing(first: [u8; 3], more: Vec<u8>) {
        let decided = sniff(&first);
        prop_assert_ne!(decided, Sniffed::Incomplete);
        prop_assert_eq!(sniff(&[first.as_slice(), &more].concat()), decided);
        for known in [&first[..1], &first[..2]] {
            // What is refused early would have been refused later.
            prop_assert!(sniff(known) != Sniffed::Foreign || decided == Sniffed::Foreign);
        }
    }
}

#[tokio::test]
async fn bytes_looked_at_are_read_again_and_all_are_counted() {
    let mut stream = Metered::new([22, 3, 1, 4, 5, 6, 7].as_slice().chain(tokio::io::empty()), 5);
    assert_eq!(stream.protocol().await.unwrap(), Protocol::Tls13);
    assert_eq!(stream.protocol().await.unwrap(), Protocol::Tls13);
    let mut read = [0; 5];
    stream.read_exact(&mut read).await.unwrap();
    assert_eq!(read, [22, 3, 1, 4, 5]);
    let error = stream.read(&mut read).await.unwrap_err();
    assert!(error.get_ref().unwrap().is::<HandshakeTooLarge>());
    stream.open();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, [6, 7]);
}

#[tokio::test]
async fn a_stream_that_ends_early_or_speaks_something_else() {
    let mut stream = Metered::new([22, 3].as_slice(), 100);
    assert!(matches!(stream.protocol().await, Err(LinkError::Io(_))));
    let mut stream = Metered::new(b"GET / HTTP/1.1".as_slice(), 100);
    assert!(matches!(stream.protocol().await, Err(LinkError::Foreign { .. })));
}

#[tokio::test]
async fn the_oldest_makes_room_and_leaving_frees_a_place() {
    let places = HalfOpen::new(2);
    let (first, second) = (places.enter(), places.enter());
    assert_eq!(places.count(), 2);
    drop(second);
    assert_eq!(places.count(), 1);
    let (second, third) = (places.enter(), places.enter());
    first.evicted().await;
    assert_eq!(places.count(), 2);
    drop(first);
    assert_eq!(places.count(), 2, "an evicted place is not given back twice");
    drop((second, third));
    assert_eq!(places.count(), 0);
}
