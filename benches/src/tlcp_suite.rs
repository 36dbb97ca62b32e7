//! TLCP in memory: handshakes and bulk data, each side's CPU time by itself.
//!
//! Client and server share one thread and take turns, and the clock of the thread says whose turn it was. On a core each
//! they would run at the rate of the slower side, which is the figure; `conditions` has both.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use smkit::OsRandom;
use smkit_tls::tlcp::{
    CipherSuite, ClientAuthentication, ClientConfig, ClientConnection, ServerConfig,
    ServerConnection, SessionLimits,
};

use crate::report::Figure;
use crate::sampling::{cpu_seconds, pin};

/// The small city of the TLCP tests.
#[allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, reason = "the tests' own")]
#[path = "../../smkit/tls/tests/it/tlcp/world.rs"]
mod world;

use world::World;

/// Measures everything, each figure for so many seconds of CPU time.
pub(crate) fn run(seconds: f64) {
    pin();
    let city = City(World::new());
    for (name, suite) in [
        ("tls/tlcp/full-mutual", CipherSuite::EccSm4GcmSm3),
        ("tls/tlcp/full-mutual-ecdhe", CipherSuite::EcdheSm4GcmSm3),
    ] {
        city.full_between_strangers(name, suite, seconds);
    }
    city.full_one_sided(seconds);
    city.resumed(seconds);
    city.bulk("tls/tlcp/bulk-gcm", CipherSuite::EccSm4GcmSm3, seconds);
    city.bulk("tls/tlcp/bulk-cbc", CipherSuite::EccSm4CbcSm3, seconds);
}

struct City(World);

impl City {
    fn servers(&self, suite: CipherSuite, sessions: usize, count: usize) -> Vec<Arc<ServerConfig>> {
        let rules = Arc::new(self.0.rules());
        let server = |at: usize| {
            let member = self.0.member(&format!("server {at}"), "").credentials();
            let clients = ClientAuthentication::Required(rules.clone());
            let config = ServerConfig::new(member, clients)
                .with_clock(Arc::new(world::StandingClock(world::NOW)))
                .with_sessions(limits(sessions))
                .and_then(|config| config.with_suites(&[suite]));
            Arc::new(config.expect("a working configuration"))
        };
        (0..count).map(server).collect()
    }

    fn clients(&self, suite: CipherSuite, sessions: usize, count: usize) -> Vec<Arc<ClientConfig>> {
        let rules = Arc::new(AnyName(self.0.rules()));
        let client = |at: usize| {
            let member = self.0.member(&format!("client {at}"), "").credentials();
            let config = ClientConfig::new(rules.clone())
                .with_credentials(member)
                .with_clock(Arc::new(world::StandingClock(world::NOW)))
                .with_sessions(limits(sessions))
                .and_then(|config| config.with_suites(&[suite]));
            Arc::new(config.expect("a working configuration"))
        };
        (0..count).map(client).collect()
    }

    fn acquaintances(
        &self,
        suite: CipherSuite,
        sessions: usize,
    ) -> (Arc<ServerConfig>, Arc<ClientConfig>) {
        let server = self.servers(suite, sessions, 1).pop();
        let client = self.clients(suite, sessions, 1).pop();
        server.zip(client).expect("one of each")
    }

    /// Nobody has seen anybody before: the issuer's key has its table, the peers' keys have none.
    fn full_between_strangers(&self, name: &str, suite: CipherSuite, seconds: f64) {
        let (servers, clients) =
            (self.servers(suite, 0, STRANGERS), self.clients(suite, 0, STRANGERS));
        let mut pairs = servers.iter().zip(&clients).cycle();
        let spent = sample(seconds, || {
            let (server, client) = pairs.next().expect("a cycle has no end");
            Pair::new(client, server).shake()
        });
        spent.print(name, &format!("{suite}, peers never seen before, issuer known"));
    }

