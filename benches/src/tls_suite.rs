//! GM TLS in memory: handshakes and bulk data, each side's CPU time by itself.
//!
//! Client and server share one thread and take turns, and the clock of the thread says whose turn it was. On a core each
//! they would run at the rate of the slower side, which is the figure; `conditions` has both.

use std::io::{Read as _, Write as _};
use std::sync::{Arc, LazyLock};

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::time_provider::DefaultTimeProvider;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
use smkit::OsRandom;
use smkit::sm2::PrivateKey;
use smkit_pki::{
    AlternativeNames, Authority, Certificate, Profile, Subject, Terms, TrustAnchors, Validator,
    Validity,
};
use smkit_tls::peer::PathVerifier;
use smkit_tls::rfc8998::{ClientVerifier, ServerVerifier, client_config, server_config};

use crate::report::Figure;
use crate::sampling::{cpu_seconds, pin};
use crate::tongsuo::{self, Files, Rates};

/// How long each figure is sampled.
pub(crate) struct Scale {
    seconds: f64,
}

impl Scale {
    pub(crate) const FULL: Self = Self { seconds: 3.0 };
    pub(crate) const QUICK: Self = Self { seconds: 0.4 };
}

pub(crate) fn run(scale: &Scale) {
    pin();
    let city = City::new();
    let peer = city.tongsuo();
    let peer = |figure: fn(&Rates) -> f64| peer.as_ref().map(figure);
    city.full_between_strangers(scale, peer(|rates| rates.full));
    city.full_between_acquaintances(scale, peer(|rates| rates.full));
    city.resumed(scale, peer(|rates| rates.resumed));
    city.bulk(scale, peer(|rates| rates.bulk));
}

/// One authority and what it issued.
struct City {
    authority: Authority,
    validity: Validity,
}

impl City {
    fn new() -> Self {
        let validity = Validity { not_before: 1_700_000_000, not_after: 2_500_000_000 };
        let authority = Authority::create_root(&subject("Example Root"), validity, &mut OsRandom)
            .expect("a root of our own");
        Self { authority, validity }
    }

    fn member(&self, name: &str) -> (Vec<Certificate>, PrivateKey) {
        let key = PrivateKey::generate(&mut OsRandom).expect("randomness");
        let subject = (&subject(name)).try_into().expect("a short name");
        let terms = Terms {
            hosts: AlternativeNames::parse(["localhost"]).expect("a host"),
            ..Terms::new(subject, key.public_key(), Profile::Node, self.validity)
        };
        let certificate = self.authority.issue_on(&terms, &mut OsRandom).expect("our own terms");
        (vec![certificate], key)
    }

    /// Path validation as a node does it.
    fn verifier(&self) -> Arc<PathVerifier> {
        let anchors = TrustAnchors::from_certificates(vec![self.authority.certificate().clone()]);
        Arc::new(PathVerifier::of(Validator::admitting_all(anchors)))
    }

    fn tongsuo(&self) -> Option<Rates> {
        let (chain, key) = self.member("tongsuo");
        let (_, clients) = self.members(1);
        let files = Files {
            root: &self.authority.certificate().to_pem(),
            certificate: &chain.iter().map(Certificate::to_pem).collect::<String>(),
            key: &key.to_pkcs8_pem().expect("a fixed size"),
        };
        tongsuo::rates(&files, &without_resumption(&clients[0]), &clients[0])
    }

    /// Configurations of `count` servers and as many clients, each side with one verifier as in one process.
    fn members(&self, count: usize) -> (Vec<Arc<ServerConfig>>, Vec<Arc<ClientConfig>>) {
        let servers = Arc::new(ServerVerifier::new(self.verifier()));
        let clients = Arc::new(ClientVerifier::new(self.verifier(), true));
        let time = Arc::new(DefaultTimeProvider);
        let server = |at: usize| {
            let (chain, key) = self.member(&format!("server {at}"));
            let config = server_config(&chain, &key, Some(clients.clone()), time.clone());
            Arc::new(config.expect("own certificate"))
        };
        let client = |at: usize| {
            let (chain, key) = self.member(&format!("client {at}"));
            let own = Some((chain.as_slice(), &key));
            let config = client_config(own, servers.clone(), time.clone());
            Arc::new(config.expect("own certificate"))
        };
        ((0..count).map(server).collect(), (0..count).map(client).collect())
    }

    /// Nobody has seen anybody before: the issuer's key has its table, the peers' keys have none.
    fn full_between_strangers(&self, scale: &Scale, peer: Option<f64>) {
        let (servers, clients) = self.members(STRANGERS);
        let clients: Vec<_> = clients.iter().map(without_resumption).collect();
        let mut pairs = servers.iter().zip(&clients).cycle();
        let spent = sample(scale, || {
            let (server, client) = pairs.next().expect("a cycle has no end");
            Pair::new(client, server).shake()
        });
        spent.print("tls/rfc8998/full-mutual", peer, "peers never seen before, issuer known");
    }

