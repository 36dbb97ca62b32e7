//! One connection without a transport: bytes in, bytes out, in the manner of rustls.

use std::{
    fmt,
    io::{self, Read, Write},
    ops::{Deref, DerefMut},
    sync::Arc,
};

use smkit_pki::Certificate;

use super::{
    client::{Client, ClientStartError},
    config::{ClientConfig, ServerConfig},
    core::{Core, Incoming},
    error::TlcpError,
    name::ServerName,
    pair::Pair,
    server::Server,
    suite::CipherSuite,
};

/// A TLCP connection of either side. It does no I/O of its own: hand it what arrives with [`Connection::read_tls`] and
/// [`Connection::process_new_packets`], send what it has with [`Connection::write_tls`].
///
/// Its memory is bounded: one record and one handshake message being gathered, [`super::RECEIVED_BYTES_MAX`] of plaintext
/// and what one read brought beyond it, [`super::SEND_BYTES_MAX`] of protected data.
#[derive(Debug)]
pub struct Connection {
    pub(super) core: Core,
    role: Role,
    /// The transport has ended.
    ended: bool,
}

#[derive(Debug)]
enum Role {
    Client(Box<Client>),
    Server(Box<Server>),
}

/// What a connection can do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IoState {
    /// Bytes of plaintext to be read.
    pub plaintext_bytes_to_read: usize,
    /// Protected bytes to be sent.
    pub tls_bytes_to_write: usize,
    /// The peer has said that it sends no more.
    pub peer_has_closed: bool,
}

