//! The client's behaviour as an application sees it, against the emulator or a misbehaving server, with a clock that
//! advances when a thread sleeps. One program, so that all tests run in parallel.

mod any_session;
mod away;
mod candidates;
mod dead_service;
mod ending;
mod failures;
mod faults;
#[cfg(unix)]
mod frozen;
mod given_back;
#[cfg(target_os = "linux")]
mod guest;
mod hosts_token;
mod ids;
mod keep_alive;
mod leases;
mod left_behind;
mod lifecycle;
mod lost_creates;
mod many;
mod missing;
#[cfg(target_os = "linux")]
mod no_files;
#[cfg(target_os = "linux")]
mod no_threads;
#[cfg(target_os = "linux")]
mod on_disk;
mod operations;
mod others;
mod paging;
mod proxy;
mod recordings;
mod recover;
mod replies;
mod retry;
mod reuse;
#[cfg(target_os = "linux")]
mod shutdown;
mod single_flight;
#[cfg(target_os = "linux")]
mod slow_disk;
#[cfg(target_os = "linux")]
mod stalled;
mod started;
mod stop_all;
mod stress;
mod support;
mod timeouts;
mod tls;
mod token_service;
mod tolerance;
mod watching;
