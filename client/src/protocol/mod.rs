//! Operations as values: sans-I/O, one file each.
//!
//! | file | what it is |
//! |---|---|
//! | `operation` | what an operation is, and the steps that it asks for |
//! | `token` | a token, fetched if need be |
//! | `call` | one request with a token, repeated as the policy says |
//! | `create`, `read`, `update`, `list`, `stop` | a session's operations: a call, and what its answer means |
//! | `readiness` | what is known of a session, and when to read it again |
//! | `timed` | an operation and its deadline |
//! | `retry`, `pacing` | whether and when to send again; how often to ask at all |

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
pub(crate) use read::{properties, properties_once};
pub(crate) use readiness::Readiness;
pub(crate) use retry::Trouble;
pub use stop::Stopped;
pub(crate) use stop::stop;
pub(crate) use timed::{Action, Timed, out_of_time};
pub(crate) use token::token;
pub(crate) use update::update_lease;
