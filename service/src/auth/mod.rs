//! Accounts, their tokens, and rate limits.

mod account;
mod failures;
mod throttle;
pub(crate) mod token;

pub use account::{Account, DEVELOPMENT_ACCOUNT_ID, DEVELOPMENT_ACCOUNT_KEY, ParseAccountError};
pub(crate) use failures::Failures;
pub(crate) use throttle::Throttle;