    /// As browsers do: only the server shows certificates.
    fn full_one_sided(&self, seconds: f64) {
        let suite = CipherSuite::EccSm4GcmSm3;
        let client = ClientConfig::new(Arc::new(self.0.rules()))
            .with_clock(Arc::new(world::StandingClock(world::NOW)))
            .with_sessions(limits(0))
            .expect("a lifetime in range");
        let server = self.0.server(ClientAuthentication::None).with_random(|| Box::new(OsRandom));
        let (client, server) = (Arc::new(client), Arc::new(server));
        let spent = sample(seconds, || Pair::new(&client, &server).shake());
        spent.print("tls/tlcp/full", &format!("{suite}, no client certificates"));
    }

    fn resumed(&self, seconds: f64) {
        let suite = CipherSuite::EccSm4GcmSm3;
        let (server, client) = self.acquaintances(suite, 10);
        Pair::new(&client, &server).shake();
        let spent = sample(seconds, || {
            let mut pair = Pair::new(&client, &server);
            let spent = pair.shake();
            assert!(pair.server.is_resumed());
            spent
        });
        spent.print("tls/tlcp/resumed", &format!("{suite}, session id"));
    }

    fn bulk(&self, name: &str, suite: CipherSuite, seconds: f64) {
        let (server, client) = self.acquaintances(suite, 0);
        let mut pair = Pair::new(&client, &server);
        pair.shake();
        let data = vec![0x5a; BULK];
        let mut wire = Vec::with_capacity(BULK + 4096);
        let mut received = vec![0; BULK];
        let spent = sample(seconds, || pair.carry(&data, &mut wire, &mut received));
        let megabytes = BULK as f64 / 1e6;
        let [client, server] = spent.medians();
        let conditions = format!(
            "{suite}, 16 KiB records; sealing {:.0}, opening {:.0} MB/s",
            megabytes / client,
            megabytes / server
        );
        let value = megabytes / client.max(server);
        Figure { name, value, unit: "MB/s", peer: None, conditions: &conditions }.print_in("tls");
    }
}

/// The tests' rules without the server's name, since there are many servers.
#[derive(Debug)]
struct AnyName(world::Rules);

impl smkit_tls::peer::PeerVerifier for AnyName {
    fn verify(
        &self,
        chain: &[smkit_pki::Certificate],
        _role: smkit_tls::peer::PeerRole<'_>,
        at_unix_seconds: i64,
    ) -> Result<(), smkit_tls::peer::PeerRefusal> {
        self.0.verify(chain, smkit_tls::peer::PeerRole::Client, at_unix_seconds)
    }

    /// Signatures cannot have changed since.
    fn verify_again(
        &self,
        _chain: &[smkit_pki::Certificate],
        _role: smkit_tls::peer::PeerRole<'_>,
        _at_unix_seconds: i64,
    ) -> Result<(), smkit_tls::peer::PeerRefusal> {
        Ok(())
    }

    fn verify_encryption(
        &self,
        chain: &[smkit_pki::Certificate],
        role: smkit_tls::peer::PeerRole<'_>,
        at_unix_seconds: i64,
    ) -> Result<(), smkit_tls::peer::PeerRefusal> {
        self.0.verify_encryption(chain, role, at_unix_seconds)
    }
}

const fn limits(entries: usize) -> SessionLimits {
    SessionLimits { entries, lifetime_seconds: 3_600 }
}

/// CPU seconds of client and server in one turn of a benchmark.
type Turn = [f64; 2];

struct Spent(Vec<Turn>);

impl Spent {
    fn medians(&self) -> Turn {
        [0, 1].map(|side| {
            let mut times: Vec<f64> =
                self.0.iter().filter_map(|turn| turn.get(side)).copied().collect();
            times.sort_by(f64::total_cmp);
            times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
        })
    }

