//! The C++ headers, programs and package.

pub(crate) mod headers;
pub(crate) mod install;
pub(crate) mod programs;
