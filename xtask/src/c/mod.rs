//! The C programs: compiled in every dialect, run plain and under valgrind.

pub(crate) mod compiler;
pub(crate) mod dialect;
pub(crate) mod programs;
