//! A chronyd that says what a test wants.

use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::thread;

use changbai_time::{
    BoundedClock, ChronyAddress, ChronyClient, OsClock, Policy, REPLY_BYTES, RawClock, Refusal,
    Standing, Tracking, evaluate,
};
use changbai_wire::time::Clock;
use smkit::OsRandom;

/// Answers to one request, made from the request and the answer that a good chronyd would give.
type Script = dyn Fn(usize, &[u8], Vec<u8>) -> Vec<Vec<u8>> + Send;

/// Answers so many requests by the script.
fn serve(questions: usize, values: Values, script: Box<Script>) -> ChronyAddress {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        for count in 0..questions {
            let mut request = [0; 2_048];
            let Ok((length, from)) = socket.recv_from(&mut request) else { return };
            let request = &request[..length];
            for answer in script(count, request, values.reply(request)) {
                socket.send_to(&answer, from).unwrap();
            }
        }
    });
    address.to_string().parse().unwrap()
}

/// What the simulated chronyd says of its clock.
#[derive(Clone, Copy)]
pub(crate) struct Values {
    reference: u32,
    stratum: u16,
    leap: u16,
    age_s: u64,
    dispersion: u32,
}

const GOOD: Values =
    Values { reference: 0x5050_5300, stratum: 1, leap: 0, age_s: 10, dispersion: ONE_MS };

/// 0.001 s and 0.011 s as chronyd writes them.
const ONE_MS: u32 = 0xf083_126e;
const ELEVEN_MS: u32 = 0xf6b4_3958;

impl Values {
    fn reply(self, request: &[u8]) -> Vec<u8> {
        let mut out = vec![6, 2, 0, 0, 0, 33, 0, 5];
        out.extend([0; 8]);
        out.extend(&request[8..12]);
        out.extend([0; 8]);
        out.extend(self.reference.to_be_bytes());
        out.extend([0; 20]);
        out.extend(self.stratum.to_be_bytes());
        out.extend(self.leap.to_be_bytes());
        let measured_s = OsClock::start().read().wall.0 / 1_000_000_000 - self.age_s;
        out.extend([0; 4]);
        out.extend(u32::try_from(measured_s).unwrap().to_be_bytes());
        out.extend([0; 4 + 7 * 4]);
        out.extend(self.dispersion.to_be_bytes());
        out.extend([0; 4]);
        assert_eq!(out.len(), REPLY_BYTES);
        out
    }
}

fn ask(client: &mut ChronyClient) -> Result<Tracking, Refusal> {
    client.ask(&OsClock::start(), &mut OsRandom)
}

/// The standing after one question, as a node and `changbai time check` would have it.
fn standing(values: Values) -> Standing {
    let address = serve(1, values, Box::new(|_, _, reply| vec![reply]));
    let tracking = ask(&mut ChronyClient::new(address)).unwrap();
    let clock = BoundedClock::new(Arc::new(OsClock::start()), Policy::default());
    clock.learn(Ok(tracking), clock.raw());
    let standing = clock.standing();
    assert_eq!(clock.now().bound_us.is_some(), standing.bound_us().is_some());
    let judged = evaluate(&tracking, clock.policy(), clock.raw().wall);
    assert_eq!(judged.refusal().is_some(), standing.refusal().is_some());
    standing
}

fn failure(questions: usize, script: Box<Script>) -> Refusal {
    ask(&mut ChronyClient::new(serve(questions, GOOD, script))).unwrap_err()
}

#[test]
fn a_good_clock_has_a_bound() {
    let bound_us = standing(GOOD).bound_us().unwrap();
    assert!((2_000..2_500).contains(&bound_us), "{bound_us}");
}

#[test]
fn eleven_milliseconds_are_refused() {
    let standing = standing(Values { dispersion: ELEVEN_MS, ..GOOD });
    let Some(Refusal::Bound { bound_us, bound_us_max: 10_000 }) = standing.refusal() else {
        panic!("{standing:?}")
    };
    assert!((12_000..12_500).contains(bound_us));
}

