//! A finished handshake: the stream, and what is known of the other side.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

use super::metered::Metered;
use crate::{peer::PeerIdentity, tlcp::stream::TlcpStream};

/// Which protocol a link speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// TLS 1.3 with the suites of RFC 8998.
    Tls13,
    /// TLCP (GB/T 38636-2020).
    Tlcp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Tls13 => "TLS 1.3",
            Self::Tlcp => "TLCP",
        })
    }
}

/// What both sides agreed on, and who the other side is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkInfo {
    /// The peer's verified identity; `None` for a client that stayed anonymous.
    pub peer: Option<PeerIdentity>,
    /// The protocol.
    pub protocol: Protocol,
    /// The suite's code point, for instance 0x00C6.
    pub suite: u16,
    /// The application protocol agreed on (ALPN).
    pub alpn: Option<Vec<u8>>,
    /// The name dialled, as the client sent it.
    pub server_name: Option<String>,
    /// Whether the session continues an earlier one.
    pub resumed: bool,
}

/// An authenticated, encrypted stream over `S`.
#[derive(Debug)]
pub struct Link<S> {
    channel: Channel<S>,
    info: LinkInfo,
}

/// The stream of each protocol.
#[derive(Debug)]
pub(super) enum Channel<S> {
    Tls13(Box<TlsStream<Metered<S>>>),
    Tlcp(Box<TlcpStream<Metered<S>>>),
}

impl<S> Link<S> {
    pub(super) const fn new(channel: Channel<S>, info: LinkInfo) -> Self {
        Self { channel, info }
    }

    /// What is known of the other side.
    #[must_use]
    pub const fn info(&self) -> &LinkInfo {
        &self.info
    }

    /// The peer's verified identity; `None` for a client that stayed anonymous.
    #[must_use]
    pub const fn peer(&self) -> Option<&PeerIdentity> {
        self.info.peer.as_ref()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Link<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.channel {
            Channel::Tls13(stream) => Pin::new(stream).poll_read(context, buffer),
            Channel::Tlcp(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Link<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.channel {
            Channel::Tls13(stream) => Pin::new(stream).poll_write(context, data),
            Channel::Tlcp(stream) => Pin::new(stream).poll_write(context, data),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.channel {
            Channel::Tls13(stream) => Pin::new(stream).poll_flush(context),
            Channel::Tlcp(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.channel {
            Channel::Tls13(stream) => Pin::new(stream).poll_shutdown(context),
            Channel::Tlcp(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.channel {
            Channel::Tls13(stream) => Pin::new(stream).poll_write_vectored(context, parts),
            Channel::Tlcp(stream) => Pin::new(stream).poll_write_vectored(context, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.channel {
            Channel::Tls13(stream) => stream.is_write_vectored(),
            Channel::Tlcp(stream) => stream.is_write_vectored(),
        }
    }
}