impl Connection {
    /// Takes what one read of `source` gives; zero says that the transport has ended. Call
    /// [`Connection::process_new_packets`] after each.
    ///
    /// # Errors
    /// Those of `source`; `WouldBlock` while plaintext waits to be read (see [`Connection::wants_read`]).
    pub fn read_tls(&mut self, source: &mut dyn Read) -> io::Result<usize> {
        if !self.core.wants_read() {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "plaintext waits to be read"));
        }
        let count = self.core.inbound.read_from(source)?;
        self.ended |= count == 0;
        Ok(count)
    }

    /// Hands what waits to one write of `sink`.
    ///
    /// # Errors
    /// Those of `sink`.
    pub fn write_tls(&mut self, sink: &mut dyn Write) -> io::Result<usize> {
        self.core.outbound.write_to(sink)
    }

    /// Deals with everything that has arrived.
    ///
    /// # Errors
    /// The connection is over; an alert for the peer waits to be sent. Every later call gives the same error.
    pub fn process_new_packets(&mut self) -> Result<IoState, TlcpError> {
        if let Some(failure) = &self.core.failure {
            return Err(failure.clone());
        }
        if let Err(error) = self.process() {
            self.core.fail(&error);
            match &self.role {
                Role::Client(client) => client.forget_session(),
                Role::Server(server) => server.forget_session(),
            }
            return Err(error);
        }
        Ok(IoState {
            plaintext_bytes_to_read: self.core.received.len(),
            tls_bytes_to_write: self.core.outbound.waiting(),
            peer_has_closed: self.core.close_received,
        })
    }

    /// Plaintext from the peer.
    pub fn reader(&mut self) -> Reader<'_> {
        Reader(self)
    }

    /// Plaintext to the peer.
    pub fn writer(&mut self) -> Writer<'_> {
        Writer(self)
    }

    /// Whether the transport should be read: the peer is awaited and there is room.
    #[must_use]
    pub fn wants_read(&self) -> bool {
        !self.ended && self.core.wants_read()
    }

    /// Whether there is something to send.
    #[must_use]
    pub const fn wants_write(&self) -> bool {
        self.core.outbound.waiting() > 0
    }

    /// Whether data may not flow yet.
    #[must_use]
    pub const fn is_handshaking(&self) -> bool {
        !self.core.established
    }

    /// Tells the peer that no more data follows; without it the peer takes the end for a cut line.
    pub fn send_close_notify(&mut self) {
        self.core.send_close_notify();
    }

    /// The peer's certificates as it sent them, the signing certificate first, the encryption certificate second if it has
    /// one; empty before the handshake is complete and for clients that showed none. They were verified.
    #[must_use]
    pub fn peer_certificates(&self) -> &[Certificate] {
        self.core.agreed.peer.as_ref().map(Pair::certificates).unwrap_or_default()
    }

    /// The cipher suite, once the handshake is complete.
    #[must_use]
    pub const fn negotiated_suite(&self) -> Option<CipherSuite> {
        self.core.agreed.suite
    }

    /// The application protocol, if both sides named one.
    #[must_use]
    pub fn alpn_protocol(&self) -> Option<&[u8]> {
        self.core.agreed.alpn.as_deref()
    }

    /// The DNS name under which the server was asked for, in lower case.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.core.agreed.server_name.as_deref()
    }

    /// Why the connection is over, if it failed.
    #[must_use]
    pub const fn failure(&self) -> Option<&TlcpError> {
        self.core.failure.as_ref()
    }

    /// Whether the handshake resumed a session.
    #[must_use]
    pub const fn is_resumed(&self) -> bool {
        self.core.agreed.resumed
    }

    fn process(&mut self) -> Result<(), TlcpError> {
        while !self.core.close_received {
            match self.core.next_record()? {
                None => break,
                Some(Incoming::Done) => {}
                Some(Incoming::ChangeCipherSpec) => match &mut self.role {
                    Role::Client(client) => client.change_cipher_spec(&mut self.core)?,
                    Role::Server(server) => server.change_cipher_spec(&mut self.core)?,
                },
                Some(Incoming::Handshake) => {
                    while let Some(message) = self.core.next_message()? {
                        match &mut self.role {
                            Role::Client(client) => client.handle(&mut self.core, &message)?,
                            Role::Server(server) => server.handle(&mut self.core, &message)?,
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the end of the transport is a cut line.
    fn is_truncated(&self) -> bool {
        self.ended && !self.core.close_received
    }
}

/// The server's side of a connection.
pub struct ServerConnection(Connection);

impl ServerConnection {
    /// Awaits a client.
    #[must_use]
    pub fn new(config: Arc<ServerConfig>) -> Self {
        let core = Core::new(config.random(), Server::keeps_messages(&config));
        let role = Role::Server(Box::new(Server::new(config)));
        Self(Connection { core, role, ended: false })
    }
}

/// The client's side of a connection.
pub struct ClientConnection(Connection);

impl ClientConnection {
    /// Begins a connection to the server `name`, a DNS name or an IP address; its certificates must be for that name.
    ///
    /// # Errors
    /// Not a name, no suite is enabled that works without credentials, or the random source failed.
    pub fn new(config: Arc<ClientConfig>, name: &str) -> Result<Self, ClientStartError> {
        let name = ServerName::new(name)?;
        let mut core = Core::new(config.random(), Client::keeps_messages(&config));
        let client = Client::start(config, name, &mut core)?;
        Ok(Self(Connection { core, role: Role::Client(Box::new(client)), ended: false }))
    }
}

macro_rules! is_a_connection {
    ($($name:ident)*) => {
        $(
            impl Deref for $name {
                type Target = Connection;

                fn deref(&self) -> &Connection {
                    &self.0
                }
            }

            impl DerefMut for $name {
                fn deref_mut(&mut self) -> &mut Connection {
                    &mut self.0
                }
            }

            impl From<$name> for Connection {
                fn from(connection: $name) -> Self {
                    connection.0
                }
            }

            impl fmt::Debug for $name {
                fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                    fmt::Debug::fmt(&self.0, out)
                }
            }
        )*
    };
}

is_a_connection!(ServerConnection ClientConnection);

/// Reads what the peer sent.
#[derive(Debug)]
pub struct Reader<'a>(&'a mut Connection);

impl Read for Reader<'_> {
    /// Zero once the peer has closed and everything is read.
    ///
    /// # Errors
    /// `WouldBlock` while nothing is there; `UnexpectedEof` when the transport ended without `close_notify`: what was read
    /// may be a part only; `InvalidData` with the [`TlcpError`] after the connection has failed.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.0.core.received.take(out);
        if count > 0 || out.is_empty() || self.0.core.close_received {
            return Ok(count);
        }
        if let Some(failure) = self.0.failure() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, failure.clone()));
        }
        if self.0.is_truncated() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "cut without close_notify"));
        }
        Err(io::ErrorKind::WouldBlock.into())
    }
}

/// Writes to the peer.
#[derive(Debug)]
pub struct Writer<'a>(&'a mut Connection);

impl Write for Writer<'_> {
    /// Takes as much as the buffer has room for.
    ///
    /// # Errors
    /// `WouldBlock` during the handshake and while the buffer is full; `BrokenPipe` after the connection has failed or
    /// [`Connection::send_close_notify`] was called.
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let core = &mut self.0.core;
        if core.failure.is_some() || core.close_sent() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if data.is_empty() {
            return Ok(0);
        }
        if !core.established || core.outbound.room() == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        core.write_data(data).map_err(|error| io::Error::new(io::ErrorKind::BrokenPipe, error))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