#[test]
fn a_clock_that_follows_nothing_good_is_refused() {
    for (values, expected) in [
        (Values { leap: 3, ..GOOD }, Refusal::LeapAlarm),
        (Values { reference: 0, stratum: 0, leap: 3, ..GOOD }, Refusal::Unsynchronised),
        (Values { reference: 0x7f7f_0101, ..GOOD }, Refusal::LocalReference),
        (Values { stratum: 16, ..GOOD }, Refusal::Stratum { stratum: 16 }),
    ] {
        assert_eq!(standing(values), Standing::Refused(expected));
    }
    let stale = standing(Values { age_s: 5_000, ..GOOD });
    assert!(matches!(stale.refusal(), Some(Refusal::Stale { age_s_max: 4_096, .. })));
    for leap in [1, 2] {
        assert!(standing(Values { leap, ..GOOD }).bound_us().is_some());
    }
}

#[test]
fn silence_is_no_reply() {
    assert_eq!(failure(2, Box::new(|_, _, _| Vec::new())), Refusal::NoReply);
}

#[test]
fn a_lost_datagram_is_asked_for_again() {
    let script = |count, _: &[u8], reply| if count == 0 { Vec::new() } else { vec![reply] };
    let address = serve(2, GOOD, Box::new(script));
    assert!(ask(&mut ChronyClient::new(address)).is_ok());
}

#[test]
fn nobody_there_is_unreachable() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    drop(socket);
    let refusal = ask(&mut ChronyClient::new(address.parse().unwrap())).unwrap_err();
    assert!(matches!(refusal, Refusal::Unreachable { .. }), "{refusal:?}");
}

#[test]
fn garbage_is_refused_at_once() {
    for garbage in [Vec::new(), vec![0; 104], vec![255; 2_000], b"HTTP/1.1 200 OK".to_vec()] {
        let refusal = failure(1, Box::new(move |_, _, _| vec![garbage.clone()]));
        assert!(matches!(refusal, Refusal::Malformed { .. }), "{refusal:?}");
    }
}

#[test]
fn a_status_is_told() {
    let refused = |_, _: &[u8], mut reply: Vec<u8>| {
        reply[9] = 2;
        vec![reply]
    };
    assert_eq!(failure(1, Box::new(refused)), Refusal::Status { status: 2 });
}

#[test]
fn a_wrong_sequence_is_not_an_answer() {
    let wrong = |_, _: &[u8], mut reply: Vec<u8>| {
        reply[16] ^= 1;
        vec![reply]
    };
    assert_eq!(failure(2, Box::new(wrong)), Refusal::Sequence);
    // Beside a right one it does no harm.
    let both = |_, _: &[u8], reply: Vec<u8>| {
        let mut wrong = reply.clone();
        wrong[16] ^= 1;
        vec![wrong, reply]
    };
    let address = serve(1, GOOD, Box::new(both));
    assert!(ask(&mut ChronyClient::new(address)).is_ok());
}

#[test]
fn a_flood_ends_the_question() {
    let flood = |_, _: &[u8], mut reply: Vec<u8>| {
        reply[16] ^= 1;
        vec![reply; 64]
    };
    assert_eq!(failure(1, Box::new(flood)), Refusal::Sequence);
}

#[test]
fn a_replay_is_told_from_a_foreign_answer() {
    let kept = std::sync::Mutex::new(None);
    let replay = move |count, _: &[u8], reply: Vec<u8>| {
        if count == 0 {
            *kept.lock().unwrap() = Some(reply.clone());
            return vec![reply];
        }
        vec![kept.lock().unwrap().clone().unwrap()]
    };
    let mut client = ChronyClient::new(serve(3, GOOD, Box::new(replay)));
    assert!(ask(&mut client).is_ok());
    assert_eq!(ask(&mut client), Err(Refusal::Replayed));
}

#[test]
fn a_unix_socket_serves_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chronyd.sock");
    let socket = UnixDatagram::bind(&path).unwrap();
    let server = thread::spawn(move || {
        let mut request = [0; 2_048];
        let (length, from) = socket.recv_from(&mut request).unwrap();
        let reply = GOOD.reply(&request[..length]);
        socket.send_to(&reply, from.as_pathname().unwrap()).unwrap();
    });
    let address = path.to_str().unwrap().parse().unwrap();
    let tracking = ask(&mut ChronyClient::new(address)).unwrap();
    server.join().unwrap();
    assert_eq!(tracking.reference(), "PPS");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "its own socket is gone");
}
