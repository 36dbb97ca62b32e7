//! TLCP handshakes on a wire whose records are edited on their way.

use std::io::Read as _;
use std::sync::{Arc, OnceLock};

use smkit::sm2::PrivateKey;
use smkit_pki::Certificate;
use smkit_tls::tlcp::{
    CipherSuite, ClientAuthentication, ClientConfig, ClientConnection, Connection, Credentials,
    RECEIVED_BYTES_MAX, ServerConfig, ServerConnection,
};

/// The small world of the TLCP tests.
#[allow(dead_code, missing_docs, reason = "the tests' own")]
#[path = "../../smkit/tls/tests/it/tlcp/world.rs"]
mod world;

use world::{Member, NOW, StandingClock, World, counters};

/// Which side's records are edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edited {
    /// What the client sends: the server is under test.
    Client,
    /// What the server sends: the client is under test.
    Server,
}

/// A whole handshake; the first byte of `script` says which, each five more one edit.
///
/// # Panics
/// If both sides believe in a handshake on which they do not agree, or send anything but records.
pub fn handshake(script: &[u8], edited: Edited) {
    let Some((kind, edits)) = script.split_first() else { return };
    let (client, server) = configs(*kind);
    if kind & 8 != 0 {
        // A session to resume.
        let (mut dialling, mut waiting) = ends(&client, &server);
        carry(&mut dialling, &mut waiting, &[], edited);
        assert!(!dialling.is_handshaking() && !waiting.is_handshaking());
    }
    let (mut dialling, mut waiting) = ends(&client, &server);
    let edits: Vec<Edit> = edits.as_chunks().0.iter().take(EDITS_MAX).map(Edit::read).collect();
    carry(&mut dialling, &mut waiting, &edits, edited);
    let complete = |end: &Connection| !end.is_handshaking() && end.failure().is_none();
    if complete(&dialling) && complete(&waiting) {
        assert_eq!(dialling.negotiated_suite(), waiting.negotiated_suite());
        assert_eq!(dialling.alpn_protocol(), waiting.alpn_protocol());
        assert_eq!(dialling.is_resumed(), waiting.is_resumed());
        assert_eq!(dialling.server_name(), waiting.server_name());
        assert_eq!(waiting.peer_certificates().is_empty(), kind & 4 == 0);
    }
}

/// Whatever arrives at a server, in pieces of whatever size: it fails once and stays failed, or waits; it never holds more
/// than it may, and sends records only.
///
/// # Panics
/// If it does otherwise.
pub fn bytes(data: &[u8]) {
    let Some((piece_bytes, data)) = data.split_first() else { return };
    let mut server: Connection = ServerConnection::new(configs(4).1).into();
    for piece in data.chunks(usize::from(*piece_bytes).max(1)) {
        let mut rest = piece;
        while !rest.is_empty() && server.read_tls(&mut rest).is_ok() {
            let first = server.process_new_packets();
            if let Err(error) = first {
                assert_eq!(server.process_new_packets(), Err(error.clone()));
                assert_eq!(server.failure(), Some(&error));
                assert!(!server.wants_read());
            }
        }
        assert!(server.is_handshaking(), "nobody knows a key");
        assert!(server.reader().read(&mut [0; 1]).is_err());
    }
    records(&mut server);
}

/// One change to the records of one side.
#[derive(Clone, Copy)]
struct Edit {
    /// Number of the record, counted from 0.
    record: u8,
    operation: u8,
    at: u16,
    value: u8,
}

impl Edit {
    fn read([record, operation, high, low, value]: &[u8; 5]) -> Self {
        let at = u16::from_be_bytes([*high, *low]);
        Self { record: *record, operation: *operation, at, value: *value }
    }

    /// What becomes of the records that one record has become so far.
    fn apply(&self, records: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let at = usize::from(self.at);
        let one = |record: Vec<u8>| match self.operation % 8 {
            0 => vec![change(record, |bytes| {
                let at = at % bytes.len().max(1);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= self.value;
                }
            })],
            1 => Vec::new(),
            2 => vec![record.clone(), record],
            3 => {
                let (kind, payload) = (record[0], &record[5..]);
                let (first, second) = payload.split_at(at.min(payload.len()));
                vec![pack(kind, first), pack(kind, second)]
            }
            4 => vec![pack(self.value, &self.at.to_be_bytes()), record],
            5 => vec![pack(record[0], &record[5..5 + at.min(record.len() - 5)])],
            6 => vec![pack(self.value, &record[5..])],
            _ => {
                let mut payload = record[5..].to_vec();
                payload.insert(at.min(payload.len()), self.value);
                vec![pack(record[0], &payload)]
            }
        };
        records.into_iter().flat_map(one).collect()
    }
}

