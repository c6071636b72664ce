//! The C++ package.

pub(crate) mod install;
