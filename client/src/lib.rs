//! Azure Remote Rendering sessions: get a token, create a rendering session, wait until it is ready, read its
//! properties and stop it.
//!
//! ```no_run
//! use arr_client::{Client, ClientConfig, Credential, NewSession, SessionSize};
//! use std::time::Duration;
//!
//! # fn main() -> arr_client::Result<()> {
//! let client = Client::new(ClientConfig {
//!     account_id: "ACCOUNT-ID".into(),
//!     credential: Credential::AccountKey("ACCOUNT-KEY".into()),
//!     account_domain: "westus2.mixedreality.azure.com".into(), // where the account was made
//!     service_endpoint: "westeurope".into(), // where the session shall run: a region, or a URL
//!     ..ClientConfig::default()
//! })?;
//! let session = client.create_session(&NewSession::new(SessionSize::Standard, Duration::from_secs(3600))?, None)?;
//! let ready = session.wait_until_ready(Duration::from_secs(300))?;
//! println!("{} runs at {:?}", ready.id, ready.hostname);
//! session.stop(None)?;
//! # Ok(())
//! # }
//! ```
//!
//! A session is a virtual machine that costs money from the moment it is ready until it is stopped or its lease runs
//! out. Dropping a [`Session`] does **not** stop it.
//!
//! # The map of the house
//!
//! A call goes one way through these modules, and each knows only what is to its right:
//!
//! ```text
//! client ─→ operation ─→ transport ─→ (the wire) ─→ operation ─→ client
//!              │ token, api: build the request         │ api: reads the reply
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`config`](ClientConfig), [`credential`](Credential), `endpoint`, `region`, `proxy`, `given` | what the user gives, checked and normalised |
//! | `session`, `timespan` | the service's nouns: properties, status, size, lease |
//! | `snapshot` | what a frame thread reads of a session, without waiting |
//! | `api` | the wire: one module per REST version, and the token service. Pure: no socket, no clock |
//! | `token` | the token's cache and its expiry |
//! | `retry`, `pacing` | whether and when to send again; how often to ask at all |
//! | `operation` | an operation as a value without input or output: `step(now, reply)`; one file each |
//! | `transport` | the one HTTP client: TLS, name lookups, time and size limits; the threads that send |
//! | `queue`, `snapshot` | what the application's thread pulls, and what it reads at any moment |
//! | `journal` | the file that finds sessions again after a crash |
//! | [`clock`] | what time it is, and waiting |
//! | [`client`](Client) | drives operations: blocking ones on the caller's thread, started ones in its `runtime`; looks after sessions |
//! | [`error`](Error), [`log`](LogEntry) | what went wrong and what to do about it; what went on |
//! | `sys` | the few calls to the operating system |

mod api;
mod client;
pub mod clock;
mod config;
mod credential;
mod endpoint;
mod error;
mod given;
mod journal;
mod log;
mod operation;
mod pacing;
mod proxy;
mod queue;
mod region;
mod retry;
mod session;
mod snapshot;
mod sys;
mod timespan;
mod token;
mod transport;

pub use api::ApiVersion;
pub use client::{
    AccessToken, Claim, Client, KeepAlive, ListedSession, OnSuspend, OperationState, Outcome, Recovered, Resume,
    Session, StartedOperation, StopScope, Stopped, StoppedAll, WatchOptions, shut_down_all,
};
pub use config::{ClientConfig, Trust};
pub use credential::{Credential, Secret};
pub use error::{Error, ErrorKind, Result};
pub use log::{LogEntry, LogLevel};
pub use queue::{Event, EventKind, Label};
pub use session::{Lease, NewSession, SessionId, SessionProperties, SessionSize, SessionStatus};
pub use snapshot::Snapshot;