fn change(mut record: Vec<u8>, edit: impl FnOnce(&mut [u8])) -> Vec<u8> {
    edit(&mut record);
    record
}

fn pack(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[kind, 1, 1, length[0], length[1]], payload].concat()
}

/// Runs until nothing more is sent.
fn carry(client: &mut Connection, server: &mut Connection, edits: &[Edit], edited: Edited) {
    let mut count = 0_u8;
    loop {
        let mut moved = false;
        for side in [Edited::Client, Edited::Server] {
            let (from, to) = match side {
                Edited::Client => (&mut *client, &mut *server),
                Edited::Server => (&mut *server, &mut *client),
            };
            for record in records(from) {
                moved = true;
                let mut becomes = vec![record];
                if side == edited {
                    for edit in edits.iter().filter(|edit| edit.record == count) {
                        becomes = edit.apply(becomes);
                    }
                    count = count.saturating_add(1);
                }
                becomes.iter().for_each(|record| feed(to, record));
            }
        }
        if !moved {
            return;
        }
    }
}

fn feed(to: &mut Connection, mut bytes: &[u8]) {
    while !bytes.is_empty() && to.read_tls(&mut bytes).is_ok() {
        let Ok(state) = to.process_new_packets() else { return };
        assert!(state.plaintext_bytes_to_read < 4 * RECEIVED_BYTES_MAX);
        let mut sink = [0; 1 << 10];
        while to.reader().read(&mut sink).is_ok_and(|count| count > 0) {}
    }
}

/// Everything that waits to be sent, record by record.
fn records(from: &mut Connection) -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).expect("memory");
    }
    let (mut rest, mut found) = (bytes.as_slice(), Vec::new());
    while let Some((header, _)) = rest.split_first_chunk::<5>() {
        let own = header[1..3] == [1, 1] || header[..2] == [21, 3];
        assert!((20..=23).contains(&header[0]) && own, "not a record");
        let length = 5 + usize::from(u16::from_be_bytes([header[3], header[4]]));
        let (record, later) = rest.split_at_checked(length).expect("a whole record");
        found.push(record.to_vec());
        rest = later;
    }
    assert!(rest.is_empty(), "half a record was sent");
    found
}

fn ends(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> (Connection, Connection) {
    let client = ClientConnection::new(client.clone(), "server.example").expect("a name");
    (client.into(), ServerConnection::new(server.clone()).into())
}

/// Bits 0 and 1: the suite; 2: client certificates, which ECDHE has always; 4: application protocols.
fn configs(kind: u8) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let cast = cast();
    let suite = CipherSuite::ALL[usize::from(kind & 3)];
    let mutual = kind & 4 != 0;
    let clients = if mutual {
        ClientAuthentication::Required(Arc::new(cast.world.rules()))
    } else {
        ClientAuthentication::None
    };
    let mut server = ServerConfig::new(credentials(&cast.server), clients)
        .with_clock(Arc::new(StandingClock(NOW)))
        .with_random(counters(1));
    let mut client = cast.world.client();
    if mutual {
        client = client.with_credentials(credentials(&cast.client));
        client = client.with_suites(&[suite]).expect("a suite");
    }
    if kind & 16 != 0 {
        server = server.with_alpn(&[b"h2", b"http/1.1"]).expect("names");
        client = client.with_alpn(&[b"http/1.1"]).expect("a name");
    }
    (Arc::new(client), Arc::new(server))
}

struct Cast {
    world: World,
    server: Member,
    client: Member,
}

/// Made once: issuing certificates is slower than a handshake.
fn cast() -> &'static Cast {
    static CAST: OnceLock<Cast> = OnceLock::new();
    CAST.get_or_init(|| {
        let world = World::new();
        let server = world.member("server.example", "NDRC");
        let client = world.member("client", "HRSS");
        Cast { world, server, client }
    })
}

fn credentials(member: &Member) -> Credentials {
    let copy = |(certificate, key): &(Certificate, PrivateKey)| (certificate.clone(), key.clone());
    Credentials::new(copy(&member.signing), copy(&member.encryption), Vec::new()).expect("a pair")
}

/// A `ClientHello` in its record, as our client sends it.
#[must_use]
pub fn hello(kind: u8) -> Vec<u8> {
    let (client, server) = configs(kind);
    records(&mut ends(&client, &server).0).concat()
}

const EDITS_MAX: usize = 8;
