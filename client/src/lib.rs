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
//! # Layers
//!
//! Each module uses only modules below it.
//!
//! | module | what it is |
//! |---|---|
//! | [`client`](Client) | clients, sessions and started operations; keep-alive; the driver, which runs what was started |
//! | `journal`, `http`, `protocol` | the record of created sessions; the HTTP client and its threads; operations without I/O |
//! | `auth` | the token cache |
//! | `wire` | the REST API: one module per version, and the token service. No socket, no clock |
//! | `events` | what the application pulls |
//! | `model` | session properties, status, size, lease, snapshot |
//! | `config` | what the caller gives, validated |
//! | [`log`](LogEntry), [`clock`], [`error`](Error), `sys` | for all: the log, time, errors, the operating system |

mod auth;
mod client;
pub mod clock;
mod config;
mod error;
mod events;
mod http;
mod journal;
mod log;
mod model;
mod protocol;
mod sys;
mod wire;

pub use client::{
    AccessToken, Claim, Client, KeepAlive, ListedSession, OnSuspend, OperationState, Outcome, Recovered, Resume,
    Session, StartedOperation, StopScope, Stopped, StoppedAll, WatchOptions, shut_down_all,
};
pub use config::{ApiVersion, ClientConfig, Credential, Secret, Trust};
pub use error::{Error, ErrorKind, Result};
pub use events::{Event, EventKind, Label};
pub use log::{LogEntry, LogLevel};
pub use model::{Lease, NewSession, SessionId, SessionProperties, SessionSize, SessionStatus, Snapshot};
