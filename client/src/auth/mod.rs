//! Access tokens: the cache that all calls of a client share, and token expiry.

mod cache;
mod expiry;

pub(crate) use cache::{Acquired, Exchange, IssuedToken, TokenCache, TokenSource, Waited};
