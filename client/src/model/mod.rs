//! The service's domain types: sessions, the parameters of a new one, and its properties. No I/O.

mod id;
mod lease;
mod new_session;
mod properties;
mod size;
mod snapshot;
mod status;

pub use id::SessionId;
pub use lease::Lease;
pub use new_session::NewSession;
pub use properties::SessionProperties;
pub use size::SessionSize;
pub use snapshot::Snapshot;
pub(crate) use snapshot::{SnapshotCell, SnapshotData};
pub use status::SessionStatus;
