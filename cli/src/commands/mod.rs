//! The commands, one file each.

mod config;
mod create;
mod extend;
mod list;
mod show;
mod stop;
mod wait;

pub(crate) use config::{config_import, config_path, config_show};
pub(crate) use create::create;
pub(crate) use extend::extend;
pub(crate) use list::list;
pub(crate) use show::show;
pub(crate) use stop::stop;
pub(crate) use wait::wait;
