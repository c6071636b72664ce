//! Sessions: the state machine of one, and the store of all. Nothing here reads a clock: every function takes the time.

mod batch;
mod id;
mod lifecycle;
mod renderer;
mod settings;
mod status;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use batch::{Batch, Commit, NotStored};
pub(crate) use id::{SessionId, SessionSelector};
pub(crate) use lifecycle::{End, LeaseRefused, Session, SessionIdentity};
pub(crate) use renderer::RendererAddress;
#[cfg(test)]
pub(crate) use renderer::RendererAllocator;
pub(crate) use settings::SessionSettings;
pub use settings::SessionSize;
pub use status::{SessionStatus, StatusRefused};
pub(crate) use store::{Creation, SessionStore, SettingsConflict};
pub use view::SessionView;
