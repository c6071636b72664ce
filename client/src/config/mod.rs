//! The caller's configuration, validated and normalised before anything is sent.

mod api_version;
mod ca;
mod client_config;
mod credential;
mod endpoint;
mod policy;
mod proxy;
mod redaction;
mod region;
#[cfg(test)]
pub(crate) mod tests;
mod text;

pub use api_version::ApiVersion;
pub(crate) use ca::CaText;
pub(crate) use client_config::Settings;
pub use client_config::{ClientConfig, Trust};
pub(crate) use credential::AccountId;
pub use credential::{Credential, Secret};
pub(crate) use endpoint::{Endpoint, has_ascii_host, is_loopback};
pub(crate) use policy::{GivenIntervals, PollIntervals, RetryPolicy};
pub use proxy::Proxy;
pub(crate) use proxy::Route;
pub(crate) use redaction::without_secrets;
pub(crate) use text::{excerpt, is_hidden, quoted};
