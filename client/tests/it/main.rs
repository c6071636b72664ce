//! The behaviour of the client, as an application sees it: against an emulator or a server that misbehaves, on a clock that
//! moves when somebody sleeps. One program, so that its tests run side by side.

mod any_session;
mod away;
mod ending;
mod failures;
mod faults;
mod hosts_token;
mod ids;
mod keep_alive;
mod left_behind;
mod lifecycle;
mod lost_creates;
mod many;
mod operations;
mod paging;
mod proxy;
mod recordings;
mod recover;
mod resume;
mod retry;
#[cfg(target_os = "linux")]
mod shutdown;
mod single_flight;
#[cfg(target_os = "linux")]
mod stalled;
mod started;
mod stress;
mod support;
mod token_service;
mod tolerance;
mod watching;
