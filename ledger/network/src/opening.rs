//! Both sides of the opening of a link; see [`crate::hello`] for its messages.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use changbai_channel::PeerId;
use changbai_msp::{Endpoint, Identity};
use smkit::{Sm3Digest, sm3};
use smkit_pki::Certificate;
use smkit_tls::link::{Link, LinkError, Protocol};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::codes::{Reason, Refusal};
use crate::frame::{self, Control};
use crate::hello::{Greeting, Hello, Message, Opening, Proof, Side, VERSION};
use crate::hub::Inner;
use crate::kind::StreamKind;
use crate::limits::HELLO_BYTES_MAX;
use crate::room::{Installed, Room};
use crate::rules::peer_id;
use crate::stream::{Remote, purpose};

/// A link that both sides have agreed on, in its place.
pub(crate) struct Opened {
    pub(crate) link: Link<TcpStream>,
    pub(crate) place: Installed,
}

/// Dials an endpoint for one stream of a channel. `expected` is who should be there, if anybody knows.
/// Once the node there has proved who it is, `found` says so, whatever becomes of the link.
pub(crate) async fn dial(
    hub: &Inner,
    room: &Arc<Room>,
    endpoint: &Endpoint,
    kind: StreamKind,
    expected: Option<PeerId>,
    found: &mut Option<PeerId>,
) -> Result<Opened, Refusal> {
    let tcp = TcpStream::connect((endpoint.host(), endpoint.port()));
    let tcp = timeout(room.limits.connect_deadline, tcp)
        .await
        .map_err(|_| Refusal::new(Reason::Unreachable, "no answer"))?
        .map_err(|error| Refusal::new(Reason::Unreachable, error.to_string()))?;
    let address = prepare(&tcp)?;
    let (connector, own_tls) = hub.connector(room)?;
    // Links name their peers by identity; the name here only keeps the tickets of one address apart.
    let name = format!("{}.link", &sm3(endpoint.to_string().as_bytes()).to_string()[..32]);
    let link = connector.connect(tcp, &name, Protocol::Tls13).await.map_err(handshake)?;
    let opening = async {
        let mut wire = Wire { link };
        let opened = wire.open(hub, room, kind, own_tls, address, expected, found).await;
        wire.told(opened).await.map(|place| Opened { link: wire.link, place })
    };
    timeout(room.limits.hello_deadline, opening).await.map_err(|_| Reason::Deadline)?
}

/// Takes a connection in, and establishes who it is and what it wants.
pub(crate) async fn accept(hub: &Inner, tcp: TcpStream) -> Result<Opened, Refusal> {
    let address = prepare(&tcp)?;
    let (acceptor, own_tls) = hub.acceptor();
    let link = acceptor.accept(tcp).await.map_err(handshake)?;
    // From here on the peer has a certificate of some member, and waits for nobody but itself.
    let _place = hub.openings.try_acquire().map_err(|_| Reason::TooMany)?;
    let opening = async {
        let mut wire = Wire { link };
        let opened = wire.welcome(hub, own_tls, address).await;
        match wire.told(opened).await {
            // The other side believes that the link is up: only a frame can tell it otherwise.
            Ok((room, kind, remote)) => match room.install(kind, remote) {
                Ok(place) => Ok(Opened { link: wire.link, place }),
                Err(refusal) => {
                    wire.turn_away(refusal.reason).await;
                    Err(refusal)
                }
            },
            Err(refusal) => Err(refusal),
        }
    };
    timeout(hub.limits.hello_deadline, opening).await.map_err(|_| Reason::Deadline)?
}

fn prepare(tcp: &TcpStream) -> Result<SocketAddr, Refusal> {
    let lost = |error: std::io::Error| Refusal::new(Reason::Closed, error.to_string());
    tcp.set_nodelay(true).map_err(lost)?;
    tcp.peer_addr().map_err(lost)
}

