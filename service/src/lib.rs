//! A complete Azure Remote Rendering session service in one process: token service (STS), sessions whose leases run
//! out, HTTPS with its own certificate authority. `docs/service.md` and `docs/service-2021-01-01.md` describe the wire
//! contract.
//!
//! The program is `arr-emulator`; the library runs inside a test:
//!
//! ```
//! use arr_service::{Clock, Config, Emulator, VirtualClock};
//! use std::time::Duration;
//!
//! let clock = VirtualClock::new();
//! let emulator = Emulator::start(Config {
//!     startup: Duration::from_secs(150),
//!     clock: Clock::Virtual(clock.clone()),
//!     ..Config::default()
//! })?;
//! println!("{} serves account {}", emulator.url(), emulator.account().id());
//! // … create a session …
//! clock.advance(Duration::from_secs(150)); // … and it is ready at once.
//! emulator.stop();
//! # Ok::<(), arr_service::StartError>(())
//! ```
//!
//! [`Fault`] injects faults; `docs/emulator.md` describes how to control a running emulator.
//!
//! The layers, from the top. Each uses only those below it:
//!
//! | module | contents |
//! |---|---|
//! | `emulator` | the running emulator, which a user of the library holds: starts and stops the rest |
//! | `api`, `control`, `page`, `health` | the HTTP routes: the service's REST API, the `/emulator/…` calls that control the emulator, a page for people, `/health` |
//! | `state` | what all requests share |
//! | `secrets`, `start_error` | keys and certificate authority, new or kept; why an emulator does not start |
//! | `net` | listener, TLS, certificates, connections |
//! | `faults` | fault injection: the rules, and how each is carried out on a reply or a connection |
//! | `http` | request bodies, replies and headers that all routes share |
//! | `storage` | the state folder: a SQLite database and the thread that writes it |
//! | `session`, `conversion` | one session or conversion as a state machine, the store of all, and changes that are not stored yet |
//! | `config`, `request_log`, `log` | the configuration; the log of all requests in memory; lines to standard error |
//! | `auth`, `clock` | accounts, tokens and throttling; the machine's clock or a virtual one |
//! | `format`, `sync` | time spans, dates, GUIDs, JSON, correlation vectors; locks |

mod api;
mod auth;
mod clock;
mod config;
mod control;
mod conversion;
mod emulator;
mod faults;
mod format;
mod health;
mod http;
mod log;
mod net;
mod page;
mod request_log;
mod secrets;
mod session;
mod start_error;
mod state;
mod storage;
mod sync;

pub use auth::{Account, DEVELOPMENT_ACCOUNT_ID, DEVELOPMENT_ACCOUNT_KEY, ParseAccountError};
pub use clock::{Clock, VirtualClock};
pub use config::{CertificateFiles, Config, Limits, LogRequests, WireFormat};
pub use conversion::{ConversionError, ConversionStatus, ConversionStatusRefused, ConversionView};
pub use emulator::Emulator;
pub use faults::{Fault, FaultError};
pub use net::CertificateFileError;
pub use request_log::RecordedRequest;
pub use session::{SessionSize, SessionStatus, SessionView, StatusRefused};
pub use start_error::StartError;
pub use storage::StateFolderError;
