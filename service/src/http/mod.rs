//! Request bodies, replies, headers and paths: the parts of HTTP that all routes share.

pub(crate) mod body;
pub(crate) mod body_budget;
pub(crate) mod common_headers;
pub(crate) mod conversion_param;
pub(crate) mod keep_alive;
pub(crate) mod path;
pub(crate) mod raw_reply;
pub(crate) mod reply;
pub(crate) mod session_param;
