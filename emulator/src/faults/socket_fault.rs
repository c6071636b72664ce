//! What happens to a connection once a fault has taken it out of HTTP's hands.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::server::TlsStream;

/// Neither an HTTP reply nor the beginning of one.
const GARBAGE: &[u8] = b"\x00\xffthis is no HTTP\x07\r\n\r\n{\x80";

/// What is done instead of a reply, or with its bytes.
#[derive(Debug)]
pub(crate) enum Takeover {
    /// An orderly end: FIN.
    Close,
    /// A disorderly end: RST.
    Reset,
    /// Silence until the peer goes.
    Stall,
    /// Bytes that are no HTTP, then the end.
    Garbage,
    /// These bytes, which are less than a whole reply, then the end.
    Part(Vec<u8>),
    /// These bytes, a whole reply, with this long between two.
    Drip { reply: Vec<u8>, interval: Duration, afterwards: Afterwards },
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// The next request may come.
    Serve,
    /// It is over, and the socket is as its end requires.
    End,
}

/// A stream that has TCP below, with or without TLS.
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

impl Takeover {
    /// Does it. Errors are the peer's going, which ends all of them.
    pub(crate) async fn carry_out(self, socket: &mut impl Socket) -> Afterwards {
        let done = match self {
            Takeover::Close => close(socket).await,
            Takeover::Reset => reset(socket),
            Takeover::Stall => outwait(socket).await,
            Takeover::Garbage => write_and_close(socket, GARBAGE).await,
            Takeover::Part(bytes) => write_and_close(socket, &bytes).await,
            Takeover::Drip { reply, interval, afterwards } => drip(socket, &reply, interval, afterwards).await,
        };
        done.unwrap_or(Afterwards::End)
    }
}

/// Ends TCP as it is; under TLS that is an end without the farewell that TLS has.
async fn close(socket: &mut impl Socket) -> io::Result<Afterwards> {
    socket.tcp_mut().shutdown().await?;
    Ok(Afterwards::End)
}

/// From here on the socket's end is a reset.
fn reset(socket: &impl Socket) -> io::Result<Afterwards> {
    socket.tcp().set_zero_linger()?;
    Ok(Afterwards::End)
}

async fn outwait(socket: &mut impl Socket) -> io::Result<Afterwards> {
    let mut ignored = [0; 1024];
    while socket.read(&mut ignored).await? > 0 {}
    Ok(Afterwards::End)
}

async fn write_and_close(socket: &mut impl Socket, bytes: &[u8]) -> io::Result<Afterwards> {
    socket.write_all(bytes).await?;
    socket.flush().await?;
    close(socket).await
}

async fn drip(
    socket: &mut impl Socket,
    reply: &[u8],
    interval: Duration,
    afterwards: Afterwards,
) -> io::Result<Afterwards> {
    for (index, byte) in reply.iter().enumerate() {
        if index > 0 {
            sleep(interval).await;
        }
        socket.write_all(&[*byte]).await?;
        socket.flush().await?;
    }
    if afterwards == Afterwards::End {
        // The reply was whole: its end is an orderly one, under TLS too.
        socket.shutdown().await?;
    }
    Ok(afterwards)
}
