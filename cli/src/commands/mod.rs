//! The commands, one file each.

mod config;
mod create;
mod doctor;
mod extend;
mod hold;
mod list;
mod pages;
mod recover;
mod show;
mod stop;
mod token;
mod wait;
mod watch;

pub(crate) use config::{config_import, config_path, config_show};
pub(crate) use create::create;
pub(crate) use doctor::doctor;
pub(crate) use extend::extend;
pub(crate) use hold::hold;
pub(crate) use list::list;
pub(crate) use pages::{completions, man};
pub(crate) use recover::recover;
pub(crate) use show::show;
pub(crate) use stop::stop;
pub(crate) use token::token;
pub(crate) use wait::wait;
pub(crate) use watch::watch;
