//! Operations as values, without I/O, one file each.
//!
//! | file | contents |
//! |---|---|
//! | `operation` | operations and their steps |
//! | `token` | a token, fetched if necessary |
//! | `call` | one request with a token, retried according to the policy |
//! | `create`, `read`, `update`, `list`, `stop` | a session's operations: a call, and the meaning of its reply |
//! | `readiness` | a session's cached properties, and when to read them again |
//! | `timed` | an operation and its deadline |
//! | `retry`, `pacing` | whether and when to retry; how often to send requests at all |

mod call;
mod context;
mod create;
mod list;
mod operation;
mod pacing;
mod read;
mod readiness;
mod retry;
mod stop;
#[cfg(test)]
pub(crate) mod tests;
mod timed;
mod token;
mod update;

pub(crate) use call::OneCall;
pub(crate) use context::Context;
pub(crate) use create::{Created, create, unknown_outcome};
pub(crate) use list::{List, list, list_urgently};
pub(crate) use operation::{ChangeMark, Chore, ChoreId, Operation, Step, Work};
pub(crate) use pacing::Pacing;
pub(crate) use read::{properties, properties_once, properties_unconfirmed};
pub(crate) use readiness::Readiness;
pub(crate) use retry::Trouble;
pub use stop::Stopped;
pub(crate) use stop::stop;
pub(crate) use timed::{Action, Timed, after_freeze, out_of_time, respite};
pub(crate) use token::token;
pub(crate) use update::update_lease;
