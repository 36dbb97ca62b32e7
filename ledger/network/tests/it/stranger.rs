//! The other end of a link, played by hand.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use changbai_network::frame::{self, Control, Frame};
use changbai_network::hello::{Greeting, Hello, Message, Opening, Proof, Side, VERSION};
use changbai_network::{Reason, StreamKind};
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use smkit::{Sm3Digest, sm3};
use smkit_pki::Certificate;
use smkit_tls::link::{
    Acceptor, ClientAuth, Connector, Credentials, KeyPair, Limits, Link, LinkError, Protocol,
    alert_received,
};
use smkit_tls::peer::{PeerRefusal, PeerRole, PeerVerifier};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::world::{Member, NOW, PATIENCE};

/// Trusts anybody.
#[derive(Debug)]
struct Anybody;

impl PeerVerifier for Anybody {
    fn verify(&self, _: &[Certificate], _: PeerRole<'_>, _: i64) -> Result<(), PeerRefusal> {
        Ok(())
    }
}

/// The clock of all tests.
#[derive(Debug)]
struct Then;

impl TimeProvider for Then {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_millis(NOW.0)))
    }
}

fn credentials(tls: Option<KeyPair>) -> Credentials {
    Credentials {
        signing: tls,
        encryption: None,
        verifier: Arc::new(Anybody),
        clients: ClientAuth::Required,
        alpn: vec![b"changbai-link/1".to_vec()],
        tlcp_quirks: Vec::new(),
    }
}

pub(crate) struct Stranger {
    link: Link<TcpStream>,
    dialled: bool,
    pub(crate) incarnation: u64,
    own_tls: Sm3Digest,
    /// Nonces of both sides, once greeted.
    nonces: [[u8; 32]; 2],
    buffer: BytesMut,
}

impl Stranger {
    /// Dials with this certificate, or with none.
    pub(crate) async fn dial(address: SocketAddr, tls: Option<KeyPair>) -> Result<Self, LinkError> {
        let own_tls = tls.as_ref().map_or(Sm3Digest::new([0; 32]), |tls| tls.chain[0].sm3());
        let connector = Connector::new(&credentials(tls), Limits::default(), Arc::new(Then));
        let tcp = TcpStream::connect(address).await.unwrap();
        let link = connector.unwrap().connect(tcp, "127.0.0.1", Protocol::Tls13).await?;
        Ok(Self::over(link, own_tls, true))
    }

    /// Waits to be dialled.
    pub(crate) async fn accept(listener: &TcpListener, tls: KeyPair) -> Result<Self, LinkError> {
        let own_tls = tls.chain[0].sm3();
        let acceptor = Acceptor::new(&credentials(Some(tls)), Limits::default(), Arc::new(Then));
        let (tcp, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        let link = acceptor.unwrap().accept(tcp).await?;
        Ok(Self::over(link, own_tls, false))
    }

    fn over(link: Link<TcpStream>, own_tls: Sm3Digest, dialled: bool) -> Self {
        let (nonces, buffer) = ([[7; 32], [0; 32]], BytesMut::new());
        Self { link, dialled, incarnation: 9, own_tls, nonces, buffer }
    }

    /// Speaks as if the connection had another certificate.
    pub(crate) fn pretend(&mut self, tls: &KeyPair) {
        self.own_tls = tls.chain[0].sm3();
    }

    pub(crate) async fn send(&mut self, message: &[u8]) {
        let length = u32::try_from(message.len()).unwrap();
        self.raw(&[&length.to_be_bytes(), message].concat()).await;
    }

    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        self.link.write_all(bytes).await.unwrap();
        self.link.flush().await.unwrap();
    }

    pub(crate) async fn receive(&mut self) -> std::io::Result<Vec<u8>> {
        let reading = async {
            let length = self.link.read_u32().await?;
            let mut message = vec![0; length as usize];
            self.link.read_exact(&mut message).await?;
            Ok(message)
        };
        timeout(PATIENCE, reading).await.unwrap()
    }

