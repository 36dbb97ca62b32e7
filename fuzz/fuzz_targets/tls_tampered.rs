//! A real handshake with somebody in between who changes bytes as the input says: if both sides finish all the same, they
//! finish with the same keys.
#![no_main]

use changbai_fuzz::tls::{client, feed, sent, server};

/// More turns than any handshake has.
const TURNS_MAX: usize = 12;
/// Bytes of a flight up to which edits may double it.
const FLIGHT_MAX: usize = 64 * 1024;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("tls_tampered"), |data: &[u8]| {
    let (mut client, mut server) = (client(), server());
    let (mut client_well, mut server_well) = (true, true);
    let (edits, _) = data.as_chunks::<4>();
    let mut turn = 0;
    while turn < TURNS_MAX {
        let mut to_server = sent(&mut client);
        let mut to_client = sent(&mut server);
        if to_server.is_empty() && to_client.is_empty() {
            break;
        }
        tamper(&mut to_server, edits, turn);
        tamper(&mut to_client, edits, turn + 1);
        server_well = server_well && feed(&mut server, &to_server, 4096).is_ok();
        client_well = client_well && feed(&mut client, &to_client, 4096).is_ok();
        turn += 2;
    }
    if !client.is_handshaking() && !server.is_handshaking() {
        let theirs = client.export_keying_material([0; 32], b"fuzz", None);
        let ours = server.export_keying_material([0; 32], b"fuzz", None);
        // A side that failed after its handshake (a ticket was touched, an alert came) gives no keys.
        if let (Ok(theirs), Ok(ours)) = (theirs, ours) {
            assert_eq!(theirs, ours, "two conversations");
        }
        assert_eq!(client.peer_certificates(), server.peer_certificates(), "not the one there is");
    }
});

/// Applies the edits of this turn: turn, kind and two bytes of place.
fn tamper(bytes: &mut Vec<u8>, edits: &[[u8; 4]], turn: usize) {
    for [at, kind, high, low] in edits {
        if usize::from(*at) % TURNS_MAX != turn || bytes.is_empty() {
            continue;
        }
        let place = usize::from(u16::from_be_bytes([*high, *low])) % bytes.len();
        match kind % 6 {
            0 => bytes[place] ^= 1 << (kind / 6 % 8),
            1 => bytes.truncate(place),
            2 if bytes.len() < FLIGHT_MAX => bytes.extend_from_within(..),
            3 => bytes.insert(place, *kind),
            4 => bytes.clear(),
            _ => bytes.rotate_left(place),
        }
    }
}
