//! A complete Azure Remote Rendering session service in one process: token service (STS), sessions with a real
//! lease clock, HTTPS with a certificate authority of its own. `docs/service.md` and `docs/service-2021-01-01.md`
//! describe the wire contract.
//!
//! As a program it is `arr-emulator`; as a library it runs inside a test:
//!
//! ```
//! use arr_emulator::{Clock, Config, Emulator, VirtualClock};
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
//! clock.advance(Duration::from_secs(150)); // … and it is ready, without having waited.
//! emulator.stop();
//! # Ok::<(), arr_emulator::StartError>(())
//! ```
//!
//! It can be made to fail in many ways, see [`Fault`], and be moved while it runs: `docs/emulator.md`.
//!
//! The map of the house:
//!
//! | file | noun |
//! |---|---|
//! | `emulator`, `config`, `account`, `clock` | what a user of the library holds |
//! | `session`, `session_id` | one session as a pure state machine: every question takes `now` |
//! | `sessions` | what can be done with sessions, whichever version of the API asks for it |
//! | `token`, `throttle`, `request_log` | what the service remembers |
//! | `server`, `names`, `service_clock` | what the configuration comes to: a session's server, the emulator's names and time |
//! | `routes/` | HTTP in and out: one file for each group of paths, one for access, one for what all replies share |
//! | `routes/v1*`, `routes/v2021*`, `wire` | the wire format of one version each, and nothing that both need |
//! | `routes/control*` | what moves the emulator, and is no part of the service |
//! | `faults/` | what goes wrong on purpose, and when; `routes/sabotage` and `takeover` make it happen |
//! | `listener`, `connection`, `connections`, `outgoing`, `certificate`, `tls` | sockets |
//! | `timespan`, `date_time`, `lenient_json`, `guid`, `correlation` | formats |

mod account;
mod certificate;
mod clock;
mod config;
mod connection;
mod connections;
mod correlation;
mod date_time;
mod emulator;
mod faults;
mod guid;
mod lenient_json;
mod listener;
mod names;
mod outgoing;
mod path;
mod request_log;
mod routes;
mod server;
mod service;
mod service_clock;
mod session;
mod session_id;
mod sessions;
mod sync;
mod takeover;
mod throttle;
mod timespan;
mod tls;
mod token;
mod wire;

pub use account::{Account, DEVELOPMENT_ACCOUNT_ID, DEVELOPMENT_ACCOUNT_KEY, ParseAccountError};
pub use clock::{Clock, VirtualClock};
pub use config::Config;
pub use emulator::{Emulator, StartError};
pub use faults::{Fault, FaultError};
pub use request_log::RecordedRequest;
pub use session::{SessionSize, SessionStatus, StatusRefused};
pub use sessions::SessionView;
pub use wire::Wire;