    /// The members of a consortium, who know each other's certificates.
    fn full_between_acquaintances(&self, scale: &Scale, peer: Option<f64>) {
        let (servers, clients) = self.members(1);
        let clients: Vec<_> = clients.iter().map(without_resumption).collect();
        let spent = sample(scale, || Pair::new(&clients[0], &servers[0]).shake());
        spent.print("tls/rfc8998/full-mutual-known", peer, "the same two peers again and again");
    }

    fn resumed(&self, scale: &Scale, peer: Option<f64>) {
        let (servers, clients) = self.members(1);
        Pair::new(&clients[0], &servers[0]).shake();
        let spent = sample(scale, || {
            let mut pair = Pair::new(&clients[0], &servers[0]);
            let spent = pair.shake();
            assert_eq!(pair.server.handshake_kind(), Some(rustls::HandshakeKind::Resumed));
            spent
        });
        spent.print("tls/rfc8998/resumed", peer, "ticket, with a new ECDH");
    }

    fn bulk(&self, scale: &Scale, peer: Option<f64>) {
        let (servers, clients) = self.members(1);
        let mut pair = Pair::new(&clients[0], &servers[0]);
        pair.shake();
        let data = vec![0x5a; BULK];
        let mut wire = Vec::with_capacity(BULK + 4096);
        let mut received = vec![0; BULK];
        let spent = sample(scale, || pair.carry(&data, &mut wire, &mut received));
        let megabytes = BULK as f64 / 1e6;
        let [client, server] = spent.medians();
        Figure {
            name: "tls/rfc8998/bulk",
            value: megabytes / client.max(server),
            unit: "MB/s",
            peer: peer.map(|rate| (PEER, rate)),
            conditions: &format!(
                "TLS_SM4_GCM_SM3, 16 KiB records, rustls included; sealing {:.0}, opening {:.0} MB/s",
                megabytes / client,
                megabytes / server
            ),
        }
        .print_in("tls");
    }
}

fn without_resumption(config: &Arc<ClientConfig>) -> Arc<ClientConfig> {
    let mut config = ClientConfig::clone(config);
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

fn subject(name: &str) -> Subject {
    Subject { common_name: name.into(), ..Subject::default() }
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

    fn print(&self, name: &str, peer: Option<f64>, about: &str) {
        let [client, server] = self.medians();
        Figure {
            name,
            value: 1.0 / client.max(server),
            unit: "handshakes/s",
            peer: peer.map(|rate| (PEER, rate)),
            conditions: &format!(
                "{about}; one core a side: client {:.0}, server {:.0} us of CPU; both on one core {:.0}/s",
                client * 1e6,
                server * 1e6,
                1.0 / (client + server)
            ),
        }
        .print_in("tls");
    }
}

fn sample(scale: &Scale, mut turn: impl FnMut() -> Turn) -> Spent {
    // Tables of keys are made in the first verifications.
    for _ in 0..WARM_UP {
        turn();
    }
    let mut turns = Vec::new();
    let mut total = 0.0;
    while total < scale.seconds || turns.len() < TURNS_MIN {
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
        let name = ServerName::try_from("localhost").expect("a name");
        let mut spent = [0.0; 2];
        let client = timed(&mut spent[0], || {
            ClientConnection::new(Arc::clone(client), name).expect("a configuration")
        });
        let server = timed(&mut spent[1], || {
            ServerConnection::new(Arc::clone(server)).expect("a configuration")
        });
        Self { client, server, spent }
    }

    /// Both sides to the end of the handshake, tickets delivered.
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

/// Adds what `work` took, less what looking at the clock takes.
fn timed<T>(spent: &mut f64, work: impl FnOnce() -> T) -> T {
    static CLOCK: LazyLock<f64> = LazyLock::new(|| {
        let mut idle: Vec<f64> = (0..2_000)
            .map(|_| {
                let started = cpu_seconds();
                cpu_seconds() - started
            })
            .collect();
        idle.sort_by(f64::total_cmp);
        idle.get(idle.len() / 2).copied().unwrap_or(0.0)
    });
    let clock = *CLOCK;
    let started = cpu_seconds();
    let result = work();
    *spent += cpu_seconds() - started - clock;
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

/// Handshakes: its server's process with our client, sockets included; bulk: its `speed`.
const PEER: &str = "Tongsuo 8.5.0";
/// More than a verifier remembers.
const STRANGERS: usize = 300;
const WARM_UP: usize = 32;
const TURNS_MIN: usize = 50;
/// Bytes of one turn of the bulk benchmark: what rustls buffers for a connection, in full records.
const BULK: usize = 3 * (1 << 14);
