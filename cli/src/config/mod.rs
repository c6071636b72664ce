//! The account and the defaults: where each value comes from, and which one counts.
//!
//! A credential and the endpoints that it is sent to come from one source, so that a file in the working directory,
//! perhaps from a stranger's archive, cannot direct a key to its own hosts. Only explicit options mix sources.

mod files;
mod layer;
mod profiles;
mod resolve;
mod setting;
mod settings;

pub(crate) use layer::Layer;
pub(crate) use profiles::{DEFAULT, import};
pub(crate) use resolve::resolve;
pub(crate) use setting::Setting;
pub(crate) use settings::{INSTEAD, Journal, RETIRED, Settings};
