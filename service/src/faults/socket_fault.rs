//! Faults that are carried out on the socket, outside HTTP.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::server::TlsStream;

/// Not the beginning of any HTTP reply.
const GARBAGE: &[u8] = b"\x00\xffthis is no HTTP\x07\r\n\r\n{\x80";

/// What is done to a socket instead of sending a reply.
#[derive(Debug)]
pub(crate) enum SocketFault {
    /// Close it in order (FIN).
    Close,
    /// Reset it (RST).
    Reset,
    /// Send nothing until the peer closes it.
    Stall,
    /// Send bytes that are not HTTP, then close it.
    Garbage,
    /// Send these bytes, less than a whole reply, then close it.
    Truncate(Vec<u8>),
    /// Send a whole reply, with a pause between any two bytes.
    Drip { reply: Vec<u8>, interval: Duration, after: AfterFault },
}

/// What happens to the connection after a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterFault {
    /// It serves the next request.
    Continue,
    /// It is dropped; the socket is already in the state that the fault requires.
    Close,
}

/// A TCP stream, with or without TLS.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Unpin {
    fn tcp(&self) -> &TcpStream;
    fn tcp_mut(&mut self) -> &mut TcpStream;
}

impl Socket for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }

    fn tcp_mut(&mut self) -> &mut TcpStream {
        self
    }
}

impl Socket for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }

    fn tcp_mut(&mut self) -> &mut TcpStream {
        self.get_mut().0
    }
}

impl SocketFault {
    /// Carries out the fault. An error means that the peer is gone, which ends every fault.
    pub(crate) async fn apply(self, socket: &mut impl Socket) -> AfterFault {
        let done = match self {
            SocketFault::Close => close(socket).await,
            SocketFault::Reset => reset(socket),
            SocketFault::Stall => drain(socket).await,
            SocketFault::Garbage => write_and_close(socket, GARBAGE).await,
            SocketFault::Truncate(bytes) => write_and_close(socket, &bytes).await,
            SocketFault::Drip { reply, interval, after } => drip(socket, &reply, interval, after).await,
        };
        done.unwrap_or(AfterFault::Close)
    }
}

/// Ends the TCP connection; under TLS, without a close_notify.
async fn close(socket: &mut impl Socket) -> io::Result<AfterFault> {
    socket.tcp_mut().shutdown().await?;
    Ok(AfterFault::Close)
}

/// Makes the socket send a reset when it is dropped.
fn reset(socket: &impl Socket) -> io::Result<AfterFault> {
    socket.tcp().set_zero_linger()?;
    Ok(AfterFault::Close)
}

async fn drain(socket: &mut impl Socket) -> io::Result<AfterFault> {
    let mut ignored = [0; 1024];
    while socket.read(&mut ignored).await? > 0 {}
    Ok(AfterFault::Close)
}

async fn write_and_close(socket: &mut impl Socket, bytes: &[u8]) -> io::Result<AfterFault> {
    socket.write_all(bytes).await?;
    socket.flush().await?;
    close(socket).await
}

async fn drip(socket: &mut impl Socket, reply: &[u8], interval: Duration, after: AfterFault) -> io::Result<AfterFault> {
    for (index, byte) in reply.iter().enumerate() {
        if index > 0 {
            sleep(interval).await;
        }
        socket.write_all(&[*byte]).await?;
        socket.flush().await?;
    }
    if after == AfterFault::Close {
        // The reply was complete: close in order, under TLS too.
        socket.shutdown().await?;
    }
    Ok(after)
}
