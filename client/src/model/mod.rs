//! The service's domain types: sessions, the parameters of a new one, and its properties. No I/O.

mod id;
mod lease;
mod new_session;
mod operation_kind;
mod properties;
mod reply_text;
mod size;
mod snapshot;
mod status;

pub use id::SessionId;
pub(crate) use id::SessionKey;
pub use lease::Lease;
pub use new_session::NewSession;
pub use operation_kind::OperationKind;
pub use properties::SessionProperties;
pub(crate) use reply_text::ReplyText;
pub use size::SessionSize;
pub use snapshot::Snapshot;
pub(crate) use snapshot::{SnapshotCell, SnapshotData};
pub use status::SessionStatus;
