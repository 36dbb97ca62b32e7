//! A stream whose first bytes have been looked at, and whose reads are counted until the handshake is over.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

use super::{
    LinkError, Protocol,
    sniff::{FIRST_BYTES, Sniffed, sniff},
};

#[derive(Debug)]
pub(super) struct Metered<S> {
    inner: S,
    first: [u8; FIRST_BYTES],
    /// How many of `first` have been read from `inner`, and how many of those have been given on.
    filled: usize,
    given: usize,
    /// Bytes that may still be given on; `None` once the peer has proved who it is.
    left: Option<usize>,
}

impl<S> Metered<S> {
    pub(super) const fn new(inner: S, bytes_max: usize) -> Self {
        Self { inner, first: [0; FIRST_BYTES], filled: 0, given: 0, left: Some(bytes_max) }
    }

    /// The handshake is over.
    pub(super) const fn open(&mut self) {
        self.left = None;
    }
}

impl<S: AsyncRead + Unpin> Metered<S> {
    /// Reads until the protocol is known; the bytes stay in the stream.
    pub(super) async fn protocol(&mut self) -> Result<Protocol, LinkError> {
        loop {
            let (known, room) = self.first.split_at_mut(self.filled);
            match sniff(known) {
                Sniffed::Is(protocol) => return Ok(protocol),
                Sniffed::Foreign => return Err(LinkError::Foreign { first: known.to_vec() }),
                Sniffed::Incomplete => {}
            }
            match self.inner.read(room).await? {
                0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                count => self.filled = self.filled.saturating_add(count),
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.left == Some(0) {
            return Poll::Ready(Err(io::Error::other(HandshakeTooLarge)));
        }
        let before = buffer.filled().len();
        if let Some(rest) = this.first.get(this.given..this.filled)
            && !rest.is_empty()
        {
            let count = rest.len().min(buffer.remaining());
            buffer.put_slice(rest.get(..count).unwrap_or_default());
            this.given = this.given.saturating_add(count);
        } else if let Some(left) = this.left {
            // Never more than may be given on.
            let room = left.min(buffer.remaining());
            let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
            ready!(Pin::new(&mut this.inner).poll_read(context, &mut part))?;
            let count = part.filled().len();
            buffer.advance(count);
        } else {
            return Pin::new(&mut this.inner).poll_read(context, buffer);
        }
        if let Some(left) = &mut this.left {
            *left = left.saturating_sub(buffer.filled().len().saturating_sub(before));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

/// More bytes than a handshake may have; inside an `io::Error`, since it comes out of a read.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the peer sent more than a handshake may have")]
pub(super) struct HandshakeTooLarge;
