//! Azure Remote Rendering sessions: get a token, create a rendering session, wait until it is ready, read its
//! properties and stop it.
//!
//! ```no_run
//! use arr_client::{Client, ClientConfig, Credential, Lease, NewSession, SessionSize};
//! use std::time::Duration;
//!
//! # fn main() -> arr_client::Result<()> {
//! let key = Credential::AccountKey("ACCOUNT-KEY".into());
//! // The account belongs to westus2; the session runs in westeurope. Either may also be a host name or URL.
//! let client = Client::new(ClientConfig::new("ACCOUNT-ID", key, "westus2", "westeurope"))?;
//! let new = NewSession::new(SessionSize::Standard, Lease::from_minutes(30)?);
//! let session = client.create_session(&new).run()?;
//! let ready = session.wait_until_ready().timeout(Duration::from_secs(300)).run()?;
//! println!("{} runs at {}", ready.id, ready.hostname.unwrap_or_default());
//! session.update_lease(Lease::from_minutes(60)?).run()?;
//! session.stop().run()?;
//! # Ok(())
//! # }
//! ```
//!
//! A session is a virtual machine that costs money from the moment it is ready until it is stopped or its lease
//! expires. Dropping a [`Session`] does **not** stop it.
//!
//! # Secrets
//!
//! A [`Secret`] and the body of a reply are wiped from memory when dropped. The HTTP library does not wipe its buffers:
//! after a client has ended, parts of keys, tokens and the proxy's password may remain in freed memory. The C library
//! installs an allocator that wipes freed memory; a Rust program that needs the same must install its own
//! `#[global_allocator]`.
//!
//! # Layers
//!
//! Each module uses only modules below it.
//!
//! | module | contents |
//! |---|---|
//! | [`client`](Client) | clients, sessions and started operations; keep-alive; the driver, which runs started operations |
//! | `journal`, `http`, `protocol` | the record of created sessions; the HTTP client and its threads; operations without I/O |
//! | `auth` | the token cache |
//! | `wire` | the REST API: one module per version, and the token service. No sockets, no clock |
//! | `events` | the event queue that the application polls |
//! | `model` | session properties, status, size, lease, snapshot |
//! | `config` | the caller's configuration, validated |
//! | [`log`](LogEntry), `clock`, [`error`](Error), `sys` | used by every layer: the log, time, errors, the operating system |

#[doc(hidden)]
pub mod abi;
mod auth;
mod client;
mod clock;
mod config;
mod error;
mod events;
mod http;
mod journal;
mod log;
mod model;
mod protocol;
mod sys;
#[cfg(feature = "test-util")]
pub mod test_util;
mod wire;

pub use client::{
    AccessToken, AnyOperation, Call, Claim, Client, KeepAlive, ListedSession, OnSuspend, OperationState,
    RecordedSession, Recovered, Reuse, Reused, Session, StartedOperation, StopScope, Stopped, StoppedAll, WatchOptions,
    shut_down_all,
};
pub use config::{ApiVersion, ClientConfig, Credential, Proxy, Secret, Trust};
pub use error::{Error, ErrorKind, Result};
pub use events::{Event, EventKind, Label};
pub use log::{LogEntry, LogLevel};
pub use model::{Lease, NewSession, OperationKind, SessionId, SessionProperties, SessionSize, SessionStatus, Snapshot};
