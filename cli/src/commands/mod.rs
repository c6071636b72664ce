//! The commands, one file each.

pub(crate) mod config;
pub(crate) mod create;
pub(crate) mod doctor;
pub(crate) mod extend;
pub(crate) mod hold;
pub(crate) mod list;
pub(crate) mod pages;
pub(crate) mod recover;
pub(crate) mod show;
pub(crate) mod stop;
pub(crate) mod token;
pub(crate) mod wait;
pub(crate) mod watch;
