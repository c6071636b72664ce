//! The C++ headers, programs and package.

mod finder;
pub(crate) mod headers;
pub(crate) mod install;
pub(crate) mod programs;