    pub(crate) async fn greet(&mut self) {
        let nonce = self.nonces[0];
        self.send(&Greeting { version: VERSION, nonce }.encode()).await;
        let greeting = self.receive().await.unwrap();
        self.nonces[1] = Greeting::decode(&greeting).unwrap().nonce;
    }

    pub(crate) fn hello(
        &self,
        member: &Member,
        channel: &str,
        genesis: Sm3Digest,
        kind: StreamKind,
    ) -> Message {
        let opening = Opening {
            channel,
            genesis,
            kind,
            dialler_nonce: self.nonces[0],
            acceptor_nonce: self.nonces[1],
            dialler: sm3(&member.signing.serialized),
            dialler_tls: self.own_tls,
            acceptor_tls: self.link.peer().unwrap().leaf().sm3(),
        };
        let proof = self.proof(member, &opening, Side::Dialler);
        Message::Hello(Hello { kind, channel: channel.to_owned(), genesis, proof })
    }

    fn proof(&self, member: &Member, opening: &Opening<'_>, side: Side) -> Proof {
        let identity = member.signing.serialized.clone();
        let signature = member.key.sign(&opening.message(side, self.incarnation, &identity));
        Proof { incarnation: self.incarnation, identity, signature }
    }

    /// Answers a hello as if this were `member`, and gives what the dialler says to it, and the stream.
    pub(crate) async fn welcome(&mut self, member: &Member) -> (StreamKind, Reason) {
        assert!(!self.dialled);
        self.greet().await;
        let hello = Message::decode(&self.receive().await.unwrap()).unwrap();
        let Message::Hello(Hello { kind, channel, genesis, proof }) = hello else {
            panic!("{hello:?}")
        };
        let opening = Opening {
            channel: &channel,
            genesis,
            kind,
            dialler_nonce: self.nonces[1],
            acceptor_nonce: self.nonces[0],
            dialler: sm3(&proof.identity),
            dialler_tls: self.link.peer().unwrap().leaf().sm3(),
            acceptor_tls: self.own_tls,
        };
        let proof = self.proof(member, &opening, Side::Acceptor);
        self.send(&Message::Welcome(proof).encode()).await;
        (kind, self.verdict().await)
    }

    /// The number of the verdict that comes next.
    pub(crate) async fn verdict(&mut self) -> Reason {
        match Message::decode(&self.receive().await.unwrap()).unwrap() {
            Message::Verdict(number) => Reason::from_number(number),
            other => panic!("{other:?}"),
        }
    }

    /// The whole opening.
    pub(crate) async fn open(
        &mut self,
        member: &Member,
        channel: &str,
        genesis: Sm3Digest,
        kind: StreamKind,
    ) -> Result<(), Reason> {
        self.greet().await;
        let hello = self.hello(member, channel, genesis, kind);
        self.send(&hello.encode()).await;
        match Message::decode(&self.receive().await.unwrap()).unwrap() {
            Message::Welcome(_) => {
                self.send(&Message::Verdict(0).encode()).await;
                Ok(())
            }
            Message::Verdict(number) => Err(Reason::from_number(number)),
            other => panic!("{other:?}"),
        }
    }

    /// The next frame that is no ping or pong.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        loop {
            match frame::read(&mut self.buffer, 1 << 26).unwrap() {
                Some(Frame::Control(Control::Ping(_) | Control::Pong(_))) => continue,
                Some(frame) => return Some(frame),
                None => {}
            }
            let read = timeout(PATIENCE, self.link.read_buf(&mut self.buffer)).await.unwrap();
            if !matches!(read, Ok(1..)) {
                return None;
            }
        }
    }

    /// The reason with which the other side ends the link.
    pub(crate) async fn bye(&mut self) -> Option<Reason> {
        loop {
            match self.frame().await? {
                Frame::Control(Control::Bye(number)) => return Some(Reason::from_number(number)),
                _ => continue,
            }
        }
    }

    /// The alert with which the other side ended the handshake.
    pub(crate) async fn alert(&mut self) -> Option<u8> {
        alert_received(&self.receive().await.unwrap_err())
    }
}
