//! Sessions: how one lives and ends, and the store of all that the service remembers. Every question takes the time
//! that it is asked for; nothing here reads a clock.

mod id;
mod lifecycle;
mod renderer;
mod settings;
mod status;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use id::{SessionId, Wanted};
#[cfg(test)]
pub(crate) use lifecycle::Identity;
pub(crate) use lifecycle::{LeaseRefused, Session};
pub(crate) use renderer::Servers;
pub use settings::SessionSize;
pub(crate) use settings::Settings;
pub use status::{SessionStatus, StatusRefused};
pub(crate) use store::{Creation, OtherSettings, Sessions};
pub use view::SessionView;
