//! The calls on an account and its sessions, one file each. Most functions create an operation or a chore for the
//! interpreter; `suspend` starts several and waits for them.

mod create;
mod immediate;
mod journal_work;
mod lease;
mod lost_create;
mod missing;
mod read;
mod recover;
mod reuse_or_create;
mod stop;
mod stop_all;
mod suspend;
mod token;
mod wait;

pub(super) use create::create;
pub use journal_work::Claim;
pub(super) use lease::{extension, update_lease};
pub use read::ListedSession;
pub(super) use read::{cached_properties, list, open, properties};
pub(super) use recover::{Which, not_left_behind, recover};
pub use reuse_or_create::Reuse;
pub(super) use reuse_or_create::{Origin, reuse_or_create};
pub(super) use stop::{give_back, stop};
pub use stop_all::{StopScope, StoppedAll};
pub(super) use stop_all::{stop_account, stop_own};
pub(super) use suspend::suspend;
pub use token::AccessToken;
pub(super) use token::access_token;
pub(super) use wait::wait_until_ready;