    fn print(&self, name: &str, about: &str) {
        let [client, server] = self.medians();
        let conditions = format!(
            "{about}; one core a side: client {:.0}, server {:.0} us of CPU; both on one core {:.0}/s",
            client * 1e6,
            server * 1e6,
            1.0 / (client + server)
        );
        let value = 1.0 / client.max(server);
        let unit = "handshakes/s";
        Figure { name, value, unit, peer: None, conditions: &conditions }.print_in("tls");
    }
}

fn sample(seconds: f64, mut turn: impl FnMut() -> Turn) -> Spent {
    // Tables of keys are made in the first verifications.
    for _ in 0..WARM_UP {
        turn();
    }
    let mut turns = Vec::new();
    let mut total = 0.0;
    while total < seconds || turns.len() < TURNS_MIN {
        let spent = turn();
        total += spent[0] + spent[1];
        turns.push(spent);
    }
    Spent(turns)
}

struct Pair {
    client: ClientConnection,
    server: ServerConnection,
    spent: Turn,
}

impl Pair {
    fn new(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Self {
        let mut spent = [0.0; 2];
        let client = timed(&mut spent[0], || {
            ClientConnection::new(Arc::clone(client), "server.example").expect("a name")
        });
        let server = timed(&mut spent[1], || ServerConnection::new(Arc::clone(server)));
        Self { client, server, spent }
    }

    /// Both sides to the end of the handshake.
    fn shake(&mut self) -> Turn {
        let mut wire = Vec::with_capacity(8192);
        loop {
            let Self { client, server, spent } = self;
            timed(&mut spent[0], || write_all(&mut wire, |out| client.write_tls(out)));
            let quiet = wire.is_empty();
            timed(&mut spent[1], || {
                read_all(&wire, |rest| {
                    server.read_tls(rest).expect("memory");
                    server.process_new_packets().expect("a handshake between us");
                });
                wire.clear();
                write_all(&mut wire, |out| server.write_tls(out));
            });
            if quiet && wire.is_empty() {
                assert!(!client.is_handshaking() && !server.is_handshaking());
                return *spent;
            }
            timed(&mut spent[0], || {
                read_all(&wire, |rest| {
                    client.read_tls(rest).expect("memory");
                    client.process_new_packets().expect("a handshake between us");
                });
                wire.clear();
            });
        }
    }

    /// `data` from the client to the server, through the buffers of the caller.
    fn carry(&mut self, data: &[u8], wire: &mut Vec<u8>, received: &mut [u8]) -> Turn {
        let mut spent = [0.0; 2];
        let Self { client, server, .. } = self;
        timed(&mut spent[0], || {
            client.writer().write_all(data).expect("room");
            wire.clear();
            write_all(wire, |out| client.write_tls(out));
        });
        timed(&mut spent[1], || {
            let mut filled = 0;
            read_all(wire, |rest| {
                server.read_tls(rest).expect("memory");
                server.process_new_packets().expect("own records");
                let free = received.get_mut(filled..).unwrap_or_default();
                filled += server.reader().read(free).unwrap_or(0);
            });
            assert_eq!(filled, data.len());
        });
        spent
    }
}

fn timed<T>(spent: &mut f64, work: impl FnOnce() -> T) -> T {
    let started = cpu_seconds();
    let result = work();
    *spent += cpu_seconds() - started;
    result
}

fn write_all(wire: &mut Vec<u8>, mut write: impl FnMut(&mut Vec<u8>) -> std::io::Result<usize>) {
    while write(wire).expect("memory") > 0 {}
}

fn read_all(wire: &[u8], mut read: impl FnMut(&mut &[u8])) {
    let mut rest = wire;
    while !rest.is_empty() {
        read(&mut rest);
    }
}

/// More than a verifier remembers.
const STRANGERS: usize = 300;
const WARM_UP: usize = 32;
const TURNS_MIN: usize = 50;
/// Bytes of one turn of the bulk benchmark, in full records.
const BULK: usize = 3 * (1 << 14);
