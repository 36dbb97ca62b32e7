//! TLCP over an asynchronous transport of tokio.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use smkit_tls::tlcp::{ClientConfig, ServerConfig, stream};
//! # use tokio::{io::AsyncWriteExt as _, net::TcpStream};
//! # async fn dial(config: Arc<ClientConfig>) -> std::io::Result<()> {
//! let transport = TcpStream::connect("gateway.cc.jl:443").await?;
//! let mut stream = stream::connect(config, "gateway.cc.jl", transport).await?;
//! stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
//! stream.shutdown().await // says close_notify
//! # }
//! ```

use std::{
    io::{self, Read as _, Write as _},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection, TlcpError,
};

/// Dials: completes the handshake with the server `name` over `transport`.
///
/// There is no time limit: wrap the future in one. Dropping it drops the transport.
///
/// # Errors
/// Those of the transport; a [`TlcpError`] or [`super::ClientStartError`] as the source of an error of kind
/// `InvalidData` or `InvalidInput`.
pub async fn connect<T>(
    config: Arc<ClientConfig>,
    name: &str,
    transport: T,
) -> io::Result<TlcpStream<T>>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let connection = ClientConnection::new(config, name)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    TlcpStream::handshake(connection, transport).await
}

/// Accepts: completes the handshake with a client over `transport`.
///
/// There is no time limit: wrap the future in one. Dropping it drops the transport.
///
/// # Errors
/// As [`connect`].
pub async fn accept<T>(config: Arc<ServerConfig>, transport: T) -> io::Result<TlcpStream<T>>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    TlcpStream::handshake(ServerConnection::new(config), transport).await
}

/// A TLCP connection over its transport, after the handshake.
///
/// Reading gives `UnexpectedEof` when the transport ends without `close_notify`: what was read may then be a part only.
/// `shutdown` says `close_notify` and shuts the transport's sending side. Data handed to `write` is sent by it or by
/// `flush`. One task may read while another writes.
#[derive(Debug)]
pub struct TlcpStream<T> {
    connection: Connection,
    transport: T,
    /// Who waits to write: the alert that ends a connection takes its place at the transport.
    writer: Option<Waker>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> TlcpStream<T> {
    /// Completes the handshake of a connection over its transport.
    ///
    /// # Errors
    /// As [`connect`].
    pub async fn handshake(connection: impl Into<Connection>, transport: T) -> io::Result<Self> {
        let mut stream = Self { connection: connection.into(), transport, writer: None };
        std::future::poll_fn(|context| stream.poll_handshake(context)).await?;
        Ok(stream)
    }

    /// The connection: the peer's certificates, the suite, the application protocol.
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The transport.
    pub const fn transport(&self) -> &T {
        &self.transport
    }

    /// The transport; what is written to it goes around the protocol.
    pub(crate) const fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    fn poll_handshake(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.connection.is_handshaking() {
            ready!(self.poll_send(context))?;
            ready!(self.poll_receive(context))?;
        }
        // The last flight may still be ours.
        self.poll_send(context)
    }

    /// Sends everything that waits.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.connection.wants_write() {
            let mut sink = Blocking { transport: &mut self.transport, context };
            let sent = ready!(pending(self.connection.write_tls(&mut sink)))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Takes one read of the transport and deals with it. An error of the protocol is told to the peer if the transport
    /// takes it at once.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(failure) = self.connection.failure() {
            return Poll::Ready(Err(protocol_error(failure.clone())));
        }
        let mut source = Blocking { transport: &mut self.transport, context };
        let count = ready!(pending(self.connection.read_tls(&mut source)))?;
        if let Err(error) = self.connection.process_new_packets() {
            let _ = self.poll_send(context);
            self.writer.take().into_iter().for_each(Waker::wake);
            return Poll::Ready(Err(protocol_error(error)));
        }
        if count == 0 && self.connection.is_handshaking() {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlcpStream<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match this.connection.reader().read(out.initialize_unfilled()) {
                Ok(count) => {
                    out.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            // Nothing is sent from here: the transport wakes only the last who waited to write, and that is the writer.
            ready!(this.poll_receive(context))?;
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlcpStream<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        loop {
            match this.connection.writer().write(data) {
                Ok(count) => {
                    if let Poll::Ready(sent) = this.poll_send(context) {
                        sent?;
                    }
                    return Poll::Ready(Ok(count));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    this.writer = Some(context.waker().clone());
                    ready!(this.poll_send(context))?;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.writer = Some(context.waker().clone());
        ready!(this.poll_send(context))?;
        Pin::new(&mut this.transport).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.connection.send_close_notify();
        this.writer = Some(context.waker().clone());
        ready!(this.poll_send(context))?;
        Pin::new(&mut this.transport).poll_shutdown(context)
    }
}

/// A transport for one poll as blocking code sees it: not ready is `WouldBlock`.
struct Blocking<'a, 'b, T> {
    transport: &'a mut T,
    context: &'a mut Context<'b>,
}

impl<T: AsyncRead + Unpin> io::Read for Blocking<'_, '_, T> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut out = ReadBuf::new(out);
        match Pin::new(&mut *self.transport).poll_read(self.context, &mut out) {
            Poll::Ready(result) => result.map(|()| out.filled().len()),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl<T: AsyncWrite + Unpin> io::Write for Blocking<'_, '_, T> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match Pin::new(&mut *self.transport).poll_write(self.context, data) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn pending<T>(result: io::Result<T>) -> Poll<io::Result<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
        result => Poll::Ready(result),
    }
}

fn protocol_error(error: TlcpError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
