//! Accounts, their tokens, and the rate limit of their calls.

mod account;
mod throttle;
pub(crate) mod token;

pub use account::{Account, DEVELOPMENT_ACCOUNT_ID, DEVELOPMENT_ACCOUNT_KEY, ParseAccountError};
pub(crate) use throttle::Throttle;
