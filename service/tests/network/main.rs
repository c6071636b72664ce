//! The emulator and clients on other machines, which are network namespaces.

#![cfg(target_os = "linux")]

#[path = "../support/http.rs"]
mod http;
mod load;
mod namespaces;
#[path = "../program/running.rs"]
#[allow(dead_code)] // Only a part is used here.
mod running;
#[path = "../support/mod.rs"]
mod support;
mod vanishing;
