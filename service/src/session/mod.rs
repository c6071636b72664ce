//! Sessions: one as a state machine, and the store of all. Nothing here reads a clock: every function takes the time.

mod id;
mod lifecycle;
mod renderer;
mod settings;
mod status;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use id::{SessionId, SessionSelector};
#[cfg(test)]
pub(crate) use lifecycle::SessionIdentity;
pub(crate) use lifecycle::{LeaseRefused, Session};
pub(crate) use renderer::RendererAllocator;
pub(crate) use settings::SessionSettings;
pub use settings::SessionSize;
pub use status::{SessionStatus, StatusRefused};
pub(crate) use store::{Creation, SessionStore, SettingsConflict};
pub use view::SessionView;
