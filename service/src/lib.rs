//! A complete Azure Remote Rendering session service in one process: token service (STS), sessions with a real
//! lease clock, HTTPS with its own certificate authority. `docs/service.md` and `docs/service-2021-01-01.md`
//! describe the wire contract.
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
//! clock.advance(Duration::from_secs(150)); // … and it is ready, without a wait.
//! emulator.stop();
//! # Ok::<(), arr_service::StartError>(())
//! ```
//!
//! [`Fault`] injects faults; `docs/emulator.md` describes how to control a running emulator.
//!
//! The layers, from the top; each uses only those below it:
//!
//! | module | what it holds |
//! |---|---|
//! | `emulator` | the running emulator: starts and stops the rest, and is what a user of the library holds |
//! | `api`, `control` | the HTTP routes: the service's REST API, and the `/emulator/…` calls that control the emulator |
//! | `state` | what all requests share |
//! | `net` | listener, TLS, certificates, connections |
//! | `faults` | fault injection: the rules, and how each is carried out on a reply or a connection |
//! | `http` | request bodies, replies and headers that all routes share |
//! | `session` | one session as a state machine, and the store of all sessions |
//! | `config`, `request_log` | the configuration; the record of all requests |
//! | `auth`, `clock` | accounts, tokens and throttling; the machine's clock or a virtual one |
//! | `format`, `sync` | time spans, dates, GUIDs, JSON, correlation vectors; locks |

mod api;
mod auth;
mod clock;
mod config;
mod control;
mod emulator;
mod faults;
mod format;
mod http;
mod net;
mod request_log;
mod session;
mod state;
mod sync;

pub use auth::{Account, DEVELOPMENT_ACCOUNT_ID, DEVELOPMENT_ACCOUNT_KEY, ParseAccountError};
pub use clock::{Clock, VirtualClock};
pub use config::{Config, WireFormat};
pub use emulator::{Emulator, StartError};
pub use faults::{Fault, FaultError};
pub use request_log::RecordedRequest;
pub use session::{SessionSize, SessionStatus, SessionView, StatusRefused};
