//! The program `arr`, as people and scripts run it, against the emulator over HTTPS.

#![cfg(unix)]

mod configuration;
mod exit_codes;
mod files;
mod hostile;
mod interrupts;
mod keeping;
mod place;
mod sessions;
mod terminal;
mod tools;