fn handshake(error: LinkError) -> Refusal {
    let by_peer = matches!(error, LinkError::Alert { .. });
    let reason = match &error {
        LinkError::Deadline { .. } => Reason::Deadline,
        LinkError::Io(_) => Reason::Closed,
        _ => Reason::TlsHandshake,
    };
    Refusal { by_peer, ..Refusal::new(reason, error.to_string()) }
}

/// Reads and writes the messages of the opening.
struct Wire {
    link: Link<TcpStream>,
}

impl Wire {
    /// The dialler's side.
    async fn open(
        &mut self,
        hub: &Inner,
        room: &Arc<Room>,
        kind: StreamKind,
        own_tls: Sm3Digest,
        address: SocketAddr,
        expected: Option<PeerId>,
        found: &mut Option<PeerId>,
    ) -> Result<Installed, Refusal> {
        let chain = self.chain()?;
        let dialler_nonce = hub.nonce()?;
        self.send(&Greeting { version: VERSION, nonce: dialler_nonce }.encode()).await?;
        let acceptor_nonce = self.greeting().await?.nonce;
        let opening = Opening {
            channel: &room.id,
            genesis: room.genesis,
            kind,
            dialler_nonce,
            acceptor_nonce,
            dialler: sm3(hub.identity()),
            dialler_tls: own_tls,
            acceptor_tls: leaf(&chain)?,
        };
        let proof = hub.proof(&opening, Side::Dialler);
        let (channel, genesis) = (room.id.clone(), room.genesis);
        self.send(&Message::Hello(Hello { kind, channel, genesis, proof }).encode()).await?;
        let proof = match self.message().await? {
            Message::Welcome(proof) => proof,
            Message::Verdict(number @ 1..) => return Err(Refusal::by_peer(number)),
            Message::Verdict(0) | Message::Hello(_) => return Err(Reason::Malformed.into()),
        };
        verify(&opening, Side::Acceptor, &proof)?;
        let identity = admit(room, &proof, &chain, true)?;
        let remote = remote(hub, identity, &proof, address, chain, true)?;
        *found = Some(remote.peer);
        if expected.is_some_and(|expected| expected != remote.peer) {
            return Err(Refusal::new(Reason::Another, remote.peer.to_string()));
        }
        // Before the other side hears of it: of two nodes that dial each other at once, each then knows
        // its own link when the other's comes.
        let place = room.install(kind, remote)?;
        self.send(&Message::Verdict(0).encode()).await?;
        Ok(place)
    }

    /// The acceptor's side.
    async fn welcome(
        &mut self,
        hub: &Inner,
        own_tls: Sm3Digest,
        address: SocketAddr,
    ) -> Result<(Arc<Room>, StreamKind, Remote), Refusal> {
        let chain = self.chain()?;
        let acceptor_nonce = hub.nonce()?;
        self.send(&Greeting { version: VERSION, nonce: acceptor_nonce }.encode()).await?;
        let dialler_nonce = self.greeting().await?.nonce;
        let hello = match self.message().await? {
            Message::Hello(hello) => hello,
            Message::Verdict(number @ 1..) => return Err(Refusal::by_peer(number)),
            Message::Verdict(0) | Message::Welcome(_) => return Err(Reason::Malformed.into()),
        };
        let Hello { kind, channel, genesis, proof } = hello;
        let opening = Opening {
            channel: &channel,
            genesis,
            kind,
            dialler_nonce,
            acceptor_nonce,
            dialler: sm3(&proof.identity),
            dialler_tls: leaf(&chain)?,
            acceptor_tls: own_tls,
        };
        // Before anything that depends on which channels there are.
        verify(&opening, Side::Dialler, &proof)?;
        let room = hub
            .room(&channel)
            .ok_or_else(|| Refusal::new(Reason::Elsewhere, format!("{channel} is not joined")))?;
        let identity = admit(&room, &proof, &chain, false)?;
        let remote = remote(hub, identity, &proof, address, chain, false)?;
        if genesis != room.genesis {
            let detail = format!("{channel}: {genesis} there, {} here", room.genesis);
            return Err(Refusal::new(Reason::ForeignGenesis, detail));
        }
        room.check(kind, &remote)?;
        let own = Opening { genesis: room.genesis, ..opening };
        self.send(&Message::Welcome(hub.proof(&own, Side::Acceptor)).encode()).await?;
        match self.message().await? {
            Message::Verdict(0) => Ok((room, kind, remote)),
            Message::Verdict(number) => Err(Refusal::by_peer(number)),
            _ => Err(Reason::Malformed.into()),
        }
    }

