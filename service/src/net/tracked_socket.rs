//! A socket that knows whether bytes wait to be sent. A reply is complete when the system has taken it, not when the
//! HTTP library has written it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::activity::Activity;
use crate::faults::Socket;

/// A socket that records in its connection's activity whether bytes wait for the peer to read them.
pub(crate) struct TrackedSocket<S> {
    socket: S,
    activity: Arc<Activity>,
}

impl<S> TrackedSocket<S> {
    pub(crate) fn new(socket: S, activity: Arc<Activity>) -> TrackedSocket<S> {
        TrackedSocket { socket, activity }
    }

    fn note_write(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Pending => self.activity.sent(false, true),
            Poll::Ready(_) => self.activity.sent(true, true),
        }
        written
    }
}

impl<S: Socket> Socket for TrackedSocket<S> {
    fn tcp(&self) -> &TcpStream {
        self.socket.tcp()
    }

    fn tcp_mut(&mut self) -> &mut TcpStream {
        self.socket.tcp_mut()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TrackedSocket<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.received();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TrackedSocket<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.note_write(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, bufs);
        self.note_write(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.socket).poll_flush(cx);
        // The HTTP library flushes when it has written everything.
        self.activity.sent(false, flushed.is_pending());
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn a_socket_is_busy_until_the_peer_has_read_everything() {
        let activity = Arc::<Activity>::default();
        let (near, mut far) = duplex(4);
        let mut near = TrackedSocket::new(near, activity.clone());
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let sending = async {
                near.write_all(b"a reply").await.expect("taken");
                near.flush().await.expect("taken");
            };
            let receiving = async {
                assert!(!activity.is_idle(), "four bytes of it are on their way");
                far.read_exact(&mut [0; 7]).await.expect("sent");
            };
            assert!(activity.is_idle());
            tokio::join!(sending, receiving);
            assert!(activity.is_idle());
        });
    }
}
