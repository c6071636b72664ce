//! The access token: the cache that all calls of a client share, and when a token expires.

mod cache;
mod expiry;

pub(crate) use cache::{Acquired, Exchange, IssuedToken, TokenCache, TokenSource, Waited};