    /// Tells the peer why it is refused, as far as it may know.
    async fn told<T>(&mut self, result: Result<T, Refusal>) -> Result<T, Refusal> {
        if let Err(refusal) = &result
            && !refusal.by_peer
            && refusal.reason != Reason::Closed
        {
            let verdict = Message::Verdict(refusal.reason.told().number());
            if self.send(&verdict.encode()).await.is_ok() {
                // Without this the message could be lost with the connection.
                drop(self.link.shutdown().await);
            }
        }
        result
    }

    async fn turn_away(&mut self, reason: Reason) {
        let mut bye = BytesMut::new();
        frame::write_control(&mut bye, Control::Bye(reason.told().number()));
        if self.link.write_all(&bye).await.is_ok() {
            drop(self.link.shutdown().await);
        }
    }

    fn chain(&self) -> Result<Vec<Certificate>, Refusal> {
        Ok(self.link.peer().ok_or(Reason::NoTls)?.chain().to_vec())
    }

    async fn greeting(&mut self) -> Result<Greeting, Refusal> {
        Ok(Greeting::decode(&self.receive().await?)?)
    }

    async fn message(&mut self) -> Result<Message, Refusal> {
        Ok(Message::decode(&self.receive().await?)?)
    }

    async fn send(&mut self, message: &[u8]) -> Result<(), Refusal> {
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
        self.link.write_all(&[&length, message].concat()).await.map_err(closed)?;
        self.link.flush().await.map_err(closed)
    }

    async fn receive(&mut self) -> Result<Vec<u8>, Refusal> {
        let length = self.link.read_u32().await.map_err(closed)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > HELLO_BYTES_MAX {
            return Err(Refusal::new(Reason::HelloTooLong, format!("{length} bytes")));
        }
        let mut message = vec![0; length];
        self.link.read_exact(&mut message).await.map_err(closed)?;
        Ok(message)
    }
}

fn leaf(chain: &[Certificate]) -> Result<Sm3Digest, Refusal> {
    Ok(chain.first().ok_or(Reason::NoTls)?.sm3())
}

fn verify(opening: &Opening<'_>, side: Side, proof: &Proof) -> Result<(), Refusal> {
    let identity = Identity::parse(&proof.identity)
        .map_err(|error| Refusal::new(Reason::NotMember, error.to_string()))?;
    let message = opening.message(side, proof.incarnation, &proof.identity);
    identity
        .verifying_key()
        .verify(&message, &proof.signature)
        .map_err(|_| Reason::Signature.into())
}

fn admit(
    room: &Room,
    proof: &Proof,
    chain: &[Certificate],
    dialled: bool,
) -> Result<Arc<Identity>, Refusal> {
    room.rules().admit(&proof.identity, chain, purpose(dialled), room.now_s())
}

fn remote(
    hub: &Inner,
    identity: Arc<Identity>,
    proof: &Proof,
    address: SocketAddr,
    chain: Vec<Certificate>,
    dialled: bool,
) -> Result<Remote, Refusal> {
    let peer = peer_id(&identity);
    if peer == hub.id {
        return Err(Reason::Own.into());
    }
    let incarnation = proof.incarnation;
    Ok(Remote { peer, identity, incarnation, address, chain, dialled })
}

fn closed(error: std::io::Error) -> Refusal {
    if let Some(alert) = smkit_tls::link::alert_received(&error) {
        let refusal = Refusal::new(Reason::TlsHandshake, format!("alert {alert}"));
        return Refusal { by_peer: true, ..refusal };
    }
    Refusal::new(Reason::Closed, error.to_string())
}
